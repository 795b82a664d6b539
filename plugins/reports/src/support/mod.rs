//! What several reports share. The files beside this folder are reports, each named as the user types it.

mod portions;
mod unknown;

pub(crate) use portions::portions;
pub(crate) use unknown::Unknown;
