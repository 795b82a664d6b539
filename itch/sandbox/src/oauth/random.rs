//! Unpredictable codes and tokens. They are not data, so they do not depend on the seed.

use std::hash::{BuildHasher, RandomState};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const MIXED: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Without vowels, so that no word appears.
const CONSONANTS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// An access token has 30 characters, a refresh token 50.
pub(super) fn token(length: usize) -> String {
    code(length, DIGITS)
}

/// A code for the device, of 40 characters.
pub(super) fn device_code() -> String {
    code(40, MIXED)
}

/// A code to type, of 8 letters.
pub(super) fn user_code() -> String {
    code(8, CONSONANTS)
}

fn code(length: usize, characters: &[u8]) -> String {
    // Each `RandomState` has new keys, and its hash of nothing depends on them alone.
    let draw = |_| RandomState::new().hash_one(()) as usize % characters.len();
    (0..length)
        .map(draw)
        .map(|place| char::from(characters[place]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_length_and_differ() {
        let tokens: std::collections::HashSet<String> = (0..200).map(|_| token(30)).collect();
        assert_eq!(tokens.len(), 200);
        let plain = |token: &String| token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        assert!(tokens.iter().all(|token| token.len() == 30 && plain(token)));
        assert_eq!((token(50).len(), device_code().len(), user_code().len()), (50, 40, 8));
        assert!(user_code().bytes().all(|b| b.is_ascii_uppercase()));
    }
}
