//! What all GQL answers about a recording have in common.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::raw::{Error, ErrorKind, GqlError, GqlErrorKind, Response, Result, Service, gql_errors, json_part};

/// Why an answer has no data, if a different request may get it.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This client id may not request a page after a cursor.
    Integrity,
    /// The service does not know this client id.
    Client,
    /// The service does not know the operation in this form, or did not understand it.
    NotUnderstood(String),
}

/// The video of an answer.
const VIDEO: &str = "/data/video";

/// The part of an answer that a request is for, if it is of the type that begins with this character. The data counts
/// before the errors: an error beside good data is about a single value, which is null.
///
/// An answer without it is a refusal if another request may get it, an error of kind [`ErrorKind::NotFound`] if there is
/// no such video, and otherwise a fault of the service: never an empty list.
pub(super) fn find<'a>(
    response: &'a Response,
    video: &str,
    pointer: &str,
    first: char,
) -> Result<Result<&'a RawValue, Refusal>> {
    let success = (200..300).contains(&response.status);
    let found = json_part(&response.body, pointer).filter(|part| success && part.get().starts_with(first));
    if let Some(found) = found {
        return Ok(Ok(found));
    }
    let errors = gql_errors(&response.body);
    let any = |kind: GqlErrorKind| errors.iter().any(|error| error.kind == kind);
    if any(GqlErrorKind::Integrity) {
        return Ok(Err(Refusal::Integrity));
    }
    if any(GqlErrorKind::Client) {
        return Ok(Err(Refusal::Client));
    }
    if any(GqlErrorKind::UnknownHash) || any(GqlErrorKind::Invalid) {
        return Ok(Err(Refusal::NotUnderstood(words(&errors))));
    }
    if !errors.is_empty() {
        let error = Error::new(ErrorKind::Service, format!("Twitch's GQL service answered \"{}\"", words(&errors)));
        return Err(error.at(Service::Gql, Some(response.status)));
    }
    if !success {
        return Err(response.refusal(Service::Gql));
    }
    if json_part(&response.body, VIDEO).is_some_and(|part| part.get() == "null") {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no video `{video}`, or it is not public"))
            .hint("recordings of broadcasts expire after 7 to 60 days")
            .at(Service::Gql, None));
    }
    // Treating this as the end would silently lose messages: a failed check of the client looks the same.
    let what = pointer.strip_prefix("/data/").unwrap_or(pointer);
    Err(Error::new(ErrorKind::Service, format!("Twitch's answer about the video has no `{what}`"))
        .at(Service::Gql, Some(response.status)))
}

fn words(errors: &[GqlError]) -> String {
    let mut words: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    words.dedup();
    words.truncate(3);
    words.join("; ")
}

/// Whether an error says that the service did answer, but without the data.
pub(super) fn is_without_data(error: &Error) -> bool {
    error.service == Some(Service::Gql)
        && matches!(error.http, Some(200..=299 | 400 | 403))
        && matches!(error.kind, ErrorKind::Service | ErrorKind::BadData)
}

/// What an error beside good data names: for a value of a row, the index of the row and the name of the value.
pub(super) fn named_value(error: &GqlError) -> Option<(u64, &str)> {
    let edges = error.path.iter().position(|step| step == "edges")?;
    Some((error.path.get(edges + 1)?.as_u64()?, error.path.iter().rev().find_map(Value::as_str)?))
}
