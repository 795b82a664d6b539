//! The built-in response caches, one file each, named as the user types them behind `-c`.
//!
//! This crate imports [`itch_plugin`] alone and must never import the client, the output or the host: a backend is a
//! dumb store of bytes under a key. What a key is made of, what a value holds, whether it is still fresh and what
//! becomes of a run whose store has failed is the client's business.
//!
//! To add a backend: copy the nearest file, name it in the list below, and give it a test in `tests/`. Nothing else
//! knows a backend by name.
#![deny(missing_docs)]

mod file;
mod memcache;
mod redis;

use itch_plugin::{CacheSettings, CacheStore, Registry, Result};

/// Opens a built-in cache for a program that uses itch as a library.
///
/// The function gives the values of the environment variables that the backend reads, which docs/caches.md lists; no
/// server is contacted before the first use. For a limit of size and for warnings, use [`Registry::open_cache`]. A name
/// that no backend has is an error of kind [`ErrorKind::Usage`](itch_plugin::ErrorKind::Usage).
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
