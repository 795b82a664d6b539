//! The source of today: Helix, and GQL for the chat of past broadcasts.

mod chat;
mod chatters;
mod envelope;
mod followed;
mod followers;
mod streams;
mod users;

use super::parameters::{ChatParameters, FollowersParameters, FollowingParameters, PastStreamsParameters};
use super::source::{ChannelLookup, FollowerTotal, Listing, Rows, Source};
use crate::raw::{
    Channel, ChannelName, ChatMessage, Chatter, Follow, FollowedChannel, PastStream, RawApi, Result, Stream, Video,
};

pub(crate) struct Twitch;

impl Source for Twitch {
    fn channels(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        Box::new(users::UserBatches::new(api.clone(), names))
    }

    fn user(&self, api: &RawApi, name: &ChannelName) -> Result<Channel> {
        self.channel(api, name)
    }

    fn follower_totals(&self, api: &RawApi, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        Box::new(users::Totals::new(api.clone(), names))
    }

    fn followers(&self, api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
        followers::list(api, asked)
    }

    fn following(&self, api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>> {
        followed::list(api, asked)
    }

    fn following_total(&self, api: &RawApi, name: &ChannelName) -> Result<u64> {
        followed::total(api, &self.user(api, name)?)
    }

    fn past_streams(&self, api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>> {
        streams::past(api, asked)
    }

    fn live_stream(&self, api: &RawApi, channel: &Channel) -> Result<Option<Stream>> {
        streams::live(api.fetch(streams::live_request(channel)))
    }

    fn video(&self, api: &RawApi, id: &str) -> Result<Video> {
        streams::video(api, id)
    }

    fn chatters(&self, api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
        chatters::list(api, channel)
    }

    fn chat_replay(&self, api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
        chat::replay(api, asked)
    }
}
