//! Faults of how a body is encoded and labelled. The JSON in it is good.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};

use super::Scene;
use crate::{faults::Fault, reply::Reply};

/// Media types that services and proxies have sent with JSON.
const WRONG_TYPES: [&str; 4] = [
    "text/plain",
    "text/html; charset=utf-8",
    "application/octet-stream",
    "x",
];

/// Applies the faults of the encoding to a successful answer. `asked` are the headers of the request.
pub(crate) fn encode(scene: Scene<'_>, asked: &HeaderMap, mut reply: Reply) -> Reply {
    if reply.status != StatusCode::OK {
        return reply;
    }
    if scene.strikes(Fault::MediaType) {
        match scene.draws(Fault::MediaType).below(0, WRONG_TYPES.len() as u64 + 1) as usize {
            none if none == WRONG_TYPES.len() => drop(reply.headers.remove(CONTENT_TYPE)),
            drawn => drop(
                reply
                    .headers
                    .insert(CONTENT_TYPE, HeaderValue::from_static(WRONG_TYPES[drawn])),
            ),
        }
    }
    if scene.strikes(Fault::Mark) {
        reply.body = [b"\xef\xbb\xbf", &reply.body[..]].concat().into();
    }
    let accepts = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if scene.strikes(Fault::GzipMembers)
        && accepts.is_some_and(|accepts| accepts.contains("gzip"))
        && let Ok(body) = two_members(&reply.body)
    {
        reply.body = body;
        reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    reply
}

/// A gzip file of two members, which is the same as their contents one after the other (RFC 1952, section 2.2).
fn two_members(body: &[u8]) -> io::Result<Bytes> {
    let (first, second) = body.split_at(body.len() / 2);
    let mut members = Vec::new();
    for part in [first, second] {
        let mut encoder = GzEncoder::new(&mut members, Compression::fast());
        encoder.write_all(part)?;
        encoder.finish()?;
    }
    Ok(members.into())
}
