//! What came back: a final HTTP answer, from the wire or from a cache.

use std::time::Duration;

use serde_json::Value;

use super::{Error, ErrorKind, Reason, Request, Result, Service};

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
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::new(ErrorKind::BadData, "the service's answer is not JSON").source_chain(&error))
    }

    /// The body as JSON if the status says success; the service's own words as an error if not.
    pub fn success(&self, request: &Request) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(self.refusal(request.service));
        }
        let body = self
            .json()
            .map_err(|error| error.at(request.service, Some(self.status)))?;
        // The old services could call an error a success; any `error` that says something is one.
        if request.service.is_legacy() && body.get("error").is_some_and(says_something) {
            return Err(self.refusal(request.service));
        }
        Ok(body)
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
        // A body that came with another status than the one it speaks of knows better.
        let told = body
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|status| u16::try_from(status).ok());
        let status = if self.status < 300 {
            told.unwrap_or(self.status)
        } else {
            self.status
        };
        let kind = match status {
            401 | 403 => ErrorKind::SignIn,
            404 | 410 | 422 => ErrorKind::NotFound,
            200..=299 if words == "Not Found" => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            _ => ErrorKind::Service,
        };
        let error = Error::new(kind, format!("Twitch answered {status} to a {service} request"))
            .cause(words)
            .at(service, Some(self.status));
        // GQL says so in words alone: read here, once.
        match service == Service::Gql && self.status == 400 && words.contains("Client-ID") {
            true => error.detail(|details| details.reason = Some(Reason::ClientRefused)),
            false => error,
        }
    }
}

/// What Python calls true.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
