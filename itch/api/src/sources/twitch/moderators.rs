//! `moderation/moderators`: the moderators of a channel. Twitch shows them only to the broadcaster.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static MODERATORS: Endpoint = Endpoint::helix("moderation/moderators", Policy::user(HOUR));
