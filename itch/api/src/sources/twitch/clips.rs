//! `clips`: clips of a channel or a game. No report asks it; a plugin may.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CLIPS: Endpoint = Endpoint::helix("clips", Policy::everybody(HOUR));
