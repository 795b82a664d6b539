//! The common API handle of itch: requests, paging, models and sources, as types without I/O.
//!
//! Every request to Twitch goes through an [`Api`], whether it comes from a built-in report, a third-party plugin in
//! a shared library or a Rust program that links the client. The handle is a cheap clone over a [`Transport`]. Only
//! the transport deals with sockets, tokens, limits, retries and caches, so this crate has few dependencies and
//! compiles in seconds.
//!
//! It must never import another crate of this workspace: every other crate may depend on it.
//!
//! Its modules form three layers, and each imports only from those before it: `raw` (requests, answers, paging,
//! models), `sources` (the requests for each query, one file per endpoint) and `facade` (the handle).
//!
//! There are three ways to send requests. Each can be used without the others:
//!
//! 1. **Raw**: [`Api::fetch`] starts a request at once and returns a [`Pending`]; [`Pending::wait`] returns the
//!    [`Response`]; [`Api::wait_any`] waits for the first of several. Calls block, requests do not: ten `Pending`
//!    values are ten requests in flight, without threads or `async` in the caller. [`Pages`] follows a cursor.
//! 2. **Typed** (feature `helix`): `Api::helix` accepts any request type of the `twitch_api` crate.
//! 3. **Domain**: [`Api::channel`], [`Api::channels`], [`Api::followers`], [`Api::follower_totals`] and others return
//!    [`Channel`], [`Follow`] and [`User`], independent of the [`Source`].
//!
//! ```no_run
//! # fn main() -> itch_api::Result<()> {
//! # let api: itch_api::Api = unimplemented!();
//! let channel = api.channel(&"burkeblack".parse()?)?;
//! for follow in api.followers(&channel).with_created().limit(10).start()? {
//!     let follow = follow?;
//!     println_row(&follow.user.login, follow.followed_at);
//! }
//! # fn println_row(_: &str, _: Option<chrono::DateTime<chrono::Utc>>) {}
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
    Fact, Follow, FollowedChannel, Freshness, GqlError, GqlErrorKind, GqlForm, Page, PageShape, PageStyle, Pages,
    PastStream, Pending, Policy, RawApi, Reason, Request, Response, Result, Role, Service, Sift, Stream, Ticket,
    Transport, User, Video, gql_errors, json_part,
};
pub use sources::{
    ChannelLookup, ChatParameters, Direction, FollowerTotal, FollowersParameters, FollowingParameters, Listing,
    PastStreamsParameters, Rows, Source, SourceName, policy_of,
};

/// The version of chrono whose types appear in this crate's public API.
pub use chrono;
/// The version of serde_json whose types appear in this crate's public API.
pub use serde_json;
