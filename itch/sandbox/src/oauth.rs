//! `id.twitch.tv/oauth2/`: issues and validates tokens.
//!
//! See <https://dev.twitch.tv/docs/authentication>.

use std::{borrow::Cow, time::Duration};

use hyper::StatusCode;
use serde::Serialize;

use crate::{
    credentials::{CLIENT_ID, CLIENT_SECRET, SCOPES, TOKEN, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES},
    limit::unix_now,
    parameters::Parameters,
    reply::Reply,
    world::{BURKEBLACK, PLAIN_VIEWER, UserId, mix, named},
};

pub(crate) const TOKEN_PATH: &str = "/oauth2/token";
pub(crate) const VALIDATE_PATH: &str = "/oauth2/validate";

/// The lifetime of an app token, about 58 days.
const APP_TOKEN_LIFETIME: Duration = Duration::from_secs(5_011_271);

/// The remaining lifetime that a user token reports. The user tokens of the sandbox never expire.
const USER_TOKEN_LEFT: u64 = 13_980;

/// The owner and the rights of a valid token. The client id is always that of the one app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// `None` for an app token.
    pub(crate) user: Option<UserId>,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) expires_in: u64,
}

impl Grant {
    /// The grant of a token; `None` if the token is unknown or expired.
    pub(crate) fn of(token: &str) -> Option<Grant> {
        let user = |user, scopes| {
            Some(Grant {
                user: Some(user),
                scopes,
                expires_in: USER_TOKEN_LEFT,
            })
        };
        match token {
            TOKEN => user(BURKEBLACK, &SCOPES),
            TOKEN_WITHOUT_SCOPES => user(BURKEBLACK, &[]),
            TOKEN_VIEWER => user(PLAIN_VIEWER, &SCOPES),
            _ => {
                let expires_in = app_token_expiry(token)?.checked_sub(unix_now().as_secs())?;
                Some(Grant {
                    user: None,
                    scopes: &[],
                    expires_in,
                })
            }
        }
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(&scope)
    }
}

/// An error. Unlike Helix, the OAuth service has no field `error`.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    status: u16,
    message: &'a str,
}

pub(crate) fn refuse(status: StatusCode, message: &str) -> Reply {
    Reply::json(
        status,
        &Refusal {
            status: status.as_u16(),
            message,
        },
    )
}

#[derive(Serialize)]
struct AppToken {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
}

/// Answers `POST token`. `nonce` makes each token unique.
pub(crate) fn token(parameters: &Parameters, nonce: u64) -> Reply {
    match check_client(parameters) {
        Ok(()) => {
            let expires = unix_now() + APP_TOKEN_LIFETIME;
            Reply::json(
                StatusCode::OK,
                &AppToken {
                    access_token: app_token(expires.as_secs(), nonce),
                    expires_in: APP_TOKEN_LIFETIME.as_secs(),
                    token_type: "bearer",
                },
            )
        }
        Err((status, message)) => refuse(status, &message),
    }
}

fn check_client(parameters: &Parameters) -> Result<(), (StatusCode, Cow<'static, str>)> {
    let given = |name| parameters.one(name).filter(|value| !value.is_empty());
    let bad_request = |message| Err((StatusCode::BAD_REQUEST, message));
    match given("client_id") {
        None => return bad_request("missing client id".into()),
        Some(CLIENT_ID) => {}
        Some(_) => return bad_request("invalid client".into()),
    }
    match given("client_secret") {
        None => return bad_request("missing client secret".into()),
        Some(CLIENT_SECRET) => {}
        Some(_) => return Err((StatusCode::FORBIDDEN, "invalid client secret".into())),
    }
    match given("grant_type") {
        None => return bad_request("missing grant type".into()),
        Some("client_credentials") => {}
        Some(_) => return bad_request("invalid grant type".into()),
    }
    let mut asked = given("scope").unwrap_or_default().split_whitespace();
    match asked.find(|scope| !SCOPES.contains(scope)) {
        Some(scope) => bad_request(format!("invalid scope requested: '{scope}'").into()),
        None => Ok(()),
    }
}

#[derive(Serialize)]
struct Validation {
    client_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'static str>,
    scopes: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    expires_in: u64,
}

/// Answers `GET validate`.
pub(crate) fn validate(authorization: Option<&str>) -> Reply {
    let Some(token) =
        authorization.and_then(|value| credentials_of("OAuth", value).or_else(|| credentials_of("Bearer", value)))
    else {
        return refuse(StatusCode::UNAUTHORIZED, "missing authorization token");
    };
    let Some(grant) = Grant::of(token) else {
        return refuse(StatusCode::UNAUTHORIZED, "invalid access token");
    };
    Reply::json(
        StatusCode::OK,
        &Validation {
            client_id: CLIENT_ID,
            login: grant.user.and_then(named).map(|user| user.login),
            scopes: grant.scopes,
            user_id: grant.user.map(|id| id.to_string()),
            expires_in: grant.expires_in,
        },
    )
}

/// The token after the scheme in an `Authorization` header.
pub(crate) fn credentials_of<'a>(scheme: &str, authorization: &'a str) -> Option<&'a str> {
    let (given, credentials) = authorization.split_once(' ')?;
    let credentials = credentials.trim();
    (given.eq_ignore_ascii_case(scheme) && !credentials.is_empty()).then_some(credentials)
}

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// An app token contains its expiry and a checksum, so that the server need not store it. The checksum protects against
/// mistakes, not attackers: all secrets of the sandbox are public.
fn app_token(expires: u64, nonce: u64) -> String {
    let content = expires << 24 | nonce & 0xff_ffff;
    let seal = seal(content);
    // Thirteen digits hold 64 bits. Four more make 30 characters, the length of Twitch's tokens.
    let parts = [(content ^ mix(seal), 13), (seal, 13), (mix(seal), 4)];
    parts
        .into_iter()
        .flat_map(|(number, length)| digits(number, length))
        .collect()
}

/// When an app token expires, in seconds since 1970.
fn app_token_expiry(token: &str) -> Option<u64> {
    let number = |part: Option<&str>| u64::from_str_radix(part?, 36).ok();
    let seal = number(token.get(13..26))?;
    let content = number(token.get(..13))? ^ mix(seal);
    let expires = content >> 24;
    (app_token(expires, content & 0xff_ffff) == token).then_some(expires)
}

fn seal(content: u64) -> u64 {
    CLIENT_SECRET
        .bytes()
        .fold(mix(content), |seal, byte| mix(seal ^ u64::from(byte)))
}

/// The lowest digits of a number in base 36, most significant first.
fn digits(number: u64, length: u32) -> impl Iterator<Item = char> {
    (0..length)
        .rev()
        .map(move |place| DIGITS[(number / 36u64.pow(place) % 36) as usize].into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::TOKEN_EXPIRED;

    #[test]
    fn app_tokens_are_known_again_until_they_expire() {
        let now = unix_now().as_secs();
        for nonce in 0..1_000 {
            let token = app_token(now + 60 + nonce, nonce);
            assert_eq!(token.len(), 30);
            assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{token}");
            assert_eq!(app_token_expiry(&token), Some(now + 60 + nonce));
            let grant = Grant::of(&token).unwrap();
            assert_eq!((grant.user, grant.scopes.len()), (None, 0));
        }
        assert_eq!(Grant::of(&app_token(now - 1, 0)), None);
        let forged = app_token(now + 60, 0).replace(|c: char| c.is_ascii_digit(), "x");
        for token in ["", "x", TOKEN_EXPIRED, &forged, "ü23456789012345678901234567890"] {
            assert_eq!(Grant::of(token), None, "{token}");
        }
    }

    #[test]
    fn fixed_tokens_look_like_tokens() {
        for token in [
            CLIENT_ID,
            CLIENT_SECRET,
            TOKEN,
            TOKEN_WITHOUT_SCOPES,
            TOKEN_VIEWER,
            TOKEN_EXPIRED,
        ] {
            assert_eq!(token.len(), 30, "{token}");
            assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{token}");
        }
    }
}
