//! The current source: Helix, and GQL for the chat of past broadcasts.

mod badges;
mod channels;
mod chat;
mod chatters;
mod clips;
mod emotes;
mod envelope;
mod followed;
mod followers;
mod games;
mod moderators;
mod search;
mod streams;
mod users;
mod videos;
mod vips;

use super::endpoint::Endpoint;
use super::parameters::{ChatParameters, FollowersParameters, FollowingParameters, PastStreamsParameters};
use super::source::{ChannelLookup, FollowerTotal, Listing, Rows, Source};
use crate::raw::{
    Channel, ChannelName, ChatMessage, Chatter, Follow, FollowedChannel, PastStream, RawApi, Result, Stream, Video,
};

/// Every endpoint of this source. The first one that matches a request is used.
pub(super) static ENDPOINTS: &[&Endpoint] = &[
    &badges::BADGES,
    &badges::GLOBAL_BADGES,
    &channels::CHANNELS,
    &chat::COMMENTS,
    &chat::VIDEO,
    &chatters::CHATTERS,
    &clips::CLIPS,
    &emotes::EMOTES,
    &emotes::GLOBAL_EMOTES,
    &followed::FOLLOWED,
    &followers::FOLLOWERS,
    &games::GAMES,
    &games::TOP_GAMES,
    &moderators::MODERATORS,
    &search::CATEGORIES,
    &search::CHANNELS,
    &streams::STREAMS,
    &streams::FOLLOWED_STREAMS,
    &users::OWN_USER,
    &users::USERS,
    &videos::VIDEOS,
    &vips::VIPS,
];

pub(crate) struct Twitch;

impl Source for Twitch {
    fn channels(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        Box::new(users::UserBatches::new(api.clone(), names))
    }

    fn channel(&self, api: &RawApi, name: &ChannelName) -> Result<Channel> {
        users::one(api, name)
    }

    fn user(&self, api: &RawApi, name: &ChannelName) -> Result<Channel> {
        self.channel(api, name)
    }

    fn follower_totals(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        Box::new(followers::Totals::new(api.clone(), names))
    }

    fn followers(&self, api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
        followers::list(api, asked)
    }

    fn following(&self, api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>> {
        followed::list(api, asked)
    }

    fn following_total(&self, api: &RawApi, name: &ChannelName) -> Result<Option<u64>> {
        followed::total(api, &self.user(api, name)?)
    }

    fn past_streams(&self, api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>> {
        videos::past(api, asked)
    }

    fn live_stream(&self, api: &RawApi, channel: &Channel) -> Result<Option<Stream>> {
        streams::live(api, api.fetch(streams::live_request(channel)))
    }

    fn video(&self, api: &RawApi, id: &str) -> Result<Video> {
        videos::video(api, id)
    }

    fn chatters(&self, api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
        chatters::list(api, channel)
    }

    fn chat_replay(&self, api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
        chat::replay(api, asked)
    }
}
