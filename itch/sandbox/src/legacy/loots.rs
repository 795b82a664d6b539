//! `loots.com/api/v1/search/channels/…/streams`: when a channel was live.
//!
//! Only what bibby/itch reads is known of it: `data`, and `t_start` and `t_end` of each row.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Failure, Route};
use crate::world::{Seconds, Video, VideoKind, World};

const MAXIMUM_LIMIT: usize = 500;

/// The value of `json`; the order of its keys depended on Python.
#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    offset: usize,
    /// The old program sent null for no limit.
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    sort_key: Option<String>,
    #[serde(default)]
    sort_order: Option<String>,
}

pub(super) static STREAMS: Route = Route {
    pattern: "/loots/api/v1/search/channels/{id}/streams",
    answer: streams,
};

fn streams(call: &Call<'_>) -> Result<Value, Failure> {
    let Ok(id) = call.name.parse() else {
        return Err(Failure::bad_request("The channel is not a number"));
    };
    let search = call.parameters.one("json").unwrap_or("{}");
    let Ok(search) = serde_json::from_str::<Search>(search) else {
        return Err(Failure::bad_request("The search is not understood"));
    };
    if search.sort_key.is_some_and(|key| key != "_t") {
        return Err(Failure::bad_request("The sort_key is unknown"));
    }
    let mut archives: Vec<_> = call
        .world
        .videos_of(id)
        .iter()
        .filter(|key| key.kind() == VideoKind::Archive)
        .collect();
    match search.sort_order.as_deref() {
        None | Some("desc") => {}
        Some("asc") => archives.reverse(),
        Some(_) => return Err(Failure::bad_request("The sort_order is unknown")),
    }
    let data: Vec<Value> = archives
        .into_iter()
        .skip(search.offset)
        .take(search.limit.unwrap_or(MAXIMUM_LIMIT).min(MAXIMUM_LIMIT))
        .map(|key| row(call.world, &key.video(call.world)))
        .collect();
    Ok(json!({ "data": data }))
}

fn row(world: &World, video: &Video) -> Value {
    // The program that drew these times accepted numbers and dates, so the service probably sent both.
    let time = |moment: Seconds| -> Value {
        if video.id.is_multiple_of(7) {
            world.rfc3339(moment).into()
        } else {
            world.shown(moment).into()
        }
    };
    let end = (!video.growing).then(|| time(video.created_at + video.length));
    json!({
        "_id": video.broadcast_id,
        "_t": world.shown(video.created_at),
        "channel": video.channel,
        "t_start": time(video.created_at),
        "t_end": end,
    })
}
