//! Parses only what is needed of a JSON body: whether it is complete and valid, and whether it is an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The top level of a body. Parsing checks every byte but keeps none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// There is a non-empty `error`.
    pub error: bool,
    /// There are `errors`, which GraphQL sends with a success status.
    pub errors: bool,
    /// The `status` that the old API sends with an error.
    pub status: Option<u16>,
    /// The length of the whole list, if it is sent.
    pub total: Option<u64>,
    /// The number of rows in `data`, if it is a list.
    pub rows: Option<usize>,
    /// There is a `data`, but it is null.
    pub no_data: bool,
}

impl Shape {
    /// Parses a body; `None` if it is not exactly one JSON value.
    pub fn of(body: &[u8]) -> Option<Shape> {
        serde_json::from_slice(body).ok()
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Shape, D::Error> {
        from.deserialize_any(TopLevel)
    }
}

/// Any value in a body. Unlike `IgnoredAny`, it rejects everything that `Value` would reject, such as text that is
/// not UTF-8: a stored body must parse later.
struct Part {
    truthy: bool,
    number: Option<u64>,
    rows: Option<usize>,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Part, D::Error> {
        from.deserialize_any(AnyPart)
    }
}

impl From<bool> for Part {
    fn from(truthy: bool) -> Part {
        Part {
            truthy,
            number: None,
            rows: None,
        }
    }
}

struct AnyPart;

impl<'de> Visitor<'de> for AnyPart {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Part, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Part, E> {
        Ok((value != 0).into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Part, E> {
        Ok(Part {
            truthy: value != 0,
            number: Some(value),
            rows: None,
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Part, E> {
        Ok((value != 0.0).into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Part, E> {
        Ok((!value.is_empty()).into())
    }

    fn visit_unit<E: Error>(self) -> Result<Part, E> {
        Ok(false.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Part, A::Error> {
        let mut rows = 0;
        while items.next_element::<Part>()?.is_some() {
            rows += 1;
        }
        Ok(Part {
            truthy: rows > 0,
            number: None,
            rows: Some(rows),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Part, A::Error> {
        let mut truthy = false;
        while fields.next_entry::<Part, Part>()?.is_some() {
            truthy = true;
        }
        Ok(truthy.into())
    }
}

struct TopLevel;

/// The names that are used at the top level.
enum Name {
    Error,
    Errors,
    Status,
    Total,
    Data,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        struct Names;
        impl Visitor<'_> for Names {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "error" => Name::Error,
                    "errors" => Name::Errors,
                    "status" => Name::Status,
                    "total" => Name::Total,
                    "data" => Name::Data,
                    _ => Name::Other,
                })
            }
        }
        from.deserialize_identifier(Names)
    }
}

impl<'de> Visitor<'de> for TopLevel {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        while items.next_element::<Part>()?.is_some() {}
        Ok(Shape::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some((name, part)) = fields.next_entry::<Name, Part>()? {
            match name {
                Name::Error => shape.error = part.truthy,
                Name::Errors => shape.errors = part.truthy,
                Name::Status => shape.status = part.number.and_then(|n| n.try_into().ok()),
                Name::Total => shape.total = part.number,
                Name::Data => {
                    shape.rows = part.rows;
                    shape.no_data = !part.truthy && part.rows.is_none();
                }
                Name::Other => {}
            }
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_top_level_is_read() {
        let shape = Shape::of(br#"{"total":3,"data":[{"error":1},2],"pagination":{}}"#).unwrap();
        assert_eq!(
            shape,
            Shape {
                total: Some(3),
                rows: Some(2),
                ..Shape::default()
            }
        );
        let shape = Shape::of(br#"{"error":"Not Found","status":404}"#).unwrap();
        assert_eq!((shape.error, shape.status), (true, Some(404)));
        assert!(Shape::of(br#"{"errors":[{}]}"#).unwrap().errors);
        for quiet in [r#"{"error":null}"#, r#"{"error":""}"#, "[]", "7", "\"x\""] {
            assert!(!Shape::of(quiet.as_bytes()).unwrap().error);
        }
    }

    #[test]
    fn exactly_what_parses_as_a_value_has_a_shape() {
        for text in [
            &b""[..],
            b"<html>",
            b"{\"a\":1",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":1e999}",
            b"{\"a\":1e9,\"b\":[-1,0.5,true,null,\"\\u00e9\"]}",
            b"{\"data\":[}",
        ] {
            let parses = serde_json::from_slice::<Value>(text).is_ok();
            assert_eq!(Shape::of(text).is_some(), parses, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let parses = serde_json::from_slice::<Value>(&bytes).is_ok();
            proptest::prop_assert_eq!(Shape::of(&bytes).is_some(), parses);
        }
    }
}
