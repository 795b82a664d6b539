//! The source of today: Helix, and GQL for the chat of past broadcasts.

mod chat;
mod chatters;
mod followers;
mod following;
mod streams;
mod users;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
use crate::source::{Listing, Rows};
use crate::{
    Api, Channel, ChannelLookup, ChannelName, ChatMessage, Chatter, Error, ErrorKind, Follow, FollowedChannel,
    FollowerTotal, PastStream, Result, Service, Source, Stream, Video,
};

pub(crate) struct Twitch;

impl Source for Twitch {
    fn channels(&self, api: &Api, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        Box::new(users::UserBatches::new(api.clone(), names))
    }

    fn user(&self, api: &Api, name: &ChannelName) -> Result<Channel> {
        api.channel(name)
    }

    fn follower_totals(&self, api: &Api, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        Box::new(users::Totals::new(api.clone(), names))
    }

    fn followers(&self, query: FollowersQuery) -> Result<Listing<Follow>> {
        followers::list(query)
    }

    fn following(&self, query: FollowingQuery) -> Result<Listing<FollowedChannel>> {
        following::list(query)
    }

    fn following_total(&self, api: &Api, name: &ChannelName) -> Result<u64> {
        following::total(api, name)
    }

    fn past_streams(&self, query: PastStreamsQuery) -> Result<Listing<PastStream>> {
        streams::past(query)
    }

    fn live_stream(&self, api: &Api, channel: &Channel) -> Result<Option<Stream>> {
        streams::live(api.fetch(streams::live_request(channel)))
    }

    fn video(&self, api: &Api, id: &str) -> Result<Video> {
        streams::video(api, id)
    }

    fn chatters(&self, api: &Api, channel: &Channel) -> Result<Rows<Chatter>> {
        chatters::list(api, channel)
    }

    fn chat_replay(&self, query: ChatQuery) -> Result<Rows<ChatMessage>> {
        chat::replay(query)
    }
}

/// The rows of a page, or its error, as items of their own.
fn one_by_one<T>(page: Result<Vec<T>>) -> impl Iterator<Item = Result<T>> {
    let (rows, error) = match page {
        Ok(rows) => (rows, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    rows.into_iter().map(Ok).chain(error.map(Err))
}

/// The items of a Helix envelope.
fn data<T: DeserializeOwned>(mut body: Value) -> Result<Vec<T>> {
    match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows.into_iter().map(read).collect(),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(Error::new(ErrorKind::BadData, "Twitch's answer has no list of rows").at(Service::Helix, None)),
    }
}

/// One row as a model.
fn read<T: DeserializeOwned>(row: Value) -> Result<T> {
    serde_json::from_value(row).map_err(|error| {
        Error::new(ErrorKind::BadData, "a row of Twitch's answer has not the documented shape")
            .source_chain(&error)
            .at(Service::Helix, None)
    })
}
