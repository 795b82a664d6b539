//! Drives the sandbox over real sockets, as any client of Twitch would.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails, also in what tests share"
)]

mod client;
mod faults;
mod helix;
mod limit;
mod oauth;
mod videos;
mod walk;
