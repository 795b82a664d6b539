//! `GET validate`: whose a token is, what it allows, and how long it lasts.

use hyper::StatusCode;
use serde::Serialize;

use super::{grant::credentials_of, refusal::Refusal, sessions::Sessions};
use crate::{reply::Reply, world::World};

#[derive(Serialize)]
struct Validation<'a> {
    client_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    scopes: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    expires_in: u64,
}

pub(crate) fn validate(world: &World, sessions: &Sessions, authorization: Option<&str>) -> Reply {
    let token =
        authorization.and_then(|value| credentials_of("OAuth", value).or_else(|| credentials_of("Bearer", value)));
    let Some(token) = token else {
        return Refusal::unauthorized("missing authorization token").into();
    };
    let Some(grant) = sessions.grant(token) else {
        return Refusal::unauthorized("invalid access token").into();
    };
    Reply::json(
        StatusCode::OK,
        &Validation {
            client_id: grant.client,
            login: grant.user.map(|user| world.names_of(user).0),
            scopes: &grant.scopes,
            user_id: grant.user.map(|id| id.to_string()),
            expires_in: grant.expires_in,
        },
    )
}
