//! What is known about one page of a walk, and about the totals of all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::body::{Cursor, Rows, Total};

/// How a service pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageStyle {
    /// `{"data":[…],"total":n,"pagination":{"cursor":"…"}}`; page size `first`, next page `after`
    /// (dev.twitch.tv/docs/api/guide#pagination).
    Helix,
    /// `{"follows":[…],"_total":n,"_cursor":"…","_links":{"next":"…"}}`: the next page is the first URL with `cursor`
    /// added, or else the linked URL; only an empty page ends the list (justintv/Twitch-API, v3_resources).
    Kraken {
        /// The field that holds the rows.
        rows: &'static str,
    },
}

/// What a walk does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sift {
    /// Keep the row.
    Keep,
    /// Keep the row, although nobody knows whether the walk should go on after it: a row without a time.
    Unsure,
    /// Leave the row out and continue.
    Skip,
    /// Leave the row out and end the walk.
    Stop,
}

/// Rows of one page of a walk. A page that is larger than the endpoint's largest page comes in several parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its rows, without repeated rows and without those that the filter left out.
    pub rows: Vec<Value>,
    /// The place of each of them among all rows of the page, counted from 1.
    pub places: Vec<u64>,
    /// The size of the whole list, if the service sends it.
    pub total: Option<u64>,
    /// The index of the page, from 0.
    pub number: u64,
    /// Whether the service sent no rows at all, before repeated rows were removed and the filter was applied.
    pub empty: bool,
    /// Whether more pages, or parts of this one, follow.
    pub more: bool,
}

impl Page {
    /// The rows with their places.
    pub(crate) fn placed_rows(self) -> impl Iterator<Item = (u64, Value)> {
        self.places.into_iter().zip(self.rows)
    }
}

/// A page that has arrived, with what is known about the rows that were taken from it.
pub(super) struct OpenPage {
    pub rows: Rows,
    pub next: Cursor,
    pub total: Option<u64>,
    pub number: u64,
    pub empty: bool,
    /// It was asked for again.
    pub again: bool,
    /// Its rows came before: repeated rows are not counted.
    pub seen: bool,
    pub new: bool,
    pub kept: bool,
    pub stopped: bool,
    pub full: bool,
    pub repeated: u64,
    /// Rows with an empty key, by the hash of their text: how often each came on this page.
    pub blanks: HashMap<u64, u32>,
}

/// How the key begins by which a row with an empty key is recognised when its page comes again. No key of a row begins
/// with it.
pub(super) const BLANK: &str = "\0";

impl OpenPage {
    /// The key of a row with an empty key: its whole text, and how often that came on this page before. So equal rows on
    /// one page are different rows, and those of a page that comes again are not.
    pub fn blank(&mut self, row: &Value) -> String {
        let text = hash(&row.to_string());
        let before = self.blanks.entry(text).or_default();
        *before += 1;
        format!("{BLANK}{before} {text:016x}")
    }
}

/// The totals that the service sent during a walk.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub least: Option<u64>,
    pub most: u64,
    pub unreadable: Option<String>,
}

impl Totals {
    pub fn add(&mut self, total: &Total) {
        match total {
            Total::Known(n) => {
                self.least = Some(self.least.map_or(*n, |least| least.min(*n)));
                self.most = self.most.max(*n);
            }
            Total::Absent => {
                self.unreadable.get_or_insert_with(|| "absent".to_owned());
            }
            Total::Unreadable(found) => {
                self.unreadable.get_or_insert_with(|| found.clone());
            }
        }
    }

    pub fn moved(&self) -> u64 {
        self.least.map_or(0, |least| self.most - least)
    }
}

/// The hash of a cursor or of a text, within a run.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
