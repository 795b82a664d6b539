//! TSV: cells between tabs, byte for byte what the itch of 2016 printed for the reports that it had.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use itch_plugin::{Cell, Escape};

use crate::plain::{self, Times};
use crate::sanitize::harmless;
use crate::{Layout, RowWriter};

/// Writes rows as lines. The header, if there is one, and all text are escaped as the layout says, so that each line is
/// one row and each tab separates two cells, whatever the text contains.
pub(crate) struct TsvWriter {
    layout: Layout,
    on_terminal: bool,
    header_due: bool,
    line: String,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl TsvWriter {
    pub(crate) fn new(layout: Layout, on_terminal: bool, out: Box<dyn Write + Send>) -> TsvWriter {
        TsvWriter {
            header_due: layout.header_or(false),
            layout,
            on_terminal,
            line: String::new(),
            out: BufWriter::new(out),
        }
    }

    fn header(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.header_due) {
            return Ok(());
        }
        let form = self.layout.form();
        let names = self.layout.columns().map(|column| {
            let name = escape(&column.name, form.escape);
            harmless(&name, self.on_terminal).into_owned()
        });
        let names: Vec<String> = names.collect();
        writeln!(self.out, "{}", names.join(&form.separator))
    }
}

impl RowWriter for TsvWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.header()?;
        let form = self.layout.form();
        self.line.clear();
        for (place, (column, cell)) in self.layout.cells(row).enumerate() {
            if place > 0 {
                self.line.push_str(&form.separator);
            }
            match cell {
                cell if plain::is_nothing(cell) => self.line.push_str(&form.null),
                Cell::Text(text) => {
                    let text = escape(text, form.escape);
                    self.line.push_str(&harmless(&text, self.on_terminal));
                }
                cell => plain::push(&mut self.line, cell, column.precision, Times::Epoch),
            }
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.header()?;
        self.flush()
    }
}

/// Escapes a text so that it cannot end its row or, with backslashes, its cell.
fn escape(text: &str, escape: Escape) -> Cow<'_, str> {
    let special: &[char] = match escape {
        Escape::Backslash => &['\t', '\r', '\n', '\\'],
        Escape::LinesToSpaces => &['\r', '\n'],
    };
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match (escape, character) {
            (Escape::Backslash, '\t') => out.push_str("\\t"),
            (Escape::Backslash, '\r') => out.push_str("\\r"),
            (Escape::Backslash, '\n') => out.push_str("\\n"),
            (Escape::Backslash, '\\') => out.push_str("\\\\"),
            (Escape::LinesToSpaces, '\r' | '\n') => out.push(' '),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}
