//! Reads two columns of numbers with a label and the whole record, as most of these tests do.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is how a test fails")]

use itch_api::{Error, ErrorKind, Result};
use itch_table::{
    BadRows, ColumnKind, FOLLOWER_FIELDS, Input, InputFormat, OpenOptions, Source, Spans, Texts, Values, Wanted,
};

/// What is read, and how.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    pub format: Option<InputFormat>,
    pub delimiter: Option<u8>,
    pub date_format: Option<String>,
    pub x: String,
    pub y: String,
    pub x_kind: Option<ColumnKind>,
    pub y_kind: Option<ColumnKind>,
    pub label: Option<String>,
    pub strict: bool,
    pub header: Option<bool>,
    pub threads: usize,
    /// Whether labels and records are kept.
    pub texts: bool,
    pub default_fields: &'static [&'static str],
    pub block: usize,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            format: None,
            delimiter: None,
            date_format: None,
            x: "followed".to_owned(),
            y: "created".to_owned(),
            x_kind: None,
            y_kind: None,
            label: None,
            strict: false,
            header: None,
            threads: 2,
            texts: false,
            default_fields: FOLLOWER_FIELDS,
            block: 256 << 10,
        }
    }
}

impl ReadOptions {
    fn opening(&self) -> OpenOptions {
        OpenOptions {
            format: self.format,
            delimiter: self.delimiter,
            date_format: self.date_format.clone(),
            header: self.header,
            expected: vec![self.x.clone(), self.y.clone()],
            default_fields: self.default_fields,
        }
    }

    fn reading(&self) -> itch_table::ReadOptions {
        itch_table::ReadOptions {
            strict: self.strict,
            records: self.texts,
            threads: self.threads,
            block: self.block,
        }
    }
}

#[derive(Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    pub values: Vec<f64>,
}

#[derive(Debug, PartialEq)]
pub struct Table {
    pub x: Column,
    pub y: Column,
    pub labels: Option<Texts>,
    pub records: Option<Texts>,
    pub rows: u64,
    pub empty: u64,
    pub bad: BadRows,
    pub fields: Vec<String>,
    pub has_header: bool,
}

/// Reads the two columns. A table without rows is an error, as for most callers.
pub fn read_table(input: Input, options: &ReadOptions) -> Result<Table, Error> {
    let source = Source::open(input, &options.opening())?;
    if source.is_empty() {
        // A table without rows has no fields, but opening it is not an error.
        let nothing = source.read(&[], &options.reading())?;
        assert_eq!((nothing.rows, nothing.columns.len()), (0, 0));
        return Err(Error::new(ErrorKind::Failed, "the input is empty"));
    }
    let number = |field: usize| match source.field(field).unwrap().kind {
        ColumnKind::Text => ColumnKind::Number,
        kind => kind,
    };
    let (x, y) = (source.find(&options.x)?, source.find(&options.y)?);
    let kinds = [options.x_kind.unwrap_or(number(x)), options.y_kind.unwrap_or(number(y))];
    let mut wanted = vec![Wanted::new(x, kinds[0]), Wanted::new(y, kinds[1])];
    let label = match (&options.label, options.texts) {
        (Some(label), _) => Some(source.find(label)?),
        (None, true) => source.find("name").ok(),
        (None, false) => None,
    };
    wanted.extend(label.map(|label| Wanted::new(label, ColumnKind::Text)));
    let fields = source.fields().iter().map(|field| field.name.clone()).collect();
    let has_header = source.has_header();
    let table = source.read(&wanted, &options.reading())?;
    let mut columns = table.columns.into_iter();
    let mut column = || {
        let column = columns.next().unwrap();
        let Values::Numbers(values) = column.values else {
            panic!("{} is text", column.name);
        };
        let (name, kind) = (column.name, column.kind);
        Column { name, kind, values }
    };
    let (x, y) = (column(), column());
    let labels = columns.next().map(|column| match column.values {
        Values::Texts(texts) => texts,
        Values::Numbers(_) => panic!("{} is not text", column.name),
    });
    Ok(Table {
        x,
        y,
        labels,
        records: table.records,
        rows: table.rows,
        empty: table.empty,
        bad: table.bad,
        fields,
        has_header,
    })
}

pub fn read_spans(input: Input, options: &ReadOptions) -> Result<Spans> {
    itch_table::read_spans(input, &options.opening(), &options.reading())
}

pub fn pairs(table: &Table) -> Vec<(f64, f64)> {
    table
        .x
        .values
        .iter()
        .copied()
        .zip(table.y.values.iter().copied())
        .collect()
}

/// The labels as separate texts.
pub fn labels(table: &Table) -> Vec<&str> {
    table.labels.as_ref().unwrap().iter().collect()
}
