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
//! | `chat_replays` | 120000000 | 64 | those of the next table, live now | |
//!
//! `burkeblack` is a moderator of all but `not_moderated` and `just_a_viewer`, so that its token
//! lists their followers and chatters.
//!
//! These videos have the same id, times and number of comments under every seed. What is said in
//! them, and exactly when, depends on it:
//!
//! | video | kind | length | comments | |
//! |---|---|---|---|---|
//! | `2700000060` | archive | 6 h | 60,000 | since 2026-10-10T18:00:00Z |
//! | `2700000600` | archive | 30 h | 600,000 | since 2026-10-20T12:00:00Z |
//! | `2700000005` | archive | 300 s | 500 | |
//! | `2700000000` | archive | 1 h | 0 | |
//! | `2700000180` | archive | 1 h | 1,000 | 180 of them in second 1,234, more than a page |
//! | `2700000059` | highlight | 90 s | 59, exactly one page | |
//! | `2700000009` | archive | 600 s | 200 | its channel is gone: `creator` and `owner` are null |
//! | `2700000001` | archive | 10,560 s | 7,200 in 10,800 s | still running, its length lags behind |
//! | `80935574` | archive | 25,144 s | 4,000 | of 2016, as `v80935574` for the old services |
//! | `2700000404` | | | | not public: there is no such video |
//!
//! - **Accounts.** Every id from 1000000 to 1480000000 is an account, registered in the order of
//!   ids. Each has one login and a few followers of its own; a login that is no account's does not
//!   exist. One account in a thousand is gone: still among the followers, missing from `users`.
//! - **Followers of `burkeblack`** come since February 2013, more of them in the evening and while
//!   the channel is live. There is exactly one follow-bot wave: 3,200 accounts, registered between
//!   eleven and eight days before, follow from 2026-07-19T21:04:00Z for 34 minutes, among the
//!   people who happen to follow meanwhile. None of them is gone.
//! - **Broadcasts** start in the evening (UTC) and last for hours; one in 150 days lasts for more
//!   than a day. Each has an archive. There are highlights, uploads, and titles in many scripts. An
//!   archive that still grows says it is four minutes shorter than it is.
//! - **Comments** are in every archive and highlight, as many as fit its length and its channel,
//!   and in no upload. They are in many scripts, with emoji beyond the basic plane, emotes of both
//!   kinds of ids, tabs, line ends and escape sequences, deleted authors, empty badges and messages.
//! - **Chatters**: 2,345 in the chat of `burkeblack`, which has 12 moderators and 25 VIPs, three of
//!   four of them present, and one each of staff, admins and global moderators; 1,000, exactly one
//!   page, for `followers_10m`; nobody for `followers_0`; a few for the other channels.
//! - **Followed channels**: 312 by `burkeblack` and 12 by `just_a_viewer`, who follows `burkeblack`
//!   too. The followers of these channels agree.
//!
//! # Services
//!
//! - `/oauth2/token` (client credentials) and `/oauth2/validate`,
//! - `/helix/`: the endpoints that have a file in `src/helix/`, among them `users`, `channels/followers`,
//!   `videos`, and `users/follows`, which is gone, with the headers of the rate limit,
//! - `/gql` for videos and their comments, by query or by the hash of the web player's query, one
//!   operation or up to 35 at once, for three client ids of Twitch's own apps: `kd1unb…`,
//!   `ue6666…`, and `kimne…`, to which cursors of comments are refused. A page has 59 comments
//!   unless `first` asks for another number up to 100. A page by offset may start with up to five
//!   comments of the three seconds before it, and has a next page even at the end,
//! - `/kraken/users/{name}`, `users/{name}/follows/channels`, `channels/{name}`,
//!   `channels/{name}/follows`, `channels/{name}/videos`, `videos/{id}` and `streams/{name}`, as
//!   they were in 2016. Lists end with an empty page. The name `error_with_200` gives an error with
//!   status 200,
//! - `/tmi/group/user/{name}/chatters`, `/rechat/rechat-messages`, of which each window repeats the
//!   last three messages of the one before it, and
//!   `/loots/api/v1/search/channels/{id}/streams`, which are gone like kraken,
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
//! [`Faults`] strike at a rate from 0 to 1. These are drawn for every request but those to OAuth
//! anew, so a second try may succeed:
//!
//! | fault | |
//! |---|---|
//! | `429` | the rate limit is used up, for one to three seconds if it is that of Helix |
//! | `500`, `503` | a server error |
//! | `reset` | the connection is reset instead of an answer |
//! | `cut` | the connection closes in the middle of the body |
//! | `stall` | headers, and then nothing |
//! | `slow` | the body takes two seconds |
//! | `html` | status 200, and a page of HTML |
//! | `expired` | status 401 from Helix, as if the token had just expired |
//! | `legacy-200-error` | kraken, tmi, rechat and loots: an error in the body, and status 200 |
//!
//! These are drawn for every operation sent to GQL, and leave the status at 200:
//!
//! | fault | |
//! |---|---|
//! | `gql-null` | `comments` is null, and nothing says why |
//! | `gql-error` | `service error`, and null for `comments`, or for `video` if it is asked without |
//! | `gql-timeout` | `service timeout`, and null as with `gql-error` |
//! | `gql-data-null` | `data` is null, and nothing says why |
//! | `gql-unknown` | `PersistedQueryNotFound`, if the query is given by its hash |
//! | `gql-integrity` | `failed integrity check` for cursors with the client id `kd1unb…` |
//! | `gql-integrity-all` | `failed integrity check` for cursors with any client id |
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
//! They are for the lists of Helix. Of them, `duplicate`, with one comment, and `loop` trouble the
//! cursors of comments as well. `oauth-500` is the only one that strikes `/oauth2/`.

#![deny(missing_docs)]

mod credentials;
mod delivery;
mod faults;
mod gql;
mod helix;
mod legacy;
mod limit;
mod oauth;
mod options;
mod parameters;
mod reply;
mod requests;
mod server;
mod state;
mod world;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{runtime, sync::oneshot};

pub use crate::{
    credentials::{CLIENT_ID, CLIENT_SECRET, TOKEN, TOKEN_EXPIRED, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES},
    faults::{Faults, ParseFaultsError},
    options::Options,
};

/// Grows whenever the same seed gives other data than before. What was stored from the sandbox
/// under another version, or another seed, is about another world.
pub const DATA_VERSION: u32 = 1;

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
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(async { server::bind(options.port) })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("itch-sandbox".to_owned()).spawn(move || {
            let state = Arc::new(state::State::new(options));
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
            ("TWITCH_GQL_URL", format!("{base}/gql")),
            ("TWITCH_KRAKEN_URL", format!("{base}/kraken")),
            ("TWITCH_TMI_URL", format!("{base}/tmi")),
            ("TWITCH_RECHAT_URL", format!("{base}/rechat/rechat-messages")),
            ("TWITCH_LOOTS_URL", format!("{base}/loots/api/v1/")),
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
