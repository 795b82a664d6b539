//! Repairs a JSON body in which a text or a number is not valid, so that one odd name does not make a page fail.
//!
//! Names are cut in the middle of a character, and gateways pass on bytes of other encodings. A body that does not
//! parse is repaired once: what is not UTF-8, and half of a surrogate pair, becomes U+FFFD; control characters are escaped; a
//! backslash before anything but an escape is one; numbers that JSON does not have become null (RFC 8259, sections 6 to
//! 8). Nothing is invented: a body that is not complete stays so.

use std::fmt::Write;

/// The repaired body; `None` if there is nothing to repair, or if this is not the beginning of a JSON document.
pub(crate) fn repair(body: &[u8]) -> Option<Vec<u8>> {
    if !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '"' => {
                out.push('"');
                text_to_its_end(&rest[1..], &mut out)
            }
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '+') => word(rest, &mut out),
            c => {
                out.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    (out.as_bytes() != body).then(|| out.into_bytes())
}

/// Copies a text up to its closing quote, and returns what follows.
fn text_to_its_end<'a>(mut rest: &'a str, out: &mut String) -> &'a str {
    loop {
        let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
            out.push_str(rest);
            return "";
        };
        out.push_str(&rest[..stop]);
        rest = &rest[stop..];
        if let Some(after) = rest.strip_prefix('"') {
            out.push('"');
            return after;
        }
        rest = match rest.strip_prefix('\\') {
            Some(escape) => escaped(escape, out),
            None => {
                // A control character, which is one byte. Writing into a `String` cannot fail.
                let _ = write!(out, "\\u{:04x}", rest.as_bytes()[0]);
                &rest[1..]
            }
        };
    }
}

/// Copies what follows a backslash, and returns what follows that.
fn escaped<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    if matches!(c, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') {
        out.push('\\');
        out.push(c);
        return &rest[1..];
    }
    match unit(rest) {
        Some(0xd800..=0xdbff) => {
            let low = rest[5..].strip_prefix('\\').and_then(unit);
            if matches!(low, Some(0xdc00..=0xdfff)) {
                out.push('\\');
                out.push_str(&rest[..11]);
                return &rest[11..];
            }
            out.push_str("\\ufffd");
            &rest[5..]
        }
        Some(0xdc00..=0xdfff) => {
            out.push_str("\\ufffd");
            &rest[5..]
        }
        Some(_) => {
            out.push('\\');
            out.push_str(&rest[..5]);
            &rest[5..]
        }
        // No escape: the backslash is a character of the text.
        None => {
            out.push_str("\\\\");
            rest
        }
    }
}

/// The UTF-16 unit of an escape `uXXXX`.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

/// Copies a number or a name, and returns what follows. What is a number in other languages, but not in JSON, is null.
fn word<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_')))
        .unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    let is_not_finite = || word.parse::<f64>().is_ok_and(|number| !number.is_finite());
    // At the end of a body that is cut, the word may be a part of another.
    if !rest.is_empty() && (word == "undefined" || is_not_finite()) {
        out.push_str("null");
    } else {
        out.push_str(word);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(body: &[u8]) -> Option<Value> {
        serde_json::from_slice(&repair(body)?).ok()
    }

    #[test]
    fn odd_texts_and_numbers_are_repaired() {
        for (body, expected) in [
            (&br#"{"a":"x\ud83d","b":1}"#[..], json!({"a": "x\u{fffd}", "b": 1})),
            (br#"["\ude00"]"#, json!(["\u{fffd}"])),
            (br#"["\ud83d\u0041"]"#, json!(["\u{fffd}A"])),
            (br#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}\u{1f600}"])),
            (br#"["\ud83d\n","\\ud83d"]"#, json!(["\u{fffd}\n", "\\ud83d"])),
            (br#"["\ud83d"#, Value::Null),
            (b"[\"a\xffb\"]", json!(["a\u{fffd}b"])),
            (b"[\"na\xe9\",\"\xe2\x82\"]", json!(["na\u{fffd}", "\u{fffd}"])),
            (b"[\"\xed\xa0\xbd\"]", json!(["\u{fffd}\u{fffd}\u{fffd}"])),
            (b"[\"a\x00\t\nb\"]", json!(["a\0\t\nb"])),
            (br#"["C:\x","\u12","\uzzzz"]"#, json!(["C:\\x", "\\u12", "\\uzzzz"])),
            (
                b"{\"n\":NaN,\"i\":-Infinity,\"e\":1e999,\"u\":undefined}",
                json!({"n": null, "i": null, "e": null, "u": null}),
            ),
            (b" [NaN ,\"NaN\\ud800\"]", json!([null, "NaN\u{fffd}"])),
        ] {
            let text = String::from_utf8_lossy(body);
            match expected {
                Value::Null => assert_eq!(read(body), None, "{text}"),
                expected => assert_eq!(read(body), Some(expected), "{text}"),
            }
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for body in [
            "",
            "<html>\u{1}",
            "NaN",
            "{\"a\":1",
            "[1,",
            "[nul",
            "{\"a\":\"b\\\\\\\"\"}",
            "[-1.5e3,true,null]",
            "[\"\\",
        ] {
            assert_eq!(repair(body.as_bytes()), None, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_good_body_is_left_alone_and_no_bytes_panic(
            texts in proptest::collection::vec(proptest::prelude::any::<String>(), 0..5),
            mut noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        ) {
            let good = json!({"a": texts}).to_string();
            proptest::prop_assert_eq!(repair(good.as_bytes()), None);
            noise.insert(0, b'[');
            let _ = repair(&noise);
            // Whatever bytes are in a text: it is a text afterwards.
            noise.retain(|byte| !matches!(byte, b'"' | b'\\'));
            noise.splice(0..0, *b"[\"");
            noise.extend(*b"\"]");
            let text: Vec<String> = match repair(&noise) {
                Some(repaired) => serde_json::from_slice(&repaired).unwrap(),
                None => serde_json::from_slice(&noise).unwrap(),
            };
            proptest::prop_assert_eq!(text.len(), 1);
        }
    }
}
