//! The options for reading a table, and the result.

use crate::format::InputFormat;
use crate::texts::Texts;

/// The longest line that is read, in bytes. A longer line is a bad row and takes no more memory than this.
pub const LINE_LIMIT: usize = 1 << 20;

/// How many bad rows are listed.
pub const NAMED: usize = 5;

/// The fields of the rows that the itch of 2016 printed, which had no header.
pub const FOLLOWER_FIELDS: &[&str] = &[
    "name",
    "channel",
    "created",
    "followed",
    "delta",
    "followers",
    "following",
];

/// How a table is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The format; detected from name and content if `None`.
    pub format: Option<InputFormat>,
    /// The delimiter of a text; detected from the first lines if `None`.
    pub delimiter: Option<u8>,
    /// The format of dates in the notation of `strftime`, tried before the formats that are always understood.
    pub date_format: Option<String>,
    /// Whether the first row is a header; detected if `None`.
    pub header: Option<bool>,
    /// The names of the fields that will be asked for, if known: a first row with these names is a header.
    pub expected: Vec<String>,
    /// The names of the fields of a text without a header.
    pub default_fields: &'static [&'static str],
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            format: None,
            delimiter: None,
            date_format: None,
            header: None,
            expected: Vec::new(),
            default_fields: FOLLOWER_FIELDS,
        }
    }
}

/// How the rows of a table are read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Whether the first bad row is an error.
    pub strict: bool,
    /// Whether the text of each row is kept as well.
    pub records: bool,
    /// How many threads read a text; with 0 or 1 only the calling thread reads.
    pub threads: usize,
    /// How many bytes a thread takes at a time; only tests change it.
    pub block: usize,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            strict: false,
            records: false,
            threads: 2,
            block: 256 << 10,
        }
    }
}

/// The type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Times, in seconds since 1970, UTC.
    Time,
    /// Texts.
    Text,
}

/// A field of a table, as far as the header and the first rows show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, or its number from 1 if the table has no header.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// A column to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The index of the field from 0, see [`Source::find`](crate::Source::find).
    pub field: usize,
    /// The type that its cells are read as.
    pub kind: ColumnKind,
    /// Whether a cell may be empty: the value is then NaN. A text may always be empty.
    pub optional: bool,
}

impl Wanted {
    /// A column in which every row needs a value.
    pub fn new(field: usize, kind: ColumnKind) -> Wanted {
        Wanted {
            field,
            kind,
            optional: false,
        }
    }
}

/// The values of a column, in the order of the rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers, or times in seconds since 1970. All are finite, except NaN for an empty cell of an optional column.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Texts),
}

/// One column of the rows that were kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// The values.
    pub values: Values,
}

/// The rows that were skipped because they cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// How many there were.
    pub count: u64,
    /// The first of them, at most [`NAMED`]: the line from 1 (in Parquet and in a JSON array: the row) and the reason.
    pub first: Vec<(u64, String)>,
    /// Whether a cell of these rows begins with a digit and is neither a number nor a time: it is probably a date in
    /// another format.
    pub has_unknown_dates: bool,
}

/// The columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns asked for, in that order.
    pub columns: Vec<Column>,
    /// The whole rows, if [`ReadOptions::records`] is set: a line of text, or the cells of a Parquet row separated by
    /// tabs.
    pub records: Option<Texts>,
    /// How many rows there were, including empty and bad ones, but not blank lines and the header.
    pub rows: u64,
    /// How many rows have an empty cell in one of the wanted columns, such as those of deleted accounts.
    pub empty: u64,
    /// The rows that cannot be read.
    pub bad: BadRows,
}
