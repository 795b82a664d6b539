//! The host: finds reports, caches and renderers in the registry, parses the command line, runs one of them, prints.
//!
//! It never names a report, a cache or a renderer: the command tree, help and checks are folds over the registry. It
//! stands on top of the house and may import every other crate; no crate may import it. The crates of built-in
//! plugins are mentioned once, below, and only so that the linker takes them.

mod arguments;
mod cache;
mod caches;
mod cli;
mod config;
mod connect;
mod environment;
mod failure;
mod log;
mod plot;
mod plugins;
mod progress;
mod run;
mod sandbox;
mod sink;
mod talk;
mod times;

use std::ffi::OsString;
use std::process::ExitCode;

use itch_plugin::Registry;

// A crate that is merely listed in Cargo.toml registers nothing: it has to be named.
#[cfg(feature = "caches")]
use itch_caches as _;
#[cfg(feature = "plot")]
use itch_renderers as _;
#[cfg(feature = "reports")]
use itch_reports as _;

use crate::failure::Failure;
use crate::talk::Talk;

/// Runs the program with these arguments, the first of which is its own name, and gives its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let registry = Registry::linked_in();
    let (talk, ended) = match cli::command(&registry).try_get_matches_from(arguments) {
        Ok(matches) => {
            let talk = Talk::new(&matches);
            let ended = cli::dispatch(&registry, &matches, &talk);
            (talk, ended)
        }
        Err(error) => (Talk::default(), cli::refuse(error)),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let failure = Failure::of(&error);
            talk.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
