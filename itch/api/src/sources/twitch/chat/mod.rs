//! The chat of a past broadcast, over Twitch's private GQL service: the official API has no endpoint for it
//! (dev.twitch.tv/docs/api).
//!
//! A recording is cut into windows that several connections fetch in order; each window is a cursor chain. Messages
//! are returned in order while later windows load. Messages that were fetched but not yet returned use at most a few
//! mebibytes: at that limit, all windows except the oldest pause. The last window has no end, since a recording may
//! grow and comments may be written after its end.

mod answer;
mod comments;
mod video;
mod window;

use std::collections::VecDeque;

use serde_json::{Value, json};

use self::answer::Refusal;
use self::comments::{Place, read_comments};
use self::video::{VideoInfo, read_info};
use self::window::{Window, size};
use crate::raw::{
    ChatMessage, Error, ErrorKind, Fact, Freshness, GqlForm, Pending, RawApi, Reason, Request, Result, Service,
};
use crate::sources::parameters::ChatParameters;
use crate::sources::source::Rows;

pub(super) use self::comments::COMMENTS;
pub(super) use self::video::VIDEO;

/// The limit in bytes for comments that were not yet returned.
const HELD: usize = 8 * 1024 * 1024;
/// The length of the widest window in seconds. Dense windows are cut after their first page.
const WIDEST: i64 = 1200;
/// Towards the end windows get narrower, so that the connections finish at about the same time.
const SHARE_OF_REST: i64 = 8;
/// The length of the narrowest planned window in seconds.
const NARROWEST: i64 = 60;
/// The longest plausible recording in seconds: a week. A broadcast ends after 48 hours.
const LONGEST: i64 = 7 * 24 * 60 * 60;
/// Up to this many messages are fetched as a single chain.
const SMALL_LIMIT: u64 = 1000;

/// Starts fetching.
pub(super) fn replay(api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
    let mut asking = Asking::default();
    let info = asking.info(api, &asked.video)?;
    // A length beyond what Twitch allows is an error in the data. The last window has no end anyway.
    let length = info.length_seconds.unwrap_or(0).clamp(0, LONGEST);
    let small = asked.limit.is_some_and(|limit| limit <= SMALL_LIMIT);
    let connections = if small { 1 } else { asked.connections };
    let end = asked.to.filter(|to| *to < length);
    // A recording of unknown length cannot be cut.
    let layout = if connections == 1 || length == 0 {
        VecDeque::from([(asked.from, asked.to)])
    } else {
        lay_out(asked.from, end, asked.to, length)
    };
    Ok(Box::new(Replay {
        freshness: if info.is_over() {
            Freshness::Immutable
        } else {
            Freshness::Growing
        },
        left: asked.limit,
        nameless: 0,
        api: api.clone(),
        video: asked.video,
        asking,
        length,
        connections,
        layout,
        windows: VecDeque::new(),
        held: 0,
        over: asked.to.is_some_and(|to| to <= asked.from),
    }))
}

/// Cuts a recording into windows. The cut depends on the recording only, so that a later run sends the same requests.
fn lay_out(from: i64, end: Option<i64>, to: Option<i64>, length: i64) -> VecDeque<(i64, Option<i64>)> {
    let last = end.unwrap_or(length);
    let mut windows = VecDeque::new();
    let mut start = from;
    loop {
        let rest = last - start;
        let width = (rest / SHARE_OF_REST).clamp(NARROWEST, WIDEST);
        if rest <= width {
            windows.push_back((start, to));
            return windows;
        }
        windows.push_back((start, Some(start + width)));
        start += width;
    }
}

/// How requests are sent, adjusted after refusals.
#[derive(Clone, Copy, Debug, Default)]
struct Asking {
    form: GqlForm,
    other_form_refused: bool,
    client: usize,
    /// The client id whose request for the recording was accepted.
    let_in: usize,
    /// Every client id was refused for cursors: pages are requested by offset.
    stepping: bool,
}

impl Asking {
    /// Requests the data of the recording.
    fn info(&mut self, api: &RawApi, video: &str) -> Result<VideoInfo> {
        loop {
            let request = Request {
                gql_client: self.client,
                ..video::request(video)
            };
            match api.json(request) {
                Ok(body) => match read_info(body, video)? {
                    Ok(info) => {
                        self.let_in = self.client;
                        return Ok(info);
                    }
                    Err(Refusal::NotUnderstood(words)) => return Err(not_understood(&words)),
                    Err(_) => self.client += 1,
                },
                Err(error) if is_no_client(&error) => return Err(refused_everywhere()),
                Err(error) if is_refused_client(&error) => self.client += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn request(&self, video: &str, place: &Place, freshness: Freshness) -> Request {
        let request = comments::request(video, place, self.form).freshness(freshness);
        Request {
            gql_client: self.client,
            ..request
        }
    }

    /// Handles a refusal of the operation: retries it in the other form, once.
    fn change_form(&mut self, used: &Value, words: &str) -> Result<()> {
        if *used != json!(self.form) {
            return Ok(()); // Another window has changed the form since this request was sent.
        }
        if self.other_form_refused {
            return Err(not_understood(words));
        }
        self.other_form_refused = true;
        self.form = match self.form {
            GqlForm::Query => GqlForm::Persisted,
            GqlForm::Persisted => GqlForm::Query,
        };
        Ok(())
    }
}

fn not_understood(words: &str) -> Error {
    Error::new(ErrorKind::Service, "Twitch's GQL service no longer understands the query")
        .cause(words)
        .hint("update itch, or set the current query in the table `[gql]` of its configuration")
        .at(Service::Gql, Some(200))
}

fn refused_everywhere() -> Error {
    Error::new(ErrorKind::Service, "Twitch's GQL service rejected every client id that itch knows")
        .hint("update itch, or set an accepted client id in the table `[gql]` of its configuration")
        .at(Service::Gql, Some(200))
}

/// Whether the service does not know the client id.
fn is_refused_client(error: &Error) -> bool {
    error.reason() == Some(Reason::ClientRefused)
}

/// Whether the client has no more client ids. No request is sent then.
fn is_no_client(error: &Error) -> bool {
    error.service == Some(Service::Gql) && error.http.is_none() && error.kind == ErrorKind::SignIn
}

struct Replay {
    api: RawApi,
    video: String,
    asking: Asking,
    length: i64,
    freshness: Freshness,
    connections: usize,
    /// Windows that have not started.
    layout: VecDeque<(i64, Option<i64>)>,
    /// Windows that have started, oldest first.
    windows: VecDeque<Window>,
    /// Bytes of the messages that were not yet returned.
    held: usize,
    /// How many messages are still to be returned.
    left: Option<u64>,
    /// Returned messages without an author that are not yet recorded as a fact.
    nameless: u64,
    over: bool,
}

impl Replay {
    /// Starts as many requests as there are connections, oldest windows first.
    fn start_requests(&mut self) {
        let enough = |window: &Window| self.left.is_some_and(|left| window.ready.len() as u64 >= left);
        if self.windows.front().is_some_and(enough) {
            return;
        }
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
                self.windows.push_back(Window::new(start, end));
            }
            let window = &mut self.windows[place];
            if window.pending.is_none() && !window.done && window.failed.is_none() {
                // A page at an offset does not say whether it is the last, so the end of a growing recording is
                // always fetched.
                let may_grow = self.freshness == Freshness::Growing && window.end.is_none();
                let freshness = match may_grow && self.asking.stepping {
                    true => Freshness::Fresh,
                    false => self.freshness,
                };
                let request = self.asking.request(&self.video, &window.place, freshness);
                window.pending = Some(self.api.fetch(request));
                free -= 1;
            }
            place += 1;
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
        let client = pending.request().gql_client;
        let asked = pending.request().body.clone().unwrap_or_default();
        let mut no_other = false;
        let answer = match pending.json() {
            Ok(body) => read_comments(body, &self.video)?,
            Err(error) if is_no_client(&error) => {
                no_other = true;
                Err(Refusal::Integrity)
            }
            Err(error) if is_refused_client(&error) => Err(Refusal::Integrity),
            Err(error) => return Err(error),
        };
        match answer {
            Ok(page) => {
                let by_offset = self.asking.stepping;
                let arrival = self.windows[place].take(page, by_offset, self.length);
                self.held += arrival.bytes;
                arrival.facts.into_iter().for_each(|fact| self.api.note(fact));
                if let Some(rest) = arrival.rest {
                    self.windows.insert(place + 1, rest);
                }
            }
            Err(Refusal::NotUnderstood(words)) => self.asking.change_form(&asked["form"], &words)?,
            Err(Refusal::Integrity) => {
                // Requests sent before the last change may still be in flight: their refusal means nothing new.
                let as_now = client == self.asking.client;
                let by_offset = asked.pointer("/variables/contentOffsetSeconds").is_some();
                if as_now && by_offset && self.asking.stepping {
                    return Err(refused_everywhere());
                }
                if as_now && !self.asking.stepping {
                    self.next_client(client, no_other);
                }
                if self.asking.stepping {
                    self.windows
                        .iter_mut()
                        .filter(|window| window.pending.is_none())
                        .for_each(Window::step_by_offset);
                }
            }
        }
        Ok(())
    }

    /// Switches to the next client id. When there is none left, pages are requested by offset.
    fn next_client(&mut self, refused: usize, no_other: bool) {
        if no_other {
            self.asking.client = self.asking.let_in;
            self.asking.stepping = true;
        } else {
            self.asking.client = refused + 1;
        }
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
            while let Some(oldest) = self.windows.front_mut() {
                if let Some(message) = oldest.ready.pop_front() {
                    self.held = self.held.saturating_sub(size(&message));
                    self.nameless += u64::from(message.commenter.is_none());
                    self.left = self.left.map(|left| left - 1);
                    return Some(Ok(message));
                }
                if let Some(error) = oldest.failed.take() {
                    self.over = true;
                    self.note_nameless();
                    return Some(Err(error));
                }
                if !oldest.done {
                    break;
                }
                self.windows.pop_front();
            }
            self.start_requests();
            match self.wait() {
                Ok(true) => self.start_requests(),
                Ok(false) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_recording_without_gap_or_overlap() {
        for (from, to, length) in [
            (0, None, 21_600),
            (100, Some(5000), 21_600),
            (0, None, 0),
            (0, Some(50), 0),
            (7, None, 300),
            (500, None, 300),
            (0, Some(99_999), 3600),
        ] {
            let windows = lay_out(from, to.filter(|to| *to < length || length == 0), to, length);
            assert_eq!(windows[0].0, from);
            assert_eq!(windows.back().unwrap().1, to, "the last window ends where the person said, or is open");
            for (one, next) in windows.iter().zip(windows.iter().skip(1)) {
                assert_eq!(one.1, Some(next.0));
                assert!(next.0 > one.0);
            }
        }
    }
}
