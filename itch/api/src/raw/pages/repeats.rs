//! Recognises rows that were sent before, by their exact key, over the last two million rows.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Among how many previous rows repeats are looked for.
const ROWS: usize = 2_000_000;
/// The largest size of the keys in bytes: a numeric key takes at most 9, a UUID 16, any other its length and one. With the
/// index and the lengths (15 bytes a row at most) all of it stays below 64 MiB.
const BYTES: usize = 32 << 20;
/// From here on the index has its largest size: if it grew once more, both copies would exceed the limit.
const FULL_INDEX_FROM: usize = 400_000;

/// The keys of the last rows, oldest first.
///
/// The index finds a key by a hash with a random seed; the key itself is compared before a row counts as repeated.
pub(super) struct Repeats {
    hasher: RandomState,
    /// The number of each row, as the lower half of its position in the whole list.
    index: HashTable<u32>,
    /// The encoded keys of the rows, one after the other.
    keys: VecDeque<u8>,
    /// The length of each encoded key, oldest first, as the end of the key among all bytes that were ever added.
    ends: VecDeque<u32>,
    /// The position of the oldest row.
    first: u32,
    /// Where the oldest key begins among all bytes that were ever added.
    begin: u32,
    forgot: bool,
    rows: usize,
    bytes: usize,
    /// Reused for the key that is looked up.
    encoded: Vec<u8>,
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeats")
            .field("rows", &self.ends.len())
            .finish_non_exhaustive()
    }
}

impl Default for Repeats {
    fn default() -> Repeats {
        Repeats::with_limits(ROWS, BYTES)
    }
}

impl Repeats {
    fn with_limits(rows: usize, bytes: usize) -> Repeats {
        Repeats {
            hasher: RandomState::new(),
            index: HashTable::new(),
            keys: VecDeque::new(),
            ends: VecDeque::new(),
            first: 0,
            begin: 0,
            forgot: false,
            rows,
            bytes,
            encoded: Vec::new(),
        }
    }

    /// Remembers a key; returns whether it is new.
    pub fn remember(&mut self, key: &str) -> bool {
        let mut encoded = std::mem::take(&mut self.encoded);
        encode(key, &mut encoded);
        let new = self.insert(&encoded);
        self.encoded = encoded;
        new
    }

    fn insert(&mut self, key: &[u8]) -> bool {
        let hash = self.hasher.hash_one(key);
        let found = self.index.find(hash, |row| self.key(*row).eq(key.iter().copied()));
        if found.is_some() {
            return false;
        }
        while !self.ends.is_empty() && (self.ends.len() >= self.rows || self.keys.len() + key.len() > self.bytes) {
            self.forget_oldest();
        }
        let row = self.first.wrapping_add(self.ends.len() as u32);
        self.keys.extend(key);
        self.ends.push_back(self.begin.wrapping_add(self.keys.len() as u32));
        if self.ends.len() == FULL_INDEX_FROM {
            self.reserve_index();
        }
        let Repeats {
            hasher,
            index,
            keys,
            ends,
            first,
            begin,
            ..
        } = self;
        index.insert_unique(hash, row, |row| hash_of(hasher, key_of(*row, keys, ends, *first, *begin)));
        true
    }

    /// Among how many rows repeats were looked for, if older rows were forgotten.
    pub fn bound(&self) -> Option<u64> {
        self.forgot.then_some(self.ends.len() as u64)
    }

    fn reserve_index(&mut self) {
        let Repeats {
            hasher,
            index,
            keys,
            ends,
            first,
            begin,
            rows,
            ..
        } = self;
        index
            .reserve(rows.saturating_sub(index.len()), |row| hash_of(hasher, key_of(*row, keys, ends, *first, *begin)));
    }

    fn key(&self, row: u32) -> impl Iterator<Item = u8> {
        key_of(row, &self.keys, &self.ends, self.first, self.begin)
    }

    fn forget_oldest(&mut self) {
        let oldest: Vec<u8> = self.key(self.first).collect();
        let hash = self.hasher.hash_one(&oldest[..]);
        let first = self.first;
        if let Ok(entry) = self.index.find_entry(hash, |row| *row == first) {
            entry.remove();
        }
        self.keys.drain(..oldest.len());
        if let Some(end) = self.ends.pop_front() {
            self.begin = end;
        }
        self.first = first.wrapping_add(1);
        self.forgot = true;
    }
}

/// The hash of an encoded key.
fn hash_of(hasher: &RandomState, key: impl Iterator<Item = u8>) -> u64 {
    hasher.hash_one(&key.collect::<Vec<u8>>()[..])
}

/// The encoded key of a row.
fn key_of(row: u32, keys: &VecDeque<u8>, ends: &VecDeque<u32>, first: u32, begin: u32) -> impl Iterator<Item = u8> {
    let at = row.wrapping_sub(first) as usize;
    let end = ends.get(at).copied().unwrap_or(begin);
    let start = at
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied()
        .unwrap_or(begin);
    let place = |position: u32| position.wrapping_sub(begin) as usize;
    keys.range(place(start)..place(end).max(place(start))).copied()
}

/// Writes a shorter form of a key, different for different keys: the first byte tells the form, except that only a UUID
/// has 16 bytes.
fn encode(key: &str, out: &mut Vec<u8>) {
    out.clear();
    let canonical = !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = key.parse::<u64>().ok().filter(|_| canonical) {
        let length = 8 - number.leading_zeros() as usize / 8;
        out.push(1);
        out.extend_from_slice(&number.to_le_bytes()[..length]);
    } else if let Some(uuid) = uuid(key) {
        out.extend_from_slice(&uuid.to_le_bytes());
    } else if key.len() == 15 {
        out.push(2);
        out.extend_from_slice(key.as_bytes());
        out.push(0);
    } else {
        out.push(3);
        out.extend_from_slice(key.as_bytes());
    }
}

/// A UUID in its usual form: 8-4-4-4-12 digits in lower case.
fn uuid(key: &str) -> Option<u128> {
    let bytes = key.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate() {
        let digit = match (place, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => byte - b'0',
            (_, b'a'..=b'f') => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once() {
        let mut repeats = Repeats::default();
        for key in [
            "1",
            "01",
            "10",
            "18446744073709551615",
            "18446744073709551616",
            "a",
            "b70a0000-0000-0000-0000-00000000000a",
            "B70A0000-0000-0000-0000-00000000000A",
            "\u{1}\u{1}",
            "AwkwardHelplessSalamanderSwiftRage",
        ] {
            assert!(repeats.remember(key), "{key}");
            assert!(!repeats.remember(key), "{key}");
        }
        assert_eq!(repeats.bound(), None);
    }

    #[test]
    fn encoded_keys_do_not_collide() {
        let encoded = |key: &str| {
            let mut out = Vec::new();
            encode(key, &mut out);
            out
        };
        // The number 1 is encoded as the bytes 1, 1.
        assert_ne!(encoded("1"), encoded("\u{1}\u{1}"));
        let fifteen = "fifteen letters";
        assert_eq!((fifteen.len(), encoded(fifteen).len()), (15, 17));
        assert_ne!(encoded(fifteen), encoded(&format!("{fifteen}\0")));
    }

    #[test]
    fn the_oldest_rows_are_forgotten_first() {
        let mut repeats = Repeats::with_limits(1000, 1 << 20);
        for row in 0..5000 {
            assert!(repeats.remember(&format!("row {row}")));
            assert!(!repeats.remember(&format!("row {}", (row - 999_i32).max(0))), "{row}");
        }
        assert_eq!(repeats.bound(), Some(1000));
        assert!(repeats.remember("row 3999"));
        assert!(!repeats.remember("row 4002"));
        let mut few_bytes = Repeats::with_limits(1000, 64);
        for row in 0..100 {
            assert!(few_bytes.remember(&format!("a long key number {row}")));
        }
        assert!(few_bytes.keys.len() <= 64 && few_bytes.ends.len() < 10);
    }

    /// What the fields allocate for the longest memory, with numeric keys and with UUIDs.
    #[test]
    fn two_million_keys_fit() {
        for uuids in [false, true] {
            let mut repeats = Repeats::default();
            for row in 0..2_100_000_u32 {
                let key = match uuids {
                    false => (1_000_000_000 + u64::from(row)).to_string(),
                    true => format!("{row:08x}-0000-4000-8000-000000000000"),
                };
                assert!(repeats.remember(&key));
            }
            let bytes = repeats.index.allocation_size() + repeats.keys.capacity() + 4 * repeats.ends.capacity();
            assert!(bytes <= 64 << 20, "{} MiB", bytes >> 20);
            let bound = repeats.bound().unwrap();
            assert_eq!(bound, 2_000_000);
        }
    }
}
