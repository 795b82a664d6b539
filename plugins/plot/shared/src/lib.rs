//! The built-in renderers as a shared library, for a host that has none of them linked in.

// Importing the crate links its units into this library.
use itch_renderers as _;

itch_plugin::export!("itch-renderers");
