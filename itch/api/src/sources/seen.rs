//! The ids of the last comments, to recognise repeated ones exactly and in bounded memory.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Repeats are searched for among this many comments. A window of twenty minutes has fewer; the list of a chain over a
/// whole recording must not remember all of it.
pub(super) const REMEMBERED: usize = 200_000;
/// The same in bytes, for ids that are not UUIDs.
const REMEMBERED_BYTES: usize = 8 * 1024 * 1024;

/// An id without loss. Twitch's are UUIDs, which take much less memory as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Id {
    Uuid(u128),
    Text(Arc<str>),
}

impl Id {
    fn of(text: &str) -> Id {
        uuid(text).map_or_else(|| Id::Text(text.into()), Id::Uuid)
    }

    fn bytes(&self) -> usize {
        match self {
            Id::Uuid(_) => 0,
            Id::Text(text) => text.len(),
        }
    }
}

/// A UUID in the usual form with lower-case digits: every other text stays a text, so that no two ids become equal.
fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let mut number: u128 = 0;
    for (place, byte) in bytes.iter().enumerate() {
        match (place, byte) {
            (8 | 13 | 18 | 23, b'-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => number = number << 4 | u128::from(byte - b'0'),
            (_, b'a'..=b'f') => number = number << 4 | u128::from(byte - b'a' + 10),
            _ => return None,
        }
    }
    (bytes.len() == 36).then_some(number)
}

/// The messages of one list that were seen last.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<Id>,
    /// Oldest first.
    order: VecDeque<Id>,
    bytes: usize,
    /// Whether some of them are no longer remembered.
    pub forgetful: bool,
}

impl Seen {
    /// Remembers a comment; returns whether it is new.
    pub fn remember(&mut self, id: &str) -> bool {
        let id = Id::of(id);
        if self.ids.contains(&id) {
            return false;
        }
        self.bytes += id.bytes();
        self.ids.insert(id.clone());
        self.order.push_back(id);
        while self.order.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
            self.ids.remove(&oldest);
            self.forgetful = true;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_exactly() {
        let mut seen = Seen::default();
        let uuid = "5b1f0c52-7d1e-4a6b-9a35-0c7a2f5f9d11";
        for id in [uuid, &uuid.to_uppercase(), &uuid.replace('-', ""), "5b1f0c52", "", "é"] {
            assert!(seen.remember(id), "{id}");
            assert!(!seen.remember(id), "{id}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::default();
        for n in 0..REMEMBERED + 1000 {
            assert!(seen.remember(&n.to_string()));
        }
        assert!(seen.forgetful && seen.ids.len() == REMEMBERED && seen.order.len() == REMEMBERED);
        assert!(seen.remember("0") && !seen.remember("5000"));
        let mut seen = Seen::default();
        for n in 0..20 {
            seen.remember(&format!("{n}{}", "x".repeat(1 << 20)));
        }
        assert!(seen.bytes <= REMEMBERED_BYTES && seen.ids.len() == seen.order.len());
    }
}
