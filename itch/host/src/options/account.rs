//! The options of `itch login`, `itch logout` and `itch whoami`, and the one that chooses an account.

use std::time::Duration;

use clap::{ArgAction, Args};

use super::values::duration;

pub(crate) const LOGIN_LONG: &str = "\
     Signs in with Twitch: prints an address and a code, and waits until the sign-in is confirmed on that page, in any \
     browser on any machine. The tokens are kept in a file that only you can read, and renewed by themselves.\n\n\
     Without `--for` or `--scopes` it asks for what all built-in reports need. Signing in again adds an account, or \
     gives one that is there more scopes.";

pub(crate) const LOGIN_EXAMPLES: &str = "\
Examples:
  itch login                  for all built-in reports
  itch login --for followers  for one report alone
  itch login --as burkeblack  again, with the scopes that this account has";

pub(crate) const WHOAMI_LONG: &str = "\
     Lists the accounts that have signed in: login, when the token is renewed, the reports that the account can run, \
     and for the others the command that adds what is missing.";

/// Which account is used.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountOptions {
    /// Use the account of this login, which has signed in with `itch login`
    #[arg(long = "as", value_name = "LOGIN", hide_short_help = true)]
    pub(crate) login: Option<String>,
}

/// How a sign-in asks.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct LoginOptions {
    /// Ask for what these reports need, separated by commas
    #[arg(
        long = "for",
        value_name = "REPORTS",
        value_delimiter = ',',
        action = ArgAction::Append,
        conflicts_with = "scopes"
    )]
    pub(crate) reports: Vec<String>,
    /// Ask for these scopes, separated by commas
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', action = ArgAction::Append)]
    pub(crate) scopes: Vec<String>,
    /// Sign in this account again, and refuse any other
    #[arg(long = "as", value_name = "LOGIN")]
    pub(crate) login: Option<String>,
    /// Also open the address in the browser of this machine
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// How the sign-in service is asked.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Network")]
pub(crate) struct ServiceOptions {
    /// Time limit of one try [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Allow plain HTTP to other machines
    #[arg(long)]
    pub(crate) insecure_http: bool,
}

/// Who is signed out.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct LogoutOptions {
    /// The login; it can be left out if there is one account
    #[arg(value_name = "LOGIN", conflicts_with = "all")]
    pub(crate) login: Option<String>,
    /// Sign out all accounts
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// How the accounts are printed.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct WhoamiOptions {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

pub(crate) const DOCTOR_LONG: &str = "\
     Checks what itch needs, each within three seconds: the services and the clock, every account and what it can run, \
     caches, plugins, fonts and the configuration. The output contains no secrets and can be pasted into a bug report.";

/// How the checks are printed.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct DoctorOptions {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Allow plain HTTP to other machines
    #[arg(long, help_heading = "Network")]
    pub(crate) insecure_http: bool,
}
