//! Counts requests per path, for tests and benchmarks.

use std::collections::BTreeMap;

use serde::Serialize;

/// Only known paths are counted separately, so that the map does not grow without bound.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Requests {
    total: u64,
    by_path: BTreeMap<&'static str, u64>,
}

impl Requests {
    /// Counts a request, by its path if that is known. Returns its number, from 0.
    pub(crate) fn count(&mut self, path: Option<&'static str>) -> u64 {
        *self.by_path.entry(path.unwrap_or("other")).or_default() += 1;
        self.total += 1;
        self.total - 1
    }
}
