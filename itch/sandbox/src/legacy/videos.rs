//! `kraken/channels/…/videos` and `kraken/videos/…`.

use serde_json::{Value, json};

use super::call::{Call, Failure, Route};
use super::kraken::find;
use crate::world::{Video, VideoKind};

const DEFAULT_LIMIT: u64 = 10;

pub(super) static OF_CHANNEL: Route = Route {
    pattern: "/kraken/channels/{name}/videos",
    answer: of_channel,
};

fn of_channel(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "Channel")?;
    let (login, _) = call.world.names_of(id);
    let limit = call.limit(DEFAULT_LIMIT)?;
    let offset = call.number("offset")?.unwrap_or(0);
    // Either past broadcasts or all other videos.
    let broadcasts = call.parameters.one("broadcasts").unwrap_or("false");
    let wanted: Vec<_> = call
        .world
        .videos_of(id)
        .iter()
        .filter(|key| (key.kind() == VideoKind::Archive) == (broadcasts == "true"))
        .collect();
    let videos: Vec<Value> = wanted
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(limit as usize)
        .map(|key| video(call, &key.video(call.world)))
        .collect();
    let link = |offset: u64| {
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let parameters = [("broadcasts", broadcasts), ("limit", &limit), ("offset", &offset)];
        call.link(&format!("channels/{login}/videos"), &parameters)
    };
    Ok(json!({
        "_total": wanted.len(),
        "videos": videos,
        "_links": { "self": link(offset), "next": link(offset.saturating_add(limit)) },
    }))
}

pub(super) static BY_ID: Route = Route {
    pattern: "/kraken/videos/{id}",
    answer: by_id,
};

fn by_id(call: &Call<'_>) -> Result<Value, Failure> {
    match find_video(call, call.name) {
        Some(found) => Ok(video(call, &found)),
        None => {
            let message = format!("Video '{}' does not exist", call.name);
            Err(Failure::not_found(&message))
        }
    }
}

/// A video by its old id, which begins with a letter.
pub(super) fn find_video(call: &Call<'_>, id: &str) -> Option<Video> {
    let number = id.strip_prefix('v')?;
    let video = call.world.video(number.parse().ok()?)?;
    (video.id.to_string() == number).then_some(video)
}

fn video(call: &Call<'_>, video: &Video) -> Value {
    let (login, display_name) = call.world.names_of(video.channel);
    let id = format!("v{}", video.id);
    let created_at = call.world.rfc3339(video.created_at);
    let thumbnail = |size: &str| format!("https://static-cdn.jtvnw.net/s3_vods/sandbox/{id}/thumb/thumb0-{size}.jpg");
    json!({
        "title": video.title,
        "description": null,
        "broadcast_id": video.broadcast_id,
        "status": if video.growing { "recording" } else { "recorded" },
        "_id": id,
        "tag_list": "",
        "recorded_at": created_at,
        "game": video.game.name,
        "length": video.length,
        "preview": thumbnail("320x240"),
        "url": format!("https://www.twitch.tv/{login}/v/{}", video.id),
        "views": video.views,
        "broadcast_type": video.kind.name(),
        "created_at": created_at,
        "published_at": created_at,
        "fps": { "chunked": 59.97, "high": 29.98 },
        "resolutions": { "chunked": "1920x1080", "high": "1280x720" },
        "thumbnails": [{ "type": "generated", "url": thumbnail("320x240") }],
        "_links": {
            "self": call.link(&format!("videos/{id}"), &[]),
            "channel": call.link(&format!("channels/{login}"), &[]),
        },
        "channel": { "name": login, "display_name": display_name },
    })
}
