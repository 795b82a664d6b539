//! Text with delimited cells: TSV as itch writes it, and CSV as other programs write it.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use itch_api::{Error, ErrorKind, Result};
use memchr::memchr;

use crate::blocks::{Blocks, Records, closing_quote, record_length};
use crate::engine::{self, Parse, Rows};
use crate::fields::{Fields, Known, SAMPLE};
use crate::format::InputFormat;
use crate::input::Opened;
use crate::plan::{Plan, Value};
use crate::types::{ColumnKind, LINE_LIMIT};

/// How the cells of a line are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dialect {
    delimiter: u8,
    /// Whether quotes enclose cells; otherwise backslashes escape.
    quotes: bool,
}

/// How a text is structured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    dialect: Dialect,
    /// How many bytes and lines the header takes.
    header: (usize, u64),
}

/// Finds out how a text is structured and which fields it has; `None` if it has no line.
pub(crate) fn open(opened: Opened, quotes: bool, known: Known<'_>) -> Result<Option<(Fields, Opened, Layout)>> {
    let delimiter = known.options.delimiter.unwrap_or_else(|| match known.options.format {
        Some(InputFormat::Tsv) => b'\t',
        _ => delimiter(&opened.head),
    });
    let dialect = Dialect {
        delimiter,
        quotes: quotes || delimiter != b'\t',
    };
    let sample = Sample::new(&opened, dialect);
    if sample.rows.is_empty() && opened.ended {
        return Ok(None);
    }
    let fields = Fields::of_text(&sample.rows, known);
    let header = match (fields.has_header, sample.first) {
        (false, _) => (0, 0),
        (true, Some(first)) => first,
        (true, None) => {
            let message = format!("the first line of {} is too long for a header", opened.name);
            return Err(Error::new(ErrorKind::Failed, message));
        }
    };
    Ok(Some((fields, opened, Layout { dialect, header })))
}

/// Reads the rows.
pub(crate) fn read(opened: Opened, layout: Layout, plan: &Plan<'_>) -> Result<Rows> {
    let Layout { dialect, header } = layout;
    let mut head = Cursor::new(opened.head);
    head.set_position(header.0 as u64);
    let records = match dialect.quotes {
        true => Records::Quoted(dialect.delimiter),
        false => Records::Lines,
    };
    let input = Box::new(head.chain(opened.rest));
    let blocks = Blocks::new(input, plan.options.block, records);
    let parse = Delimited::new(dialect, plan);
    engine::run(blocks, &parse, plan, header.1, (&opened.name, opened.size))
}

/// Chooses the delimiter by the first line that has one.
fn delimiter(head: &[u8]) -> u8 {
    for line in head.split(|byte| *byte == b'\n') {
        let (mut commas, mut semicolons, mut quoted) = (0, 0, false);
        for byte in line {
            match byte {
                b'\t' if !quoted => return b'\t',
                b'"' => quoted = !quoted,
                b',' if !quoted => commas += 1,
                b';' if !quoted => semicolons += 1,
                _ => {}
            }
        }
        if commas + semicolons > 0 {
            return if commas >= semicolons { b',' } else { b';' };
        }
    }
    b'\t'
}

/// The first rows.
struct Sample {
    rows: Vec<Vec<String>>,
    /// Where the first row ends, and how many lines it takes including blank lines before it; `None` if it is longer
    /// than the head.
    first: Option<(usize, u64)>,
}

impl Sample {
    fn new(opened: &Opened, dialect: Dialect) -> Sample {
        let mut sample = Sample {
            rows: Vec::new(),
            first: None,
        };
        let (mut at, mut lines) = (0, 0);
        while sample.rows.len() < SAMPLE {
            let rest = opened.head.get(at..).unwrap_or(&[]);
            let length = match dialect.quotes {
                true => record_length(rest, dialect.delimiter, opened.ended),
                false => {
                    let line = memchr(b'\n', rest).map(|end| end + 1);
                    line.or((opened.ended && !rest.is_empty()).then_some(rest.len()))
                }
            };
            let whole = length.is_some();
            if !whole && (rest.is_empty() || opened.ended || !sample.rows.is_empty()) {
                break;
            }
            let record = rest.get(..length.unwrap_or(rest.len())).unwrap_or(rest);
            at += record.len();
            lines += line_ends(record).max(1);
            if !record.trim_ascii().is_empty() {
                sample.rows.push(dialect.cells(line_of(record)));
                if sample.rows.len() == 1 && whole {
                    sample.first = Some((at, lines));
                }
            }
            if !whole {
                break;
            }
        }
        sample
    }
}

fn line_ends(record: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', record).count() as u64
}

/// A record without its line end.
fn line_of(record: &[u8]) -> &[u8] {
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Dialect {
    /// All cells of a row as texts.
    fn cells(self, line: &[u8]) -> Vec<String> {
        let mut cells = Vec::new();
        let mut rest = Some(line);
        while let Some(line) = rest {
            let (cell, after) = self.split(line);
            cells.push(self.text(&cell).into_owned());
            rest = after;
        }
        cells
    }

    /// One cell of a row, without its quotes; backslash escapes are kept.
    fn cell(self, line: &[u8], index: usize) -> Option<Cow<'_, [u8]>> {
        let mut rest = line;
        for _ in 0..index {
            rest = self.split(rest).1?;
        }
        Some(self.split(rest).0)
    }

    /// The first cell, and the rest after its delimiter.
    fn split(self, line: &[u8]) -> (Cow<'_, [u8]>, Option<&[u8]>) {
        let close = match (self.quotes, line) {
            (true, [b'"', ..]) => closing_quote(line, 1),
            _ => None,
        };
        let from = close.map_or(0, |close| close + 1);
        let end = memchr(self.delimiter, &line[from..]).map(|end| from + end);
        let after = end.map(|end| &line[end + 1..]);
        let end = end.unwrap_or(line.len());
        let Some(close) = close else {
            return (Cow::Borrowed(&line[..end]), after);
        };
        let (inner, tail) = (&line[1..close], &line[close + 1..end]);
        if tail.is_empty() && memchr(b'"', inner).is_none() {
            return (Cow::Borrowed(inner), after);
        }
        // A doubled quote is a literal quote. Text after the closing quote belongs to the cell, as in most programs.
        let mut cell = Vec::with_capacity(end);
        let mut quoted = false;
        for &byte in inner {
            quoted = byte == b'"' && !quoted;
            if !quoted {
                cell.push(byte);
            }
        }
        cell.extend_from_slice(tail);
        (Cow::Owned(cell), after)
    }

    /// A cell as text.
    fn text<'a>(self, cell: &'a [u8]) -> Cow<'a, str> {
        let text = String::from_utf8_lossy(cell);
        if self.quotes || !text.contains('\\') {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let escaped = match character {
                '\\' => characters.clone().next(),
                _ => None,
            };
            let meant = match escaped {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                _ => {
                    out.push(character);
                    continue;
                }
            };
            out.push(meant);
            characters.next();
        }
        Cow::Owned(out)
    }
}

/// Where a wanted number is in a line.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// How many delimiters to skip from the end of the previous wanted cell; `None` if it is the same cell.
    skip: Option<usize>,
    /// The index of the wanted number.
    place: usize,
}

struct Delimited<'a> {
    dialect: Dialect,
    plan: &'a Plan<'a>,
    /// The wanted numbers in the order of the line.
    steps: Vec<Step>,
    /// The smallest whole number that is not a valid value of one of the columns.
    limit: u64,
    has_texts: bool,
}

impl<'a> Delimited<'a> {
    fn new(dialect: Dialect, plan: &'a Plan<'a>) -> Delimited<'a> {
        let mut places: Vec<usize> = (0..plan.numbers.len()).collect();
        let field = |place: usize| plan.numbers.get(place).map_or(0, |column| column.field);
        places.sort_by_key(|place| field(*place));
        let mut next = 0;
        let steps = places.into_iter().map(|place| {
            let skip = field(place).checked_sub(next);
            next = field(place) + 1;
            Step { skip, place }
        });
        let steps = steps.collect();
        let any_time = plan.numbers.iter().any(|column| column.kind == ColumnKind::Time);
        // A date format may match any digits, and spans have an additional rule: both need the slow path.
        let limit = match (plan.date_format.is_some() || plan.spans, any_time) {
            (true, _) => 0,
            (false, true) => 253_402_300_800,
            (false, false) => u64::MAX,
        };
        Delimited {
            dialect,
            plan,
            steps,
            limit,
            has_texts: !plan.texts.is_empty() || plan.options.records,
        }
    }

    /// The fast path: all cells are whole numbers without a sign. Returns false if a cell is anything else.
    #[inline]
    fn simple(&self, line: &[u8], values: &mut [f64]) -> bool {
        let delimiter = self.dialect.delimiter;
        let (mut rest, mut value) = (line, 0);
        for step in &self.steps {
            if let Some(skip) = step.skip {
                for _ in 0..skip {
                    match after(rest, delimiter) {
                        Some(after) => rest = after,
                        None => return false,
                    }
                }
                match whole(rest, delimiter) {
                    Some((whole, after)) if whole < self.limit => (value, rest) = (whole, after),
                    _ => return false,
                }
            }
            if let Some(place) = values.get_mut(step.place) {
                *place = value as f64;
            }
        }
        true
    }

    /// Parses one row. `line` is counted from 0.
    fn row(&self, line: &[u8], simple: bool, number: u64, rows: &mut Rows) {
        if line.len() > LINE_LIMIT {
            rows.bad(number, engine::line_too_long);
            return;
        }
        if !(simple && self.simple(line, &mut rows.row)) {
            if line.trim_ascii().is_empty() {
                return;
            }
            let cell = |place: usize| {
                let column = self.plan.numbers.get(place)?;
                self.dialect.cell(line, column.field)
            };
            if let Err(fault) = self.plan.values(cell, &mut rows.row) {
                rows.refuse(number, fault, self.plan, || cell(fault.place).excerpt());
                return;
            }
        }
        rows.push();
        if self.has_texts {
            self.keep_texts(line, rows);
        }
    }

    fn keep_texts(&self, line: &[u8], rows: &mut Rows) {
        for (texts, field) in rows.texts.iter_mut().zip(&self.plan.texts) {
            match self.dialect.cell(line, *field) {
                Some(cell) => texts.push(&self.dialect.text(&cell)),
                None => texts.push(""),
            }
        }
        if let Some(records) = &mut rows.records {
            records.push_bytes(line);
        }
    }
}

impl Parse for Delimited<'_> {
    fn block(&self, records: &[u8], rows: &mut Rows) {
        let quoted = self.dialect.quotes && memchr(b'"', records).is_some();
        let mut rest = records;
        while !rest.is_empty() {
            let length = match quoted {
                true => record_length(rest, self.dialect.delimiter, true).unwrap_or(rest.len()),
                false => memchr(b'\n', rest).map_or(rest.len(), |end| end + 1),
            };
            let (record, after) = rest.split_at(length);
            let number = rows.lines;
            rows.lines += if quoted { line_ends(record).max(1) } else { 1 };
            let simple = !quoted || memchr(b'"', record).is_none();
            self.row(line_of(record), simple, number, rows);
            rest = after;
        }
    }
}

/// What follows the first delimiter.
#[inline]
fn after(bytes: &[u8], delimiter: u8) -> Option<&[u8]> {
    let mut rest = bytes;
    // Cells are short: comparing eight bytes at a time in a register is faster than calling `memchr`.
    let wanted = u64::from_le_bytes([delimiter; 8]);
    while let Some(chunk) = rest.first_chunk::<8>() {
        let differing = u64::from_le_bytes(*chunk) ^ wanted;
        // The lowest zero byte is marked exactly; marks above it may be false.
        let zero = differing.wrapping_sub(0x0101_0101_0101_0101) & !differing & 0x8080_8080_8080_8080;
        if zero != 0 {
            return rest.get(zero.trailing_zeros() as usize / 8 + 1..);
        }
        rest = &rest[8..];
    }
    let end = rest.iter().position(|byte| *byte == delimiter)?;
    rest.get(end + 1..)
}

/// A whole number of at most 18 digits that fills its cell, and the rest after the delimiter of the cell.
#[inline]
fn whole(bytes: &[u8], delimiter: u8) -> Option<(u64, &[u8])> {
    let (mut value, mut at) = (0, 0);
    if let Some(eight) = bytes
        .first_chunk::<8>()
        .and_then(|chunk| eight_digits(u64::from_le_bytes(*chunk)))
    {
        (value, at) = (eight, 8);
    }
    loop {
        let Some(&byte) = bytes.get(at) else {
            return (at > 0).then_some((value, &[]));
        };
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (at > 0 && byte == delimiter).then(|| (value, &bytes[at + 1..]));
        }
        if at == 18 {
            return None;
        }
        value = value * 10 + u64::from(digit);
        at += 1;
    }
}

/// Converts eight digits in a register, the first in the lowest byte, to a number.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    let digits = word.wrapping_sub(0x3030_3030_3030_3030);
    let above_nine = digits.wrapping_add(0x7676_7676_7676_7676);
    if (digits | above_nine) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // First pairs, then fours, then all eight: each step adds neighbours with their weight.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}
