//! The built-in response caches as a shared library, for a host that has none linked in.

// Naming the crate is what takes its units in.
use itch_caches as _;

itch_plugin::export!("itch-caches");
