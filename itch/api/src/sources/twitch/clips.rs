//! `clips`: clips of a channel or a game. Only plugins use it.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CLIPS: Endpoint = Endpoint::helix("clips", Policy::everybody(HOUR));
