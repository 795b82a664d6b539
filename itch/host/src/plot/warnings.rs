//! What is said of rows that are not drawn.

use itch_table::BadRows;

use crate::printer::Printer;

/// Counts the rows that were kept out and names the first.
pub(super) fn warn_of_bad_rows(bad: &BadRows, name: &str, printer: &Printer) {
    if bad.count == 0 {
        return;
    }
    for (line, reason) in &bad.first {
        printer.warning(&format!("{name}, line {line}: {reason}"));
    }
    printer.warning(&match bad.count {
        1 => "1 row is left out".to_owned(),
        count => format!("{count} rows are left out"),
    });
}

/// Counts the rows that have nothing to draw: accounts that are gone have no date of creation.
pub(super) fn note_empty_rows(empty: u64, x: &str, y: &str, printer: &Printer) {
    match empty {
        0 => {}
        1 => printer.note(&format!("1 row is not drawn, as it has no {x} or no {y}")),
        rows => printer.note(&format!("{rows} rows are not drawn, as they have no {x} or no {y}")),
    }
}
