//! Objects of the schema, and writing them with the requested fields.

use serde::Serialize;

use super::query::{Field, Refusal};

/// A type of the schema.
pub(super) trait Object {
    const TYPE: &'static str;

    /// Writes the value of a field, or calls it [unknown](Place::unknown).
    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal>;
}

/// Where the value of a field goes.
pub(super) struct Place<'a> {
    pub(super) asked: &'a Field,
    pub(super) json: &'a mut Vec<u8>,
}

impl Place<'_> {
    /// Writes a value without fields.
    pub(super) fn scalar(self, value: impl Serialize) -> Result<(), Refusal> {
        if !self.asked.selection.is_empty() {
            let name = &self.asked.name;
            return Err(format!("Field \"{name}\" must not have a selection since it has no subfields."));
        }
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(self.json, &value);
        Ok(())
    }

    /// Writes null, also instead of an object.
    pub(super) fn null(self) -> Result<(), Refusal> {
        self.json.extend_from_slice(b"null");
        Ok(())
    }

    pub(super) fn object<T: Object>(self, object: &T) -> Result<(), Refusal> {
        if self.asked.selection.is_empty() {
            let name = &self.asked.name;
            return Err(format!("Field \"{name}\" must have a selection of subfields."));
        }
        write_fields(&self.asked.selection, self.json, |field, json| {
            let place = Place { asked: field, json };
            match field.name.as_str() {
                "__typename" => place.scalar(T::TYPE),
                name => object.field(name, place),
            }
        })
    }

    pub(super) fn object_or_null<T: Object>(self, object: Option<&T>) -> Result<(), Refusal> {
        match object {
            Some(object) => self.object(object),
            None => self.null(),
        }
    }

    pub(super) fn list<T: Object>(self, objects: impl Iterator<Item = T>) -> Result<(), Refusal> {
        self.json.push(b'[');
        for (index, object) in objects.enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            let (asked, json) = (self.asked, &mut *self.json);
            Place { asked, json }.object(&object)?;
        }
        self.json.push(b']');
        Ok(())
    }

    pub(super) fn unknown<T: Object>(self, _: &T) -> Result<(), Refusal> {
        Err(unknown_field(&self.asked.name, T::TYPE))
    }
}

/// Writes fields as one object, in the order of the query.
pub(super) fn write_fields(
    fields: &[Field],
    json: &mut Vec<u8>,
    mut value: impl FnMut(&Field, &mut Vec<u8>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    json.push(b'{');
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        // A key consists of letters, digits and underscores, so it needs no escaping.
        json.push(b'"');
        json.extend_from_slice(field.key.as_bytes());
        json.extend_from_slice(b"\":");
        value(field, json)?;
    }
    json.push(b'}');
    Ok(())
}

pub(super) fn unknown_field(name: &str, type_name: &str) -> Refusal {
    format!("Cannot query field \"{name}\" on type \"{type_name}\".")
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::{super::query, *};

    struct Inner;
    struct Outer;

    impl Object for Inner {
        const TYPE: &'static str = "Inner";

        fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
            match name {
                "z" => place.scalar("\"zed\"\n"),
                _ => place.unknown(self),
            }
        }
    }

    impl Object for Outer {
        const TYPE: &'static str = "Outer";

        fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
            match name {
                "x" => place.scalar(1),
                "y" => place.null(),
                "inner" => place.object(&Inner),
                "list" => place.list([Inner, Inner].into_iter()),
                _ => place.unknown(self),
            }
        }
    }

    fn read(query: &str) -> Result<String, Refusal> {
        let fields = query::parse(query, None, &Map::new())?;
        let (asked, mut json) = (&fields[0], Vec::new());
        let json_of = &mut json;
        Place { asked, json: json_of }.object(&Outer)?;
        Ok(String::from_utf8(json).unwrap())
    }

    #[test]
    fn only_what_is_asked_for_is_written_in_the_order_it_was_asked() {
        assert_eq!(
            read("{ a { list { z } y { q } one: x inner { __typename } } }").unwrap(),
            r#"{"list":[{"z":"\"zed\"\n"},{"z":"\"zed\"\n"}],"y":null,"one":1,"inner":{"__typename":"Inner"}}"#
        );
    }

    #[test]
    fn what_the_schema_does_not_have_is_refused() {
        for (query, message) in [
            ("{ a { gif } }", "Cannot query field \"gif\" on type \"Outer\"."),
            ("{ a { list { gif } } }", "Cannot query field \"gif\" on type \"Inner\"."),
            ("{ a { list } }", "Field \"list\" must have a selection of subfields."),
            ("{ a }", "Field \"a\" must have a selection of subfields."),
            ("{ a { x { y } } }", "Field \"x\" must not have a selection since it has no subfields."),
        ] {
            assert_eq!(read(query).unwrap_err(), message);
        }
    }
}
