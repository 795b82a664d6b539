//! What clients have changed since the start: the only data that are not a function of the seed.

use std::collections::{BTreeMap, BTreeSet};

use hyper::Method;

use super::call::{Call, Failure};
use crate::world::UserId;
use bytes::Bytes;

/// An endpoint that writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) path: &'static str,
    pub(super) method: Method,
    /// The body of the answer; `None` for 204.
    pub(super) write: fn(&Call<'_>) -> Result<Option<Bytes>, Failure>,
}

/// The changes of all clients.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The accounts that a user has blocked.
    pub(super) blocked: BTreeMap<UserId, BTreeSet<UserId>>,
    /// The accounts that are banned from a channel.
    pub(super) banned: BTreeMap<UserId, BTreeMap<UserId, Ban>>,
}

/// A ban from a channel.
#[derive(Clone, Debug)]
pub(super) struct Ban {
    pub(super) moderator: UserId,
    pub(super) reason: String,
    /// In seconds; `None` for good.
    pub(super) duration: Option<u32>,
}
