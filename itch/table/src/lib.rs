//! Reads tables: typed columns from files in the formats that reports and other tools write.
//!
//! ```
//! use itch_table::{ColumnKind, Input, OpenOptions, ReadOptions, Source, Values, Wanted};
//!
//! let text = "name\tfollowed\nalice\t2016-07-25\nbob\tNone\n";
//! let source = Source::open(Input::Bytes(text.into()), &OpenOptions::default())?;
//! let followed = source.find("followed")?;
//! assert_eq!(source.fields()[followed].kind, ColumnKind::Time);
//! let wanted = [Wanted::new(followed, ColumnKind::Time)];
//! let table = source.read(&wanted, &ReadOptions::default())?;
//! assert_eq!(table.columns[0].values, Values::Numbers(vec![1_469_404_800.0]));
//! assert_eq!((table.rows, table.empty, table.bad.count), (2, 1, 0));
//! # Ok::<(), itch_api::Error>(())
//! ```
//!
//! This crate imports [`itch_api`] for its errors and must never import the chart, the client or the host.
//!
//! # What is detected, and how
//!
//! * **Format**: a file that begins with the bytes `PAR1` is Parquet, whatever its name. Otherwise the format is the
//!   one asked for; then the one of the file extension (see [`InputFormat::ALL`]; `.gz` or `.zst` may follow it); then
//!   JSON, if the first byte is `{`, or `[` before `{`; and delimited text otherwise. A document that is one JSON array
//!   is read as if each element were on its own line. gzip and zstd are detected by their first bytes.
//! * **Delimiter** of a text, if none is given: the first line that has a tab, comma or semicolon decides: a tab if it
//!   has one, otherwise the more frequent of comma and semicolon. With tabs, a backslash escapes and a quote is a
//!   literal character, as itch writes TSV. With every other delimiter, or when CSV was asked for, quotes enclose cells
//!   (`""` is a quote) and a backslash is a literal character. Quotes around a whole number or time are always ignored.
//! * **Header**: if asked for; or if the first row has the names of all [expected](OpenOptions::expected) fields; or if
//!   it has no cell that begins like a number, and either has one of these names or has a word above a number or time.
//!   Without a header the fields are [`OpenOptions::default_fields`] if one of these is expected or if their times are
//!   in the right columns; otherwise the fields are numbered.
//! * **Fields** are found by exact name, then by name without regard to case, then by number from 1.
//! * **Kind** of a field: a time if it has one of itch's names for times (`created`, `followed`, `start`, `end`,
//!   `time`, `date`, `datetime`, `timestamp`, or anything ending in `_at`), or if at least half of the first filled
//!   cells are dates; text if more than half of them are neither number nor date; a number otherwise. Numbers in a
//!   column of times are seconds since 1970.
//! * **Empty rows** have an empty cell, `None` or null in a wanted column: a deleted account has no date. They are
//!   counted and skipped, unless the column is optional.
//! * **Bad rows** have a wanted cell that is missing, not a number or time, not finite, or a time outside the years 1
//!   to 9999, or they are longer than [`LINE_LIMIT`]. Lines of nothing but white space are not counted as rows.
#![deny(missing_docs)]

mod blocks;
mod cell;
pub mod dates;
mod delimited;
mod engine;
mod fields;
mod format;
#[cfg(feature = "parquet")]
mod guard;
mod input;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod source;
mod spans;
mod texts;
mod types;
mod zone;

pub use format::{FormatNames, InputFormat};
pub use input::Input;
pub use source::Source;
pub use spans::{Span, Spans, read_spans};
pub use texts::Texts;
pub use types::{
    BadRows, Column, ColumnKind, FOLLOWER_FIELDS, Field, LINE_LIMIT, NAMED, OpenOptions, ReadOptions, Table, Values,
    Wanted,
};
pub use zone::Zone;
