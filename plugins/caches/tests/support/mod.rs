//! Code shared by the tests of every backend: a host, and helpers to call a store through the plugin ABI.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use itch_caches as _;
use itch_plugin::abi::{LogHost, drive};
use itch_plugin::{CacheSettings, CacheStore, Registry, Result, Scan, ScanEntry, ScanSupport};

/// Opens a backend's store.
pub fn open_backend(name: &str, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
    open_logging(name, settings, LogHost::new(|_, _: &str| {}))
}

/// Opens a backend's store whose log lines go to a host.
pub fn open_logging(name: &str, settings: &CacheSettings, host: LogHost) -> Result<Box<dyn CacheStore>> {
    let registry = Registry::linked_in();
    let (_, unit) = registry.cache(name).expect("the backend is registered");
    drive::open_cache(unit.item, Arc::new(host), settings)
}

/// Settings with these variables and no limit.
pub fn variables(variables: &[(&str, &Path)]) -> CacheSettings {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_str().unwrap().to_owned()));
    CacheSettings {
        variables: variables.collect(),
        ..CacheSettings::default()
    }
}

/// The key that starts with these digits.
pub fn key(digits: &str) -> String {
    format!("{digits:0<64}")
}

/// The value that is stored under a key.
pub fn value(store: &mut dyn CacheStore, key: &str) -> Option<Vec<u8>> {
    store.get(key).unwrap().map(|stored| stored.bytes)
}

/// Every value that a scan visits, by key.
pub fn scanned(store: &mut dyn CacheStore) -> Vec<ScanEntry> {
    let mut entries = Vec::new();
    let support = store.scan(&mut |entry| {
        entries.push(entry);
        Scan::Continue
    });
    assert_eq!(support.unwrap(), ScanSupport::Listed);
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries
}

/// Every key that a scan visits.
pub fn keys(store: &mut dyn CacheStore) -> BTreeSet<String> {
    scanned(store).into_iter().map(|entry| entry.key).collect()
}
