//! Code that several reports share. The files next to this folder are reports, each named like its command.

mod chunks;
mod missing_channels;

pub(crate) use chunks::look_up_in_chunks;
pub(crate) use missing_channels::MissingChannels;
