//! `itch plugins`: lists, adds, removes and checks plugins.

mod check;
pub(crate) mod details;
pub(crate) mod discovery;
mod list;
mod manage;
mod new;
mod requests;
pub(crate) mod trial;

use std::ffi::OsString;
use std::path::Path;

use itch_loader::{HOST_COMMAND, PROBE_COMMAND};

use crate::options::plugins::PluginsCommand;
use crate::printer::Printer;
use discovery::Plugins;

/// Runs as the process of a unit, or as the process that inspects a file, if the arguments say so; returns the exit
/// code. These two commands are for itch itself, so they are not in the help.
pub(crate) fn serve(arguments: &[OsString]) -> Option<u8> {
    let [_, command, file, confinement, rest @ ..] = arguments else {
        return None;
    };
    let rest = rest.first().and_then(|text| text.to_str());
    match command.to_str()? {
        HOST_COMMAND => Some(itch_loader::serve(Path::new(file), confinement, rest.unwrap_or_default())),
        PROBE_COMMAND => Some(itch_loader::probe(Path::new(file), confinement, rest)),
        _ => None,
    }
}

/// Runs the command and returns the exit code.
pub(crate) fn run(plugins: &Plugins, command: &PluginsCommand, printer: &Printer) -> anyhow::Result<u8> {
    match command {
        PluginsCommand::List(options) => list::list(plugins, options, printer),
        PluginsCommand::Info(options) => list::info(plugins, options),
        PluginsCommand::New(options) => new::run(&plugins.registry, options, printer),
        PluginsCommand::Check(options) => check::run(options, printer),
        PluginsCommand::Path => manage::path(),
        PluginsCommand::Add(options) => manage::add(plugins, options, printer),
        PluginsCommand::Remove(options) => manage::remove(plugins, &options.name, printer),
        PluginsCommand::Enable(options) => manage::enable(plugins, &options.name, true, printer),
        PluginsCommand::Disable(options) => manage::enable(plugins, &options.name, false, printer),
        PluginsCommand::Trust(options) => manage::trust(plugins, options, printer),
    }
}
