//! CSV: a header, commas, quotes where needed, times in RFC 3339.

use std::io::{self, Write};

use itch_plugin::Cell;

use crate::plain::{self, Times};
use crate::sanitize::harmless;
use crate::{Layout, RowWriter};

/// Writes rows as comma-separated values. Text is not changed: a cell that begins with `=` is not escaped for
/// spreadsheets, since that would change it for every other program.
pub(crate) struct CsvWriter {
    layout: Layout,
    on_terminal: bool,
    header_due: bool,
    cell: String,
    out: ::csv::Writer<Box<dyn Write + Send>>,
}

impl CsvWriter {
    pub(crate) fn new(layout: Layout, on_terminal: bool, out: Box<dyn Write + Send>) -> CsvWriter {
        CsvWriter {
            header_due: layout.header_or(true),
            layout,
            on_terminal,
            cell: String::new(),
            out: ::csv::Writer::from_writer(out),
        }
    }

    fn header(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.header_due) {
            for column in self.layout.columns() {
                let name = harmless(&column.name, self.on_terminal);
                self.out.write_field(name.as_ref())?;
            }
            self.end_record()?;
        }
        Ok(())
    }

    fn end_record(&mut self) -> io::Result<()> {
        Ok(self.out.write_record(None::<&[u8]>)?)
    }
}

impl RowWriter for CsvWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.header()?;
        for (column, cell) in self.layout.cells(row) {
            match cell {
                cell if plain::is_nothing(cell) => self.out.write_field("")?,
                Cell::Text(text) => {
                    let text = harmless(text, self.on_terminal);
                    self.out.write_field(text.as_ref())?;
                }
                cell => {
                    self.cell.clear();
                    plain::push(&mut self.cell, cell, column.precision, Times::Rfc3339);
                    self.out.write_field(&self.cell)?;
                }
            }
        }
        self.end_record()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.header()?;
        self.flush()
    }
}
