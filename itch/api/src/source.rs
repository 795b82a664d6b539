//! Who answers the domain layer: the services of today, or those of 2016. Reports are written once over both.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Api, Channel, ChannelName, Error, ErrorKind, Follow, Result};

/// The name of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SourceName {
    /// Helix, and GQL for the chat of past broadcasts.
    #[default]
    Twitch,
}

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
                format!("`{text}` is not a direction: `asc` or `desc`"),
            )),
        }
    }
}

/// A channel that was asked for, and what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelLookup {
    /// As it was asked for.
    pub name: ChannelName,
    /// `None` if there is no such channel.
    pub channel: Option<Channel>,
}

/// A channel that was asked for, and how many follow it.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowerTotal {
    /// As it was asked for.
    pub name: ChannelName,
    /// The channel and its number of followers; `None` if there is no such channel.
    pub found: Option<(Channel, u64)>,
}

/// Answers the domain layer with the requests of one set of services.
pub trait Source: Sync {
    /// See [`Api::channels`].
    fn channels(
        &self,
        api: &Api,
        names: Vec<ChannelName>,
    ) -> Box<dyn Iterator<Item = Result<ChannelLookup>> + Send>;

    /// See [`Api::follower_totals`].
    fn follower_totals(
        &self,
        api: &Api,
        names: Vec<ChannelName>,
    ) -> Box<dyn Iterator<Item = Result<FollowerTotal>> + Send>;

    /// See [`FollowersQuery::start`].
    fn followers(&self, query: FollowersQuery) -> Result<Followers>;
}

/// The source behind a name.
pub(crate) fn source(name: SourceName) -> &'static dyn Source {
    match name {
        SourceName::Twitch => &crate::twitch::Twitch,
    }
}

/// Which followers of a channel, and how much about them.
#[derive(Clone, Debug)]
pub struct FollowersQuery {
    pub(crate) api: Api,
    pub(crate) channel: Channel,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<u64>,
    pub(crate) created: bool,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
}

impl FollowersQuery {
    pub(crate) fn new(api: Api, channel: Channel) -> FollowersQuery {
        FollowersQuery {
            api,
            channel,
            direction: Direction::Desc,
            limit: None,
            created: false,
            since: None,
            until: None,
        }
    }

    /// The order wished for. A source that cannot give it says so in [`Followers::direction`].
    pub fn direction(mut self, direction: Direction) -> FollowersQuery {
        self.direction = direction;
        self
    }

    /// At most so many rows, where the source can give the wished-for order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> FollowersQuery {
        self.limit = rows.into();
        self
    }

    /// Also looks up when each follower's account was made; on Helix one request more per 100 followers, beside
    /// the walk.
    pub fn with_created(mut self) -> FollowersQuery {
        self.created = true;
        self
    }

    /// Only who followed at or after this time. Newest first, the walk ends there.
    pub fn since(mut self, time: impl Into<Option<DateTime<Utc>>>) -> FollowersQuery {
        self.since = time.into();
        self
    }

    /// Only who followed before this time.
    pub fn until(mut self, time: impl Into<Option<DateTime<Utc>>>) -> FollowersQuery {
        self.until = time.into();
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Followers> {
        source(self.api.source()).followers(self)
    }
}

/// The followers of a channel, one by one.
pub struct Followers {
    direction: Direction,
    rows: Box<dyn Iterator<Item = Result<Follow>> + Send>,
}

impl Followers {
    pub(crate) fn new(
        direction: Direction,
        rows: impl Iterator<Item = Result<Follow>> + Send + 'static,
    ) -> Followers {
        Followers {
            direction,
            rows: Box::new(rows),
        }
    }

    /// The order in which they really come. Helix lists newest first only
    /// (dev.twitch.tv/docs/api/reference#get-channel-followers); then the limit was not applied either, since
    /// the oldest come last.
    pub fn direction(&self) -> Direction {
        self.direction
    }
}

impl fmt::Debug for Followers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followers")
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

impl Iterator for Followers {
    type Item = Result<Follow>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}
