//! `streams`: which broadcasts are running.

use super::envelope::{data, placed, reader};
use crate::raw::{Channel, Pending, Policy, RawApi, Request, Result, Stream};
use crate::sources::endpoint::{Endpoint, MINUTE};

pub(super) static STREAMS: Endpoint = Endpoint::helix("streams", Policy::everybody(MINUTE));
/// The running broadcasts of the channels that a user follows. Only plugins use it.
pub(super) static FOLLOWED_STREAMS: Endpoint = Endpoint::helix("streams/followed", Policy::user(MINUTE));

/// The request for the running broadcast of a channel.
pub(super) fn live_request(channel: &Channel) -> Request {
    STREAMS.request().query("user_id", &channel.id)
}

/// The running broadcast, if there is one.
pub(super) fn live(api: &RawApi, pending: Pending) -> Result<Option<Stream>> {
    let mut reader = reader(api, &STREAMS);
    for (place, row) in placed(data(&STREAMS, pending.json()?)?) {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let Some(id) = row.key("id") else { continue };
        return Ok(Some(Stream {
            id,
            user_id: row.text("user_id", "user_id"),
            user_login: row.text("user_login", "user_login"),
            title: row.text("title", "title"),
            viewer_count: row.count("viewer_count", "viewer_count"),
            started_at: row.time("started_at", "start"),
            extra: row.rest(),
        }));
    }
    Ok(None)
}
