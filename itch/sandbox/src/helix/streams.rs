//! `GET streams`: live streams, by number of viewers.

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure, is_login, is_numeric, parse_user};
use super::page::Envelope;
use crate::{
    reply::to_json,
    world::{self, UserId},
};

#[derive(Serialize)]
struct Stream {
    id: String,
    user_id: String,
    user_login: String,
    user_name: String,
    game_id: &'static str,
    game_name: &'static str,
    r#type: &'static str,
    title: &'static str,
    tags: [&'static str; 1],
    viewer_count: u64,
    started_at: String,
    language: &'static str,
    thumbnail_url: String,
    tag_ids: [&'static str; 0],
    is_mature: bool,
}

pub(super) static STREAMS: Endpoint = Endpoint {
    path: "/helix/streams",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    for name in ["user_id", "user_login", "game_id", "language"] {
        call.at_most_a_hundred(&[name])?;
    }
    call.choice("type", &[("all", ()), ("live", ())])?;
    call.only_forward()?;
    let users = users(call)?;
    let given = |name| call.parameters.one(name).is_some();
    let matches = |stream: &&world::Stream| {
        (!(given("user_id") || given("user_login")) || users.contains(&stream.channel))
            && (!given("game_id") || call.parameters.all("game_id").any(|id| id == stream.game.id))
            && (!given("language") || call.parameters.all("language").any(|code| code == LANGUAGE))
    };
    let live: Vec<&world::Stream> = call.world.streams().iter().filter(matches).collect();
    let page = call.page(live.len() as u32)?;
    let data = page.of(&live).map(|live| stream(call, live)).collect();
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: Some(page.pagination),
    }))
}

const LANGUAGE: &str = "en";

/// The users asked for, by id or login.
fn users(call: &Call<'_>) -> Result<Vec<UserId>, Failure> {
    if !call.parameters.all("game_id").all(is_numeric) {
        return Err(Failure::malformed("game_id", "value must be a numeric"));
    }
    if !call.parameters.all("user_login").all(is_login) {
        return Err(Failure::malformed("user_login", "value must be a login"));
    }
    let logins = call
        .parameters
        .all("user_login")
        .filter_map(|login| call.world.id_of(login));
    call.parameters
        .all("user_id")
        .map(|id| parse_user("user_id", id))
        .chain(logins.map(Ok))
        .collect()
}

fn stream(call: &Call<'_>, live: &world::Stream) -> Stream {
    let (user_login, user_name) = call.world.names_of(live.channel);
    Stream {
        id: live.id.to_string(),
        user_id: live.channel.to_string(),
        game_id: live.game.id,
        game_name: live.game.name,
        r#type: "live",
        title: live.title,
        tags: ["English"],
        viewer_count: live.viewers,
        started_at: call.world.rfc3339(live.started_at),
        language: LANGUAGE,
        // The placeholders in the URLs of videos have a percent sign in addition.
        thumbnail_url: format!(
            "https://static-cdn.jtvnw.net/previews-ttv/live_user_{user_login}-{{width}}x{{height}}.jpg"
        ),
        tag_ids: [],
        is_mature: false,
        user_login,
        user_name,
    }
}
