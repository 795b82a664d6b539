//! The reports, each named like its command.

mod chat_replay;
mod chatters;
mod created;
mod followers;
mod following;
mod num_followers;
mod num_following;
mod streams;
