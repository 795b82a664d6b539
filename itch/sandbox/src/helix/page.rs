//! The envelope around rows: pages of a list, their cursors, and the faults of paging.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::call::{Call, Failure};
use crate::{
    faults::Fault,
    world::{Seed, mix},
};

/// The rows of a page, as indices in the list, and the cursor to the next page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<u32>,
    pub(super) pagination: Pagination,
}

impl Page {
    /// The rows of a list.
    pub(super) fn of<'a, T>(&'a self, list: &'a [T]) -> impl Iterator<Item = &'a T> {
        self.rows.iter().filter_map(|index| list.get(*index as usize))
    }
}

/// `{}` on the last page.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Pagination {
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// `total` and `pagination` are left out if the endpoint does not have them.
#[derive(Serialize)]
pub(super) struct Envelope<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u32>,
    pub(super) data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pagination: Option<Pagination>,
}

/// The position at which a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    offset: u32,
    /// An empty page with a cursor to this position was already sent.
    skipped: bool,
    /// How often an endless list has led back; 0 in any other list.
    round: u64,
}

impl Place {
    fn at(offset: u32) -> Place {
        Place {
            offset,
            skipped: false,
            round: 0,
        }
    }

    fn again(offset: u32) -> Place {
        Place {
            skipped: true,
            ..Place::at(offset)
        }
    }
}

/// The default and the maximum number of rows per page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSize {
    pub(super) default: u32,
    pub(super) maximum: u32,
}

const USUAL: PageSize = PageSize {
    default: 20,
    maximum: 100,
};

/// How many more rows a long page has.
const LONGER: u32 = 30;

/// How many pages later a row returns.
const LATE_PAGES: u32 = 12;

/// A page of a list that repeats its first rows for ever, in another order and under new cursors.
fn endless(list: Seed, place: Place, first: u32, total: u32) -> Page {
    let draws = list.child("endless").of(place.round);
    let start = draws.below(0, u64::from(place.offset) + 1) as u32;
    let mut rows: Vec<u32> = (start..(start + first).min(total)).collect();
    let by = draws.below(1, rows.len() as u64) as usize;
    rows.rotate_left(by);
    let next = Place {
        round: place.round + 1,
        ..place
    };
    let cursor = Some(encode(list, next));
    Page {
        rows,
        pagination: Pagination { cursor },
    }
}

impl Call<'_> {
    /// The page that `first` and `after` ask for, in a list with `total` rows.
    pub(super) fn page(&self, total: u32) -> Result<Page, Failure> {
        self.page_of(total, USUAL)
    }

    /// The same for an endpoint with other page sizes.
    pub(super) fn page_of(&self, total: u32, size: PageSize) -> Result<Page, Failure> {
        let first = self.first(size)?;
        let list = self.list();
        let asked = self.parameters.one("after").filter(|cursor| !cursor.is_empty());
        let place = match asked {
            Some(cursor) => decode(list, cursor)
                .filter(|place| place.offset <= total)
                .ok_or(Failure::bad_request("Invalid cursor."))?,
            None => Place::at(0),
        };
        if place.round > 0 {
            return Ok(endless(list, place, first, total));
        }
        let offset = place.offset;
        let strikes = |fault| self.faults.strike(fault, list, offset.into());
        // Only for positions after the first page: an irregular first page would look like a list that starts this way.
        let midway = offset > 0 && offset < total;

        if midway && !place.skipped && strikes(Fault::NoRows) {
            let cursor = Some(encode(list, Place::again(offset)));
            let pagination = Pagination { cursor };
            return Ok(Page {
                rows: Vec::new(),
                pagination,
            });
        }
        let (repeats, length) = if midway && strikes(Fault::Duplicate) {
            (1 + list.child("repeats").below(offset.into(), 5) as u32, first)
        } else if midway && strikes(Fault::Shift) {
            // As if one user had followed and another had unfollowed since the previous page.
            (1, first - 1)
        } else if strikes(Fault::ShortPage) {
            (0, 1 + list.child("short").below(offset.into(), u64::from(first) - 1) as u32)
        } else if strikes(Fault::LongPage) {
            (0, first + LONGER)
        } else {
            (0, first)
        };
        // A page must not be longer because of repeated rows, and needs at least one new row to make progress.
        let start = offset.saturating_sub(repeats.min(first - 1));
        let mut end = (start + length).max(offset + 1).min(total);
        let mut rows = Vec::new();
        if first > 1 && offset >= LATE_PAGES * first && midway && strikes(Fault::LateRepeat) {
            let again = offset - LATE_PAGES * first;
            let repeats = (first - 1).min(1 + list.child("late").below(offset.into(), 5) as u32);
            rows.extend(again..again + repeats);
            end = end.min(start + length - repeats).max(offset + 1);
        }
        rows.extend(start..end);
        let next = || encode(list, Place::at(end));
        let cursor = match asked {
            Some(cursor) if midway && strikes(Fault::Loop) => Some(cursor.to_owned()),
            _ if offset < total && strikes(Fault::Endless) => Some(encode(list, Place { round: 1, ..place })),
            _ if end < total => Some(next()),
            _ if offset < total && strikes(Fault::EmptyLast) => Some(next()),
            _ => None,
        };
        Ok(Page {
            rows,
            pagination: Pagination { cursor },
        })
    }

    /// On Twitch, lists with a `before` can be read backwards. Here this is an error rather than ignored.
    pub(super) fn only_forward(&self) -> Result<(), Failure> {
        match self.parameters.one("before") {
            Some(_) => Err(Failure::malformed("before", "the sandbox pages forward only")),
            None => Ok(()),
        }
    }

    fn first(&self, size: PageSize) -> Result<u32, Failure> {
        let Some(value) = self.parameters.one("first") else {
            return Ok(size.default);
        };
        match value.parse::<i64>() {
            Err(_) => Err(Failure::malformed("first", "value must be a numeric")),
            Ok(..=0) => Err(Failure::malformed("first", "the value must be greater than or equal to 1")),
            Ok(first) => u32::try_from(first)
                .ok()
                .filter(|first| *first <= size.maximum)
                .ok_or_else(|| {
                    let maximum = size.maximum;
                    let reason = format!("the value must be less than or equal to {maximum}");
                    Failure::malformed("first", &reason)
                }),
        }
    }

    /// Identifies the list by the endpoint and every parameter except those of paging.
    fn list(&self) -> Seed {
        let mut filters: Vec<(&str, &str)> = self
            .parameters
            .iter()
            .filter(|(name, _)| !matches!(*name, "first" | "after"))
            .collect();
        filters.sort_unstable();
        let endpoint = self.seed.child("list").child(self.path);
        filters
            .iter()
            .fold(endpoint, |list, (name, value)| list.child(name).child(value))
    }
}

/// The content of a cursor after base64 decoding, as on Twitch. `b` would be the cursor to the previous page.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    b: Option<Inner>,
    a: Inner,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    #[serde(rename = "Cursor")]
    cursor: String,
}

/// A cursor for a list. Its upper half is a checksum with the list, so that it is invalid for any other list.
fn encode(list: Seed, place: Place) -> String {
    let plain = u64::from(place.offset) << 1 | u64::from(place.skipped);
    let mut seals = list.child("cursor");
    if place.round > 0 {
        seals = seals.of(place.round);
    }
    let seal = seals.draw(plain) >> 33;
    // The position is obfuscated, so that clients that rely on its format fail in the sandbox.
    let number = seal << 33 | (plain ^ mix(seal) & 0x1_ffff_ffff);
    let cursor = match place.round {
        0 => number.to_string(),
        round => format!("{number}.{round}"),
    };
    let content = Content {
        b: None,
        a: Inner { cursor },
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default())
}

/// The position of a cursor; `None` if it was not made for this list.
fn decode(list: Seed, cursor: &str) -> Option<Place> {
    let content: Content = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (number, round) = match content.a.cursor.split_once('.') {
        Some((number, round)) => (number, round.parse().ok()?),
        None => (&*content.a.cursor, 0),
    };
    let number: u64 = number.parse().ok()?;
    let plain = (number & 0x1_ffff_ffff) ^ (mix(number >> 33) & 0x1_ffff_ffff);
    let place = Place {
        offset: u32::try_from(plain >> 1).ok()?,
        skipped: plain & 1 == 1,
        round,
    };
    (encode(list, place) == cursor).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_list_only() {
        let (list, other) = (Seed::new(1), Seed::new(2));
        for offset in [0, 1, 20, 100, 249_999, 9_999_900, u32::MAX] {
            for skipped in [false, true] {
                for round in [0, 1, 700] {
                    let place = Place { offset, skipped, round };
                    let cursor = encode(list, place);
                    assert_eq!(decode(list, &cursor), Some(place));
                    assert_eq!(decode(other, &cursor), None);
                    assert!(cursor.starts_with("eyJiIjpudWxsLCJhIjp7IkN1cnNvciI6I"), "{cursor}");
                }
            }
        }
    }

    #[test]
    fn a_cursor_that_was_tampered_with_is_refused() {
        let list = Seed::new(1);
        let cursor = encode(list, Place::at(4_200));
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert_eq!(decode(list, &tampered), None, "{tampered}");
        }
        for nonsense in ["x", "===", "eyJiIjpudWxsfQ", "17792"] {
            assert_eq!(decode(list, nonsense), None);
        }
    }
}
