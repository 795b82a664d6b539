//! What every endpoint gets and may refuse: an authenticated request, its parameters, and errors in Helix's format.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::StatusCode;

use super::changes::Changes;
use crate::{
    faults::Faults,
    oauth::Grant,
    parameters::Parameters,
    reply::{Reply, error_reply},
    world::{Seed, UserId, World},
};

/// An endpoint that reads.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    pub(super) answer: fn(&Call<'_>) -> Result<Bytes, Failure>,
}

/// A request that passed authentication.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    pub(super) faults: &'a Faults,
    /// The seed for faults and cursors; the world has a seed of its own.
    pub(super) seed: Seed,
    pub(super) grant: Grant,
    pub(super) path: &'static str,
    pub(super) parameters: Parameters,
    /// What clients have changed.
    pub(super) changes: &'a Mutex<Changes>,
    /// The body of a write.
    pub(super) body: &'a [u8],
}

/// An error in the format of Helix.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) message: Cow<'static, str>,
}

impl Call<'_> {
    /// A required parameter with exactly one value, which has to be a user id.
    pub(super) fn required_user(&self, name: &'static str) -> Result<UserId, Failure> {
        match self.parameters.one(name) {
            None | Some("") => Err(Failure::missing(name)),
            Some(value) => parse_user(name, value),
        }
    }

    pub(super) fn optional_user(&self, name: &'static str) -> Result<Option<UserId>, Failure> {
        self.parameters
            .one(name)
            .map(|value| parse_user(name, value))
            .transpose()
    }

    /// An optional parameter whose value has to be one of a few.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, Failure> {
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

    pub(super) fn require_scope(&self, scope: &str) -> Result<(), Failure> {
        self.require_one_scope(&[scope])
    }

    /// Requires any one of these scopes.
    pub(super) fn require_one_scope(&self, scopes: &[&str]) -> Result<(), Failure> {
        if scopes.iter().any(|scope| self.grant.has_scope(scope)) {
            return Ok(());
        }
        let scopes = scopes.join(" or ");
        Err(Failure::unauthorized(format!("Missing scope: {scopes}")))
    }

    /// What clients have changed; the data are consistent at every step.
    pub(super) fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user of the token. The message for an app token is not known.
    pub(super) fn user(&self) -> Result<UserId, Failure> {
        let user = self.grant.user;
        user.ok_or(Failure::unauthorized("Missing User OAUTH Token"))
    }

    /// Whether the token belongs to this user.
    pub(super) fn is_of(&self, user: UserId) -> bool {
        self.grant.user == Some(user)
    }

    /// Checks the number of values that some parameters have together. Helix accepts a hundred; its message for more is
    /// not known.
    pub(super) fn at_most_a_hundred(&self, names: &[&'static str]) -> Result<usize, Failure> {
        let count = names.iter().map(|name| self.parameters.all(name).count()).sum();
        match names {
            [name, ..] if count > 100 => Err(Failure::malformed(name, "the value must be less than or equal to 100")),
            _ => Ok(count),
        }
    }
}

/// Parses a user id. Twitch's ids are decimal; one that is too large for an account is the id of nobody.
pub(super) fn parse_user(name: &'static str, value: &str) -> Result<UserId, Failure> {
    const NOBODY: UserId = 0;
    if is_numeric(value) {
        return Ok(value.parse().unwrap_or(NOBODY));
    }
    Err(Failure::malformed(name, "value must be a numeric"))
}

pub(super) fn is_numeric(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether Twitch accepts this as a login, even if no account has it.
pub(super) fn is_login(value: &str) -> bool {
    (1..=25).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl Failure {
    pub(super) fn unauthorized(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            status: StatusCode::UNAUTHORIZED,
            message: message.into(),
        }
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    pub(super) fn missing(name: &str) -> Failure {
        Failure::bad_request(format!("Missing required parameter \"{name}\""))
    }

    pub(super) fn malformed(name: &str, reason: &str) -> Failure {
        Failure::bad_request(format!("The parameter \"{name}\" was malformed: {reason}"))
    }

    pub(super) fn not_the_users_own(name: &str) -> Failure {
        Failure::unauthorized(format!("The ID in {name} must match the user ID found in the request's OAuth token."))
    }

    pub(super) fn deprecated() -> Failure {
        Failure {
            status: StatusCode::GONE,
            message: "The API is deprecated.".into(),
        }
    }

    pub(super) fn too_many_requests() -> Failure {
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
