//! What is asked of a table, and what comes out of it.

use crate::format::InputFormat;
use crate::texts::Texts;

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

/// How a table is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The format; by name and content if not given.
    pub format: Option<InputFormat>,
    /// What stands between the cells of a text; found in the first lines if not given.
    pub delimiter: Option<u8>,
    /// How dates are written, in the notation of `strftime`, tried before the notations that are always understood.
    pub date_format: Option<String>,
    /// Whether the first row is a header; found out if not given.
    pub header: Option<bool>,
    /// The fields that will be asked for, if that is known: a first row with these names is a header.
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
    /// Whether the whole record of each row is kept.
    pub records: bool,
    /// How many threads read a text; 0 and 1 mean this one alone.
    pub threads: usize,
    /// How many bytes a thread takes at a time; there is no reason to change it but to test.
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

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Times, in seconds since 1970, UTC.
    Time,
    /// Texts.
    Text,
}

/// A field of a table, as far as its name and its first rows tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; its number from 1 if the table does not name its fields.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// A column that is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The number of the field, from 0, as of [`Source::find`](crate::Source::find).
    pub field: usize,
    /// As what its cells are read.
    pub kind: ColumnKind,
    /// Whether a row may have nothing there: the value is then NaN. A text may always be empty.
    pub optional: bool,
}

impl Wanted {
    /// A column that every row has to have.
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
    /// Numbers, or times in seconds since 1970; all finite, but for NaN where an optional column has nothing.
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

/// The rows that were kept out because they cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// How many there were.
    pub count: u64,
    /// The first of them, at most [`NAMED`]: the line from 1 (of Parquet and of a JSON array: the row) and the reason.
    pub first: Vec<(u64, String)>,
    /// Whether a cell of these first ones begins with a digit and is neither a number nor a time: likely a date in a
    /// notation of its own.
    pub has_unknown_dates: bool,
}

/// Columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns that were wanted, in that order.
    pub columns: Vec<Column>,
    /// The whole rows, if they were to be kept: a line of text, or the cells of a Parquet row between tabs.
    pub records: Option<Texts>,
    /// How many rows there were, the empty and the bad ones counted, blank lines and the header not.
    pub rows: u64,
    /// How many rows have nothing in one of the wanted columns, such as an account that is gone.
    pub empty: u64,
    /// The rows that cannot be read.
    pub bad: BadRows,
}
