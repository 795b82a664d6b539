//! What all GQL answers about a recording have in common.

use serde_json::Value;

use crate::raw::{Error, ErrorKind, Result, Service};

/// Why an answer has no data, if a different request may get it.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This client id may not request a page after a cursor.
    Integrity,
    /// The service does not know the operation in this form, or did not understand it.
    NotUnderstood(String),
}

/// The meaning of the `errors` of an answer, if there are any.
pub(super) fn refusal(body: &Value) -> Option<Refusal> {
    let errors = body.get("errors")?.as_array().filter(|errors| !errors.is_empty())?;
    let messages: Vec<&str> = errors
        .iter()
        .filter_map(|error| error.get("message")?.as_str())
        .collect();
    if messages.iter().any(|message| message.contains("integrity")) {
        return Some(Refusal::Integrity);
    }
    Some(Refusal::NotUnderstood(messages.join("; ")))
}

/// The video of an answer.
pub(super) fn take_video(mut body: Value, video: &str) -> Result<Value> {
    match body.pointer_mut("/data/video").map(Value::take) {
        Some(Value::Null) => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no video `{video}`, or it is not public"))
                .hint("recordings of broadcasts expire after 7 to 60 days")
                .at(Service::Gql, None))
        }
        Some(found) => Ok(found),
        None => Err(Error::new(ErrorKind::BadData, "Twitch's answer has no `video`").at(Service::Gql, None)),
    }
}

/// Parses a part of an answer.
pub(super) fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(ErrorKind::BadData, "could not parse Twitch's answer about a video")
            .source_chain(&error)
            .at(Service::Gql, None)
    })
}
