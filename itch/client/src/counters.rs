//! What a client did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a client has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Requests sent over the wire, each try counted, sign-in included.
    pub requests: u64,
    /// Tries that were a repetition after a fault.
    pub retries: u64,
    /// Times that a request had to wait for a rate limit.
    pub limit_waits: u64,
    /// Body bytes received, unpacked.
    pub bytes: u64,
    /// Answers that a cache gave.
    pub cache_hits: u64,
    /// Answers that no cache had.
    pub cache_misses: u64,
    /// Answers that a cache had, but too old.
    pub cache_expired: u64,
    /// Stored values found broken, and removed.
    pub cache_corrupt: u64,
    /// Answers stored.
    pub cache_stored: u64,
    /// Answers not stored: too large, an error in the guise of a success, or rows hidden from this token.
    pub cache_not_stored: u64,
}

/// One number that several threads count up.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub fn one(&self) {
        self.add(1);
    }

    pub fn add(&self, n: u64) {
        // The numbers are independent of one another; no order between them is promised.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The numbers while they are counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub requests: Count,
    pub retries: Count,
    pub limit_waits: Count,
    pub bytes: Count,
    pub hits: Count,
    pub misses: Count,
    pub expired: Count,
    pub corrupt: Count,
    pub stored: Count,
    pub not_stored: Count,
}

impl Tally {
    pub fn snapshot(&self) -> Counters {
        Counters {
            requests: self.requests.get(),
            retries: self.retries.get(),
            limit_waits: self.limit_waits.get(),
            bytes: self.bytes.get(),
            cache_hits: self.hits.get(),
            cache_misses: self.misses.get(),
            cache_expired: self.expired.get(),
            cache_corrupt: self.corrupt.get(),
            cache_stored: self.stored.get(),
            cache_not_stored: self.not_stored.get(),
        }
    }
}
