//! The host: finds reports, caches and renderers in the registry, parses the command line, runs one of them, prints.
//!
//! It never names a report, a cache or a renderer: the command tree, help and checks are folds over the registry. It
//! stands on top of the house and may import every other crate; no crate may import it. The crates of built-in
//! plugins are mentioned once, below, and only so that the linker takes them.

mod arguments;
mod cache_command;
mod cache_stores;
mod cli;
mod config;
mod connect;
mod environment;
mod failure;
mod interrupt;
mod log;
mod outfile;
mod plot;
mod plugins;
mod printer;
mod progress;
mod run;
mod sandbox;
mod sink;
mod times;

use std::ffi::OsString;
use std::process::ExitCode;

// A crate that is merely listed in Cargo.toml registers nothing: it has to be named.
#[cfg(feature = "caches")]
use itch_caches as _;
#[cfg(feature = "plot")]
use itch_renderers as _;
#[cfg(feature = "reports")]
use itch_reports as _;

use crate::failure::Failure;
use crate::plugins::discovery::{self, DeferredPrinter, Glance, Plugins};
use crate::printer::Printer;

/// Runs the program with these arguments, the first of which is its own name, and gives its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = plugins::serve(&arguments) {
        return ExitCode::from(code);
    }
    let arguments = plugins::trial::take_part(arguments);
    let glance = Glance::at(arguments.get(1..).unwrap_or_default());
    let deferred = DeferredPrinter::default();
    let plugins = discovery::find(&glance, &deferred);
    let command = cli::command(&plugins.registry, glance.command.as_deref());
    let (printer, ended) = match command.try_get_matches_from(arguments) {
        Ok(matches) => {
            let printer = Printer::new(&matches);
            let _ = deferred.set(printer.clone());
            let manages = glance.command.as_deref() == Some("plugins");
            for error in plugins.pointless_settings() {
                printer.warning(&format!("config.toml: {error:#}"));
            }
            let refused = plugins.refused_by_name().filter(|_| !manages);
            let ended = match refused.or_else(|| plugins.refused_preference()) {
                Some(error) => Err(error.into()),
                None => cli::dispatch(&plugins, &matches, &printer),
            };
            (printer, ended)
        }
        Err(error) => (Printer::default(), refuse(error, &glance, &plugins)),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let failure = Failure::of(&error);
            printer.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The same for `itch-plot`, which is `itch plot`, and the program that runs its plugins.
pub fn plot_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = plugins::serve(&arguments) {
        return ExitCode::from(code);
    }
    // The program's own version is nothing that the command would know.
    let version = |argument: &OsString| argument == "-V" || argument == "--version";
    if !arguments.get(1).is_some_and(version) {
        arguments.insert(1.min(arguments.len()), OsString::from("plot"));
    }
    main(arguments)
}

/// Says what is wrong with a command line. An unknown command may be known, and what has it unusable.
fn refuse(error: clap::Error, glance: &Glance, plugins: &Plugins) -> anyhow::Result<u8> {
    if error.kind() != clap::error::ErrorKind::InvalidSubcommand {
        return cli::refuse(error);
    }
    let refused = plugins.refused_by_name();
    if let Some(refused) = refused.or_else(|| plugins.refused_preference()) {
        return Err(refused.into());
    }
    let name = glance.command.as_deref().unwrap_or_default();
    if let Some(conflict) = plugins.registry.conflict("report", name) {
        return Err(conflict.into());
    }
    let code = cli::refuse(error)?;
    if plugins.unusable() > 0 {
        let (n, s) = match plugins.unusable() {
            1 => (1, ""),
            n => (n, "s"),
        };
        Printer::default().say(&format!("hint: {n} plugin{s} cannot be used; `itch plugins list` says why"));
    }
    Ok(code)
}
