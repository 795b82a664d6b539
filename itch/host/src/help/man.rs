//! `itch man`: a manual page for each command and report.

use anyhow::Context;
use clap::Command;
use itch_plugin::Registry;

use crate::exit_codes::DONE;
use crate::options::help::ManOptions;
use crate::printer::Printer;
use crate::tree::{self, Detail};

/// Writes the pages.
pub(crate) fn run(registry: &Registry, options: &ManOptions, printer: &Printer) -> anyhow::Result<u8> {
    let directory = &options.dir;
    let failed = || format!("could not write the manual pages to `{}`", directory.display());
    std::fs::create_dir_all(directory).with_context(failed)?;
    let command = with_all_help(tree::command(registry, Detail::All));
    clap_mangen::generate_to(command, directory).with_context(failed)?;
    printer.note(&format!("wrote the manual pages to {}", directory.display()));
    Ok(DONE)
}

/// The same command without options that `-h` leaves out: clap_mangen would leave out their help.
fn with_all_help(command: Command) -> Command {
    let command = command.mut_args(|argument| argument.hide_short_help(false));
    command.mut_subcommands(with_all_help)
}
