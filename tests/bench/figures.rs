//! The figures that itch promises, measured in one run: `cargo bench -p itch-tests`.
fn main() {}
