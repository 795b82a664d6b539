//! `rechat.twitch.tv/rechat-messages`: the chat of a video in windows of thirty seconds, as
//! bibby/itch and KunaiFire/rechat-dl read it until October 2017.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{Call, Failure, Route};
use super::videos::find_video;
use crate::world::{Chat, Comment, Fragment, Millis, Seconds, UserId};

const WINDOW: Millis = 30_000;

/// Each window begins with so many messages of the previous window.
const REPEATED: u32 = 3;

/// An error. Only this service returns a list of errors.
fn refuse(status: StatusCode, detail: &str) -> Failure {
    let body = json!({ "errors": [{ "status": status.as_u16(), "detail": detail }] });
    Failure { status, body }
}

pub(super) static MESSAGES: Route = Route {
    pattern: "/rechat/rechat-messages",
    answer: messages,
};

fn messages(call: &Call<'_>) -> Result<Value, Failure> {
    let bad_request = |detail: &str| Err(refuse(StatusCode::BAD_REQUEST, detail));
    let Some(id) = call.parameters.one("video_id") else {
        return bad_request("video_id is missing");
    };
    let Some(video) = find_video(call, id) else {
        // Clients recognized the text with the times by its number of words, which is eight.
        let detail = format!("Video {id} could not be found on server");
        return Err(refuse(StatusCode::NOT_FOUND, &detail));
    };
    let Some(start) = call.parameters.one("start") else {
        return bad_request("start is missing");
    };
    let Ok(start) = start.parse::<Seconds>() else {
        return bad_request("start is not a number");
    };
    let first = call.world.shown(video.created_at);
    let last = first + video.span();
    if !(first..=last).contains(&start) {
        return bad_request(&format!("{start} is not between {first} and {last}"));
    }
    let from = (start - first) as Millis * 1_000;
    let chat = call.world.chat(video);
    let window = chat.first_at(from)..chat.first_at(from + WINDOW);
    let before = chat.first_at(from.saturating_sub(WINDOW));
    let head = before.max(window.start.saturating_sub(REPEATED));
    let data: Vec<Value> = (head..window.end)
        .map(|index| message(call, &chat, &chat.comment(index)))
        .collect();
    Ok(json!({ "data": data, "meta": { "next": null } }))
}

fn message(call: &Call<'_>, chat: &Chat<'_>, comment: &Comment) -> Value {
    let id = URL_SAFE_NO_PAD.encode(&comment.id[..15]);
    let (from, display_name) = call.world.names_of(comment.author);
    let text: String = comment
        .fragments
        .iter()
        .map(|fragment| fragment.text.as_str())
        .collect();
    let badges: Vec<String> = comment
        .badges
        .iter()
        .map(|(set, version)| format!("{set}/{version}"))
        .collect();
    let moment = call.world.shown(chat.video.created_at) * 1_000 + comment.offset as i64;
    json!({
        "type": "rechat-message",
        "id": id,
        "attributes": {
            "command": "",
            "room": call.world.names_of(chat.video.channel).0,
            "timestamp": moment,
            "video-offset": comment.offset,
            "deleted": false,
            "message": text,
            "from": from,
            "tags": {
                "badges": badges.join(","),
                "color": comment.color,
                "display-name": display_name,
                "emotes": emotes(&comment.fragments, comment.author),
                "id": format!("{:032x}", u128::from_be_bytes(comment.id)),
                "mod": comment.moderator,
                "room-id": chat.video.channel.to_string(),
                "sent-ts": (moment - 120).to_string(),
                "subscriber": comment.subscriber,
                "tmi-sent-ts": (moment - 20).to_string(),
                "turbo": false,
                "user-id": comment.author.to_string(),
                "user-type": comment.moderator.then_some("mod"),
            },
            "color": comment.color,
        },
        "links": { "self": format!("/rechat-messages/{id}") },
    })
}

/// By emote id: the first and last code point of each occurrence. Empty or null if there are no emotes.
fn emotes(fragments: &[Fragment], author: UserId) -> Value {
    let mut emotes: Map<String, Value> = Map::new();
    for emote in fragments.iter().filter_map(|fragment| fragment.emote) {
        let places = emotes.entry(emote.id).or_insert_with(|| json!([]));
        if let Value::Array(places) = places {
            places.push(json!([emote.from, emote.to]));
        }
    }
    if !emotes.is_empty() {
        emotes.into()
    } else if author.is_multiple_of(4) {
        Value::Null
    } else {
        "".into()
    }
}
