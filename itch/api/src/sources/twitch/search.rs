//! `search/categories` and `search/channels`: what is called so. No report asks them; a plugin may.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CATEGORIES: Endpoint = Endpoint::helix("search/categories", Policy::everybody(HOUR));
pub(super) static CHANNELS: Endpoint = Endpoint::helix("search/channels", Policy::everybody(HOUR));
