//! What a body is before it is parsed: gzip, and a byte order mark that gateways put before JSON.
//!
//! The HTTP library reads only the first member of a gzip body, and rejects one that is not compressed although its
//! head says so. Here the body itself decides, whatever the head says.

use std::io::Read;

use flate2::bufread::GzDecoder;

use crate::entry::MOST_BYTES;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first bytes of gzip (RFC 1952, section 2.3.1).
const GZIP: &[u8] = b"\x1f\x8b";

/// How often a body is unpacked: a gateway may compress once more what is compressed already.
const MOST_LAYERS: usize = 2;

/// The body unpacks to more than may be held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// The text of a body. One that is not what it seems to be stays as it is.
pub(crate) fn unpack(mut body: Vec<u8>) -> Result<Vec<u8>, TooLarge> {
    for _ in 0..MOST_LAYERS {
        match inflate(&body)? {
            Some(unpacked) => body = unpacked,
            None => break,
        }
    }
    // It is not part of JSON (RFC 8259, section 8.1).
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(body)
}

/// All members of a gzip body, one after the other; `None` if it is not gzip, or not complete.
fn inflate(body: &[u8]) -> Result<Option<Vec<u8>>, TooLarge> {
    let mut unpacked = Vec::new();
    let mut rest = body;
    // What follows the last member is ignored, as gzip does.
    while rest.starts_with(GZIP) {
        let mut decoder = GzDecoder::new(rest);
        let left = (MOST_BYTES - unpacked.len()) as u64 + 1;
        let read = (&mut decoder).take(left).read_to_end(&mut unpacked);
        if unpacked.len() > MOST_BYTES {
            return Err(TooLarge);
        }
        if read.is_err() {
            return Ok(None);
        }
        rest = decoder.into_inner();
    }
    Ok((rest.len() < body.len()).then_some(unpacked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    fn gzip(parts: &[&[u8]]) -> Vec<u8> {
        let member = |part: &&[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap()
        };
        parts.iter().flat_map(member).collect()
    }

    #[test]
    fn a_body_is_unpacked_once_and_within_bounds() {
        assert_eq!(unpack(b"{}".to_vec()).unwrap(), b"{}");
        assert_eq!(unpack(b"\xef\xbb\xbf{}".to_vec()).unwrap(), b"{}");
        assert_eq!(unpack(gzip(&[b"{\"a\":", b"1}"])).unwrap(), b"{\"a\":1}");
        assert_eq!(unpack(gzip(&[b"\xef\xbb\xbf[]"])).unwrap(), b"[]");
        let trailing = [gzip(&[b"{}"]), vec![0; 100]].concat();
        assert_eq!(unpack(trailing).unwrap(), b"{}");
        assert_eq!(unpack(gzip(&[&gzip(&[b"{", b"}"])])).unwrap(), b"{}");
        let mut cut = gzip(&[b"{\"a\":1}"]);
        cut.truncate(cut.len() - 3);
        assert_eq!(unpack(cut.clone()).unwrap(), cut);
        let bomb = gzip(&[&vec![b' '; MOST_BYTES], b" "]);
        assert_eq!(unpack(bomb), Err(TooLarge));
    }
}
