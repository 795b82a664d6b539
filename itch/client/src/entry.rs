//! A stored answer as bytes: one gzip member whose extra field describes the request.
//!
//! `zcat` prints the body. The extra field (RFC 1952, section 2.3.1.1) has one subfield `IT`: the [`Meta`] as JSON,
//! and the CRC-32 of that JSON. The gzip trailer has the CRC-32 of the body, so every byte that matters is checked.
//! Values of the original itch are plain zlib streams; these are read too.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::bufread::{GzDecoder, ZlibDecoder};
use flate2::{Compression, Crc, GzBuilder};
use itch_plugin::StoredValue;
use serde::{Deserialize, Serialize};

use crate::body::Shape;

/// The largest body, stored or fetched. A small entry that inflates beyond it is an attack or an accident.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How much of a request's text is kept, since a gzip extra field is limited to 64 KiB.
const MOST_REQUEST_CHARS: usize = 4096;

/// How far the clocks of machines that share a cache may differ. An entry of a later time is from the future: either
/// that machine's clock was wrong, or this one's is.
const SKEW: Duration = Duration::from_secs(60);

/// The subfield's name.
const SUBFIELD: [u8; 2] = *b"IT";

/// The metadata of a stored answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// The key under which the answer is stored.
    pub key: String,
    /// When it was stored, in milliseconds since 1970.
    pub stored_ms: u64,
    /// The HTTP status.
    pub status: u16,
    /// The service that answered.
    #[serde(default)]
    pub service: String,
    /// How long the answer took when it was fetched.
    #[serde(default)]
    pub took_ms: u64,
    /// The report that sent the request.
    pub report: String,
    /// The request, without secrets.
    pub request: String,
    /// Whether the request said that the answer never changes.
    #[serde(default)]
    pub immutable: bool,
    /// The service's ETag for this version of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// A decoded stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub status: u16,
    /// The age of the answer; `None` if unknown.
    pub age: Option<Duration>,
    pub immutable: bool,
    pub body: Vec<u8>,
    /// Its metadata; `None` for values of the original itch.
    pub meta: Option<Meta>,
}

/// The stored bytes are not the complete and unchanged answer for this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stored value is broken")
    }
}

impl std::error::Error for Corrupt {}

/// The metadata of a stored value, for commands that list or clean a cache. The format is private to this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The age of the answer; `None` if unknown.
    pub age: Option<Duration>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The service that answered; `None` for values of the original itch, which did not store it.
    pub service: Option<String>,
    /// The report that sent the request.
    pub report: Option<String>,
    /// The request, without secrets.
    pub request: Option<String>,
    /// Whether the answer never changes.
    pub immutable: bool,
    /// Whether it was stored in the future, so that its age is unknown.
    pub from_future: bool,
    /// The size of the stored value.
    pub bytes: u64,
}

impl StoredEntry {
    /// Reads a stored value completely and checks it.
    pub fn read(key: &str, value: &StoredValue, now: SystemTime) -> Result<StoredEntry, Corrupt> {
        let entry = decode(key, value, now)?;
        let from_future = entry.meta.is_some() && entry.age.is_none();
        let (service, report, request) = match entry.meta {
            Some(meta) => (Some(meta.service), Some(meta.report), Some(meta.request)),
            None => (None, None, None),
        };
        Ok(StoredEntry {
            age: entry.age,
            status: entry.status,
            service: service.filter(|service| !service.is_empty()),
            report,
            request,
            immutable: entry.immutable,
            from_future,
            bytes: value.bytes.len() as u64,
        })
    }
}

/// Encodes an answer as an entry; `None` if it is too large.
pub(crate) fn encode(mut meta: Meta, body: &[u8]) -> Option<Vec<u8>> {
    if body.len() > MOST_BYTES {
        return None;
    }
    if let Some((end, _)) = meta.request.char_indices().nth(MOST_REQUEST_CHARS) {
        meta.request.truncate(end);
    }
    // Each text is bounded or short, so this only fails for an extremely long report name or ETag.
    let json = serde_json::to_vec(&meta).ok()?;
    let length = u16::try_from(json.len() + 4).ok()?;
    u16::try_from(json.len() + 8).ok()?;
    let mut extra = Vec::with_capacity(json.len() + 8);
    extra.extend_from_slice(&SUBFIELD);
    extra.extend_from_slice(&length.to_le_bytes());
    extra.extend_from_slice(&json);
    extra.extend_from_slice(&crc32(&json).to_le_bytes());

    // A comment is Latin-1 and ends at a NUL; other characters are replaced.
    let comment: String = meta
        .request
        .chars()
        .map(|c| if (' '..='~').contains(&c) { c } else { '?' })
        .collect();
    let seconds = u32::try_from(meta.stored_ms / 1000).unwrap_or(0);
    let mut encoder = GzBuilder::new()
        .mtime(seconds)
        .extra(extra)
        .comment(comment)
        .read(body, Compression::fast());
    let mut bytes = Vec::with_capacity(body.len() / 4 + 512);
    encoder.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Decodes the entry that is stored under a key.
pub(crate) fn decode(key: &str, value: &StoredValue, now: SystemTime) -> Result<Entry, Corrupt> {
    if value.bytes.starts_with(&[0x1f, 0x8b]) {
        decode_gzip(key, &value.bytes, now)
    } else {
        decode_old(value, now)
    }
}

fn decode_gzip(key: &str, bytes: &[u8], now: SystemTime) -> Result<Entry, Corrupt> {
    let mut decoder = GzDecoder::new(bytes);
    let extra = decoder.header().and_then(|header| header.extra());
    let meta = extra.and_then(read_extra).ok_or(Corrupt)?;
    if meta.key != key {
        return Err(Corrupt);
    }
    let body = inflate(&mut decoder)?;
    if !decoder.into_inner().is_empty() {
        return Err(Corrupt);
    }
    let stored = UNIX_EPOCH + Duration::from_millis(meta.stored_ms);
    Ok(Entry {
        status: meta.status,
        age: match now.duration_since(stored) {
            Ok(age) => Some(age),
            Err(ahead) if ahead.duration() <= SKEW => Some(Duration::ZERO),
            Err(_) => None,
        },
        immutable: meta.immutable,
        body,
        meta: Some(meta),
    })
}

fn read_extra(extra: &[u8]) -> Option<Meta> {
    let (name, rest) = extra.split_first_chunk::<2>()?;
    let (length, content) = rest.split_first_chunk::<2>()?;
    if *name != SUBFIELD || usize::from(u16::from_le_bytes(*length)) != content.len() {
        return None;
    }
    let (json, sum) = content.split_last_chunk::<4>()?;
    if u32::from_le_bytes(*sum) != crc32(json) {
        return None;
    }
    let meta: Meta = serde_json::from_slice(json).ok()?;
    // Larger numbers cannot be added to 1970 on every platform; no valid entry is from after the year 9999.
    (meta.stored_ms < 253_402_300_800_000).then_some(meta)
}

/// Decodes a value of the original itch: zlib without metadata. An error body becomes that error again.
fn decode_old(value: &StoredValue, now: SystemTime) -> Result<Entry, Corrupt> {
    let mut decoder = ZlibDecoder::new(value.bytes.as_slice());
    let body = inflate(&mut decoder)?;
    if !decoder.into_inner().is_empty() {
        return Err(Corrupt);
    }
    let shape = Shape::of(&body).ok_or(Corrupt)?;
    let status = match shape.status {
        _ if !shape.error => 200,
        Some(status @ 400..=599) => status,
        _ => 400,
    };
    Ok(Entry {
        status,
        // The services that these came from do not answer any more, so a wrong clock must not hide them.
        age: value
            .modified
            .map(|modified| now.duration_since(modified).unwrap_or_default()),
        immutable: false,
        body,
        meta: None,
    })
}

/// Inflates to the end of the stream, which checks its checksum, but never beyond the largest body.
fn inflate(decoder: &mut impl Read) -> Result<Vec<u8>, Corrupt> {
    let mut body = Vec::new();
    let read = decoder.take(MOST_BYTES as u64 + 1).read_to_end(&mut body);
    match read {
        Ok(read) if read <= MOST_BYTES => Ok(body),
        _ => Err(Corrupt),
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const BODY: &[u8] = br#"{"data":[{"id":"1"},{"id":"2"}]}"#;

    fn meta() -> Meta {
        Meta {
            key: "ab".repeat(32),
            stored_ms: 1_700_000_000_123,
            status: 200,
            service: "helix".to_owned(),
            took_ms: 50,
            report: "followers".to_owned(),
            request: "GET https://api.twitch.tv/helix/users?id=1&login=\u{e9}\0".to_owned(),
            immutable: true,
            etag: Some("\"7\"".to_owned()),
        }
    }

    fn stored(bytes: Vec<u8>) -> StoredValue {
        StoredValue {
            bytes,
            modified: Some(UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
        }
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_700_000_010_123)
    }

    fn read(bytes: Vec<u8>) -> Result<Entry, Corrupt> {
        decode(&meta().key, &stored(bytes), now())
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn an_entry_comes_back() {
        let entry = read(encode(meta(), BODY).unwrap()).unwrap();
        assert_eq!(entry.body, BODY);
        assert_eq!(entry.status, 200);
        assert_eq!(entry.age, Some(Duration::from_secs(10)));
        assert!(entry.immutable);
        assert_eq!(entry.meta, Some(meta()));
    }

    #[test]
    fn an_entry_from_the_future_has_no_age() {
        let bytes = encode(meta(), BODY).unwrap();
        let key = meta().key;
        let at = |seconds: u64, earlier: bool| {
            let stored_at = UNIX_EPOCH + Duration::from_millis(meta().stored_ms);
            let span = Duration::from_secs(seconds);
            let now = if earlier { stored_at - span } else { stored_at + span };
            decode(&key, &stored(bytes.clone()), now).unwrap().age
        };
        assert_eq!(at(5, false), Some(Duration::from_secs(5)));
        assert_eq!(at(30, true), Some(Duration::ZERO));
        assert_eq!(at(3600, true), None);
        let before_1970 = UNIX_EPOCH - Duration::from_secs(1_000_000);
        let entry = StoredEntry::read(&key, &stored(bytes), before_1970).unwrap();
        assert!(entry.from_future && entry.age.is_none());
        let old = StoredEntry::read("", &stored(zlib(BODY)), before_1970).unwrap();
        assert_eq!((old.age, old.from_future), (Some(Duration::ZERO), false));
    }

    #[test]
    fn an_entry_tells_about_itself() {
        let bytes = encode(meta(), BODY).unwrap();
        let entry = StoredEntry::read(&meta().key, &stored(bytes.clone()), now()).unwrap();
        assert_eq!(entry.service.as_deref(), Some("helix"));
        assert_eq!(entry.report.as_deref(), Some("followers"));
        assert_eq!(entry.request, Some(meta().request));
        assert_eq!(entry.bytes, bytes.len() as u64);
        let old = StoredEntry::read("", &stored(zlib(BODY)), now()).unwrap();
        assert_eq!((old.service, old.report, old.request), (None, None, None));
        let broken = StoredEntry::read("", &stored(vec![1]), now());
        assert_eq!(broken, Err(Corrupt));
    }

    #[test]
    fn anybody_can_unpack_it() {
        let bytes = encode(meta(), BODY).unwrap();
        let mut decoder = GzDecoder::new(bytes.as_slice());
        let mut body = Vec::new();
        decoder.read_to_end(&mut body).unwrap();
        assert_eq!(body, BODY);
        let header = decoder.header().unwrap();
        assert_eq!(header.mtime(), 1_700_000_000);
        assert_eq!(header.comment().unwrap(), b"GET https://api.twitch.tv/helix/users?id=1&login=??");
    }

    #[test]
    fn another_key_is_corrupt() {
        let bytes = encode(meta(), BODY).unwrap();
        let other = "cd".repeat(32);
        assert_eq!(decode(&other, &stored(bytes), now()), Err(Corrupt));
    }

    #[test]
    fn every_cut_is_corrupt_and_so_is_anything_behind() {
        let bytes = encode(meta(), BODY).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(read(bytes[..length].to_vec()), Err(Corrupt), "{length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(read(longer), Err(Corrupt));
        assert_eq!(read([bytes.clone(), bytes].concat()), Err(Corrupt));
    }

    #[test]
    fn no_flipped_bit_changes_an_answer() {
        let bytes = encode(meta(), BODY).unwrap();
        let whole = read(bytes.clone()).unwrap();
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            // MTIME, comment and platform are informational; a change there has no effect.
            if let Ok(entry) = read(flipped) {
                assert_eq!(entry, whole, "bit {place}");
            }
        }
    }

    /// After any change to a stored value, it is either still the same answer or detected as broken.
    #[test]
    fn ten_thousand_harms_never_change_an_answer() {
        let body: String = (0..400).map(|n| format!("{{\"id\":\"{}\"}},", n * 7919)).collect();
        let bytes = encode(meta(), body.as_bytes()).unwrap();
        let whole = read(bytes.clone()).unwrap();
        let mut state = 1_u64;
        let mut roll = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % sides
        };
        let mut broken = 0;
        for _ in 0..10_000 {
            let mut harmed = bytes.clone();
            let place = roll(harmed.len());
            match roll(4) {
                0 => harmed.truncate(place),
                1 => harmed[place] ^= 1 << roll(8),
                2 => harmed[place..].fill(0),
                _ => harmed[place] = roll(256) as u8,
            }
            match read(harmed) {
                Ok(entry) => assert_eq!(entry, whole),
                Err(Corrupt) => broken += 1,
            }
        }
        assert!(broken > 9_000, "{broken}");
    }

    #[test]
    fn gzip_from_elsewhere_is_corrupt() {
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
        encoder.write_all(BODY).unwrap();
        assert_eq!(read(encoder.finish().unwrap()), Err(Corrupt));
    }

    #[test]
    fn an_entry_that_inflates_without_end_is_corrupt() {
        let bomb = vec![b' '; MOST_BYTES + 1];
        assert_eq!(encode(meta(), &bomb), None);
        let mut encoder = GzBuilder::new().extra(vec![]).write(Vec::new(), Compression::fast());
        encoder.write_all(&bomb).unwrap();
        let bytes = encoder.finish().unwrap();
        let mut decoder = GzDecoder::new(bytes.as_slice());
        assert_eq!(inflate(&mut decoder), Err(Corrupt));
        assert_eq!(read(zlib(&bomb)), Err(Corrupt));
    }

    #[test]
    fn a_long_request_is_cut_and_an_absurd_etag_is_not_stored() {
        let mut long = meta();
        long.request = "\u{1F600}".repeat(70_000);
        assert!(read(encode(long, BODY).unwrap()).is_ok());
        let mut absurd = meta();
        absurd.etag = Some("x".repeat(70_000));
        assert_eq!(encode(absurd, BODY), None);
    }

    #[test]
    fn what_the_first_itch_stored_is_read() {
        let entry = read(zlib(br#"{"name":"burkeblack"}"#)).unwrap();
        assert_eq!(entry.status, 200);
        assert_eq!(entry.age, Some(Duration::from_millis(700_000_010_123)));
        let error = read(zlib(br#"{"error":"Not Found","status":404}"#)).unwrap();
        assert_eq!(error.status, 404);
        let error = read(zlib(br#"{"error":"Odd"}"#)).unwrap();
        assert_eq!(error.status, 400);
        assert_eq!(read(zlib(b"<html>")), Err(Corrupt));
        let mut cut = zlib(BODY);
        cut.pop();
        assert_eq!(read(cut), Err(Corrupt));
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>, gzip: bool) {
            let magic: &[u8] = if gzip { &[0x1f, 0x8b, 8, 4] } else { &[] };
            let _ = read([magic, &bytes].concat());
        }

        #[test]
        fn any_body_comes_back(body: Vec<u8>, report: String, request: String) {
            let meta = Meta { report, request, ..meta() };
            let entry = read(encode(meta, &body).unwrap()).unwrap();
            proptest::prop_assert_eq!(entry.body, body);
        }
    }
}
