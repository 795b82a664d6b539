//! `itch plugins list` and `info`: all units, and the files that cannot be used, with the reason.

use itch_loader::{FoundFile, Unit};
use itch_output::{Format, Layout, row_writer};
use itch_plugin::{Cell, Column, Origin, Registered, Spec, Standing, row};
use serde_json::{Value, json};

use super::details::{arguments, paragraphs, report_details, variables};
use super::discovery::Plugins;
use super::manage::kind_name;
use super::requests;
use crate::exit_codes::DONE;
use crate::failure::usage;
use crate::nearest::suggest;
use crate::options::plugins::{InfoOptions, ListOptions};
use crate::printer::Printer;
use crate::stdout::{self, print, stdout};

/// `itch plugins list`.
pub(crate) fn list(plugins: &Plugins, options: &ListOptions, printer: &Printer) -> anyhow::Result<u8> {
    let units = plugins.registry.units();
    // Files without units are listed themselves.
    let files = plugins.found.iter().flat_map(|found| &found.files);
    let bare: Vec<&FoundFile> = files
        .filter(|file| {
            let described = file.description.as_ref();
            described.is_none_or(|description| description.units.is_empty())
        })
        .collect();
    if options.json {
        let units = units.iter().map(|unit| as_json(plugins, unit));
        let all: Vec<Value> = units.chain(bare.iter().map(|file| file_json(file))).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        return Ok(DONE);
    }
    let columns = ["NAME", "KIND", "PLUGIN", "VERSION", "ABI", "STATUS", "FROM", "SUMMARY"]
        .map(|name| Column::text(name, "").clone());
    let layout = Layout::new(&columns, None, None, None)?;
    let terminal = printer.terminal();
    let format = if terminal.is_some() { Format::Table } else { Format::Tsv };
    let mut writer = row_writer(format, &layout, terminal, Box::new(stdout()?));
    let written = units.iter().try_for_each(|unit| {
        let (major, minor) = unit.abi;
        let row: [Cell; 8] = row![
            unit.spec.name(),
            unit.spec.kind(),
            unit.plugin.as_str(),
            unit.version.as_str(),
            format!("{major}.{minor}"),
            status(plugins, unit),
            origin_text(unit),
            unit.spec.summary(),
        ];
        writer.row(&row)
    });
    let written = written.and_then(|()| {
        bare.iter().try_for_each(|file| {
            let plugin = file.description.as_ref();
            let row: [Cell; 8] = row![
                file.file_name(),
                Cell::Null,
                file.plugin().map(str::to_owned),
                plugin.map(|plugin| plugin.version.clone()),
                plugin.map(|plugin| format!("{}.{}", plugin.abi.0, plugin.abi.1)),
                file.status.to_string(),
                file.path.display().to_string(),
                Cell::Null,
            ];
            writer.row(&row)
        })
    });
    stdout::written(written.and_then(|()| writer.finish()))?;
    Ok(DONE)
}

/// `itch plugins info`: the description of a unit, or the facts about a plugin's file.
pub(crate) fn info(plugins: &Plugins, options: &InfoOptions) -> anyhow::Result<u8> {
    let name = options.name.as_str();
    let registry = &plugins.registry;
    let alias = registry.report(name).map(|(_, unit)| unit);
    let units = || registry.units().iter();
    let full = || units().find(|unit| unit.full_name() == name);
    let bare = || units().find(|unit| unit.spec.name() == name && registry.means(name, unit));
    let named = || units().find(|unit| unit.spec.name() == name);
    let Some(unit) = alias.or_else(full).or_else(bare).or_else(named) else {
        return file_info(plugins, name, options.json);
    };
    if options.json {
        let text = serde_json::to_string_pretty(&as_json(plugins, unit))?;
        print(&format!("{text}\n"))?;
        return Ok(DONE);
    }
    let mut text = format!(
        "{}: {}\n{} of {} {}, ABI {}.{}, {}, {}\n\n",
        unit.spec.name(),
        unit.spec.summary(),
        unit.spec.kind(),
        unit.plugin,
        unit.version,
        unit.abi.0,
        unit.abi.1,
        origin_text(unit),
        status(plugins, unit),
    );
    text.push_str(&match &unit.spec {
        Spec::Report(spec) => [paragraphs(&spec.help), arguments(spec), report_details(spec)].concat(),
        Spec::Cache(spec) => [paragraphs(&spec.help), variables(&spec.variables)].concat(),
        Spec::Renderer(spec) => [
            paragraphs(&spec.help),
            format!("Writes {} for files named *.{}\n", spec.media_type, spec.extensions.join(", *.")),
        ]
        .concat(),
    });
    let described = file(plugins, unit).and_then(|file| described(file, unit));
    if let Some(asks) = described.and_then(requests::access_of) {
        text.push_str(&format!("\nAsks for {asks}\n"));
    }
    print(&format!("{}\n", text.trim_end()))?;
    Ok(DONE)
}

/// The description of a unit in its file.
fn described<'a>(file: &'a FoundFile, unit: &Registered) -> Option<&'a Unit> {
    let mut units = file.description.iter().flat_map(|description| &description.units);
    units.find(|described| described.name == unit.spec.name() && kind_name(described.kind) == unit.spec.kind())
}

/// The file that a unit was found in.
fn file<'a>(plugins: &'a Plugins, unit: &Registered) -> Option<&'a FoundFile> {
    let Origin::File { path, .. } = &unit.origin else {
        return None;
    };
    let mut files = plugins.found.iter().flat_map(|found| &found.files);
    files.find(|file| file.path == *path)
}

/// Where a unit comes from, as text.
fn origin_text(unit: &Registered) -> String {
    match &unit.origin {
        Origin::LinkedIn => "built-in".to_owned(),
        Origin::File { path, .. } => path.display().to_string(),
    }
}

/// Whether a unit can be used, and whether its name means it.
fn status(plugins: &Plugins, unit: &Registered) -> String {
    let file = file(plugins, unit);
    if let Some(file) = file.filter(|file| !file.status.is_usable()) {
        return file.status.to_string();
    }
    let other = |other: &Registered| match other.origin {
        Origin::LinkedIn => "built-in".to_owned(),
        Origin::File { .. } => other.plugin.clone(),
    };
    match plugins.registry.standing(unit) {
        Standing::Refused(why) => format!("refused: {why:#}"),
        Standing::Shadowed { by } => format!("shadowed by {}", other(by)),
        Standing::Tied { with } => format!("tied with {}", other(with)),
        Standing::Named => match file {
            None => "ok".to_owned(),
            Some(file) => [file.status.to_string(), rights(plugins, file, unit)].concat(),
        },
    }
}

/// What a unit of a file may do beyond the usual, and what it may not do although it asks for it: `, network open`.
fn rights(plugins: &Plugins, file: &FoundFile, unit: &Registered) -> String {
    let mut rights = String::new();
    if let Some(described) = described(file, unit) {
        if !file.allows(described) {
            rights.push_str(", not allowed");
        }
        if file.allowed(described).access.network {
            rights.push_str(", network open");
        }
    }
    let in_process = plugins.found.iter().any(|found| found.runs_in_process(file));
    match itch_loader::missing() {
        _ if in_process => rights.push_str(", in-process"),
        Ok(missing) if missing.parts().is_empty() => {}
        Ok(missing) => rights.push_str(&format!(", unconfined: {missing}")),
        Err(why) => rights.push_str(&format!(", refused: {why}")),
    }
    rights
}

/// All details of a unit.
fn as_json(plugins: &Plugins, unit: &Registered) -> Value {
    let spec = match &unit.spec {
        Spec::Report(spec) => json!(spec),
        Spec::Cache(spec) => json!(spec),
        Spec::Renderer(spec) => json!(spec),
    };
    let mut value = json!({
        "name": unit.spec.name(),
        "kind": unit.spec.kind(),
        "plugin": unit.plugin,
        "version": unit.version,
        "abi": format!("{}.{}", unit.abi.0, unit.abi.1),
        "status": status(plugins, unit),
        "from": origin_text(unit),
        "spec": spec,
    });
    if let (Some(file), Some(object)) = (file(plugins, unit), value.as_object_mut()) {
        object.insert("sha256".to_owned(), json!(file.sha256));
    }
    value
}

/// All details of a file.
fn file_json(file: &FoundFile) -> Value {
    let plugin = file.description.as_ref();
    json!({
        "name": file.file_name(),
        "kind": null,
        "plugin": file.plugin(),
        "version": plugin.map(|plugin| &plugin.version),
        "abi": plugin.map(|plugin| format!("{}.{}", plugin.abi.0, plugin.abi.1)),
        "status": file.status.to_string(),
        "from": file.path.display().to_string(),
        "spec": null,
        "sha256": file.sha256,
        "about": plugin.map(|plugin| &plugin.about),
        "notes": plugin.map(|plugin| &plugin.notes),
    })
}

/// `itch plugins info` of a built-in plugin; returns whether there is one.
fn built_in_info(plugins: &Plugins, name: &str, json: bool) -> anyhow::Result<bool> {
    let units = plugins.registry.units().iter();
    let units: Vec<&Registered> = units
        .filter(|unit| unit.origin == Origin::LinkedIn && unit.plugin == name)
        .collect();
    let Some(first) = units.first() else {
        return Ok(false);
    };
    if json {
        let all: Vec<Value> = units.iter().map(|unit| as_json(plugins, unit)).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        return Ok(true);
    }
    let (major, minor) = first.abi;
    let mut text = format!("{name}: built-in\n  version  {}, ABI {major}.{minor}\n", first.version);
    for unit in units {
        let (kind, unit_name) = (unit.spec.kind(), unit.spec.name());
        text.push_str(&format!("  {kind:<8} {unit_name}: {}\n", status(plugins, unit)));
    }
    print(&text)?;
    Ok(true)
}

/// `itch plugins info` of a plugin, or of a file that cannot be used.
fn file_info(plugins: &Plugins, name: &str, json: bool) -> anyhow::Result<u8> {
    let files: Vec<&FoundFile> = plugins.found.iter().flat_map(|found| found.named(name)).collect();
    if files.is_empty() && built_in_info(plugins, name, json)? {
        return Ok(DONE);
    }
    if files.is_empty() {
        let error = usage(format!("there is no report, cache, renderer or plugin `{}`", name.escape_debug()))
            .hint("itch plugins list");
        let known = plugins.registry.units().iter().flat_map(Registered::names);
        return Err(suggest(error, name, known).into());
    }
    if json {
        let all: Vec<Value> = files.iter().map(|file| file_json(file)).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        return Ok(DONE);
    }
    let mut text = String::new();
    for file in files {
        text.push_str(&format!("{}: {}\n", file.name(), file.status));
        text.push_str(&format!("  file     {}\n", file.path.display()));
        if let Some(sha256) = &file.sha256 {
            text.push_str(&format!("  sha256   {sha256}\n"));
        }
        let Some(plugin) = &file.description else {
            continue;
        };
        let (major, minor) = plugin.abi;
        text.push_str(&format!("  version  {}, ABI {major}.{minor}\n", plugin.version));
        for (name, value) in plugin.about.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!("  {name:<7}  {value}\n"));
        }
        for line in requests::access(plugin) {
            text.push_str(&format!("  asks for {line}\n"));
        }
        for unit in plugins.registry.units() {
            if matches!(&unit.origin, Origin::File { path, .. } if *path == file.path) {
                let (kind, name) = (unit.spec.kind(), unit.spec.name());
                let status = status(plugins, unit);
                text.push_str(&format!("  {kind:<8} {name}: {status}\n"));
            }
        }
        for note in &plugin.notes {
            text.push_str(&format!("  note     {note}\n"));
        }
    }
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    print(&match terminal {
        true => itch_output::sanitize(&text).into_owned(),
        false => text,
    })?;
    Ok(DONE)
}
