//! Questions with several parts: set one up with its methods, then start it.

use chrono::{DateTime, Utc};

use crate::source::{Listing, Rows, source};
use crate::{Api, Channel, ChatMessage, Direction, Follow, FollowedChannel, PastStream, Result};

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

    /// The order wished for; [`Listing::direction`] says which it became.
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
    pub fn start(self) -> Result<Listing<Follow>> {
        source(self.api.source()).followers(self)
    }
}

/// Which channels a user follows, and how much about them.
#[derive(Clone, Debug)]
pub struct FollowingQuery {
    pub(crate) api: Api,
    pub(crate) user: Channel,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<u64>,
    pub(crate) followers: bool,
}

impl FollowingQuery {
    pub(crate) fn new(api: Api, user: Channel) -> FollowingQuery {
        FollowingQuery {
            api,
            user,
            direction: Direction::Desc,
            limit: None,
            followers: false,
        }
    }

    /// The order wished for; [`Listing::direction`] says which it became.
    pub fn direction(mut self, direction: Direction) -> FollowingQuery {
        self.direction = direction;
        self
    }

    /// At most so many rows, where the source can give the wished-for order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> FollowingQuery {
        self.limit = rows.into();
        self
    }

    /// Also asks how many follow each of the channels; on Helix one request more per row.
    pub fn with_followers(mut self) -> FollowingQuery {
        self.followers = true;
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Listing<FollowedChannel>> {
        source(self.api.source()).following(self)
    }
}

/// Which past broadcasts of a channel.
#[derive(Clone, Debug)]
pub struct PastStreamsQuery {
    pub(crate) api: Api,
    pub(crate) channel: Channel,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<u64>,
}

impl PastStreamsQuery {
    pub(crate) fn new(api: Api, channel: Channel) -> PastStreamsQuery {
        PastStreamsQuery {
            api,
            channel,
            direction: Direction::Desc,
            limit: None,
        }
    }

    /// The order wished for; [`Listing::direction`] says which it became.
    pub fn direction(mut self, direction: Direction) -> PastStreamsQuery {
        self.direction = direction;
        self
    }

    /// At most so many rows, where the source can give the wished-for order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> PastStreamsQuery {
        self.limit = rows.into();
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Listing<PastStream>> {
        source(self.api.source()).past_streams(self)
    }
}

/// Which part of a past broadcast's chat.
#[derive(Clone, Debug)]
pub struct ChatQuery {
    pub(crate) api: Api,
    pub(crate) video: String,
    pub(crate) from: i64,
    pub(crate) to: Option<i64>,
    pub(crate) limit: Option<u64>,
    pub(crate) connections: usize,
}

impl ChatQuery {
    pub(crate) fn new(api: Api, video: String) -> ChatQuery {
        ChatQuery {
            api,
            video,
            from: 0,
            to: None,
            limit: None,
            connections: 4,
        }
    }

    /// Only messages at or after this second of the recording.
    pub fn from(mut self, seconds: impl Into<Option<i64>>) -> ChatQuery {
        self.from = seconds.into().unwrap_or(0).max(0);
        self
    }

    /// Only messages before this second of the recording.
    pub fn to(mut self, seconds: impl Into<Option<i64>>) -> ChatQuery {
        self.to = seconds.into();
        self
    }

    /// At most so many messages.
    pub fn limit(mut self, messages: impl Into<Option<u64>>) -> ChatQuery {
        self.limit = messages.into();
        self
    }

    /// How many parts of the recording are fetched side by side; 4 unless said otherwise.
    pub fn connections(mut self, connections: usize) -> ChatQuery {
        self.connections = connections.max(1);
        self
    }

    /// Starts fetching. Messages come in order: by second, then as they were written.
    pub fn start(self) -> Result<Rows<ChatMessage>> {
        source(self.api.source()).chat_replay(self)
    }
}
