//! App tokens. Each contains its expiry and a checksum, so that the server need not store it.

use std::time::Duration;

use crate::{credentials::CLIENT_SECRET, world::mix};

/// The lifetime of an app token, about 58 days.
pub(super) const LIFETIME: Duration = Duration::from_secs(5_011_271);

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A token that expires so many seconds after 1970. The checksum protects against mistakes, not attackers: all secrets
/// of the sandbox are public.
pub(super) fn make(expires: u64, nonce: u64) -> String {
    let content = expires << 24 | nonce & 0xff_ffff;
    let seal = seal(content);
    // Thirteen digits hold 64 bits. Four more make 30 characters, the length of Twitch's tokens.
    let parts = [(content ^ mix(seal), 13), (seal, 13), (mix(seal), 4)];
    parts
        .into_iter()
        .flat_map(|(number, length)| digits(number, length))
        .collect()
}

/// When an app token expires, in seconds since 1970; `None` if it is not an app token.
pub(super) fn expiry(token: &str) -> Option<u64> {
    let number = |part: Option<&str>| u64::from_str_radix(part?, 36).ok();
    let seal = number(token.get(13..26))?;
    let content = number(token.get(..13))? ^ mix(seal);
    let expires = content >> 24;
    (make(expires, content & 0xff_ffff) == token).then_some(expires)
}

fn seal(content: u64) -> u64 {
    CLIENT_SECRET
        .bytes()
        .fold(mix(content), |seal, byte| mix(seal ^ u64::from(byte)))
}

/// The lowest digits of a number in base 36, most significant first.
fn digits(number: u64, length: u32) -> impl Iterator<Item = char> {
    (0..length)
        .rev()
        .map(move |place| DIGITS[(number / 36u64.pow(place) % 36) as usize].into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{credentials::TOKEN_EXPIRED, limit::unix_now};

    #[test]
    fn app_tokens_are_known_again() {
        let now = unix_now().as_secs();
        for nonce in 0..1_000 {
            let token = make(now + 60 + nonce, nonce);
            assert_eq!(token.len(), 30);
            assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{token}");
            assert_eq!(expiry(&token), Some(now + 60 + nonce));
        }
        let forged = make(now + 60, 0).replace(|c: char| c.is_ascii_digit(), "x");
        for token in ["", "x", TOKEN_EXPIRED, &forged, "ü23456789012345678901234567890"] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
