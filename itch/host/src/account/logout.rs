//! `itch logout`: revokes the token of an account and removes the account from this machine.

use itch_client::{Account, SignIn};

use super::{names, sign_in, unknown, usable};
use crate::failure::usage;
use crate::interrupt::Interrupts;
use crate::options::account::LogoutOptions;
use crate::printer::Printer;

/// Signs out and returns the exit code.
pub(crate) fn run(options: &LogoutOptions, printer: &Printer) -> anyhow::Result<u8> {
    let sign_in = sign_in(&options.service, printer)?;
    // An account that is being removed is removed whole.
    let _interrupts = Interrupts::catch(|| {})?;
    let accounts = usable(&sign_in, printer)?;
    let chosen: Vec<Account> = match &options.login {
        _ if options.all => accounts,
        Some(login) => match accounts.iter().find(|account| account.is_of(login)) {
            Some(account) => vec![account.clone()],
            None => return Err(unknown(login, &accounts).into()),
        },
        None if accounts.len() > 1 => {
            let error = usage("several accounts have signed in").cause(names(&accounts));
            return Err(error.hint("itch logout LOGIN, or itch logout --all").into());
        }
        None => accounts,
    };
    if chosen.is_empty() {
        printer.note("nobody is signed in");
    }
    for account in &chosen {
        sign_out(&sign_in, account, printer)?;
    }
    Ok(0)
}

/// Signs out one account. If the service cannot be reached, the account is removed from this machine only.
fn sign_out(sign_in: &SignIn, account: &Account, printer: &Printer) -> anyhow::Result<()> {
    let revoked = sign_in.revoke(account);
    sign_in.forget(account)?;
    match revoked {
        Ok(()) => printer.note(&format!("signed out {}", account.name())),
        Err(error) => {
            printer.warning(&format!(
                "{} was removed from this machine only: {error:#}; remove itch's access at \
                 https://www.twitch.tv/settings/connections",
                account.name()
            ));
        }
    }
    Ok(())
}
