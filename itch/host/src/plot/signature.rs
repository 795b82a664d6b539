//! The first bytes of a picture, by which its media type is recognised: a renderer that wrote nothing, or something else,
//! must not replace a picture that is there.

/// How many first bytes are looked at.
pub(super) const LENGTH: usize = 64;

/// Media types, and what a file of the type begins with.
const SIGNATURES: [(&str, &[&[u8]]); 9] = [
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/gif", &[b"GIF87a", b"GIF89a"]),
    ("image/webp", &[b"RIFF"]),
    ("image/bmp", &[b"BM"]),
    ("image/tiff", &[b"II*\0", b"MM\0*"]),
    ("application/pdf", &[b"%PDF-"]),
    ("image/svg+xml", &[b"<"]),
    ("text/html", &[b"<"]),
];

/// Why what was written is not of a media type, if so: `first` are its first bytes.
pub(super) fn fault(media_type: &str, first: &[u8]) -> Option<String> {
    if first.is_empty() {
        return Some("it wrote nothing".to_owned());
    }
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let (_, starts) = SIGNATURES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(media_type))?;
    // Text may begin with a byte order mark and white space.
    let is_text = starts == &[b"<".as_slice()];
    let first = match is_text {
        true => first
            .strip_prefix(b"\xef\xbb\xbf".as_slice())
            .unwrap_or(first)
            .trim_ascii_start(),
        false => first,
    };
    let is_of_type = starts.iter().any(|start| first.starts_with(start)) || is_text && first.is_empty();
    (!is_of_type).then(|| format!("what it wrote is not {media_type}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_recognised_by_their_first_bytes() {
        assert_eq!(fault("image/png", b"").unwrap(), "it wrote nothing");
        assert_eq!(fault("image/png", b"\x89PNG\r\n\x1a\n...."), None);
        assert_eq!(fault("image/png", b"GIF89a").unwrap(), "what it wrote is not image/png");
        assert_eq!(fault("image/svg+xml; charset=utf-8", b"\xef\xbb\xbf \n<svg"), None);
        assert!(fault("text/html", b"hello").is_some());
        // A type without a signature.
        assert_eq!(fault("text/plain", b"x"), None);
    }
}
