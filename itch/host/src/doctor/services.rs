//! Checks the services: whether each answers, by both forms of the GQL query, and how far the clock is off.

use itch_api::{GqlErrorKind, GqlForm, Request, Service, gql_errors};
use itch_client::{Client, GqlFacts, Settings, SignIn};
use serde_json::json;

use super::{Check, Context, LIMIT, Result, Subject};
use crate::config::Config;
use crate::{environment, secrets};

/// A clock that is off by more makes times and expiries wrong.
const MOST_SKEW: i64 = 60;

/// A recording that does not exist: the answer is small.
const NO_VIDEO: &str = "1";

pub(super) fn check(context: &Context<'_>, config: Option<&Config>) -> Vec<Check> {
    let gql = config.map_or_else(|| Some(GqlFacts::built_in()), Config::gql);
    let (mut checks, forms) = std::thread::scope(|scope| {
        let forms = [("gql by hash", GqlForm::Persisted), ("gql by text", GqlForm::Query)];
        let asked = forms.map(|(name, form)| {
            let gql = gql.clone();
            scope.spawn(move || check_gql(context, name, form, gql))
        });
        let direct = check_direct(context);
        (direct, asked.map(std::thread::ScopedJoinHandle::join))
    });
    checks.extend(forms.into_iter().flatten());
    checks
}

/// Helix and the sign-in service, asked without an identity: a refusal is an answer.
fn check_direct(context: &Context<'_>) -> Vec<Check> {
    let sign_in = match context.sign_in() {
        Ok(sign_in) => sign_in,
        Err(error) => {
            return vec![Check::new(
                Subject::Installation,
                "settings",
                Result::Bad,
                format!("{error:#}"),
            )];
        }
    };
    let mut clock = None;
    let mut checks: Vec<Check> = std::thread::scope(|scope| {
        let asked = [Service::OAuth, Service::Helix].map(|service| {
            let sign_in = &sign_in;
            scope.spawn(move || (service, reach(context, sign_in, service)))
        });
        asked
            .into_iter()
            .filter_map(|asked| asked.join().ok())
            .collect::<Vec<_>>()
    })
    .into_iter()
    .map(|(service, (check, skew))| {
        if service == Service::Helix || clock.is_none() {
            clock = skew.or(clock);
        }
        check
    })
    .collect();
    checks.push(match clock {
        None => Check::new(Subject::Installation, "clock", Result::Warning, "no service sent its time"),
        Some(skew) if skew.abs() > MOST_SKEW => {
            let side = if skew > 0 { "ahead" } else { "behind" };
            let found = format!("{} s {side} of Twitch's", skew.abs());
            Check::new(Subject::Installation, "clock", Result::Warning, found)
                .hint("set the clock: itch judges by it when tokens and stored answers have expired")
        }
        Some(skew) => {
            Check::new(Subject::Installation, "clock", Result::Good, format!("{} s from Twitch's", skew.abs()))
        }
    });
    checks
}

fn reach(context: &Context<'_>, sign_in: &SignIn, service: Service) -> (Check, Option<i64>) {
    context.about_to_send(match service {
        Service::OAuth => "GET validate to the sign-in service, without a token",
        _ => "GET users to Helix, without a token",
    });
    let name = match service {
        Service::OAuth => "sign-in",
        _ => "helix",
    };
    match sign_in.reach(service) {
        Ok(reached) => {
            let found = format!("answered in {} ms", reached.took.as_millis());
            (Check::new(Subject::Service, name, Result::Good, found), reached.clock)
        }
        Err(error) => (Check::failed(Subject::Service, name, &error), None),
    }
}

/// VOD chat, by one form of its query.
fn check_gql(context: &Context<'_>, name: &str, form: GqlForm, gql: Option<GqlFacts>) -> Check {
    let Some(gql) = gql else {
        return Check::new(Subject::Installation, name, Result::Good, "turned off in config.toml");
    };
    context.about_to_send(match form {
        GqlForm::Persisted => "POST to GQL: the comments of a video, by the hash of the query",
        _ => "POST to GQL: the comments of a video, by the text of the query",
    });
    let mut settings = Settings::from_variables(environment::read);
    settings.insecure_http = context.options.insecure_http;
    settings.timeout = LIMIT;
    settings.max_wait = LIMIT;
    settings.tries = 1;
    settings.gql = Some(gql);
    settings.secrets = secrets::known().clone();
    let variables = json!({"videoID": NO_VIDEO, "contentOffsetSeconds": 0});
    let request = Request::gql("video-comments", form, 100, variables);
    let answer = Client::new(settings).and_then(|client| client.api().fetch(request).wait());
    let response = match answer {
        Ok(response) => response,
        Err(error) => return Check::failed(Subject::Service, name, &error),
    };
    let found = |result, text: &str| Check::new(Subject::Installation, name, result, text);
    let errors = gql_errors(&response.body);
    match errors.first() {
        None => Check::new(Subject::Service, name, Result::Good, "answered"),
        Some(error) => match error.kind {
            GqlErrorKind::UnknownHash => found(Result::Warning, "the hash of the query is out of date"),
            GqlErrorKind::Invalid => found(Result::Warning, &format!("the query is out of date: {}", error.message)),
            GqlErrorKind::Client | GqlErrorKind::Integrity => {
                found(Result::Warning, &format!("the client id is refused: {}", error.message))
            }
            _ => Check::new(Subject::Service, name, Result::Bad, error.message.clone()),
        },
    }
}
