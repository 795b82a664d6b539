//! A text that must not be printed: a token or a client secret.

use std::fmt;

use itch_api::{Error, ErrorKind, Result};
use reqwest::header::HeaderValue;

use crate::hash::sha256_hex;

/// A token or a client secret. It is always printed as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret. Surrounding white space, such as the line end of a file, is removed.
    pub fn new(text: impl AsRef<str>) -> Secret {
        Secret(text.as_ref().trim().to_owned())
    }

    /// The text itself, for the code that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the text: identifies it without revealing it.
    pub(crate) fn fingerprint(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The header value `<scheme> <text>`, marked as sensitive for logs and HPACK tables.
    pub(crate) fn header(&self, scheme: &str) -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", self.0)).map_err(|_| {
            Error::new(ErrorKind::Usage, "the Twitch token contains invalid characters")
                .hint("set `TWITCH_TOKEN` to the token only: letters and digits")
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
