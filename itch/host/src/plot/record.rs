//! Prints the rows that are drawn, as the program of 2016 did: x, y and name with spaces between, or the whole row.

use std::io::{BufWriter, IsTerminal, Write};

use itch_chart::{Column, ColumnKind, Request, Table};
use itch_output::sanitize;
use itch_plugin::Mark;
use itch_table::Zone;

use crate::stdout::{stdout, written};

/// Prints the rows within the axis limits. It is no error if the reader closed the pipe.
pub(super) fn print(table: &Table, request: &Request, records: bool) -> anyhow::Result<()> {
    let stdout = stdout()?.lock();
    let on_terminal = stdout.is_terminal();
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let rows = table.x.values.iter().zip(&table.y.values).enumerate();
    for (row, (x, y)) in rows {
        if !(request.x.holds(*x) && (request.mark == Mark::Line || request.y.holds(*y))) {
            continue;
        }
        let text = |texts: &Option<itch_table::Texts>| {
            texts
                .as_ref()
                .map(|texts| texts.get(row).to_owned())
                .unwrap_or_default()
        };
        let line = if records {
            text(&table.records)
        } else {
            let (x, y) = (value(&table.x, *x, &request.zone), value(&table.y, *y, &request.zone));
            // A name may contain line breaks; a row stays one line.
            let name = text(&table.labels).replace(['\n', '\r'], " ");
            format!("{x} {y} {name}").trim_end().to_owned()
        };
        let line = if on_terminal { sanitize(&line) } else { line.into() };
        if let Err(error) = writeln!(out, "{line}") {
            return written(Err(error));
        }
    }
    written(out.flush())
}

fn value(column: &Column, value: f64, zone: &Zone) -> String {
    match column.kind {
        ColumnKind::Time => zone.text(value).unwrap_or_else(|| value.to_string()),
        ColumnKind::Number => value.to_string(),
    }
}
