//! The parameters of the queries that have several, as plain data.

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
                format!("`{}` is not a direction: use `asc` or `desc`", text.escape_debug()),
            )),
        }
    }
}

/// Which followers of a channel to list, and with which details.
#[derive(Clone, Debug)]
pub struct FollowersParameters {
    /// The channel.
    pub channel: Channel,
    /// The requested order.
    pub direction: Direction,
    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub limit: Option<u64>,
    /// Whether to look up when each follower's account was created.
    pub created: bool,
    /// Only accounts that followed at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only accounts that followed before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Which channels of those that a user follows to list, and with which details.
#[derive(Clone, Debug)]
pub struct FollowingParameters {
    /// The user.
    pub user: Channel,
    /// The requested order.
    pub direction: Direction,
    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub limit: Option<u64>,
    /// Whether to look up how many followers each channel has.
    pub followers: bool,
}

/// Which past broadcasts of a channel to list.
#[derive(Clone, Debug)]
pub struct PastStreamsParameters {
    /// The channel.
    pub channel: Channel,
    /// The requested order.
    pub direction: Direction,
    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub limit: Option<u64>,
}

/// Which part of a past broadcast's chat to fetch.
#[derive(Clone, Debug)]
pub struct ChatParameters {
    /// The id of the recording.
    pub video: String,
    /// The first second of the recording to include.
    pub from: i64,
    /// The first second of the recording to exclude.
    pub to: Option<i64>,
    /// Return at most this many messages.
    pub limit: Option<u64>,
    /// How many parts of the recording are fetched in parallel; at least 1.
    pub connections: usize,
}
