//! `GET channels/vips`: the VIPs of the channel of the token's user.

use bytes::Bytes;

use super::call::{Call, Endpoint, Failure};
use super::people;

pub(super) static VIPS: Endpoint = Endpoint {
    path: "/helix/channels/vips",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    people::list(call, &["channel:read:vips", "channel:manage:vips"], |room| &room.vips)
}
