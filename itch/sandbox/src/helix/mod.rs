//! `api.twitch.tv/helix/`: authentication, errors, and the list of endpoints.
//!
//! See <https://dev.twitch.tv/docs/api/reference>. The texts of errors are not documented; these were seen in
//! twitchdev/issues and in the source code of Chatterino, twurple and pyTwitchAPI.

mod bans;
mod blocks;
mod call;
mod changes;
mod channels;
mod chatters;
mod followed;
mod followers;
mod moderators;
mod page;
mod people;
mod streams;
mod users;
mod users_follows;
mod videos;
mod vips;

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, HeaderName},
};

pub(crate) use self::{call::Endpoint, changes::Changes};
use self::{
    call::{Call, Failure},
    changes::Writer,
};
use crate::{
    faults::Fault,
    limit::{DEFAULT_LIMIT, Exceeded, RateLimit, unix_now},
    oauth::{Grant, credentials_of},
    parameters::Parameters,
    reply::{HELIX_MEDIA_TYPE, Reply},
    state::State,
};

/// No body of Helix is nearly as large.
pub(crate) const MAXIMUM_BODY: usize = 64 * 1024;

/// Every endpoint. Each file defines its own.
static ENDPOINTS: &[&Endpoint] = &[
    &bans::BANNED,
    &bans::BANS,
    &blocks::BLOCKS,
    &channels::CHANNELS,
    &chatters::CHATTERS,
    &followed::FOLLOWED,
    &followers::FOLLOWERS,
    &moderators::MODERATORS,
    &streams::STREAMS,
    &users::USERS,
    &users_follows::USERS_FOLLOWS,
    &videos::VIDEOS,
    &vips::VIPS,
];

/// Every endpoint that writes. Its path is also that of an endpoint above.
static WRITERS: &[&Writer] = &[&bans::BAN, &bans::UNBAN, &blocks::BLOCK, &blocks::UNBLOCK];

pub(crate) fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().copied().find(|endpoint| endpoint.path == path)
}

/// Answers a request, after the faults and checks that come before the endpoint.
pub(crate) fn answer(
    state: &State,
    number: u64,
    method: &Method,
    endpoint: Option<&'static Endpoint>,
    headers: &HeaderMap,
    parameters: Parameters,
    body: &[u8],
) -> Reply {
    let grant = match authenticate(state, headers) {
        Ok(_) if state.faults.strike(Fault::Expired, state.seed, number) => {
            return Failure::unauthorized("Invalid OAuth token").into();
        }
        Ok(grant) => grant,
        // Without rate limit headers, since there is no owner whose limit they could show.
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
    if state.faults.strike(Fault::ResetInMillis, state.seed, number) {
        // A client that reads it as seconds waits for ever.
        let reset = unix_now().as_millis() as u64 + 300;
        return Reply::from(Failure::too_many_requests()).with_rate_limit(RateLimit {
            limit: DEFAULT_LIMIT,
            remaining: 0,
            reset,
        });
    }
    let rate = match state.take_point((grant.client, grant.user)) {
        Some(Err(Exceeded(rate))) => {
            return Reply::from(Failure::too_many_requests()).with_rate_limit(rate);
        }
        Some(Ok(rate)) => Some(rate),
        None => None,
    };
    let reply = endpoint.map_or_else(not_found, |endpoint| {
        let call = Call {
            world: &state.world,
            faults: &state.faults,
            seed: state.seed,
            grant,
            path: endpoint.path,
            parameters,
            changes: &state.changes,
            body,
        };
        dispatch(&call, endpoint, method)
    });
    match rate {
        Some(rate) => reply.with_rate_limit(rate),
        None => reply,
    }
}

/// The answer of an endpoint. One that does not write is answered like an unknown path.
fn dispatch(call: &Call<'_>, endpoint: &Endpoint, method: &Method) -> Reply {
    let written = |writer: &Writer| match (writer.write)(call) {
        Ok(None) => Reply::new(StatusCode::NO_CONTENT, HELIX_MEDIA_TYPE, bytes::Bytes::new()),
        Ok(Some(body)) => Reply::new(StatusCode::OK, HELIX_MEDIA_TYPE, body),
        Err(failure) => failure.into(),
    };
    if method != Method::GET {
        let mut writers = WRITERS.iter();
        let writer = writers.find(|writer| writer.path == endpoint.path && writer.method == method);
        return writer.map_or_else(not_found, |writer| written(writer));
    }
    match (endpoint.answer)(call) {
        Ok(body) => Reply::new(StatusCode::OK, HELIX_MEDIA_TYPE, body),
        Err(failure) => failure.into(),
    }
}

fn not_found() -> Reply {
    Failure {
        status: StatusCode::NOT_FOUND,
        message: "".into(),
    }
    .into()
}

fn authenticate(state: &State, headers: &HeaderMap) -> Result<Grant, Failure> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // The scheme `OAuth` of kraken is not accepted.
    let token = header(AUTHORIZATION)
        .and_then(|value| credentials_of("Bearer", value))
        .ok_or(Failure::unauthorized("OAuth token is missing"))?;
    let client_id = header(HeaderName::from_static("client-id"))
        .ok_or(Failure::unauthorized("Must provide a valid Client-ID or OAuth Token"))?;
    let grant = state.sessions().grant(token);
    let grant = grant.ok_or(Failure::unauthorized("Invalid OAuth token"))?;
    if client_id != grant.client {
        return Err(Failure::unauthorized("Client ID and OAuth token do not match"));
    }
    Ok(grant)
}
