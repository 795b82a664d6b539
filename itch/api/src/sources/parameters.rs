//! What the questions with several parts ask, as plain data.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::raw::{Channel, Error, ErrorKind, Result};

/// The order of a list by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

impl FromStr for Direction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Direction> {
        match text.to_ascii_lowercase().as_str() {
            "asc" => Ok(Direction::Asc),
            "desc" => Ok(Direction::Desc),
            _ => Err(Error::new(
                ErrorKind::Usage,
                format!("`{}` is not a direction: `asc` or `desc`", text.escape_debug()),
            )),
        }
    }
}

/// Which followers of a channel, and how much about them.
#[derive(Clone, Debug)]
pub struct FollowersParameters {
    /// Whose followers.
    pub channel: Channel,
    /// The order wished for.
    pub direction: Direction,
    /// At most so many rows, where the source can give the wished-for order.
    pub limit: Option<u64>,
    /// Whether to look up when each follower's account was made.
    pub created: bool,
    /// Only who followed at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only who followed before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Which channels a user follows, and how much about them.
#[derive(Clone, Debug)]
pub struct FollowingParameters {
    /// Who follows them.
    pub user: Channel,
    /// The order wished for.
    pub direction: Direction,
    /// At most so many rows, where the source can give the wished-for order.
    pub limit: Option<u64>,
    /// Whether to ask how many follow each of the channels.
    pub followers: bool,
}

/// Which past broadcasts of a channel.
#[derive(Clone, Debug)]
pub struct PastStreamsParameters {
    /// Whose broadcasts.
    pub channel: Channel,
    /// The order wished for.
    pub direction: Direction,
    /// At most so many rows, where the source can give the wished-for order.
    pub limit: Option<u64>,
}

/// Which part of a past broadcast's chat.
#[derive(Clone, Debug)]
pub struct ChatParameters {
    /// The id of the recording.
    pub video: String,
    /// The first second of the recording that is wanted.
    pub from: i64,
    /// The first second that is not.
    pub to: Option<i64>,
    /// At most so many messages.
    pub limit: Option<u64>,
    /// How many parts of the recording are fetched side by side; at least 1.
    pub connections: usize,
}
