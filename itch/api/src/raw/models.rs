//! The rows of the services as types, with the field names of Twitch's reference (dev.twitch.tv/docs/api/reference).
//!
//! Times are UTC. Fields that a model does not name are kept in `extra`, so no data is lost. A value that is null, absent
//! or of another type than the reference says is empty here, so that it never costs the whole row.

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::reader::{excerpt, key_text, parse_time, whole_number};

/// A user account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Decimal; never reused.
    #[serde(deserialize_with = "key")]
    pub id: String,
    /// Lower case; the owner can change it.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub login: String,
    /// The login with the owner's capitalisation, or a name in another script.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub display_name: String,
    /// When the account was created. `None` if the service did not send it, or the account no longer exists.
    #[serde(default, deserialize_with = "time_or_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A channel: a user account as a broadcaster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The broadcaster's user id.
    #[serde(deserialize_with = "key")]
    pub id: String,
    /// The broadcaster's login.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub login: String,
    /// The broadcaster's display name.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub display_name: String,
    /// When the account was created.
    #[serde(default, deserialize_with = "time_or_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One follower of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    /// The follower. `created_at` is set if it was requested and the account still exists.
    pub user: User,
    /// When the follow began; `None` if it could not be read.
    #[serde(default, deserialize_with = "time_or_none")]
    pub followed_at: Option<DateTime<Utc>>,
}

/// One channel that a user follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowedChannel {
    /// The followed channel. Fields that the service does not send are empty.
    pub channel: Channel,
    /// How many followers that channel has, if it was requested or the service sent it anyway.
    pub followers: Option<u64>,
    /// When the follow began; `None` if it could not be read.
    #[serde(default, deserialize_with = "time_or_none")]
    pub followed_at: Option<DateTime<Utc>>,
}

/// A past broadcast, or one that is still running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastStream {
    /// When it began; `None` if the service does not send it.
    pub start: Option<DateTime<Utc>>,
    /// When it ended; `None` while it is running, or if the service does not send it.
    pub end: Option<DateTime<Utc>>,
    /// Its recording, if the service has one.
    pub video: Option<Video>,
    /// The broadcast itself, while it is running.
    pub live: Option<Stream>,
}

/// The role of a user in a chat room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The owner of the channel.
    Broadcaster,
    /// May remove messages and users.
    Moderator,
    /// Was given VIP status by the broadcaster.
    Vip,
    /// Any other user.
    Viewer,
}

impl Role {
    /// In lower case, as Twitch writes it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Broadcaster => "broadcaster",
            Role::Moderator => "moderator",
            Role::Vip => "vip",
            Role::Viewer => "viewer",
        }
    }
}

/// A user in a chat room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chatter {
    /// The user id; `None` if the service does not send it.
    pub id: Option<String>,
    /// The login.
    pub login: String,
    /// The display name; empty if the service does not send it.
    pub display_name: String,
    /// `None` if the token may not see roles.
    pub role: Option<Role>,
}

/// One message of a past broadcast's chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Never reused.
    pub id: String,
    /// Whole seconds since the recording began.
    pub offset: i64,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// Who wrote it; `None` if the account no longer exists.
    pub commenter: Option<Commenter>,
    /// `#RRGGBB`, if the author chose a colour.
    pub color: Option<String>,
    /// Badges as set and version: `subscriber`, `12`.
    pub badges: Vec<(String, String)>,
    /// The text.
    pub text: String,
    /// The emotes in it, in order.
    pub emotes: Vec<EmoteUse>,
}

/// The author of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commenter {
    /// The user id; empty if the service does not send it.
    pub id: String,
    /// The login.
    pub login: String,
    /// The display name.
    pub display_name: String,
}

/// An emote in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmoteUse {
    /// Decimal, or `emotesv2_` and hexadecimal digits.
    pub id: String,
    /// The index of its first code point.
    pub from: u32,
    /// The index of its last code point.
    pub to: u32,
}

/// A running broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// The stream id. The video of the broadcast has the same value in `stream_id`.
    #[serde(deserialize_with = "key")]
    pub id: String,
    /// The broadcaster's user id.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub user_id: String,
    /// The broadcaster's login.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub user_login: String,
    /// The title set by the broadcaster.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub title: String,
    /// The number of viewers at the time of the request.
    #[serde(default, deserialize_with = "count_or_none")]
    pub viewer_count: Option<u64>,
    /// When it began.
    #[serde(default, deserialize_with = "time_or_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A recorded broadcast, a highlight or an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// The video id, decimal.
    #[serde(deserialize_with = "key")]
    pub id: String,
    /// The stream that it records; `None` unless it is an archive.
    #[serde(default, deserialize_with = "text_or_none")]
    pub stream_id: Option<String>,
    /// The broadcaster's user id.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub user_id: String,
    /// The broadcaster's login.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub user_login: String,
    /// Its title.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub title: String,
    /// For an archive: when the recording began.
    #[serde(default, deserialize_with = "time_or_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// `archive`, `highlight` or `upload`.
    #[serde(rename = "type", default, deserialize_with = "text_or_empty")]
    pub kind: String,
    /// As Twitch writes it, such as `3h8m33s`; hours may exceed 24.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub duration: String,
    /// The number of views.
    #[serde(default, deserialize_with = "count_or_none")]
    pub view_count: Option<u64>,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Video {
    /// Its length in seconds; `None` if `duration` is not a valid duration.
    pub fn seconds(&self) -> Option<i64> {
        let mut total: i64 = 0;
        let mut number: Option<i64> = None;
        for byte in self.duration.bytes() {
            let unit = match byte {
                b'0'..=b'9' => {
                    number = Some(
                        number
                            .unwrap_or(0)
                            .checked_mul(10)?
                            .checked_add(i64::from(byte - b'0'))?,
                    );
                    continue;
                }
                b'h' => 3600,
                b'm' => 60,
                b's' => 1,
                _ => return None,
            };
            total = total.checked_add(number.take()?.checked_mul(unit)?)?;
        }
        (number.is_none() && !self.duration.is_empty()).then_some(total)
    }
}

impl From<User> for Channel {
    fn from(user: User) -> Channel {
        Channel {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            created_at: user.created_at,
            extra: user.extra,
        }
    }
}

/// A key, without which a row is nothing: a text or a number.
fn key<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let value = Value::deserialize(input)?;
    key_text(&value).ok_or_else(|| D::Error::custom(format_args!("the id is {}", excerpt(&value))))
}

/// An RFC 3339 time; anything else is `None`.
fn time_or_none<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Value::deserialize(input)?.as_str().and_then(parse_time))
}

/// A text or a number as text; anything else is empty.
fn text_or_empty<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(key_text(&Value::deserialize(input)?).unwrap_or_default())
}

/// A text or a number as text; anything else is `None`.
fn text_or_none<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(key_text(&Value::deserialize(input)?))
}

/// A whole number from 0, also as text; anything else is `None`.
fn count_or_none<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    Ok(whole_number(&Value::deserialize(input)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_keeps_what_it_does_not_name() {
        let user: User = serde_json::from_str(
            r#"{"id":"1","login":"a","display_name":"A","created_at":"2014-09-12T23:50:05Z",
                "broadcaster_type":"partner"}"#,
        )
        .unwrap();
        assert_eq!(user.created_at.unwrap().timestamp(), 1_410_565_805);
        assert_eq!(user.extra["broadcaster_type"], "partner");
        let again = serde_json::to_value(&user).unwrap();
        assert_eq!(again["broadcaster_type"], "partner");
    }

    #[test]
    fn durations_are_read_as_twitch_writes_them() {
        let seconds = |duration: &str| {
            let video = serde_json::json!({"id": "1", "user_id": "1", "user_login": "a", "type": "archive",
                "created_at": "2026-07-01T18:00:00Z", "duration": duration});
            serde_json::from_value::<Video>(video).unwrap().seconds()
        };
        for (text, expected) in [
            ("45s", 45),
            ("3m21s", 201),
            ("3h8m33s", 11_313),
            ("1h0m5s", 3605),
            ("50h0m0s", 180_000),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "s",
            "3",
            "3x",
            "3h8",
            "99999999999999999999s",
            "9223372036854775807h",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_is_none_spoils_nothing() {
        for text in [
            r#"{"id":"1","login":"a","created_at":""}"#,
            r#"{"id":"1","login":"a","created_at":null}"#,
            r#"{"id":"1","login":"a"}"#,
        ] {
            assert_eq!(serde_json::from_str::<User>(text).unwrap().created_at, None);
        }
    }

    #[test]
    fn videos_and_streams_read_the_reference_shapes() {
        let video: Video = serde_json::from_str(
            r#"{"id":"2345678901","stream_id":null,"user_id":"71092938","user_login":"examplecast","title":"any%",
                "created_at":"2026-07-01T18:00:00Z","type":"upload","duration":"45s","view_count":3,
                "muted_segments":null}"#,
        )
        .unwrap();
        assert_eq!((video.kind.as_str(), video.stream_id), ("upload", None));
        let stream: Stream = serde_json::from_str(
            r#"{"id":"41987654321","user_id":"71092938","user_login":"examplecast","viewer_count":731,
                "started_at":"2026-07-01T17:59:55Z","tags":null}"#,
        )
        .unwrap();
        assert_eq!(stream.viewer_count, Some(731));
    }
}
