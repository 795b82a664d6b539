//! Accounts: signing in and out, who is signed in, and which identity a run uses.

pub(crate) mod choice;
pub(crate) mod explain;
pub(crate) mod login;
pub(crate) mod logout;
mod registration;
pub(crate) mod rights;
pub(crate) mod whoami;

use std::sync::Arc;

use itch_api::{Error, ErrorKind};
use itch_client::{Account, Accounts, Settings, SignIn};

use crate::options::account::ServiceOptions;
use crate::printer::Printer;
use crate::{environment, paths, secrets};

/// The account file.
pub(crate) fn accounts() -> Result<Accounts, Error> {
    let directory = paths::data_directory().ok_or_else(|| {
        Error::new(ErrorKind::Failed, "there is no directory for the account file")
            .cause("neither `XDG_DATA_HOME` nor `HOME` is set to a directory")
            .hint("set `XDG_DATA_HOME` to a directory that belongs to you")
    })?;
    if let Some(obstacle) = paths::not_a_directory(&directory) {
        return Err(Error::new(ErrorKind::Failed, "there is no directory for the account file").cause(obstacle));
    }
    Ok(Accounts::new(&directory))
}

/// What signs accounts in and out, at the addresses of the environment.
pub(crate) fn sign_in(options: &ServiceOptions, printer: &Printer) -> anyhow::Result<SignIn> {
    let mut settings = Settings::from_variables(environment::read);
    settings.insecure_http = options.insecure_http;
    if let Some(timeout) = options.timeout {
        settings.timeout = timeout;
    }
    let notices = printer.clone();
    settings.notice = Arc::new(move |text| notices.note(text));
    settings.secrets = secrets::known().clone();
    Ok(SignIn::new(&settings, accounts()?)?)
}

/// The accounts that can be used at these addresses. A damaged file is renamed, with a warning.
fn usable(sign_in: &SignIn, printer: &Printer) -> anyhow::Result<Vec<Account>> {
    match sign_in.usable() {
        Err(error) if !sign_in.accounts().path().exists() => {
            printer.warning(&format!("{error:#}"));
            Ok(Vec::new())
        }
        accounts => Ok(accounts?),
    }
}

/// The error about a login that has no account.
fn unknown(login: &str, accounts: &[Account]) -> Error {
    let error = Error::new(ErrorKind::SignIn, format!("no account `{}` has signed in", login.escape_debug()));
    let error = match accounts {
        [] => error,
        accounts => error.cause(format!("signed in: {}", names(accounts))),
    };
    let known = accounts.iter().filter_map(|account| account.login.as_deref());
    match crate::nearest::nearest(login, known) {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None => error.hint(format!("itch login --as {}", login.escape_debug())),
    }
}

/// The logins of some accounts, separated by commas.
fn names(accounts: &[Account]) -> String {
    let names: Vec<&str> = accounts.iter().map(Account::name).collect();
    names.join(", ")
}
