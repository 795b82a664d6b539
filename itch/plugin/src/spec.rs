//! The descriptions of units. Help, completions, tables, checks and tests are generated from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::access::Access;
pub use crate::column::{Column, ColumnType};

/// The version of the JSON format of these descriptions.
pub const SPEC_VERSION: u32 = 1;

/// The description of a report: its name, arguments and columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportSpec {
    /// [`SPEC_VERSION`].
    pub spec: u32,
    /// The command, as the user types it.
    pub name: String,
    /// Aliases, some with their own output format.
    pub aliases: Vec<Alias>,
    /// One line without a final period.
    pub summary: String,
    /// Paragraphs for `--help`.
    pub help: String,
    /// The arguments and options.
    pub arguments: Vec<Argument>,
    /// The columns of a row, in this order.
    pub columns: Vec<Column>,
    /// The OAuth scopes that a token needs; empty if any token can be used.
    pub scopes: Vec<String>,
    /// OAuth scopes that a token should have for some of the columns; without them the report works, but the columns may
    /// be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted_scopes: Vec<WantedScope>,
    /// How to plot it, if it can be plotted.
    pub chart: Option<ChartHint>,
    /// Environment variables that only this report reads.
    pub variables: Vec<Variable>,
    /// Files and directories that it reads, as in [`Access::read`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Example commands, shown in help and run by the tests.
    pub examples: Vec<Example>,
}

/// An alias of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// The alias.
    pub name: String,
    /// A fixed output format, like that of an older program; `None` for the same output as the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<OutputForm>,
}

/// A fixed format of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputForm {
    /// The columns, in the order in which they are printed.
    pub columns: Vec<String>,
    /// The separator between two cells.
    pub separator: String,
    /// The text for a missing value.
    pub null: String,
    /// What is replaced inside a cell.
    pub escape: Escape,
}

/// How characters inside a cell are replaced, so that each row stays on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Escape {
    /// Tab, CR, LF and backslash become `\t`, `\r`, `\n` and `\\`.
    Backslash,
    /// CR and LF become spaces; nothing else changes.
    LinesToSpaces,
}

/// The kind of an argument: how it is parsed and checked before the report runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ArgumentKind {
    /// Any text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Set or not set; takes no value.
    Flag,
    /// A duration: `90`, `1h2m3s`. In seconds.
    Duration,
    /// A position in a recording: `90`, `1h2m3s`. In seconds.
    Offset,
    /// A point in time: RFC 3339, a date, epoch seconds, or a duration before now such as `7d`.
    Time,
    /// A login, `id:` and a number, or `-` for a list on standard input.
    Channel,
    /// A video id, `v` and an id, or a URL of a video.
    Video,
    /// A path.
    Path,
    /// One of [`Argument::choices`].
    Choice,
}

/// One argument of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Argument {
    /// Words separated by hyphens: the option `--name`, or the value's name if it has a position.
    pub name: String,
    /// The letter of the short option, such as `x` for `-x`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<char>,
    /// One sentence without a final period.
    pub help: String,
    /// The kind of its value.
    pub kind: ArgumentKind,
    /// Its position after the command, from 0; `None` makes it an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Whether it is required.
    pub required: bool,
    /// Whether it may occur several times.
    pub repeat: bool,
    /// The default value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The allowed values of a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

impl Default for Argument {
    fn default() -> Argument {
        Argument {
            name: String::new(),
            short: None,
            help: String::new(),
            kind: ArgumentKind::Text,
            position: None,
            required: false,
            repeat: false,
            default: None,
            choices: Vec::new(),
        }
    }
}

/// An OAuth scope that only one column of a report needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedScope {
    /// The scope.
    pub scope: String,
    /// The column that is empty without it.
    pub column: String,
}

/// How to plot a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartHint {
    /// The column for the bottom axis.
    pub x: String,
    /// The column for the left axis.
    pub y: String,
    /// The column with the name of each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to draw.
    #[serde(default)]
    pub mark: Mark,
}

/// What to draw for a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mark {
    /// A dot per row.
    Scatter,
    /// The running count of rows.
    Line,
    /// Both, with the count on its own axis.
    #[default]
    Mixed,
}

impl ChartHint {
    /// A chart of these two columns, and the running count.
    pub fn new(x: impl Into<String>, y: impl Into<String>) -> ChartHint {
        ChartHint {
            x: x.into(),
            y: y.into(),
            ..ChartHint::default()
        }
    }

    /// Sets the column with the name of each row.
    pub fn label(mut self, label: impl Into<String>) -> ChartHint {
        self.label = Some(label.into());
        self
    }

    /// Sets what to draw.
    pub fn mark(mut self, mark: Mark) -> ChartHint {
        self.mark = mark;
        self
    }
}

/// An environment variable that a unit reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// One sentence without a final period.
    pub help: String,
    /// The default if it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// An example command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The command line as typed, beginning with `itch`.
    pub command: String,
    /// One sentence without a final period.
    pub help: String,
}

/// The description of a cache backend: its name and variables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheSpec {
    /// [`SPEC_VERSION`].
    pub spec: u32,
    /// The name for `-c`.
    pub name: String,
    /// One line without a final period.
    pub summary: String,
    /// Paragraphs for `itch plugins info`.
    pub help: String,
    /// The environment variables it reads.
    pub variables: Vec<Variable>,
    /// The files and the network that it uses. `None`, as in the first version of this format, means the network and the
    /// paths that its variables name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
}

/// The description of a renderer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RendererSpec {
    /// [`SPEC_VERSION`].
    pub spec: u32,
    /// Its name.
    pub name: String,
    /// One line without a final period.
    pub summary: String,
    /// Paragraphs for `itch plugins info`.
    #[serde(default)]
    pub help: String,
    /// The file name extensions that select it, without the dot.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// The media type of its output.
    pub media_type: String,
    /// Whether it draws on a terminal.
    #[serde(default)]
    pub terminal: bool,
    /// How much of the data it needs.
    pub detail: Detail,
    /// Files and directories that it reads, as in [`Access::read`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// How much of the data a renderer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Detail {
    /// What is visible at the target's size, already aggregated.
    Pixels,
    /// Single points up to this number, aggregated data above it.
    Points(u64),
    /// Every point.
    All,
}

impl RendererSpec {
    /// A renderer with this name, one-line summary and media type, for data as visible at the target's size.
    pub fn new(name: impl Into<String>, summary: impl Into<String>, media_type: impl Into<String>) -> RendererSpec {
        RendererSpec {
            spec: SPEC_VERSION,
            name: name.into(),
            summary: summary.into(),
            help: String::new(),
            extensions: Vec::new(),
            media_type: media_type.into(),
            terminal: false,
            detail: Detail::Pixels,
            reads: Vec::new(),
        }
    }

    /// Sets the paragraphs for `itch plugins info`.
    pub fn help(mut self, help: impl Into<String>) -> RendererSpec {
        self.help = help.into();
        self
    }

    /// Adds a file name extension, without the dot, that selects it.
    pub fn extension(mut self, extension: impl Into<String>) -> RendererSpec {
        self.extensions.push(extension.into());
        self
    }

    /// Sets how much of the data it needs.
    pub fn detail(mut self, detail: Detail) -> RendererSpec {
        self.detail = detail;
        self
    }

    /// Marks it as drawing on a terminal.
    pub fn on_terminal(mut self) -> RendererSpec {
        self.terminal = true;
        self
    }
}

/// Names that the host uses: an option or command of a report with the same name would hide one of them.
pub const RESERVED_OPTIONS: &[&str] = &[
    "as",
    "cache",
    "cache-size",
    "cache-strict",
    "color",
    "columns",
    "direction",
    "format",
    "header",
    "help",
    "insecure-http",
    "limit",
    "max-age",
    "max-wait",
    "no-clobber",
    "no-header",
    "no-plugins",
    "offline",
    "output",
    "overwrite",
    "plot",
    "plugin",
    "prefer",
    "progress",
    "quiet",
    "refresh",
    "retries",
    "sandbox",
    "source",
    "stale-if-error",
    "timeout",
    "tolerance",
    "verbose",
    "verdict",
    "version",
];

/// Letters of short options that the host uses.
pub const RESERVED_LETTERS: &[char] = &['c', 'd', 'f', 'h', 'l', 'o', 'q', 'v', 'V'];

/// Environment variables used to sign in. No unit may declare one, since it would get the value.
pub const SECRET_VARIABLES: &[&str] = &["TWITCH_CLIENT_SECRET", "TWITCH_TOKEN"];

/// Built-in commands of the host.
pub const RESERVED_COMMANDS: &[&str] = &[
    "api",
    "cache",
    "completions",
    "doctor",
    "help",
    "login",
    "logout",
    "man",
    "plot",
    "plugins",
    "sandbox",
    "whoami",
];

impl ReportSpec {
    /// A report with this name and one-line summary.
    pub fn new(name: impl Into<String>, summary: impl Into<String>) -> ReportSpec {
        ReportSpec {
            spec: SPEC_VERSION,
            name: name.into(),
            summary: summary.into(),
            ..ReportSpec::default()
        }
    }

    /// Sets the paragraphs for `--help`.
    pub fn help(mut self, help: impl Into<String>) -> ReportSpec {
        self.help = help.into();
        self
    }

    /// Adds an alias.
    pub fn alias(mut self, name: impl Into<String>) -> ReportSpec {
        self.aliases.push(Alias {
            name: name.into(),
            form: None,
        });
        self
    }

    /// Adds an alias with its own output format.
    pub fn alias_form(mut self, name: impl Into<String>, form: OutputForm) -> ReportSpec {
        self.aliases.push(Alias {
            name: name.into(),
            form: Some(form),
        });
        self
    }

    /// Adds an argument.
    pub fn argument(mut self, argument: Argument) -> ReportSpec {
        self.arguments.push(argument);
        self
    }

    /// The fields of the models that these columns are made from, and the first column of each; `None` if no column of the
    /// report declares them.
    pub fn fields_of(&self, columns: &[String]) -> Option<BTreeMap<String, String>> {
        if self.columns.iter().all(|column| column.fields.is_empty()) {
            return None;
        }
        let mut fields = BTreeMap::new();
        for column in self.columns.iter().filter(|column| columns.contains(&column.name)) {
            for field in &column.fields {
                fields.entry(field.clone()).or_insert_with(|| column.name.clone());
            }
        }
        Some(fields)
    }

    /// Adds a column.
    pub fn column(mut self, column: Column) -> ReportSpec {
        self.columns.push(column);
        self
    }

    /// Adds an OAuth scope.
    pub fn scope(mut self, scope: impl Into<String>) -> ReportSpec {
        self.scopes.push(scope.into());
        self
    }

    /// Adds an OAuth scope that is only needed for one column.
    pub fn wanted_scope(mut self, scope: impl Into<String>, column: impl Into<String>) -> ReportSpec {
        self.wanted_scopes.push(WantedScope {
            scope: scope.into(),
            column: column.into(),
        });
        self
    }

    /// Sets how to plot it.
    pub fn chart(mut self, hint: ChartHint) -> ReportSpec {
        self.chart = Some(hint);
        self
    }

    /// Adds an example.
    pub fn example(mut self, command: impl Into<String>, help: impl Into<String>) -> ReportSpec {
        self.examples.push(Example {
            command: command.into(),
            help: help.into(),
        });
        self
    }
}

impl Argument {
    /// An option `--name` of this kind.
    pub fn option(kind: ArgumentKind, name: impl Into<String>, help: impl Into<String>) -> Argument {
        Argument {
            kind,
            name: name.into(),
            help: help.into(),
            ..Argument::default()
        }
    }

    /// A positional argument.
    pub fn positional(position: u32, kind: ArgumentKind, name: impl Into<String>, help: impl Into<String>) -> Argument {
        Argument {
            position: Some(position),
            ..Argument::option(kind, name, help)
        }
    }

    /// Makes it required.
    pub fn required(mut self) -> Argument {
        self.required = true;
        self
    }

    /// Allows it to occur several times.
    pub fn repeat(mut self) -> Argument {
        self.repeat = true;
        self
    }

    /// Sets the default value.
    pub fn default_value(mut self, value: impl Into<Value>) -> Argument {
        self.default = Some(value.into());
        self
    }
}

impl CacheSpec {
    /// A backend with this name and one-line summary.
    pub fn new(name: impl Into<String>, summary: impl Into<String>) -> CacheSpec {
        CacheSpec {
            spec: SPEC_VERSION,
            name: name.into(),
            summary: summary.into(),
            ..CacheSpec::default()
        }
    }

    /// Sets the paragraphs for `itch plugins info`.
    pub fn help(mut self, help: impl Into<String>) -> CacheSpec {
        self.help = help.into();
        self
    }

    /// Adds a variable that it reads, with its default.
    pub fn variable(mut self, name: impl Into<String>, help: impl Into<String>, default: Option<&str>) -> CacheSpec {
        self.variables.push(Variable {
            name: name.into(),
            help: help.into(),
            default: default.map(str::to_owned),
        });
        self
    }

    /// Sets the files and the network that it uses.
    pub fn access(mut self, access: Access) -> CacheSpec {
        self.access = Some(access);
        self
    }
}
