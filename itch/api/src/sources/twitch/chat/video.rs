//! `video`: the data of a recording, without its comments.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, parse, refusal, take_video};
use crate::raw::{GqlForm, Policy, Request, Result};
use crate::sources::endpoint::{Endpoint, HOUR};

/// It is not a list, so it has no page size.
pub(in crate::sources::twitch) static VIDEO: Endpoint = Endpoint::gql("video", Policy::everybody(HOUR)).largest_page(0);

/// The request for the data of one recording.
pub(super) fn request(video: &str) -> Request {
    VIDEO.operation(GqlForm::Query, json!({"videoID": video}))
}

/// The data of a recording.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VideoInfo {
    #[serde(default)]
    pub length_seconds: Option<i64>,
    #[serde(default)]
    pub status: Option<String>,
}

impl VideoInfo {
    /// Whether the recording has ended, so that no comments will be added at its end.
    pub fn is_over(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status != "RECORDING")
    }
}

/// Parses an answer about a recording; `errors` come before data.
pub(super) fn read_info(body: Value, video: &str) -> Result<Result<VideoInfo, Refusal>> {
    if let Some(refusal) = refusal(&body) {
        return Ok(Err(refusal));
    }
    let info = take_video(body, video)?;
    parse(info).map(Ok)
}
