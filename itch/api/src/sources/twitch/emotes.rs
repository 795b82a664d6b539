//! `chat/emotes` and `chat/emotes/global`: emotes of a channel, and global emotes. Only plugins use them.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static EMOTES: Endpoint = Endpoint::helix("chat/emotes", Policy::everybody(HOUR));
pub(super) static GLOBAL_EMOTES: Endpoint = Endpoint::helix("chat/emotes/global", Policy::everybody(HOUR));
