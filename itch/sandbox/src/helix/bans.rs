//! `POST` and `DELETE moderation/bans`, and `GET moderation/banned`: who may not write in a channel's chat.

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::call::{Call, Endpoint, Failure, parse_user};
use super::changes::{Ban, Writer};
use super::page::Envelope;
use crate::{
    reply::to_json,
    world::{PRESENT, UserId, named},
};

const PATH: &str = "/helix/moderation/bans";

/// The scope of all writes here.
const SCOPE: &str = "moderator:manage:banned_users";

#[derive(Serialize)]
struct Banned {
    user_id: String,
    user_login: String,
    user_name: String,
    /// Empty for good.
    expires_at: String,
    created_at: String,
    reason: String,
    moderator_id: String,
    moderator_login: String,
    moderator_name: String,
}

#[derive(Serialize)]
struct Made {
    broadcaster_id: String,
    moderator_id: String,
    user_id: String,
    created_at: String,
    end_time: Option<String>,
}

/// The body of `POST`.
#[derive(Deserialize)]
struct Wanted {
    data: WantedBan,
}

#[derive(Deserialize)]
struct WantedBan {
    user_id: String,
    duration: Option<u32>,
    #[serde(default)]
    reason: String,
}

pub(super) static BANNED: Endpoint = Endpoint {
    path: "/helix/moderation/banned",
    answer,
};

/// The list of bans has another path: here nothing can be read.
pub(super) static BANS: Endpoint = Endpoint {
    path: PATH,
    answer: |_| {
        Err(Failure {
            status: StatusCode::NOT_FOUND,
            message: "".into(),
        })
    },
};

pub(super) static BAN: Writer = Writer {
    path: PATH,
    method: Method::POST,
    write: ban,
};

pub(super) static UNBAN: Writer = Writer {
    path: PATH,
    method: Method::DELETE,
    write: unban,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let channel = call.required_user("broadcaster_id")?;
    call.at_most_a_hundred(&["user_id"])?;
    call.require_one_scope(&["moderation:read", SCOPE])?;
    if !call.is_of(channel) {
        return Err(Failure::not_the_users_own("broadcaster_id"));
    }
    let wanted: Vec<&str> = call.parameters.all("user_id").collect();
    let bans: Vec<(UserId, Ban)> = call
        .changes()
        .banned
        .get(&channel)
        .into_iter()
        .flatten()
        .filter(|(user, _)| wanted.is_empty() || wanted.contains(&user.to_string().as_str()))
        .map(|(user, ban)| (*user, ban.clone()))
        .collect();
    let page = call.page(bans.len() as u32)?;
    Ok(to_json(&Envelope {
        total: None,
        data: page.of(&bans).map(|(user, ban)| banned(call, *user, ban)).collect(),
        pagination: Some(page.pagination),
    }))
}

fn banned(call: &Call<'_>, user: UserId, ban: &Ban) -> Banned {
    let (user_login, user_name) = call.world.names_of(user);
    let (moderator_login, moderator_name) = call.world.names_of(ban.moderator);
    Banned {
        user_id: user.to_string(),
        user_login,
        user_name,
        expires_at: end(call, ban).unwrap_or_default(),
        created_at: call.world.rfc3339(PRESENT),
        reason: ban.reason.clone(),
        moderator_id: ban.moderator.to_string(),
        moderator_login,
        moderator_name,
    }
}

fn end(call: &Call<'_>, ban: &Ban) -> Option<String> {
    ban.duration
        .map(|seconds| call.world.rfc3339(PRESENT + i64::from(seconds)))
}

/// The channel and the moderator of a write, if the token may do it.
fn place(call: &Call<'_>) -> Result<(UserId, UserId), Failure> {
    let channel = call.required_user("broadcaster_id")?;
    let moderator = call.required_user("moderator_id")?;
    call.require_scope(SCOPE)?;
    if !call.is_of(moderator) {
        return Err(Failure::not_the_users_own("moderator_id"));
    }
    let moderates = call.is_of(channel) || named(channel).is_some_and(|named| named.moderated);
    match moderates {
        true => Ok((channel, moderator)),
        false => Err(Failure {
            status: StatusCode::FORBIDDEN,
            message: "The user in moderator_id is not a moderator of the broadcaster's channel.".into(),
        }),
    }
}

fn ban(call: &Call<'_>) -> Result<Option<Bytes>, Failure> {
    let (channel, moderator) = place(call)?;
    let wanted: Wanted =
        serde_json::from_slice(call.body).map_err(|_| Failure::bad_request("Invalid request body."))?;
    let WantedBan {
        user_id,
        duration,
        reason,
    } = wanted.data;
    let user = parse_user("user_id", &user_id)?;
    if user == channel || !call.world.exists(user) {
        return Err(Failure::bad_request("The user specified in the user_id field may not be banned."));
    }
    let ban = Ban {
        moderator,
        reason,
        duration,
    };
    let mut changes = call.changes();
    let bans = changes.banned.entry(channel).or_default();
    if bans.contains_key(&user) {
        return Err(Failure::bad_request("The user specified in the user_id field is already banned."));
    }
    let made = Made {
        broadcaster_id: channel.to_string(),
        moderator_id: moderator.to_string(),
        user_id,
        created_at: call.world.rfc3339(PRESENT),
        end_time: end(call, &ban),
    };
    bans.insert(user, ban);
    Ok(Some(to_json(&Envelope {
        total: None,
        data: vec![made],
        pagination: None,
    })))
}

fn unban(call: &Call<'_>) -> Result<Option<Bytes>, Failure> {
    let (channel, _) = place(call)?;
    let user = call.required_user("user_id")?;
    let mut changes = call.changes();
    match changes.banned.get_mut(&channel).and_then(|bans| bans.remove(&user)) {
        Some(_) => Ok(None),
        None => Err(Failure::bad_request("The user specified in the user_id query parameter is not banned.")),
    }
}
