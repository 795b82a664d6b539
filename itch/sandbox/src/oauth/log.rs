//! What happened to codes and tokens, in order, for tests that kill a client or break its connection.

use std::collections::VecDeque;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::limit::unix_now;

/// The log forgets the oldest entries beyond this number.
const MAXIMUM: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A device code was issued.
    Device,
    Approved,
    Denied,
    /// A device asked for its token too early, and does not get it any more.
    Blocked,
    Issued,
    /// A refresh was accepted: from now on, the new token is the valid one.
    Refreshed,
    InvalidRefresh,
    Revoked,
    /// The last byte of an answer with tokens was given to the kernel.
    AnswerSent,
    /// The connection ended before that.
    AnswerBroken,
}

/// Whom and which tokens an event concerns.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Receipt {
    client: &'static str,
    /// A login; `None` for an app and before somebody signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The fingerprint of the refresh token that a client sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    /// The fingerprint of the refresh token that it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_refresh: Option<String>,
}

impl Receipt {
    pub(super) fn new(client: &'static str, user: Option<&str>, refresh: Option<&str>, new: Option<&str>) -> Receipt {
        Receipt {
            client,
            user: user.map(str::to_owned),
            refresh: refresh.map(fingerprint),
            new_refresh: new.map(fingerprint),
        }
    }
}

#[derive(Debug, Serialize)]
struct Entry {
    /// Milliseconds since 1970.
    ms: u64,
    event: Event,
    #[serde(flatten)]
    receipt: Receipt,
}

/// The events, oldest first. There is no token in it.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Log(VecDeque<Entry>);

impl Log {
    pub(super) fn add(&mut self, event: Event, receipt: Receipt) {
        if self.0.len() >= MAXIMUM {
            self.0.pop_front();
        }
        self.0.push_back(Entry {
            ms: unix_now().as_millis() as u64,
            event,
            receipt,
        });
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of a token.
fn fingerprint(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_names_no_token() {
        let mut log = Log::default();
        log.add(Event::InvalidRefresh, Receipt::new("app", None, Some("abc"), None));
        let text = serde_json::to_string(&log).unwrap();
        // From `printf abc | sha256sum`.
        assert!(
            text.ends_with(r#","event":"invalid_refresh","client":"app","refresh":"ba7816bf8f01cfea"}]"#),
            "{text}"
        );
    }
}
