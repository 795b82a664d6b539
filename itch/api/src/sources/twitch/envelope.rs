//! The envelope around the rows of a Helix answer.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::raw::{Error, ErrorKind, Result, Service};

/// The rows of a page, or its error, as items of their own.
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
        _ => Err(Error::new(ErrorKind::BadData, "Twitch's answer has no list of rows").at(Service::Helix, None)),
    }
}

/// One row as a model.
pub(super) fn read<T: DeserializeOwned>(row: Value) -> Result<T> {
    serde_json::from_value(row).map_err(|error| {
        Error::new(ErrorKind::BadData, "a row of Twitch's answer has not the documented shape")
            .source_chain(&error)
            .at(Service::Helix, None)
    })
}
