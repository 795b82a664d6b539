//! `GET channels/followers`: the followers of a channel, if the token may list them, and their number.

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure};
use super::page::{Envelope, Pagination};
use crate::{
    reply::to_json,
    world::{Follow, UserId},
};

const SCOPE: &str = "moderator:read:followers";

#[derive(Serialize)]
struct Follower {
    user_id: String,
    user_login: String,
    user_name: String,
    followed_at: String,
}

pub(super) static FOLLOWERS: Endpoint = Endpoint {
    path: "/helix/channels/followers",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let broadcaster = call.required_user("broadcaster_id")?;
    let user = call.optional_user("user_id")?;
    let followers = call.world.followers(broadcaster);
    let total = Some(followers.total);
    // Invalid paging is an error even if the token may not list the rows.
    let page = call.page(user.map_or(followers.total, |_| 1))?;
    if let Some(user) = user {
        call.require_scope(SCOPE)?;
        if !may_list(call, broadcaster) {
            return Err(Failure::not_the_users_own("broadcaster_id"));
        }
        let follow = followers.index_of(user).map(|index| followers.get(index));
        let data = follow.into_iter().map(|follow| follower(call, follow)).collect();
        return Ok(to_json(&Envelope {
            total,
            data,
            pagination: Some(Pagination::default()),
        }));
    }
    if !call.grant.has_scope(SCOPE) || !may_list(call, broadcaster) {
        let data: Vec<Follower> = Vec::new();
        return Ok(to_json(&Envelope {
            total,
            data,
            pagination: Some(Pagination::default()),
        }));
    }
    let data = page
        .rows
        .into_iter()
        .map(|index| follower(call, followers.get(index)))
        .collect();
    Ok(to_json(&Envelope {
        total,
        data,
        pagination: Some(page.pagination),
    }))
}

/// Whether the token belongs to the broadcaster or to a moderator.
fn may_list(call: &Call<'_>, broadcaster: UserId) -> bool {
    let moderators = call.world.room(broadcaster).map_or(&[][..], |room| &room.moderators);
    call.is_of(broadcaster) || moderators.iter().any(|moderator| call.is_of(*moderator))
}

fn follower(call: &Call<'_>, Follow { user, followed_at }: Follow) -> Follower {
    let (user_login, user_name) = call.world.names_of(user);
    Follower {
        user_id: user.to_string(),
        user_login,
        user_name,
        followed_at: call.world.rfc3339(followed_at),
    }
}
