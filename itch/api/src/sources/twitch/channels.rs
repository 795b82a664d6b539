//! `channels`: title, category and language of channels. Only plugins use it.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CHANNELS: Endpoint = Endpoint::helix("channels", Policy::everybody(HOUR));
