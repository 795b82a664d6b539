//! The built-in response caches, one file each, named like the argument of `-c`.
//!
//! This crate imports [`itch_plugin`] only and must never import the client, the output or the host: a backend only
//! stores bytes under a key. The client makes the keys, encodes the values, decides whether a value is still fresh, and
//! handles the failure of a store.
//!
//! To add a backend, copy the most similar file, add it to the list below, and write a test in `tests/`. No other file
//! contains a backend's name.
#![deny(missing_docs)]

mod file;
mod memcache;
mod redis;

use itch_plugin::{CacheSettings, CacheStore, Registry, Result};

/// Opens a built-in cache for a program that uses itch as a library.
///
/// The function returns the values of the environment variables that the backend reads, which docs/caches.md lists; no
/// server is contacted before the first use. For a size limit and for warnings, use [`Registry::open_cache`]. An
/// unknown name is an error of kind [`ErrorKind::Usage`](itch_plugin::ErrorKind::Usage).
///
/// ```
/// let directory = std::env::temp_dir().join("responses");
/// let store = itch_caches::open("file", |name| match name {
///     "TWITCH_CACHE_TEMP" => Some(directory.display().to_string()),
///     _ => None,
/// })?;
/// assert!(store.location().ends_with("responses"));
/// // As the program does it:
/// let store = itch_caches::open("redis", |name| std::env::var(name).ok())?;
/// # Ok::<(), itch_plugin::Error>(())
/// ```
pub fn open(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Box<dyn CacheStore>> {
    let registry = Registry::linked_in();
    let (spec, _) = registry.known_cache(name)?;
    registry.open_cache(name, &CacheSettings::read(spec, variable))
}
