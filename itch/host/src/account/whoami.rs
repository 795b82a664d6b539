//! `itch whoami`: who is signed in, and which reports each account can run.

use std::fmt::Write;

use itch_client::{Account, Secret, SignIn, Who, WhoSource, bare_token};
use itch_plugin::Registry;
use serde_json::{Value, json};

use super::rights::{self, Standing};
use super::{sign_in, usable};
use crate::environment;
use crate::interrupt::{Interrupts, end_now};
use crate::options::account::WhoamiOptions;
use crate::printer::Printer;
use crate::stdout::print;
use crate::times::{date, now};

/// Prints the accounts, and the identity of the environment if there is one, and returns the exit code.
pub(crate) fn run(registry: &Registry, options: &WhoamiOptions, printer: &Printer) -> anyhow::Result<u8> {
    let sign_in = sign_in(&options.service, printer)?;
    let _interrupts = Interrupts::catch(end_now)?;
    let accounts = usable(&sign_in, printer)?;
    let token = environment::read("TWITCH_TOKEN").map(|text| of_token(&sign_in, &text));
    let app = environment::read("TWITCH_CLIENT_ID").zip(environment::read("TWITCH_CLIENT_SECRET"));
    if options.json {
        let listed: Vec<Value> = accounts.iter().map(|account| account_json(registry, account)).collect();
        let token = match &token {
            None => Value::Null,
            Some(Ok(who)) => who_json(registry, who),
            Some(Err(error)) => json!({ "error": format!("{error:#}") }),
        };
        let json = json!({
            "accounts": listed,
            "token": token,
            "application": app.as_ref().map(|(id, _)| id),
        });
        print(&format!("{json:#}\n"))?;
    } else {
        let mut text = String::new();
        for (place, account) in accounts.iter().enumerate() {
            let _ = writeln!(text, "{}{}", account.name(), if place == 0 { " (default)" } else { "" });
            text.push_str(&account_lines(registry, account));
        }
        if let Some(token) = &token {
            text.push_str(&token_lines(registry, token.as_ref()));
        }
        if let Some((id, _)) = &app {
            let _ = writeln!(text, "application {id} (TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET)");
            text.push_str(&report_lines(&rights::standings(registry, &[]), None));
        }
        print(&text)?;
    }
    if accounts.is_empty() && token.is_none() && app.is_none() {
        printer.note("nobody is signed in");
        printer.note("hint: itch login");
    }
    Ok(0)
}

fn of_token(sign_in: &SignIn, text: &str) -> itch_api::Result<Who> {
    sign_in.identify_token(&Secret::new(bare_token(text)))
}

fn account_lines(registry: &Registry, account: &Account) -> String {
    let mut text = String::new();
    let state = match (account.has_ended(), account.expires_at()) {
        (true, _) => match &account.login {
            Some(login) => format!("its sign-in has ended: itch login --as {login}"),
            None => "its sign-in has ended: itch login".to_owned(),
        },
        (false, Some(at)) if at as i64 <= now().timestamp() => "is renewed when it is used next".to_owned(),
        (false, Some(at)) => format!("is renewed by itself, next at {}", date(at)),
        (false, None) => "does not expire".to_owned(),
    };
    let _ = writeln!(text, "  token    {state}");
    let _ = writeln!(text, "  scopes   {}", list(&account.scopes));
    text.push_str(&report_lines(&rights::standings(registry, &account.scopes), account.login.as_deref()));
    text
}

fn token_lines(registry: &Registry, token: Result<&Who, &itch_api::Error>) -> String {
    let mut text = String::new();
    match token {
        Err(error) => {
            let _ = writeln!(text, "TWITCH_TOKEN\n  {error:#}");
        }
        Ok(who) => {
            let whose = super::choice::phrase(who.source, who.login.as_deref());
            let _ = writeln!(text, "TWITCH_TOKEN, of {whose}");
            let scopes = who.scopes.clone().unwrap_or_default();
            let expiry = who
                .expires_at
                .map_or("does not expire".to_owned(), |at| format!("expires at {}", date(at)));
            let _ = writeln!(text, "  token    {expiry}");
            let _ = writeln!(text, "  scopes   {}", list(&scopes));
            text.push_str(&report_lines(&rights::standings(registry, &scopes), None));
        }
    }
    text
}

/// Which reports work, and the command for each of the others.
fn report_lines(standings: &[Standing], login: Option<&str>) -> String {
    let mut text = format!("  reports  {}\n", rights::working(standings));
    for standing in standings {
        let (what, scopes) = match (standing.lacks.as_slice(), standing.wants.as_slice()) {
            ([], []) => continue,
            ([], wants) => ("is better with", wants),
            (lacks, _) => ("needs", lacks),
        };
        let _ = writeln!(text, "  {} {what} {}: {}", standing.report, list(scopes), command(standing, login));
    }
    text
}

/// The command that adds what a report lacks.
fn command(standing: &Standing, login: Option<&str>) -> String {
    match login {
        Some(login) => format!("itch login --for {} --as {login}", standing.report),
        None => format!("itch login --for {}", standing.report),
    }
}

fn list(texts: &[String]) -> String {
    match texts {
        [] => "none".to_owned(),
        texts => texts.join(", "),
    }
}

fn account_json(registry: &Registry, account: &Account) -> Value {
    json!({
        "login": account.login,
        "user_id": account.user_id,
        "client_id": account.client_id,
        "service": account.addresses.oauth2,
        "scopes": account.scopes,
        "expires_at": account.expires_at(),
        "ended": account.has_ended(),
        "reports": reports_json(&rights::standings(registry, &account.scopes), account.login.as_deref()),
    })
}

fn who_json(registry: &Registry, who: &Who) -> Value {
    let scopes = who.scopes.clone().unwrap_or_default();
    json!({
        "login": who.login,
        "application": who.source == WhoSource::App,
        "scopes": scopes,
        "expires_at": who.expires_at,
        "reports": reports_json(&rights::standings(registry, &scopes), None),
    })
}

fn reports_json(standings: &[Standing], login: Option<&str>) -> Value {
    let reports = standings.iter().map(|standing| {
        let works = standing.lacks.is_empty();
        let complete = works && standing.wants.is_empty();
        let value = json!({
            "works": works,
            "lacks": standing.lacks,
            "wants": standing.wants,
            "command": (!complete).then(|| command(standing, login)),
        });
        (standing.report.clone(), value)
    });
    Value::Object(reports.collect())
}
