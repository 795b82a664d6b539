//! What a store of shared rate limits does, whatever it is made of: a file, or a server for many machines.
//!
//! A process that wants to send requests exchanges what it knows for points: it says which points it still holds, how
//! many it has used and what the service said about the limit, and gets some of the points that are left, or the time
//! when its turn comes. One operation is enough, and a store only has to make it atomic.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most points that a process gets at a time.
pub(crate) const MOST_POINTS: u32 = 5;

/// How long points belong to the process that got them. What it has not used by then comes back by itself.
pub(crate) const LEASE: Duration = Duration::from_secs(5);

/// The shortest wait between two exchanges of a process that has no points.
pub(crate) const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// A time in milliseconds since 1970, by the clock of this machine: processes have no other clock in common.
pub(crate) type Millis = u64;

/// The current time.
pub(crate) fn now() -> Millis {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A length of time in milliseconds.
pub(crate) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// A store of shared rate limits.
pub(crate) trait LimitStore: Send + Sync {
    /// Exchanges with the limit of an owner. Blocks for a short time, at most a fraction of a second.
    fn exchange(&self, owner: &str, exchange: &Exchange) -> Result<Reply, StoreFault>;
}

/// What a process says and wants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Exchange {
    /// A random number, which tells processes apart.
    pub process: u64,
    /// How many points it wants. 0: it only reports, and waits for none; if it holds none either, it leaves.
    pub wanted: u32,
    /// How many points it has and has not used, and those of its requests in flight. All others that it got before are
    /// given back.
    pub held: u32,
    /// How many of its requests were answered since its last exchange.
    pub spent: u32,
    /// The newest that the service said about the limit since then.
    pub reading: Option<SharedReading>,
    /// The service refused a request, and wants none for this long.
    pub closed_for: Option<Duration>,
}

/// What an answer said about the limit, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SharedReading {
    pub limit: f64,
    pub remaining: f64,
    pub full_in: Duration,
    /// When the request was sent.
    pub sent: Millis,
    /// When the answer came.
    pub read: Millis,
    /// The number of points of all processes that had certainly been counted by the service when it answered.
    pub spent: u64,
}

/// What a process gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Points, which it may use until [`LEASE`] after the exchange.
    pub granted: u32,
    /// How long it waits before it asks again, if it got none.
    pub wait: Option<Duration>,
    /// How many points all processes have used, by their reports.
    pub spent: u64,
    /// Whether any answer has said yet what the limit is.
    pub is_known: bool,
}

/// Why there was no exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// Others use it: it may work the next time.
    Busy,
    /// It cannot be used, because of this.
    Unusable(String),
}
