//! What several reports share. The files beside this folder are reports, each named as the user types it.

mod chunks;
mod missing_channels;

pub(crate) use chunks::look_up_in_chunks;
pub(crate) use missing_channels::MissingChannels;
