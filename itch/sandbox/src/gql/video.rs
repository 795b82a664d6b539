//! A video, with the fields that lay295/TwitchDownloader and ihabunek/twitch-dl ask for.

use super::{
    object::{Object, Place},
    query::Refusal,
};
use crate::world::{self, Game, UserId, VideoKind, World};

/// All fields except `comments`, which needs the request and is added by the caller.
pub(super) fn field(world: &World, video: &world::Video, name: &str, place: Place<'_>) -> Option<Result<(), Refusal>> {
    Some(match name {
        "id" => place.scalar(video.id.to_string()),
        "title" => place.scalar(video.title),
        "description" => place.null(),
        "createdAt" | "publishedAt" | "recordedAt" | "updatedAt" => place.scalar(world.rfc3339(video.created_at)),
        // While the video grows, this is behind the chat.
        "lengthSeconds" => place.scalar(video.length),
        "status" => place.scalar(if video.growing { "RECORDING" } else { "RECORDED" }),
        "broadcastType" => place.scalar(match video.kind {
            VideoKind::Archive => "ARCHIVE",
            VideoKind::Highlight => "HIGHLIGHT",
            VideoKind::Upload => "UPLOAD",
        }),
        "viewCount" => place.scalar(video.views),
        "language" => place.scalar("en"),
        "thumbnailURLs" => place.scalar([format!(
            "https://static-cdn.jtvnw.net/cf_vods/sandbox/{}/thumb/thumb0-320x180.jpg",
            video.id
        )]),
        "game" => place.object(&video.game),
        "owner" | "creator" => {
            let owner = video.has_creator.then(|| User::of(world, video.channel));
            place.object_or_null(owner.as_ref())
        }
        _ => return None,
    })
}

impl Object for Game {
    const TYPE: &'static str = "Game";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "id" => place.scalar(self.id),
            "name" | "displayName" => place.scalar(self.name),
            "boxArtURL" => {
                place.scalar(format!("https://static-cdn.jtvnw.net/ttv-boxart/{}-{{width}}x{{height}}.jpg", self.id))
            }
            _ => place.unknown(self),
        }
    }
}

pub(super) struct User {
    id: UserId,
    login: String,
    display_name: String,
}

impl User {
    pub(super) fn of(world: &World, id: UserId) -> User {
        let (login, display_name) = world.names_of(id);
        User {
            id,
            login,
            display_name,
        }
    }
}

impl Object for User {
    const TYPE: &'static str = "User";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "id" => place.scalar(self.id.to_string()),
            "login" => place.scalar(&self.login),
            "displayName" => place.scalar(&self.display_name),
            "channel" => place.object(&Channel(self)),
            _ => place.unknown(self),
        }
    }
}

struct Channel<'a>(&'a User);

impl Object for Channel<'_> {
    const TYPE: &'static str = "Channel";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "id" => place.scalar(self.0.id.to_string()),
            "name" => place.scalar(&self.0.login),
            "displayName" => place.scalar(&self.0.display_name),
            _ => place.unknown(self),
        }
    }
}
