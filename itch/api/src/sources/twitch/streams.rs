//! `streams`: which broadcasts are running.

use super::envelope::data;
use crate::raw::{Channel, Pending, Policy, Request, Result, Stream};
use crate::sources::endpoint::{Endpoint, MINUTE};

pub(super) static STREAMS: Endpoint = Endpoint::helix("streams", Policy::everybody(MINUTE));
/// The running broadcasts of the channels that a user follows. Only plugins use it.
pub(super) static FOLLOWED_STREAMS: Endpoint = Endpoint::helix("streams/followed", Policy::user(MINUTE));

/// The request for the running broadcast of a channel.
pub(super) fn live_request(channel: &Channel) -> Request {
    STREAMS.request().query("user_id", &channel.id)
}

/// The running broadcast, if there is one.
pub(super) fn live(pending: Pending) -> Result<Option<Stream>> {
    Ok(data(pending.json()?)?.into_iter().next())
}
