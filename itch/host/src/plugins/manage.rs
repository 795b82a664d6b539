//! `itch plugins add`, `remove`, `enable`, `disable`, `trust` and `path`: none of them loads anything into itch.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use itch_api::{Error, ErrorKind};
use itch_loader::{Found, FoundFile, Settings, Status, Unit};
use itch_plugin::abi::{CACHE, RENDERER};

use crate::failure::usage;
use crate::plugins::discovery::{Plugins, own_directory};
use crate::talk::{Talk, print};

/// Runs one of them.
pub(crate) fn run(
    plugins: &Plugins,
    command: &str,
    matches: &ArgMatches,
    talk: &Talk,
) -> anyhow::Result<u8> {
    let own = own_directory().ok_or_else(|| {
        Error::new(ErrorKind::Failed, "your own directory is not known").hint("export HOME=…")
    })?;
    if command == "path" {
        std::fs::create_dir_all(&own).map_err(|error| {
            let message = format!("`{}` cannot be made", own.display());
            Error::new(ErrorKind::Failed, message).source_chain(&error)
        })?;
        print(&format!("{}\n", own.display()))?;
        return Ok(0);
    }
    let Some(found) = &plugins.found else {
        return Err(usage("no plugins take part").into());
    };
    let settings = found.settings();
    if command == "add" {
        let file: &PathBuf = matches
            .get_one("file")
            .ok_or_else(|| usage("no file is given"))?;
        return add(settings, file, &own, talk);
    }
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let file = one(found, name)?;
    match command {
        "remove" => {
            if file.path.parent() != Some(own.as_path()) {
                let message = format!(
                    "`{name}` is not in your own directory but at {}",
                    file.path.display()
                );
                return Err(usage(message)
                    .hint(format!("itch plugins disable {name}"))
                    .into());
            }
            itch_loader::remove(settings, &file.path)?;
            talk.note(&format!("removed {}", file.path.display()));
        }
        "trust" => {
            let (real, sha256) = (real(file)?, file.sha256.as_deref());
            let Some(sha256) = sha256 else {
                return Err(unusable(file).into());
            };
            itch_loader::trust(settings, real, &file.name(), sha256)?;
            talk.note(&format!("trusted {} as it is now", file.path.display()));
            if let Status::Refused(_) | Status::Crashed(_) = file.status {
                talk.warning(&format!("it still cannot be used: {}", file.status));
            }
        }
        _ => {
            let enabled = command == "enable";
            itch_loader::enable(settings, real(file)?, &file.name(), enabled)?;
            talk.note(&format!("{command}d {}", file.path.display()));
        }
    }
    Ok(0)
}

fn add(settings: &Settings, file: &Path, own: &Path, talk: &Talk) -> anyhow::Result<u8> {
    let (target, plugin) = itch_loader::add(settings, file, own)?;
    let units: Vec<String> = plugin.units.iter().map(unit).collect();
    talk.note(&format!(
        "added {} {} ({}) to {}",
        plugin.name,
        plugin.version,
        match units.is_empty() {
            true => "no units that this itch knows".to_owned(),
            false => units.join(", "),
        },
        target.display()
    ));
    Ok(0)
}

/// A unit in words.
pub(crate) fn unit(unit: &Unit) -> String {
    let kind = match unit.kind {
        CACHE => "cache",
        RENDERER => "renderer",
        _ => "report",
    };
    format!("{kind} {}", unit.name)
}

/// The one file that a name means.
fn one<'a>(found: &'a Found, name: &str) -> Result<&'a FoundFile, Error> {
    match found.named(name).as_slice() {
        [] => Err(
            usage(format!("there is no plugin `{}`", name.escape_debug()))
                .hint("itch plugins list"),
        ),
        [file] => Ok(file),
        [first, second, ..] => Err(usage(format!(
            "`{name}` is at {} and at {}",
            first.path.display(),
            second.path.display()
        ))
        .hint("name the file instead of the plugin")),
    }
}

fn real(file: &FoundFile) -> Result<&Path, Error> {
    file.real.as_deref().ok_or_else(|| unusable(file))
}

fn unusable(file: &FoundFile) -> Error {
    let message = format!("`{}` cannot be used", file.path.display());
    Error::new(ErrorKind::Failed, message).cause(&file.status)
}
