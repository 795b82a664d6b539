//! Fetches the windows of a recording over several connections, and returns their messages in order.

use std::collections::VecDeque;

use super::answer::{Refusal, is_without_data};
use super::asking::{Asking, is_no_client, is_refused_client, refused_everywhere};
use super::comments::read_comments;
use super::window::{Arrival, PageSize, State, Window, size_of_message};
use crate::raw::reader::PageReader;
use crate::raw::{ChatMessage, Fact, Freshness, Pending, RawApi, Request, Response, Result};
use crate::sources::parameters::ChatParameters;

/// How many windows after the last comments are asked about again. More of them are silent hours, not a fault.
const ENDS_CHECKED: usize = 8;
/// The limit in bytes for comments that were not yet returned.
const HELD: usize = 8 * 1024 * 1024;

/// A recording whose chat goes on for this many seconds after its known length still grows.
const LATE: i64 = 60;

/// The messages of a recording.
pub(super) struct Replay {
    api: RawApi,
    video: String,
    asking: Asking,
    /// The known length in seconds.
    length: Option<i64>,
    freshness: Freshness,
    connections: usize,
    /// Windows that have not started.
    layout: VecDeque<(i64, Option<i64>)>,
    /// Windows that have started, oldest first.
    windows: VecDeque<Window>,
    page_size: PageSize,
    /// Where the first window begins.
    from: i64,
    /// Bytes of the messages that were not yet returned.
    held: usize,
    /// How many messages are still to be returned.
    left: Option<u64>,
    /// Returned messages without an author that are not yet recorded as a fact.
    nameless: u64,
    over: bool,
}

impl Replay {
    pub fn new(
        api: &RawApi,
        asked: ChatParameters,
        asking: Asking,
        (length, freshness): (Option<i64>, Freshness),
        connections: usize,
        layout: VecDeque<(i64, Option<i64>)>,
    ) -> Replay {
        Replay {
            length,
            freshness,
            left: asked.limit,
            nameless: 0,
            api: api.clone(),
            video: asked.video,
            asking,
            connections,
            layout,
            windows: VecDeque::new(),
            page_size: PageSize::default(),
            from: asked.from,
            held: 0,
            over: asked.to.is_some_and(|to| to <= asked.from),
        }
    }

    /// Starts as many requests as there are connections, oldest windows first.
    fn start_requests(&mut self) {
        let enough = |window: &Window| self.left.is_some_and(|left| window.ready.len() as u64 >= left);
        if self.windows.front().is_some_and(enough) {
            return;
        }
        self.reopen();
        let mut free = self
            .connections
            .saturating_sub(self.windows.iter().filter(|w| w.pending.is_some()).count());
        let mut place = 0;
        while free > 0 {
            if place > 0 && self.held >= HELD {
                return; // Only the oldest window continues: its messages are returned next.
            }
            if place == self.windows.len() {
                let Some((start, end)) = self.layout.pop_front() else {
                    return;
                };
                self.windows.push_back(Window::new(start, end, self.layout.is_empty()));
            }
            let window = &self.windows[place];
            if window.pending.is_none() && window.state == State::Going && window.failed.is_none() {
                let freshness = self.freshness(window);
                let request = self.asking.request(&self.video, &window.place, freshness);
                self.windows[place].pending = Some(self.api.fetch(request));
                free -= 1;
            }
            place += 1;
        }
    }

    /// How old the next page of a window may be.
    fn freshness(&self, window: &Window) -> Freshness {
        let freshness = match self.has_grown(window) {
            true => Freshness::Growing,
            false => self.freshness,
        };
        // A page at an offset does not say whether it is the last, so the end of a growing recording is always fetched.
        let may_grow = freshness == Freshness::Growing && window.is_last;
        match window.fresh || may_grow && (self.asking.stepping || window.is_checking()) {
            true => Freshness::Fresh,
            false => freshness,
        }
    }

    /// Whether the chat has gone on after the known end, whatever the time says.
    fn has_grown(&self, window: &Window) -> bool {
        let late = |length: i64| window.reached() >= length.saturating_add(LATE);
        window.is_last && self.length.is_some_and(late)
    }

    /// Asks again where a later window contradicts the end of one.
    fn reopen(&mut self) {
        let mut furthest: Option<i64> = None;
        for window in self.windows.iter_mut().rev() {
            if window.state == State::Doubtful && furthest.is_some_and(|furthest| window.is_refuted_by(furthest)) {
                window.look_again(true);
            }
            furthest = furthest.max(window.furthest);
        }
    }

    /// Waits for the first page that arrives and handles it; returns whether there was a request to wait for.
    fn wait(&mut self) -> Result<bool> {
        let waiting = self.windows.iter().enumerate();
        let waiting: Vec<(usize, &Pending)> = waiting
            .filter_map(|(place, window)| Some((place, window.pending.as_ref()?)))
            .collect();
        if waiting.is_empty() {
            return Ok(false);
        }
        let pendings: Vec<&Pending> = waiting.iter().map(|(_, pending)| *pending).collect();
        let place = waiting[self.api.wait_any(&pendings)?].0;
        if let Some(pending) = self.windows[place].pending.take()
            && let Err(error) = self.arrive(place, pending)
        {
            if error.is_cancelled() {
                return Err(error);
            }
            // Messages of earlier windows are still returned before the error.
            self.windows[place].failed = Some(error);
        }
        Ok(true)
    }

    fn arrive(&mut self, place: usize, pending: Pending) -> Result<()> {
        let request = pending.request().clone();
        let asked = request.body.clone().unwrap_or_default();
        let by_cursor = asked.pointer("/variables/cursor").is_some();
        let mut no_other = false;
        let refusal = match pending.wait() {
            Ok(response) => match self.page(place, &request, &response, by_cursor) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => Ok(refusal),
                Err(error) => Err(error),
            },
            Err(error) if is_no_client(&error) => {
                no_other = true;
                Ok(Refusal::Client)
            }
            Err(error) if is_refused_client(&error) => Ok(Refusal::Client),
            Err(error) => Err(error),
        };
        match refusal {
            Ok(Refusal::NotUnderstood(words)) => {
                if self.asking.change_form(&asked, &words)? {
                    // The pages of the other form have another size.
                    self.page_size = PageSize::default();
                }
                Ok(())
            }
            Ok(Refusal::Integrity | Refusal::Client) => self.refused(request.gql_client, by_cursor, no_other),
            // The list after a cursor is not to be had, but by offset it may be.
            Err(error) if by_cursor && is_without_data(&error) && self.windows[place].pass_by_offset() => {
                self.asking.cursor_without_data();
                self.step_by_offset();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Handles the answer with a page of a window.
    fn page(
        &mut self,
        place: usize,
        request: &Request,
        response: &Response,
        by_cursor: bool,
    ) -> Result<Result<(), Refusal>> {
        let page = match read_comments(response, &self.video)? {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.asking.accepted(by_cursor);
        let window = &mut self.windows[place];
        let endpoint = match window.start == self.from {
            true => "video-comments".to_owned(),
            false => format!("video-comments from second {}", window.start),
        };
        let mut reader = PageReader::new(&self.api, endpoint, window.pages);
        window.from_cache = response.from_cache();
        let arrival = window.take(page, &mut reader, self.asking.stepping, &mut self.page_size);
        drop(reader);
        self.note(place, request, arrival);
        Ok(Ok(()))
    }

    /// Records what a page showed.
    fn note(&mut self, place: usize, request: &Request, arrival: Arrival) {
        self.held += arrival.bytes;
        arrival.facts.into_iter().for_each(|fact| self.api.note(fact));
        let discard = |request: Box<Request>| self.api.note(Fact::Discard { request });
        let has_grown = self.has_grown(&self.windows[place]) && request.freshness == Freshness::Immutable;
        let claim = &mut self.windows[place].claim;
        if arrival.refutes_end {
            claim.take().into_iter().for_each(discard);
        }
        if arrival.is_bad || arrival.claims_end && has_grown {
            discard(Box::new(request.clone()));
        } else if arrival.claims_end {
            *claim = Some(Box::new(request.clone()));
        }
        if let Some(rest) = arrival.rest {
            self.windows.insert(place + 1, rest);
        }
    }

    /// A client id was refused.
    fn refused(&mut self, client: usize, by_cursor: bool, no_other: bool) -> Result<()> {
        // Requests sent before the last change may still be in flight: their refusal means nothing new.
        let as_now = client == self.asking.client;
        if as_now && !by_cursor && self.asking.stepping && !self.asking.may_ask_again() {
            return Err(refused_everywhere());
        }
        if as_now && !self.asking.stepping {
            self.asking.next_client(client, no_other);
        }
        self.step_by_offset();
        Ok(())
    }

    /// Where pages after a cursor cannot be had, all windows continue by offset.
    fn step_by_offset(&mut self) {
        if self.asking.stepping {
            let waiting = self.windows.iter_mut().filter(|window| window.pending.is_none());
            waiting.for_each(Window::step_by_offset);
        }
    }

    /// Returns messages of the oldest windows, and drops windows that are done.
    fn ready(&mut self) -> Option<Result<ChatMessage>> {
        while let Some(oldest) = self.windows.front_mut() {
            if let Some(message) = oldest.ready.pop_front() {
                self.held = self.held.saturating_sub(size_of_message(&message));
                self.nameless += u64::from(message.commenter.is_none());
                self.left = self.left.map(|left| left - 1);
                return Some(Ok(message));
            }
            if let Some(error) = oldest.failed.take() {
                self.over = true;
                self.note_nameless();
                return Some(Err(error));
            }
            if oldest.state != State::Done {
                return None;
            }
            self.windows.pop_front();
        }
        None
    }

    /// Nothing is in flight: no window contradicts the ends that were claimed. The first ones, which are next to the last
    /// comments, are asked about once more; then all hold. Returns whether there were any.
    fn confirm(&mut self) -> bool {
        let mut any = false;
        let claimed = self.windows.iter_mut().filter(|window| window.state == State::Doubtful);
        for window in claimed.take(ENDS_CHECKED).filter(|window| !window.is_checking()) {
            any = true;
            window.look_again(false);
        }
        if any {
            return true;
        }
        for window in self.windows.iter_mut().filter(|window| window.state == State::Doubtful) {
            any = true;
            window
                .confirm(self.page_size)
                .into_iter()
                .for_each(|fact| self.api.note(fact));
        }
        any
    }

    /// Records how many of the returned messages have no author.
    fn note_nameless(&mut self) {
        if self.nameless > 0 {
            self.api.note(Fact::Missing {
                what: "authors".to_owned(),
                n: std::mem::take(&mut self.nameless),
                examples: Vec::new(),
                remark: Some("name empty".to_owned()),
            });
        }
    }
}

impl Iterator for Replay {
    type Item = Result<ChatMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.over || self.left == Some(0) {
                self.note_nameless();
                return None;
            }
            if let Some(message) = self.ready() {
                return Some(message);
            }
            self.start_requests();
            match self.wait() {
                Ok(true) => self.start_requests(),
                Ok(false) => self.over = !self.confirm(),
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
