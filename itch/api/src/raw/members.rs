//! Finds members of a JSON object and the items of a JSON list without parsing what is in them.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The members with these names, as their text; `None` for one that is absent. An error if the text is not an object.
pub(crate) fn members<'a, const N: usize>(
    text: &'a [u8],
    names: [&str; N],
) -> serde_json::Result<[Option<&'a RawValue>; N]> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let found = parser.deserialize_map(Members { names: &names })?;
    parser.end()?;
    Ok(found)
}

struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(place) = fields.next_key_seed(Name { names: self.names })? {
            match place {
                Some(place) => found[place] = Some(fields.next_value()?),
                None => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// The place of a name among those that are looked for.
struct Name<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|known| *known == name))
    }
}

/// Where each item of a list begins and ends, counted from the beginning of the list's text.
pub(crate) fn item_spans(list: &RawValue) -> serde_json::Result<Vec<(u32, u32)>> {
    let text = list.get();
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_seq(Items { text })
}

struct Items<'a> {
    text: &'a str,
}

impl<'de> Visitor<'de> for Items<'de> {
    type Value = Vec<(u32, u32)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut spans = Vec::new();
        while let Some(item) = items.next_element::<&RawValue>()? {
            let (start, end) = span_within(self.text, item.get());
            let span = u32::try_from(start).ok().zip(u32::try_from(end).ok());
            spans.push(span.ok_or_else(|| A::Error::custom("the list is longer than 4 GiB"))?);
        }
        Ok(spans)
    }
}

/// Where a part of a text begins and ends.
pub(crate) fn span_within(whole: &str, part: &str) -> (usize, usize) {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    (start, start + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let text = br#"{"a": [1, {"b": 2}], "x": null, "\u0062": 3}"#;
        let [a, b, c] = members(text, ["a", "b", "c"]).unwrap();
        assert_eq!(a.unwrap().get(), r#"[1, {"b": 2}]"#);
        assert_eq!(b.unwrap().get(), "3");
        assert!(c.is_none());
        for text in ["[]", "1", "{} x", "{\"a\":}"] {
            assert!(members(text.as_bytes(), ["a"]).is_err(), "{text}");
        }
    }

    #[test]
    fn items_are_where_their_spans_say() {
        let text = r#"[ {"a": "]"} ,null, [1,2],"é" ]"#;
        let list: &RawValue = serde_json::from_str(text).unwrap();
        let items = item_spans(list).unwrap();
        let items = items.iter().map(|(start, end)| &text[*start as usize..*end as usize]);
        assert_eq!(items.collect::<Vec<_>>(), [r#"{"a": "]"}"#, "null", "[1,2]", "\"é\""]);
        let object: &RawValue = serde_json::from_str("{}").unwrap();
        assert!(item_spans(object).is_err());
    }
}
