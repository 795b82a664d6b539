//! The facade: the one handle that reports and programs hold, with the verbs of the domain layer.

mod api;
#[cfg(feature = "helix")]
mod helix;
mod queries;

pub use api::Api;
#[cfg(feature = "helix")]
pub use helix::HelixItems;
pub use queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
