//! The cursor of a page of comments: it identifies the last comment of the page, in Twitch's own format.
//!
//! It is unpadded base64 of JSON with the id of the comment, the broadcast, and a sort key: the offset and the creation
//! time, each in nanoseconds as eight bytes. Recorded answers have this format; clients such as lay295/TwitchDownloader
//! treat it as opaque.

use base64::{
    Engine,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};

use crate::world::{Chat, Millis};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    id: String,
    hk: String,
    sk: String,
}

const NANOS_PER_MILLI: u64 = 1_000_000;

/// The cursor for the comments after the one at an index.
pub(super) fn encode(chat: &Chat<'_>, index: u32) -> String {
    encode_round(chat, index, 0)
}

/// The same with how often an endless list has led back to it.
pub(super) fn encode_round(chat: &Chat<'_>, index: u32, round: u64) -> String {
    let offset = chat.offset(index);
    let stamp = chat.stamp(offset) as u64 * NANOS_PER_MILLI;
    let mut sort_key = [0; 16];
    sort_key[..8].copy_from_slice(&(offset * NANOS_PER_MILLI).to_be_bytes());
    sort_key[8..].copy_from_slice(&stamp.to_be_bytes());
    let content = Content {
        id: uuid(chat.id(index)),
        hk: match round {
            0 => format!("broadcast:{}", chat.video.broadcast_id),
            round => format!("broadcast:{}:{round}", chat.video.broadcast_id),
        },
        sk: URL_SAFE.encode(sort_key),
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default())
}

/// The index of the comment that a cursor of this video identifies, and how often a list has led back to it.
pub(super) fn decode(chat: &Chat<'_>, cursor: &str) -> Option<(u32, u64)> {
    let content: Content = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let sort_key: [u8; 16] = URL_SAFE.decode(content.sk).ok()?.try_into().ok()?;
    let (offset, _) = sort_key.split_first_chunk::<8>()?;
    let offset: Millis = u64::from_be_bytes(*offset) / NANOS_PER_MILLI;
    let id: String = content.id.split('-').collect();
    let id = u128::from_str_radix(&id, 16).ok()?.to_be_bytes();
    let index = chat.find(id, offset)?;
    let round = match content.hk.split(':').nth(2) {
        Some(round) => round.parse().ok()?,
        None => 0,
    };
    (encode_round(chat, index, round) == cursor).then_some((index, round))
}

/// As a UUID with the usual five groups.
pub(super) fn uuid(id: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(id));
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|group| &digits[group])
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn a_cursor_leads_back_to_its_comment_in_its_own_video_only() {
        let world = World::new(1);
        let chat = |id| world.chat(world.video(id).unwrap());
        let (long, other) = (chat(2_700_000_600), chat(2_700_000_060));
        for index in [0, 1, 58, 59, 299_999, 599_999] {
            let cursor = encode(&long, index);
            assert_eq!(decode(&long, &cursor), Some((index, 0)));
            assert_eq!(decode(&other, &cursor), None);
            assert!(cursor.starts_with("eyJpZCI6I") && !cursor.contains('='), "{cursor}");
        }
        // Comments at the same time have different cursors.
        let burst = chat(2_700_000_180);
        for index in 0..1_000 {
            assert_eq!(decode(&burst, &encode(&burst, index)), Some((index, 0)));
        }
    }

    #[test]
    fn a_cursor_that_was_tampered_with_is_refused() {
        let world = World::new(1);
        let chat = world.chat(world.video(2_700_000_005).unwrap());
        let cursor = encode(&chat, 77);
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert_eq!(decode(&chat, &tampered), None, "{tampered}");
        }
        for nonsense in ["", "x", "===", "eyJpZCI6IiJ9", "bnVsbA"] {
            assert_eq!(decode(&chat, nonsense), None);
        }
    }

    #[test]
    fn the_sort_key_is_as_captured() {
        let world = World::new(1);
        let chat = world.chat(world.video(2_700_000_005).unwrap());
        let json = URL_SAFE_NO_PAD.decode(encode(&chat, 3)).unwrap();
        let content: Content = serde_json::from_slice(&json).unwrap();
        assert_eq!((content.sk.len(), &content.sk[22..]), (24, "=="));
        assert_eq!(content.hk, format!("broadcast:{}", 20_000_000_000u64 + 2_700_000_005));
        assert_eq!(content.id.len(), 36);
    }
}
