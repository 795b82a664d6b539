//! The columns of a report.

use serde::{Deserialize, Serialize};

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text, usually written by third parties.
    Text,
    /// A point in time, UTC; in JSON, milliseconds since 1970.
    Time,
    /// A duration in seconds.
    Duration,
}

/// One column of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, in the header and for `--columns`.
    pub name: String,
    /// The type of its cells.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// One sentence without a final period.
    pub help: String,
    /// The unit of a number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The decimal places of the seconds of a time or duration, or of a number.
    #[serde(default)]
    pub precision: u8,
    /// Whether it is printed by default, without `--columns`.
    #[serde(default = "yes")]
    pub default: bool,
    /// The fields of `itch_api`'s models that its cells are made from, by their names there. If a report declares them
    /// for any column, a field that none of the printed columns needs may be unreadable without harm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Column {
    /// A column of this type.
    pub fn new(kind: ColumnType, name: impl Into<String>, help: impl Into<String>) -> Column {
        Column {
            kind,
            name: name.into(),
            help: help.into(),
            unit: None,
            precision: 0,
            default: true,
            fields: Vec::new(),
        }
    }

    /// A column of text.
    pub fn text(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Text, name, help)
    }

    /// A column of whole numbers.
    pub fn int(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Int, name, help)
    }

    /// A column of times, UTC.
    pub fn time(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column::new(ColumnType::Time, name, help)
    }

    /// A column of durations, in seconds.
    pub fn duration(name: impl Into<String>, help: impl Into<String>) -> Column {
        Column {
            unit: Some("s".to_owned()),
            ..Column::new(ColumnType::Duration, name, help)
        }
    }

    /// Prints it only if `--columns` selects it.
    pub fn on_request(mut self) -> Column {
        self.default = false;
        self
    }

    /// Adds to [`Column::fields`].
    pub fn field(mut self, name: impl Into<String>) -> Column {
        self.fields.push(name.into());
        self
    }
}
