//! `api.twitch.tv/helix/`: who may ask, what is refused and how, and which endpoints there are.
//!
//! See <https://dev.twitch.tv/docs/api/reference>. The texts of errors are not documented; they are
//! those seen in twitchdev/issues and in the sources of Chatterino, twurple and pyTwitchAPI.

mod channels;
mod chatters;
mod followed;
mod followers;
mod page;
mod people;
mod streams;
mod users;
mod videos;

use std::borrow::Cow;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, HeaderName},
};
use serde::Serialize;

use crate::{
    credentials::CLIENT_ID,
    faults::{Fault, Faults},
    limit::{DEFAULT_LIMIT, Exceeded, RateLimit, unix_now},
    oauth::{Grant, credentials_of},
    parameters::Parameters,
    reply::{Reply, reason, to_json},
    server::State,
    world::{Seed, UserId, World},
};

/// An endpoint that reads.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    answer: fn(&Call<'_>) -> Result<Bytes, Failure>,
}

static ENDPOINTS: [Endpoint; 10] = [
    Endpoint {
        path: "/helix/users",
        answer: users::answer,
    },
    // Removed on 2023-09-12.
    Endpoint {
        path: "/helix/users/follows",
        answer: |_| Err(Failure::deprecated()),
    },
    Endpoint {
        path: "/helix/channels/followers",
        answer: followers::answer,
    },
    Endpoint {
        path: "/helix/channels/followed",
        answer: followed::answer,
    },
    Endpoint {
        path: "/helix/channels",
        answer: channels::answer,
    },
    Endpoint {
        path: "/helix/channels/vips",
        answer: people::vips,
    },
    Endpoint {
        path: "/helix/chat/chatters",
        answer: chatters::answer,
    },
    Endpoint {
        path: "/helix/moderation/moderators",
        answer: people::moderators,
    },
    Endpoint {
        path: "/helix/streams",
        answer: streams::answer,
    },
    Endpoint {
        path: "/helix/videos",
        answer: videos::answer,
    },
];

pub(crate) fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
}

/// A request that passed authentication.
#[derive(Debug)]
struct Call<'a> {
    world: &'a World,
    faults: &'a Faults,
    /// For faults and cursors; the world has its own.
    seed: Seed,
    grant: Grant,
    path: &'static str,
    parameters: Parameters,
}

/// A refusal, written as Helix writes it.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
}

/// The form of every error of Helix.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'static str,
    status: u16,
    message: &'a str,
}

/// `total` and `pagination` are left out where the endpoint has none.
#[derive(Serialize)]
struct Envelope<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u32>,
    data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<page::Pagination>,
}

/// Answers a request, after everything that may go wrong on the way to the endpoint.
pub(crate) fn answer(
    state: &State,
    number: u64,
    method: &Method,
    endpoint: Option<&'static Endpoint>,
    headers: &HeaderMap,
    parameters: Parameters,
) -> Reply {
    let grant = match authenticate(headers) {
        Ok(_) if state.faults.strike(Fault::Expired, state.seed, number) => {
            return Failure::unauthorized("Invalid OAuth token").into();
        }
        Ok(grant) => grant,
        // Without the headers of the rate limit: whose would it be?
        Err(failure) => return failure.into(),
    };
    if state.faults.strike(Fault::TooManyRequests, state.seed, number) {
        let reset = unix_now().as_secs() + 1 + state.seed.child("reset").below(number, 3);
        return Reply::from(Failure::too_many_requests()).with_rate_limit(RateLimit {
            limit: DEFAULT_LIMIT,
            remaining: 0,
            reset,
        });
    }
    let rate = match state.take_point(grant.user) {
        Some(Err(Exceeded(rate))) => {
            return Reply::from(Failure::too_many_requests()).with_rate_limit(rate);
        }
        Some(Ok(rate)) => Some(rate),
        None => None,
    };
    let outcome = match endpoint {
        Some(endpoint) if method == Method::GET => (endpoint.answer)(&Call {
            world: &state.world,
            faults: &state.faults,
            seed: state.seed,
            grant,
            path: endpoint.path,
            parameters,
        }),
        // Every endpoint that writes is as unknown as one that does not exist.
        _ => Err(Failure {
            status: StatusCode::NOT_FOUND,
            message: "".into(),
        }),
    };
    let reply = match outcome {
        Ok(body) => Reply::new(StatusCode::OK, MEDIA_TYPE, body),
        Err(failure) => failure.into(),
    };
    match rate {
        Some(rate) => reply.with_rate_limit(rate),
        None => reply,
    }
}

const MEDIA_TYPE: &str = "application/json; charset=utf-8";

fn authenticate(headers: &HeaderMap) -> Result<Grant, Failure> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // The scheme `OAuth` of kraken is refused.
    let token = header(AUTHORIZATION)
        .and_then(|value| credentials_of("Bearer", value))
        .ok_or(Failure::unauthorized("OAuth token is missing"))?;
    let client_id = header(HeaderName::from_static("client-id"))
        .ok_or(Failure::unauthorized("Must provide a valid Client-ID or OAuth Token"))?;
    let grant = Grant::of(token).ok_or(Failure::unauthorized("Invalid OAuth token"))?;
    if client_id != CLIENT_ID {
        return Err(Failure::unauthorized("Client ID and OAuth token do not match"));
    }
    Ok(grant)
}

impl Call<'_> {
    /// The one value of a parameter that must be there and name a user.
    fn required_user(&self, name: &'static str) -> Result<UserId, Failure> {
        match self.parameters.one(name) {
            None | Some("") => Err(Failure::missing(name)),
            Some(value) => parse_user(name, value),
        }
    }

    fn optional_user(&self, name: &'static str) -> Result<Option<UserId>, Failure> {
        self.parameters
            .one(name)
            .map(|value| parse_user(name, value))
            .transpose()
    }

    /// The value of a parameter that, if it is there, must be one of a few.
    fn choice<T: Copy>(&self, name: &'static str, choices: &[(&'static str, T)]) -> Result<Option<T>, Failure> {
        let Some(value) = self.parameters.one(name) else {
            return Ok(None);
        };
        match choices.iter().find(|(choice, _)| *choice == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                let reason = format!("the value must be one of {}", known.join(", "));
                Err(Failure::malformed(name, &reason))
            }
        }
    }

    fn require_scope(&self, scope: &str) -> Result<(), Failure> {
        self.require_one_scope(&[scope])
    }

    /// Any one of them will do.
    fn require_one_scope(&self, scopes: &[&str]) -> Result<(), Failure> {
        if scopes.iter().any(|scope| self.grant.has_scope(scope)) {
            return Ok(());
        }
        let scopes = scopes.join(" or ");
        Err(Failure::unauthorized(format!("Missing scope: {scopes}")))
    }

    /// Whether the token is one of this user.
    fn is_of(&self, user: UserId) -> bool {
        self.grant.user == Some(user)
    }

    /// How many values some parameters have together; Helix takes a hundred. What it says to more
    /// is not known.
    fn at_most_a_hundred(&self, names: &[&'static str]) -> Result<usize, Failure> {
        let count = names.iter().map(|name| self.parameters.all(name).count()).sum();
        match names {
            [name, ..] if count > 100 => Err(Failure::malformed(name, "the value must be less than or equal to 100")),
            _ => Ok(count),
        }
    }
}

/// A user id. Twitch's ids are decimal; one that no account can have stands for nobody.
fn parse_user(name: &'static str, value: &str) -> Result<UserId, Failure> {
    const NOBODY: UserId = 0;
    if is_numeric(value) {
        return Ok(value.parse().unwrap_or(NOBODY));
    }
    Err(Failure::malformed(name, "value must be a numeric"))
}

fn is_numeric(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// The logins that Twitch accepts, whether or not somebody has them.
fn is_login(value: &str) -> bool {
    (1..=25).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl Failure {
    fn unauthorized(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            status: StatusCode::UNAUTHORIZED,
            message: message.into(),
        }
    }

    fn bad_request(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    fn missing(name: &str) -> Failure {
        Failure::bad_request(format!("Missing required parameter \"{name}\""))
    }

    fn malformed(name: &str, reason: &str) -> Failure {
        Failure::bad_request(format!("The parameter \"{name}\" was malformed: {reason}"))
    }

    fn not_the_users_own(name: &str) -> Failure {
        Failure::unauthorized(format!("The ID in {name} must match the user ID found in the request's OAuth token."))
    }

    fn deprecated() -> Failure {
        Failure {
            status: StatusCode::GONE,
            message: "The API is deprecated.".into(),
        }
    }

    fn too_many_requests() -> Failure {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Failure {
            status,
            message: "Request limit exceeded".into(),
        }
    }
}

impl From<Failure> for Reply {
    fn from(Failure { status, message }: Failure) -> Reply {
        error_reply(status, &message)
    }
}

/// An error in Helix's form, which GQL and kraken share, also for what stands before them.
pub(crate) fn error_reply(status: StatusCode, message: &str) -> Reply {
    let body = ErrorBody {
        error: reason(status),
        status: status.as_u16(),
        message,
    };
    Reply::new(status, MEDIA_TYPE, to_json(&body))
}
