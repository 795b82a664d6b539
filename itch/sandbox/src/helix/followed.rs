//! `GET channels/followed`: the channels that the user of the token follows.

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure};
use super::page::Envelope;
use crate::{reply::to_json, world::Follow};

#[derive(Serialize)]
struct FollowedChannel {
    broadcaster_id: String,
    broadcaster_login: String,
    broadcaster_name: String,
    followed_at: String,
}

pub(super) static FOLLOWED: Endpoint = Endpoint {
    path: "/helix/channels/followed",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let user = call.required_user("user_id")?;
    let broadcaster = call.optional_user("broadcaster_id")?;
    call.require_scope("user:read:follows")?;
    if !call.is_of(user) {
        return Err(Failure::not_the_users_own("user_id"));
    }
    let followed = call.world.known_followed_by(user);
    let wanted: Vec<Follow> = followed
        .iter()
        .filter(|follow| broadcaster.is_none_or(|broadcaster| follow.user == broadcaster))
        .copied()
        .collect();
    let page = call.page(wanted.len() as u32)?;
    let data = page.of(&wanted).map(|follow| channel(call, *follow)).collect();
    let total = Some(followed.len() as u32);
    Ok(to_json(&Envelope {
        total,
        data,
        pagination: Some(page.pagination),
    }))
}

fn channel(call: &Call<'_>, Follow { user, followed_at }: Follow) -> FollowedChannel {
    let (broadcaster_login, broadcaster_name) = call.world.names_of(user);
    FollowedChannel {
        broadcaster_id: user.to_string(),
        broadcaster_login,
        broadcaster_name,
        followed_at: call.world.rfc3339(followed_at),
    }
}
