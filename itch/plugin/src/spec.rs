//! How a unit describes itself. Help, completions, tables, checks and tests are all folds over these.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the JSON form of these descriptions.
pub const SPEC_VERSION: u32 = 1;

/// What a report is called, takes and prints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportSpec {
    /// [`SPEC_VERSION`].
    pub spec: u32,
    /// The command, as the user types it.
    pub name: String,
    /// Other names, some with an output form of their own.
    pub aliases: Vec<Alias>,
    /// One line without a final period.
    pub summary: String,
    /// Paragraphs for `--help`.
    pub help: String,
    /// What can be said behind the command.
    pub arguments: Vec<Argument>,
    /// What a row holds, in this order.
    pub columns: Vec<Column>,
    /// OAuth scopes that a token needs for it; empty if any token will do.
    pub scopes: Vec<String>,
    /// How to plot it, if that makes sense.
    pub chart: Option<ChartHint>,
    /// Environment variables that only this report reads.
    pub variables: Vec<Variable>,
    /// Commands that work, shown in help and run by the tests.
    pub examples: Vec<Example>,
}

/// Another name for a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// The other name.
    pub name: String,
    /// A fixed output form, as an older program printed it; `None` prints what the report prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<OutputForm>,
}

/// A fixed form of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputForm {
    /// Which columns, in which order.
    pub columns: Vec<String>,
    /// What stands between two cells.
    pub separator: String,
    /// What stands for a missing value.
    pub null: String,
    /// What is replaced inside a cell.
    pub escape: Escape,
}

/// What is replaced inside a cell so that a row stays a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Escape {
    /// Tab, CR, LF and backslash become `\t`, `\r`, `\n` and `\\`.
    Backslash,
    /// CR and LF become spaces; nothing else changes.
    LinesToSpaces,
}

/// What an argument is, and so how it is read and checked before the report runs.
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
    /// There or not; takes no value.
    Flag,
    /// A span of time: `90`, `1h2m3s`. Seconds.
    Duration,
    /// A place in a recording: `90`, `1h2m3s`. Seconds.
    Offset,
    /// A point in time: RFC 3339, a date, epoch seconds, or a span back from now such as `7d`.
    Time,
    /// A login, `id:` and a number, or `-` for a list on standard input.
    Channel,
    /// A video id, `v` and an id, or a URL of a video.
    Video,
    /// A file.
    Path,
    /// One of [`Argument::choices`].
    Choice,
}

/// One argument of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Argument {
    /// Whole words with hyphens: `--name`, or the value's name where it has a position.
    pub name: String,
    /// One letter for `-x`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<char>,
    /// One sentence without a final period.
    pub help: String,
    /// What it is.
    pub kind: ArgumentKind,
    /// Its place behind the command, from 0; `None` makes it an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether it may stand several times.
    pub repeat: bool,
    /// The value if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The values that a choice knows.
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

/// What a column's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text, most often from strangers.
    Text,
    /// A point in time, UTC; on the wire of the contract milliseconds since 1970.
    Time,
    /// A span of time in seconds.
    Duration,
}

/// One column of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, in the header and for `--columns`.
    pub name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// One sentence without a final period.
    pub help: String,
    /// The unit of a number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Decimal places of a time's or span's seconds, or of a number.
    #[serde(default)]
    pub precision: u8,
    /// Whether it is printed unless `--columns` says otherwise.
    #[serde(default = "yes")]
    pub default: bool,
}

fn yes() -> bool {
    true
}

/// How to plot a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartHint {
    /// The column along the bottom.
    pub x: String,
    /// The column up the side.
    pub y: String,
    /// The column that names a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What is drawn.
    #[serde(default)]
    pub mark: Mark,
}

/// What is drawn of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mark {
    /// A dot a row.
    Scatter,
    /// The running count of rows.
    Line,
    /// Both, the count on an axis of its own.
    #[default]
    Mixed,
}

impl ChartHint {
    /// These two columns against each other, and the running count.
    pub fn new(x: impl Into<String>, y: impl Into<String>) -> ChartHint {
        ChartHint {
            x: x.into(),
            y: y.into(),
            ..ChartHint::default()
        }
    }

    /// Names the column that names a row.
    pub fn label(mut self, label: impl Into<String>) -> ChartHint {
        self.label = Some(label.into());
        self
    }

    /// Says what is drawn.
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
    /// What holds if it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A command that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The command line as typed, beginning with `itch`.
    pub command: String,
    /// One sentence without a final period.
    pub help: String,
}

/// What a cache backend is called and which variables it reads.
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
}

/// What a renderer is called and writes.
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
    /// File name extensions that choose it, without the dot.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// The media type of what it writes.
    pub media_type: String,
    /// Whether it draws on a terminal.
    #[serde(default)]
    pub terminal: bool,
    /// How much of the data it wants.
    pub detail: Detail,
}

/// How much of the data a renderer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Detail {
    /// What can be seen at the target's size, already aggregated.
    Pixels,
    /// Single points up to this number, aggregated above it.
    Points(u64),
    /// Every point.
    All,
}

impl RendererSpec {
    /// A renderer of this name, one-line summary and media type, for what can be seen at the target's size.
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
        }
    }

    /// Sets the paragraphs for `itch plugins info`.
    pub fn help(mut self, help: impl Into<String>) -> RendererSpec {
        self.help = help.into();
        self
    }

    /// Adds a file name extension, without the dot, that chooses it.
    pub fn extension(mut self, extension: impl Into<String>) -> RendererSpec {
        self.extensions.push(extension.into());
        self
    }

    /// Says how much of the data it wants.
    pub fn detail(mut self, detail: Detail) -> RendererSpec {
        self.detail = detail;
        self
    }

    /// It draws on a terminal.
    pub fn on_terminal(mut self) -> RendererSpec {
        self.terminal = true;
        self
    }
}

/// Names that the host uses itself: a report's option or command of the same name would hide one of them.
pub const RESERVED_OPTIONS: &[&str] = &[
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
    "no-header",
    "no-plugins",
    "offline",
    "output",
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

/// Letters that the host uses itself.
pub const RESERVED_LETTERS: &[char] = &['c', 'd', 'f', 'h', 'l', 'o', 'q', 'v', 'V'];

/// Environment variables that sign in. No unit may declare one, since it would be told the value.
pub const SECRET_VARIABLES: &[&str] = &["TWITCH_CLIENT_SECRET", "TWITCH_TOKEN"];

/// Commands of the host's own.
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
    /// A report of this name and one-line summary.
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

    /// Adds another name.
    pub fn alias(mut self, name: impl Into<String>) -> ReportSpec {
        self.aliases.push(Alias {
            name: name.into(),
            form: None,
        });
        self
    }

    /// Adds another name with an output form of its own.
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

    /// Says how to plot it.
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
    /// An option `--name` of some kind.
    pub fn option(kind: ArgumentKind, name: impl Into<String>, help: impl Into<String>) -> Argument {
        Argument {
            kind,
            name: name.into(),
            help: help.into(),
            ..Argument::default()
        }
    }

    /// The argument at a position behind the command.
    pub fn positional(position: u32, kind: ArgumentKind, name: impl Into<String>, help: impl Into<String>) -> Argument {
        Argument {
            position: Some(position),
            ..Argument::option(kind, name, help)
        }
    }

    /// It has to be there.
    pub fn required(mut self) -> Argument {
        self.required = true;
        self
    }

    /// It may stand several times.
    pub fn repeat(mut self) -> Argument {
        self.repeat = true;
        self
    }

    /// The value if it is not given.
    pub fn default_value(mut self, value: impl Into<Value>) -> Argument {
        self.default = Some(value.into());
        self
    }
}

impl Column {
    /// A column of some type.
    pub fn new(kind: ColumnType, name: impl Into<String>, help: impl Into<String>) -> Column {
        Column {
            kind,
            name: name.into(),
            help: help.into(),
            unit: None,
            precision: 0,
            default: true,
        }
    }

    /// A column of text.
    pub fn text(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Text, name, help)
    }

    /// A column of whole numbers.
    pub fn int(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Int, name, help)
    }

    /// A column of times, UTC.
    pub fn time(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Time, name, help)
    }

    /// A column of spans of time, in seconds.
    pub fn duration(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column {
            unit: Some("s".to_owned()),
            ..Column::new(ColumnType::Duration, name, help)
        }
    }

    /// Printed only if `--columns` names it.
    pub fn on_request(mut self) -> Column {
        self.default = false;
        self
    }
}

impl CacheSpec {
    /// A backend of this name and one-line summary.
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

    /// Adds a variable that it reads, with what holds if it is not set.
    pub fn variable(mut self, name: impl Into<String>, help: impl Into<String>, default: Option<&str>) -> CacheSpec {
        self.variables.push(Variable {
            name: name.into(),
            help: help.into(),
            default: default.map(str::to_owned),
        });
        self
    }
}
