//! `search/categories` and `search/channels`: categories and channels by name. Only plugins use them.

use crate::raw::Policy;
use crate::sources::endpoint::{Endpoint, HOUR};

pub(super) static CATEGORIES: Endpoint = Endpoint::helix("search/categories", Policy::everybody(HOUR));
pub(super) static CHANNELS: Endpoint = Endpoint::helix("search/channels", Policy::everybody(HOUR));
