//! The common API handle of itch: requests, paging, models and sources, as types without I/O.
//!
//! Everything that asks Twitch for something does it through an [`Api`]: the built-in reports, a third-party
//! plugin in a shared library, a Rust program that links the client. The handle is a cheap clone over a
//! [`Transport`], and the transport alone knows sockets, tokens, limits, retries and caches. That is why
//! this crate has few dependencies and compiles in seconds.
//!
//! It must never import another crate of this workspace: it is the lowest of them.
//!
//! Its modules are three layers, and each imports only from those before it: `raw` (requests, answers, walks over
//! pages, models), `sources` (which requests answer which question, one file per endpoint) and `facade` (the handle).
//!
//! Three ways to ask, each usable by itself:
//!
//! 1. **Raw**: [`Api::fetch`] starts a request at once and gives a [`Pending`]; [`Pending::wait`] gives the
//!    [`Response`]; [`Api::wait_any`] waits for the first of several. Calls block, requests do not: ten pendings
//!    are ten requests in flight, with no thread and no `async` in sight. [`Pages`] follows a cursor.
//! 2. **Typed** (feature `helix`): `Api::helix` takes any request type of the `twitch_api` crate.
//! 3. **Domain**: [`Api::channel`], [`Api::channels`], [`Api::followers`], [`Api::follower_totals`] speak in
//!    [`Channel`], [`Follow`] and [`User`], whichever [`Source`] answers.
//!
//! ```no_run
//! # fn main() -> itch_api::Result<()> {
//! # let api: itch_api::Api = unimplemented!();
//! let channel = api.channel(&"burkeblack".parse()?)?;
//! for follow in api.followers(&channel).with_created().limit(10).start()? {
//!     let follow = follow?;
//!     println_row(&follow.user.login, follow.followed_at);
//! }
//! # fn println_row(_: &str, _: chrono::DateTime<chrono::Utc>) {}
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod facade;
mod raw;
mod sources;

#[cfg(feature = "helix")]
pub use facade::HelixItems;
pub use facade::{Api, ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
#[doc(hidden)]
pub use raw::sync;
pub use raw::{
    CacheScope, Chain, Channel, ChannelName, ChatMessage, Chatter, Commenter, EmoteUse, Error, ErrorDetails, ErrorKind,
    Fact, Follow, FollowedChannel, Freshness, GqlForm, Page, PageShape, PageStyle, Pages, PastStream, Pending, Policy,
    RawApi, Reason, Request, Response, Result, Role, Service, Sift, Stream, Ticket, Transport, User, Video,
};
pub use sources::{
    ChannelLookup, ChatParameters, Direction, FollowerTotal, FollowersParameters, FollowingParameters, Listing,
    PastStreamsParameters, Rows, Source, SourceName, policy_of,
};

/// The exact version of chrono whose types stand in this crate's signatures.
pub use chrono;
/// The exact version of serde_json whose types stand in this crate's signatures.
pub use serde_json;
