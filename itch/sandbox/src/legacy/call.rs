//! What every route of the old services gets and may return: a request, its parameters, and errors.

use std::fmt::Write;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{parameters::Parameters, reply::reason, world::World};

/// A path with at most one variable part.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(super) answer: fn(&Call<'_>) -> Result<Value, Failure>,
}

/// A request for a route.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    /// The base URL, for links to other pages.
    pub(super) base: String,
    /// The variable part of the path.
    pub(super) name: &'a str,
    pub(super) parameters: &'a Parameters,
}

/// An error, with any status.
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Failure {
    /// An error of kraken, which always has these three fields.
    pub(super) fn new(status: StatusCode, message: &str) -> Failure {
        let body = json!({ "error": reason(status), "status": status.as_u16(), "message": message });
        Failure { status, body }
    }

    pub(super) fn bad_request(message: &str) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: &str) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, message)
    }
}

impl Call<'_> {
    /// A link to a path of kraken, with unescaped parameters.
    pub(super) fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let mut link = format!("{}/kraken/{path}", self.base);
        for (index, (name, value)) in parameters.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // Writing to a string does not fail.
            let _ = write!(link, "{sign}{name}={value}");
        }
        link
    }

    /// An optional parameter that has to be a whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        match self.parameters.one(name) {
            None | Some("") => Ok(None),
            Some(value) => match value.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Failure::bad_request(&format!("Invalid {name}"))),
            },
        }
    }

    /// The number of rows per page.
    pub(super) fn limit(&self, default: u64) -> Result<u64, Failure> {
        // The old program sent this for no limit.
        if self.parameters.one("limit") == Some("None") {
            return Ok(default);
        }
        let limit = self.number("limit")?;
        Ok(limit.unwrap_or(default).clamp(1, 100))
    }
}
