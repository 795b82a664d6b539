//! `POST revoke`: ends a token.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};

use super::{apps::App, refusal::Refusal, sessions::Sessions};
use crate::{parameters::Parameters, reply::Reply};

pub(super) fn answer(sessions: &mut Sessions, parameters: &Parameters) -> Result<Reply, Refusal> {
    let id = parameters
        .given("client_id")
        .ok_or(Refusal::bad_request("missing client id"))?;
    let app = App::find(id).ok_or_else(|| Refusal::bad_request(format!("Invalid client_id: {id}")))?;
    let token = parameters
        .given("token")
        .ok_or(Refusal::bad_request("missing oauth token"))?;
    if !sessions.revoke(app, token) {
        return Err(Refusal::bad_request("Invalid token"));
    }
    Ok(Reply {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    })
}
