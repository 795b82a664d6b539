//! Reading tables: two columns of numbers or times, from files in the formats that reports and other tools write.
//!
//! This crate imports [`itch_api`] for its errors and must never import the chart, the client or the host.
//!
//! # What is decided, and how
//!
//! * **Form**: the bytes `PAR1` mean Parquet whatever the name says; then the format asked for; then the ending of the
//!   name (`.tsv` `.txt` `.csv` `.jsonl` `.ndjson` `.json` `.parquet`, each also with `.gz` or `.zst`); then a first
//!   byte `{`, or `[` before `{`, means JSON; everything else is text. A document that is one JSON array is read as if
//!   each element stood on a line of its own. gzip and zstd are told by their first bytes.
//! * **Delimiter** of a text, if none is given: the first line with one of them decides: a tab if it has one, otherwise
//!   whichever of comma and semicolon it has more of. Between tabs a backslash escapes and a quote is a letter, as itch
//!   itself writes TSV; with every other delimiter, or when CSV was asked for, quotes enclose cells (`""` is a quote)
//!   and a backslash is a letter. Quotes around a whole number or time are ignored everywhere.
//! * **Header**: asked for, or the first row names both wanted fields, or it holds nothing that begins like a number
//!   and either names one of them or stands above a number or time where it has a word. Without a header the fields
//!   are [`ReadOptions::default_fields`] if one of these is asked for or their times stand where they belong, and
//!   numbers otherwise.
//! * **Fields** are found by exact name, then by name without regard to case, then by number from 1.
//! * **Kind** of a column, unless given: a time if it has one of itch's names for times (`created`, `followed`, `start`,
//!   `end`, `time`, `date`, `datetime`, `timestamp`, or anything ending in `_at`), or if at least half of the first
//!   filled cells are dates; a number otherwise. Numbers in a column of times are seconds since 1970.
//! * **Empty rows** have nothing in a wanted cell, or `None`, or null: an account that is gone has no date. They are
//!   counted and kept out.
//! * **Bad rows** are rows in which a wanted cell is missing, no number or time, not finite, or a time outside the years
//!   1 to 9999, and lines longer than [`LINE_LIMIT`]. Lines of nothing but white space are no rows at all.
#![deny(missing_docs)]

mod blocks;
mod cell;
mod delimited;
mod engine;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod source;
mod texts;

use std::path::PathBuf;
use std::str::FromStr;

use itch_api::{Error, ErrorKind, Result};

pub use texts::Texts;

/// The longest line that is read, in bytes: a longer one is a bad row and takes no more memory than this.
pub const LINE_LIMIT: usize = 1 << 20;

/// How many bad rows are named.
pub const NAMED: usize = 5;

/// The fields of the rows that itch printed in 2016, which had no header.
pub const FOLLOWER_FIELDS: &[&str] = &[
    "name",
    "channel",
    "created",
    "followed",
    "delta",
    "followers",
    "following",
];

/// The fields of a file of streams without a header.
const STREAM_FIELDS: &[&str] = &["start", "end"];

/// The form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// Cells between tabs, with backslash escapes.
    Tsv,
    /// Cells between commas or another delimiter, with quotes.
    Csv,
    /// A JSON object on each line, or one array of objects.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl InputFormat {
    /// Every form, by the name under which it is asked for.
    pub const NAMES: [(&'static str, InputFormat); 4] = [
        ("tsv", InputFormat::Tsv),
        ("csv", InputFormat::Csv),
        ("jsonl", InputFormat::Jsonl),
        ("parquet", InputFormat::Parquet),
    ];
}

impl FromStr for InputFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<InputFormat> {
        let wanted = match text.to_ascii_lowercase().as_str() {
            "json" | "ndjson" => "jsonl".to_owned(),
            other => other.to_owned(),
        };
        let names = InputFormat::NAMES;
        let found = names.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, format)| *format).ok_or_else(|| {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let message = format!("there is no input format {text:?}; there are {}", known.join(", "));
            Error::new(ErrorKind::Usage, message)
        })
    }
}

/// Where a table comes from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file, a pipe or a device; `-` is no special name here.
    Path(PathBuf),
    /// What the process is fed.
    Stdin,
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

/// Which texts of the rows are kept beside the two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepText {
    /// None: a row takes 16 bytes.
    #[default]
    Nothing,
    /// The label of each row.
    Labels,
    /// The label and the whole record of each row.
    Records,
}

/// What to read of a table, and how.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The form; by name and content if not given.
    pub format: Option<InputFormat>,
    /// What stands between the cells of a text; found in the first lines if not given.
    pub delimiter: Option<u8>,
    /// How dates are written, in the notation of `strftime`, tried before the notations that are always understood.
    pub date_format: Option<String>,
    /// The field for the horizontal axis: a name, or a number from 1.
    pub x: String,
    /// The field for the vertical axis: a name, or a number from 1.
    pub y: String,
    /// What the x field is; by its name and content if not given.
    pub x_kind: Option<ColumnKind>,
    /// What the y field is; by its name and content if not given.
    pub y_kind: Option<ColumnKind>,
    /// The field that labels a row; if not given, `name` where there is one.
    pub label: Option<String>,
    /// Whether the first bad row is an error.
    pub strict: bool,
    /// Whether the first row is a header; found out if not given.
    pub header: Option<bool>,
    /// How many threads read a text; 0 and 1 mean this one alone.
    pub threads: usize,
    /// Which texts are kept.
    pub keep_text: KeepText,
    /// The names of the fields of a text without a header.
    pub default_fields: &'static [&'static str],
    /// How many bytes a thread takes at a time; there is no reason to change it but to test.
    pub block: usize,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            format: None,
            delimiter: None,
            date_format: None,
            x: "followed".to_owned(),
            y: "created".to_owned(),
            x_kind: None,
            y_kind: None,
            label: None,
            strict: false,
            header: None,
            threads: 2,
            keep_text: KeepText::Nothing,
            default_fields: FOLLOWER_FIELDS,
            block: 256 << 10,
        }
    }
}

/// What the numbers of a column stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Themselves.
    Number,
    /// Seconds since 1970, UTC.
    Time,
}

/// One column of the rows that were kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// The values, in the order of the rows, all finite.
    pub values: Vec<f64>,
}

/// The rows that were kept out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// How many there were.
    pub count: u64,
    /// The first of them, at most [`NAMED`]: the line from 1 (of Parquet and of a JSON array: the row) and the reason.
    pub first: Vec<(u64, String)>,
}

/// Two columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The column of the horizontal axis.
    pub x: Column,
    /// The column of the vertical axis.
    pub y: Column,
    /// The labels of the rows, if they were to be kept and there is such a field.
    pub labels: Option<Texts>,
    /// The whole rows, if they were to be kept: a line of text, or the cells of a Parquet row between tabs.
    pub records: Option<Texts>,
    /// How many rows there were, the empty and the bad ones counted, blank lines and the header not.
    pub rows: u64,
    /// How many rows have nothing in one of the two columns, such as an account that is gone.
    pub empty: u64,
    /// The rows that were kept out.
    pub bad: BadRows,
    /// The names of the fields.
    pub fields: Vec<String>,
    /// Whether the table named its fields itself.
    pub has_header: bool,
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// When it began, in seconds since 1970.
    pub start: f64,
    /// When it ended; nothing while it runs.
    pub end: Option<f64>,
}

/// The spans of a file of streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bands {
    /// The spans, in the order of the file.
    pub bands: Vec<Band>,
    /// The rows that were kept out.
    pub bad: BadRows,
}

/// Reads two columns of a table.
///
/// # Errors
///
/// When the input cannot be read, is empty or binary, when a wanted field is not there, when no row is usable, and under
/// [`ReadOptions::strict`] when a row is bad.
pub fn read_table(input: Input, options: &ReadOptions) -> Result<Table> {
    let wish = plan::Wish::new(options)?;
    let opened = source::open(input, options)?;
    let name = opened.name.clone();
    let table = read_opened(opened, &wish)?.ok_or_else(|| Error::new(ErrorKind::Failed, format!("{name} is empty")))?;
    if table.x.values.is_empty() {
        return Err(nothing_usable(&name, &table));
    }
    Ok(table)
}

/// Reads the spans of a file of streams: the fields `start` and `end` if it has a header that names them, otherwise the
/// first two. An end that is empty or `None` belongs to a stream that still runs. A file without rows has no spans. Of
/// the options only the delimiter, the form of dates and strictness count.
///
/// # Errors
///
/// When the input cannot be read or is binary, and under [`ReadOptions::strict`] when a row is bad.
pub fn read_bands(input: Input, options: &ReadOptions) -> Result<Bands> {
    let options = ReadOptions {
        delimiter: options.delimiter,
        date_format: options.date_format.clone(),
        strict: options.strict,
        x: "start".to_owned(),
        y: "end".to_owned(),
        x_kind: Some(ColumnKind::Time),
        y_kind: Some(ColumnKind::Time),
        threads: 1,
        default_fields: STREAM_FIELDS,
        ..ReadOptions::default()
    };
    let wish = plan::Wish::new(&options)?.bands();
    let opened = source::open(input, &options)?;
    let Some(table) = read_opened(opened, &wish)? else {
        return Ok(Bands::default());
    };
    let pairs = table.x.values.iter().zip(&table.y.values);
    let bands = pairs.map(|(&start, &end)| Band {
        start,
        end: end.is_finite().then_some(end),
    });
    Ok(Bands {
        bands: bands.collect(),
        bad: table.bad,
    })
}

/// Reads what was opened; nothing if there is not a single row or header in it.
fn read_opened(opened: source::Opened, wish: &plan::Wish<'_>) -> Result<Option<Table>> {
    match opened.form {
        source::Form::Text { quotes } => delimited::read(opened, quotes, wish),
        source::Form::Json => json::read(opened, wish),
        #[cfg(feature = "parquet")]
        source::Form::Parquet => parquet::read(opened, wish).map(Some),
        #[cfg(not(feature = "parquet"))]
        source::Form::Parquet => {
            let message = format!("{} is Parquet, which this itch was built without", opened.name);
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

fn nothing_usable(name: &str, table: &Table) -> Error {
    let message = format!(
        "{name} has no row with both {} and {}; its columns are {}",
        table.x.name,
        table.y.name,
        table.fields.join(", ")
    );
    let mut error = Error::new(ErrorKind::Failed, message);
    for (line, reason) in &table.bad.first {
        error = error.cause(format!("line {line}: {reason}"));
    }
    // What begins with a digit and is neither a number nor a time is likely a date in a form of its own.
    let other = |reason: &&String| reason.contains(" is no ");
    let mut wrong = table
        .bad
        .first
        .iter()
        .map(|(_, reason)| reason)
        .filter(other)
        .filter_map(|reason| reason.split('"').nth(1));
    let dates = wrong.any(|text| text.starts_with(|first: char| first.is_ascii_digit()));
    error.hint(match dates {
        true => "say how its dates are written: --date-format '%d.%m.%Y'",
        false => "choose the columns with -x and -y, by name or number",
    })
}
