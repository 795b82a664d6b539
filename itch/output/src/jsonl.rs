//! JSON lines: one object per row, its fields in the order of the columns.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use itch_plugin::Cell;

use crate::plain::{self, Times};
use crate::sanitize::is_harmless;
use crate::{Layout, RowWriter};

/// Writes rows as objects. Numbers have the same digits as in the other formats; times are strings.
pub(crate) struct JsonlWriter {
    layout: Layout,
    on_terminal: bool,
    /// The text before each value: `{"name":`, `,"created":`.
    keys: Vec<String>,
    line: String,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl JsonlWriter {
    pub(crate) fn new(layout: &Layout, on_terminal: bool, out: Box<dyn Write + Send>) -> JsonlWriter {
        let keys = layout.columns().enumerate().map(|(place, column)| {
            let mut key = String::from(if place == 0 { "{" } else { "," });
            push_text(&mut key, &column.name, on_terminal);
            key.push(':');
            key
        });
        JsonlWriter {
            keys: keys.collect(),
            layout: layout.clone(),
            on_terminal,
            line: String::new(),
            out: BufWriter::new(out),
        }
    }
}

impl RowWriter for JsonlWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.line.clear();
        for (key, (column, cell)) in self.keys.iter().zip(self.layout.cells(row)) {
            self.line.push_str(key);
            match cell {
                cell if plain::is_nothing(cell) => self.line.push_str("null"),
                Cell::Text(text) => push_text(&mut self.line, text, self.on_terminal),
                Cell::Time(_) => {
                    self.line.push('"');
                    plain::push(&mut self.line, cell, column.precision, Times::Rfc3339);
                    self.line.push('"');
                }
                cell => plain::push(&mut self.line, cell, column.precision, Times::Rfc3339),
            }
        }
        self.line.push_str("}\n");
        self.out.write_all(self.line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Appends a quoted JSON string. On a terminal it also escapes the characters that [`sanitize`](crate::sanitize())
/// escapes, which leaves the value the same.
fn push_text(out: &mut String, text: &str, on_terminal: bool) {
    // `Display` of a JSON string cannot fail, unlike serialising into a writer.
    let quoted = serde_json::Value::from(text).to_string();
    if !on_terminal {
        return out.push_str(&quoted);
    }
    for character in quoted.chars() {
        if is_harmless(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
}
