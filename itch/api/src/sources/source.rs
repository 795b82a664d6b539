//! The services behind the domain layer: the current ones, or those of 2016. Reports work with both.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parameters::{ChatParameters, Direction, FollowersParameters, FollowingParameters, PastStreamsParameters};
use crate::raw::{
    Channel, ChannelName, ChatMessage, Chatter, Error, ErrorKind, Follow, FollowedChannel, PastStream, RawApi, Result,
    Stream, Video,
};

/// The name of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SourceName {
    /// Helix, and GQL for the chat of past broadcasts.
    #[default]
    Twitch,
    /// kraken version 3, tmi, rechat and loots.com. The services no longer exist, but archives of them do.
    Legacy,
}

impl FromStr for SourceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<SourceName> {
        match text {
            "twitch" => Ok(SourceName::Twitch),
            "legacy" => Ok(SourceName::Legacy),
            _ => Err(Error::new(
                ErrorKind::Usage,
                format!("`{}` is not a source: use `twitch` or `legacy`", text.escape_debug()),
            )),
        }
    }
}

/// The result of looking up a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelLookup {
    /// The name that was looked up.
    pub name: ChannelName,
    /// `None` if there is no such channel.
    pub channel: Option<Channel>,
}

/// A channel and the number of its followers.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowerTotal {
    /// The name that was looked up.
    pub name: ChannelName,
    /// The channel and its number of followers; `None` if there is no such channel.
    pub found: Option<(Channel, Option<u64>)>,
}

/// Rows that are returned one by one, while more of them are being fetched.
pub type Rows<T> = Box<dyn Iterator<Item = Result<T>> + Send>;

/// Implements the domain layer with the requests of one set of services.
pub trait Source: Sync {
    /// Looks up one channel.
    fn channel(&self, api: &RawApi, name: &ChannelName) -> Result<Channel> {
        match self.channels(api, vec![name.clone()]).next() {
            Some(lookup) => lookup?.channel.ok_or_else(|| name.unknown()),
            None => Err(name.unknown()),
        }
    }

    /// See [`crate::Api::channels`].
    fn channels(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<ChannelLookup>;

    /// See [`crate::Api::user`].
    fn user(&self, api: &RawApi, name: &ChannelName) -> Result<Channel>;

    /// See [`crate::Api::follower_totals`].
    fn follower_totals(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<FollowerTotal>;

    /// See [`crate::FollowersQuery::start`].
    fn followers(&self, api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>>;

    /// See [`crate::FollowingQuery::start`].
    fn following(&self, api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>>;

    /// See [`crate::Api::following_total`].
    fn following_total(&self, api: &RawApi, name: &ChannelName) -> Result<Option<u64>>;

    /// See [`crate::PastStreamsQuery::start`].
    fn past_streams(&self, api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>>;

    /// See [`crate::Api::live_stream`].
    fn live_stream(&self, api: &RawApi, channel: &Channel) -> Result<Option<Stream>>;

    /// See [`crate::Api::video`].
    fn video(&self, api: &RawApi, id: &str) -> Result<Video>;

    /// See [`crate::Api::chatters`].
    fn chatters(&self, api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>>;

    /// See [`crate::ChatQuery::start`].
    fn chat_replay(&self, api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>>;
}

/// A list, row by row, and the order in which its rows are returned.
///
/// Not every service supports every order: Helix lists newest first only
/// (dev.twitch.tv/docs/api/reference#get-channel-followers). If the order is not the requested one, the limit was not
/// applied either, since the requested rows come last; the caller can reverse the list and apply it.
pub struct Listing<T> {
    direction: Direction,
    rows: Rows<T>,
}

impl<T> Listing<T> {
    pub(crate) fn new(direction: Direction, rows: impl Iterator<Item = Result<T>> + Send + 'static) -> Listing<T> {
        Listing {
            direction,
            rows: Box::new(rows),
        }
    }

    /// The order in which the rows are returned.
    pub fn direction(&self) -> Direction {
        self.direction
    }
}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing")
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

impl<T> Iterator for Listing<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        self.rows.next()
    }
}

/// The rows of a page as separate items, or its error.
pub(super) fn one_by_one<T>(page: Result<Vec<T>>) -> impl Iterator<Item = Result<T>> {
    let (rows, error) = match page {
        Ok(rows) => (rows, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    rows.into_iter().map(Ok).chain(error.map(Err))
}
