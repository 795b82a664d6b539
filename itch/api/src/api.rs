//! The handle: a cheap clone over a transport, with blocking calls and many requests in flight.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
use crate::source::{Rows, source};
use crate::{
    Channel, ChannelLookup, ChannelName, Chatter, Error, ErrorKind, Fact, FollowerTotal, PageStyle, Pages, Request,
    Response, Result, Source, SourceName, Stream, Ticket, Transport, Video,
};

/// The one handle through which everything asks Twitch for something. Cloning it is cheap.
#[derive(Clone)]
pub struct Api {
    transport: Arc<dyn Transport>,
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
    /// A handle over a transport; the domain layer asks the services of today.
    pub fn new(transport: Arc<dyn Transport>) -> Api {
        Api {
            transport,
            source: SourceName::Twitch,
        }
    }

    /// The same handle with another source behind its domain layer.
    pub fn with_source(mut self, source: SourceName) -> Api {
        self.source = source;
        self
    }

    /// Which services answer the domain layer.
    pub fn source(&self) -> SourceName {
        self.source
    }

    /// What carries this handle's requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn source_impl(&self) -> &'static dyn Source {
        source(self.source)
    }

    // Raw layer.

    /// Starts a request at once.
    pub fn fetch(&self, request: Request) -> Pending {
        let started = self.transport.start(request.clone());
        Pending {
            transport: Arc::clone(&self.transport),
            request,
            state: match started {
                Ok(ticket) => State::Started(ticket),
                Err(error) => State::Failed(error),
            },
        }
    }

    /// Waits until one of the requests has ended and says which; it can then be waited for without blocking.
    ///
    /// An empty list is an error of the caller.
    pub fn wait_any(&self, pendings: &[&Pending]) -> Result<usize> {
        let mut tickets = Vec::with_capacity(pendings.len());
        for (place, pending) in pendings.iter().enumerate() {
            match &pending.state {
                State::Started(ticket) => tickets.push(*ticket),
                // Already ended: there is nothing to wait for.
                State::Failed(_) | State::Taken => return Ok(place),
            }
        }
        if tickets.is_empty() {
            return Err(Error::new(ErrorKind::Failed, "nothing to wait for"));
        }
        self.transport.wait_any(&tickets)
    }

    /// Fetches a request and gives the JSON of a successful answer.
    pub fn json(&self, request: Request) -> Result<Value> {
        self.fetch(request).json()
    }

    /// Follows the cursor of a Helix list, starting at once.
    ///
    /// `max` is the endpoint's largest page (most often 100).
    pub fn pages(&self, request: Request, max: u32) -> Pages {
        Pages::new(self.clone(), request, PageStyle::Helix, max)
    }

    /// Notes a fact for the verdict.
    pub fn note(&self, fact: Fact) {
        self.transport.note(fact);
    }

    /// Whether the run should stop.
    pub fn cancelled(&self) -> bool {
        self.transport.cancelled()
    }

    // Domain layer.

    /// Looks up one channel; an unknown one is an error of kind [`ErrorKind::NotFound`].
    pub fn channel(&self, name: &ChannelName) -> Result<Channel> {
        let mut found = self.channels(vec![name.clone()]);
        match found.next() {
            Some(lookup) => lookup?.channel.ok_or_else(|| unknown_channel(name)),
            None => Err(unknown_channel(name)),
        }
    }

    /// Looks up many channels, in batches, several at once, and gives each in the order asked for.
    pub fn channels(&self, names: Vec<ChannelName>) -> Rows<ChannelLookup> {
        self.source_impl().channels(self, names)
    }

    /// Looks up one user account; the old services told users and channels apart, today they are one.
    pub fn user(&self, name: &ChannelName) -> Result<Channel> {
        self.source_impl().user(self, name)
    }

    /// The followers of a channel: set the query up, then start it.
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
        FollowersQuery::new(self.clone(), channel.clone())
    }

    /// How many followers each of the channels has, in the order asked for.
    pub fn follower_totals(&self, names: Vec<ChannelName>) -> Rows<FollowerTotal> {
        self.source_impl().follower_totals(self, names)
    }

    /// The channels that a user follows: set the query up, then start it. Today Twitch shows them to that user only.
    pub fn following(&self, user: &Channel) -> FollowingQuery {
        FollowingQuery::new(self.clone(), user.clone())
    }

    /// How many channels a user follows. Today Twitch tells that user only.
    pub fn following_total(&self, name: &ChannelName) -> Result<u64> {
        self.source_impl().following_total(self, name)
    }

    /// The past broadcasts of a channel, and the running one with its end left empty.
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
        PastStreamsQuery::new(self.clone(), channel.clone())
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
        self.source_impl().live_stream(self, channel)
    }

    /// One video; an unknown one is an error of kind [`ErrorKind::NotFound`].
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let seconds = api.video("2345678901")?.seconds();
    /// # Ok(()) }
    /// ```
    pub fn video(&self, id: &str) -> Result<Video> {
        self.source_impl().video(self, id)
    }

    /// Who is in a channel's chat room: moderators first, then viewers. Today Twitch tells the broadcaster and the
    /// moderators only, and roles only the broadcaster.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// let channel = api.channel(&"burkeblack".parse()?)?;
    /// let names: Result<Vec<String>, _> = api.chatters(&channel)?.map(|chatter| Ok(chatter?.login)).collect();
    /// # names.map(drop) }
    /// ```
    pub fn chatters(&self, channel: &Channel) -> Result<Rows<Chatter>> {
        self.source_impl().chatters(self, channel)
    }

    /// The chat of a past broadcast: set the query up, then start it.
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
        ChatQuery::new(self.clone(), video.to_owned())
    }
}

/// The error for a channel that no service knows.
pub(crate) fn unknown_channel(name: &ChannelName) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no channel `{}`", name.typed()))
        .hint("check the spelling; a renamed, banned or deleted account is not found either")
}

enum State {
    Started(Ticket),
    Failed(Error),
    Taken,
}

/// A request in flight. Dropping it gives the request up.
pub struct Pending {
    transport: Arc<dyn Transport>,
    request: Request,
    state: State,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Pending {
    /// What was asked.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Waits for the final HTTP answer, whatever its status.
    pub fn wait(mut self) -> Result<Response> {
        match std::mem::replace(&mut self.state, State::Taken) {
            State::Started(ticket) => self.transport.wait(ticket),
            State::Failed(error) => Err(error),
            State::Taken => Err(Error::new(ErrorKind::Failed, "an answer was taken twice")),
        }
    }

    /// Waits, and gives the JSON of a successful answer or the service's refusal as an error.
    pub fn json(mut self) -> Result<Value> {
        let request = std::mem::replace(&mut self.request, Request::helix(""));
        self.wait()?.success(&request)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let State::Started(ticket) = self.state {
            self.transport.abandon(ticket);
        }
    }
}
