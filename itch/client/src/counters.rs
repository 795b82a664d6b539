//! The counters of a client.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a client has done so far, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Requests sent over the network. Each try and each sign-in request counts.
    pub requests: u64,
    /// Tries that repeated a failed one.
    pub retries: u64,
    /// Times that a request had to wait for a rate limit.
    pub limit_waits: u64,
    /// Body bytes received, after decompression.
    pub bytes: u64,
    /// Answers that came from a cache.
    pub cache_hits: u64,
    /// Answers that were in no cache.
    pub cache_misses: u64,
    /// Answers in a cache that were too old.
    pub cache_expired: u64,
    /// Answers from a cache that were too old but were used because the service failed.
    pub cache_stale: u64,
    /// The age of the oldest of these, in milliseconds.
    pub cache_stale_age_ms: u64,
    /// Stored values that were broken and were removed.
    pub cache_corrupt: u64,
    /// Answers stored.
    pub cache_stored: u64,
    /// Answers not stored: an error with a success status, rows hidden from this token, a list that still grows,
    /// or one that repeats a secret.
    pub cache_not_stored: u64,
    /// Answers not stored because of their size.
    pub cache_too_large: u64,
    /// Caches that failed and were not used for the rest of the run.
    pub cache_errors: u64,
    /// The total time that the answers from a cache had taken when they were fetched, in milliseconds.
    pub cache_saved_ms: u64,
}

/// A counter shared by several threads.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub fn one(&self) {
        self.add(1);
    }

    pub fn add(&self, n: u64) {
        // The counters are independent of each other; no order between them is guaranteed.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Raises the number to at least this value.
    pub fn at_least(&self, n: u64) {
        self.0.fetch_max(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters while they are being counted.
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
