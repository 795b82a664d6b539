//! `channels/vips`: the VIPs of a channel. Twitch shows them only to the broadcaster.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static VIPS: Endpoint = Endpoint::helix("channels/vips", Policy::user(HOUR));
