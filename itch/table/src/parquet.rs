//! Parquet: reads only the wanted columns, a few thousand rows at a time.

use std::borrow::Cow;
use std::io::Read;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::ColumnDescriptor;
use itch_api::{Error, ErrorKind, Result};

use crate::cell::{self, CellError, LARGEST};
use crate::dates::{DateFormat, is_in_range};
use crate::engine::Rows;
use crate::fields::{Fields, Known, SAMPLE};
use crate::guard::caught;
use crate::input::{Opened, unreadable};
use crate::plan::{Plan, Value};
use crate::types::{ColumnKind, LINE_LIMIT};

/// How many rows are read at a time.
const BATCH: usize = 4096;

/// A file whose schema was read.
pub(crate) struct Reader {
    file: Box<dyn FileReader>,
    leaves: Vec<Leaf>,
}

/// Opens a table. Parquet is read from the end and from the middle of a file, so the input of a pipe or a compressed
/// file is first loaded into memory.
pub(crate) fn open(mut opened: Opened, known: Known<'_>) -> Result<(Fields, Reader)> {
    let name = std::mem::take(&mut opened.name);
    let broken = |error| broken(&name, &error);
    guarded(&name, || {
        let file: Box<dyn FileReader> = match opened.file.take() {
            Some(file) => Box::new(SerializedFileReader::new(file).map_err(broken)?),
            None => {
                let mut whole = std::mem::take(&mut opened.head);
                let read = opened.rest.read_to_end(&mut whole);
                read.map_err(|error| unreadable(&name, &error))?;
                Box::new(SerializedFileReader::new(bytes::Bytes::from(whole)).map_err(broken)?)
            }
        };
        let leaves = leaves(&*file);
        let sample = sample(&*file, &leaves).map_err(broken)?;
        let names = leaves.iter().map(|leaf| leaf.name.clone()).collect();
        Ok((Fields::named(names, &sample, known), Reader { file, leaves }))
    })
}

/// The library checks most, but not all, of what it reads, and may panic on a damaged file: that must not end the
/// program.
fn guarded<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|| {
        let message = format!("{name} is a damaged Parquet file");
        Err(Error::new(ErrorKind::Failed, message))
    })
}

fn broken(name: &str, error: &ParquetError) -> Error {
    let message = format!("could not read {name} as Parquet");
    Error::new(ErrorKind::Failed, message).source_chain(error)
}

impl Reader {
    /// Reads the rows.
    pub(crate) fn read(self, name: &str, plan: &Plan<'_>) -> Result<Rows> {
        guarded(name, || {
            let mut rows = Rows::new(plan);
            self.read_rows(plan, &mut rows).map_err(|error| broken(name, &error))?;
            Ok(rows)
        })
    }

    fn read_rows(&self, plan: &Plan<'_>, rows: &mut Rows) -> Result<(), ParquetError> {
        let mut records = match plan.options.records {
            true => Some(self.file.get_row_iter(None)?),
            false => None,
        };
        for group in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(group)?;
            let mut left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            let open = |field: usize| match self.leaves.get(field) {
                Some(leaf) => Ok(Cells::new(leaf, group.get_column_reader(leaf.index)?)),
                None => Err(ParquetError::General("a column is missing".to_owned())),
            };
            // If no column is wanted, one column is read to count the rows.
            let counted = (plan.numbers.is_empty() && plan.texts.is_empty()).then_some(0);
            let numbers = plan.numbers.iter().map(|column| column.field);
            let fields = numbers.chain(plan.texts.iter().copied()).chain(counted);
            let mut columns = fields.map(open).collect::<Result<Vec<Cells>, ParquetError>>()?;
            loop {
                let batch = columns.iter_mut().map(|column| column.batch(BATCH));
                let batch = batch.collect::<Result<Vec<Vec<Cell>>, ParquetError>>()?;
                let length = batch.first().map_or(0, Vec::len);
                if batch.iter().any(|cells| cells.len() != length) {
                    return Err(ParquetError::General("its columns differ in length".to_owned()));
                }
                if length == 0 {
                    break;
                }
                // A damaged page can claim to hold a great many empty cells, in a few bytes.
                left = match left.checked_sub(length as u64) {
                    Some(left) => left,
                    None => return Err(ParquetError::General("it has more rows than it says".to_owned())),
                };
                for row in 0..length {
                    let record = records.as_mut().and_then(Iterator::next).transpose()?;
                    keep(&batch, row, record, plan, rows);
                    if plan.options.strict && rows.any_bad() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Keeps a row of a batch, whose columns are the wanted numbers followed by the wanted texts.
fn keep(batch: &[Vec<Cell>], row: usize, record: Option<Row>, plan: &Plan<'_>, rows: &mut Rows) {
    let number = rows.lines;
    rows.lines += 1;
    let cell = |place: usize| batch.get(place).and_then(|cells| cells.get(row)).unwrap_or(&Cell::Null);
    if let Err(fault) = plan.values(cell, &mut rows.row) {
        return rows.refuse(number, fault, plan, || cell(fault.place).excerpt());
    }
    rows.push();
    for (place, texts) in rows.texts.iter_mut().enumerate() {
        texts.push(&cell(plan.numbers.len() + place).text());
    }
    if let Some(records) = &mut rows.records {
        records.push(&record.map(line).unwrap_or_default());
    }
}

/// The cells of a row, separated by tabs.
fn line(row: Row) -> String {
    let cells: Vec<String> = row
        .into_columns()
        .into_iter()
        .map(|(_, field)| match field {
            Field::Null => String::new(),
            Field::Str(text) => text.replace(['\t', '\r', '\n'], " "),
            other => other.to_string(),
        })
        .collect();
    let line = cells.join("\t");
    cut(&line).to_owned()
}

/// Cuts a text at the longest line of the other formats.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LINE_LIMIT)).unwrap_or(text)
}

/// A column of plain values, not of lists.
struct Leaf {
    index: usize,
    name: String,
    max_definition: i16,
    meaning: Meaning,
}

/// How a stored value is converted to a number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    /// The value divided by a power of ten.
    Number(f64),
    Unsigned,
    /// A time in so many parts of a second.
    Time(f64),
    Days,
    Text,
    Unknown,
}

fn leaves(reader: &dyn FileReader) -> Vec<Leaf> {
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let flat = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.max_rep_level() == 0);
    let leaf = flat.map(|(index, column)| Leaf {
        index,
        name: column.path().string(),
        max_definition: column.max_def_level(),
        meaning: meaning(column),
    });
    leaf.collect()
}

fn meaning(column: &ColumnDescriptor) -> Meaning {
    let parts = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1e3,
        TimeUnit::MICROS => 1e6,
        TimeUnit::NANOS => 1e9,
    };
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(time)), _) => Meaning::Time(parts(&time.unit)),
        (Some(LogicalType::Time(time)), _) => Meaning::Number(parts(&time.unit)),
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Meaning::Days,
        (None, ConvertedType::TIMESTAMP_MILLIS) => Meaning::Time(1e3),
        (None, ConvertedType::TIMESTAMP_MICROS) => Meaning::Time(1e6),
        (Some(LogicalType::Decimal(decimal)), _) => Meaning::Number(10_f64.powi(decimal.scale)),
        (None, ConvertedType::DECIMAL) => Meaning::Number(10_f64.powi(column.type_scale())),
        (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Meaning::Unsigned,
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) => Meaning::Text,
        (Some(LogicalType::Uuid | LogicalType::Float16), _) => Meaning::Unknown,
        (_, ConvertedType::UINT_32 | ConvertedType::UINT_64) => Meaning::Unsigned,
        _ => match column.physical_type() {
            Physical::INT96 => Meaning::Time(1.0),
            Physical::BYTE_ARRAY => Meaning::Text,
            Physical::BOOLEAN | Physical::FIXED_LEN_BYTE_ARRAY => Meaning::Unknown,
            Physical::INT32 | Physical::INT64 | Physical::FLOAT | Physical::DOUBLE => Meaning::Number(1.0),
        },
    }
}

/// The first rows as texts, written like the values of a text format.
fn sample(reader: &dyn FileReader, leaves: &[Leaf]) -> Result<Vec<Vec<String>>, ParquetError> {
    if reader.num_row_groups() == 0 {
        return Ok(Vec::new());
    }
    let group = reader.get_row_group(0)?;
    let mut rows = vec![vec![String::new(); leaves.len()]; SAMPLE];
    for (place, leaf) in leaves.iter().enumerate() {
        let cells = match leaf.meaning {
            Meaning::Text => Cells::new(leaf, group.get_column_reader(leaf.index)?).batch(SAMPLE)?,
            Meaning::Time(_) | Meaning::Days => vec![Cell::Text(b"1970-01-01".to_vec())],
            Meaning::Number(_) | Meaning::Unsigned | Meaning::Unknown => Vec::new(),
        };
        for (row, cell) in rows.iter_mut().zip(cells) {
            if let Some(text) = row.get_mut(place) {
                *text = cell.text().into_owned();
            }
        }
    }
    Ok(rows)
}

/// One value.
#[derive(Clone, Debug)]
enum Cell {
    Null,
    Number(f64),
    Text(Vec<u8>),
    Other(String),
}

impl Cell {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Cell::Null => "".into(),
            Cell::Number(value) => value.to_string().into(),
            Cell::Text(bytes) => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(text) => cut(text).into(),
                Cow::Owned(text) => cut(&text).to_owned().into(),
            },
            Cell::Other(text) => text.as_str().into(),
        }
    }
}

impl Value for &Cell {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, CellError> {
        match (self, kind) {
            (Cell::Null, _) => Err(CellError::Empty),
            (Cell::Number(value), _) if !value.is_finite() => Err(CellError::NotFinite),
            (Cell::Number(value), _) if value.abs() > LARGEST => Err(CellError::TooLarge),
            (Cell::Number(value), ColumnKind::Time) if !is_in_range(*value) => Err(CellError::Years),
            (Cell::Number(value), _) => Ok(*value),
            (Cell::Text(bytes), _) => cell::value(bytes, kind, format),
            (Cell::Other(_), ColumnKind::Time) => Err(CellError::NoTime),
            (Cell::Other(_), _) => Err(CellError::NoNumber),
        }
    }

    fn excerpt(&self) -> String {
        cell::excerpt(self.text().as_bytes())
    }
}

/// The cells of one column in one row group.
struct Cells {
    reader: ColumnReader,
    max_definition: i16,
    meaning: Meaning,
}

impl Cells {
    fn new(leaf: &Leaf, reader: ColumnReader) -> Cells {
        Cells {
            reader,
            max_definition: leaf.max_definition,
            meaning: leaf.meaning,
        }
    }

    /// The next cells, at most so many; empty at the end.
    fn batch(&mut self, most: usize) -> Result<Vec<Cell>, ParquetError> {
        let (meaning, max) = (self.meaning, self.max_definition);
        let number = |value: f64| match meaning {
            Meaning::Number(parts) | Meaning::Time(parts) => Cell::Number(value / parts),
            Meaning::Days => Cell::Number(value * 86_400.0),
            _ => Cell::Number(value),
        };
        let bytes = |value: &[u8]| match meaning {
            Meaning::Number(parts) => big_endian(value).map_or(Cell::Null, |value| Cell::Number(value as f64 / parts)),
            Meaning::Unknown => Cell::Other(value.iter().map(|byte| format!("{byte:02x}")).collect()),
            _ => Cell::Text(value.to_vec()),
        };
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => take(reader, most, max, |value| Cell::Other(value.to_string())),
            ColumnReader::Int32ColumnReader(reader) => take(reader, most, max, |value| match meaning {
                Meaning::Unsigned => Cell::Number(f64::from(value.cast_unsigned())),
                _ => number(f64::from(*value)),
            }),
            ColumnReader::Int64ColumnReader(reader) => take(reader, most, max, |value| match meaning {
                Meaning::Unsigned => Cell::Number(value.cast_unsigned() as f64),
                _ => number(*value as f64),
            }),
            ColumnReader::Int96ColumnReader(reader) => {
                take(reader, most, max, |value| Cell::Number(value.to_micros() as f64 / 1e6))
            }
            ColumnReader::FloatColumnReader(reader) => take(reader, most, max, |value| number(f64::from(*value))),
            ColumnReader::DoubleColumnReader(reader) => take(reader, most, max, |value| number(*value)),
            ColumnReader::ByteArrayColumnReader(reader) => take(reader, most, max, |value| bytes(value.data())),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => take(reader, most, max, |value| bytes(value.data())),
        }
    }
}

/// The number in the bytes of a decimal, unless it is too long for an `i128`.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let filler = if first >= 0x80 { 0xff } else { 0 };
    let mut whole = [filler; 16];
    whole
        .get_mut(16_usize.checked_sub(bytes.len())?..)?
        .copy_from_slice(bytes);
    Some(i128::from_be_bytes(whole))
}

/// Takes cells from a column. The definition levels say which rows have a value.
fn take<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    most: usize,
    max_definition: i16,
    cell: impl Fn(&T::T) -> Cell,
) -> Result<Vec<Cell>, ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut count = 0;
    while count < most {
        let (records, _, _) = reader.read_records(most - count, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            break;
        }
        count += records;
    }
    if max_definition == 0 {
        return Ok(values.iter().map(cell).collect());
    }
    let mut values = values.iter();
    let cells = levels.into_iter().map(|level| match level == max_definition {
        true => values.next().map_or(Cell::Null, &cell),
        false => Cell::Null,
    });
    Ok(cells.collect())
}
