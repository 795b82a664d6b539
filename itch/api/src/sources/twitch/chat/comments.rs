//! `video-comments`: one page of a recording's comments over GQL.
//!
//! The data formats are those that lay295/TwitchDownloader and xenova/chat-downloader read.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, parse, refusal, take_video};
use crate::raw::{
    CacheScope, ChatMessage, Commenter, EmoteUse, Error, ErrorKind, GqlForm, PageShape, Policy, Request, Result,
    Service,
};
use crate::sources::endpoint::{Endpoint, HOUR};

/// A page has at most 100 comments, the largest size known to work in a query's text (crackededed/Xtra).
pub(in crate::sources::twitch) static COMMENTS: Endpoint = Endpoint::gql(
    "video-comments",
    Policy {
        max_age: HOUR.as_secs(),
        scope: CacheScope::Everybody,
        rows_hidden: false,
        incomplete_max_age: None,
        errors_are_data: false,
        // The same members as in `Comments` below.
        page: Some(PageShape {
            list: Cow::Borrowed("/data/video/comments"),
            rows: Cow::Borrowed("/data/video/comments/edges"),
            more: Cow::Borrowed("/data/video/comments/pageInfo/hasNextPage"),
        }),
    },
);

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a second of the recording.
    Offset(i64),
    /// After a page.
    Cursor(String),
}

/// The request for a page of a recording's comments.
pub(super) fn request(video: &str, place: &Place, form: GqlForm) -> Request {
    let variables = match place {
        Place::Offset(seconds) => json!({"videoID": video, "contentOffsetSeconds": seconds}),
        Place::Cursor(cursor) => json!({"videoID": video, "cursor": cursor}),
    };
    COMMENTS.operation(form, variables)
}

/// A page of comments.
#[derive(Debug)]
pub(super) struct CommentPage {
    pub messages: Vec<ChatMessage>,
    /// The cursor for the next page. All comments of a page have the same one.
    pub cursor: Option<String>,
    /// Correct for pages after a cursor. For pages at an offset it can be true although there is no next page.
    pub has_next: bool,
}

#[derive(Deserialize)]
struct Comments {
    #[serde(default)]
    edges: Vec<Edge>,
    #[serde(rename = "pageInfo")]
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct PageInfo {
    #[serde(rename = "hasNextPage", default)]
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Edge {
    #[serde(default)]
    cursor: Option<String>,
    node: Node,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(default)]
    commenter: Option<Author>,
    content_offset_seconds: f64,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    message: Option<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Author {
    #[serde(default)]
    id: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    display_name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    fragments: Vec<Fragment>,
    #[serde(default)]
    user_badges: Option<Vec<Badge>>,
    #[serde(default)]
    user_color: Option<String>,
}

#[derive(Deserialize)]
struct Fragment {
    #[serde(default)]
    text: String,
    #[serde(default)]
    emote: Option<Emote>,
}

#[derive(Deserialize)]
struct Emote {
    #[serde(rename = "emoteID", default)]
    emote_id: String,
    #[serde(default)]
    from: u32,
}

#[derive(Deserialize)]
struct Badge {
    #[serde(rename = "setID", default)]
    set: String,
    #[serde(default)]
    version: String,
}

/// Parses an answer to a request for comments; `errors` come before data.
pub(super) fn read_comments(body: Value, video: &str) -> Result<Result<CommentPage, Refusal>> {
    if let Some(refusal) = refusal(&body) {
        return Ok(Err(refusal));
    }
    let comments = match take_video(body, video)?.get_mut("comments").map(Value::take) {
        // Treating this as the end would silently lose messages: an integrity failure looks the same.
        None | Some(Value::Null) => {
            return Err(Error::new(ErrorKind::Service, "Twitch's answer has no comments").at(Service::Gql, None));
        }
        Some(comments) => parse::<Comments>(comments)?,
    };
    let cursor = comments
        .edges
        .last()
        .and_then(|edge| edge.cursor.clone())
        .filter(|cursor| !cursor.is_empty());
    Ok(Ok(CommentPage {
        messages: comments.edges.into_iter().map(|edge| message(edge.node)).collect(),
        cursor,
        has_next: comments.page_info.has_next_page,
    }))
}

fn message(node: Node) -> ChatMessage {
    let Message {
        fragments,
        user_badges,
        user_color,
    } = node.message.unwrap_or_default();
    let mut text = String::new();
    let mut emotes = Vec::new();
    for fragment in fragments {
        if let Some(emote) = fragment.emote.filter(|emote| !emote.emote_id.is_empty()) {
            // Positions count code points of the whole message, and the end is inclusive.
            let length = u32::try_from(fragment.text.chars().count()).unwrap_or(u32::MAX);
            let to = emote.from.saturating_add(length.saturating_sub(1));
            emotes.push(EmoteUse {
                id: emote.emote_id,
                from: emote.from,
                to,
            });
        }
        text.push_str(&fragment.text);
    }
    // An empty badge is left where a badge was removed.
    let badges = user_badges
        .unwrap_or_default()
        .into_iter()
        .filter(|badge| !badge.set.is_empty());
    let created_at = node.created_at.and_then(|time| time.parse::<DateTime<Utc>>().ok());
    ChatMessage {
        id: node.id,
        offset: node.content_offset_seconds.floor() as i64,
        created_at,
        commenter: node.commenter.map(|author| Commenter {
            id: author.id,
            login: author.login,
            display_name: author.display_name,
        }),
        color: user_color.filter(|color| !color.is_empty()),
        badges: badges.map(|badge| (badge.set, badge.version)).collect(),
        text,
        emotes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(extra: Value) -> Value {
        let mut node = json!({"id": "a", "contentOffsetSeconds": 61, "createdAt": "2026-07-01T18:01:02.007Z", "commenter": null,
            "message": {"fragments": [], "userBadges": [], "userColor": null}});
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"data": {"video": {"comments": {"edges": [{"cursor": "c", "node": node}], "pageInfo": {"hasNextPage": true}}}}})
    }

    fn read_one(extra: Value) -> ChatMessage {
        let page = read_comments(node(extra), "1").unwrap().unwrap();
        page.messages.into_iter().next().unwrap()
    }

    #[test]
    fn a_message_is_joined_of_all_its_fragments() {
        let message = read_one(json!({"message": {"fragments": [
            {"text": "😀 ", "emote": null},
            {"text": "Kappa", "emote": {"id": "25;2;6", "emoteID": "25", "from": 2}},
            {"text": " !"}], "userBadges": [{"setID": "subscriber", "version": "12"}, {"setID": "", "version": ""}], "userColor": "#8A2BE2"}}));
        assert_eq!(message.text, "😀 Kappa !");
        assert_eq!(
            message.emotes,
            [EmoteUse {
                id: "25".to_owned(),
                from: 2,
                to: 6
            }]
        );
        assert_eq!(message.badges, [("subscriber".to_owned(), "12".to_owned())]);
        assert_eq!(message.commenter, None);
    }

    #[test]
    fn odd_comments_are_kept() {
        assert_eq!(read_one(json!({"message": null})).text, "");
        assert_eq!(read_one(json!({"createdAt": "nonsense"})).created_at, None);
        assert_eq!(read_one(json!({"contentOffsetSeconds": 61.9})).offset, 61);
    }

    #[test]
    fn errors_are_read_before_data() {
        let mut body = node(json!({}));
        body["errors"] = json!([{"message": "failed integrity check"}]);
        assert!(matches!(read_comments(body, "1").unwrap(), Err(Refusal::Integrity)));
        let body = json!({"errors": [{"message": "PersistedQueryNotFound"}]});
        assert!(
            matches!(read_comments(body, "1").unwrap(), Err(Refusal::NotUnderstood(words)) if words == "PersistedQueryNotFound")
        );
    }

    #[test]
    fn nothing_is_taken_for_the_end_that_is_not_the_end() {
        let null = read_comments(json!({"data": {"video": {"comments": null}}}), "1").unwrap_err();
        assert_eq!(null.kind, ErrorKind::Service);
        let gone = read_comments(json!({"data": {"video": null}}), "1").unwrap_err();
        assert_eq!(gone.kind, ErrorKind::NotFound);
        assert_eq!(read_comments(json!({"data": null}), "1").unwrap_err().kind, ErrorKind::BadData);
    }

    /// The pointers of the policy name the members that are read here.
    #[test]
    fn the_policy_knows_the_shape_of_a_page() {
        let page = COMMENTS.policy.page.as_ref().unwrap();
        let body = node(json!({}));
        assert!(page.is_inner(&body) && !page.is_missing(&body));
        assert!(read_comments(body.clone(), "1").unwrap().unwrap().has_next);
        let mut last = body.clone();
        last["data"]["video"]["comments"]["pageInfo"]["hasNextPage"] = json!(false);
        assert!(!page.is_inner(&last));
        assert!(!read_comments(last, "1").unwrap().unwrap().has_next);
        let mut empty = body;
        empty["data"]["video"]["comments"]["edges"] = json!([]);
        assert!(!page.is_inner(&empty));
        assert!(page.is_missing(&json!({"data": {"video": {"comments": null}}})));
        assert!(!page.is_missing(&json!({"data": {"video": null}})));
    }
}
