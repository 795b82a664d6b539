//! The source of 2016: kraken version 3, tmi, rechat and loots.com, asked exactly as the first itch asked them.
//!
//! URLs, parameters and their order are those of bibby/itch, so that cache directories of that program answer. The
//! services are gone from the internet; archives, replay servers and the simulated Twitch still speak like this.

mod kraken;
mod loots;
mod rechat;
mod tmi;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
use crate::source::{Listing, Rows};
use crate::{
    Api, Channel, ChannelLookup, ChannelName, ChatMessage, Chatter, Follow, FollowedChannel, FollowerTotal, PastStream,
    Result, Source, Stream, Video,
};

pub(crate) struct Legacy;

impl Source for Legacy {
    fn channels(&self, api: &Api, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        Box::new(kraken::Channels::new(api.clone(), names))
    }

    fn user(&self, api: &Api, name: &ChannelName) -> Result<Channel> {
        kraken::user(api, name)
    }

    fn follower_totals(&self, api: &Api, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        Box::new(kraken::Channels::new(api.clone(), names).map(|lookup| lookup.and_then(kraken::follower_total)))
    }

    fn followers(&self, query: FollowersQuery) -> Result<Listing<Follow>> {
        kraken::followers(query)
    }

    fn following(&self, query: FollowingQuery) -> Result<Listing<FollowedChannel>> {
        kraken::following(query)
    }

    fn following_total(&self, api: &Api, name: &ChannelName) -> Result<u64> {
        kraken::following_total(api, name)
    }

    fn past_streams(&self, query: PastStreamsQuery) -> Result<Listing<PastStream>> {
        loots::past_streams(query)
    }

    fn live_stream(&self, api: &Api, channel: &Channel) -> Result<Option<Stream>> {
        kraken::live_stream(api, channel)
    }

    fn video(&self, api: &Api, id: &str) -> Result<Video> {
        kraken::video(api, id)
    }

    fn chatters(&self, api: &Api, channel: &Channel) -> Result<Rows<Chatter>> {
        tmi::chatters(api, channel)
    }

    fn chat_replay(&self, query: ChatQuery) -> Result<Rows<ChatMessage>> {
        rechat::replay(query)
    }
}

/// A time as the first itch read it: an offset is dropped, and so is a fraction.
fn time(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = value?.as_str()?.get(..19)?;
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S");
    let time = time.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"));
    time.ok().map(|time| time.and_utc())
}

/// A field as text: numbers too, since kraken's ids are numbers.
fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
