//! Spans of time, such as the streams of a channel.

use itch_api::Result;

use crate::input::Input;
use crate::source::Source;
use crate::types::{BadRows, ColumnKind, OpenOptions, ReadOptions, Values, Wanted};

/// The fields of a file of streams without a header.
const STREAM_FIELDS: &[&str] = &["start", "end"];

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// When it began, in seconds since 1970.
    pub start: f64,
    /// When it ended; `None` while it is running.
    pub end: Option<f64>,
}

/// The spans of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// The spans, in the order of the file.
    pub spans: Vec<Span>,
    /// The rows that cannot be read.
    pub bad: BadRows,
}

/// Reads spans: the fields `start` and `end` if there is a header with these names, otherwise the first two fields. A
/// span whose end is empty or `None` is still running. A file without rows has no spans. The field options of
/// [`OpenOptions`] are ignored.
///
/// # Errors
///
/// When the input cannot be read or is binary, and under [`ReadOptions::strict`] when a row is bad.
pub fn read_spans(input: Input, open: &OpenOptions, read: &ReadOptions) -> Result<Spans> {
    let source = Source::open(
        input,
        &OpenOptions {
            expected: STREAM_FIELDS.iter().map(|name| (*name).to_owned()).collect(),
            default_fields: STREAM_FIELDS,
            ..open.clone()
        },
    )?;
    if source.is_empty() {
        return Ok(Spans::default());
    }
    let (start, end) = match (source.find("start"), source.find("end")) {
        (Ok(start), Ok(end)) => (start, end),
        // A file of streams may have any column names.
        _ if source.field(1).is_some() => (0, 1),
        (start, end) => (start?, end?),
    };
    let wanted = [
        Wanted::new(start, ColumnKind::Time),
        Wanted {
            optional: true,
            ..Wanted::new(end, ColumnKind::Time)
        },
    ];
    let table = source.read_as(&wanted, read, true)?;
    let mut columns = table.columns.iter().map(|column| match &column.values {
        Values::Numbers(numbers) => numbers.as_slice(),
        Values::Texts(_) => &[],
    });
    let (starts, ends) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    let spans = starts.iter().zip(ends).map(|(&start, &end)| Span {
        start,
        end: end.is_finite().then_some(end),
    });
    Ok(Spans {
        spans: spans.collect(),
        bad: table.bad,
    })
}
