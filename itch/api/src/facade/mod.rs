//! The facade: the handle that reports and programs use, with the methods of the domain layer.

mod api;
#[cfg(feature = "helix")]
mod helix;
mod queries;

pub use api::Api;
#[cfg(feature = "helix")]
pub use helix::HelixItems;
pub use queries::{ChatQuery, FollowersQuery, FollowingQuery, PastStreamsQuery};
