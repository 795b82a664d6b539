//! The cache key of a request: a text that identifies it, and the SHA-256 of that text.
//!
//! The text is the same as in the original itch (bibby/itch, `itch/__init__.py`), byte for byte, so that its cache
//! directories can still be read: the address, a bar, and the list of parameters in Python's notation.

use itch_api::Request;
use serde_json::Value;

use crate::hash::sha256_hex;

/// The address of a service, as far as it distinguishes requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// The base URL, if it is not the canonical one, without a trailing slash.
    pub base: Option<&'a str>,
    /// `<seed>,<data version>` of the simulated Twitch.
    pub sandbox: Option<&'a str>,
}

/// Parameters whose values the original itch had parsed from JSON: Python 2 marks such strings with a `u`.
const OUT_OF_JSON: [&str; 2] = ["cursor", "video_id"];

/// The text that identifies a request. `user` is set if the answer depends on the user.
pub(crate) fn text(request: &Request, place: Place<'_>, user: Option<&str>) -> String {
    let mut parameters: Vec<(&str, &str)> = request
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let body = request
        .body
        .as_ref()
        .map(|body| sha256_hex(canonical_json(body).as_bytes()));
    if let Some(body) = &body {
        parameters.push(("method", "POST"));
        parameters.push(("body", body));
    }
    let mut base = request.service.canonical();
    match place {
        Place {
            sandbox: Some(sandbox), ..
        } => parameters.push(("sandbox", sandbox)),
        // The original itch had no setting for a base URL: changing it meant changing the URL.
        Place { base: Some(other), .. } if request.service.is_legacy() => base = other,
        Place { base: Some(other), .. } => parameters.push(("base", other)),
        _ => {}
    }
    if let Some(user) = user {
        parameters.push(("user", user));
    }
    // The sort is stable: `id=2&id=1` keeps its order, and is a different request than `id=1&id=2`.
    parameters.sort_by_key(|(name, _)| *name);

    let mut text = String::from(base);
    if !request.path.is_empty() {
        text.push('/');
        text.push_str(&request.path);
    }
    if !request.inline_query.is_empty() {
        text.push('?');
        text.push_str(&request.inline_query);
    }
    text.push_str("|[");
    for (place, (name, value)) in parameters.into_iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        if request.service.is_legacy() && OUT_OF_JSON.contains(&name) {
            text.push('u');
        }
        push_python_repr(&mut text, &format!("{name}={value}"));
    }
    text.push(']');
    text
}

/// The key for a text: 64 lower-case hexadecimal digits.
pub(crate) fn key(text: &str) -> String {
    sha256_hex(text.as_bytes())
}

/// A text as Python 2 prints a byte string: in single quotes unless it contains one and no double quote.
fn push_python_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for byte in text.bytes() {
        match byte {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => {
                if char::from(byte) == quote {
                    out.push('\\');
                }
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

/// JSON without white space and with sorted names, so that equal bodies have equal keys.
fn canonical_json(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| *name);
                let fields = fields.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
                Value::Object(fields.collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

#[cfg(test)]
mod tests {
    use itch_api::Service;

    use super::*;

    fn named(request: &Request) -> String {
        text(request, Place::default(), None)
    }

    #[test]
    fn the_key_of_the_first_itch() {
        let text = named(&Request::get(Service::Kraken, "channels/burkeblack"));
        assert_eq!(text, "https://api.twitch.tv/kraken/channels/burkeblack|[]");
        assert_eq!(key(&text), "5acbf29b89a29420092fa49572b781dc41528bb86d98dbb271e5d4cf9f618625");
    }

    #[test]
    fn the_keys_of_walks_and_windows_of_the_first_itch() {
        let mut follows =
            Request::get(Service::Kraken, "channels/burkeblack/follows").query("cursor", "1469996245023720000");
        follows.inline_query = "direction=DESC&limit=100".to_owned();
        let rechat = Request::get(Service::Rechat, "")
            .query("video_id", "v80935574")
            .query("start", 0);
        let loots = Request::get(Service::Loots, "search/channels/76725499/streams")
            .query("json", r#"{"sort_key": "_t", "sort_order": "desc", "limit": 20, "offset": 0}"#);
        for (request, shown, hash) in [
            (
                follows,
                "https://api.twitch.tv/kraken/channels/burkeblack/follows?direction=DESC&limit=100|[u'cursor=1469996245023720000']",
                "6098cb5aede2b622e0b8b604356f44a0d9a0582ae208f61dd9e559cc555b7926",
            ),
            (
                rechat,
                "https://rechat.twitch.tv/rechat-messages|['start=0', u'video_id=v80935574']",
                "91d67aec210d84a6beb8ad93874a64eccb733fed092b9a2dbe6d2fe27b922cbf",
            ),
            (
                loots,
                r#"https://loots.com/api/v1//search/channels/76725499/streams|['json={"sort_key": "_t", "sort_order": "desc", "limit": 20, "offset": 0}']"#,
                "ffe804b52dcc0c9426b103895d969a177e766fbee4d4da7332b3f94b1637e711",
            ),
        ] {
            assert_eq!(named(&request), shown);
            assert_eq!(key(shown), hash);
        }
    }

    #[test]
    fn addresses_are_joined_as_the_first_itch_joined_them() {
        let rechat = Request::get(Service::Rechat, "").query("video_id", "v1");
        assert_eq!(named(&rechat), "https://rechat.twitch.tv/rechat-messages|[u'video_id=v1']");
        let loots = Request::get(Service::Loots, "search/channels/7/streams");
        assert_eq!(named(&loots), "https://loots.com/api/v1//search/channels/7/streams|[]");
    }

    #[test]
    fn parameters_are_sorted_by_name_and_repeated_ones_keep_their_order() {
        let request = Request::helix("users")
            .query("login", "b")
            .query("id", 2)
            .query("login", "a")
            .query("id", 1);
        assert_eq!(named(&request), "https://api.twitch.tv/helix/users|['id=2', 'id=1', 'login=b', 'login=a']");
    }

    #[test]
    fn text_is_quoted_as_python_quotes_it() {
        for (text, shown) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("{\"a\":1}", "'{\"a\":1}'"),
            ("'\"", "'\\'\"'"),
            ("a\\b\t\r\n\u{1}\u{7f}", "'a\\\\b\\t\\r\\n\\x01\\x7f'"),
            ("é", "'\\xc3\\xa9'"),
        ] {
            let mut out = String::new();
            push_python_repr(&mut out, text);
            assert_eq!(out, shown);
        }
    }

    #[test]
    fn base_sandbox_and_user_are_parameters() {
        let request = Request::helix("users").query("id", 1);
        let base = Place {
            base: Some("http://127.0.0.1:8080"),
            sandbox: None,
        };
        assert_eq!(
            text(&request, base, Some("7")),
            "https://api.twitch.tv/helix/users|['base=http://127.0.0.1:8080', 'id=1', 'user=7']"
        );
        let sandbox = Place {
            sandbox: Some("1,3"),
            ..base
        };
        assert_eq!(text(&request, sandbox, None), "https://api.twitch.tv/helix/users|['id=1', 'sandbox=1,3']");
        let kraken = Request::get(Service::Kraken, "users/a");
        assert_eq!(text(&kraken, base, None), "http://127.0.0.1:8080/users/a|[]");
        assert_eq!(text(&kraken, sandbox, None), "https://api.twitch.tv/kraken/users/a|['sandbox=1,3']");
    }

    #[test]
    fn equal_bodies_have_equal_keys() {
        let mut one = Request::get(Service::Gql, "");
        one.body = Some(serde_json::json!({"b": {"y": 1, "x": [2]}, "a": null}));
        let mut other = one.clone();
        other.body = serde_json::from_str(r#"{"a":null, "b":{"x":[2],"y":1}}"#).ok();
        assert_eq!(named(&one), named(&other));
        assert!(named(&one).starts_with("https://gql.twitch.tv/gql|['body="));
        assert!(named(&one).ends_with("', 'method=POST']"));
        other.body = Some(serde_json::json!({}));
        assert_ne!(named(&one), named(&other));
    }
}
