//! The envelope around the rows of a Helix answer.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::raw::{Error, ErrorKind, Result, Service};

/// The rows of a page as separate items, or its error.
pub(super) fn one_by_one<T>(page: Result<Vec<T>>) -> impl Iterator<Item = Result<T>> {
    let (rows, error) = match page {
        Ok(rows) => (rows, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    rows.into_iter().map(Ok).chain(error.map(Err))
}

/// The items of a Helix envelope.
pub(super) fn data<T: DeserializeOwned>(mut body: Value) -> Result<Vec<T>> {
    match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows.into_iter().map(read).collect(),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(Error::new(ErrorKind::BadData, "Twitch's answer has no list `data`").at(Service::Helix, None)),
    }
}

/// Parses one row.
pub(super) fn read<T: DeserializeOwned>(row: Value) -> Result<T> {
    serde_json::from_value(row).map_err(|error| {
        Error::new(ErrorKind::BadData, "could not parse a row of Twitch's answer")
            .source_chain(&error)
            .at(Service::Helix, None)
    })
}
