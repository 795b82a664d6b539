//! `chat/badges` and `chat/badges/global`: badges of a channel, and global badges. Only plugins use them.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static BADGES: Endpoint = Endpoint::helix("chat/badges", Policy::everybody(HOUR));
pub(super) static GLOBAL_BADGES: Endpoint = Endpoint::helix("chat/badges/global", Policy::everybody(HOUR));
