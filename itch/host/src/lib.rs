//! The host: finds reports, caches and renderers in the registry, parses the command line, runs one of them, prints.
//!
//! It never names a report, a cache or a renderer: the command tree, help and checks are made from the registry. It is
//! the top layer: it may import every other crate, and no crate may import it. The crates of built-in plugins are named
//! once, below, and only so that the linker includes them.

mod account;
mod api_command;
mod arguments;
mod cache_command;
mod cache_stores;
mod command_line;
mod config;
mod connect;
mod dispatch;
mod doctor;
mod environment;
mod exit_codes;
mod failure;
mod failures;
mod help;
mod inherited;
mod interrupt;
mod log;
mod nearest;
mod options;
mod outfile;
mod output;
mod paths;
mod plan;
mod plot;
mod plugins;
mod printer;
mod progress;
mod run;
mod sandbox;
mod secrets;
mod sink;
mod stderr;
mod stdout;
mod times;
mod tree;
mod trial_error;

use std::ffi::OsString;
use std::process::ExitCode;

// The linker leaves out a crate that is only listed in Cargo.toml; it has to be named in the code.
#[cfg(feature = "caches")]
use itch_caches as _;
#[cfg(feature = "plot")]
use itch_renderers as _;
#[cfg(feature = "reports")]
use itch_reports as _;

use crate::command_line::Parsed;
use crate::failure::Failure;
use crate::printer::{DeferredPrinter, Printer};

/// Runs the program with these arguments, the first of which is the program's name, and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = plugins::serve(&arguments) {
        return ExitCode::from(code);
    }
    hide_memory();
    if let Some(code) = help::completions::answer(&arguments) {
        return ExitCode::from(code);
    }
    let arguments = plugins::trial::end_with_parent(arguments);
    let deferred = DeferredPrinter::default();
    let Parsed {
        plugins,
        line,
        command,
        for_help,
    } = command_line::parse(&arguments, &deferred);
    let (printer, ended) = match line {
        Ok(line) => {
            let printer = Printer::new(&line.common);
            let _ = deferred.set(printer.clone());
            let ended = dispatch::dispatch(&plugins, line, &printer);
            (printer, ended)
        }
        Err(error) => (Printer::default(), dispatch::refuse(&plugins, command.as_deref(), for_help, error)),
    };
    itch_client::finish_renewals(interrupt::LONGEST_RENEWAL);
    let code = match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let failure = Failure::of(&error);
            printer.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    };
    // A cache may still be open in a thread that does not end. Its process would notice that this one is gone, but nobody
    // would remove its directory.
    itch_loader::kill_all();
    code
}

/// Keeps other processes of the user, such as those of plugins, from attaching to this one and from reading its memory
/// and environment, in which there are secrets. It also writes no core dump.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // It only fails for a kernel without it.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// The same for `itch-plot`, which is `itch plot`. It also runs as the process of a plugin, as `itch` does.
pub fn plot_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = plugins::serve(&arguments) {
        return ExitCode::from(code);
    }
    // `itch plot` has no option `--version`; `itch` has.
    let version = |argument: &OsString| argument == "-V" || argument == "--version";
    if !arguments.get(1).is_some_and(version) {
        arguments.insert(1.min(arguments.len()), OsString::from("plot"));
    }
    main(arguments)
}
