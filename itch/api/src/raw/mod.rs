//! The raw layer: requests and answers, paging, errors, facts and models. It imports no other layer.

mod channel_name;
mod error;
mod fact;
mod gql;
mod handle;
pub(crate) mod join;
mod members;
mod models;
mod pages;
mod policy;
pub(crate) mod reader;
mod request;
mod response;
pub mod sync;
mod transport;

pub use channel_name::ChannelName;
pub use error::{Error, ErrorDetails, ErrorKind, Reason, Result};
pub use fact::Fact;
pub use gql::{GqlError, GqlErrorKind, gql_errors, json_part};
pub use handle::{Pending, RawApi};
pub use models::{
    Channel, ChatMessage, Chatter, Commenter, EmoteUse, Follow, FollowedChannel, PastStream, Role, Stream, User, Video,
};
pub use pages::{Page, PageStyle, Pages, Sift};
pub use policy::{CacheScope, PageShape, Policy};
pub use request::{Chain, Freshness, GqlForm, Request, Service};
pub use response::Response;
pub use transport::{Ticket, Transport};
