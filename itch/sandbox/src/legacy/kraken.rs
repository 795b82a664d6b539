//! `kraken/users`, `kraken/channels` and `kraken/streams`.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::call::{Call, Failure, Route};
use crate::world::{DAY, PRESENT, Seconds, UserId, mix, named};

/// A name that returns an error with status 200, as kraken did at times.
const ERROR_WITH_200: &str = "error_with_200";

pub(super) static USER: Route = Route {
    pattern: "/kraken/users/{name}",
    answer: user,
};

fn user(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "User")?;
    Ok(user_object(call, id))
}

pub(super) static CHANNEL: Route = Route {
    pattern: "/kraken/channels/{name}",
    answer: channel,
};

fn channel(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "Channel")?;
    Ok(channel_object(call, id))
}

/// The account that the path names.
pub(super) fn find(call: &Call<'_>, what: &str) -> Result<UserId, Failure> {
    let name = call.name.to_lowercase();
    if name == ERROR_WITH_200 {
        return Err(Failure {
            status: StatusCode::OK,
            ..Failure::bad_request("Something went wrong")
        });
    }
    let Some(id) = call.world.id_of(&name) else {
        return Err(Failure::not_found(&format!("{what} '{name}' does not exist")));
    };
    if !call.world.exists(id) {
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, &format!("{what} '{name}' is unavailable")));
    }
    Ok(id)
}

fn updated_at(call: &Call<'_>, id: UserId) -> Seconds {
    let ago = (mix(id.into()) % (200 * DAY as u64)) as Seconds;
    (PRESENT - ago).max(call.world.created_at(id))
}

pub(super) fn user_object(call: &Call<'_>, id: UserId) -> Value {
    let (login, display_name) = call.world.names_of(id);
    json!({
        "type": match call.world.user_type(id) {
            "" => "user",
            other => other,
        },
        "name": login,
        "display_name": display_name,
        "created_at": call.world.rfc3339(call.world.created_at(id)),
        "updated_at": call.world.rfc3339(updated_at(call, id)),
        "_links": { "self": call.link(&format!("users/{login}"), &[]) },
        "logo": null,
        "_id": id,
        "bio": named(id).map(|channel| channel.description),
    })
}

pub(super) fn channel_object(call: &Call<'_>, id: UserId) -> Value {
    let (login, display_name) = call.world.names_of(id);
    let last = call.world.last_broadcast(id);
    let link = |rest: &str| call.link(&format!("channels/{login}{rest}"), &[]);
    let followers = call.world.followers(id).total;
    json!({
        "mature": false,
        "status": last.as_ref().map(|video| video.title),
        "broadcaster_language": "en",
        "display_name": display_name,
        "game": last.as_ref().map(|video| video.game.name),
        "delay": null,
        "language": "en",
        "_id": id,
        "name": login,
        "created_at": call.world.rfc3339(call.world.created_at(id)),
        "updated_at": call.world.rfc3339(updated_at(call, id)),
        "logo": null,
        "banner": null,
        "video_banner": null,
        "background": null,
        "profile_banner": null,
        "profile_banner_background_color": null,
        "partner": call.world.broadcaster_type(id) == "partner",
        "url": format!("https://www.twitch.tv/{login}"),
        "views": u64::from(followers) * 31 + 7,
        "followers": followers,
        "_links": {
            "self": link(""),
            "follows": link("/follows"),
            "commercial": link("/commercial"),
            "stream_key": link("/stream_key"),
            "chat": call.link(&format!("chat/{login}"), &[]),
            "subscriptions": link("/subscriptions"),
            "editors": link("/editors"),
            "teams": link("/teams"),
            "videos": link("/videos"),
        },
    })
}

pub(super) static STREAM: Route = Route {
    pattern: "/kraken/streams/{name}",
    answer: stream,
};

/// `"stream": null` while the channel is offline.
fn stream(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "Channel")?;
    let (login, _) = call.world.names_of(id);
    let own = call.link(&format!("streams/{login}"), &[]);
    let live = call.world.streams().iter().find(|stream| stream.channel == id);
    let stream = live.map(|stream| {
        let preview = |size: &str| format!("https://static-cdn.jtvnw.net/previews-ttv/live_user_{login}-{size}.jpg");
        json!({
            "_id": stream.id,
            "game": stream.game.name,
            "viewers": stream.viewers,
            "average_fps": 59.97,
            "delay": 0,
            "video_height": 1080,
            "is_playlist": false,
            "created_at": call.world.rfc3339(stream.started_at),
            "channel": channel_object(call, id),
            "preview": {
                "small": preview("80x45"),
                "medium": preview("320x180"),
                "large": preview("640x360"),
                "template": preview("{width}x{height}"),
            },
            "_links": { "self": own },
        })
    });
    Ok(json!({
        "stream": stream,
        "_links": { "self": own, "channel": call.link(&format!("channels/{login}"), &[]) },
    }))
}
