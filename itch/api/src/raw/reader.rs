//! Reads the rows of an answer field by field, and counts the values and rows that cannot be read.
//!
//! A value that is null, absent or of another type never makes a page fail: its cell stays empty. A row is left out only
//! if its key cannot be read. Both are recorded as [`Fact::Unreadable`] when the reader is dropped.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Fact, RawApi};

/// How many places of each kind a page names; the others are counted.
const EXAMPLES: usize = 3;
/// The longest excerpt of a value in a message, in characters.
const EXCERPT: usize = 40;

/// Reads the rows of one page.
#[derive(Debug)]
pub(crate) struct PageReader {
    api: RawApi,
    /// The endpoint, as messages name it.
    endpoint: String,
    /// The index of the page, from 0.
    page: u64,
    unreadable: BTreeMap<String, (u64, Vec<String>)>,
    /// How many accounts had an empty key.
    blank: u64,
}

impl PageReader {
    /// A reader for a page of an endpoint; pages are counted from 0.
    pub fn new(api: &RawApi, endpoint: impl Into<String>, page: u64) -> PageReader {
        PageReader {
            api: api.clone(),
            endpoint: endpoint.into(),
            page,
            unreadable: BTreeMap::new(),
            blank: 0,
        }
    }

    /// Reads one row; rows are counted from 1. `None` if it is not an object: such a row is counted as unreadable.
    pub fn row(&mut self, place: u64, value: Value) -> Option<RowReader<'_>> {
        match value {
            Value::Object(fields) => Some(RowReader {
                page: self,
                place,
                fields,
            }),
            other => {
                self.lost(place, None, &other);
                None
            }
        }
    }

    /// Reads a row that is only the key of an account.
    pub fn account(&mut self, place: u64, field: &str, found: &Value) -> Option<String> {
        let Some(key) = key_text(found) else {
            self.lost(place, Some(field), found);
            return None;
        };
        self.blank += u64::from(key.is_empty());
        Some(key)
    }

    /// Counts a row that is left out.
    pub fn lost(&mut self, place: u64, field: Option<&str>, found: &Value) {
        let text = self.place(place, field, Some(found));
        self.count("rows".to_owned(), text);
    }

    /// Counts a value if it is needed. `name` is the field's name in the models.
    pub fn unreadable(&mut self, name: &str, place: u64, field: &str, found: Option<&Value>) {
        let Some(shown) = self.api.needed(name) else {
            return;
        };
        let (what, text) = (format!("`{shown}`"), self.place(place, Some(field), found));
        self.count(what, text);
    }

    fn place(&self, place: u64, field: Option<&str>, found: Option<&Value>) -> String {
        let field = field.map(|field| format!(", `{field}`")).unwrap_or_default();
        let (endpoint, page) = (&self.endpoint, self.page + 1);
        format!("`{endpoint}` page {page}, row {place}{field}: {}", found.map_or("absent".to_owned(), excerpt))
    }

    fn count(&mut self, what: String, place: String) {
        let (n, places) = self.unreadable.entry(what).or_default();
        *n += 1;
        if places.len() < EXAMPLES {
            places.push(place);
        }
    }
}

impl Drop for PageReader {
    fn drop(&mut self) {
        for (what, (n, examples)) in std::mem::take(&mut self.unreadable) {
            self.api.note(Fact::Unreadable { what, n, examples });
        }
        if self.blank > 0 {
            self.api.note(Fact::Missing {
                what: "accounts".to_owned(),
                n: self.blank,
                examples: Vec::new(),
                remark: Some("name empty".to_owned()),
            });
        }
    }
}

/// Reads the fields of one row. Each method takes the field out of the row; `name` is the field's name in the models.
#[derive(Debug)]
pub(crate) struct RowReader<'a> {
    page: &'a mut PageReader,
    place: u64,
    fields: Map<String, Value>,
}

impl RowReader<'_> {
    /// The key of the row, a text or a number. Without it the row is counted as unreadable. An empty key is a key:
    /// Twitch sends such rows for accounts that no longer exist.
    pub fn key(&mut self, field: &str) -> Option<String> {
        let found = self.fields.remove(field).unwrap_or(Value::Null);
        let key = key_text(&found);
        if key.is_none() {
            self.page.lost(self.place, Some(field), &found);
        }
        key
    }

    /// The key of an account. An empty one is counted as an account that no longer exists.
    pub fn account_key(&mut self, field: &str) -> Option<String> {
        let key = self.key(field)?;
        self.page.blank += u64::from(key.is_empty());
        Some(key)
    }

    /// A text; a number is read as text. Empty if it cannot be read.
    pub fn text(&mut self, field: &str, name: &str) -> String {
        let found = self.fields.remove(field);
        match found.as_ref().and_then(key_text) {
            Some(text) => text,
            None => {
                self.page.unreadable(name, self.place, field, found.as_ref());
                String::new()
            }
        }
    }

    /// A text that a row may lack: it may be absent or null.
    pub fn optional_text(&mut self, field: &str, name: &str) -> Option<String> {
        let found = self.fields.remove(field).filter(|value| !value.is_null())?;
        let text = key_text(&found);
        if text.is_none() {
            self.page.unreadable(name, self.place, field, Some(&found));
        }
        text
    }

    /// A time ([`parse_time`]).
    pub fn time(&mut self, field: &str, name: &str) -> Option<DateTime<Utc>> {
        self.parsed(field, name, |found| found?.as_str().and_then(parse_time))
    }

    /// A value in another form.
    pub fn parsed<T>(&mut self, field: &str, name: &str, parse: impl FnOnce(Option<&Value>) -> Option<T>) -> Option<T> {
        let found = self.fields.remove(field);
        let value = parse(found.as_ref());
        if value.is_none() {
            self.page.unreadable(name, self.place, field, found.as_ref());
        }
        value
    }

    /// An object inside the row. Without it the row is counted as unreadable.
    pub fn inner(&mut self, field: &str) -> Option<RowReader<'_>> {
        match self.fields.remove(field) {
            Some(Value::Object(fields)) => Some(RowReader {
                page: self.page,
                place: self.place,
                fields,
            }),
            other => {
                self.page.lost(self.place, Some(field), &other.unwrap_or(Value::Null));
                None
            }
        }
    }

    /// A number of things; digits in a text are read as a number.
    pub fn count(&mut self, field: &str, name: &str) -> Option<u64> {
        self.parsed(field, name, |found| found.and_then(whole_number))
    }

    /// The fields that were not read yet.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Takes a field out of the row as it is.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field)
    }

    /// The fields that were not read.
    pub fn rest(self) -> Map<String, Value> {
        self.fields
    }
}

/// A text, or a number as text.
pub(crate) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number from 0, as a number or as digits in a text.
pub(crate) fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Parses an RFC 3339 time. A time before 1971 does not count: unset times come as year 1 (Go's zero time) or as 1970.
pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let time = DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc();
    (time.timestamp() >= YEAR).then_some(time)
}

/// A value for a message, as JSON, shortened.
pub(crate) fn excerpt(value: &Value) -> String {
    let text = match value {
        // A large list or object is not written out only to be cut.
        Value::Array(items) if !items.is_empty() => return "[…]".to_owned(),
        Value::Object(fields) if !fields.is_empty() => return "{…}".to_owned(),
        Value::String(text) => Value::from(text.chars().take(EXCERPT + 1).collect::<String>()).to_string(),
        other => other.to_string(),
    };
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_and_numbers_stand_for_each_other() {
        assert_eq!(key_text(&json!("a")).as_deref(), Some("a"));
        assert_eq!(key_text(&json!(12)).as_deref(), Some("12"));
        for odd in [json!(null), json!([]), json!({}), json!(true)] {
            assert_eq!((key_text(&odd), whole_number(&odd)), (None, None), "{odd}");
        }
        for (value, expected) in [
            (json!(7), Some(7)),
            (json!("7"), Some(7)),
            (json!(7.0), Some(7)),
            (json!(-1), None),
            (json!(7.5), None),
            (json!(""), None),
        ] {
            assert_eq!(whole_number(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_time_that_stands_for_none_is_none() {
        assert_eq!(parse_time("2014-09-12T23:50:05Z").unwrap().timestamp(), 1_410_565_805);
        assert!(parse_time("2014-09-12T23:50:05.123+02:00").is_some());
        for text in [
            "",
            "soon",
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "2014-13-12T23:50:05Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_short() {
        assert_eq!(excerpt(&json!(null)), "null");
        assert_eq!(excerpt(&json!([1])), "[…]");
        assert_eq!(excerpt(&json!("a\n")), r#""a\n""#);
        assert_eq!(excerpt(&json!("é".repeat(100))).chars().count(), EXCERPT + 1);
    }
}
