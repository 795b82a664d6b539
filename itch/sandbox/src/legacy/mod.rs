//! The services of 2016, which no longer exist: kraken, and those for chatters, chat replay and streams.
//!
//! Their formats are those of justintv/Twitch-API (`v3_resources`) and of what bibby/itch read. They need neither a
//! token nor a `Client-Id`.

mod call;
mod follows;
mod kraken;
mod loots;
mod rechat;
mod tmi;
mod videos;

use hyper::{HeaderMap, Method, StatusCode, header::HOST};

pub(crate) use self::call::Route;
use self::call::{Call, Failure};
use crate::{parameters::Parameters, reply::Reply, state::State};

/// Every route. The file of each service defines its own.
static ROUTES: &[&Route] = &[
    &follows::OF_CHANNEL,
    &follows::OF_USER,
    &kraken::CHANNEL,
    &kraken::STREAM,
    &kraken::USER,
    &loots::STREAMS,
    &rechat::MESSAGES,
    &tmi::CHATTERS,
    &videos::BY_ID,
    &videos::OF_CHANNEL,
];

/// Whether a path belongs to one of these services.
pub(crate) fn owns(path: &str) -> bool {
    ["/kraken/", "/tmi/", "/rechat/", "/loots/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// The route of a path. The old program doubled a slash, which the services accepted.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .copied()
        .find(|route| varying_part(route.pattern, path).is_some())
}

/// The variable part of a path; empty if the pattern has none; `None` if the path does not match.
fn varying_part<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let mut found = "";
    for expected in pattern.split('/').filter(|part| !part.is_empty()) {
        let part = parts.next()?;
        if expected.starts_with('{') {
            found = part;
        } else if part != expected {
            return None;
        }
    }
    parts.next().is_none().then_some(found)
}

pub(crate) fn answer(
    state: &State,
    method: &Method,
    path: &str,
    route: Option<&'static Route>,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Reply {
    let route = route.filter(|_| method == Method::GET);
    let outcome = match route {
        None => Err(Failure::not_found("")),
        Some(route) => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            (route.answer)(&Call {
                world: &state.world,
                base: format!("http://{}", host.unwrap_or("localhost")),
                name: varying_part(route.pattern, path).unwrap_or_default(),
                parameters,
            })
        }
    };
    match outcome {
        Ok(body) => Reply::json(StatusCode::OK, &body),
        Err(Failure { status, body }) => Reply::json(status, &body),
    }
}

/// An error in the body of a response with status 200: a client that only checks the status takes it for a success.
pub(crate) fn error_with_200() -> Reply {
    let body = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "").body;
    Reply::json(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_found_with_what_varies_in_them() {
        for (path, pattern, part) in [
            ("/kraken/users/x", "/kraken/users/{name}", "x"),
            ("/kraken//channels/x/", "/kraken/channels/{name}", "x"),
            ("/rechat/rechat-messages", "/rechat/rechat-messages", ""),
            ("/loots/api/v1//search/channels/7/streams", "/loots/api/v1/search/channels/{id}/streams", "7"),
        ] {
            let route = route(path).unwrap();
            assert_eq!(route.pattern, pattern);
            assert_eq!(varying_part(pattern, path), Some(part));
        }
        for path in ["/kraken", "/kraken/users", "/kraken/users/x/y", "/tmi/group"] {
            assert!(route(path).is_none(), "{path}");
        }
    }
}
