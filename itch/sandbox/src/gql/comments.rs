//! Pages of a video's comments, by offset or by cursor.
//!
//! Twitch does not document this. It follows what xenova/chat-downloader, TheDrHax/Twitch-Chat-Downloader and
//! lay295/TwitchDownloader have found.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    cursor::{self, uuid},
    object::{Object, Place},
    query::Refusal,
    video::User,
};
use crate::{
    faults::{Fault, Faults},
    world::{Chat, Comment, Emote, Fragment, Millis, Seed, World},
};

/// The size of a page if none is asked for, as for the web player.
const USUAL_FIRST: u32 = 59;
const MAXIMUM_FIRST: u32 = 100;

/// How far before the offset a page may start, in time and in comments.
const EARLY: Millis = 3_000;
const EARLY_COMMENTS: u64 = 6;

/// How many more comments a long page has.
const LONGER: u32 = 30;

/// How many pages later a comment returns.
const LATE_PAGES: u32 = 12;

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Offset(u64),
    Cursor(String),
}

/// The arguments of `comments(…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) start: Start,
    first: u32,
}

impl Asked {
    /// Parses the arguments of the field.
    pub(super) fn new(arguments: &Map<String, Value>) -> Result<Asked, Refusal> {
        let invalid = |name: &str| format!("Argument \"{name}\" has invalid value.");
        let given = |name: &str| arguments.get(name).filter(|value| !value.is_null());
        if let Some(name) = ["last", "before"].into_iter().find(|name| given(name).is_some()) {
            return Err(format!("The sandbox does not support \"{name}\": it only pages forward."));
        }
        let first = match given("first").map(Value::as_u64) {
            None => USUAL_FIRST,
            Some(Some(first @ 1..)) => first.min(MAXIMUM_FIRST.into()) as u32,
            Some(_) => return Err(invalid("first")),
        };
        let start = match (given("after"), given("contentOffsetSeconds")) {
            (Some(Value::String(cursor)), _) => Start::Cursor(cursor.clone()),
            (Some(_), _) => return Err(invalid("after")),
            (None, None) => Start::Offset(0),
            (None, Some(offset)) => {
                let offset = offset.as_u64().filter(|offset| *offset <= i32::MAX as u64);
                Start::Offset(offset.ok_or_else(|| invalid("contentOffsetSeconds"))?)
            }
        };
        Ok(Asked { start, first })
    }
}

/// A page of comments, whose contents are computed later.
pub(super) struct Connection<'a> {
    world: &'a World,
    chat: &'a Chat<'a>,
    indices: Vec<u32>,
    /// All edges have the cursor of the last one: a client can only continue from the end of a page.
    cursor: String,
    has_next: bool,
}

/// The page; `None` if the cursor does not belong to this video.
pub(super) fn connection<'a>(
    world: &'a World,
    chat: &'a Chat<'a>,
    asked: &Asked,
    faults: &Faults,
    seed: Seed,
) -> Option<Connection<'a>> {
    let count = chat.count();
    let (place, round) = match &asked.start {
        Start::Offset(seconds) => (from_offset(chat, *seconds, seed), 0),
        Start::Cursor(cursor) => {
            let (index, round) = cursor::decode(chat, cursor)?;
            (index + 1, round)
        }
    };
    let by_cursor = matches!(asked.start, Start::Cursor(_));
    let list = seed.child("comments").of(chat.video.id);
    let happens = |fault| place < count && faults.strike(fault, list, u64::from(place));
    let strikes = |fault| by_cursor && happens(fault);

    let start = if strikes(Fault::Duplicate) { place - 1 } else { place };
    let length = if happens(Fault::ShortPage) {
        1 + list.child("short").below(place.into(), u64::from(asked.first) - 1) as u32
    } else if happens(Fault::LongPage) {
        asked.first.saturating_add(LONGER)
    } else {
        asked.first
    };
    let end = place.saturating_add(length).min(count);
    let is_endless = strikes(Fault::Endless);
    let cursor = match &asked.start {
        Start::Cursor(cursor) if strikes(Fault::Loop) => cursor.clone(),
        _ if is_endless => cursor::encode_round(chat, place - 1, round + 1),
        _ if end > place => cursor::encode(chat, end - 1),
        _ => String::new(),
    };
    // Like Twitch, a page by offset has a next page even at the end.
    let has_next = if by_cursor {
        end < count || strikes(Fault::Loop) || is_endless
    } else {
        start < end
    };
    let mut indices = Vec::new();
    if let Some(again) = place
        .checked_sub(LATE_PAGES * asked.first)
        .filter(|_| strikes(Fault::LateRepeat))
    {
        indices.extend(again..again + asked.first.min(3));
    }
    indices.extend(start..end);
    Some(Connection {
        world,
        chat,
        indices,
        cursor,
        has_next,
    })
}

/// The index at which a page by offset starts: often a few comments before the offset.
fn from_offset(chat: &Chat<'_>, seconds: u64, seed: Seed) -> u32 {
    let offset = seconds * 1_000;
    let exact = chat.first_at(offset);
    if exact == chat.count() {
        return exact;
    }
    let early = seed.child("early").of(chat.video.id).below(seconds, EARLY_COMMENTS) as u32;
    let earliest = chat.first_at(offset.saturating_sub(EARLY));
    earliest.max(exact.saturating_sub(early))
}

impl Object for Connection<'_> {
    const TYPE: &'static str = "VideoCommentConnection";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "edges" => place.list(self.indices.iter().map(|index| Edge {
                page: self,
                comment: self.chat.comment(*index),
            })),
            "pageInfo" => place.object(&PageInfo {
                has_next: self.has_next,
                has_previous: self.indices.first().is_some_and(|first| *first > 0),
            }),
            _ => place.unknown(self),
        }
    }
}

struct PageInfo {
    has_next: bool,
    has_previous: bool,
}

impl Object for PageInfo {
    const TYPE: &'static str = "PageInfo";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "hasNextPage" => place.scalar(self.has_next),
            "hasPreviousPage" => place.scalar(self.has_previous),
            _ => place.unknown(self),
        }
    }
}

struct Edge<'a> {
    page: &'a Connection<'a>,
    comment: Comment,
}

impl Object for Edge<'_> {
    const TYPE: &'static str = "VideoCommentEdge";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "cursor" => place.scalar(&self.page.cursor),
            "node" => place.object(&Node(self)),
            _ => place.unknown(self),
        }
    }
}

struct Node<'a>(&'a Edge<'a>);

impl Object for Node<'_> {
    const TYPE: &'static str = "VideoComment";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        let Edge { page, comment } = self.0;
        match name {
            "id" => place.scalar(uuid(comment.id)),
            "commenter" => {
                let there = !comment.author_gone;
                let user = there.then(|| User::of(page.world, comment.author));
                place.object_or_null(user.as_ref())
            }
            "contentOffsetSeconds" => place.scalar(comment.offset / 1_000),
            "createdAt" => place.scalar(page.world.rfc3339_millis(page.chat.stamp(comment.offset))),
            "message" => place.object(&Message(comment)),
            _ => place.unknown(self),
        }
    }
}

struct Message<'a>(&'a Comment);

impl Object for Message<'_> {
    const TYPE: &'static str = "VideoCommentMessage";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        let comment = self.0;
        match name {
            "fragments" => place.list(comment.fragments.iter()),
            "userBadges" => {
                let badges = comment.badges.iter().map(|(set, version)| Badge {
                    set,
                    version: version.to_string(),
                });
                let empty = comment.empty_badge.then(Badge::default);
                place.list(badges.chain(empty))
            }
            "userColor" => place.scalar(&comment.color),
            _ => place.unknown(self),
        }
    }
}

impl Object for &Fragment {
    const TYPE: &'static str = "VideoCommentMessageFragment";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "text" => place.scalar(&self.text),
            "emote" => place.object_or_null(self.emote.as_ref()),
            "mention" => place.null(),
            _ => place.unknown(self),
        }
    }
}

impl Object for Emote {
    const TYPE: &'static str = "EmbeddedEmote";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "id" => place.scalar(format!("{};{};{}", self.id, self.from, self.to)),
            "emoteID" => place.scalar(self.id),
            "from" => place.scalar(self.from),
            _ => place.unknown(self),
        }
    }
}

#[derive(Default)]
struct Badge {
    set: &'static str,
    version: String,
}

impl Badge {
    /// On Twitch the id ends with the channel in lists of badges, and with an empty part in comments.
    fn id(&self) -> String {
        STANDARD.encode(format!("{};{};", self.set, self.version))
    }
}

impl Object for Badge {
    const TYPE: &'static str = "Badge";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        match name {
            "id" => place.scalar(self.id()),
            "setID" => place.scalar(self.set),
            "version" => place.scalar(&self.version),
            _ => place.unknown(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::{super::query, *};

    #[test]
    fn arguments_are_checked() {
        let read = |arguments: Value| Asked::new(arguments.as_object().unwrap());
        assert_eq!(
            read(json!({ "first": 1_000 })),
            Ok(Asked {
                start: Start::Offset(0),
                first: 100
            })
        );
        for bad in [
            json!({ "first": 0 }),
            json!({ "first": "x" }),
            json!({ "after": 7 }),
            json!({ "contentOffsetSeconds": -1 }),
            json!({ "contentOffsetSeconds": "0" }),
            json!({ "contentOffsetSeconds": u64::MAX }),
            json!({ "last": 5 }),
            json!({ "before": "x" }),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn badges_are_named_as_captured() {
        let badge = Badge {
            set: "subscriber",
            version: "12".to_owned(),
        };
        assert_eq!(badge.id(), "c3Vic2NyaWJlcjsxMjs=");
        assert_eq!(Badge::default().id(), "Ozs=");
    }

    #[test]
    fn a_page_of_a_long_video_is_made_quickly() {
        let world = World::new(1);
        let query = super::super::COMMENTS_QUERY;
        let mut spent = Duration::ZERO;
        for n in 0..100 {
            let started = Instant::now();
            let variables = json!({ "videoID": "2700000600" });
            let fields = query::parse(query, None, variables.as_object().unwrap()).unwrap();
            let asked = fields[0].selection.iter().find(|field| field.name == "comments");
            let chat = world.chat(world.video(2_700_000_600).unwrap());
            let start = Start::Offset(n * 1_000);
            let from = Asked { start, first: 100 };
            let page = connection(&world, &chat, &from, &Faults::default(), Seed::new(1));
            let mut json = Vec::new();
            let place = Place {
                asked: asked.unwrap(),
                json: &mut json,
            };
            place.object(&page.unwrap()).unwrap();
            spent += started.elapsed();
            let page: Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(page["edges"].as_array().unwrap().len(), 100);
        }
        let each = spent / 100;
        println!("{each:?} for a page");
        assert!(each < Duration::from_millis(5), "{each:?}");
    }
}
