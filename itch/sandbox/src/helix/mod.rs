//! `api.twitch.tv/helix/`: authentication, errors, and the list of endpoints.
//!
//! See <https://dev.twitch.tv/docs/api/reference>. The texts of errors are not documented; these were seen in
//! twitchdev/issues and in the source code of Chatterino, twurple and pyTwitchAPI.

mod call;
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

pub(crate) use self::call::Endpoint;
use self::call::{Call, Failure};
use crate::{
    faults::Fault,
    limit::{DEFAULT_LIMIT, Exceeded, RateLimit, unix_now},
    oauth::{Grant, credentials_of},
    parameters::Parameters,
    reply::{HELIX_MEDIA_TYPE, Reply},
    state::State,
};

/// Every endpoint. Each file defines its own.
static ENDPOINTS: &[&Endpoint] = &[
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
    let outcome = match endpoint {
        Some(endpoint) if method == Method::GET => (endpoint.answer)(&Call {
            world: &state.world,
            faults: &state.faults,
            seed: state.seed,
            grant,
            path: endpoint.path,
            parameters,
        }),
        // Only reading is simulated: an endpoint that writes is answered like an unknown path.
        _ => Err(Failure {
            status: StatusCode::NOT_FOUND,
            message: "".into(),
        }),
    };
    let reply = match outcome {
        Ok(body) => Reply::new(StatusCode::OK, HELIX_MEDIA_TYPE, body),
        Err(failure) => failure.into(),
    };
    match rate {
        Some(rate) => reply.with_rate_limit(rate),
        None => reply,
    }
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
