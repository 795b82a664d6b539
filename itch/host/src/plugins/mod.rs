//! `itch plugins`: what is registered, from where, at which version of the boundary; and which files take part.

mod check;
pub(crate) mod discovery;
mod list;
mod manage;
mod new;
pub(crate) mod trial;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use itch_loader::{HOST_COMMAND, PROBE_COMMAND};
use itch_plugin::{ArgumentKind, ColumnType, Example, ReportSpec, Spec, Variable};
use serde_json::json;

use crate::failure::usage;
use crate::plugins::discovery::Plugins;
use crate::printer::{Printer, print};

const LIST: &str =
    "Lists what is registered: name, kind, plugin, version, ABI, status, from, summary. A file that cannot \
be used is listed by its name.

Status:
  ok              it can be used
  new, changed    it can be used, which will be said at its first use
  disabled        `itch plugins enable` takes that back
  shadowed by X   the name means X's; PLUGIN/NAME means this one
  tied with X     the name means neither; PLUGIN/NAME or --prefer decides
  refused: WHY    it cannot be used
  crashed: HOW    it ended the process that looked at it";

const ADD: &str =
    "Copies a plugin into your own directory, and trusts it. It is loaded first, in a process of its own: \
what cannot be used is not added. The same plugin that is there already is replaced, another one never.

Try it before with `itch plugins check FILE`.";

const TRUST: &str = "Trusts a plugin as it is now: its hash is kept. Where the configuration says `policy = \"pinned\"`, a \
file that is new or has changed is not used before.";

/// The command.
pub(crate) fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print everything that is known as JSON");
    let sub = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let named = |name: &'static str, about: &'static str| {
        let name_help = "The plugin, or its file";
        sub(name, about).arg(Arg::new("name").value_name("NAME").required(true).help(name_help))
    };
    let file = Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("A shared library");
    Command::new("plugins")
        .about("Show, add and check reports, caches and renderers")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            sub("list", "List what is registered: name, kind, plugin, version, ABI, status, from, summary")
                .long_about(LIST)
                .arg(json.clone()),
        )
        .subcommand(
            sub("info", "Show a unit's arguments, columns, scopes, environment and examples, or a plugin's file")
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .required(true)
                        .help("A name or alias, or a plugin"),
                )
                .arg(json),
        )
        .subcommand(
            sub("add", "Copy a plugin into your own directory, and trust it")
                .long_about(ADD)
                .arg(file),
        )
        .subcommand(named("remove", "Remove a plugin from your own directory"))
        .subcommand(named("enable", "Use a plugin again"))
        .subcommand(named("disable", "Do not use a plugin, but leave it where it is"))
        .subcommand(named("trust", "Trust a plugin as it is now").long_about(TRUST))
        .subcommand(check::command())
        .subcommand(new::command())
        .subcommand(sub("path", "Print your own directory of plugins, and make it if it is missing"))
}

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
pub(crate) fn run(plugins: &Plugins, matches: &ArgMatches, printer: &Printer) -> anyhow::Result<u8> {
    match matches.subcommand() {
        Some(("list", sub)) => list::list(plugins, sub, printer),
        Some(("info", sub)) => info(plugins, sub),
        Some(("new", sub)) => new::run(&plugins.registry, sub, printer),
        Some(("check", sub)) => check::run(sub, printer),
        Some((name, sub)) => manage::run(plugins, name, sub, printer),
        None => Err(usage("no command is given").hint("itch plugins list").into()),
    }
}

fn info(plugins: &Plugins, matches: &ArgMatches) -> anyhow::Result<u8> {
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let registry = &plugins.registry;
    let alias = registry.report(name).map(|(_, unit)| unit);
    let units = || registry.units().iter();
    let full = || units().find(|unit| unit.full_name() == name);
    let bare = || units().find(|unit| unit.spec.name() == name && registry.means(name, unit));
    let named = || units().find(|unit| unit.spec.name() == name);
    let Some(unit) = alias.or_else(full).or_else(bare).or_else(named) else {
        return list::file_info(plugins, name, matches.get_flag("json"));
    };
    if matches.get_flag("json") {
        let text = serde_json::to_string_pretty(&list::as_json(plugins, unit))?;
        print(&format!("{text}\n"))?;
        return Ok(0);
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
        list::whence(unit),
        list::status(plugins, unit),
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
    let lines = rows.iter().map(|(name, help)| format!("  {name:width$}  {help}\n"));
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
        let unit = column.unit.as_ref().map(|unit| format!(", {unit}")).unwrap_or_default();
        let request = if column.default { "" } else { "; on request" };
        (column.name.clone(), format!("{} ({kind}{unit}{request})", column.help))
    });
    let scopes = spec.scopes.iter().map(|scope| (scope.clone(), String::new()));
    let aliases = spec.aliases.iter().map(|alias| (alias.name.clone(), String::new()));
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
