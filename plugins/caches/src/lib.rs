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
