//! Which columns of a table are read, and how the cells of a row are converted to values.

use std::borrow::Cow;

use crate::cell::{self, CellError, Fault};
use crate::dates::DateFormat;
use crate::types::{ColumnKind, Field, ReadOptions, Wanted};

/// What is read.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) fields: &'a [Field],
    /// The columns of numbers and times, in the order asked for.
    pub(crate) numbers: Vec<Wanted>,
    /// The fields of the text columns, in the order asked for.
    pub(crate) texts: Vec<usize>,
    pub(crate) options: &'a ReadOptions,
    pub(crate) date_format: Option<&'a DateFormat>,
    /// Whether the two columns are the start and end of spans: the end may be empty, but not before the start.
    pub(crate) spans: bool,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        fields: &'a [Field],
        wanted: &[Wanted],
        options: &'a ReadOptions,
        date_format: Option<&'a DateFormat>,
        spans: bool,
    ) -> Plan<'a> {
        let (texts, numbers): (Vec<Wanted>, _) = wanted.iter().partition(|column| column.kind == ColumnKind::Text);
        Plan {
            fields,
            numbers,
            texts: texts.iter().map(|column| column.field).collect(),
            options,
            date_format,
            spans,
        }
    }

    /// The name of a field; empty if there is no such field.
    pub(crate) fn name(&self, field: usize) -> &'a str {
        self.fields.get(field).map_or("", |field| &field.name)
    }

    /// Reads the numbers of a row into `values`; `cell` returns the cell for the first, second … of them.
    pub(crate) fn values<C: Value>(&self, cell: impl Fn(usize) -> C, values: &mut [f64]) -> Result<(), Fault> {
        for (place, (wanted, value)) in self.numbers.iter().zip(&mut *values).enumerate() {
            *value = match cell(place).value(wanted.kind, self.date_format) {
                Err(CellError::Missing | CellError::Empty) if wanted.optional => f64::NAN,
                Err(wrong) => return Err(Fault { place, wrong }),
                Ok(value) => value,
            };
        }
        match values {
            [start, end] if self.spans && *end < *start => Err(Fault {
                place: 1,
                wrong: CellError::Backwards,
            }),
            _ => Ok(()),
        }
    }

    /// Why a row is bad, given the beginning of the cell.
    pub(crate) fn reason(&self, fault: Fault, text: &str) -> String {
        let column = self.numbers.get(fault.place);
        fault
            .wrong
            .reason(column.map_or("", |column| self.name(column.field)), text)
    }
}

/// The cell of a row, as each format represents it.
pub(crate) trait Value {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, CellError>;
    /// The beginning of its text, for messages.
    fn excerpt(&self) -> String;
}

impl Value for Option<Cow<'_, [u8]>> {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, CellError> {
        let bytes = self.as_deref().ok_or(CellError::Missing)?;
        cell::value(bytes, kind, format)
    }

    fn excerpt(&self) -> String {
        cell::excerpt(self.as_deref().unwrap_or_default())
    }
}
