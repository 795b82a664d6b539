//! `channels`: what channels are set to play. No report asks it; a plugin may.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CHANNELS: Endpoint = Endpoint::helix("channels", Policy::everybody(HOUR));
