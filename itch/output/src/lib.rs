//! Output of itch: writing rows in the formats, sanitising untrusted text, and the verdict line. It imports
//! [`itch_api`] and [`itch_plugin`] and must never import the client, the sandbox, a plugin or the host: it sends no
//! requests and knows no report by name.
//!
//! It has three parts, each usable on its own:
//!
//! 1. A [`Layout`] says which of a report's columns are printed, in which order and how, and parses the lines that a
//!    report prints into typed cells.
//! 2. [`row_writer`] returns the [`RowWriter`] of a [`Format`]; each format is one file.
//! 3. A [`Verdict`] is computed from what the host counted (a [`Run`]) and from the facts noted during the run. It
//!    alone decides whether a run is complete, and which exit code that is.
//!
//! Programs get text unchanged; on a terminal it is sanitised, see [`sanitize()`].
//!
//! ```
//! use itch_output::{Format, Layout, row_writer};
//! use itch_plugin::Column;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let columns = [Column::text("name", "The login"), Column::time("created", "When it was made")];
//! let layout = Layout::new(&columns, None, None, None)?;
//! let row = layout.read_row(br#"["burkeblack", 1306800000000]"#)?;
//! let mut writer = row_writer(Format::Tsv, &layout, None, Box::new(std::io::sink()));
//! writer.row(&row)?;
//! writer.finish()?;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod csv;
mod format;
mod human;
mod jsonl;
mod layout;
mod plain;
mod sanitize;
mod table;
mod tsv;
mod verdict;
mod writer;

pub use format::Format;
pub use layout::Layout;
pub use sanitize::sanitize;
pub use verdict::{DEFAULT_TOLERANCE, EXIT_GAPS, EXIT_INTERRUPTED, Run, Verdict};
pub use writer::{RowWriter, Terminal, row_writer};
