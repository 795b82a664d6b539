//! A unit's description as text: arguments, columns, scopes, environment, other names, examples.

use itch_plugin::{ArgumentKind, ColumnType, Example, ReportSpec, Variable};
use serde_json::json;

/// The help text and an empty line, if there is a help text.
pub(crate) fn paragraphs(help: &str) -> String {
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

/// A report's arguments.
pub(crate) fn arguments(spec: &ReportSpec) -> String {
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

/// The name of a kind, as in JSON, in upper case.
fn kind_name(kind: ArgumentKind) -> String {
    json!(kind).as_str().unwrap_or_default().to_uppercase()
}

/// The end of a report's help, below the options: columns, scopes, environment, other names, examples.
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
    let wanted = spec.wanted_scopes.iter();
    let scopes =
        scopes.chain(wanted.map(|wanted| (wanted.scope.clone(), format!("For the column `{}`", wanted.column))));
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

/// The environment variables of a unit.
pub(crate) fn variables(variables: &[Variable]) -> String {
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
