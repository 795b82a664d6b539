//! The suite: every report, every bad input, everything that a person sees, on the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

/// Wrong command lines, missing rights, broken services: a sentence and an exit code each.
mod bad_input;
/// What a cache saves, and what it may never do.
mod cache;
/// Faults on the way: retried, counted, or said.
mod faults;
/// Help, options before and after, formats, output files, verdicts, interrupts, pipes.
mod host;
/// Tests about the repository itself: file names, documents, examples.
mod meta;
/// `itch plugins`.
mod plugins;
/// Each report, by the name the user types.
mod reports;
/// `itch sandbox`.
mod sandbox;
/// What a terminal shows.
mod terminal;
