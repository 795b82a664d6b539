//! `moderation/moderators`: who moderates a channel. Twitch tells the broadcaster only.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static MODERATORS: Endpoint = Endpoint::helix("moderation/moderators", Policy::user(HOUR));
