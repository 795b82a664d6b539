//! Paging: follows a cursor, with the next page in flight while the current one is read.

mod body;
mod page;
mod repeats;

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use self::body::{Body, Cursor, Next, Total};
use self::page::{BLANK, OpenPage, Totals, hash};
pub use self::page::{Page, PageStyle, Sift};
use self::repeats::Repeats;
use super::reader::{PageReader, key_text};
use super::{Chain, Fact, Freshness, Pending, RawApi, Request, Result};

/// So many pages in a row without a new row end a walk: some lists of Twitch repeat their rows for ever, under a new
/// cursor each time (twitchdev/issues #1188).
const IDLE_PAGES: u32 = 10;
/// So many empty pages in a row that name a next page end a walk (twitchdev/issues #924).
const EMPTY_PAGES: u32 = 2;
/// How often a page that could not be read is fetched again.
const FETCHED_AGAIN: u32 = 2;
/// A list that is shorter than its total by more than this share was cut short. Totals count rows that are not listed
/// (twitchdev/issues #1176).
const CUT_SHORT: f64 = 0.01;

type Sieve = Box<dyn FnMut(&Value) -> Sift + Send>;

/// A walk over the pages of a list.
///
/// Configure it, then take pages with [`Pages::next_page`]. The page after the current one is already in flight.
/// The walk ends when there is no cursor, a cursor is repeated, ten pages in a row have no new row, two in a row are
/// empty, or the limit is reached. With a limit, no unneeded request is sent. A page that cannot be read is fetched
/// again. Totals, repeated rows, loops and gaps are recorded as [facts](Fact).
pub struct Pages {
    api: RawApi,
    request: Request,
    first: Option<Request>,
    style: PageStyle,
    max: u32,
    limit: Option<u64>,
    unique: Option<String>,
    sieve: Option<Sieve>,
    expected: Option<String>,
    state: State,
    /// The page whose rows are being returned.
    open: Option<OpenPage>,
    /// How many rows were returned.
    kept: u64,
    /// How many different rows came.
    seen: u64,
    /// How many rows came without their key.
    lost: u64,
    /// How many of the different rows the filter left out.
    skipped: u64,
    number: u64,
    cursors: HashSet<u64>,
    repeats: Repeats,
    totals: Totals,
    idle: u32,
    empty: u32,
    fetched_again: u32,
    /// The page in flight is fetched again because it was empty, or because the list ended too early.
    asked_again: bool,
    /// That page had rows.
    seen_before: bool,
    /// An empty page in the middle of the list, by its number from 1.
    hollow: Option<u64>,
    /// The request for the page before the one in flight, and the hash of the cursor that it named.
    before: Option<(Box<Request>, u64)>,
    /// That page was fetched again because the service refused its cursor.
    went_back: bool,
    /// The filter has ended the walk at a row, but newer rows may still follow.
    stopping: bool,
    gap: bool,
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
    pub fn new(api: impl Into<RawApi>, mut request: Request, style: PageStyle, max: u32) -> Pages {
        request.list.get_or_insert(match style {
            PageStyle::Helix => "data".into(),
            PageStyle::Kraken { rows } => rows.into(),
        });
        Pages {
            api: api.into(),
            request,
            first: None,
            style,
            max: max.max(1),
            limit: None,
            unique: None,
            sieve: None,
            expected: None,
            state: State::NotStarted,
            open: None,
            kept: 0,
            seen: 0,
            lost: 0,
            skipped: 0,
            number: 0,
            cursors: HashSet::new(),
            repeats: Repeats::default(),
            totals: Totals::default(),
            idle: 0,
            empty: 0,
            fetched_again: 0,
            asked_again: false,
            seen_before: false,
            hollow: None,
            before: None,
            went_back: false,
            stopping: false,
            gap: false,
        }
    }

    /// Ends the walk after this many kept rows.
    pub fn limit(mut self, rows: impl Into<Option<u64>>) -> Pages {
        self.limit = rows.into();
        self
    }

    /// Leaves out rows whose value in this field came before, and records their number. The field is the key of a row: a
    /// row without it is left out and counted as unreadable. A field inside an object is named as a JSON Pointer
    /// (RFC 6901), such as `/user/name`.
    ///
    /// Repeated rows are recognised among the last two million rows, and fewer if their keys are longer than 16 bytes.
    pub fn unique_by(mut self, field: impl Into<String>) -> Pages {
        self.unique = Some(field.into());
        self
    }

    /// Filters the rows that are not repeated. A row at which the filter ends the walk ends it once a whole page has no
    /// row that is kept: lists are not always in order.
    pub fn sift(mut self, sieve: impl FnMut(&Value) -> Sift + Send + 'static) -> Pages {
        self.sieve = Some(Box::new(sieve));
        self
    }

    /// Records the list's total, on the first page and the last, as the expected number of `what`. Rows that the filter
    /// leaves out are not expected; if the filter ends the walk, no number is.
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
            self.first = Some(self.request.clone());
            self.start(self.request.freshness);
        }
        match &self.state {
            State::InFlight(pending) => Some(pending),
            _ => None,
        }
    }

    /// Whether rows of a page that has arrived are still to be returned.
    pub(crate) fn has_arrived(&self) -> bool {
        self.open.is_some()
    }

    /// Waits for the next page and starts the request for the one after it. Returns `None` at the end.
    ///
    /// The walk ends after an error.
    pub fn next_page(&mut self) -> Option<Result<Page>> {
        loop {
            while self.open.is_none() {
                self.pending()?;
                let State::InFlight(pending) = std::mem::replace(&mut self.state, State::Ended) else {
                    return None;
                };
                match self.arrive(*pending) {
                    Ok(open) => self.open = open,
                    Err(error) => return Some(Err(error)),
                }
            }
            let mut open = self.open.take()?;
            let mut page = self.take_rows(&mut open);
            if open.rows.are_taken() || open.full {
                self.finish_page(open);
                page.more = matches!(self.state, State::InFlight(_));
            } else {
                self.open = Some(open);
            }
            // Whether a page without rows is the answer is only known when it was asked for again.
            if !(self.asked_again && page.rows.is_empty()) {
                return Some(Ok(page));
            }
        }
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

    fn start(&mut self, freshness: Freshness) {
        let request = self.request.clone().freshness(freshness);
        self.state = State::InFlight(Box::new(self.api.fetch(request)));
    }

    /// Reads a page that has arrived; `None` if it is fetched again.
    fn arrive(&mut self, pending: Pending) -> Result<Option<OpenPage>> {
        let request = pending.request().clone();
        let response = pending.wait()?;
        if response.status == 400 && self.go_back() {
            return Ok(None);
        }
        response.check(&request)?;
        let body = Body::read(self.style, &request, self.number, response);
        let odd = !matches!(&body, Ok(Body { next, .. }) if !matches!(next, Cursor::Unreadable(_)));
        if odd {
            self.api.note(Fact::Discard {
                request: Box::new(request),
            });
            if self.fetched_again < FETCHED_AGAIN {
                self.fetched_again += 1;
                self.start(Freshness::Fresh);
                return Ok(None);
            }
        }
        let Body { rows, total, next } = body?;
        self.fetched_again = 0;
        self.went_back &= self.asked_again;
        self.totals.add(&total);
        let number = self.number;
        self.number += 1;
        Ok(Some(OpenPage {
            empty: rows.is_empty(),
            rows,
            next,
            total: match total {
                Total::Known(total) => Some(total),
                _ => None,
            },
            number,
            again: std::mem::take(&mut self.asked_again),
            seen: std::mem::take(&mut self.seen_before),
            new: false,
            kept: false,
            stopped: false,
            full: false,
            repeated: 0,
            blanks: HashMap::new(),
        }))
    }

    /// The next rows of a page: at most as many as the endpoint's largest page has.
    fn take_rows(&mut self, open: &mut OpenPage) -> Page {
        let mut page = Page {
            rows: Vec::new(),
            places: Vec::new(),
            total: open.total,
            number: open.number,
            empty: open.empty,
            more: true,
        };
        let mut reader = PageReader::new(&self.api, self.request.path.as_str(), open.number);
        while page.rows.len() < self.max as usize {
            open.full = self.limit.is_some_and(|limit| self.kept >= limit);
            let Some((place, row)) = open.rows.next_row().filter(|_| !open.full) else {
                break;
            };
            if self.is_kept(open, &mut reader, place, &row) {
                self.kept += 1;
                page.rows.push(row);
                page.places.push(place);
            }
        }
        open.full = self.limit.is_some_and(|limit| self.kept >= limit);
        page
    }

    /// Whether a row is new, and the filter keeps it.
    fn is_kept(&mut self, open: &mut OpenPage, reader: &mut PageReader, place: u64, row: &Value) -> bool {
        if let Some(field) = &self.unique {
            let found = match field.starts_with('/') {
                true => row.pointer(field),
                false => row.get(field),
            };
            let key = found.and_then(key_text);
            // Of a page that is read for the second time only new keys count.
            if open.seen && key.as_ref().is_none_or(String::is_empty) {
                return false;
            }
            let Some(key) = key else {
                reader.lost(place, Some(field), found.unwrap_or(&Value::Null));
                self.lost += 1;
                return false;
            };
            // Rows of vanished accounts have an empty key: they are different rows, unless a whole page comes again.
            let key = match key.is_empty() {
                true => open.blank(row),
                false => key,
            };
            if !self.repeats.remember(&key) {
                open.repeated += 1;
                return false;
            }
            open.new |= !key.starts_with(BLANK);
        }
        self.seen += 1;
        match self.sieve.as_mut().map_or(Sift::Keep, |sieve| sieve(row)) {
            Sift::Keep => {
                open.kept = true;
                return true;
            }
            Sift::Unsure => return true,
            Sift::Skip => {}
            Sift::Stop => open.stopped = true,
        }
        self.skipped += 1;
        false
    }

    /// Decides whether there is a next page, and starts its request.
    fn finish_page(&mut self, mut open: OpenPage) {
        if open.repeated > 0 && !open.seen {
            self.api.note(Fact::Repeated { n: open.repeated });
        }
        let stopped = open.stopped && !open.kept && (self.stopping || open.number == 0);
        self.stopping = match (open.stopped, open.kept) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => self.stopping,
        };
        if open.empty && !open.again && matches!(open.next, Cursor::Next(_)) {
            // No such page should exist.
            return self.ask_again(&open);
        }
        // After older rows the list is only looked at, and needs no further page.
        if open.empty && !self.stopping {
            self.hollow = Some(open.number + 1);
        }
        self.empty = if open.empty { self.empty + 1 } else { 0 };
        let idle = self.unique.is_some() && !open.new;
        self.idle = if idle { self.idle + 1 } else { 0 };
        let next = match std::mem::replace(&mut open.next, Cursor::End) {
            _ if stopped || open.full => None,
            Cursor::End => None,
            Cursor::Unreadable(found) => {
                self.gap(format!("the end of page {} could not be read: {found}", open.number + 1));
                None
            }
            Cursor::Next(_) if self.empty >= EMPTY_PAGES => {
                self.gap(format!("page {} was empty but named a next page", open.number + 1));
                None
            }
            Cursor::Next(_) if self.idle >= IDLE_PAGES => {
                self.gap(format!("{IDLE_PAGES} pages in a row brought no new row"));
                None
            }
            Cursor::Next(next) if !self.cursors.insert(hash(&next)) => {
                self.api.note(Fact::Looped);
                self.gap = true;
                None
            }
            Cursor::Next(next) => Some(next),
        };
        if open.number == 0 {
            self.expect_total(false);
        }
        match next {
            Some(next) => self.turn_to(next),
            None if !stopped && !open.full && !self.gap && !open.again && self.may_go_on(&open) => {
                // The list may go on where the service says that it ends.
                self.ask_again(&open);
            }
            None => self.end(stopped, open.full),
        }
    }

    /// After a refusal of a page: fetches the page before it again, once, because the cursor that it named may have been
    /// wrong. Returns whether it does.
    fn go_back(&mut self) -> bool {
        let Some((request, cursor)) = self.before.take().filter(|_| !self.went_back && self.unique.is_some()) else {
            return false;
        };
        self.went_back = true;
        self.cursors.remove(&cursor);
        self.api.note(Fact::Discard {
            request: request.clone(),
        });
        self.request = *request;
        self.number = self.number.saturating_sub(1);
        self.asked_again = true;
        self.seen_before = true;
        self.start(Freshness::Fresh);
        true
    }

    /// Fetches the page that was just read a second time.
    fn ask_again(&mut self, open: &OpenPage) {
        self.asked_again = true;
        self.seen_before = !open.empty;
        self.number = open.number;
        self.start(Freshness::Fresh);
    }

    fn gap(&mut self, reason: String) {
        self.gap = true;
        self.api.note(Fact::Gap {
            from: None,
            to: None,
            reason,
        });
    }

    /// Whether the list may go on after the page that named no next one.
    fn may_go_on(&self, open: &OpenPage) -> bool {
        let all_came =
            self.expected.is_some() && self.totals.least.is_some() && self.seen + self.lost >= self.totals.most;
        let full = open.rows.len() >= self.max as usize && !all_came;
        // Nothing else tells whether an empty list is empty, or a list that ends with a full page was cut.
        if open.empty && open.number == 0 && self.expected.is_none() {
            return true;
        }
        // Without keys the rows of the page would come twice.
        self.unique.is_some() && (self.is_cut_short() || full)
    }

    /// Whether clearly fewer rows came than the service counts.
    fn is_cut_short(&self) -> bool {
        let total = self.totals.least.filter(|_| self.expected.is_some());
        total.is_some_and(|total| {
            let short = total.saturating_sub(self.seen).saturating_sub(self.totals.moved());
            short as f64 > total as f64 * CUT_SHORT
        })
    }

    /// Records what is known at the end of the walk.
    fn end(&mut self, stopped: bool, full: bool) {
        match self.hollow {
            // Without a comparison with the total, nobody would notice.
            Some(page) if stopped && self.expected.is_some() => {
                self.gap(format!("page {page} was empty, in the middle of the list"));
            }
            _ if stopped || full => {}
            _ => self.expect_total(true),
        }
        if let Some(rows) = self.repeats.bound() {
            self.api.note(Fact::SearchedBack { rows });
        }
        if self.gap || !stopped && !full && self.is_cut_short() {
            // Without its first page a walk is fetched as a whole. The last page is where this one went wrong.
            for request in self.first.take().into_iter().chain([self.request.clone()]) {
                self.api.note(Fact::Discard {
                    request: Box::new(request),
                });
            }
        }
        self.repeats = Repeats::default();
        self.cursors = HashSet::new();
    }

    /// Records how many rows the service counts. Those that a filter leaves out are only known at the end.
    fn expect_total(&self, end: bool) {
        let Some(what) = self.expected.clone().filter(|_| end || self.sieve.is_none()) else {
            return;
        };
        match self.totals.least {
            Some(n) => self.api.note(Fact::Expected {
                what: what.clone(),
                n: n.saturating_sub(self.skipped),
            }),
            None if end => self.api.note(Fact::Unreadable {
                what: "`total`".to_owned(),
                n: 1,
                examples: self.totals.unreadable.iter().cloned().collect(),
            }),
            None => {}
        }
        let by = self.totals.moved();
        if end && by > 0 {
            self.api.note(Fact::Moved { what, by });
        }
    }

    /// Starts the request for the next page.
    fn turn_to(&mut self, next: Next) {
        self.before = Some((Box::new(self.request.clone()), hash(&next)));
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
        self.start(self.request.freshness);
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
