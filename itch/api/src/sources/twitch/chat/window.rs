//! A window: a part of a recording, fetched by cursor or, if cursors are refused, by offset.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::comments::{CommentPage, Place};
use crate::raw::{ChatMessage, Error, Fact, Pending};

/// A window is halved while it is longer than this many times the range of its first page.
const PAGES_PER_WINDOW: i64 = 24;
/// Windows of at most this many seconds are not cut.
const SHORTEST: i64 = 30;
/// A page with at least this many comments is full; a shorter one is at the end. Full pages of 50 to 100 comments
/// have been observed (jdpurcell/RechatTool #17).
const FULL_PAGE: usize = 50;

/// Repeated comments are searched for among this many previous ones, some dozens of pages: a chain over a whole
/// recording must not remember all of it.
const REMEMBERED: usize = 4096;

/// One window and the state of fetching it.
#[derive(Debug)]
pub(super) struct Window {
    pub start: i64,
    /// The first second after it; `None` for the last window, which has no end.
    pub end: Option<i64>,
    pub place: Place,
    pub pending: Option<Pending>,
    pub ready: VecDeque<ChatMessage>,
    pub failed: Option<Error>,
    pub done: bool,
    /// The last comments, by the hash of their id.
    seen: HashSet<u64>,
    /// The same, oldest first.
    recent: VecDeque<u64>,
    /// The latest second that a page reached.
    reached: i64,
    pages: u32,
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
}

impl Window {
    pub fn new(start: i64, end: Option<i64>) -> Window {
        Window {
            start,
            end,
            place: Place::Offset(start),
            pending: None,
            ready: VecDeque::new(),
            failed: None,
            done: false,
            seen: HashSet::new(),
            recent: VecDeque::new(),
            reached: start,
            pages: 0,
        }
    }

    /// Continues by offset from the second that the pages have reached.
    pub fn step_by_offset(&mut self) {
        if matches!(self.place, Place::Cursor(_)) {
            self.place = Place::Offset(self.reached);
        }
    }

    /// Handles a page and decides where the next one begins. `stepping` means that cursors are refused for every client
    /// id; `length` is the known length of the recording.
    pub fn take(&mut self, page: CommentPage, stepping: bool, length: i64) -> Arrival {
        let mut arrival = Arrival::default();
        self.pages += 1;
        let edges = page.messages.len();
        let last = page.messages.last().map(|message| message.offset);
        let mut repeated = 0;
        let mut new = 0;
        let mut beyond = false;
        for message in page.messages {
            if self.end.is_some_and(|end| message.offset >= end) {
                beyond = true;
                break;
            }
            // A page at an offset may begin slightly before it: those comments belong to the previous window.
            if message.offset < self.start {
                continue;
            }
            if !self.remember(hash(&message.id)) {
                repeated += 1;
                continue;
            }
            new += 1;
            arrival.bytes += size(&message);
            self.ready.push_back(message);
        }
        // Pages at offsets usually overlap; only pages after a cursor should not.
        if repeated > 0 && !stepping {
            arrival.facts.push(Fact::Repeated { n: repeated });
        }
        self.reached = self.reached.max(last.unwrap_or(self.reached));
        let Some(last) = last.filter(|_| !beyond) else {
            // An empty page after a cursor is not the end if it says that there is a next one. (At an offset beyond the
            // last comment it is the end: there `hasNextPage` is known to be wrong.)
            if !beyond && page.has_next && matches!(self.place, Place::Cursor(_)) {
                arrival
                    .facts
                    .push(self.unreachable("a page of comments was empty but named a next page"));
            }
            self.finish();
            return arrival;
        };
        if stepping {
            arrival.facts.extend(self.step(last, new, edges, length));
        } else {
            arrival.facts.extend(self.follow(page.cursor, page.has_next));
            arrival.rest = self.cut(last);
        }
        arrival
    }

    /// The next page after a cursor.
    fn follow(&mut self, cursor: Option<String>, has_next: bool) -> Option<Fact> {
        if has_next && cursor.is_none() {
            let gap = self.unreachable("a page of comments named a next page but not where it is");
            self.finish();
            return Some(gap);
        }
        let next = cursor.filter(|_| has_next).map(Place::Cursor);
        let looped = next.as_ref() == Some(&self.place);
        match next.filter(|_| !looped) {
            Some(place) => self.place = place,
            None => self.finish(),
        }
        looped.then_some(Fact::Looped)
    }

    /// Everything after the second that the pages have reached.
    fn unreachable(&self, reason: &str) -> Fact {
        Fact::Gap {
            from: Some(self.reached.to_string()),
            to: self.end.map(|end| end.to_string()),
            reason: reason.to_owned(),
        }
    }

    /// The next page by offset: from the last second again while that returns new comments, else from the next second.
    fn step(&mut self, last: i64, new: usize, edges: usize, length: i64) -> Option<Fact> {
        let asked = match self.place {
            Place::Offset(asked) => asked,
            Place::Cursor(_) => last,
        };
        let here = last.max(asked);
        let mut gap = None;
        let next = if new > 0 {
            here
        } else {
            // The page was full, had nothing new and did not get past this second: its remaining comments cannot be
            // fetched.
            if edges >= FULL_PAGE && last <= asked {
                gap = Some(Fact::Gap {
                    from: Some(asked.to_string()),
                    to: Some((asked + 1).to_string()),
                    reason: "more comments in one second than a page holds, and Twitch refused to page on".to_owned(),
                });
            }
            here + 1
        };
        // An open window continues as long as new comments arrive, and at least to a minute after the known length.
        let over = match self.end {
            Some(end) => next >= end,
            None => new == 0 && next >= length.saturating_add(60),
        };
        if over {
            self.finish();
        } else {
            self.place = Place::Offset(next);
        }
        gap
    }

    /// Cuts off the rest after the first page if the window has too many messages. The cut depends on the data only, so
    /// that a later run sends the same requests.
    fn cut(&mut self, last: i64) -> Option<Window> {
        let (1, Some(end), false) = (self.pages, self.end, self.done) else {
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
        self.end = Some(middle);
        // Messages that already arrived are kept: the first page ends before the middle.
        Some(Window::new(middle, Some(end)))
    }

    /// Remembers a comment; returns whether it is new.
    fn remember(&mut self, id: u64) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.recent.push_back(id);
        if self.recent.len() > REMEMBERED
            && let Some(oldest) = self.recent.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    fn finish(&mut self) {
        self.done = true;
        self.seen = HashSet::new();
        self.recent = VecDeque::new();
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// The approximate memory size of a message.
pub(super) fn size(message: &ChatMessage) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offsets: &[i64], cursor: Option<&str>, has_next: bool) -> CommentPage {
        let message = |(place, offset): (usize, &i64)| ChatMessage {
            id: format!("{offset}-{place}"),
            offset: *offset,
            created_at: None,
            commenter: Some(Default::default()),
            color: None,
            badges: Vec::new(),
            text: String::new(),
            emotes: Vec::new(),
        };
        CommentPage {
            messages: offsets.iter().enumerate().map(message).collect(),
            cursor: cursor.map(str::to_owned),
            has_next,
        }
    }

    fn offsets(window: &Window) -> Vec<i64> {
        window.ready.iter().map(|message| message.offset).collect()
    }

    #[test]
    fn a_window_takes_its_own_seconds_only() {
        let mut window = Window::new(10, Some(20));
        window.take(page(&[8, 9, 10, 11], Some("a"), true), false, 100);
        assert_eq!((offsets(&window), window.done), (vec![10, 11], false));
        assert_eq!(window.place, Place::Cursor("a".to_owned()));
        window.take(page(&[19, 20, 21], Some("b"), true), false, 100);
        assert_eq!((offsets(&window), window.done), (vec![10, 11, 19], true));
    }

    #[test]
    fn a_dense_window_is_cut_by_its_first_page_alone() {
        let mut window = Window::new(0, Some(1200));
        let rest = window.take(page(&[0, 10], Some("a"), true), false, 9999).rest.unwrap();
        assert_eq!((window.end, rest.start, rest.end), (Some(150), 150, Some(1200)));
        assert!(window.take(page(&[11], Some("b"), true), false, 9999).rest.is_none());
        let mut sparse = Window::new(0, Some(1200));
        assert!(sparse.take(page(&[0, 60], Some("a"), true), false, 9999).rest.is_none());
    }

    #[test]
    fn a_page_that_promises_more_than_it_gives_is_a_gap() {
        let is_gap = |arrival: &Arrival| matches!(&arrival.facts[..], [Fact::Gap { .. }]);
        let mut window = Window::new(0, None);
        let arrival = window.take(page(&[1], None, true), false, 100);
        assert!(window.done && is_gap(&arrival));
        let mut window = Window::new(0, None);
        window.take(page(&[1], Some("a"), true), false, 100);
        let arrival = window.take(page(&[], None, true), false, 100);
        assert!(window.done && is_gap(&arrival));
        let mut window = Window::new(0, None);
        let arrival = window.take(page(&[], None, true), false, 100);
        assert!(window.done && arrival.facts.is_empty(), "beyond the end an offset promises too much");
    }

    #[test]
    fn a_cursor_that_comes_again_is_a_loop() {
        let mut window = Window::new(0, None);
        window.take(page(&[1], Some("a"), true), false, 100);
        let arrival = window.take(page(&[2], Some("a"), true), false, 100);
        assert!(window.done && arrival.facts.contains(&Fact::Looped));
    }

    #[test]
    fn a_second_that_holds_more_than_a_page_is_named_when_stepping() {
        let mut window = Window::new(0, Some(100));
        let full = vec![7; 59];
        window.take(page(&[1, 5, 7], None, true), true, 100);
        assert_eq!(window.place, Place::Offset(7));
        let arrival = window.take(page(&full, None, true), true, 100);
        assert_eq!((arrival.facts.len(), &window.place), (0, &Place::Offset(7)));
        let arrival = window.take(page(&full, None, true), true, 100);
        assert!(matches!(&arrival.facts[..], [Fact::Gap { from: Some(from), .. }] if from == "7"), "{arrival:?}");
        assert_eq!(window.place, Place::Offset(8));
    }

    #[test]
    fn stepping_goes_beyond_the_known_length_as_long_as_something_comes() {
        let mut window = Window::new(0, None);
        for last in [50, 150, 250] {
            window.take(page(&[last - 1, last], None, true), true, 10);
            assert!(!window.done, "{last}");
        }
        window.take(page(&[249, 250], None, true), true, 10);
        assert!(window.done);
        assert_eq!(offsets(&window), [49, 50, 149, 150, 249, 250]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut window = Window::new(0, None);
        for second in 0..20_000 {
            window.take(page(&[second, second], Some("a"), true), false, 100);
            window.take(page(&[second], Some("b"), true), false, 100);
        }
        assert!(window.seen.len() <= REMEMBERED && window.recent.len() <= REMEMBERED);
        assert_eq!(window.ready.len(), 40_000);
    }

    #[test]
    fn stepping_ends_where_nothing_comes_any_more() {
        let mut window = Window::new(0, None);
        window.take(page(&[1, 5], None, true), true, 10);
        window.take(page(&[], None, true), true, 10);
        assert!(window.done);
    }
}
