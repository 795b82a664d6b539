//! `video`: the length and the time of a recording, without its comments.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::{Refusal, find};
use crate::raw::reader::{parse_time, whole_number};
use crate::raw::{GqlForm, Policy, Request, Response, Result};
use crate::sources::endpoint::{Endpoint, HOUR};

/// It is not a list, so it has no page size.
pub(in crate::sources::twitch) static VIDEO: Endpoint = Endpoint::gql("video", Policy::everybody(HOUR)).largest_page(0);

/// A recording grows for this long after the end that is known at first, in seconds: its length lags behind by some
/// minutes, and a stored answer is up to an hour old.
const LAG: i64 = 3 * 60 * 60;

/// The request for the data of one recording.
pub(super) fn request(video: &str, form: GqlForm) -> Request {
    VIDEO.operation(form, json!({"videoID": video}))
}

/// What is known of a recording.
#[derive(Debug, Default)]
pub(super) struct VideoInfo {
    /// Its length in seconds. `None` if it is not known: Twitch sends 0 for new recordings.
    pub length: Option<i64>,
    /// When it began.
    pub created_at: Option<DateTime<Utc>>,
}

impl VideoInfo {
    /// Whether the recording has ended by now, so that no comments will be added at its end.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        let ended = self.created_at.zip(self.length);
        ended.is_some_and(|(start, length)| now.timestamp() - start.timestamp() > length.saturating_add(LAG))
    }
}

/// Parses an answer about a recording. The stored query of Twitch's web player has more fields, which are not read.
pub(super) fn read_info(response: &Response, video: &str) -> Result<Result<VideoInfo, Refusal>> {
    let found = match find(response, video, "/data/video", '{')? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let info: Value = serde_json::from_str(found.get()).unwrap_or_default();
    let length = info.get("lengthSeconds").and_then(whole_number);
    Ok(Ok(VideoInfo {
        length: length
            .and_then(|length| i64::try_from(length).ok())
            .filter(|length| *length > 0),
        created_at: info.get("createdAt").and_then(Value::as_str).and_then(parse_time),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::ErrorKind;

    fn read(body: Value) -> Result<Result<VideoInfo, Refusal>> {
        let response = Response {
            status: 200,
            age: None,
            body: body.to_string().into_bytes(),
        };
        read_info(&response, "1")
    }

    fn info(length: Value, created: Value) -> VideoInfo {
        let video = json!({"lengthSeconds": length, "createdAt": created});
        read(json!({"data": {"video": video}})).unwrap().unwrap()
    }

    #[test]
    fn a_length_that_is_none_is_not_known() {
        for (length, expected) in [
            (json!(60), Some(60)),
            (json!("60"), Some(60)),
            (json!(0), None),
            (json!(-1), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(info(length.clone(), json!(null)).length, expected, "{length}");
        }
    }

    #[test]
    fn a_recording_is_over_some_hours_after_its_end() {
        let created = json!("2026-07-01T00:00:00Z");
        let now = |hour: i64| parse_time("2026-07-01T00:00:00Z").unwrap() + chrono::TimeDelta::hours(hour);
        assert!(info(json!(3600), created.clone()).is_over(now(5)));
        assert!(!info(json!(3600), created.clone()).is_over(now(3)));
        for (length, created) in [
            (json!(0), created.clone()),
            (json!(3600), json!("0001-01-01T00:00:00Z")),
            (json!(3600), json!(null)),
        ] {
            assert!(!info(length, created).is_over(now(5)));
        }
    }

    #[test]
    fn only_null_says_that_there_is_no_video() {
        let gone = read(json!({"data": {"user": null, "video": null}})).unwrap_err();
        assert_eq!(gone.kind, ErrorKind::NotFound);
        for body in [
            json!({"data": {}}),
            json!({"data": null}),
            json!({"data": {"video": []}}),
            json!({"data": {"video": null}, "errors": [{"message": "service unavailable", "path": ["video"]}]}),
        ] {
            assert_eq!(read(body.clone()).unwrap_err().kind, ErrorKind::Service, "{body}");
        }
        let beside = json!({"data": {"video": {"lengthSeconds": 7}}, "errors": [{"message": "x", "path": ["user"]}]});
        assert_eq!(read(beside).unwrap().unwrap().length, Some(7));
    }
}
