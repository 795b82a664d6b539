//! `POST token`: issues tokens to apps and devices, and renews those of users.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    app_token,
    apps::{App, USUAL},
    log::Receipt,
    refusal::Refusal,
    scopes,
    sessions::{Pair, Poll, Sessions, whole_seconds},
};
use crate::{parameters::Parameters, reply::Reply};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REFRESH_TOKEN: &str = "refresh_token";

/// An answer with tokens. It has a receipt if there is a refresh token in it.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) reply: Reply,
    pub(super) receipt: Option<Receipt>,
}

#[derive(Serialize)]
struct AppToken {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
}

#[derive(Serialize)]
struct UserToken<'a> {
    access_token: &'a str,
    expires_in: u64,
    refresh_token: &'a str,
    /// Twitch leaves it out when no scope was asked for (twitchdev/issues #1037).
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scope: &'a [&'static str],
    token_type: &'static str,
}

/// Whether a device asks for its token.
pub(crate) fn is_poll(parameters: &Parameters) -> bool {
    parameters.one("grant_type") == Some(DEVICE_CODE)
}

/// Whether a token is to be renewed.
pub(crate) fn is_refresh(parameters: &Parameters) -> bool {
    parameters.one("grant_type") == Some(REFRESH_TOKEN)
}

/// The refusal of a device code that is valid, as it was seen in the first polls (twitchdev/issues #971).
pub(crate) fn false_refusal(sessions: &mut Sessions, parameters: &Parameters) -> Option<Reply> {
    let code = parameters.given("device_code")?;
    sessions.refuses_falsely(code).then(|| invalid_device_code().into())
}

fn invalid_device_code() -> Refusal {
    Refusal::bad_request("invalid device code")
}

pub(super) fn answer(sessions: &mut Sessions, parameters: &Parameters, number: u64) -> Result<Issued, Refusal> {
    let app = App::of(parameters)?;
    match parameters.given("grant_type") {
        None => Err(Refusal::bad_request("missing grant type")),
        Some("client_credentials") => of_app(sessions, app, parameters, number),
        Some(REFRESH_TOKEN) => renewed(sessions, app, parameters),
        Some(DEVICE_CODE) => of_device(sessions, app, parameters),
        Some(_) => Err(Refusal::bad_request("invalid grant type")),
    }
}

fn of_app(sessions: &mut Sessions, app: &'static App, parameters: &Parameters, number: u64) -> Result<Issued, Refusal> {
    app.check_secret(parameters)?;
    if *app != USUAL {
        return Err(Refusal::bad_request("invalid client"));
    }
    scopes::parse(parameters.one("scope").unwrap_or_default())?;
    let body = AppToken {
        access_token: sessions.app_token(app, number),
        expires_in: app_token::LIFETIME.as_secs(),
        token_type: "bearer",
    };
    Ok(Issued {
        reply: Reply::json(StatusCode::OK, &body),
        receipt: None,
    })
}

fn renewed(sessions: &mut Sessions, app: &'static App, parameters: &Parameters) -> Result<Issued, Refusal> {
    if !app.is_public() {
        app.check_secret(parameters)?;
    }
    let refresh = parameters
        .given(REFRESH_TOKEN)
        .ok_or(Refusal::bad_request("missing refresh token"))?;
    match sessions.renew(app, refresh) {
        Some(pair) => Ok(user_token(sessions, pair)),
        None => Err(Refusal::bad_request("Invalid refresh token")),
    }
}

/// The secret is not part of this grant, even if the app has one.
fn of_device(sessions: &mut Sessions, app: &'static App, parameters: &Parameters) -> Result<Issued, Refusal> {
    let code = parameters
        .given("device_code")
        .ok_or(Refusal::bad_request("missing device_code"))?;
    match sessions.poll(app, code) {
        Poll::Invalid => Err(invalid_device_code()),
        Poll::OtherClient => Err(Refusal::bad_request("invalid client")),
        Poll::Pending => Err(Refusal::bad_request("authorization_pending")),
        Poll::Done(pair) => Ok(user_token(sessions, *pair)),
    }
}

fn user_token(sessions: &Sessions, pair: Pair) -> Issued {
    let body = UserToken {
        access_token: &pair.access,
        expires_in: whole_seconds(sessions.settings.token_life),
        refresh_token: &pair.refresh,
        scope: &pair.authorization.scopes,
        token_type: "bearer",
    };
    Issued {
        reply: Reply::json(StatusCode::OK, &body),
        receipt: Some(pair.receipt),
    }
}
