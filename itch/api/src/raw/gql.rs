//! Answers of GraphQL: what their errors mean, and single members without the rest.
//!
//! GraphQL reports errors beside the data, mostly with a success status (spec.graphql.org, October 2021, section 7.1).
//! Twitch's service gives neither codes nor a list of its messages; those below are what other programs met
//! (lay295/TwitchDownloader, xenova/chat-downloader, DevilXD/TwitchDropsMiner issues 417, 520, 839 and 952).

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::reader::{excerpt, key_text};

/// What an error of GraphQL says about the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GqlErrorKind {
    /// This client id may not send the request: the check of the client's integrity failed.
    Integrity,
    /// The service does not know the client id.
    Client,
    /// The service has no query under this hash, at least for the moment.
    UnknownHash,
    /// The query is not valid, such as an unknown field.
    Invalid,
    /// Anything else: a fault of the service, which may pass.
    Fault,
}

/// One error of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct GqlError {
    /// The service's text.
    pub message: String,
    /// What it says about the request.
    pub kind: GqlErrorKind,
    /// The member of `data` that is null because of it, from the outside: names, and indices from 0. Empty if the
    /// error has none.
    pub path: Vec<Value>,
}

/// The texts with which messages about an invalid query begin, in lower case (graphql/graphql-js, `src/validation/rules`
/// and `src/error/syntaxError.ts`; Twitch's own messages follow them).
const INVALID: [&str; 15] = [
    "argument \"",
    "cannot query field",
    "directive \"",
    "expected ",
    "field \"",
    "fragment \"",
    "must provide",
    "no operation",
    "syntax error",
    "unknown argument",
    "unknown directive",
    "unknown fragment",
    "unknown operation",
    "unknown type",
    "variable \"",
];

/// How many errors of an answer are read.
const MOST_ERRORS: usize = 1000;

impl GqlError {
    /// Reads one of `errors`; anything but an object with a message is a fault.
    fn read(error: &Value) -> GqlError {
        let message = match error.get("message").and_then(key_text) {
            Some(message) if !message.is_empty() => message,
            _ => format!("error {}", excerpt(error)),
        };
        let path = error.get("path").and_then(Value::as_array);
        let code = error.pointer("/extensions/code").and_then(Value::as_str);
        GqlError {
            kind: kind(&message, code.unwrap_or_default()),
            message,
            path: path.cloned().unwrap_or_default(),
        }
    }
}

fn kind(message: &str, code: &str) -> GqlErrorKind {
    let text = message.to_lowercase();
    let hash = text.replace(' ', "").contains("persistedquery");
    if text.contains("integrity") {
        GqlErrorKind::Integrity
    } else if text.contains("client-id") {
        GqlErrorKind::Client
    } else if hash || code.starts_with("PERSISTED_QUERY") {
        GqlErrorKind::UnknownHash
    } else if matches!(code, "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED")
        || INVALID.iter().any(|start| text.starts_with(start))
    {
        GqlErrorKind::Invalid
    } else {
        GqlErrorKind::Fault
    }
}

/// The first errors of an answer, up to a thousand. Answers with an error status have a `message` instead of the list.
pub fn gql_errors(body: &[u8]) -> Vec<GqlError> {
    let value = |part: &RawValue| serde_json::from_str::<Value>(part.get()).unwrap_or_default();
    let errors = json_part(body, "/errors").filter(|errors| errors.get() != "null");
    let list = errors.map(|errors| serde_json::from_str::<Vec<&RawValue>>(errors.get()));
    match (list, errors) {
        (Some(Ok(list)), _) => {
            let first = list.into_iter().take(MOST_ERRORS);
            first.map(|error| GqlError::read(&value(error))).collect()
        }
        (_, Some(other)) => vec![GqlError::read(&value(other))],
        (_, None) => {
            let texts = ["/message", "/error"].into_iter();
            let texts = texts.filter_map(|name| json_part(body, name).map(value));
            let text = texts.filter_map(|text| key_text(&text)).find(|text| !text.is_empty());
            let lonely = text.filter(|_| json_part(body, "/data").is_none());
            lonely
                .map(|message| GqlError {
                    kind: kind(&message, ""),
                    message,
                    path: Vec::new(),
                })
                .into_iter()
                .collect()
        }
    }
}

/// The text of one member of a JSON document, by its JSON Pointer (RFC 6901) of names only. The document is read once,
/// and nothing of it is kept. `None` if there is no such member, or if the document is not valid up to it.
pub fn json_part<'a>(body: &'a [u8], pointer: &str) -> Option<&'a RawValue> {
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut document = serde_json::Deserializer::from_slice(body);
    Seek { names: &names }.deserialize(&mut document).ok().flatten()
}

/// Looks for a member below a value.
struct Seek<'n> {
    names: &'n [&'n str],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        match self.names.is_empty() {
            true => <&RawValue>::deserialize(from).map(Some),
            false => from.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.names.split_first() else {
            return Err(A::Error::custom("there is nothing to look for"));
        };
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if name == *wanted {
                found = members.next_value_seed(Seek { names: rest })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds(body: Value) -> Vec<GqlErrorKind> {
        let errors = gql_errors(body.to_string().as_bytes());
        errors.iter().map(|error| error.kind).collect()
    }

    #[test]
    fn messages_have_a_kind() {
        use GqlErrorKind::*;
        for (message, expected) in [
            ("failed integrity check", Integrity),
            ("The \"Client-ID\" header is invalid.", Client),
            ("PersistedQueryNotFound", UnknownHash),
            ("Persisted query not found", UnknownHash),
            ("Cannot query field \"gif\" on type \"Video\".", Invalid),
            ("Syntax Error: Unexpected <EOF>.", Invalid),
            ("Variable \"first\" has invalid value \"x\".", Invalid),
            ("service error", Fault),
            ("service unavailable", Fault),
            ("context deadline exceeded", Fault),
            ("", Fault),
        ] {
            assert_eq!(kinds(json!({"errors": [{"message": message}]})), [expected], "{message}");
        }
        let coded = json!({"errors": [{"message": "x", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]});
        assert_eq!(kinds(coded), [Invalid]);
    }

    #[test]
    fn errors_come_in_odd_forms() {
        use GqlErrorKind::*;
        assert_eq!(kinds(json!({"errors": "down"})), [Fault]);
        assert_eq!(kinds(json!({"errors": [null, {}, 7]})), [Fault; 3]);
        assert_eq!(kinds(json!({"errors": null, "data": {}})), []);
        assert_eq!(kinds(json!({"errors": [], "data": {}})), []);
        assert_eq!(kinds(json!({"error": "Forbidden", "message": "failed integrity check"})), [Integrity]);
        assert_eq!(kinds(json!({"error": "Forbidden", "message": ""})), [Fault]);
        assert_eq!(kinds(json!({"message": "a member", "data": {}})), []);
        let located = json!({"errors": [{"message": "x", "path": ["video", "comments", 3]}]}).to_string();
        assert_eq!(gql_errors(located.as_bytes())[0].path, [json!("video"), json!("comments"), json!(3)]);
    }

    #[test]
    fn one_member_is_found_without_the_rest() {
        let body = br#"{"x":[1,{"a":2}],"a":{"b\u0063":{"c":[1, 2]},"n":null,"t":"x"}}"#;
        let part = |pointer: &str| json_part(body, pointer).map(RawValue::get);
        assert_eq!(part("/a/bc/c"), Some("[1, 2]"));
        assert_eq!(part("/a/n"), Some("null"));
        assert_eq!(part("/a/t/u"), None);
        assert_eq!(part("/a/n/u"), None);
        assert_eq!(part("/x/a"), None);
        assert_eq!(part("/y"), None);
        assert!(json_part(b"{\"a\":", "/a").is_none());
        assert!(json_part(b"<html>", "/a").is_none());
    }
}
