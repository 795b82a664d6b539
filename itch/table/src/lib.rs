//! Reading tables: typed columns out of files in the formats that reports and other tools write.
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
//! # What is decided, and how
//!
//! * **Format**: the bytes `PAR1` mean Parquet whatever the name says; then the format asked for; then the ending of the
//!   name (those in [`InputFormat::ALL`], each also with `.gz` or `.zst`); then a first byte `{`, or `[` before `{`,
//!   means JSON; everything else is text. A document that is one JSON array is read as if each element stood on a line of
//!   its own. gzip and zstd are told by their first bytes.
//! * **Delimiter** of a text, if none is given: the first line with one of them decides: a tab if it has one, otherwise
//!   whichever of comma and semicolon it has more of. Between tabs a backslash escapes and a quote is a letter, as itch
//!   itself writes TSV; with every other delimiter, or when CSV was asked for, quotes enclose cells (`""` is a quote)
//!   and a backslash is a letter. Quotes around a whole number or time are ignored everywhere.
//! * **Header**: asked for, or the first row names all [expected](OpenOptions::expected) fields, or it holds nothing that
//!   begins like a number and either names one of them or stands above a number or time where it has a word. Without a
//!   header the fields are [`OpenOptions::default_fields`] if one of these is expected or their times stand where they
//!   belong, and numbers otherwise.
//! * **Fields** are found by exact name, then by name without regard to case, then by number from 1.
//! * **Kind** of a field: a time if it has one of itch's names for times (`created`, `followed`, `start`, `end`, `time`,
//!   `date`, `datetime`, `timestamp`, or anything ending in `_at`), or if at least half of the first filled cells are
//!   dates; text if more than half of them are neither number nor date; a number otherwise. Numbers in a column of times
//!   are seconds since 1970.
//! * **Empty rows** have nothing in a wanted cell, or `None`, or null: an account that is gone has no date. They are
//!   counted and kept out, unless the column may be empty.
//! * **Bad rows** are rows in which a wanted cell is missing, no number or time, not finite, or a time outside the years
//!   1 to 9999, and lines longer than [`LINE_LIMIT`]. Lines of nothing but white space are no rows at all.
#![deny(missing_docs)]

mod blocks;
mod cell;
pub mod dates;
mod delimited;
mod engine;
mod fields;
mod format;
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
