//! A window: a part of a recording, fetched by cursor or, if cursors are refused, by offset.

use std::collections::VecDeque;

use super::comments::{CommentPage, Place};
use super::rows::{nullable, read_row};
use crate::raw::reader::PageReader;
use crate::raw::{ChatMessage, Error, Fact, Pending, Request};
use crate::sources::seen::{REMEMBERED, Seen};

/// A window is halved while it is longer than this many times the range of its first page.
const PAGES_PER_WINDOW: i64 = 24;
/// Windows of at most this many seconds are not cut.
const SHORTEST: i64 = 30;
/// The smallest size of full pages that was seen (jdpurcell/RechatTool #17), until the data shows another.
const FULL_PAGE: usize = 50;
/// After this many pages in a row without a new comment, the service only repeats itself.
const MOST_BARREN: u32 = 10;
/// How often an end is asked about if the answers contradict what is known.
const MOST_CHECKS: u32 = 3;
/// How often the last window is asked about again if it has no comment.
const EMPTY_CHECKS: u32 = 2;
/// After this many pages after a cursor in a row that had no data, the window fails.
const MOST_REFUSED: u32 = 3;

/// How far a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A page is in flight or to be requested.
    Going,
    /// The service said that there are no more comments, although the window has not reached its end. It is wrong if a
    /// later window has comments.
    Doubtful,
    /// All of its messages have arrived.
    Done,
}

/// One window and the state of fetching it.
#[derive(Debug)]
pub(super) struct Window {
    pub start: i64,
    /// The first second after it; `None` if it has no end.
    pub end: Option<i64>,
    /// Whether no other window follows it.
    pub is_last: bool,
    pub place: Place,
    pub pending: Option<Pending>,
    pub ready: VecDeque<ChatMessage>,
    pub failed: Option<Error>,
    pub state: State,
    /// The latest second that a comment of its pages has, also one of another window.
    pub furthest: Option<i64>,
    /// The next page must not come from a cache: the same request was just answered.
    pub fresh: bool,
    /// Whether its last page came from a cache.
    pub from_cache: bool,
    /// How many pages have arrived.
    pub pages: u64,
    /// The request whose answer said that there are no more comments.
    pub claim: Option<Box<Request>>,
    seen: Seen,
    /// The latest second that its own comments have reached.
    reached: i64,
    /// Whether it has any comment.
    found: bool,
    barren: u32,
    refused: u32,
    check: Option<Check>,
    /// A second at which a page by offset ended. If something follows, the rest of this second is out of reach.
    cut_off: Option<(i64, usize)>,
    /// The number of comments of the page before.
    previous: usize,
}

/// After an end that came too early: the question, by offset, whether there is more after the last comment.
#[derive(Clone, Copy, Debug)]
struct Check {
    reached: i64,
    /// Whether the answer had any comments: by offset it begins with those that are known.
    answered: bool,
    /// Whether a later window has comments, so that the end was wrong for certain.
    refuted: bool,
    /// How often it was asked.
    times: u32,
}

/// The sizes of full pages, learned from the data of all windows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PageSize(usize);

impl PageSize {
    /// Whether a page of this size may have been cut off at its end. Sizes vary a little: 50, 58 and 60 were seen.
    fn is_full(self, comments: usize) -> bool {
        match self.0 {
            0 => comments >= FULL_PAGE,
            size => comments * 4 >= size * 3,
        }
    }
}

/// The result of handling a page of a window.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// Bytes of the new messages.
    pub bytes: usize,
    /// The facts to record.
    pub facts: Vec<Fact>,
    /// The rest of the window, cut off as a separate window.
    pub rest: Option<Window>,
    /// The page is not to be used again.
    pub is_bad: bool,
    /// The page says that there are no more comments.
    pub claims_end: bool,
    /// The page shows that the claimed end was none.
    pub refutes_end: bool,
}

/// What a page brought.
#[derive(Debug, Default)]
struct Brought {
    edges: usize,
    new: usize,
    repeated: u64,
    /// The second that it reaches.
    last: Option<i64>,
}

/// Up to which second a page reaches. Rows come in order; if they do not, the second that is largest but one counts, so
/// that one odd row does not end a window.
#[derive(Debug, Default)]
struct Reach {
    last: Option<i64>,
    largest: Option<i64>,
    largest_but_one: Option<i64>,
    unordered: bool,
}

impl Reach {
    fn add(&mut self, offset: i64) {
        self.unordered |= self.last.is_some_and(|last| offset < last);
        self.last = Some(offset);
        if self.largest.is_none_or(|largest| offset >= largest) {
            self.largest_but_one = self.largest;
            self.largest = Some(offset);
        } else {
            self.largest_but_one = self.largest_but_one.max(Some(offset));
        }
    }

    fn second(&self) -> Option<i64> {
        match self.unordered {
            true => self.largest_but_one,
            false => self.last,
        }
    }
}

impl Window {
    pub fn new(start: i64, end: Option<i64>, is_last: bool) -> Window {
        Window {
            start,
            end,
            is_last,
            place: Place::Offset(start),
            pending: None,
            ready: VecDeque::new(),
            failed: None,
            state: State::Going,
            furthest: None,
            fresh: false,
            from_cache: false,
            pages: 0,
            claim: None,
            seen: Seen::default(),
            reached: start,
            found: false,
            barren: 0,
            refused: 0,
            check: None,
            cut_off: None,
            previous: 0,
        }
    }

    /// Continues by offset from the second that the pages have reached.
    pub fn step_by_offset(&mut self) {
        if matches!(self.place, Place::Cursor(_)) {
            self.place = Place::Offset(self.reached);
        }
    }

    /// After an answer without data: continues by offset where the page after a cursor cannot be had. Returns whether it
    /// may.
    pub fn pass_by_offset(&mut self) -> bool {
        self.refused += 1;
        let may = matches!(self.place, Place::Cursor(_)) && self.refused <= MOST_REFUSED;
        if may {
            self.step_by_offset();
        }
        may
    }

    /// Whether a comment at this second of a later window contradicts the end of this one.
    pub fn is_refuted_by(&self, furthest: i64) -> bool {
        match self.found {
            true => furthest > self.reached,
            false => furthest >= self.start,
        }
    }

    /// Asks again from the last second. `refuted` means that there are more comments for certain.
    pub fn look_again(&mut self, refuted: bool) {
        self.state = State::Going;
        self.check = Some(Check {
            reached: self.reached,
            answered: false,
            refuted,
            times: 1 + self.check.map_or(0, |check| check.times),
        });
        // The page that ended the window may have been at the same offset.
        self.fresh = self.place == Place::Offset(self.reached) && (refuted || !self.from_cache);
        self.place = Place::Offset(self.reached);
    }

    /// The latest second that its own comments have reached.
    pub fn reached(&self) -> i64 {
        self.reached
    }

    /// Whether the window asks whether its end is one.
    pub fn is_checking(&self) -> bool {
        self.check.is_some()
    }

    /// Nothing contradicts the end that was claimed; returns what may be missing all the same.
    pub fn confirm(&mut self, size: PageSize) -> Option<Fact> {
        let second = self.full_second(size);
        self.finish();
        second.map(Window::second_cut_off)
    }

    /// Handles a page and decides where the next one begins. `stepping` means that cursors are refused for every client
    /// id.
    pub fn take(
        &mut self,
        page: CommentPage<'_>,
        reader: &mut PageReader,
        stepping: bool,
        size: &mut PageSize,
    ) -> Arrival {
        let mut arrival = Arrival::default();
        self.pages += 1;
        self.fresh = false;
        self.refused = 0;
        let brought = self.keep(&page, reader, &mut arrival);
        // Pages at offsets usually overlap; only pages after a cursor should not.
        if brought.repeated > 0 && matches!(self.place, Place::Cursor(_)) {
            arrival.facts.push(Fact::Repeated { n: brought.repeated });
        }
        let is_beyond = self.end.zip(brought.last).is_some_and(|(end, last)| last >= end);
        if brought.new > 0 {
            size.0 = size.0.max(self.previous);
            arrival.refutes_end = self.check.take().is_some();
            self.barren = 0;
        } else {
            self.barren += 1;
        }
        self.previous = brought.edges;
        if let Some(check) = self.check.as_mut() {
            check.answered |= brought.edges > 0;
        }
        self.note_cut_off(is_beyond, &mut arrival);
        if is_beyond {
            self.finish();
        } else if brought.edges == 0 {
            self.end_claimed(*size, &mut arrival);
        } else if self.barren >= MOST_BARREN {
            let reason = format!("{MOST_BARREN} pages of comments in a row had nothing new");
            self.give_up(&reason, &mut arrival);
        } else if stepping {
            self.step(&brought, *size, &mut arrival);
        } else {
            self.follow(page, &brought, *size, &mut arrival);
            arrival.rest = brought.last.and_then(|last| self.cut(last));
        }
        arrival
    }

    /// Keeps the new comments of a page that belong to the window, in order.
    fn keep(&mut self, page: &CommentPage<'_>, reader: &mut PageReader, arrival: &mut Arrival) -> Brought {
        let mut brought = Brought {
            edges: page.edges.len(),
            ..Brought::default()
        };
        let mut reach = Reach::default();
        let first = self.ready.len();
        let remembered_all = !self.seen.forgetful;
        for (place, edge) in (1..).zip(&page.edges) {
            let message = read_row(reader, place, edge, |id, offset| {
                reach.add(offset);
                self.furthest = self.furthest.max(Some(offset));
                // A page at an offset may begin slightly before it: those comments belong to the previous window.
                if offset < self.start || self.end.is_some_and(|end| offset >= end) {
                    return false;
                }
                let is_new = self.seen.remember(id);
                brought.repeated += u64::from(!is_new);
                is_new
            });
            if let Some(message) = message {
                brought.new += 1;
                arrival.bytes += size_of_message(&message);
                self.ready.push_back(message);
            }
        }
        for (row, name) in &page.named {
            if let Some(model) = nullable(name) {
                reader.unreadable(model, row + 1, name, Some(&serde_json::Value::Null));
            }
        }
        // Rows come in the order of their seconds and, within one, of their times. A time that cannot be read has no place.
        let is_timed = self.ready.range(first..).all(|message| message.created_at.is_some());
        let place = |message: &ChatMessage| (message.offset, message.created_at.filter(|_| is_timed));
        if !self.ready.range(first..).is_sorted_by_key(place) {
            self.ready.make_contiguous()[first..].sort_by_key(place);
        }
        if remembered_all && self.seen.forgetful {
            let rows = REMEMBERED as u64;
            arrival.facts.push(Fact::SearchedBack { rows });
        }
        self.found |= brought.new > 0;
        brought.last = reach.second();
        if let Some(last) = brought.last.filter(|last| self.end.is_none_or(|end| *last < end)) {
            self.reached = self.reached.max(last);
        }
        brought
    }

    /// Notes that the rest of a second cannot be fetched, once it is known that something follows it.
    fn note_cut_off(&mut self, is_beyond: bool, arrival: &mut Arrival) {
        let reached = self.reached;
        let follows = |second: i64| is_beyond || reached > second;
        if let Some((second, _)) = self.cut_off.take_if(|(second, _)| follows(*second)) {
            arrival.facts.push(Window::second_cut_off(second));
        }
    }

    fn second_cut_off(second: i64) -> Fact {
        Fact::Gap {
            from: Some(second.to_string()),
            to: Some((second + 1).to_string()),
            reason: "more comments in one second than a page holds, and Twitch refused to page on".to_owned(),
        }
    }

    /// The next page after a cursor.
    fn follow(&mut self, page: CommentPage<'_>, brought: &Brought, size: PageSize, arrival: &mut Arrival) {
        let by_offset = matches!(self.place, Place::Offset(_));
        // A page at an offset names a next page even at the end. If it only has what is known, there is one if the
        // page is full, or a later window has comments.
        let confirms = by_offset && brought.new == 0 && self.check.is_some_and(|check| !check.refuted);
        let next = page.cursor.map(Place::Cursor);
        match (page.has_next, next) {
            (Some(false), _) => self.end_claimed(size, arrival),
            _ if confirms && !size.is_full(brought.edges) => self.end_claimed(size, arrival),
            (_, Some(next)) if next == self.place => {
                arrival.facts.push(Fact::Looped);
                arrival.is_bad = true;
                self.finish();
            }
            (_, Some(next)) => self.place = next,
            (Some(true), None) => self.step(brought, size, arrival),
            (None, None) => self.end_claimed(size, arrival),
        }
    }

    /// The next page by offset: from the last second again after new comments, else from the second after it.
    fn step(&mut self, brought: &Brought, size: PageSize, arrival: &mut Arrival) {
        let asked = match self.place {
            Place::Offset(asked) => asked,
            Place::Cursor(_) => i64::MIN,
        };
        if asked > self.reached {
            // Asked from after the last comment, and nothing came that is new.
            return self.end_claimed(size, arrival);
        }
        if asked < self.reached {
            self.place = Place::Offset(self.reached);
            return;
        }
        // The page began with the last second, and did not get beyond it: it was cut off there, or nothing follows.
        self.cut_off = Some((self.reached, brought.edges));
        if !size.is_full(brought.edges) {
            self.check.get_or_insert(Check {
                reached: self.reached,
                answered: true,
                refuted: false,
                times: 0,
            });
        }
        self.place = Place::Offset(self.reached + 1);
    }

    /// The page says that there are no more comments.
    fn end_claimed(&mut self, size: PageSize, arrival: &mut Arrival) {
        arrival.claims_end = true;
        match self.check.filter(|check| check.reached == self.reached) {
            None if self.is_last => self.look_again(false),
            None => self.state = State::Doubtful,
            // The answer contradicts what is known, so it may be a fault that passes.
            Some(check) if check.times < MOST_CHECKS && (check.refuted || self.found && !check.answered) => {
                self.look_again(check.refuted);
            }
            // A window without any comment has nothing that the answer could contradict.
            Some(check) if check.times < EMPTY_CHECKS && self.is_last && !self.found => self.look_again(false),
            Some(check) if check.refuted => {
                self.give_up("Twitch ended the list of comments, but there are later ones", arrival);
            }
            Some(check) if check.answered || !self.found => match self.is_last {
                true => arrival.facts.extend(self.confirm(size)),
                false => self.state = State::Doubtful,
            },
            Some(_) => self.give_up("Twitch no longer returned the last comments", arrival),
        }
    }

    /// The last second, if it may have more comments: the page that ended there was full.
    fn full_second(&mut self, size: PageSize) -> Option<i64> {
        let (second, comments) = self.cut_off.take()?;
        size.is_full(comments).then_some(second)
    }

    /// Ends the window with a gap after the second that the pages have reached.
    fn give_up(&mut self, reason: &str, arrival: &mut Arrival) {
        arrival.facts.push(Fact::Gap {
            from: Some(self.reached.to_string()),
            to: self.end.map(|end| end.to_string()),
            reason: reason.to_owned(),
        });
        arrival.is_bad = true;
        arrival.refutes_end = true;
        self.finish();
    }

    /// Cuts off the rest after the first page if the window has too many messages. The cut depends on the data only, so
    /// that a later run sends the same requests.
    fn cut(&mut self, last: i64) -> Option<Window> {
        let (1, Some(end), State::Going, None) = (self.pages, self.end, self.state, self.check) else {
            return None;
        };
        let covered = (last - self.start).max(1);
        let mut width = end - self.start;
        while width > SHORTEST && width > covered.saturating_mul(PAGES_PER_WINDOW) {
            width = (width + 1) / 2;
        }
        let middle = self.start + width;
        if middle >= end {
            return None;
        }
        // Messages that already arrived are kept: the first page ends before the middle.
        self.end = Some(middle);
        Some(Window::new(middle, Some(end), std::mem::take(&mut self.is_last)))
    }

    fn finish(&mut self) {
        self.state = State::Done;
        self.seen = Seen::default();
    }
}

/// The approximate memory size of a message.
pub(super) fn size_of_message(message: &ChatMessage) -> usize {
    let author = message
        .commenter
        .as_ref()
        .map_or(0, |a| a.id.len() + a.login.len() + a.display_name.len());
    let badges: usize = message
        .badges
        .iter()
        .map(|(set, version)| 48 + set.len() + version.len())
        .sum();
    let emotes: usize = message.emotes.iter().map(|emote| 32 + emote.id.len()).sum();
    size_of::<ChatMessage>() + message.id.len() + message.text.len() + author + badges + emotes
}
