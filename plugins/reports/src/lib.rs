//! The built-in reports, one file each, named as the user types the command.
//!
//! This crate imports [`itch_plugin`] alone and must never import the client, the output or the host: a report names
//! rows and facts and asks through its handle, exactly as the report of a third party would.
//!
//! To add a report: copy the nearest file, name it in the list below, and give it a test in `tests/suite/reports/`.
//! Nothing else knows a report by name.

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
