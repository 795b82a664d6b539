//! `itch plugins`: what is registered, from where, at which version of the boundary.

use clap::{Arg, ArgAction, ArgMatches, Command};
use itch_output::{Format, Layout, row_writer};
use itch_plugin::{
    ArgumentKind, Cell, Column, ColumnType, Example, Registered, Registry, ReportSpec, Spec,
    Variable, row,
};
use serde_json::{Value, json};

use crate::failure::usage;
use crate::talk::{Talk, print};

/// The command.
pub(crate) fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print everything that is known as JSON");
    Command::new("plugins")
        .about("Show the registered reports, caches and renderers")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list")
                .about("List what is registered: name, kind, plugin, version, ABI, status, from, summary")
                .arg(json.clone()),
        )
        .subcommand(
            Command::new("info")
                .about("Show a unit's arguments, columns, scopes, environment and examples")
                .arg(Arg::new("name").value_name("NAME").required(true).help("A name or alias"))
                .arg(json),
        )
}

/// Runs it.
pub(crate) fn run(registry: &Registry, matches: &ArgMatches, talk: &Talk) -> anyhow::Result<u8> {
    match matches.subcommand() {
        Some(("info", sub)) => info(registry, sub),
        Some((_, sub)) => list(registry, sub, talk),
        None => Err(usage("no command is given")
            .hint("itch plugins list")
            .into()),
    }
}

fn list(registry: &Registry, matches: &ArgMatches, talk: &Talk) -> anyhow::Result<u8> {
    if matches.get_flag("json") {
        let units: Vec<Value> = registry.units().iter().map(as_json).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&units)?))?;
        return Ok(0);
    }
    let columns = [
        "NAME", "KIND", "PLUGIN", "VERSION", "ABI", "STATUS", "FROM", "SUMMARY",
    ]
    .map(|name| Column::text(name, "").clone());
    let layout = Layout::new(&columns, None, None, None)?;
    let terminal = talk.terminal();
    let format = if terminal.is_some() {
        Format::Table
    } else {
        Format::Tsv
    };
    let mut writer = row_writer(format, &layout, terminal, Box::new(std::io::stdout()));
    let written = registry.units().iter().try_for_each(|unit| {
        let (major, minor) = unit.abi;
        let row: [Cell; 8] = row![
            unit.spec.name(),
            unit.spec.kind(),
            unit.plugin.as_str(),
            unit.version.as_str(),
            format!("{major}.{minor}"),
            status(unit),
            "built-in",
            unit.spec.summary(),
        ];
        writer.row(&row)
    });
    match written.and_then(|()| writer.finish()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(0),
    }
}

fn status(unit: &Registered) -> String {
    match &unit.refused {
        None => "ok".to_owned(),
        Some(why) => format!("refused: {why:#}"),
    }
}

fn as_json(unit: &Registered) -> Value {
    let spec = match &unit.spec {
        Spec::Report(spec) => json!(spec),
        Spec::Cache(spec) => json!(spec),
        Spec::Renderer(spec) => json!(spec),
    };
    json!({
        "name": unit.spec.name(),
        "kind": unit.spec.kind(),
        "plugin": unit.plugin,
        "version": unit.version,
        "abi": format!("{}.{}", unit.abi.0, unit.abi.1),
        "status": status(unit),
        "from": "built-in",
        "spec": spec,
    })
}

fn info(registry: &Registry, matches: &ArgMatches) -> anyhow::Result<u8> {
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let alias = registry.report(name).map(|(_, unit)| unit);
    let named = || {
        registry
            .units()
            .iter()
            .find(|unit| unit.spec.name() == name)
    };
    let Some(unit) = alias.or_else(named) else {
        return Err(usage(format!(
            "nothing registered is called `{}`",
            name.escape_debug()
        ))
        .hint("itch plugins list")
        .into());
    };
    if matches.get_flag("json") {
        print(&format!(
            "{}\n",
            serde_json::to_string_pretty(&as_json(unit))?
        ))?;
        return Ok(0);
    }
    let mut text = format!(
        "{}: {}\n{} of {} {}, ABI {}.{}, built-in, {}\n\n",
        unit.spec.name(),
        unit.spec.summary(),
        unit.spec.kind(),
        unit.plugin,
        unit.version,
        unit.abi.0,
        unit.abi.1,
        status(unit),
    );
    text.push_str(&match &unit.spec {
        Spec::Report(spec) => [
            paragraphs(&spec.help),
            arguments(spec),
            report_details(spec),
        ]
        .concat(),
        Spec::Cache(spec) => [paragraphs(&spec.help), variables(&spec.variables)].concat(),
        Spec::Renderer(spec) => [
            paragraphs(&spec.help),
            format!(
                "Writes {} for files named *.{}\n",
                spec.media_type,
                spec.extensions.join(", *.")
            ),
        ]
        .concat(),
    });
    print(&format!("{}\n", text.trim_end()))?;
    Ok(0)
}

fn paragraphs(help: &str) -> String {
    if help.is_empty() {
        String::new()
    } else {
        format!("{help}\n\n")
    }
}

/// A heading and lines of two columns.
fn section(heading: &str, rows: &[(String, String)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows
        .iter()
        .map(|(name, help)| format!("  {name:width$}  {help}\n"));
    format!("{heading}:\n{}\n", lines.collect::<String>())
}

fn arguments(spec: &ReportSpec) -> String {
    let rows = spec.arguments.iter().map(|argument| {
        let dots = if argument.repeat { "..." } else { "" };
        let name = match (argument.position, argument.kind) {
            (Some(_), _) => format!("<{}>{dots}", argument.name.to_uppercase()),
            (None, ArgumentKind::Flag) => format!("--{}", argument.name),
            (None, _) => format!("--{} <{}>{dots}", argument.name, kind_name(argument.kind)),
        };
        (name, argument.help.clone())
    });
    section("Arguments", &rows.collect::<Vec<_>>())
}

/// A kind as people read it: the word that its JSON form has.
fn kind_name(kind: ArgumentKind) -> String {
    json!(kind).as_str().unwrap_or_default().to_uppercase()
}

/// What `--help` says of a report below its options: columns, scopes, environment, other names, examples.
pub(crate) fn report_details(spec: &ReportSpec) -> String {
    let columns = spec.columns.iter().map(|column| {
        let kind = match column.kind {
            ColumnType::Time => "time, UTC".to_owned(),
            kind => json!(kind).as_str().unwrap_or_default().to_owned(),
        };
        let unit = column
            .unit
            .as_ref()
            .map(|unit| format!(", {unit}"))
            .unwrap_or_default();
        let request = if column.default { "" } else { "; on request" };
        (
            column.name.clone(),
            format!("{} ({kind}{unit}{request})", column.help),
        )
    });
    let scopes = spec
        .scopes
        .iter()
        .map(|scope| (scope.clone(), String::new()));
    let aliases = spec
        .aliases
        .iter()
        .map(|alias| (alias.name.clone(), String::new()));
    let examples = spec
        .examples
        .iter()
        .map(|Example { command, help }| (command.clone(), help.clone()));
    [
        section("Columns", &columns.collect::<Vec<_>>()),
        section("Scopes that the token needs", &scopes.collect::<Vec<_>>()),
        variables(&spec.variables),
        section("Other names", &aliases.collect::<Vec<_>>()),
        section("Examples", &examples.collect::<Vec<_>>()),
    ]
    .concat()
    .lines()
    .map(str::trim_end)
    .collect::<Vec<_>>()
    .join("\n")
    .trim_end()
    .to_owned()
}

fn variables(variables: &[Variable]) -> String {
    let rows = variables.iter().map(|variable| {
        let default = variable
            .default
            .as_ref()
            .map(|default| format!(" [default: {default}]"))
            .unwrap_or_default();
        (variable.name.clone(), format!("{}{default}", variable.help))
    });
    section("Environment", &rows.collect::<Vec<_>>())
}
