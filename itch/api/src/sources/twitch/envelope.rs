//! The envelope around the rows of a Helix answer.

use serde_json::Value;

use crate::raw::reader::{PageReader, excerpt};
use crate::raw::{Error, ErrorKind, RawApi, Result, Service};
use crate::sources::endpoint::Endpoint;

/// The rows of an answer that is not part of a walk.
pub(super) fn data(endpoint: &Endpoint, mut body: Value) -> Result<Vec<Value>> {
    match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => Ok(rows),
        found => Err(bad_answer(endpoint, "data", found.as_ref())),
    }
}

/// The error for an answer without a needed member.
pub(super) fn bad_answer(endpoint: &Endpoint, member: &str, found: Option<&Value>) -> Error {
    let found = found.map_or("absent".to_owned(), excerpt);
    Error::new(ErrorKind::BadData, format!("could not read Twitch's answer to `{}`", endpoint.path()))
        .cause(format!("`{member}` is {found}"))
        .at(Service::Helix, None)
}

/// A reader for the rows of an answer that is not part of a walk.
pub(super) fn reader(api: &RawApi, endpoint: &Endpoint) -> PageReader {
    PageReader::new(api, endpoint.path(), 0)
}

/// Rows with their places, counted from 1.
pub(super) fn placed(rows: Vec<Value>) -> impl Iterator<Item = (u64, Value)> {
    (1..).zip(rows)
}
