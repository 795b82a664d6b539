//! A text that must not be seen: a token or a client secret.

use std::fmt;

use itch_api::{Error, ErrorKind, Result};
use reqwest::header::HeaderValue;

use crate::hash::sha256_hex;

/// A token or a client secret. Whatever prints it prints `[redacted]`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret. White space around it, such as the line end of a file it came from, is cut.
    pub fn new(text: impl AsRef<str>) -> Secret {
        Secret(text.as_ref().trim().to_owned())
    }

    /// The text itself, for the one place that has to send it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: names it without giving it away.
    pub(crate) fn fingerprint(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// `<scheme> <text>` as a header that logs and HPACK tables treat as sensitive.
    pub(crate) fn header(&self, scheme: &str) -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", self.0)).map_err(|_| {
            Error::new(ErrorKind::Usage, "the Twitch token holds characters that no token has")
                .hint("set `TWITCH_TOKEN` to the token alone: letters and digits")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_it() {
        let secret = Secret::new(" hunter2hunter2\n");
        assert_eq!(format!("{secret} {secret:?}"), "[redacted] [redacted]");
        assert_eq!(secret.expose(), "hunter2hunter2");
        let header = secret.header("Bearer").unwrap();
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
    }

    #[test]
    fn a_line_end_inside_is_a_usage_error() {
        let error = Secret::new("a\nb").header("Bearer").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(!format!("{error:#}").contains("a\nb"));
    }
}
