//! `itch plugins`: what is registered, from where, at which version of the boundary; and which files take part.

mod check;
pub(crate) mod details;
pub(crate) mod discovery;
mod list;
mod manage;
mod new;
pub(crate) mod trial;

use std::ffi::OsString;
use std::path::Path;

use itch_loader::{HOST_COMMAND, PROBE_COMMAND};

use crate::options::plugins::PluginsCommand;
use crate::printer::Printer;
use discovery::Plugins;

/// Serves as the process of a unit, or as one that looks at a file, where the arguments say so; gives the exit code.
/// People have no use for these two commands, so that help says nothing of them.
pub(crate) fn serve(arguments: &[OsString]) -> Option<u8> {
    let [_, command, file, rest @ ..] = arguments else {
        return None;
    };
    let rest = rest.first().and_then(|text| text.to_str());
    match command.to_str()? {
        HOST_COMMAND => Some(itch_loader::serve(Path::new(file), rest.unwrap_or_default())),
        PROBE_COMMAND => Some(itch_loader::probe(Path::new(file), rest)),
        _ => None,
    }
}

/// Runs it.
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
        PluginsCommand::Trust(options) => manage::trust(plugins, &options.name, printer),
    }
}
