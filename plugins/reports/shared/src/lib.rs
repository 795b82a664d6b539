//! The built-in reports as a shared library, for a host without built-in ones.

// Without this line, the linker would leave out the crate's units.
use itch_reports as _;

itch_plugin::export!("itch-reports");
