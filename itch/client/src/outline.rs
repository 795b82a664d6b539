//! Reads a few values of a JSON body without building the rest of it, which would take many times the body's bytes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The body with nothing in it but what these JSON Pointers (RFC 6901) need: the same scalars, and whether an array or
/// an object is there and has items, but not the items. Null if it is not JSON.
pub(crate) fn outline(body: &[u8], pointers: &[&str]) -> Value {
    let paths: Vec<Vec<String>> = pointers.iter().map(|pointer| tokens(pointer)).collect();
    let paths = paths.iter().map(Vec::as_slice).collect();
    let mut from = serde_json::Deserializer::from_slice(body);
    Outline { paths }.deserialize(&mut from).unwrap_or_default()
}

/// The names and indices of a pointer.
fn tokens(pointer: &str) -> Vec<String> {
    let parts = pointer.split('/').skip(1);
    parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// One value, and the rest of the pointers that lead into it.
struct Outline<'a> {
    paths: Vec<&'a [String]>,
}

impl<'a> Outline<'a> {
    /// The same for an item of this value; `None` if no pointer leads into it.
    fn of_item(&self, name: &str) -> Option<Outline<'a>> {
        let inner = self.paths.iter().filter_map(|path| {
            let (first, rest) = path.split_first()?;
            (first == name).then_some(rest)
        });
        let paths: Vec<_> = inner.collect();
        (!paths.is_empty()).then_some(Outline { paths })
    }
}

impl<'de> DeserializeSeed<'de> for Outline<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outline<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let indices = self.paths.iter().filter_map(|path| path.first()?.parse::<usize>().ok());
        // One item says that there are some.
        let kept = indices.max().unwrap_or(0);
        let mut list = Vec::new();
        for index in 0.. {
            let wanted = (index <= kept).then(|| self.of_item(&index.to_string())).flatten();
            let item = match wanted {
                Some(inner) => items.next_element_seed(inner)?,
                None => items.next_element::<IgnoredAny>()?.map(|_| Value::Null),
            };
            match item {
                Some(item) if index <= kept => list.push(item),
                Some(_) => {}
                None => break,
            }
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            match self.of_item(&name) {
                Some(inner) => {
                    let value = fields.next_value_seed(inner)?;
                    map.insert(name, value);
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_pointed_at_is_kept() {
        let body = json!({
            "data": {"rows": [{"a": 1}, {"a": 2}], "none": [], "more": true, "other": {"big": [1, 2, 3]}},
            "a/b": [{"x": 0}, {"x": "y"}, 7],
            "text": "t", "number": 1.5, "null": null,
        });
        let bytes = body.to_string().into_bytes();
        let kept = outline(
            &bytes,
            &[
                "/data/rows",
                "/data/none",
                "/data/more",
                "/a~1b/1/x",
                "/text",
                "/null",
                "/gone",
            ],
        );
        assert_eq!(
            kept,
            json!({
                "data": {"rows": [null], "none": [], "more": true},
                "a/b": [null, {"x": "y"}],
                "text": "t", "null": null,
            })
        );
        assert_eq!(outline(b"[[1],[2]]", &["/1/0"]), json!([null, [2]]));
        assert_eq!(outline(b"7", &[""]), json!(7));
        assert_eq!(outline(b"{\"a\":", &["/a"]), Value::Null);
        assert_eq!(outline(b"", &[]), Value::Null);
    }
}
