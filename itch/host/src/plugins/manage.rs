//! `itch plugins add`, `remove`, `enable`, `disable`, `trust` and `path`. None of them loads a plugin into itch.

use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind};
use itch_loader::{Description, Found, FoundFile, Outcome, Status, Unit};
use itch_plugin::abi::{CACHE, RENDERER};
use itch_plugin::{Origin, Registered};

use super::discovery::{Plugins, own_directory};
use super::requests;
use crate::exit_codes::DONE;
use crate::failure::usage;
use crate::nearest::suggest;
use crate::options::plugins::{AddOptions, TrustOptions};
use crate::paths::not_a_directory;
use crate::printer::Printer;
use crate::stdout::print;

/// `itch plugins path`.
pub(crate) fn path() -> anyhow::Result<u8> {
    let own = own()?;
    std::fs::create_dir_all(&own).map_err(|error| {
        let message = format!("`{}` cannot be made", own.display());
        Error::new(ErrorKind::Failed, message).source_chain(&error)
    })?;
    print(&format!("{}\n", own.display()))?;
    Ok(DONE)
}

/// `itch plugins add`.
pub(crate) fn add(plugins: &Plugins, options: &AddOptions, printer: &Printer) -> anyhow::Result<u8> {
    let own = own()?;
    let added = itch_loader::add(found(plugins)?.settings(), &options.file, &own, options.allow)?;
    printer.note(&format!("added {} to {}", described(&added.plugin), added.path.display()));
    if let Some(old) = &added.replaced {
        let mut line = format!("replaced {}", old.name());
        if let Some(description) = &old.description {
            line.push_str(&format!(" {}", description.version));
        }
        if old.path != added.path {
            line.push_str(&format!(", which was at {}", old.path.display()));
        }
        printer.note(&line);
    }
    let from = std::path::absolute(&options.file).unwrap_or_else(|_| options.file.clone());
    printer.note(&format!("from {}, sha256:{}", from.display(), added.sha256));
    for line in requests::lines(&added.plugin) {
        printer.note(&line);
    }
    if !options.allow && requests::asks_for_access(&added.plugin) {
        printer.note("it may not use these files and the network yet");
        printer.note(&format!("hint: itch plugins trust --allow {}", added.plugin.name));
    }
    Ok(DONE)
}

/// `itch plugins remove`.
pub(crate) fn remove(plugins: &Plugins, name: &str, printer: &Printer) -> anyhow::Result<u8> {
    let own = own()?;
    let file = one(plugins, "remove", name)?;
    if file.path.parent() != Some(own.as_path()) {
        let message = format!("`{name}` is not in your plugin directory but at {}", file.path.display());
        return Err(usage(message).hint(format!("itch plugins disable {name}")).into());
    }
    itch_loader::remove(found(plugins)?.settings(), &file.path)?;
    printer.note(&format!("removed {}", file.path.display()));
    Ok(DONE)
}

/// `itch plugins enable` and `disable`.
pub(crate) fn enable(plugins: &Plugins, name: &str, enabled: bool, printer: &Printer) -> anyhow::Result<u8> {
    own()?;
    let command = if enabled { "enable" } else { "disable" };
    let file = one(plugins, command, name)?;
    if enabled != (file.status == Status::Disabled) {
        printer.note(&format!("`{}` is {command}d already", file.name()));
        return Ok(DONE);
    }
    itch_loader::enable(found(plugins)?.settings(), real(file)?, &file.name(), enabled)?;
    printer.note(&format!("{command}d {} at {}", file.name(), file.path.display()));
    Ok(DONE)
}

/// `itch plugins trust`. A file that was never loaded is inspected now, to learn the plugin's name.
pub(crate) fn trust(plugins: &Plugins, options: &TrustOptions, printer: &Printer) -> anyhow::Result<u8> {
    own()?;
    let name = options.name.as_str();
    let file = one(plugins, "trust", name)?;
    let settings = found(plugins)?.settings();
    let real = real(file)?;
    let sha256 = file.sha256.as_deref().ok_or_else(|| unusable(file))?;
    let looked = match &file.description {
        Some(description) => Outcome::Plugin(Box::new(description.clone())),
        None => itch_loader::inspect(settings, real, Some(sha256))
            .map_or_else(Outcome::Refused, |inspected| inspected.outcome),
    };
    let (name, trusted) = match &looked {
        Outcome::Plugin(description) => (description.name.clone(), described(description)),
        Outcome::Untrusted => {
            let message = format!("`{}` has just been changed", file.path.display());
            let hint = format!("itch plugins trust {}", file.path.display());
            return Err(Error::new(ErrorKind::Failed, message).hint(hint).into());
        }
        Outcome::Refused(_) | Outcome::Crashed(_) => (file.name(), file.name()),
    };
    match &looked {
        Outcome::Plugin(description) if options.allow => itch_loader::allow(settings, real, description, sha256)?,
        _ => itch_loader::trust(settings, real, &name, sha256)?,
    }
    printer.note(&format!("trusted {trusted} at {}, as it is now", file.path.display()));
    if let Outcome::Plugin(description) = &looked
        && options.allow
        && requests::asks_for_access(description)
    {
        for line in requests::access(description) {
            printer.note(&format!("allowed {line}"));
        }
    }
    match looked {
        Outcome::Refused(why) => printer.warning(&format!("it still cannot be used: {why}")),
        Outcome::Crashed(how) => {
            printer.warning(&format!("it still cannot be used: it crashed: {how}"));
        }
        Outcome::Plugin(_) | Outcome::Untrusted => {}
    }
    Ok(DONE)
}

/// The user's plugin directory.
fn own() -> Result<PathBuf, Error> {
    let own = own_directory().ok_or_else(|| {
        Error::new(ErrorKind::Failed, "could not find your plugin directory: the home directory is unknown")
            .hint("export HOME=…")
    })?;
    match not_a_directory(&own) {
        Some(obstacle) => {
            let message = format!("your plugin directory `{}` cannot be used", own.display());
            Err(Error::new(ErrorKind::Failed, message).cause(obstacle))
        }
        None => Ok(own),
    }
}

/// The files that were found.
fn found(plugins: &Plugins) -> Result<&Found, Error> {
    plugins.found.as_ref().ok_or_else(|| usage("plugins are not used"))
}

/// A plugin as text: its name, version and units.
fn described(plugin: &Description) -> String {
    let units: Vec<String> = plugin.units.iter().map(unit).collect();
    let units = match units.is_empty() {
        true => "no units that this itch knows".to_owned(),
        false => units.join(", "),
    };
    format!("{} {} ({units})", plugin.name, plugin.version)
}

/// A unit as text.
pub(crate) fn unit(unit: &Unit) -> String {
    format!("{} {}", kind_name(unit.kind), unit.name)
}

/// The name of a kind of unit.
pub(super) fn kind_name(kind: u32) -> &'static str {
    match kind {
        CACHE => "cache",
        RENDERER => "renderer",
        _ => "report",
    }
}

/// The file of a name.
fn one<'a>(plugins: &'a Plugins, command: &str, name: &str) -> Result<&'a FoundFile, Error> {
    match found(plugins)?.named(name).as_slice() {
        [] => Err(no_plugin(plugins, command, name)),
        [file] => Ok(file),
        [first, second, ..] => {
            Err(usage(format!("`{name}` is at {} and at {}", first.path.display(), second.path.display()))
                .hint("name the file instead of the plugin"))
        }
    }
}

/// The error about a name without a file. It may be the name of a unit, or of something built in.
fn no_plugin(plugins: &Plugins, command: &str, name: &str) -> Error {
    let quoted = name.escape_debug();
    let units = || plugins.registry.units().iter();
    let by_name = |unit: &&Registered| unit.names().any(|known| known == name);
    let is_built_in = |unit: &Registered| unit.origin == Origin::LinkedIn;
    if let Some(unit) = units().filter(by_name).find(|unit| !is_built_in(unit)) {
        let (kind, plugin) = (unit.spec.kind(), &unit.plugin);
        return usage(format!("`{quoted}` is a {kind} of the plugin `{plugin}`"))
            .hint(format!("itch plugins {command} {plugin}"));
    }
    if units().any(|unit| is_built_in(unit) && (by_name(&unit) || unit.plugin == name)) {
        return usage(format!("`{quoted}` is built in: it has no file")).hint(format!("itch plugins info {quoted}"));
    }
    let plugins = units()
        .filter(|unit| !is_built_in(unit))
        .map(|unit| unit.plugin.as_str());
    suggest(usage(format!("there is no plugin `{quoted}`")).hint("itch plugins list"), name, plugins)
}

fn real(file: &FoundFile) -> Result<&Path, Error> {
    file.real.as_deref().ok_or_else(|| unusable(file))
}

fn unusable(file: &FoundFile) -> Error {
    let path = file.path.display();
    let error = Error::new(ErrorKind::Failed, format!("`{path}` cannot be used"));
    match &file.status {
        Status::Disabled => error
            .cause("it is disabled")
            .hint(format!("itch plugins enable {path}")),
        status => error.cause(status).hint(format!("itch plugins check {path}")),
    }
}
