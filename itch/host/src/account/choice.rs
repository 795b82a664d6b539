//! Which identity a run uses: `--as`, then `TWITCH_TOKEN`, then `as` below `[account]` in config.toml, then the first
//! account, then the application.

use itch_api::{Error, ErrorKind};
use itch_client::{Account, Accounts, Settings, WhoSource, bare_token};

use super::{names, unknown};
use crate::config::AccountChoice;
use crate::failure::usage;
use crate::{environment, paths};

/// Adds the account to the settings, if one is used. The settings have the addresses and the identity of the
/// environment.
pub(crate) fn choose(settings: &mut Settings, login: Option<&str>, config: &AccountChoice) -> Result<(), Error> {
    let own = settings.service_addresses()?;
    let Some(directory) = paths::data_directory() else {
        return match login {
            Some(_) => super::accounts().map(drop),
            None => Ok(()),
        };
    };
    let accounts = Accounts::new(&directory);
    settings.identity.accounts = Some(accounts.clone());
    if login.is_none() && settings.identity.token.is_some() {
        return Ok(());
    }
    let all = match accounts.list() {
        // Chat, and rows from a cache, need no account.
        Err(error) if login.is_none() => {
            settings.identity.unknown = Some(error);
            return Ok(());
        }
        all => all?,
    };
    let (usable, others): (Vec<Account>, Vec<Account>) = all.into_iter().partition(|known| known.addresses == own);
    let is_named = login.is_some();
    let chosen = match login.or(config.login.as_deref()) {
        None => usable.into_iter().next(),
        Some(login) => match usable.iter().find(|account| account.is_of(login)) {
            Some(account) => Some(account.clone()),
            None if others.iter().any(|account| account.is_of(login)) => return Err(elsewhere(login, &others)),
            // The setting is for one of several accounts; without any, there is another identity or an error.
            None if usable.is_empty() && !is_named => None,
            None => return Err(unknown(login, &usable)),
        },
    };
    settings.identity.account = chosen.map(|account| (accounts, account));
    Ok(())
}

/// Rejects `--as` where accounts are not used.
pub(crate) fn check_sandbox(login: Option<&str>) -> Result<(), Error> {
    match login {
        None => Ok(()),
        Some(_) => Err(usage("`--as` and `--sandbox` contradict each other: the sandbox has its own account")),
    }
}

/// The account signed in at other addresses than those that are set now.
fn elsewhere(login: &str, others: &[Account]) -> Error {
    let found = others.iter().find(|account| account.is_of(login));
    let place = found.map_or("", |account| account.addresses.oauth2.as_str());
    Error::new(ErrorKind::SignIn, format!("the account `{}` cannot be used here", login.escape_debug()))
        .cause(format!("it signed in at {place}, and its tokens are sent nowhere else"))
        .cause(format!("accounts of other addresses: {}", names(others)))
        .hint("unset `TWITCH_OAUTH2_URL` and `TWITCH_HELIX_URL`, or `itch login` with them set")
}

/// Logs which identity is used, for `-v`.
pub(crate) fn log(settings: &Settings) {
    let identity = &settings.identity;
    if let Some((_, account)) = &identity.account {
        tracing::debug!(target: "itch::sign_in", "signed in as {}, an account of `itch login`", account.name());
        return;
    }
    if let Some(given) = environment::read("TWITCH_TOKEN").filter(|_| identity.token.is_some()) {
        match bare_token(&given) == given {
            true => tracing::debug!(target: "itch::sign_in", "using the token in TWITCH_TOKEN"),
            false => tracing::debug!(
                target: "itch::sign_in",
                "using the token in TWITCH_TOKEN, without the quotes or the word before it"
            ),
        }
        return;
    }
    if identity.client_id.is_some() && identity.client_secret.is_some() {
        tracing::debug!(target: "itch::sign_in", "using the application of TWITCH_CLIENT_ID");
    }
}

/// A phrase about an identity: `account burkeblack`, `the app`.
pub(crate) fn phrase(source: WhoSource, login: Option<&str>) -> String {
    match (source, login) {
        (WhoSource::App, _) => "an application".to_owned(),
        (WhoSource::Nobody, _) => "nobody".to_owned(),
        (_, Some(login)) => format!("`{login}`"),
        (_, None) => "a user whose login is not known yet".to_owned(),
    }
}
