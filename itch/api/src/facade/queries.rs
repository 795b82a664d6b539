//! Queries with several parameters: configure one with its methods, then start it.

use chrono::{DateTime, Utc};

use crate::raw::{Channel, ChatMessage, Follow, FollowedChannel, PastStream, RawApi, Result};
use crate::sources::{
    ChatParameters, Direction, FollowersParameters, FollowingParameters, Listing, PastStreamsParameters, Rows,
    SourceName, source,
};

/// Which followers of a channel to list, and with which details.
#[derive(Clone, Debug)]
pub struct FollowersQuery {
    api: RawApi,
    source: SourceName,
    asked: FollowersParameters,
}

impl FollowersQuery {
    pub(crate) fn new(api: RawApi, source: SourceName, channel: Channel) -> FollowersQuery {
        let asked = FollowersParameters {
            channel,
            direction: Direction::Desc,
            limit: None,
            created: false,
            since: None,
            until: None,
        };
        FollowersQuery { api, source, asked }
    }

    /// The requested order. [`Listing::direction`] is the order that the source returns.
    pub fn direction(mut self, direction: Direction) -> FollowersQuery {
        self.asked.direction = direction;
        self
    }

    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> FollowersQuery {
        self.asked.limit = rows.into();
        self
    }

    /// Also look up when each follower's account was created. On Helix this costs one more request per 100
    /// followers, sent in parallel with the walk.
    pub fn with_created(mut self) -> FollowersQuery {
        self.asked.created = true;
        self
    }

    /// Only accounts that followed at or after this time. With the newest first, the walk ends there.
    pub fn since(mut self, time: impl Into<Option<DateTime<Utc>>>) -> FollowersQuery {
        self.asked.since = time.into();
        self
    }

    /// Only accounts that followed before this time.
    pub fn until(mut self, time: impl Into<Option<DateTime<Utc>>>) -> FollowersQuery {
        self.asked.until = time.into();
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Listing<Follow>> {
        source(self.source).followers(&self.api, self.asked)
    }
}

/// Which channels of those that a user follows to list, and with which details.
#[derive(Clone, Debug)]
pub struct FollowingQuery {
    api: RawApi,
    source: SourceName,
    asked: FollowingParameters,
}

impl FollowingQuery {
    pub(crate) fn new(api: RawApi, source: SourceName, user: Channel) -> FollowingQuery {
        let asked = FollowingParameters {
            user,
            direction: Direction::Desc,
            limit: None,
            followers: false,
        };
        FollowingQuery { api, source, asked }
    }

    /// The requested order. [`Listing::direction`] is the order that the source returns.
    pub fn direction(mut self, direction: Direction) -> FollowingQuery {
        self.asked.direction = direction;
        self
    }

    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> FollowingQuery {
        self.asked.limit = rows.into();
        self
    }

    /// Also look up how many followers each channel has. On Helix this costs one more request per row.
    pub fn with_followers(mut self) -> FollowingQuery {
        self.asked.followers = true;
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Listing<FollowedChannel>> {
        source(self.source).following(&self.api, self.asked)
    }
}

/// Which past broadcasts of a channel to list.
#[derive(Clone, Debug)]
pub struct PastStreamsQuery {
    api: RawApi,
    source: SourceName,
    asked: PastStreamsParameters,
}

impl PastStreamsQuery {
    pub(crate) fn new(api: RawApi, source: SourceName, channel: Channel) -> PastStreamsQuery {
        let asked = PastStreamsParameters {
            channel,
            direction: Direction::Desc,
            limit: None,
        };
        PastStreamsQuery { api, source, asked }
    }

    /// The requested order. [`Listing::direction`] is the order that the source returns.
    pub fn direction(mut self, direction: Direction) -> PastStreamsQuery {
        self.asked.direction = direction;
        self
    }

    /// Return at most this many rows. Applied only if the source supports the requested order.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> PastStreamsQuery {
        self.asked.limit = rows.into();
        self
    }

    /// Starts the walk.
    pub fn start(self) -> Result<Listing<PastStream>> {
        source(self.source).past_streams(&self.api, self.asked)
    }
}

/// Which part of a past broadcast's chat to fetch.
#[derive(Clone, Debug)]
pub struct ChatQuery {
    api: RawApi,
    source: SourceName,
    asked: ChatParameters,
}

impl ChatQuery {
    pub(crate) fn new(api: RawApi, source: SourceName, video: String) -> ChatQuery {
        let asked = ChatParameters {
            video,
            from: 0,
            to: None,
            limit: None,
            connections: 4,
        };
        ChatQuery { api, source, asked }
    }

    /// Only messages at or after this second of the recording.
    pub fn from(mut self, seconds: impl Into<Option<i64>>) -> ChatQuery {
        self.asked.from = seconds.into().unwrap_or(0).max(0);
        self
    }

    /// Only messages before this second of the recording.
    pub fn to(mut self, seconds: impl Into<Option<i64>>) -> ChatQuery {
        self.asked.to = seconds.into();
        self
    }

    /// Return at most this many messages.
    pub fn limit(mut self, messages: impl Into<Option<u64>>) -> ChatQuery {
        self.asked.limit = messages.into();
        self
    }

    /// How many parts of the recording are fetched in parallel (default: 4).
    pub fn connections(mut self, connections: usize) -> ChatQuery {
        self.asked.connections = connections.max(1);
        self
    }

    /// Starts fetching. Messages are ordered by second, then by the order in which they were written.
    pub fn start(self) -> Result<Rows<ChatMessage>> {
        source(self.source).chat_replay(&self.api, self.asked)
    }
}
