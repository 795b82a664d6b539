//! What every format is to the host: something that takes rows.

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
/// Rows are kept in a buffer; a reader sees them after [`flush`](RowWriter::flush) or
/// [`finish`](RowWriter::finish). Call one of them however a run ends: a writer that is dropped may lose rows.
pub trait RowWriter: Send {
    /// Takes a row: the cells of all declared columns, in the declared order.
    fn row(&mut self, row: &[Cell]) -> io::Result<()>;

    /// Writes through what was taken so far.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the output, and writes the header if no row did, so that even an empty file says what it would hold.
    fn finish(&mut self) -> io::Result<()>;
}

/// What is known of the terminal that rows are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// How many cells a line has; 0 if it does not say.
    pub width: u16,
    /// Whether it may be coloured.
    pub color: bool,
    /// From when "3 days ago" is counted.
    pub now: DateTime<Utc>,
}

/// The writer of a format. With a `terminal`, text from strangers is made harmless in every format, see
/// [`sanitize`](crate::sanitize()); without one, programs read the bytes as they are.
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
