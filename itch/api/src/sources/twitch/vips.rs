//! `channels/vips`: the VIPs of a channel. Twitch tells the broadcaster only.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static VIPS: Endpoint = Endpoint::helix("channels/vips", Policy::user(HOUR));
