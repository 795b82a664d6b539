//! Checks every identity: accounts, the token and the application of the environment, and what each can run.

use itch_api::{Error, ErrorKind, Request};
use itch_client::{Account, Accounts, Client, IdentitySettings, Settings};

use super::{Check, Context, LIMIT, Result, Subject};
use crate::account::rights::{self, Standing};
use crate::{environment, secrets};

/// Any user: the answer says whether Helix takes the identity.
const A_LOGIN: &str = "twitch";

pub(super) fn check(context: &Context<'_>) -> Vec<Check> {
    let from_environment = || IdentitySettings {
        ..Settings::from_variables(environment::read).identity
    };
    let (accounts, mut checks) = accounts(context);
    let mut identities: Vec<(String, IdentitySettings, Option<String>)> = Vec::new();
    for (file, account) in accounts {
        let login = account.login.clone();
        let identity = IdentitySettings {
            account: Some((file, account.clone())),
            ..from_environment()
        };
        identities.push((format!("account {}", account.name()), identity, login));
    }
    let environment = from_environment();
    if environment.token.is_some() {
        identities.push(("TWITCH_TOKEN".to_owned(), environment.clone(), None));
    }
    if environment.client_id.is_some() && environment.client_secret.is_some() {
        let app = IdentitySettings {
            token: None,
            ..environment
        };
        identities.push(("application".to_owned(), app, None));
    }
    if identities.is_empty() && checks.is_empty() {
        checks.push(Check::new(Subject::Identity, "account", Result::Bad, "nobody is signed in").hint("itch login"));
    }
    std::thread::scope(|scope| {
        let asked: Vec<_> = identities
            .into_iter()
            .map(|(name, identity, login)| scope.spawn(move || check_one(context, name, identity, login)))
            .collect();
        checks.extend(asked.into_iter().filter_map(|asked| asked.join().ok()));
    });
    checks
}

/// The accounts that can be used, and a check if the file cannot be read.
fn accounts(context: &Context<'_>) -> (Vec<(Accounts, Account)>, Vec<Check>) {
    let sign_in = match context.sign_in() {
        Ok(sign_in) => sign_in,
        // Without a directory there are no accounts; a wrong setting is reported by the check of the services.
        Err(_) => return (Vec::new(), Vec::new()),
    };
    match sign_in.usable() {
        Ok(accounts) => {
            let file = sign_in.accounts().clone();
            (accounts.into_iter().map(|account| (file.clone(), account)).collect(), Vec::new())
        }
        Err(error) => (Vec::new(), vec![Check::failed(Subject::Identity, "accounts", &error)]),
    }
}

fn check_one(context: &Context<'_>, name: String, identity: IdentitySettings, login: Option<String>) -> Check {
    context.about_to_send(&format!("GET users?login={A_LOGIN} to Helix, as {name}"));
    let mut settings = Settings::from_variables(environment::read);
    settings.insecure_http = context.options.insecure_http;
    settings.identity = identity;
    settings.timeout = LIMIT;
    settings.max_wait = LIMIT;
    settings.tries = 1;
    settings.secrets = secrets::known().clone();
    let request = Request::helix("users").query("login", A_LOGIN).fresh();
    let client = match Client::new(settings) {
        Ok(client) => client,
        Err(error) => return Check::failed(Subject::Identity, name, &error),
    };
    let service = request.service;
    let answer = client.api().fetch(request).wait();
    let refused = match answer {
        Ok(response) if response.status < 300 => None,
        Ok(response) => Some(response.refusal(service)),
        Err(error) => Some(error),
    };
    if let Some(error) = refused {
        return unusable(name, &error);
    }
    let who = client.who();
    let standings = rights::standings(&context.plugins.registry, &who.scopes.unwrap_or_default());
    let whose = login.is_none().then_some(who.login).flatten();
    let whose = whose.map_or_else(String::new, |login| format!("of {login}; "));
    let mut check =
        Check::new(Subject::Identity, name, Result::Good, format!("works: {whose}{}", rights::working(&standings)));
    check.details = standings
        .iter()
        .filter_map(|standing| missing(standing, login.as_deref()))
        .collect();
    check
}

/// An identity that was refused, or that could not be judged because the service failed.
fn unusable(name: String, error: &Error) -> Check {
    match error.kind {
        ErrorKind::SignIn | ErrorKind::Usage => Check::failed(Subject::Identity, name, error),
        _ => Check::failed(Subject::Service, name, error),
    }
}

/// Why a report does not work, or not fully, and the command that changes it.
fn missing(standing: &Standing, login: Option<&str>) -> Option<String> {
    let (what, scopes) = match (standing.lacks.as_slice(), standing.wants.as_slice()) {
        ([], []) => return None,
        ([], wants) => ("is better with", wants),
        (lacks, _) => ("does not work: it needs", lacks),
    };
    let login = login.map_or_else(String::new, |login| format!(" --as {login}"));
    Some(format!(
        "{} {what} {} (itch login --for {}{login})",
        standing.report,
        scopes.join(" and "),
        standing.report
    ))
}
