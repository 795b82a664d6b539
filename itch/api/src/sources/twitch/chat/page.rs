//! One page of a recording's comments, as GQL gives it.
//!
//! The shapes are those that lay295/TwitchDownloader and xenova/chat-downloader read.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::raw::{ChatMessage, Commenter, EmoteUse, Error, ErrorKind, Result, Service};

/// What a request for comments can bring, short of an error.
#[derive(Debug)]
pub(super) enum Answer {
    /// A page.
    Page(CommentPage),
    /// This client id may not ask for a page after a cursor.
    Integrity,
    /// The operation is not known in this form, or not understood.
    Refused(String),
}

/// A page of comments.
#[derive(Debug)]
pub(super) struct CommentPage {
    pub messages: Vec<ChatMessage>,
    /// Where the next page begins. All comments of a page carry the same.
    pub cursor: Option<String>,
    /// Right for pages after a cursor; for pages at an offset it may promise too much.
    pub has_next: bool,
}

/// What is known of a recording before its comments.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VideoInfo {
    #[serde(default)]
    pub length_seconds: Option<i64>,
    #[serde(default)]
    pub status: Option<String>,
}

impl VideoInfo {
    /// Whether nothing will be added at its end.
    pub fn is_over(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status != "RECORDING")
    }
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

/// Reads an answer about a recording; `errors` come before data.
pub(super) fn read_info(body: Value, video: &str) -> Result<Result<VideoInfo, Answer>> {
    if let Some(answer) = refusal(&body) {
        return Ok(Err(answer));
    }
    let info = take_video(body, video)?;
    parse(info).map(Ok)
}

/// Reads an answer to a request for comments; `errors` come before data.
pub(super) fn read_comments(body: Value, video: &str) -> Result<Answer> {
    if let Some(answer) = refusal(&body) {
        return Ok(answer);
    }
    let comments = match take_video(body, video)?.get_mut("comments").map(Value::take) {
        // Taken as the end, this would make a silently short file: an integrity failure looks the same.
        None | Some(Value::Null) => {
            return Err(Error::new(ErrorKind::Service, "Twitch answered without comments").at(Service::Gql, None));
        }
        Some(comments) => parse::<Comments>(comments)?,
    };
    let cursor = comments
        .edges
        .last()
        .and_then(|edge| edge.cursor.clone())
        .filter(|cursor| !cursor.is_empty());
    Ok(Answer::Page(CommentPage {
        messages: comments.edges.into_iter().map(|edge| message(edge.node)).collect(),
        cursor,
        has_next: comments.page_info.has_next_page,
    }))
}

/// What the `errors` of an answer mean, if there are any.
fn refusal(body: &Value) -> Option<Answer> {
    let errors = body.get("errors")?.as_array().filter(|errors| !errors.is_empty())?;
    let messages: Vec<&str> = errors
        .iter()
        .filter_map(|error| error.get("message")?.as_str())
        .collect();
    if messages.iter().any(|message| message.contains("integrity")) {
        return Some(Answer::Integrity);
    }
    Some(Answer::Refused(messages.join("; ")))
}

fn take_video(mut body: Value, video: &str) -> Result<Value> {
    match body.pointer_mut("/data/video").map(Value::take) {
        Some(Value::Null) => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no video `{video}`, or it is not public"))
                .hint("recordings of broadcasts expire after 7 to 60 days")
                .at(Service::Gql, None))
        }
        Some(found) => Ok(found),
        None => Err(Error::new(ErrorKind::BadData, "Twitch's answer holds no video").at(Service::Gql, None)),
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(ErrorKind::BadData, "Twitch's answer about a video has not the known shape")
            .source_chain(&error)
            .at(Service::Gql, None)
    })
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
            // Places count code points of the whole message, the last one included.
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
    // An empty badge stands where a badge was taken away.
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
    use serde_json::json;

    fn node(extra: Value) -> Value {
        let mut node = json!({"id": "a", "contentOffsetSeconds": 61, "createdAt": "2026-07-01T18:01:02.007Z", "commenter": null,
            "message": {"fragments": [], "userBadges": [], "userColor": null}});
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"data": {"video": {"comments": {"edges": [{"cursor": "c", "node": node}], "pageInfo": {"hasNextPage": true}}}}})
    }

    fn read_one(extra: Value) -> ChatMessage {
        match read_comments(node(extra), "1").unwrap() {
            Answer::Page(page) => page.messages.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        }
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
        assert!(matches!(read_comments(body, "1").unwrap(), Answer::Integrity));
        let body = json!({"errors": [{"message": "PersistedQueryNotFound"}]});
        assert!(
            matches!(read_comments(body, "1").unwrap(), Answer::Refused(words) if words == "PersistedQueryNotFound")
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
}
