//! Tests the sandbox over real sockets, like any client of Twitch.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails, also in what tests share"
)]

mod client;
mod comments;
mod faults;
mod gql;
mod gql_faults;
mod helix;
mod kraken;
mod legacy;
mod limit;
mod oauth;
mod odd_answers;
mod rooms;
mod sign_in;
mod sign_in_faults;
mod videos;
mod walk;
mod writes;
