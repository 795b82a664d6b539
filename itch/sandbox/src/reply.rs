//! A response before it is sent: status, body, and rate limit headers.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::limit::RateLimit;

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, media_type: &'static str, body: Bytes) -> Reply {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        Reply { status, headers, body }
    }

    /// OAuth clients require exactly this media type, without a character set.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
        Reply::new(status, "application/json", to_json(value))
    }

    pub(crate) fn with_rate_limit(mut self, rate: RateLimit) -> Reply {
        let headers = [
            (HeaderName::from_static("ratelimit-limit"), u64::from(rate.limit)),
            (HeaderName::from_static("ratelimit-remaining"), u64::from(rate.remaining)),
            (HeaderName::from_static("ratelimit-reset"), rate.reset),
        ];
        self.headers
            .extend(headers.map(|(name, value)| (name, HeaderValue::from(value))));
        self
    }
}

/// The sandbox only serializes structs with string keys, so this cannot fail.
pub(crate) fn to_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// The reason phrase, as Twitch's error bodies repeat it.
pub(crate) fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or_default()
}

pub(crate) const HELIX_MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// The format of every error of Helix.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'static str,
    status: u16,
    message: &'a str,
}

/// An error in Helix's format. GQL, kraken and unknown paths use it as well.
pub(crate) fn error_reply(status: StatusCode, message: &str) -> Reply {
    let body = ErrorBody {
        error: reason(status),
        status: status.as_u16(),
        message,
    };
    Reply::new(status, HELIX_MEDIA_TYPE, to_json(&body))
}
