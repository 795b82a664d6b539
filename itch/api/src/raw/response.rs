//! Responses: a final HTTP answer, from the network or from a cache.

use std::time::Duration;

use serde_json::Value;

use super::members::members;
use super::{Error, ErrorKind, Reason, Request, Result, Service};

/// A final HTTP answer. Its status may be any: call [`Response::success`] before reading rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The age of the stored answer; `None` if it came over the network.
    pub age: Option<Duration>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the answer came from a cache.
    pub fn from_cache(&self) -> bool {
        self.age.is_some()
    }

    /// The body as JSON, for any status.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::new(ErrorKind::BadData, "the service's answer is not JSON").source_chain(&error))
    }

    /// The body as JSON if the status is a success. Otherwise an error with the service's message.
    pub fn success(&self, request: &Request) -> Result<Value> {
        self.check(request)?;
        self.json()
            .map_err(|error| error.at(request.service, Some(self.status)))
    }

    /// An error if the status is not a success, or the body is an error.
    pub(super) fn check(&self, request: &Request) -> Result<()> {
        if !(200..300).contains(&self.status) {
            return Err(self.refusal(request.service));
        }
        // The old services could send an error with a success status, so a non-empty `error` counts as an error.
        if request.service.is_legacy()
            && let Ok([Some(error)]) = members(&self.body, ["error"])
            && serde_json::from_str(error.get()).is_ok_and(|error| says_something(&error))
        {
            return Err(self.refusal(request.service));
        }
        Ok(())
    }

    /// The error for a status outside 2xx.
    pub fn refusal(&self, service: Service) -> Error {
        // Helix, OAuth and GQL errors have the same members: {"error":…,"status":…,"message":…}.
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let words = ["message", "error"]
            .into_iter()
            .filter_map(|key| body.get(key)?.as_str())
            .find(|text| !text.is_empty())
            .unwrap_or("no reason given");
        // An error that came with a success status has its own status in the body.
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
        // GQL reports this only in the message text.
        match service == Service::Gql && self.status == 400 && words.contains("Client-ID") {
            true => error.detail(|details| details.reason = Some(Reason::ClientRefused)),
            false => error,
        }
    }
}

/// Whether Python would treat the value as true.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
