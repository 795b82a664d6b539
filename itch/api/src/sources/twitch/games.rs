//! `games` and `games/top`: games by name, and the games with the most viewers. Only plugins use them.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static GAMES: Endpoint = Endpoint::helix("games", Policy::everybody(HOUR));
pub(super) static TOP_GAMES: Endpoint = Endpoint::helix("games/top", Policy::everybody(HOUR));
