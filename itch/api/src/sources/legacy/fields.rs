//! Fields of the old services' rows, read as the first itch read them.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

/// A time as the first itch read it: an offset is dropped, and so is a fraction.
pub(super) fn time(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = value?.as_str()?.get(..19)?;
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S");
    let time = time.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"));
    time.ok().map(|time| time.and_utc())
}

/// A field as text: numbers too, since kraken's ids are numbers.
pub(super) fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
