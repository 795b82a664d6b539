//! Paging: follows a cursor, with the next page in flight while the current one is read.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::{Chain, Error, ErrorKind, Fact, Pending, RawApi, Request, Result};

/// Repeated rows are searched for in this many earlier pages: lists shift during a walk, but not far.
const REMEMBERED_PAGES: usize = 10;

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
    /// Leave the row out and continue.
    Skip,
    /// Leave the row out and end the walk.
    Stop,
}

/// One page of a walk.
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
}

impl Page {
    /// The rows with their places.
    pub(crate) fn placed_rows(self) -> impl Iterator<Item = (u64, Value)> {
        self.places.into_iter().zip(self.rows)
    }
}

type Sieve = Box<dyn FnMut(&Value) -> Sift + Send>;

/// A walk over the pages of a list.
///
/// Configure it, then take pages with [`Pages::next_page`]. The page after the current one is already in flight.
/// The walk ends when there is no cursor, a page is empty, a cursor is repeated, or the limit is reached. With a
/// limit, no unneeded request is sent. Totals, repeated rows, loops and gaps are recorded as [facts](Fact).
pub struct Pages {
    api: RawApi,
    request: Request,
    style: PageStyle,
    max: u32,
    limit: Option<u64>,
    unique: Option<String>,
    sieve: Option<Sieve>,
    expected: Option<String>,
    state: State,
    kept: u64,
    number: u64,
    recent: VecDeque<Vec<u64>>,
    seen: HashSet<u64>,
}

enum State {
    NotStarted,
    InFlight(Box<Pending>),
    Ended,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("request", &self.request)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Pages {
    /// A walk that begins with this request. `max` is the endpoint's largest page size.
    pub fn new(api: impl Into<RawApi>, request: Request, style: PageStyle, max: u32) -> Pages {
        Pages {
            api: api.into(),
            request,
            style,
            max: max.max(1),
            limit: None,
            unique: None,
            sieve: None,
            expected: None,
            state: State::NotStarted,
            kept: 0,
            number: 0,
            recent: VecDeque::new(),
            seen: HashSet::new(),
        }
    }

    /// Ends the walk after this many kept rows.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> Pages {
        self.limit = rows.into();
        self
    }

    /// Leaves out rows whose value in this field occurred within the last ten pages, and records their number.
    pub fn unique_by(mut self, field: impl Into<String>) -> Pages {
        self.unique = Some(field.into());
        self
    }

    /// Filters the rows that are not repeated.
    pub fn sift(mut self, sieve: impl FnMut(&Value) -> Sift + Send + 'static) -> Pages {
        self.sieve = Some(Box::new(sieve));
        self
    }

    /// Records the list's total, on the first page and the last, as the expected number of `what`.
    pub fn expect(mut self, what: impl Into<String>) -> Pages {
        self.expected = Some(what.into());
        self
    }

    /// The request in flight, to wait for it together with others; `None` when the walk has ended.
    pub fn pending(&mut self) -> Option<&Pending> {
        if matches!(self.state, State::NotStarted) {
            // The request may already belong to a walk.
            self.request.chain.get_or_insert_with(Chain::start);
            self.size_page();
            self.state = State::InFlight(Box::new(self.api.fetch(self.request.clone())));
        }
        match &self.state {
            State::InFlight(pending) => Some(pending),
            _ => None,
        }
    }

    /// Whether rows of a page that has arrived are still to be returned.
    pub(crate) fn has_arrived(&self) -> bool {
        false
    }

    /// Waits for the next page and starts the request for the one after it. Returns `None` at the end.
    ///
    /// The walk ends after an error.
    pub fn next_page(&mut self) -> Option<Result<Page>> {
        self.pending()?;
        let State::InFlight(pending) = std::mem::replace(&mut self.state, State::Ended) else {
            return None;
        };
        Some(pending.json().and_then(|body| self.read(body)))
    }

    /// The rows of all pages, one by one.
    pub fn rows(mut self) -> impl Iterator<Item = Result<Value>> + Send {
        let mut page = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(row) = page.next() {
                    return Some(Ok(row));
                }
                match self.next_page()? {
                    Ok(next) => page = next.rows.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    fn read(&mut self, body: Value) -> Result<Page> {
        let mut parts = match self.style {
            PageStyle::Helix => helix_page(body)?,
            PageStyle::Kraken { rows } => kraken_page(body, rows),
        };
        let number = self.number;
        self.number += 1;
        let empty = parts.rows.is_empty();
        let stopped = self.keep(&mut parts.rows);
        self.kept += parts.rows.len() as u64;
        let full = self.limit.is_some_and(|limit| self.kept >= limit);

        let next = match parts.next {
            _ if stopped || full => None,
            None => None,
            Some(_) if empty => {
                // Only a page without a cursor is the end. If an empty page in the middle counted as the end, the
                // list would be cut short without a warning.
                self.api.note(Fact::Gap {
                    from: None,
                    to: None,
                    reason: format!("page {} was empty but named a next page", number + 1),
                });
                None
            }
            Some(next) if !self.seen.insert(hash(&next)) => {
                self.api.note(Fact::Looped);
                None
            }
            Some(next) => Some(next),
        };
        let ended = next.is_none();
        if let (Some(what), Some(n), true) = (&self.expected, parts.total, number == 0 || ended) {
            let what = what.clone();
            self.api.note(Fact::Expected { what, n });
        }
        if let Some(next) = next {
            self.turn_to(next);
        }
        Ok(Page {
            places: (1..=parts.rows.len() as u64).collect(),
            rows: parts.rows,
            total: parts.total,
            number,
            empty,
        })
    }

    /// Starts the request for the next page.
    fn turn_to(&mut self, next: Next) {
        self.size_page();
        match next {
            Next::Parameter(name, cursor) => self.request.set_query(name, cursor),
            // A cursor that was sent before is kept in addition to the link, like the original itch (2016) did.
            Next::Address { path, inline_query } => {
                self.request.path = path;
                self.request.inline_query = inline_query;
            }
        }
        self.request.chain = self.request.chain.map(Chain::next);
        self.state = State::InFlight(Box::new(self.api.fetch(self.request.clone())));
    }

    /// Removes repeated rows, applies the filter and the limit; returns whether the filter ended the walk.
    fn keep(&mut self, rows: &mut Vec<Value>) -> bool {
        let mut repeated = 0;
        let mut ids = Vec::new();
        let mut stopped = false;
        let mut room = self.limit.map(|limit| limit.saturating_sub(self.kept));
        rows.retain(|row| {
            if stopped || room == Some(0) {
                return false;
            }
            if let Some(id) = self.unique.as_ref().and_then(|field| row.get(field)) {
                let id = hash(id);
                if ids.contains(&id) || self.recent.iter().any(|page| page.contains(&id)) {
                    repeated += 1;
                    return false;
                }
                ids.push(id);
            }
            let keep = match &mut self.sieve {
                None => true,
                Some(sieve) => match sieve(row) {
                    Sift::Keep => true,
                    Sift::Skip => false,
                    Sift::Stop => {
                        stopped = true;
                        false
                    }
                },
            };
            if keep && let Some(room) = &mut room {
                *room -= 1;
            }
            keep
        });
        if self.unique.is_some() {
            if self.recent.len() == REMEMBERED_PAGES {
                self.recent.pop_front();
            }
            self.recent.push_back(ids);
        }
        if repeated > 0 {
            self.api.note(Fact::Repeated { n: repeated });
        }
        stopped
    }

    /// Requests no more rows than are still needed. A filter may leave rows out, so with one every page is full.
    fn size_page(&mut self) {
        if self.style != PageStyle::Helix {
            return; // The old services take the limit only on the first page.
        }
        let wanted = match (self.limit, &self.sieve) {
            (Some(limit), None) => limit.saturating_sub(self.kept),
            _ => u64::MAX,
        };
        self.request.set_query("first", wanted.clamp(1, u64::from(self.max)));
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

struct Parts {
    rows: Vec<Value>,
    total: Option<u64>,
    next: Option<Next>,
}

/// Where the next page is.
#[derive(Hash)]
enum Next {
    /// At the same address, with this parameter.
    Parameter(&'static str, String),
    /// At another address.
    Address { path: String, inline_query: String },
}

/// Parses a Helix envelope. `pagination` may be absent or `{}`, the cursor may be empty or null, and `data` may be
/// null (twurple/twurple handles the same cases).
fn helix_page(mut body: Value) -> Result<Parts> {
    let rows = match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        Some(Value::Null) => Vec::new(),
        _ => {
            return Err(Error::new(ErrorKind::BadData, "Twitch's answer has no list `data`"));
        }
    };
    let cursor = match body.get("pagination") {
        Some(Value::String(cursor)) => Some(cursor.as_str()),
        Some(pagination) => pagination.get("cursor").and_then(Value::as_str),
        None => None,
    };
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    Ok(Parts {
        rows,
        total: body.get("total").and_then(Value::as_u64),
        next: cursor.map(|cursor| Next::Parameter("after", cursor.to_owned())),
    })
}

/// Parses a kraken list. A body without the list ends the walk, like an empty list.
fn kraken_page(mut body: Value, field: &str) -> Parts {
    let rows = match body.get_mut(field).map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    let cursor = match body.get("_cursor") {
        Some(Value::String(cursor)) if !cursor.is_empty() => Some(cursor.clone()),
        Some(Value::Number(cursor)) => Some(cursor.to_string()),
        _ => None,
    };
    let link = || body.get("_links")?.get("next")?.as_str().and_then(kraken_address);
    let next = match cursor {
        _ if rows.is_empty() => None,
        Some(cursor) => Some(Next::Parameter("cursor", cursor)),
        None => link(),
    };
    Parts {
        total: body.get("_total").and_then(Value::as_u64),
        rows,
        next,
    }
}

/// The part of a linked URL after the service's base URL, whatever the base URL is.
fn kraken_address(link: &str) -> Option<Next> {
    // For a base that does not end in `kraken` the whole path is used. If that is wrong, the service returns an error.
    let (_, after_scheme) = link.split_once("://").unwrap_or(("", link));
    let below = after_scheme
        .split_once("/kraken/")
        .or_else(|| after_scheme.split_once('/'))?
        .1;
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    Some(Next::Address {
        path: path.to_owned(),
        inline_query: query.to_owned(),
    })
}
