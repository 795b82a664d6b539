//! Messages about rows that are not drawn.

use itch_table::BadRows;

use crate::printer::Printer;

/// Warns about rows that could not be read: the first ones, and how many.
pub(super) fn warn_of_bad_rows(bad: &BadRows, name: &str, printer: &Printer) {
    if bad.count == 0 {
        return;
    }
    for (line, reason) in &bad.first {
        printer.warning(&format!("{name}, line {line}: {reason}"));
    }
    printer.warning(&match bad.count {
        1 => "1 row was left out".to_owned(),
        count => format!("{count} rows were left out"),
    });
}

/// Prints how many rows lack a value to draw, such as the creation time of a deleted account.
pub(super) fn note_empty_rows(empty: u64, x: &str, y: &str, printer: &Printer) {
    match empty {
        0 => {}
        1 => printer.note(&format!("1 row is not drawn: it has no {x} or no {y}")),
        rows => printer.note(&format!("{rows} rows are not drawn: they have no {x} or no {y}")),
    }
}
