//! rechat: the chat of past broadcasts of 2016 and 2017, in windows of 30 seconds.

use std::collections::VecDeque;

use chrono::DateTime;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fields::text;
use super::kraken::video_object;
use crate::raw::reader::{PageReader, key_text, whole_number};
use crate::raw::{
    ChatMessage, Commenter, EmoteUse, Error, ErrorKind, Fact, Pending, Policy, RawApi, Request, Response, Result,
    Service, json_part,
};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::ChatParameters;
use crate::sources::seen::{REMEMBERED, Seen};
use crate::sources::source::Rows;

/// The service sends the bounds of a video in an error, so errors are valid data.
pub(super) static MESSAGES: Endpoint = Endpoint::get(Service::Rechat, "", Policy::everybody(HOUR).errors_are_data());

/// Seconds per request, the same step as in the original itch.
const STEP: i64 = 30;

/// After this many windows in a row with old messages only, the service only repeats itself.
const MOST_BARREN: u32 = 10;

/// The milliseconds of a message since the recording began.
const OFFSET: &str = "video-offset";

pub(super) fn replay(api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
    let video = text(&video_object(api, &asked.video)?, "_id");
    let (start, end) = bounds(api, &video)?;
    // Windows start at the same seconds whatever part is requested: their starts are part of the cache keys.
    let skipped = asked.from / STEP * STEP;
    Ok(Box::new(Replay {
        start,
        next: start.saturating_add(skipped),
        end: asked.to.map_or(end, |to| end.min(start.saturating_add(to))),
        in_flight: VecDeque::new(),
        windows: asked.connections,
        api: api.clone(),
        video,
        from: asked.from,
        to: asked.to,
        left: asked.limit,
        seen: Seen::default(),
        forgetful: false,
        barren: 0,
        pages: 0,
        ready: Vec::new().into_iter(),
        over: false,
    }))
}

fn request(video: &str, start: i64) -> Request {
    MESSAGES.request().query("video_id", video).query("start", start)
}

/// The first and last second of a video. The service sends them in an error when asked for second 0.
fn bounds(api: &RawApi, video: &str) -> Result<(i64, i64)> {
    let response = api.fetch(request(video, 0)).wait()?;
    let body = response
        .json()
        .map_err(|error| error.at(Service::Rechat, Some(response.status)))?;
    let Some(error) = body.pointer("/errors/0") else {
        return Err(if (200..300).contains(&response.status) {
            Error::new(ErrorKind::BadData, "rechat did not send the bounds of the video").at(Service::Rechat, None)
        } else {
            response.refusal(Service::Rechat)
        });
    };
    let detail = text(error, "detail");
    read_bounds(&detail).ok_or_else(|| {
        let gone = error.get("status").and_then(Value::as_u64) == Some(404);
        let kind = if gone { ErrorKind::NotFound } else { ErrorKind::BadData };
        Error::new(kind, format!("rechat has no chat of the video `{video}`"))
            .cause(detail)
            .at(Service::Rechat, None)
    })
}

/// Parses `0 is not between 1469108651 and 1469133795`.
fn read_bounds(detail: &str) -> Option<(i64, i64)> {
    let mut words = detail.split(' ');
    words.next()?.parse::<i64>().ok()?;
    let told = ["is", "not", "between"].iter().all(|word| words.next() == Some(word));
    let start = words.next()?.parse().ok()?;
    let end = words.next().filter(|word| *word == "and").and(words.next())?;
    let digits = end.find(|c: char| !c.is_ascii_digit()).unwrap_or(end.len());
    let end: i64 = end[..digits].parse().ok()?;
    // No broadcast ever lasted a month, so such bounds are invalid.
    (told && start >= 0 && end.checked_sub(start)? < 31 * 24 * 60 * 60).then_some((start, end))
}

struct Replay {
    api: RawApi,
    video: String,
    /// The first second of the video.
    start: i64,
    next: i64,
    end: i64,
    /// Windows by their first second.
    in_flight: VecDeque<(i64, Pending)>,
    windows: usize,
    from: i64,
    to: Option<i64>,
    left: Option<u64>,
    /// The last messages of a window are repeated at the start of the next.
    seen: Seen,
    /// Not all messages are remembered any more.
    forgetful: bool,
    /// How many windows in a row had old messages only.
    barren: u32,
    pages: u64,
    ready: std::vec::IntoIter<ChatMessage>,
    over: bool,
}

impl Replay {
    fn window(&mut self, second: i64, pending: Pending) -> Result<bool> {
        let request = pending.request().clone();
        let response = pending.wait()?;
        // Outside the bounds the service answers with an error; that is the end of the video.
        if let Some(detail) = first_error(&response) {
            if read_bounds(&detail).is_none() {
                self.give_up(second, format!("rechat refused the messages: {detail}"), request);
            }
            return Ok(false);
        }
        let rows = read_rows(&response, &request)?;
        let mut reader = PageReader::new(&self.api, "rechat-messages", self.pages);
        self.pages += 1;
        let (from, to) = (self.from, self.to);
        let (mut repeated, mut new) = (0, 0);
        let mut messages = Vec::new();
        for (place, row) in (1..).zip(&rows) {
            let start = self.start;
            let message = read_row(&mut reader, place, row, start, second, |id, offset| {
                let is_new = self.seen.remember(id);
                *if is_new { &mut new } else { &mut repeated } += 1;
                is_new && offset >= from && to.is_none_or(|to| offset < to)
            });
            messages.extend(message);
        }
        drop(reader);
        self.barren = if new == 0 && repeated > 0 { self.barren + 1 } else { 0 };
        if repeated > 0 {
            self.api.note(Fact::Repeated { n: repeated });
        }
        if self.seen.forgetful && !std::mem::replace(&mut self.forgetful, true) {
            let rows = REMEMBERED as u64;
            self.api.note(Fact::SearchedBack { rows });
        }
        self.ready = messages.into_iter();
        if self.barren >= MOST_BARREN {
            self.give_up(second, format!("{MOST_BARREN} windows of messages in a row had nothing new"), request);
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes that everything from a second on is missing.
    fn give_up(&self, second: i64, reason: String, request: Request) {
        self.api.note(Fact::Gap {
            from: Some(second.to_string()),
            to: Some(self.end.to_string()),
            reason,
        });
        let request = Box::new(request);
        self.api.note(Fact::Discard { request });
    }
}

/// The text of an answer that is an error.
fn first_error(response: &Response) -> Option<String> {
    let errors: Value = serde_json::from_str(json_part(&response.body, "/errors")?.get()).ok()?;
    errors.get(0).map(|error| text(error, "detail"))
}

/// The rows of an answer. An error in the body of a success, or an answer without the list, does not mean that there are
/// no messages.
fn read_rows<'a>(response: &'a Response, request: &Request) -> Result<Vec<&'a RawValue>> {
    let error = json_part(&response.body, "/error").map(RawValue::get);
    if (200..300).contains(&response.status)
        && matches!(error, None | Some("null" | "false" | "\"\""))
        && let Some(list) = json_part(&response.body, "/data")
        && let Ok(rows) = serde_json::from_str(list.get())
    {
        return Ok(rows);
    }
    response.success(request)?;
    Err(Error::new(ErrorKind::BadData, "rechat's answer has no list of messages").at(Service::Rechat, None))
}

impl Iterator for Replay {
    type Item = Result<ChatMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.left == Some(0) {
                return None;
            }
            if let Some(message) = self.ready.next() {
                self.left = self.left.map(|left| left - 1);
                return Some(Ok(message));
            }
            if self.over {
                return None;
            }
            while self.in_flight.len() < self.windows && self.next <= self.end {
                // Within the bounds a good answer has the list.
                let pending = self.api.fetch(request(&self.video, self.next).list("data"));
                self.in_flight.push_back((self.next, pending));
                self.next = self.next.saturating_add(STEP);
            }
            let going_on = match self
                .in_flight
                .pop_front()
                .map(|(second, pending)| self.window(second, pending))
            {
                Some(Ok(going_on)) => going_on,
                Some(Err(error)) => {
                    self.over = true;
                    return Some(Err(error));
                }
                None => false,
            };
            if !going_on {
                self.over = true;
                self.in_flight.clear();
            }
        }
    }
}

/// Reads a row. It is left out only if its id cannot be read, or if it is not wanted. Where the offset cannot be read, it is
/// made from the time, or else from the window: `start` is the first second of the video, `window` that of the window.
fn read_row(
    page: &mut PageReader,
    place: u64,
    row: &RawValue,
    start: i64,
    window: i64,
    is_wanted: impl FnOnce(&str, i64) -> bool,
) -> Option<ChatMessage> {
    let row: Value = serde_json::from_str(row.get()).unwrap_or_default();
    let (id, mut attributes) = {
        let mut row = page.row(place, row)?;
        (row.take("id").unwrap_or_default(), row.inner("attributes")?.rest())
    };
    let Some(id) = key_text(&id).filter(|id| !id.is_empty()) else {
        page.lost(place, Some("id"), &id);
        return None;
    };
    let found = attributes.shift_remove(OFFSET).unwrap_or_default();
    let told = milliseconds(Some(&found)).filter(|offset| *offset >= 0);
    let timed = || milliseconds(attributes.get("timestamp")).map(|time| time - start * 1000);
    let known = told.or_else(|| timed().filter(|offset| *offset >= 0));
    let offset = known.map_or(window - start, |offset| offset / 1000);
    let is_wanted = is_wanted(&id, offset);
    if known.is_none() && is_wanted {
        page.unreadable("offset", place, OFFSET, Some(&found));
    }
    is_wanted.then(|| message(page, place, id, offset, attributes))
}

fn message(page: &mut PageReader, place: u64, id: String, offset: i64, attributes: Map<String, Value>) -> ChatMessage {
    let mut message = ChatMessage {
        id,
        offset,
        created_at: None,
        commenter: None,
        color: None,
        badges: Vec::new(),
        text: String::new(),
        emotes: Vec::new(),
    };
    let mut author = Commenter::default();
    let mut tags = None;
    if let Some(mut row) = page.row(place, Value::Object(attributes)) {
        message.created_at = row.parsed("timestamp", "created_at", |found| {
            let time = DateTime::from_timestamp_millis(milliseconds(found)?)?;
            // 0 stands for no time.
            (time.timestamp() > 0).then_some(time)
        });
        message.color = row.optional_text("color", "color").filter(|color| !color.is_empty());
        message.text = row.text("message", "text");
        author.login = row.text("from", "login");
        tags = row.take("tags");
    }
    match tags {
        Some(tags @ Value::Object(_)) => {
            if let Some(mut row) = page.row(place, tags) {
                author.id = row.text("user-id", "user_id");
                author.display_name = row.text("display-name", "display_name");
                let badges = row.optional_text("badges", "badges").unwrap_or_default();
                let badges = badges.split(',').filter_map(|badge| badge.split_once('/'));
                message.badges = badges
                    .map(|(set, version)| (set.to_owned(), version.to_owned()))
                    .collect();
                message.emotes = row.parsed("emotes", "emotes", emotes).unwrap_or_default();
            }
        }
        other => {
            for name in ["user_id", "display_name", "badges", "emotes"] {
                page.unreadable(name, place, "tags", other.as_ref());
            }
        }
    }
    message.commenter = Some(author);
    message
}

/// A number of milliseconds, also with a fraction or as a text.
fn milliseconds(value: Option<&Value>) -> Option<i64> {
    let number = match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    (number.abs() < 1e15).then_some(number.floor() as i64)
}

/// Parses `{"25": [[6, 10], [12, 16]]}`; an empty text, null or nothing if there are none. `None` if any of them cannot be
/// read.
fn emotes(value: Option<&Value>) -> Option<Vec<EmoteUse>> {
    let by_id = match value {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => return Some(Vec::new()),
        Some(Value::Object(by_id)) => by_id,
        Some(_) => return None,
    };
    let place = |value: Option<&Value>| u32::try_from(whole_number(value?)?).ok();
    let mut emotes = Vec::new();
    for (id, ranges) in by_id {
        for range in ranges.as_array()? {
            let (from, to) = place(range.get(0)).zip(place(range.get(1)))?;
            emotes.push(EmoteUse {
                id: id.clone(),
                from,
                to,
            });
        }
    }
    emotes.sort_by_key(|emote| emote.from);
    Some(emotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_stand_in_an_error() {
        let good = "0 is not between 1469108651 and 1469133795";
        assert_eq!(read_bounds(good), Some((1_469_108_651, 1_469_133_795)));
        for detail in [
            "",
            "0 is not between",
            "no video v1 between 3 and 4",
            "0 is not between a and b",
            "x is not between 1 and 2",
        ] {
            assert_eq!(read_bounds(detail), None, "{detail}");
        }
    }

    #[test]
    fn emotes_come_in_every_form() {
        let emotes_of = |value: Value| {
            emotes(Some(&value))
                .unwrap()
                .into_iter()
                .map(|e| (e.id, e.from, e.to))
                .collect::<Vec<_>>()
        };
        let two = serde_json::json!({"25": [[6, 10]], "1902": [[0, 4]]});
        assert_eq!(emotes_of(two), [("1902".to_owned(), 0, 4), ("25".to_owned(), 6, 10)]);
        assert!(emotes_of(serde_json::json!("")).is_empty() && emotes_of(Value::Null).is_empty());
        for odd in [
            serde_json::json!([]),
            serde_json::json!({"25": null}),
            serde_json::json!({"25": [[6, null]]}),
        ] {
            assert_eq!(emotes(Some(&odd)), None);
        }
    }
}
