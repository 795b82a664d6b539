//! An open table: its name in messages, its fields, and reading its columns.

use std::fmt;

use itch_api::{Error, ErrorKind, Result};

use crate::dates::DateFormat;
use crate::fields::{Fields, Known};
use crate::input::{self, Form, Input, Opened};
#[cfg(feature = "parquet")]
use crate::parquet;
use crate::plan::Plan;
use crate::types::{Field, OpenOptions, ReadOptions, Table, Wanted};
use crate::{delimited, json};

/// An open table. Its first rows were read, the others are still to be read.
pub struct Source {
    name: String,
    fields: Fields,
    date_format: Option<DateFormat>,
    body: Body,
}

/// The reader, by format.
enum Body {
    Delimited(Opened, delimited::Layout),
    Json(Opened),
    #[cfg(feature = "parquet")]
    Parquet(parquet::Reader),
    /// There is neither a row nor a header.
    Nothing,
}

impl Source {
    /// Opens a table and reads its first rows.
    ///
    /// # Errors
    ///
    /// When the input cannot be read or is binary, and when the date format is not valid.
    pub fn open(input: Input, options: &OpenOptions) -> Result<Source> {
        let date_format = options.date_format.as_deref().map(DateFormat::new).transpose()?;
        let opened = input::open(input, options.format)?;
        let name = opened.name.clone();
        let known = Known {
            options,
            date_format: date_format.as_ref(),
        };
        let found = match opened.form {
            Form::Text { quotes } => delimited::open(opened, quotes, known)?
                .map(|(fields, opened, layout)| (fields, Body::Delimited(opened, layout))),
            Form::Json => json::open(opened, known)?.map(|(fields, opened)| (fields, Body::Json(opened))),
            #[cfg(feature = "parquet")]
            Form::Parquet => {
                let (fields, reader) = parquet::open(opened, known)?;
                Some((fields, Body::Parquet(reader)))
            }
            #[cfg(not(feature = "parquet"))]
            Form::Parquet => {
                let message = format!("{name} is a Parquet file, but this itch was built without Parquet support");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let (fields, body) = found.unwrap_or((Fields::default(), Body::Nothing));
        Ok(Source {
            name,
            fields,
            date_format,
            body,
        })
    }

    /// The name of the input in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is neither a row nor a header.
    pub fn is_empty(&self) -> bool {
        matches!(self.body, Body::Nothing)
    }

    /// The fields that the header or the first rows have.
    pub fn fields(&self) -> &[Field] {
        self.fields
            .fields
            .get(..self.fields.seen)
            .unwrap_or(&self.fields.fields)
    }

    /// A field by its index from 0. Rows after the first ones may have more fields than these.
    pub fn field(&self, index: usize) -> Option<&Field> {
        self.fields.fields.get(index)
    }

    /// Whether the table has a header.
    pub fn has_header(&self) -> bool {
        self.fields.has_header
    }

    /// The index of a field from 0: by exact name, by name without regard to case, or by number from 1.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn find(&self, wanted: &str) -> Result<usize> {
        self.fields.find(wanted).ok_or_else(|| {
            let names: Vec<&str> = self.fields.fields.iter().map(|field| field.name.as_str()).collect();
            Error::new(ErrorKind::Usage, format!("there is no column {wanted}; the columns are {}", names.join(", ")))
        })
    }

    /// Reads columns. A row with an empty or unreadable cell in one of them is counted and skipped.
    ///
    /// # Errors
    ///
    /// When the input cannot be read, and under [`ReadOptions::strict`] when a row is bad.
    pub fn read(self, wanted: &[Wanted], options: &ReadOptions) -> Result<Table> {
        self.read_as(wanted, options, false)
    }

    /// Reads columns. If `spans` is set, two of them are the start and end of spans.
    pub(crate) fn read_as(self, wanted: &[Wanted], options: &ReadOptions, spans: bool) -> Result<Table> {
        let plan = Plan::new(&self.fields.fields, wanted, options, self.date_format.as_ref(), spans);
        let rows = match self.body {
            Body::Delimited(opened, layout) => delimited::read(opened, layout, &plan)?,
            Body::Json(opened) => json::read(opened, &plan)?,
            #[cfg(feature = "parquet")]
            Body::Parquet(reader) => reader.read(&self.name, &plan)?,
            Body::Nothing => crate::engine::Rows::new(&plan),
        };
        rows.finish(&self.name, wanted, &plan)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source { name, fields, .. } = self;
        f.debug_struct("Source")
            .field("name", name)
            .field("fields", fields)
            .finish_non_exhaustive()
    }
}
