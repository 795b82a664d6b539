//! Each report, by the name the user types it.

mod chat_replay;
mod chatters;
mod created;
mod followers;
mod following;
mod num_followers;
mod num_following;
mod streams;
