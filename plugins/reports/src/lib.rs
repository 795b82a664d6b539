//! The built-in reports, one file each, named like the command.
//!
//! This crate imports [`itch_plugin`] only and must never import the client, the output or the host: a report emits
//! rows and facts and sends requests through its [`Call`](itch_plugin::Call), exactly like a report of a third-party
//! plugin.
//!
//! To add a report, copy the most similar file, add it to the list below, and write a test in `tests/suite/reports/`.
//! No other file contains a report's name.

#[path = "chat-replay.rs"]
mod chat_replay;
mod chatters;
mod created;
mod followers;
mod following;
#[path = "num-followers.rs"]
mod num_followers;
#[path = "num-following.rs"]
mod num_following;
mod streams;
mod support;
