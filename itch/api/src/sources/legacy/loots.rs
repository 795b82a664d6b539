//! loots.com: when past broadcasts began and ended.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fields::time;
use crate::raw::reader::PageReader;
use crate::raw::{Error, ErrorKind, PastStream, Policy, RawApi, Result, Service};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::{Direction, PastStreamsParameters};
use crate::sources::source::Listing;

pub(super) static STREAMS: Endpoint =
    Endpoint::get(Service::Loots, "search/channels/*/streams", Policy::everybody(HOUR)).list("data");

/// The largest page size that the original itch used. It requested only one page.
const LARGEST_PAGE: u64 = 500;

pub(super) fn past_streams(api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>> {
    let PastStreamsParameters {
        channel,
        direction,
        limit,
    } = asked;
    let order = match direction {
        Direction::Asc => "asc",
        Direction::Desc => "desc",
    };
    // Without a limit the original itch asked for the largest page.
    let size = limit.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    // Formatted like Python's `json.dumps`: the text is part of the cache key.
    let question = format!(r#"{{"sort_key": "_t", "sort_order": "{order}", "limit": {size}, "offset": 0}}"#);
    let request = STREAMS.request_for(&channel.id).query("json", question);
    let mut body = api.json(request)?;
    let Some(Value::Array(rows)) = body.get_mut("data").map(Value::take) else {
        return Err(
            Error::new(ErrorKind::BadData, "loots.com's answer has no list of streams").at(Service::Loots, None)
        );
    };
    let mut reader = PageReader::new(api, "streams", 0);
    let mut streams = Vec::with_capacity(rows.len());
    for (place, row) in (1..).zip(rows) {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let start = row.parsed("t_start", "start", moment);
        // A running broadcast has no end.
        let end = match row.fields().get("t_end") {
            None | Some(Value::Null) => None,
            Some(_) => row.parsed("t_end", "end", moment),
        };
        streams.push(PastStream {
            start,
            end,
            video: None,
            live: None,
        });
    }
    Ok(Listing::new(direction, streams.into_iter().map(Ok)))
}

/// Epoch seconds, with or without a fraction, or a date.
fn moment(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let from_seconds = |seconds: f64| DateTime::from_timestamp_millis((seconds * 1000.0) as i64);
    let read = match value? {
        Value::Number(number) => number.as_f64().and_then(from_seconds),
        Value::String(text) => match text.parse::<f64>() {
            Ok(seconds) => from_seconds(seconds),
            Err(_) => time(value),
        },
        _ => None,
    };
    // Zero and less stand for no time.
    read.filter(|time| time.timestamp() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_read_in_every_form() {
        for (value, expected) in [
            (json!(1469108655), Some(1469108655)),
            (json!(1469108655.9), Some(1469108655)),
            (json!("1469108655"), Some(1469108655)),
            (json!("2016-07-21T13:44:15Z"), Some(1469108655)),
            (json!("2016-07-21 13:44:15.25"), Some(1469108655)),
            (json!(null), None),
            (json!(""), None),
            (json!(0), None),
            (json!("soon"), None),
        ] {
            let read = moment(Some(&value));
            assert_eq!(read.map(|time| time.timestamp()), expected, "{value}");
        }
        assert_eq!(moment(None), None);
    }
}
