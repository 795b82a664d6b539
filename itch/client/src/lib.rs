//! The transport of itch: it carries the requests of an [`Api`](itch_api::Api) to Twitch, and is the only crate that
//! handles sockets, tokens, rate limits, retries and stored answers. It imports `itch-api` and, for the cache
//! interface, `itch-plugin`. It must never import a crate for output, the sandbox, a report, a cache backend or the
//! host: its caller passes it open stores and a function for warnings, and it never prints.
//!
//! A request passes through these layers from top to bottom, one module each:
//!
//! | layer | module | what it does |
//! |---|---|---|
//! | identity | `sign_in` | reads the user of the token from disk, if the answer depends on the user |
//! | coalesce | `coalesce` | joins an equal request that is in flight |
//! | cache | `cache` | uses a stored answer that is fresh enough (`freshness`, `policy`, `key`, `entry`, `store`) |
//! | offline | `client` | fails here if the answer is not stored |
//! | sign-in | `sign_in` | validates the token, renews it (`accounts`) or requests one |
//! | limiter | `limiter` | waits for a point of the rate limit, of this process (`bucket`) and of all, and for its turn |
//! | retry | `retry` | repeats a request after a temporary failure |
//! | wire | `wire` | sends the request (`address`, `body`) |
//!
//! [`Client::send`] sends one request of any method (`direct`) through the layers from the limiter on: without a cache.
//!
//! All layers run on one thread that belongs to the client. `tickets` lets blocking callers wait for them.
//!
//! ```no_run
//! use itch_client::{Client, Secret, Settings};
//!
//! # fn main() -> itch_api::Result<()> {
//! let mut settings = Settings::new();
//! settings.identity.token = std::env::var("TWITCH_TOKEN").ok().map(Secret::from);
//! let client = Client::new(settings)?;
//! let channel = client.api().channel(&"burkeblack".parse()?)?;
//! let requests = client.counters().requests;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod accounts;
mod address;
mod allowance;
mod body;
mod bucket;
mod cache;
mod client;
mod coalesce;
mod counters;
mod direct;
mod entry;
mod fetch;
mod freshness;
mod gql;
mod hash;
mod key;
mod limit_file;
#[cfg(test)]
mod limit_simulation;
mod limit_store;
mod limiter;
mod network;
mod outline;
mod passing;
mod policy;
mod private_file;
mod proxy;
mod repair;
mod retry;
mod secret;
mod secrets;
mod settings;
mod shared_bucket;
mod sign_in;
mod store;
mod tickets;
mod unpack;
mod waits;
mod wire;

pub use accounts::{Account, Accounts, ServiceAddresses};
pub use client::Client;
pub use counters::Counters;
pub use direct::{DirectAnswer, DirectFailure, DirectRequest, Method, Outcome, SignedIn};
pub use entry::{Corrupt, StoredEntry};
pub use gql::{GqlFacts, GqlOperation};
pub use secret::Secret;
pub use secrets::Secrets;
pub use settings::{DEFAULT_MAX_WAIT, DEFAULT_RETRIES, DEFAULT_TIMEOUT, IdentitySettings, Settings, Warn, bare_token};
pub use sign_in::{DeviceCode, Reached, SignIn, Who, WhoSource, finish_renewals, needs_secret};
pub use waits::{Wait, WaitReason};
