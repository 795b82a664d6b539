//! Fields of the old services' rows, parsed as the original itch did.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

/// Parses a time as the original itch did: an offset and a fraction of a second are dropped.
pub(super) fn time(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = value?.as_str()?.get(..19)?;
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S");
    let time = time.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"));
    // Unset times came as year 1 or 1970.
    let time = time.ok().map(|time| time.and_utc());
    time.filter(|time| time.timestamp() > 365 * 24 * 60 * 60)
}

/// A field as text. Numbers are converted, since kraken's ids are numbers.
pub(super) fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
