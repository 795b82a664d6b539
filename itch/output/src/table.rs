//! The table: aligned columns for people; the first page determines the widths.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use itch_api::chrono::{DateTime, Utc};
use itch_plugin::{Cell, Column, ColumnType};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::plain::{self, Times};
use crate::{Layout, RowWriter, Terminal, human, sanitize};

/// After this many rows the widths are fixed, unless a flush fixes them earlier.
const FIRST_PAGE: usize = 100;
/// The text between two columns.
const GAP: &str = "  ";
/// A text column is not made narrower than this, unless its content is.
const NARROWEST: usize = 4;
/// The escape sequences for bold and underlined, and for resetting both.
const HEADER_STYLE: (&str, &str) = ("\x1b[1;4m", "\x1b[0m");

/// Writes rows as aligned lines.
///
/// The first page, that is the rows until the first flush, determines the widths. On a terminal, wider text is cut with
/// `…`; a number or a time is never cut, since it would read as a different one: its row is out of line instead.
/// Without a terminal nothing is cut, and times are written in RFC 3339.
pub(crate) struct TableWriter {
    layout: Layout,
    terminal: Option<Terminal>,
    state: State,
    out: BufWriter<Box<dyn Write + Send>>,
}

/// The formatted cells of a row.
type Line = Vec<String>;

enum State {
    /// The rows of the first page, which are not written yet.
    Gathering(Vec<Line>),
    /// The widths are fixed.
    Settled(Vec<usize>),
}

impl TableWriter {
    pub(crate) fn new(layout: Layout, terminal: Option<Terminal>, out: Box<dyn Write + Send>) -> TableWriter {
        TableWriter {
            layout,
            terminal,
            state: State::Gathering(Vec::new()),
            out: BufWriter::new(out),
        }
    }

    /// Fixes the widths by the rows of the first page, if there are any, and writes them.
    fn settle(&mut self) -> io::Result<()> {
        let page = match &mut self.state {
            State::Gathering(page) if !page.is_empty() => std::mem::take(page),
            _ => return Ok(()),
        };
        let header = self.layout.header_or(true);
        let names: Line = self
            .layout
            .columns()
            .map(|column| sanitize(&column.name).into_owned())
            .collect();
        let shown = page.iter().chain(header.then_some(&names));
        let mut widths = vec![0; names.len()];
        for line in shown {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(width_of(cell));
            }
        }
        // A terminal that does not know its width reports 0.
        if let Some(total) = self.width().filter(|width| *width > 0) {
            let columns: Vec<&Column> = self.layout.columns().collect();
            fit(&mut widths, &columns, total);
            widen_last(&mut widths, &columns, total);
        }
        self.state = State::Settled(widths);
        if header {
            let styled = self.terminal.is_some_and(|terminal| terminal.color);
            self.line(&names, styled)?;
        }
        page.iter().try_for_each(|line| self.line(line, false))
    }

    fn width(&self) -> Option<usize> {
        self.terminal.map(|terminal| terminal.width.into())
    }

    fn line(&mut self, cells: &[String], styled: bool) -> io::Result<()> {
        let State::Settled(widths) = &self.state else {
            return Ok(());
        };
        let cutting = self.terminal.is_some();
        let mut line = String::new();
        for (place, ((cell, width), column)) in cells.iter().zip(widths).zip(self.layout.columns()).enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let cell = match cutting && column.kind == ColumnType::Text {
                true => cut(cell, *width),
                false => Cow::Borrowed(cell.as_str()),
            };
            let padding = " ".repeat(width.saturating_sub(width_of(&cell)));
            match is_right_aligned(column.kind) {
                true => line.extend([padding.as_str(), &cell]),
                false => line.extend([&cell, padding.as_str()]),
            }
        }
        let line = line.trim_end();
        match styled {
            true => writeln!(self.out, "{}{line}{}", HEADER_STYLE.0, HEADER_STYLE.1),
            false => writeln!(self.out, "{line}"),
        }
    }
}

impl RowWriter for TableWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        let now = self.terminal.map(|terminal| terminal.now);
        let cells = self.layout.cells(row);
        let line: Line = cells.map(|(column, cell)| show(column, cell, now)).collect();
        match &mut self.state {
            State::Settled(_) => self.line(&line, false),
            State::Gathering(page) => {
                page.push(line);
                match page.len() < FIRST_PAGE {
                    true => Ok(()),
                    false => self.settle(),
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.settle()?;
        self.out.flush()
    }

    /// A table without rows has no header either: the verdict says that there were none.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// A cell as text for people, sanitised. Numbers are plain digits, so that they can be copied.
fn show(column: &Column, cell: &Cell, now: Option<DateTime<Utc>>) -> String {
    match (cell, now) {
        (cell, _) if plain::is_nothing(cell) => String::new(),
        (Cell::Text(text), _) => sanitize(text).into_owned(),
        (Cell::Duration(seconds), _) => human::span(*seconds, column.precision),
        (Cell::Float(value), _) if column.precision > 0 => {
            format!("{value:.*}", column.precision.into())
        }
        (cell, now) => match (cell.as_time(), now) {
            (Some(time), Some(now)) => human::relative(time, now),
            _ => {
                let mut out = String::new();
                plain::push(&mut out, cell, column.precision, Times::Rfc3339);
                out
            }
        },
    }
}

fn is_right_aligned(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Int | ColumnType::Float | ColumnType::Duration)
}

/// Narrows the widest text columns until a line fits, or until no text column can be narrowed further.
fn fit(widths: &mut [usize], columns: &[&Column], total: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    loop {
        let sum = widths.iter().sum::<usize>() + gaps;
        let texts = widths
            .iter_mut()
            .zip(columns)
            .filter(|(_, column)| column.kind == ColumnType::Text)
            .map(|(width, _)| width);
        let mut texts: Vec<&mut usize> = texts.filter(|width| **width > NARROWEST).collect();
        texts.sort_by(|a, b| b.cmp(a));
        let excess = sum.saturating_sub(total);
        let next = texts.get(1).map_or(NARROWEST, |width| **width);
        match texts.first_mut() {
            Some(widest) if excess > 0 => {
                // Down to the width of the next one; columns of equal width are narrowed by one cell in turn.
                let step = (**widest - next).clamp(1, excess);
                **widest -= step;
            }
            _ => return,
        }
    }
}

/// Gives the rest of the line to text in the last column: no column after it has to be aligned.
fn widen_last(widths: &mut [usize], columns: &[&Column], total: usize) {
    let sum = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    if let (Some(width), Some(column)) = (widths.last_mut(), columns.last())
        && column.kind == ColumnType::Text
    {
        *width += total.saturating_sub(sum);
    }
}

/// How many terminal cells a text takes.
fn width_of(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.graphemes(true).map(UnicodeWidthStr::width).sum(),
    }
}

/// Cuts a text to a width with `…`, between two grapheme clusters.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut left = width.saturating_sub(1);
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        match left.checked_sub(grapheme.width()) {
            Some(rest) => left = rest,
            None => break,
        }
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_characters_as_people_see_them() {
        for (text, width, expected) in [
            ("short", 5, "short"),
            ("longer", 5, "long…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("ab👩\u{200d}💻cd", 4, "ab…"),
            ("ab👩\u{200d}💻cd", 5, "ab👩\u{200d}💻…"),
            ("Zoe\u{308}lle", 4, "Zoe\u{308}…"),
            ("🇩🇪🇫🇷", 3, "🇩🇪…"),
        ] {
            assert_eq!(cut(text, width), expected, "{text} to {width}");
        }
    }

    #[test]
    fn the_widest_text_column_gives_first() {
        let text = Column::text("text", "A text");
        let number = Column::int("number", "A number");
        let fitted = |mut widths: Vec<usize>, total| {
            fit(&mut widths, &[&text, &number, &text], total);
            widths
        };
        assert_eq!(fitted(vec![10, 10, 10], 40), [10, 10, 10]);
        assert_eq!(fitted(vec![300, 10, 20], 60), [26, 10, 20]);
        assert_eq!(fitted(vec![300, 10, 20], 44), [15, 10, 15]);
        // Columns that cannot fit keep a readable width.
        assert_eq!(fitted(vec![300, 50, 3], 20), [4, 50, 3]);
    }
}
