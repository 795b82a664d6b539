//! The handle: a cheap clone over a transport. Calls block, and many requests can be in flight.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
use crate::raw::{
    Channel, ChannelName, Chatter, Fact, PageStyle, Pages, Pending, RawApi, Request, Result, Stream, Transport, Video,
};
use crate::sources::{ChannelLookup, FollowerTotal, Rows, Source, SourceName, source};

/// The handle for every request to Twitch. Cloning it is cheap.
#[derive(Clone)]
pub struct Api {
    raw: RawApi,
    source: SourceName,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Api {
    /// A handle over a transport. The domain layer asks the current services ([`SourceName::Twitch`]).
    pub fn new(transport: Arc<dyn Transport>) -> Api {
        Api {
            raw: RawApi::new(transport),
            source: SourceName::Twitch,
        }
    }

    /// The same handle with another source for the domain layer.
    pub fn with_source(mut self, source: SourceName) -> Api {
        self.source = source;
        self
    }

    /// Sets which fields of the models are needed, by their names there, and what messages call each of them. By default
    /// every value that cannot be read counts; with this, only those of these fields.
    pub fn with_fields(mut self, fields: BTreeMap<String, String>) -> Api {
        self.raw = self.raw.with_fields(fields);
        self
    }

    /// Which services answer the domain layer.
    pub fn source(&self) -> SourceName {
        self.source
    }

    /// The transport that carries this handle's requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        self.raw.transport()
    }

    fn source_impl(&self) -> &'static dyn Source {
        source(self.source)
    }

    // Raw layer.

    /// Starts a request and returns at once.
    pub fn fetch(&self, request: Request) -> Pending {
        self.raw.fetch(request)
    }

    /// Waits until one of the requests has finished and returns its index. Waiting for that request then does not
    /// block.
    ///
    /// Returns an error if the list is empty.
    pub fn wait_any(&self, pendings: &[&Pending]) -> Result<usize> {
        self.raw.wait_any(pendings)
    }

    /// Sends a request and returns the JSON of a successful answer.
    pub fn json(&self, request: Request) -> Result<Value> {
        self.raw.json(request)
    }

    /// Follows the cursor of a Helix list. The first request starts at once.
    ///
    /// `max` is the endpoint's largest page size (usually 100).
    pub fn pages(&self, request: Request, max: u32) -> Pages {
        Pages::new(self.raw.clone(), request, PageStyle::Helix, max)
    }

    /// Records a fact for the verdict.
    pub fn note(&self, fact: Fact) {
        self.raw.note(fact);
    }

    /// Whether the run should stop.
    pub fn cancelled(&self) -> bool {
        self.raw.cancelled()
    }

    // Domain layer.

    /// Looks up one channel. An unknown channel is an error of kind
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    pub fn channel(&self, name: &ChannelName) -> Result<Channel> {
        self.source_impl().channel(&self.raw, name)
    }

    /// Looks up many channels in batches, several batches at a time, and returns them in the order of `names`.
    pub fn channels(&self, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        self.source_impl().channels(&self.raw, names)
    }

    /// Looks up one user account. The old services distinguish users from channels; Helix does not.
    pub fn user(&self, name: &ChannelName) -> Result<Channel> {
        self.source_impl().user(&self.raw, name)
    }

    /// The followers of a channel: configure the query, then start it.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let channel = api.channel(&"burkeblack".parse()?)?;
    /// for follow in api.followers(&channel).with_created().limit(1000).start()? {
    ///     let account = follow?.user;
    ///     let (login, created) = (account.login, account.created_at);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn followers(&self, channel: &Channel) -> FollowersQuery {
        FollowersQuery::new(self.raw.clone(), self.source, channel.clone())
    }

    /// How many followers each of the channels has, in the order of `names`.
    pub fn follower_totals(&self, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        self.source_impl().follower_totals(&self.raw, names)
    }

    /// The channels that a user follows: configure the query, then start it. Twitch now shows them only to that user.
    pub fn following(&self, user: &Channel) -> FollowingQuery {
        FollowingQuery::new(self.raw.clone(), self.source, user.clone())
    }

    /// How many channels a user follows. Twitch now shows the number only to that user.
    ///
    /// `None`, and counted as unreadable, if the service does not send the number.
    pub fn following_total(&self, name: &ChannelName) -> Result<Option<u64>> {
        self.source_impl().following_total(&self.raw, name)
    }

    /// The past broadcasts of a channel, and the running one, whose `end` is empty.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let channel = api.channel(&"burkeblack".parse()?)?;
    /// for stream in api.past_streams(&channel).limit(10).start()? {
    ///     let stream = stream?;
    ///     let hours = stream.start.zip(stream.end).map(|(start, end)| (end - start).num_hours());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn past_streams(&self, channel: &Channel) -> PastStreamsQuery {
        PastStreamsQuery::new(self.raw.clone(), self.source, channel.clone())
    }

    /// The running broadcast of a channel, if there is one.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let channel = api.channel(&"burkeblack".parse()?)?;
    /// let viewers = api.live_stream(&channel)?.map(|stream| stream.viewer_count);
    /// # Ok(()) }
    /// ```
    pub fn live_stream(&self, channel: &Channel) -> Result<Option<Stream>> {
        self.source_impl().live_stream(&self.raw, channel)
    }

    /// One video. An unknown id is an error of kind [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let seconds = api.video("2345678901")?.seconds();
    /// # Ok(()) }
    /// ```
    pub fn video(&self, id: &str) -> Result<Video> {
        self.source_impl().video(&self.raw, id)
    }

    /// Who is in a channel's chat room: moderators first, then viewers. Twitch now shows the list only to the
    /// broadcaster and the moderators, and roles only to the broadcaster.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let channel = api.channel(&"burkeblack".parse()?)?;
    /// let names: Result<Vec<String>, _> = api.chatters(&channel)?.map(|chatter| Ok(chatter?.login)).collect();
    /// # names.map(drop) }
    /// ```
    pub fn chatters(&self, channel: &Channel) -> Result<Rows<Chatter>> {
        self.source_impl().chatters(&self.raw, channel)
    }

    /// The chat of a past broadcast: configure the query, then start it.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// for message in api.chat_replay("2345678901").from(3600).to(7200).start()? {
    ///     let message = message?;
    ///     let (who, what) = (message.commenter.map(|user| user.login), message.text);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn chat_replay(&self, video: &str) -> ChatQuery {
        ChatQuery::new(self.raw.clone(), self.source, video.to_owned())
    }
}

impl From<Api> for RawApi {
    fn from(api: Api) -> RawApi {
        api.raw
    }
}
