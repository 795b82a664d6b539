//! `itch login`: signs in with a device code, and keeps the account.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use itch_api::{Error, ErrorKind};
use itch_client::{Account, DeviceCode, SignIn, needs_secret};
use itch_plugin::Registry;

use super::{registration, rights, sign_in, usable};
use crate::config::Config;
use crate::environment;
use crate::exit_codes::{DONE, EXIT_INTERRUPTED};
use crate::interrupt::Interrupts;
use crate::options::account::LoginOptions;
use crate::printer::Printer;
use crate::times::date_of;

/// How long a refresh token of a public application lives without being used
/// (dev.twitch.tv/docs/authentication/refresh-tokens).
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Signs in and returns the exit code.
pub(crate) fn run(registry: &Registry, options: &LoginOptions, printer: &Printer) -> anyhow::Result<u8> {
    let config = Config::read()?;
    let sign_in = sign_in(&options.service, printer)?;
    let accounts = usable(&sign_in, printer)?;
    let scopes = scopes(registry, options, &accounts)?;
    let interrupts = Interrupts::catch(|| {})?;
    let client_id = match registration::client_id(&config) {
        Some(client_id) => client_id,
        None => registration::guided(&sign_in, printer)?,
    };
    sign_in.accounts().check_writable()?;
    let device = sign_in.begin(&client_id, &scopes).map_err(registration::explain)?;
    announce(&device, options.open, printer);
    let granted = match wait(&sign_in, &device, &interrupts, printer) {
        Err(error) if error.is_cancelled() => {
            printer.say("interrupted: nobody was signed in");
            return Ok(EXIT_INTERRUPTED);
        }
        granted => granted?,
    };
    let account = match complete(&sign_in, granted.clone(), options.login.as_deref(), printer) {
        Ok(account) if interrupts.seen() => {
            give_back(&sign_in, &account);
            printer.say("interrupted: nobody was signed in");
            return Ok(EXIT_INTERRUPTED);
        }
        Ok(account) => account,
        Err(error) => {
            give_back(&sign_in, &granted);
            return Err(error.into());
        }
    };
    let standings = rights::standings(registry, &account.scopes);
    printer.say(&format!(
        "signed in as {} until {}, and for 30 days after each use: {}",
        account.name(),
        date_of(UNUSED),
        rights::working(&standings)
    ));
    remind(&account, &accounts, printer);
    if environment::read("TWITCH_TOKEN").is_some() {
        printer.warning("`TWITCH_TOKEN` is set and is used in the place of this account: unset it, or use `--as`");
    }
    Ok(DONE)
}

/// The scopes to ask for: those of the options, and those that the account has already.
fn scopes(registry: &Registry, options: &LoginOptions, accounts: &[Account]) -> Result<Vec<String>, Error> {
    let asked = match (options.reports.as_slice(), options.scopes.as_slice()) {
        ([], []) => rights::of_built_in_reports(registry),
        ([], scopes) => scopes.iter().map(|scope| scope.trim().to_owned()).collect(),
        (reports, _) => rights::of_reports(registry, reports)?,
    };
    // Without a login, the account that is renewed is known only if there is one.
    let earlier = match (&options.login, accounts) {
        (Some(login), accounts) => accounts.iter().find(|account| account.is_of(login)),
        (None, [one]) => Some(one),
        (None, _) => None,
    };
    let earlier = earlier.into_iter().flat_map(|account| account.scopes.iter().cloned());
    let scopes: BTreeSet<String> = asked.into_iter().chain(earlier).collect();
    Ok(scopes.into_iter().filter(|scope| !scope.is_empty()).collect())
}

/// Says what the user has to do.
fn announce(device: &DeviceCode, open: bool, printer: &Printer) {
    printer.say(&format!("open    {}", device.verification_uri));
    printer.say(&format!("confirm {}", device.user_code));
    if !printer.progress {
        printer.note(&format!("waiting for the confirmation, {} left", left(device.left())));
    }
    if open && let Err(error) = open_browser(&device.verification_uri) {
        printer.warning(&format!("no browser could be opened: {error}"));
    }
}

/// Opens an address with the desktop's own command. Only http and https: the address comes from a server.
fn open_browser(address: &str) -> Result<(), String> {
    if !(address.starts_with("https://") || address.starts_with("http://")) {
        return Err("the address is not one of a web page".to_owned());
    }
    let command = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(command);
    command.arg(address).stdin(std::process::Stdio::null());
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    // The browser goes on when this program has ended.
    command.spawn().map(drop).map_err(|error| error.to_string())
}

/// Waits until the code is confirmed, and shows how much time is left.
fn wait(sign_in: &SignIn, device: &DeviceCode, interrupts: &Interrupts, printer: &Printer) -> Result<Account, Error> {
    let bar = printer.progress.then(|| {
        let style =
            ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        printer.bars().add(ProgressBar::new_spinner().with_style(style))
    });
    let mut shown = Instant::now() - Duration::from_secs(1);
    let granted = sign_in.wait(device, &mut |remaining| {
        if let Some(bar) = bar.as_ref().filter(|_| shown.elapsed() >= Duration::from_millis(900)) {
            shown = Instant::now();
            bar.set_message(format!("waiting for the confirmation, {} left", left(remaining)));
            bar.tick();
        }
        !interrupts.seen()
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    granted
}

/// A length of time, in minutes and seconds.
fn left(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

/// Finds out who signed in, and renews the token once. The tokens are stored already.
fn complete(sign_in: &SignIn, account: Account, login: Option<&str>, printer: &Printer) -> Result<Account, Error> {
    let mut account = match sign_in.identify(&account) {
        Ok(account) => account,
        Err(error) if error.kind == ErrorKind::SignIn => return Err(error),
        Err(error) => {
            printer.warning(&format!("the sign-in is kept, but its login is not known yet: {error:#}"));
            account
        }
    };
    if let Some(login) = login.filter(|login| !account.is_of(login)) {
        let message = format!("`{}` signed in on that page, not `{}`", account.name(), login.escape_debug());
        return Err(Error::new(ErrorKind::SignIn, message)
            .hint("sign out on the page first, or `itch login` without `--as` to add that account"));
    }
    match sign_in.renew(&account) {
        Ok(renewed) => account = renewed,
        Err(error) if needs_secret(&error) => return Err(registration::confidential(&account.client_id, error)),
        Err(error) => printer.warning(&format!("the token could not be renewed at once: {error:#}")),
    }
    sign_in.settle(&account)?;
    Ok(account)
}

/// Gives back the tokens of a sign-in that does not count.
fn give_back(sign_in: &SignIn, account: &Account) {
    // The newest tokens, since they may have been renewed.
    let stored = sign_in.usable().unwrap_or_default().into_iter();
    let mut stored = stored.filter(|known| known.is_same(account));
    let account = stored.next().unwrap_or_else(|| account.clone());
    // If the service cannot be reached, the token ends by itself after some hours.
    let _ = sign_in.revoke(&account);
    let _ = sign_in.forget(&account);
}

/// Says so if the account had more scopes before.
fn remind(account: &Account, before: &[Account], printer: &Printer) {
    let earlier = before.iter().find(|known| known.login == account.login);
    let earlier = earlier.into_iter().flat_map(|known| &known.scopes);
    let lost: Vec<&str> = earlier
        .filter(|scope| !account.scopes.contains(scope))
        .map(String::as_str)
        .collect();
    if let (false, Some(login)) = (lost.is_empty(), &account.login) {
        let all: Vec<&str> = account
            .scopes
            .iter()
            .map(String::as_str)
            .chain(lost.iter().copied())
            .collect();
        printer.say(&format!("hint: itch login --as {login} --scopes {}", all.join(",")));
    }
}
