//! A simulated Twitch: `itch` can use it without an account and without a network.
//!
//! [`Sandbox::start`] serves HTTP/1.1 on the loopback interface, in the formats of Twitch's own services.
//!
//! ```
//! use itch_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options { seed: 7, ..Options::default() })?;
//! for (variable, value) in sandbox.environment() {
//!     println!("export {variable}='{value}'");
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Data
//!
//! All data are pure functions of a seed, a day and an index. A channel with ten million followers takes no memory, any
//! page can be computed alone, and the same seed and day give the same data on every machine: in the sandbox it is always
//! the first moment of [`Options::day`]. Another day moves every time by whole days and changes nothing else; ids and
//! texts stay. The times below are those of 2026-11-01, the default. [`DATA_VERSION`] changes when a version of this
//! crate changes the data.
//!
//! These channels have the same login, id and number of followers for every seed:
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
//! `burkeblack` is a moderator of all of them except `not_moderated` and `just_a_viewer`, so its token can list their
//! followers and chatters.
//!
//! These videos have the same id, times and number of comments for every seed. The texts and the exact times of the
//! comments depend on the seed:
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
//! - **Accounts.** Every id from 1000000 to 1480000000 is an account; ids are in the order of registration. Each
//!   account has one login and a few followers; no other logins exist. One account in a thousand was deleted: it is
//!   still listed among followers, but missing from `users`.
//! - **Followers of `burkeblack`** since February 2013; more of them follow in the evening and while the channel is
//!   live. There is exactly one wave of follow-bots: 3,200 accounts, registered eleven to eight days before, follow
//!   within 34 minutes from 2026-07-19T21:04:00Z. Some ordinary accounts follow during the wave as well. No account of
//!   the wave is deleted.
//! - **Broadcasts** start in the evening (UTC) and last for hours; one in 150 days lasts for more than a day. Each has
//!   an archive. There are also highlights, uploads, and titles in many scripts. The archive of a running broadcast
//!   shows a length that is four minutes too short.
//! - **Comments** are in every archive and highlight, and in no upload; their number depends on the length of the video
//!   and on the channel. They are in many scripts, with emoji outside the basic multilingual plane, emotes with both
//!   kinds of ids, tabs, line ends and escape sequences, deleted authors, empty badges and empty messages.
//! - **Chatters**: 2,345 in the chat of `burkeblack`, which has 12 moderators and 25 VIPs, of whom three in four are
//!   present, and one each of staff, admins and global moderators; 1,000, exactly one page, for `followers_10m`; none
//!   for `followers_0`; a few for the other channels.
//! - **Followed channels**: 312 by `burkeblack` and 12 by `just_a_viewer`, who also follows `burkeblack`. They agree
//!   with the lists of followers of these channels.
//!
//! # Services
//!
//! - `/oauth2/device`, `/oauth2/token` (client credentials, device code, refresh), `/oauth2/revoke` and
//!   `/oauth2/validate`, and the page `/activate`, where a user signs in,
//! - `/helix/`: the endpoints that have a file in `src/helix/`, for example `users`, `channels/followers` and `videos`,
//!   all with rate limit headers, and `users/follows`, which Twitch has removed. `users/blocks` and `moderation/bans`
//!   can be written to; what was written is forgotten when the sandbox ends,
//! - `/gql` for videos and their comments, by query or by the hash of the web player's query, with up to 35 operations
//!   per request, for three client ids of Twitch's own apps: `kd1unb…`, `ue6666…`, and `kimne…`, which may not use
//!   cursors of comments. A page has 59 comments unless `first` asks for another number up to 100. A page by offset may
//!   start with up to five comments of the three seconds before the offset, and always claims to have a next page, even
//!   at the end,
//! - `/kraken/users/{name}`, `users/{name}/follows/channels`, `channels/{name}`, `channels/{name}/follows`,
//!   `channels/{name}/videos`, `videos/{id}` and `streams/{name}`, as they were in 2016. Lists end with an empty page.
//!   The name `error_with_200` returns an error with status 200,
//! - `/tmi/group/user/{name}/chatters`, `/rechat/rechat-messages`, where each window repeats the last three messages of
//!   the previous window, and `/loots/api/v1/search/channels/{id}/streams`; like kraken, these services no longer
//!   exist,
//! - `/sandbox/requests`, which only the sandbox has: `{"total":2,"by_path":{"/helix/users":2}}`, the number of
//!   requests since the start,
//! - `/sandbox/tokens`: what happened to codes and tokens, in order, for example
//!   `{"ms":1793491200000,"event":"refreshed","client":"…","user":"burkeblack","refresh":"…","new_refresh":"…"}`. The
//!   events are `device`, `approved`, `denied`, `blocked`, `issued`, `refreshed`, `invalid_refresh` and `revoked`; and
//!   `answer_sent` or `answer_broken` for each answer with a refresh token, when its last byte was given to the kernel,
//!   or when the connection ended before. Instead of a refresh token, it has the first 16 hexadecimal digits of its
//!   SHA-256,
//! - `/sandbox/accounts`: the accounts that `/activate` offers: `[{"login":"burkeblack","id":"…","role":"…"}]`.
//!
//! Requests to `/sandbox/` are not counted or delayed.
//!
//! # Credentials
//!
//! There are three apps: [`CONFIDENTIAL_CLIENT_ID`], which is confidential and has [`CLIENT_SECRET`], [`PUBLIC_CLIENT_ID`],
//! which is public, and [`CLIENT_ID`], which is both, so that one id is enough: it gets app tokens with the secret, and its
//! users sign in without one. Four user tokens of the last one always exist: [`TOKEN`], [`TOKEN_WITHOUT_SCOPES`],
//! [`TOKEN_VIEWER`] and [`TOKEN_EXPIRED`]; they cannot be renewed, and revoking them has no effect.
//!
//! All may ask for user tokens with the device code grant:
//!
//! - `POST /oauth2/device` gives a code and the address of a page. There, or with `/activate?device-code=…&login=…` (GET
//!   or POST), any account signs in; with `deny=1` in the place of the login it refuses. The page offers `burkeblack`, a
//!   moderator and a VIP of `burkeblack`, `just_a_viewer` and `not_moderated`; the second and the third depend on the
//!   seed.
//! - A device that polls before [`Options::device_interval`] has passed since its last poll gets `authorization_pending`
//!   for ever.
//! - A refresh token is void once it was used. Only the confidential app needs its secret for it, and keeps its refresh
//!   token. Access tokens that were issued before stay valid until they expire.
//! - Revoking an access token also ends its refresh token.
//!
//! What a token may list is decided by its scopes and by the role of its user in the channel.
//!
//! # Faults
//!
//! [`Faults`] occur at a rate from 0 to 1. These are decided anew for every request except those to OAuth, so a retry
//! may succeed:
//!
//! | fault | |
//! |---|---|
//! | `429` | the rate limit is exceeded; with Helix for one to three seconds |
//! | `500`, `503` | a server error |
//! | `reset` | the connection is reset before the response |
//! | `cut` | the connection closes in the middle of the body |
//! | `stall` | the headers, and then no body |
//! | `slow` | the body takes two seconds |
//! | `html` | status 200, and a page of HTML |
//! | `expired` | status 401 from Helix, as if the token had just expired |
//! | `legacy-200-error` | kraken, tmi, rechat and loots: an error in the body, and status 200 |
//! | `outage` | one of 408, 425, 500 to 504 and 520 to 527, with JSON, HTML or no body |
//! | `false-429` | 429 while `Ratelimit-Remaining` is positive, or without any header |
//! | `reset-ms` | 429 from Helix with `Ratelimit-Reset` in milliseconds, 300 ms from now |
//! | `echo` | 502 or 503 with the token of the request: as it is, in base64 or percent-encoded |
//! | `echo-location` | 302 with a `Location` that contains the token |
//! | `bom` | a byte order mark before the body |
//! | `gzip-members` | a gzip body of two members, if the client accepts gzip |
//! | `media-type` | a wrong `Content-Type`, or none |
//! | `null-list` | each list of rows is null or missing |
//! | `early-end` | no cursor, or `hasNextPage: false`, although rows follow |
//! | `empty-page` | the rows are missing, in no two answers in a row; half of the time the list also ends |
//! | `total-drift` | the total is up to three too high or too low |
//! | `odd-total` | the total is null, a text, negative or missing |
//! | `odd-envelope` | one value outside the rows is null, empty, of another type or missing |
//!
//! These are decided for every operation sent to GQL; the status is still 200:
//!
//! | fault | |
//! |---|---|
//! | `gql-null` | `comments` is null, without an error |
//! | `gql-error` | `service error`, and null for `comments`, or for `video` if it is asked without |
//! | `gql-timeout` | `service timeout`, and null as with `gql-error` |
//! | `gql-data-null` | `data` is null, without an error |
//! | `gql-unknown` | `PersistedQueryNotFound`, if the query is given by its hash |
//! | `gql-integrity` | `failed integrity check` for cursors with the client id `kd1unb…` |
//! | `gql-integrity-all` | `failed integrity check` for cursors with any client id |
//! | `gql-path` | errors whose paths name authors, badges, a comment or the list, which are null beside good data |
//! | `gql-unknown-text` | `service unavailable` or another text, and no data |
//!
//! `gql-status` has status 400 or 403, and a body with `PersistedQueryNotFound`, `failed integrity check` or a text that
//! passes.
//!
//! These depend on a row or on a position in a list, and a retry gives the same result:
//!
//! | fault | |
//! |---|---|
//! | `gone` | the account is missing from `users`, in addition to the deleted ones |
//! | `refused-id` | `users` refuses every batch that has the account with status 400 |
//! | `duplicate` | the page starts with up to five rows of the one before it; no row is lost |
//! | `shift` | the page starts with the last row of the one before it and is one row short |
//! | `empty-last` | the last page has a cursor, which leads to an empty one |
//! | `loop` | the page has the cursor that it was asked with |
//! | `no-rows` | an empty page with a cursor, followed by the actual page |
//! | `endless` | from this page on, rows that were sent before are sent for ever, under ever new cursors |
//! | `late-repeat` | the page starts with up to five rows of a page twelve pages before; no row is lost |
//! | `short-page` | the page has fewer rows than asked for; the next one continues after it |
//! | `long-page` | the page has 30 more rows than asked for |
//!
//! They occur in the lists of Helix. `duplicate` (with one comment), `loop`, `endless` and `late-repeat` also occur with
//! cursors of comments, `short-page` and `long-page` with all pages of comments.
//!
//! These change the rows of every service, each row by its key. A retry gives the same result:
//!
//! | fault | |
//! |---|---|
//! | `disorder` | the rows of the page are shuffled; it depends on the first one |
//! | `odd-field` | one value, at any depth but not a key, is null, a list, an object, missing, or a number as text or vice versa |
//! | `odd-value` | one value, not a key or a time, is empty, -1, 0 or another text |
//! | `odd-key` | the id, or the offset of a comment, is null, a list, an object or missing, or the whole row is; in `users` also the login |
//! | `blank` | the id, the login and the name of the account in the row are empty |
//! | `zero-time` | each time is `0001-01-01T00:00:00Z`, empty or no time, a duration is `0s`, a length 0 |
//! | `bad-text` | a name, title or text ends with an unpaired surrogate or with bytes that are not UTF-8 |
//!
//! These occur in `/oauth2/`, in addition to `echo`, which also repeats refresh tokens and device codes:
//!
//! | fault | |
//! |---|---|
//! | `oauth-500` | a server error |
//! | `oauth-outage` | 404, 408, 429, 5xx or 520, with JSON, HTML or no body, or status 200 with HTML |
//! | `oauth-odd` | `expires_in` as a text or with decimals, `user_id` as a number, `scopes` null instead of empty, `error` in refusals |
//! | `oauth-lost` | a refresh is accepted, then the connection is reset: the old refresh token of a public app is void |
//! | `oauth-poll` | in the place of an answer to a poll: a reset, HTML with 200, 400, 401 or 403, one of these without a body, or another status |
//! | `oauth-device` | `invalid device code` for a valid code, before it was once pending and at most three times |
//! | `oauth-scope` | `scope` is missing in an answer with tokens; if none was asked for, it may also be `[]` or `[""]` |

#![deny(missing_docs)]

mod bodies;
mod credentials;
mod damage;
mod day;
mod delivery;
mod faults;
mod gql;
mod helix;
mod inspection;
mod legacy;
mod limit;
mod oauth;
mod options;
mod parameters;
mod reply;
mod requests;
mod server;
mod sign_in;
mod state;
mod watch;
mod world;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{runtime, sync::oneshot};

pub use crate::{
    credentials::{
        CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, PUBLIC_CLIENT_ID, TOKEN, TOKEN_EXPIRED, TOKEN_VIEWER,
        TOKEN_WITHOUT_SCOPES,
    },
    day::{Day, ParseDayError},
    faults::{Faults, ParseFaultsError},
    options::Options,
};

/// Increased whenever the same seed and day give other data than before. Data stored from the sandbox are only comparable
/// with data of the same version, seed and day.
pub const DATA_VERSION: u32 = 1;

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    seed: u64,
    day: Day,
    thread: Option<JoinHandle<()>>,
    /// Dropping the sender stops the server.
    stop: Option<oneshot::Sender<()>>,
}

impl Sandbox {
    /// Starts the server on its own thread. It accepts connections when this returns.
    pub fn start(options: Options) -> io::Result<Sandbox> {
        let (seed, day) = (options.seed, options.day);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(async { server::bind(options.port) })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("itch-sandbox".to_owned()).spawn(move || {
            let state = Arc::new(state::State::new(options, base_url(address)));
            runtime.block_on(server::serve(listener, state, stopped));
        })?;
        Ok(Sandbox {
            address,
            seed,
            day,
            thread: Some(thread),
            stop: Some(stop),
        })
    }

    /// The address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of all services, without a slash at the end.
    pub fn base_url(&self) -> String {
        base_url(self.address)
    }

    /// The seed of its data.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The day on which it plays.
    pub fn day(&self) -> Day {
        self.day
    }

    /// The environment variables that make itch use the sandbox, as `burkeblack` with every scope.
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
            // The thread ends early only if it panics, and the panic was already reported.
            let _ = thread.join();
        }
    }
}

fn base_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
