//! The generated parts of pages: from the program's output, from descriptions of units, and from files.
//!
//! `tests/run --bless` regenerates them. A comment says what a part shows:
//!
//! - `<!-- run: itch … -->` above a block: the output of this command
//! - `<!-- file: … -->` above a block: this file
//! - `<!-- example: … -->` above a block: the output of this example of a crate
//! - `<!-- list: report -->` to `<!-- end -->`: a table of all units of this kind
//! - `<!-- describe: report -->` to `<!-- end -->`: a section about each of them
//! - `<!-- variables: cache -->` to `<!-- end -->`: the environment variables that they read

use std::fmt::Write;
use std::process::Command;

use itch_tests::{Folder, root};
use serde_json::Value;

use crate::pages::{PAGES, comment, read};
use crate::pages_run::OF_DESCRIPTIONS;
use crate::plugins::units;

/// Whether to regenerate the parts.
pub(crate) fn blessing() -> bool {
    std::env::var_os("ITCH_BLESS").is_some()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The expected content of a page.
fn written(page: &str) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some((what, argument)) = comment(line).and_then(|comment| comment.split_once(": ")) else {
            continue;
        };
        if ["list", "describe", "variables"].contains(&what) {
            let end = lines.by_ref().find(|line| comment(line) == Some("end"));
            assert!(end.is_some(), "{line} has no end");
            let part = match what {
                "list" => table_of_units(argument),
                "variables" => table_of_variables(argument),
                _ => descriptions(argument),
            };
            writeln!(out, "\n{part}\n<!-- end -->").unwrap();
            continue;
        }
        let shown = match what {
            "run" => {
                let ran = Folder::new().line(argument);
                format!("{}{}", ran.stdout, ran.stderr)
            }
            "file" => read(argument),
            "example" => example(argument),
            _ => continue,
        };
        let fence = lines.next().unwrap_or_default();
        assert!(fence.starts_with("```"), "{line} stands before no block");
        lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        // Help texts have lines of only spaces, which editors remove.
        let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
        writeln!(out, "{fence}\n{}\n```", shown.join("\n")).unwrap();
    }
    out
}

/// The output of an example of a crate, in an empty folder.
fn example(name: &str) -> String {
    if !itch_tests::all_is_built() {
        itch_tests::build(&["build", "--quiet", "--locked", "--workspace", "--example", name], "debug");
    }
    let folder = Folder::new();
    let ran = Command::new(itch_tests::target().join("debug/examples").join(name))
        .env_clear()
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
    printed
}

fn of_kind(kind: &str) -> Vec<Value> {
    let units: Vec<Value> = units().iter().filter(|unit| unit["kind"] == kind).cloned().collect();
    assert!(!units.is_empty(), "there are no units of kind {kind}");
    units
}

fn table_of_units(kind: &str) -> String {
    let units = of_kind(kind);
    let rows = units.iter().map(|unit| {
        let name = text(unit, "name");
        let name = match kind {
            "report" => format!("[`{name}`](docs/reports.md#{name})"),
            _ => format!("`{name}`"),
        };
        [name, text(&unit["spec"], "summary").to_owned()]
    });
    table([kind, "what it gives"], rows)
}

fn table_of_variables(kind: &str) -> String {
    let units = of_kind(kind);
    let rows = units.iter().flat_map(|unit| {
        let name = format!("`{}`", text(unit, "name"));
        let variables = list(&unit["spec"], "variables").iter().map(variable);
        variables.map(move |[variable, help]| [variable, name.clone(), help])
    });
    table(["variable", kind, "meaning"], rows)
}

/// A table in Markdown.
fn table<const N: usize>(titles: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut out = String::new();
    let mut line = |cells: &[String]| writeln!(out, "| {} |", cells.join(" | ")).unwrap();
    line(&titles.map(str::to_owned));
    line(&titles.map(|_| "---".to_owned()));
    for row in rows {
        line(&row.map(|cell| cell.replace('|', "\\|")));
    }
    out
}

fn descriptions(kind: &str) -> String {
    of_kind(kind).iter().map(described).collect::<Vec<_>>().join("\n")
}

/// A section about one unit.
fn described(unit: &Value) -> String {
    let spec = &unit["spec"];
    let mut out = format!("## {}\n\n{}.\n\n", text(unit, "name"), text(spec, "summary"));
    if unit["kind"] == "report" {
        let help = Folder::new()
            .itch(&[text(unit, "name"), "--help"])
            .succeeds()
            .stdout
            .clone();
        let usage = help
            .lines()
            .find_map(|line| line.strip_prefix("Usage: "))
            .expect("a usage line");
        write!(out, "```text\n{usage}\n```\n\n").unwrap();
    }
    writeln!(out, "{}", wrapped(text(spec, "help"))).unwrap();
    let mut part = |title: &str, body: String| {
        if !body.is_empty() {
            write!(out, "\n{title}\n\n{body}").unwrap();
        }
    };
    let rows = |name: &str, row: &dyn Fn(&Value) -> [String; 2]| -> Vec<[String; 2]> {
        list(spec, name).iter().map(row).collect()
    };
    let tabled = |titles, rows: Vec<[String; 2]>| match rows.is_empty() {
        true => String::new(),
        false => table(titles, rows),
    };
    part("Arguments:", tabled(["argument", "meaning"], rows("arguments", &argument)));
    part("Columns:", tabled(["column", "meaning"], rows("columns", &column)));
    part("Environment:", tabled(["variable", "meaning"], rows("variables", &variable)));
    let scopes = list(spec, "scopes").iter().filter_map(Value::as_str);
    let wanted = list(spec, "wanted_scopes").iter();
    let wanted =
        wanted.map(|wanted| format!("- `{}`, for the column `{}`\n", text(wanted, "scope"), text(wanted, "column")));
    let scopes = scopes.map(|scope| format!("- `{scope}`\n")).chain(wanted);
    part("Scopes that the token needs:", scopes.collect());
    let aliases = list(spec, "aliases").iter().map(|alias| text(alias, "name"));
    part("Other names:", aliases.map(|name| format!("- `{name}`\n")).collect());
    let examples = list(spec, "examples").iter();
    let examples: String = examples
        .map(|example| format!("# {}\n{}\n", text(example, "help"), text(example, "command")))
        .collect();
    if !examples.is_empty() {
        part("Examples:", format!("<!-- not run: {OF_DESCRIPTIONS} -->\n```sh\n{examples}```\n"));
    }
    out
}

/// Breaks paragraphs into lines of at most 120 characters.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut length = 0;
        for word in paragraph.split_whitespace() {
            let more = word.chars().count();
            match length {
                0 => length = more,
                _ if length + 1 + more <= 120 => {
                    out.push(' ');
                    length += 1 + more;
                }
                _ => {
                    out.push('\n');
                    length = more;
                }
            }
            out.push_str(word);
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

fn argument(argument: &Value) -> [String; 2] {
    let (name, kind) = (text(argument, "name"), text(argument, "kind"));
    let form = match argument["position"].is_null() {
        false => format!("`<{}>`", name.to_uppercase()),
        true if kind == "flag" => format!("`--{name}`"),
        true => format!("`--{name} <{}>`", kind.to_uppercase()),
    };
    let default = match &argument["default"] {
        Value::Null => String::new(),
        default => format!(" [default: {}]", default.to_string().trim_matches('"')),
    };
    [form, format!("{}{default}", text(argument, "help"))]
}

fn column(column: &Value) -> [String; 2] {
    let mut notes = vec![text(column, "type").to_owned()];
    match text(column, "type") {
        "time" => notes.push("UTC".to_owned()),
        _ => notes.extend(column["unit"].as_str().map(str::to_owned)),
    }
    if column["default"] == false {
        notes.push("only with `--columns`".to_owned());
    }
    [
        format!("`{}`", text(column, "name")),
        format!("{} ({})", text(column, "help"), notes.join(", ")),
    ]
}

fn variable(variable: &Value) -> [String; 2] {
    let default = variable["default"]
        .as_str()
        .map(|default| format!(" [default: `{default}`]"));
    let help = format!("{}{}", text(variable, "help"), default.unwrap_or_default());
    [format!("`{}`", text(variable, "name")), help]
}

#[test]
fn the_pages_show_what_the_program_prints() {
    for page in PAGES {
        let found = read(page);
        let written = written(&found);
        if blessing() {
            if written != found {
                std::fs::write(root().join(page), written).unwrap();
            }
            continue;
        }
        if written != found {
            println!("{page} is not what `tests/run --bless` would write");
            itch_tests::same(&written, &found);
        }
    }
}

#[test]
fn paragraphs_are_wrapped() {
    assert_eq!(wrapped(&"word ".repeat(30)).lines().map(str::len).collect::<Vec<_>>(), [119, 29]);
    assert_eq!(wrapped("a\n\nb c"), "a\n\nb c");
}
