//! The trait that every format implements.

use std::io::{self, Write};

use itch_api::chrono::{DateTime, Utc};
use itch_plugin::Cell;

use crate::csv::CsvWriter;
use crate::jsonl::JsonlWriter;
use crate::table::TableWriter;
use crate::tsv::TsvWriter;
use crate::{Format, Layout};

/// Takes the rows of a run and writes them in one format.
///
/// Rows are buffered until [`flush`](RowWriter::flush) or [`finish`](RowWriter::finish). Call one of them however a run
/// ends: dropping a writer may lose rows.
pub trait RowWriter: Send {
    /// Writes a row: the cells of all declared columns, in the declared order.
    fn row(&mut self, row: &[Cell]) -> io::Result<()>;

    /// Flushes the rows written so far.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the output, and writes the header if there was no row, so that an empty file still has its header.
    fn finish(&mut self) -> io::Result<()>;
}

/// The terminal that rows are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The width of a line in cells; 0 if it is unknown.
    pub width: u16,
    /// Whether colours may be used.
    pub color: bool,
    /// The time from which `3 days ago` is counted.
    pub now: DateTime<Utc>,
}

/// The writer of a format. With a `terminal`, untrusted text is sanitised in every format, see
/// [`sanitize`](crate::sanitize()); without one, the text is unchanged.
pub fn row_writer(
    format: Format,
    layout: &Layout,
    terminal: Option<Terminal>,
    out: Box<dyn Write + Send>,
) -> Box<dyn RowWriter> {
    let layout = layout.clone();
    let on_terminal = terminal.is_some();
    match format {
        Format::Tsv => Box::new(TsvWriter::new(layout, on_terminal, out)),
        Format::Csv => Box::new(CsvWriter::new(layout, on_terminal, out)),
        Format::Jsonl => Box::new(JsonlWriter::new(&layout, on_terminal, out)),
        Format::Table => Box::new(TableWriter::new(layout, terminal, out)),
    }
}
