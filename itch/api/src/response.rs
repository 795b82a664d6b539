//! What came back: a final HTTP answer, from the wire or from a cache.

use std::time::Duration;

use serde_json::Value;

use crate::{Error, ErrorKind, Request, Result, Service};

/// A final HTTP answer. Its status may be any: ask [`Response::success`] before reading rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// How long ago a cache stored it; `None` when it came over the wire.
    pub age: Option<Duration>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether a cache answered.
    pub fn from_cache(&self) -> bool {
        self.age.is_some()
    }

    /// The body as JSON, whatever the status.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(ErrorKind::BadData, "the service's answer is not JSON").source_chain(&error)
        })
    }

    /// The body as JSON if the status says success; the service's own words as an error if not.
    pub fn success(&self, request: &Request) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return self
                .json()
                .map_err(|error| error.at(request.service, Some(self.status)));
        }
        Err(self.refusal(request.service))
    }

    /// The error that a status outside 2xx stands for.
    pub fn refusal(&self, service: Service) -> Error {
        // The shape of Helix, OAuth and GQL errors alike: {"error":…,"status":…,"message":…}.
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let words = ["message", "error"]
            .into_iter()
            .filter_map(|key| body.get(key)?.as_str())
            .find(|text| !text.is_empty())
            .unwrap_or("no reason given");
        let kind = match self.status {
            401 | 403 => ErrorKind::SignIn,
            404 | 410 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            _ => ErrorKind::Service,
        };
        Error::new(
            kind,
            format!("Twitch answered {} to a {service} request", self.status),
        )
        .cause(words)
        .at(service, Some(self.status))
    }
}
