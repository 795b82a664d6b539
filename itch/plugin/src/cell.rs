//! Typed cells of a row. A report does not format them; the host does, according to the column.

use chrono::{DateTime, TimeZone, Utc};
use itch_api::chrono;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One cell of a row.
///
/// In JSON a time is a whole number of milliseconds since 1970, UTC, and a duration is a number of seconds. The column
/// defines which kind of number a cell is.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text, usually written by third parties.
    Text(String),
    /// Milliseconds since 1970, UTC.
    Time(i64),
    /// Seconds.
    Duration(f64),
}

impl Cell {
    /// The time, if it is in the range of the calendar.
    pub fn as_time(&self) -> Option<DateTime<Utc>> {
        match self {
            Cell::Time(milliseconds) => Utc.timestamp_millis_opt(*milliseconds).single(),
            _ => None,
        }
    }

    /// Whether the value is unknown.
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(value) => serializer.serialize_bool(*value),
            Cell::Int(value) | Cell::Time(value) => serializer.serialize_i64(*value),
            // JSON has no NaN and no infinity.
            Cell::Float(value) | Cell::Duration(value) if !value.is_finite() => serializer.serialize_unit(),
            Cell::Float(value) | Cell::Duration(value) => serializer.serialize_f64(*value),
            Cell::Text(value) => serializer.serialize_str(value),
        }
    }
}

/// Parses a plain JSON value. Times and durations are parsed as numbers; [`Cell::typed`] converts them.
impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct CellVisitor;

        impl Visitor<'_> for CellVisitor {
            type Value = Cell;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, true, false, a number or a string")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
                Ok(Cell::Null)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Bool(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Int(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Cell, E> {
                i64::try_from(value)
                    .map(Cell::Int)
                    .map_err(|_| E::custom("whole numbers go up to 2^63 - 1"))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Cell, E> {
                Ok(Cell::Float(value))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }
            fn visit_string<E: de::Error>(self, value: String) -> Result<Cell, E> {
                Ok(Cell::Text(value))
            }
        }

        deserializer.deserialize_any(CellVisitor)
    }
}

impl Cell {
    /// The cell as its column's type; `None` if it has another type.
    pub fn typed(self, kind: crate::ColumnType) -> Option<Cell> {
        use crate::ColumnType as Type;
        Some(match (kind, self) {
            (_, Cell::Null) => Cell::Null,
            (Type::Bool, cell @ Cell::Bool(_)) => cell,
            (Type::Int, cell @ Cell::Int(_)) => cell,
            (Type::Float, cell @ Cell::Float(_)) => cell,
            (Type::Float, Cell::Int(value)) => Cell::Float(value as f64),
            (Type::Text, cell @ Cell::Text(_)) => cell,
            (Type::Time, Cell::Int(value) | Cell::Time(value)) => Cell::Time(value),
            (Type::Duration, Cell::Int(value)) => Cell::Duration(value as f64),
            (Type::Duration, Cell::Float(value) | Cell::Duration(value)) => Cell::Duration(value),
            _ => return None,
        })
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Cell {
        Cell::Text(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Bool(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Int(value)
    }
}

impl From<i32> for Cell {
    fn from(value: i32) -> Cell {
        Cell::Int(value.into())
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Cell {
        Cell::Int(value.into())
    }
}

/// Numbers beyond 2^63 - 1 become 2^63 - 1; no number of Twitch is that large.
impl From<u64> for Cell {
    fn from(value: u64) -> Cell {
        Cell::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Float(value)
    }
}

impl From<DateTime<Utc>> for Cell {
    fn from(value: DateTime<Utc>) -> Cell {
        Cell::Time(value.timestamp_millis())
    }
}

impl From<chrono::TimeDelta> for Cell {
    fn from(value: chrono::TimeDelta) -> Cell {
        Cell::Duration(value.num_milliseconds() as f64 / 1000.0)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

/// Makes a row from values that can be converted to a [`Cell`], in the order of the declared columns.
///
/// ```
/// let row = itch_plugin::row!["burkeblack", 250_000, None::<&str>];
/// assert_eq!(row.len(), 3);
/// ```
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => { [$($crate::Cell::from($cell)),*] };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnType;

    #[test]
    fn cells_cross_as_json_and_come_back_typed() {
        let row = [
            Cell::Null,
            Cell::Bool(true),
            Cell::Int(-3),
            Cell::Float(0.5),
            "a\t\"b\"".into(),
            Cell::Time(1_469_108_655_123),
            Cell::Duration(4.0),
        ];
        let kinds = [
            ColumnType::Text,
            ColumnType::Bool,
            ColumnType::Int,
            ColumnType::Float,
            ColumnType::Text,
            ColumnType::Time,
            ColumnType::Duration,
        ];
        let text = serde_json::to_string(&row).unwrap();
        let read: Vec<Cell> = serde_json::from_str(&text).unwrap();
        let typed: Vec<Cell> = read
            .into_iter()
            .zip(kinds)
            .map(|(cell, kind)| cell.typed(kind).unwrap())
            .collect();
        assert_eq!(typed, row);
    }

    #[test]
    fn a_cell_of_another_type_is_refused() {
        assert_eq!(Cell::from("x").typed(ColumnType::Time), None);
        assert_eq!(Cell::from(1.5).typed(ColumnType::Int), None);
        assert!(serde_json::from_str::<Cell>("18446744073709551615").is_err());
        assert!(serde_json::from_str::<Cell>("[1]").is_err());
    }
}
