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
    /// Answers older than they should be, given because the service failed.
    pub cache_stale: u64,
    /// The age of the oldest of those, in milliseconds.
    pub cache_stale_age_ms: u64,
    /// Stored values found broken, and removed.
    pub cache_corrupt: u64,
    /// Answers stored.
    pub cache_stored: u64,
    /// Answers not stored: an error in the guise of a success, rows hidden from this token, or a list that still grows.
    pub cache_not_stored: u64,
    /// Answers that a cache was not given or did not take because of their size.
    pub cache_too_large: u64,
    /// Caches that failed and were left out for the rest of the run.
    pub cache_errors: u64,
    /// How long the answers that a cache gave had taken when they came over the wire, in milliseconds.
    pub cache_saved_ms: u64,
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

    /// Makes it this large at least.
    pub fn at_least(&self, n: u64) {
        self.0.fetch_max(n, Ordering::Relaxed);
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
    pub stale: Count,
    pub stale_age_ms: Count,
    pub corrupt: Count,
    pub stored: Count,
    pub not_stored: Count,
    pub too_large: Count,
    pub cache_errors: Count,
    pub saved_ms: Count,
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
            cache_stale: self.stale.get(),
            cache_stale_age_ms: self.stale_age_ms.get(),
            cache_corrupt: self.corrupt.get(),
            cache_stored: self.stored.get(),
            cache_not_stored: self.not_stored.get(),
            cache_too_large: self.too_large.get(),
            cache_errors: self.cache_errors.get(),
            cache_saved_ms: self.saved_ms.get(),
        }
    }
}
