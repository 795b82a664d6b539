//! The services of 2016, all of them gone: kraken, and those for chatters, chat replay and streams.
//!
//! Their shapes are those of justintv/Twitch-API (`v3_resources`) and of what bibby/itch read. No
//! token is needed, and a `Client-Id` is not asked for.

mod follows;
mod kraken;
mod loots;
mod rechat;
mod tmi;
mod videos;

use std::fmt::Write;

use hyper::{HeaderMap, Method, StatusCode, header::HOST};
use serde_json::{Value, json};

use crate::{
    parameters::Parameters,
    reply::{Reply, reason},
    server::State,
    world::World,
};

/// A path with at most one part that varies.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    answer: fn(&Call<'_>) -> Result<Value, Failure>,
}

static ROUTES: [Route; 10] = [
    Route {
        pattern: "/kraken/users/{name}",
        answer: kraken::user,
    },
    Route {
        pattern: "/kraken/users/{name}/follows/channels",
        answer: follows::of_user,
    },
    Route {
        pattern: "/kraken/channels/{name}",
        answer: kraken::channel,
    },
    Route {
        pattern: "/kraken/channels/{name}/follows",
        answer: follows::of_channel,
    },
    Route {
        pattern: "/kraken/channels/{name}/videos",
        answer: videos::of_channel,
    },
    Route {
        pattern: "/kraken/videos/{id}",
        answer: videos::by_id,
    },
    Route {
        pattern: "/kraken/streams/{name}",
        answer: kraken::stream,
    },
    Route {
        pattern: "/tmi/group/user/{name}/chatters",
        answer: tmi::chatters,
    },
    Route {
        pattern: "/rechat/rechat-messages",
        answer: rechat::messages,
    },
    Route {
        pattern: "/loots/api/v1/search/channels/{id}/streams",
        answer: loots::streams,
    },
];

/// Whether a path is one of these services.
pub(crate) fn owns(path: &str) -> bool {
    ["/kraken/", "/tmi/", "/rechat/", "/loots/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// The route of a path. The old program doubled a slash; the services did not mind.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| varying_part(route.pattern, path).is_some())
}

/// What stands in a path where its pattern varies, or nothing; none if it does not fit.
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

/// A request for a route.
struct Call<'a> {
    world: &'a World,
    /// What stands before the path, for links that lead back here.
    base: String,
    /// The part of the path that varies.
    name: &'a str,
    parameters: &'a Parameters,
}

/// An answer that is no success, whatever its status says.
struct Failure {
    status: StatusCode,
    body: Value,
}

impl Failure {
    /// As kraken wrote it: always these three.
    fn new(status: StatusCode, message: &str) -> Failure {
        let body = json!({ "error": reason(status), "status": status.as_u16(), "message": message });
        Failure { status, body }
    }

    fn bad_request(message: &str) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    fn not_found(message: &str) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, message)
    }
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

/// An error in the body of a success, which a client that looks at the status only would believe.
pub(crate) fn error_with_200() -> Reply {
    let body = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "").body;
    Reply::json(StatusCode::OK, &body)
}

impl Call<'_> {
    /// A link to a path of kraken, with parameters as they are.
    fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let mut link = format!("{}/kraken/{path}", self.base);
        for (index, (name, value)) in parameters.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // Writing to a string does not fail.
            let _ = write!(link, "{sign}{name}={value}");
        }
        link
    }

    /// A whole number, if it is there and one.
    fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        match self.parameters.one(name) {
            None | Some("") => Ok(None),
            Some(value) => match value.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Failure::bad_request(&format!("Invalid {name}"))),
            },
        }
    }

    /// How many rows a page has.
    fn limit(&self, default: u64) -> Result<u64, Failure> {
        // What the old program sent for no limit.
        if self.parameters.one("limit") == Some("None") {
            return Ok(default);
        }
        let limit = self.number("limit")?;
        Ok(limit.unwrap_or(default).clamp(1, 100))
    }
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
