//! `GET channels`: the settings of channels.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure, parse_user};
use super::page::Envelope;
use crate::{
    reply::to_json,
    world::{UserId, mix},
};

#[derive(Serialize)]
struct Channel {
    broadcaster_id: String,
    broadcaster_login: String,
    broadcaster_name: String,
    broadcaster_language: &'static str,
    game_id: &'static str,
    game_name: &'static str,
    title: &'static str,
    delay: u32,
    tags: Vec<&'static str>,
    content_classification_labels: [&'static str; 0],
    is_branded_content: bool,
}

pub(super) static CHANNELS: Endpoint = Endpoint {
    path: "/helix/channels",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    if call.at_most_a_hundred(&["broadcaster_id"])? == 0 {
        return Err(Failure::missing("broadcaster_id"));
    }
    let asked: BTreeSet<UserId> = call
        .parameters
        .all("broadcaster_id")
        .map(|id| parse_user("broadcaster_id", id))
        .collect::<Result<_, _>>()?;
    let mut channels: Vec<UserId> = asked.into_iter().filter(|id| call.world.exists(*id)).collect();
    // Twitch does not promise an order.
    channels.sort_unstable_by_key(|id| mix(u64::from(*id)));
    let data = channels.into_iter().map(|id| channel(call, id)).collect();
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: None,
    }))
}

fn channel(call: &Call<'_>, id: UserId) -> Channel {
    let (broadcaster_login, broadcaster_name) = call.world.names_of(id);
    // The game stays that of the last broadcast.
    let last = call.world.last_broadcast(id);
    let (game, title) = last.map_or((None, ""), |video| (Some(video.game), video.title));
    Channel {
        broadcaster_id: id.to_string(),
        broadcaster_login,
        broadcaster_name,
        broadcaster_language: "en",
        game_id: game.map_or("", |game| game.id),
        game_name: game.map_or("", |game| game.name),
        title,
        delay: 0,
        tags: if game.is_some() { vec!["English"] } else { Vec::new() },
        content_classification_labels: [],
        is_branded_content: false,
    }
}
