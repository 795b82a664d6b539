//! A simulated Twitch: `itch` runs against it without an account and without a network.
//!
//! [`Sandbox::start`] serves HTTP/1.1 on loopback in the shapes of Twitch's own services.
//!
//! ```
//! use itch_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options { seed: 7, ..Options::default() })?;
//! for (variable, value) in sandbox.environment() {
//!     println!("export {variable}={value}");
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Data
//!
//! All data are pure functions of a seed and an index. A channel with ten million followers costs
//! no memory, any page can be made alone, and the same seed gives the same answers on every machine
//! and on every day: the sandbox's present is 2026-11-01T00:00:00Z. What a version of this crate
//! changes in them is told by [`DATA_VERSION`].
//!
//! These channels have the same login, id and number of followers under every seed:
//!
//! | login | id | followers | videos | |
//! |---|---|---|---|---|
//! | `burkeblack` | 76725499 | 250,000 | since 2013, live now | owner of [`TOKEN`] |
//! | `followers_0` | 100000000 | 0 | none | |
//! | `followers_3` | 100000003 | 3 | none | |
//! | `followers_100` | 100000100 | 100, one full page | none | |
//! | `followers_200` | 100000200 | 200, two full pages | none | |
//! | `followers_10m` | 30000000 | 10,000,000 | since 2013, live now | |
//! | `not_moderated` | 110000000 | 4,321, counted but not listed | since 2018 | |
//! | `just_a_viewer` | 130000000 | 12, counted but not listed | none | owner of [`TOKEN_VIEWER`] |
//!
//! `burkeblack` is a moderator of all but the last two, so that its token lists their followers.
//!
//! - **Accounts.** Every id from 1000000 to 1480000000 is an account, registered in the order of
//!   ids. Each has one login and a few followers of its own; a login that is no account's does not
//!   exist. One account in a thousand is gone: still among the followers, missing from `users`.
//! - **Followers of `burkeblack`** come since February 2013, more of them in the evening and while
//!   the channel is live. There is exactly one follow-bot wave: 3,200 accounts, registered between
//!   eleven and eight days before, follow from 2026-07-19T21:04:00Z for 34 minutes, among the
//!   people who happen to follow meanwhile. None of them is gone.
//! - **Broadcasts** start in the evening (UTC) and last for hours; one in 150 days lasts for more
//!   than a day. Each has an archive. There are highlights, uploads, and titles in many scripts.
//! - **Followed channels**: 312 by `burkeblack` and 12 by `just_a_viewer`, who follows `burkeblack`
//!   too. The followers of these channels agree.
//!
//! # Services
//!
//! - `/oauth2/token` (client credentials) and `/oauth2/validate`,
//! - `/helix/users`, `channels/followers`, `channels/followed`, `streams`, `videos`, and
//!   `users/follows`, which is gone, with the headers of the rate limit,
//! - `/sandbox/requests`, which Twitch does not have: `{"total":2,"by_path":{"/helix/users":2}}`,
//!   the requests that came over the wire since the start, this one never counted or delayed.
//!
//! # Credentials
//!
//! There is one app, [`CLIENT_ID`] with [`CLIENT_SECRET`]. Besides the app tokens that
//! `/oauth2/token` issues there are four user tokens: [`TOKEN`], [`TOKEN_WITHOUT_SCOPES`],
//! [`TOKEN_VIEWER`] and [`TOKEN_EXPIRED`].
//!
//! # Faults
//!
//! [`Faults`] strike at a rate from 0 to 1. These are drawn for every request to Helix anew, so a
//! second try may succeed:
//!
//! | fault | |
//! |---|---|
//! | `429` | the rate limit is used up for one to three seconds |
//! | `500`, `503` | a server error |
//! | `reset` | the connection is reset instead of an answer |
//! | `cut` | the connection closes in the middle of the body |
//! | `stall` | headers, and then nothing |
//! | `slow` | the body takes two seconds |
//! | `html` | status 200, and a page of HTML |
//! | `expired` | status 401, as if the token had just expired |
//!
//! These belong to an account or to a place in a list, and stay there:
//!
//! | fault | |
//! |---|---|
//! | `gone` | the account is missing from `users`, besides those that are gone anyway |
//! | `duplicate` | the page starts with up to five rows of the one before it; none is lost |
//! | `shift` | the page starts with the last row of the one before it and is one row short |
//! | `empty-last` | the last page has a cursor, which leads to an empty one |
//! | `loop` | the page has the cursor that it was asked with |
//! | `no-rows` | an empty page with a cursor, before the page that belongs there |
//!
//! `oauth-500` is the only one that strikes `/oauth2/`.

#![deny(missing_docs)]

mod credentials;
mod delivery;
mod faults;
mod helix;
mod limit;
mod oauth;
mod parameters;
mod reply;
mod requests;
mod server;
mod world;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime, sync::oneshot};

pub use crate::{
    credentials::{
        CLIENT_ID, CLIENT_SECRET, TOKEN, TOKEN_EXPIRED, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES,
    },
    faults::{Faults, ParseFaultsError},
};

/// Grows whenever the same seed gives other data than before. What was stored from the sandbox
/// under another version, or another seed, is about another world.
pub const DATA_VERSION: u32 = 1;

/// How the sandbox behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Decides all data, and which requests the faults strike.
    pub seed: u64,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// How much longer it may take.
    pub jitter: Duration,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// Points per minute for each app and each user, as Helix counts them. `None`: there is no
    /// limit, and answers do not mention one.
    pub rate_limit: Option<u32>,
}

impl Default for Options {
    /// Any port, seed 1, at once, no faults, Twitch's limit of 800 points per minute.
    fn default() -> Options {
        Options {
            port: 0,
            seed: 1,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            faults: Faults::default(),
            rate_limit: Some(limit::DEFAULT_LIMIT),
        }
    }
}

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    seed: u64,
    thread: Option<JoinHandle<()>>,
    /// Dropping it stops the server.
    stop: Option<oneshot::Sender<()>>,
}

impl Sandbox {
    /// Starts the server on a thread of its own. It listens before this returns.
    pub fn start(options: Options) -> io::Result<Sandbox> {
        let seed = options.seed;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(async { server::bind(options.port) })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("itch-sandbox".to_owned())
            .spawn(move || {
                let state = Arc::new(server::State::new(options));
                runtime.block_on(server::serve(listener, state, stopped));
            })?;
        Ok(Sandbox {
            address,
            seed,
            thread: Some(thread),
            stop: Some(stop),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stands before the path of every service, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The seed of its data.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The variables that point a client at the sandbox, as `burkeblack` with every scope.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let base = self.base_url();
        vec![
            ("TWITCH_HELIX_URL", format!("{base}/helix/")),
            ("TWITCH_OAUTH2_URL", format!("{base}/oauth2/")),
            ("TWITCH_CLIENT_ID", CLIENT_ID.to_owned()),
            ("TWITCH_TOKEN", TOKEN.to_owned()),
        ]
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // It ends early only by a panic, and that has been reported then.
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
