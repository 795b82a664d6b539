//! `GET moderation/moderators`: the moderators of the channel of the token's user.

use bytes::Bytes;

use super::call::{Call, Endpoint, Failure};
use super::people;

pub(super) static MODERATORS: Endpoint = Endpoint {
    path: "/helix/moderation/moderators",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    people::list(call, &["moderation:read", "channel:manage:moderators"], |room| &room.moderators)
}
