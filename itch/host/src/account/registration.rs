//! The application that signs in: whose client id is used, and how to register one.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use itch_api::{Error, ErrorKind};
use itch_client::SignIn;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::Config;
use crate::printer::Printer;
use crate::stderr::Stderr;
use crate::{environment, paths};

/// The page on which an application is registered.
const CONSOLE: &str = "https://dev.twitch.tv/console/apps/create";

/// The client id of an application that was registered for this build, if there is one.
const BUILT_IN: Option<&str> = option_env!("ITCH_CLIENT_ID");

/// How often a client id may be pasted.
const TRIES: usize = 3;

/// The client id to sign in with: of the environment, of config.toml, or of this build.
pub(crate) fn client_id(config: &Config) -> Option<String> {
    let built_in = || BUILT_IN.filter(|id| !id.is_empty()).map(str::to_owned);
    let known = environment::read("TWITCH_CLIENT_ID").map(|id| id.trim().to_owned());
    known.or_else(|| config.account.client_id.clone()).or_else(built_in)
}

/// What to do on the console's page, line by line.
fn steps() -> [String; 7] {
    [
        "signing in needs the client id of an application, which you register once, for free:".to_owned(),
        format!("  1. open {CONSOLE} (Twitch asks for two-factor authentication)"),
        "  2. Name: any that is not taken, such as itch-YOUR-LOGIN".to_owned(),
        "  3. OAuth Redirect URLs: http://localhost".to_owned(),
        "  4. Category: Application Integration".to_owned(),
        "  5. Client Type: Public".to_owned(),
        "  6. create it, open it again with Manage, and copy the Client ID".to_owned(),
    ]
}

/// Guides through the registration on a terminal, and keeps the client id in config.toml. Elsewhere an error with the
/// same steps.
pub(crate) fn guided(sign_in: &SignIn, printer: &Printer) -> anyhow::Result<String> {
    steps().iter().for_each(|step| printer.say(step));
    if !std::io::stdin().is_terminal() || !printer.stderr_is_terminal {
        let error = Error::new(ErrorKind::SignIn, "there is no client id to sign in with");
        return Err(error
            .cause("neither `TWITCH_CLIENT_ID` nor `client-id` below `[account]` in config.toml is set")
            .hint("TWITCH_CLIENT_ID=THE-CLIENT-ID itch login")
            .into());
    }
    let mut refused = None;
    for _ in 0..TRIES {
        let _ = Stderr.write_all(b"Client ID: ");
        let mut line = String::new();
        let read = std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("the client id cannot be read")?;
        let id = line.trim();
        if read == 0 || id.is_empty() {
            break;
        }
        match check(sign_in, id) {
            Ok(()) => {
                keep(id)?;
                return Ok(id.to_owned());
            }
            Err(error) if error.kind != ErrorKind::SignIn => return Err(error.into()),
            Err(error) => {
                printer.warning(&format!("{error:#}"));
                refused = Some(error);
            }
        }
    }
    let none = || Error::new(ErrorKind::SignIn, "no client id was given").hint("itch login");
    Err(refused.unwrap_or_else(none).into())
}

/// Checks the form of a client id, and asks Twitch for it.
fn check(sign_in: &SignIn, id: &str) -> Result<(), Error> {
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if id.len() != 30 || !plain {
        let message = format!("`{}` is not a client id", id.escape_debug());
        return Err(Error::new(ErrorKind::SignIn, message).cause("a client id has 30 letters and digits"));
    }
    sign_in.begin(id, &[]).map(drop).map_err(explain)
}

/// Keeps the client id in config.toml, with whatever else is in that file.
fn keep(id: &str) -> anyhow::Result<()> {
    let directory = paths::config_directory().ok_or_else(|| {
        Error::new(ErrorKind::Failed, "there is no directory for config.toml")
            .hint("set `XDG_CONFIG_HOME`, or set `TWITCH_CLIENT_ID` each time")
    })?;
    let path = directory.join("config.toml");
    let failed = || format!("the client id cannot be kept in `{}`", path.display());
    // A link leads to the file that is kept elsewhere, and stays one.
    let target = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let text = match std::fs::read_to_string(&target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.with_context(failed)?,
    };
    let mut document: DocumentMut = text.parse().with_context(failed)?;
    let account = document.entry("account").or_insert(Item::Table(Table::new()));
    account["client-id"] = value(id);
    write(&target, &document.to_string()).with_context(failed)
}

/// Replaces a file as a whole. Its permissions stay as they are.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Ok(found) = path.metadata() {
        file.as_file().set_permissions(found.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Adds what to check to a refusal of a client id.
pub(crate) fn explain(error: Error) -> Error {
    match error.kind {
        ErrorKind::SignIn => error
            .cause("the application may have been deleted, or the client id mistyped")
            .hint("check the Client ID at https://dev.twitch.tv/console/apps"),
        _ => error,
    }
}

/// The error about an application whose tokens cannot be renewed without its secret.
pub(crate) fn confidential(client_id: &str, error: Error) -> Error {
    let message = format!("the application `{client_id}` is of the client type Confidential");
    let confidential = Error::new(ErrorKind::SignIn, message)
        .cause("its tokens end after four hours and cannot be renewed without its secret; nobody was signed in")
        .hint(
            "open it at https://dev.twitch.tv/console/apps, set Client Type to Public, and run `itch login` again \
             (a type that cannot be changed needs a new application)",
        );
    error.causes.into_iter().take(1).fold(confidential, Error::cause)
}
