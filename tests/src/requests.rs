//! How many requests a sandbox has answered.

use std::collections::BTreeMap;

/// The numbers of requests to a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// For all paths.
    pub total: u64,
    /// By path.
    pub by_path: BTreeMap<String, u64>,
}

impl Requests {
    /// For one path, such as `/helix/users`.
    pub fn of(&self, path: &str) -> u64 {
        self.by_path.get(path).copied().unwrap_or(0)
    }
}
