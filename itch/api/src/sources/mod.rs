//! The sources: which requests answer a question of the domain layer. They import the raw layer only.

mod legacy;
mod parameters;
mod source;
mod twitch;

pub use parameters::{ChatParameters, Direction, FollowersParameters, FollowingParameters, PastStreamsParameters};
pub use source::{ChannelLookup, FollowerTotal, Listing, Rows, Source, SourceName};

/// The source behind a name.
pub(crate) fn source(name: SourceName) -> &'static dyn Source {
    match name {
        SourceName::Twitch => &twitch::Twitch,
        SourceName::Legacy => &legacy::Legacy,
    }
}
