//! What several reports share. The files beside this folder are reports, each named as the user types it.

mod unknown;

pub(crate) use unknown::Unknown;
