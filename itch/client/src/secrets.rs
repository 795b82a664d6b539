//! All secrets that a program knows, and their removal from texts: a server or a gateway may repeat what it was sent.
//!
//! A secret is also found in the forms that it takes on the way: percent-encoded, escaped in JSON or HTML, and in
//! base64, alone or as a part of something longer, such as the `user:password` of a proxy.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use itch_api::Error;
use itch_api::sync::ignore_poison;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Secret;
use crate::address::QUERY;

/// What a secret is replaced by.
const REDACTED: &str = "[redacted]";

/// Shorter secrets are not searched for: they would be found in ordinary words.
const SHORTEST: usize = 8;

/// What JavaScript's `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &QUERY.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// The secrets of a program. Clones share them.
///
/// A program registers what it knows with [`Secrets::add`]; the client registers what it signs in with and what it
/// gets. Give the same value to [`Settings`](crate::Settings), and pass every text for the user through [`Secrets::redact`].
#[derive(Clone, Default)]
pub struct Secrets {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// All forms of all secrets.
    forms: BTreeSet<String>,
    /// Finds the longest of them; `None` if there are none.
    finder: Option<AhoCorasick>,
}

impl Secrets {
    /// Adds a secret: a token, a password, a code. One of fewer than 8 characters has no effect.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim();
        if secret.chars().count() < SHORTEST {
            return;
        }
        let mut known = ignore_poison(self.known.write());
        if known.forms.contains(secret) {
            return;
        }
        known.forms.extend(forms(secret));
        // It fails only for more text than fits into memory.
        known.finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&known.forms)
            .ok();
    }

    /// Adds a secret that is not printed either.
    pub fn add_secret(&self, secret: &Secret) {
        self.add(secret.expose());
    }

    /// Adds the password in a URL, if it has one, as it is written and decoded. The URL need not be valid.
    pub fn add_url(&self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A password with a slash that is not encoded makes the URL invalid, but is a password nevertheless.
        let user = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@'));
        let Some((_, password)) = user.and_then(|(user, _)| user.split_once(':')) else {
            return;
        };
        self.add(password);
        self.add(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }

    /// The text without the secrets in it.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &ignore_poison(self.known.read()).finder {
            Some(finder) if finder.is_match(text) => {
                let mut clean = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut clean, |_, _, clean| {
                    clean.push_str(REDACTED);
                    true
                });
                Cow::Owned(clean)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The error without the secrets in its message, its causes and its hint.
    pub fn redact_error(&self, mut error: Error) -> Error {
        let texts = [&mut error.message].into_iter().chain(&mut error.causes);
        for text in texts.chain(&mut error.hint) {
            if let Cow::Owned(clean) = self.redact(text) {
                *text = clean;
            }
        }
        error
    }

    /// Whether there is a secret in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> bool {
        let known = ignore_poison(self.known.read());
        known.finder.as_ref().is_some_and(|finder| finder.is_match(bytes))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The forms in which a secret may appear in a text.
fn forms(secret: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([secret.to_owned()]);
    for set in [QUERY, COMPONENT, NON_ALPHANUMERIC] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        let form = encoded.replace("%20", "+");
        forms.extend([lower_hex(&encoded), lower_hex(&form), encoded, form]);
    }
    let every_byte = secret.bytes().fold(String::new(), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "%{byte:02X}");
        text
    });
    forms.extend([every_byte.to_ascii_lowercase(), every_byte]);

    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_start_matches('"');
    let json = json.strip_suffix('"').unwrap_or(json).to_owned();
    // Some libraries also escape what HTML treats specially (Go's encoding/json), slashes, and all but ASCII.
    let unicode = |wanted: fn(char) -> bool| {
        json.chars().fold(String::new(), |mut text, c| {
            match wanted(c) {
                true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    let _ = write!(text, "\\u{unit:04x}");
                }),
                false => text.push(c),
            }
            text
        })
    };
    let (for_html, ascii) = (unicode(|c| matches!(c, '<' | '>' | '&')), unicode(|c| !c.is_ascii()));
    forms.extend([json.replace('/', "\\/"), for_html, ascii, json]);
    forms.insert(secret.escape_debug().to_string());

    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = html.replace('"', "&quot;");
    forms.extend([
        quoted.replace('\'', "&#39;"),
        quoted.replace('\'', "&#x27;"),
        quoted,
        html,
    ]);

    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(secret));
        forms.extend((0..3).map(|before| inner_base64(engine, secret, before)));
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// The characters of base64 that depend on the secret alone, if this number of bytes, modulo 3, stands before it.
fn inner_base64(engine: &impl Engine, secret: &str, before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret.as_bytes());
    let text = engine.encode(&bytes);
    // A character has six bits: the first one, two or three also have bits of what stands before, and the last one has
    // bits of what follows unless the bytes end with a group of three.
    let start = [0, 2, 3][before];
    let end = text.len() - usize::from(!bytes.len().is_multiple_of(3));
    text.get(start..end).unwrap_or_default().to_owned()
}

/// The same with the digits of percent-encoding in lower case.
fn lower_hex(encoded: &str) -> String {
    let mut digits = 0;
    let lower = encoded.chars().map(|c| {
        let c = if digits > 0 { c.to_ascii_lowercase() } else { c };
        digits = if c == '%' { 2u8 } else { digits.saturating_sub(1) };
        c
    });
    lower.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const SECRET: &str = "p/ss w\"rd&<é>%+9";

    fn secrets() -> Secrets {
        let secrets = Secrets::default();
        secrets.add(SECRET);
        secrets
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secrets = secrets();
        for text in [
            SECRET.to_owned(),
            utf8_percent_encode(SECRET, QUERY).to_string(),
            utf8_percent_encode(SECRET, QUERY).to_string().to_lowercase(),
            "p%2Fss+w%22rd%26%3C%C3%A9%3E%25%2B9".to_owned(),
            serde_json::json!({"a": [SECRET]}).to_string(),
            "p\\/ss w\\\"rd&<é>%+9".to_owned(),
            "p/ss w\\\"rd\\u0026\\u003cé\\u003e%+9".to_owned(),
            "p/ss w\\\"rd&<\\u00e9>%+9".to_owned(),
            "p/ss w&quot;rd&amp;&lt;é&gt;%+9".to_owned(),
            format!("{SECRET:?}"),
            STANDARD.encode(SECRET),
            URL_SAFE_NO_PAD.encode(SECRET),
        ] {
            let said = format!("before {text} after");
            let clean = secrets.redact(&said);
            assert!(clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
            assert!(clean.contains(REDACTED) && !clean.contains("rd"), "{text}: {clean}");
            assert!(secrets.found_in(said.as_bytes()), "{text}");
        }
    }

    #[test]
    fn base64_of_something_longer_has_it_too() {
        let secrets = secrets();
        for user in ["", "a", "ab", "abc", "abcd"] {
            for end in ["", "x", "xy", "xyz"] {
                let whole = format!("{user}:{SECRET}{end}");
                for text in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let clean = secrets.redact(&text);
                    assert!(clean.contains(REDACTED), "{whole}: {clean}");
                    assert!(clean.len() < text.len() - 6, "{whole}: {clean}");
                }
            }
        }
    }

    #[test]
    fn the_password_of_a_url_is_a_secret() {
        for (url, password) in [
            ("redis://:hunter2hunter2@host:6379/0", "hunter2hunter2"),
            ("http://user:hunter2%40hunter2@host:3128", "hunter2@hunter2"),
            ("http://user:hunter2%40hunter2@host:3128", "hunter2%40hunter2"),
            ("user:hunter2hunter2@host", "hunter2hunter2"),
            ("socks5h://a:hunter2/hunter2@host", "hunter2/hunter2"),
            ("http://a:hunter2@hunter2@host/x@y", "hunter2@hunter2"),
        ] {
            let secrets = Secrets::default();
            secrets.add_url(url);
            assert_eq!(secrets.redact(password), REDACTED, "{url}");
            assert!(!secrets.found_in(b"user host 6379 3128"));
        }
        let secrets = Secrets::default();
        for url in ["http://host:12345678/a", "http://someuser12@host", "", "@", "a:b@c"] {
            secrets.add_url(url);
        }
        assert!(ignore_poison(secrets.known.read()).forms.is_empty());
    }

    #[test]
    fn short_secrets_are_words() {
        let secrets = Secrets::default();
        secrets.add("users  \n");
        secrets.add("");
        assert_eq!(secrets.redact("no users"), "no users");
        assert!(!secrets.found_in(b"users"));
        assert_eq!(format!("{secrets:?}"), "[redacted]");
    }

    #[test]
    fn the_longest_is_replaced_and_errors_are_cleaned() {
        let secrets = Secrets::default();
        secrets.add("hunter2hunter2");
        secrets.add("hunter2hunter2-and-more");
        let error = Error::new(itch_api::ErrorKind::Failed, "no hunter2hunter2-and-more!")
            .cause("hunter2hunter2")
            .hint("a");
        let error = secrets.redact_error(error);
        assert_eq!(format!("{error:#}"), "no [redacted]!: [redacted]");
        assert_eq!(error.hint.as_deref(), Some("a"));
    }

    proptest::proptest! {
        #[test]
        fn no_secret_and_no_text_panics(secret: String, text: String) {
            let secrets = Secrets::default();
            secrets.add(&secret);
            let both = format!("{text}{secret}");
            let clean = secrets.redact(&both);
            if secret.trim().chars().count() >= SHORTEST {
                proptest::prop_assert!(!clean.contains(secret.trim()));
            }
        }
    }
}
