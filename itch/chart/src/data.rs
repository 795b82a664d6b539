//! The data of a chart: two columns of a table, and the texts of their rows.

use itch_api::{Error, ErrorKind, Result};
use itch_table::{BadRows, Input, InputFormat, OpenOptions, Source, Texts, Values, Wanted};

/// Which texts of the rows are kept in addition to the two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepText {
    /// None: a row takes 16 bytes.
    #[default]
    Nothing,
    /// The label of each row.
    Labels,
    /// The label and the whole record of each row.
    Records,
}

/// What to read of a table, and how.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The format; detected from name and content if `None`.
    pub format: Option<InputFormat>,
    /// The delimiter of a text; detected from the first lines if `None`.
    pub delimiter: Option<u8>,
    /// The format of dates in the notation of `strftime`, tried before the formats that are always understood.
    pub date_format: Option<String>,
    /// The field for the horizontal axis: a name, or a number from 1.
    pub x: String,
    /// The field for the vertical axis: a name, or a number from 1.
    pub y: String,
    /// The field that labels a row; if `None`, the field `name` if there is one.
    pub label: Option<String>,
    /// Whether the first bad row is an error.
    pub strict: bool,
    /// Whether the first row is a header; detected if `None`.
    pub header: Option<bool>,
    /// How many threads read a text; with 0 or 1 only the calling thread reads.
    pub threads: usize,
    /// Which texts are kept.
    pub keep_text: KeepText,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            format: None,
            delimiter: None,
            date_format: None,
            x: "followed".to_owned(),
            y: "created".to_owned(),
            label: None,
            strict: false,
            header: None,
            threads: 2,
            keep_text: KeepText::Nothing,
        }
    }
}

/// What the numbers of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Plain numbers.
    Number,
    /// Times in seconds since 1970, UTC.
    Time,
}

impl From<itch_table::ColumnKind> for ColumnKind {
    fn from(kind: itch_table::ColumnKind) -> ColumnKind {
        match kind {
            itch_table::ColumnKind::Time => ColumnKind::Time,
            itch_table::ColumnKind::Number | itch_table::ColumnKind::Text => ColumnKind::Number,
        }
    }
}

impl From<ColumnKind> for itch_table::ColumnKind {
    fn from(kind: ColumnKind) -> itch_table::ColumnKind {
        match kind {
            ColumnKind::Time => itch_table::ColumnKind::Time,
            ColumnKind::Number => itch_table::ColumnKind::Number,
        }
    }
}

/// The numbers of one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// The type of its values.
    pub kind: ColumnKind,
    /// The values, in the order of the rows, all finite.
    pub values: Vec<f64>,
}

/// Two columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The column of the horizontal axis.
    pub x: Column,
    /// The column of the vertical axis.
    pub y: Column,
    /// The labels of the rows, if they were asked for and there is such a field.
    pub labels: Option<Texts>,
    /// The whole rows, if they were asked for: a line of text, or the cells of a Parquet row separated by tabs.
    pub records: Option<Texts>,
    /// How many rows there were, including empty and bad ones, but not blank lines and the header.
    pub rows: u64,
    /// How many rows have an empty cell in one of the two columns, such as those of deleted accounts.
    pub empty: u64,
    /// The rows that were skipped because they cannot be read.
    pub bad: BadRows,
    /// The names of the fields.
    pub fields: Vec<String>,
    /// Whether the table has a header.
    pub has_header: bool,
}

/// Reads the two columns of a chart.
///
/// # Errors
///
/// When the input cannot be read, is empty or binary, when a field does not exist, when no row is usable, and under
/// [`ReadOptions::strict`] when a row is bad.
pub fn read_table(input: Input, options: &ReadOptions) -> Result<Table> {
    let source = Source::open(
        input,
        &OpenOptions {
            format: options.format,
            delimiter: options.delimiter,
            date_format: options.date_format.clone(),
            header: options.header,
            expected: vec![options.x.clone(), options.y.clone()],
            ..OpenOptions::default()
        },
    )?;
    let name = source.name().to_owned();
    if source.is_empty() {
        return Err(Error::new(ErrorKind::Failed, format!("{name} is empty")));
    }
    let find = |wanted: &str| {
        let hint = "choose the columns with -x and -y, by name or number";
        source.find(wanted).map_err(|error| error.hint(hint))
    };
    let (x, y) = (find(&options.x)?, find(&options.y)?);
    let label = match (&options.label, options.keep_text) {
        (_, KeepText::Nothing) => None,
        (Some(label), _) => Some(find(label)?),
        (None, _) => source.find("name").ok(),
    };
    let kind = |field: usize| {
        source
            .field(field)
            .map_or(ColumnKind::Number, |field| field.kind.into())
    };
    let (x_kind, y_kind) = (kind(x), kind(y));
    let mut wanted = vec![Wanted::new(x, x_kind.into()), Wanted::new(y, y_kind.into())];
    wanted.extend(label.map(|label| Wanted::new(label, itch_table::ColumnKind::Text)));
    let read = itch_table::ReadOptions {
        strict: options.strict,
        records: options.keep_text == KeepText::Records,
        threads: options.threads,
        ..itch_table::ReadOptions::default()
    };
    let (has_header, fields) = (source.has_header(), source.fields());
    let fields = fields.iter().map(|field| field.name.clone()).collect();
    let found = source.read(&wanted, &read)?;
    let mut columns = found.columns.into_iter();
    let mut column = |kind: ColumnKind| {
        let (name, values) = columns
            .next()
            .map_or_else(Default::default, |column| (column.name, Some(column.values)));
        let values = match values {
            Some(Values::Numbers(values)) => values,
            _ => Vec::new(),
        };
        Column { name, kind, values }
    };
    let (x, y) = (column(x_kind), column(y_kind));
    let labels = columns.next().and_then(|column| match column.values {
        Values::Texts(texts) => Some(texts),
        Values::Numbers(_) => None,
    });
    let table = Table {
        x,
        y,
        labels,
        records: found.records,
        rows: found.rows,
        empty: found.empty,
        bad: found.bad,
        fields,
        has_header,
    };
    match table.x.values.is_empty() {
        true => Err(nothing_usable(&name, &table)),
        false => Ok(table),
    }
}

fn nothing_usable(name: &str, table: &Table) -> Error {
    let message = format!(
        "{name} has no row with both {} and {}; its columns are {}",
        table.x.name,
        table.y.name,
        table.fields.join(", ")
    );
    let mut error = Error::new(ErrorKind::Failed, message);
    for (line, reason) in &table.bad.first {
        error = error.cause(format!("line {line}: {reason}"));
    }
    error.hint(match table.bad.has_unknown_dates {
        true => "give the format of its dates: --date-format '%d.%m.%Y'",
        false => "choose the columns with -x and -y, by name or number",
    })
}
