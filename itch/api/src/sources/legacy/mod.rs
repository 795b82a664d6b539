//! The source of 2016: kraken version 3, tmi, rechat and loots.com, with the same requests as the original itch.
//!
//! URLs, parameters and their order are those of bibby/itch, so that cache directories of that program can be used.
//! The services no longer exist; archives, replay servers and the simulated Twitch still use these formats.

mod fields;
mod kraken;
mod loots;
mod rechat;
mod tmi;

use super::endpoint::Endpoint;
use super::parameters::{ChatParameters, FollowersParameters, FollowingParameters, PastStreamsParameters};
use super::source::{ChannelLookup, FollowerTotal, Listing, Rows, Source};
use crate::raw::{
    Channel, ChannelName, ChatMessage, Chatter, Follow, FollowedChannel, PastStream, RawApi, Result, Stream, Video,
};

/// Every endpoint of this source.
pub(super) static ENDPOINTS: &[&Endpoint] = &[
    &kraken::CHANNELS,
    &kraken::FOLLOWED,
    &kraken::FOLLOWERS,
    &kraken::STREAMS,
    &kraken::USERS,
    &kraken::VIDEOS,
    &loots::STREAMS,
    &rechat::MESSAGES,
    &tmi::CHATTERS,
];

pub(crate) struct Legacy;

impl Source for Legacy {
    fn channels(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        Box::new(kraken::Channels::new(api.clone(), names))
    }

    fn user(&self, api: &RawApi, name: &ChannelName) -> Result<Channel> {
        kraken::user(api, name)
    }

    fn follower_totals(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        let api = api.clone();
        let lookups = kraken::Channels::new(api.clone(), names);
        Box::new(lookups.map(move |lookup| lookup.map(|lookup| kraken::follower_total(&api, lookup))))
    }

    fn followers(&self, api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
        kraken::followers(api, asked)
    }

    fn following(&self, api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>> {
        kraken::following(api, asked)
    }

    fn following_total(&self, api: &RawApi, name: &ChannelName) -> Result<Option<u64>> {
        kraken::following_total(api, name)
    }

    fn past_streams(&self, api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>> {
        loots::past_streams(api, asked)
    }

    fn live_stream(&self, api: &RawApi, channel: &Channel) -> Result<Option<Stream>> {
        kraken::live_stream(api, channel)
    }

    fn video(&self, api: &RawApi, id: &str) -> Result<Video> {
        kraken::video(api, id)
    }

    fn chatters(&self, api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
        tmi::chatters(api, channel)
    }

    fn chat_replay(&self, api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
        rechat::replay(api, asked)
    }
}
