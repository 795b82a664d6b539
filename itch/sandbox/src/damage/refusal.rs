//! Refusals in the place of an answer: outages, limits without cause, echoed credentials.

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HeaderValue, LOCATION},
};
use serde_json::{Value, json};

use super::Scene;
use crate::{
    faults::Fault,
    limit::{DEFAULT_LIMIT, RateLimit, unix_now},
    oauth,
    reply::{Reply, error_reply, reason, to_json},
    world::Seed,
};

/// Statuses of gateways and overloaded servers, with those of Cloudflare.
const OUTAGES: [u16; 15] = [
    408, 425, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527,
];
const OAUTH_OUTAGES: [u16; 9] = [404, 408, 429, 500, 502, 503, 504, 520, 200];

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY)
}

fn page(status: StatusCode, text: &str) -> Reply {
    let body = format!("<html><head><title>{0}</title></head><body>{text}</body></html>\n", reason(status));
    Reply::new(status, "text/html; charset=utf-8", body.into())
}

/// One of the statuses that pass, with JSON, with a page of HTML or without a body.
pub(crate) fn outage(scene: Scene<'_>) -> Reply {
    let seed = scene.draws(Fault::Outage);
    let status = status(seed.choose(0, &OUTAGES));
    match seed.below(1, 3) {
        0 => error_reply(status, ""),
        1 => page(status, "The server is busy"),
        _ => Reply::new(status, "text/plain", "".into()),
    }
}

/// A refusal by a rate limit that is not exceeded: with points left, or without any header.
pub(crate) fn false_429(scene: Scene<'_>) -> Reply {
    let seed = scene.draws(Fault::False429);
    let reply = error_reply(StatusCode::TOO_MANY_REQUESTS, "Request limit exceeded");
    match seed.below(0, 2) {
        0 => reply,
        _ => reply.with_rate_limit(RateLimit {
            limit: DEFAULT_LIMIT,
            remaining: 700 + seed.below(1, 100) as u32,
            reset: unix_now().as_secs() + 1,
        }),
    }
}

/// A server error that repeats the credentials of a request, in one of several encodings.
pub(crate) fn echo(scene: Scene<'_>, credentials: &str) -> Reply {
    let seed = scene.draws(Fault::Echo);
    let told = encoded(credentials, seed);
    match seed.below(1, 2) {
        0 => error_reply(StatusCode::SERVICE_UNAVAILABLE, &format!("the upstream refused \"{told}\"")),
        _ => page(StatusCode::BAD_GATEWAY, &format!("GET /?access_token={told}")),
    }
}

fn encoded(credentials: &str, seed: Seed) -> String {
    match seed.below(2, 3) {
        0 => credentials.to_owned(),
        1 => STANDARD.encode(credentials),
        _ => credentials.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    }
}

/// A redirection to a URL with the token of a request.
pub(crate) fn echo_location(headers: &HeaderMap) -> Reply {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.unwrap_or_default().rsplit(' ').next().unwrap_or_default();
    let mut reply = page(StatusCode::FOUND, "");
    let location = format!("https://gateway.invalid/login?access_token={token}&next=/");
    if let Ok(location) = HeaderValue::try_from(location) {
        reply.headers.insert(LOCATION, location);
    }
    reply
}

/// What the sign-in service answers in bad weather. None of it concerns the token.
pub(crate) fn oauth_outage(scene: Scene<'_>) -> Reply {
    let seed = scene.draws(Fault::OauthOutage);
    let status = status(seed.choose(0, &OAUTH_OUTAGES));
    match seed.below(1, 3) {
        0 if status != StatusCode::OK => oauth::refuse(status, ""),
        1 if status != StatusCode::OK => Reply::new(status, "text/plain", "".into()),
        _ => page(status, "We will be back soon"),
    }
}

/// What a device gets in the place of an answer to a poll; `None` is a reset. Only 400, 401 and 403 with the service's own
/// JSON would be final.
pub(crate) fn oauth_poll(scene: Scene<'_>) -> Option<Reply> {
    let seed = scene.draws(Fault::OauthPoll);
    let own = |code, message| Some(oauth::refuse(status(code), message));
    match seed.below(0, 8) {
        0 => None,
        1 => Some(page(StatusCode::OK, "We will be back soon")),
        2 => Some(page(status(seed.choose(1, &[400, 401, 403])), "Access denied by the proxy")),
        3 => Some(Reply::new(status(seed.choose(1, &[400, 401, 403])), "text/plain", "".into())),
        4 => Some(page(status(seed.choose(1, &OUTAGES)), "The server is busy")),
        5 => own(seed.choose(1, &OUTAGES), ""),
        6 => own(429, "too many requests"),
        _ => own(404, "404 page not found"),
    }
}

/// An answer with tokens whose list of scopes is missing; where no scope was asked for, it may be empty or have an empty
/// name as well.
pub(crate) fn oauth_scope(scene: Scene<'_>, mut reply: Reply) -> Reply {
    let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    let missing = members.shift_remove("scope").is_none();
    let empty = match scene.draws(Fault::OauthScope).below(0, 3) {
        0 => Some(json!([])),
        1 => Some(json!([""])),
        _ => None,
    };
    if missing && let Some(empty) = empty {
        members.insert("scope".to_owned(), empty);
    }
    reply.body = to_json(&members);
    reply
}

/// An answer of the sign-in service with the types that some of its versions sent.
pub(crate) fn oauth_odd(scene: Scene<'_>, mut reply: Reply) -> Reply {
    let seed = scene.draws(Fault::OauthOdd);
    let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    if reply.status != StatusCode::OK && seed.below(2, 2) == 0 {
        members.insert("error".to_owned(), reason(reply.status).into());
    }
    if let Some(seconds) = members.get("expires_in").and_then(Value::as_u64) {
        let odd = [json!(seconds.to_string()), json!(seconds as f64 + 0.5), json!(seconds)];
        members.insert("expires_in".to_owned(), odd[seed.below(0, 3) as usize].clone());
    }
    let id = members
        .get("user_id")
        .and_then(Value::as_str)
        .and_then(|id| id.parse::<u64>().ok());
    if let Some(id) = id.filter(|_| seed.below(1, 2) == 0) {
        members.insert("user_id".to_owned(), id.into());
    }
    let no_scopes = members
        .get("scopes")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    if no_scopes {
        members.insert("scopes".to_owned(), Value::Null);
    }
    reply.body = to_json(&members);
    reply
}

/// The known errors of GraphQL with a status of their own.
pub(crate) fn gql_status(scene: Scene<'_>) -> Reply {
    let (code, message) = scene.draws(Fault::GqlStatus).choose(
        0,
        &[
            (400, "PersistedQueryNotFound"),
            (403, "failed integrity check"),
            (400, "service unavailable"),
            (403, "service timeout"),
        ],
    );
    Reply::json(status(code), &json!({ "errors": [{ "message": message }] }))
}
