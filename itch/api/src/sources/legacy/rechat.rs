//! rechat: the chat of past broadcasts of 2016 and 2017, in windows of 30 seconds.

use std::collections::{HashSet, VecDeque};

use chrono::DateTime;
use serde_json::Value;

use super::fields::text;
use super::kraken::video_object;
use crate::raw::{
    ChatMessage, Commenter, EmoteUse, Error, ErrorKind, Fact, Pending, Policy, RawApi, Request, Result, Service,
};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::ChatParameters;
use crate::sources::source::Rows;

/// The service sends the bounds of a video in an error, so errors are valid data.
pub(super) static MESSAGES: Endpoint = Endpoint::get(Service::Rechat, "", Policy::everybody(HOUR).errors_are_data());

/// Seconds per request, the same step as in the original itch.
const STEP: i64 = 30;

pub(super) fn replay(api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
    let video = text(&video_object(api, &asked.video)?, "_id");
    let (start, end) = bounds(api, &video)?;
    // Windows start at the same seconds whatever part is requested: their starts are part of the cache keys.
    let skipped = asked.from / STEP * STEP;
    Ok(Box::new(Replay {
        next: start.saturating_add(skipped),
        end: asked.to.map_or(end, |to| end.min(start.saturating_add(to))),
        in_flight: VecDeque::new(),
        windows: asked.connections,
        api: api.clone(),
        video,
        from: asked.from,
        to: asked.to,
        left: asked.limit,
        before: HashSet::new(),
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
    next: i64,
    end: i64,
    /// Windows by their first second.
    in_flight: VecDeque<(i64, Pending)>,
    windows: usize,
    from: i64,
    to: Option<i64>,
    left: Option<u64>,
    /// Ids of the previous window: its last messages are repeated at the start of the next.
    before: HashSet<String>,
    ready: std::vec::IntoIter<ChatMessage>,
    over: bool,
}

impl Replay {
    fn window(&mut self, second: i64, pending: Pending) -> Result<bool> {
        let request = pending.request().clone();
        let response = pending.wait()?;
        let body = response
            .json()
            .map_err(|error| error.at(Service::Rechat, Some(response.status)))?;
        // Outside the bounds the service answers with an error; that is the end of the video.
        if let Some(error) = body.pointer("/errors/0") {
            let detail = text(error, "detail");
            if read_bounds(&detail).is_none() {
                self.api.note(Fact::Gap {
                    from: Some(second.to_string()),
                    to: Some(self.end.to_string()),
                    reason: format!("rechat refused the messages: {detail}"),
                });
            }
            return Ok(false);
        }
        // An error in the body of a success, or an answer without the list, does not mean that there are no messages.
        let body = response.success(&request)?;
        let Some(rows) = body.get("data").and_then(Value::as_array) else {
            return Err(
                Error::new(ErrorKind::BadData, "rechat's answer has no list of messages").at(Service::Rechat, None)
            );
        };
        let mut ids = HashSet::new();
        let mut messages = Vec::new();
        let mut repeated = 0;
        for row in rows {
            let id = text(row, "id");
            if !ids.insert(id.clone()) || self.before.contains(&id) {
                repeated += 1;
                continue;
            }
            let message = message(id, row);
            if message.offset >= self.from && self.to.is_none_or(|to| message.offset < to) {
                messages.push(message);
            }
        }
        if repeated > 0 {
            self.api.note(Fact::Repeated { n: repeated });
        }
        self.before = ids;
        self.ready = messages.into_iter();
        Ok(true)
    }
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
                let pending = self.api.fetch(request(&self.video, self.next));
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

fn message(id: String, row: &Value) -> ChatMessage {
    let empty = Value::Null;
    let attributes = row.get("attributes").unwrap_or(&empty);
    let tags = attributes.get("tags").unwrap_or(&empty);
    let badges = text(tags, "badges");
    let badges = badges.split(',').filter_map(|badge| badge.split_once('/'));
    let milliseconds = |field: &str| attributes.get(field).and_then(Value::as_f64).unwrap_or(0.0);
    ChatMessage {
        id,
        offset: (milliseconds("video-offset") / 1000.0).floor() as i64,
        created_at: DateTime::from_timestamp_millis(milliseconds("timestamp") as i64),
        commenter: Some(Commenter {
            id: text(tags, "user-id"),
            login: text(attributes, "from"),
            display_name: text(tags, "display-name"),
        }),
        color: Some(text(attributes, "color")).filter(|color| !color.is_empty()),
        badges: badges
            .map(|(set, version)| (set.to_owned(), version.to_owned()))
            .collect(),
        text: text(attributes, "message"),
        emotes: emotes(tags.get("emotes")),
    }
}

/// Parses `{"25": [[6, 10], [12, 16]]}`; an empty string or null if there are none.
fn emotes(value: Option<&Value>) -> Vec<EmoteUse> {
    let place = |value: &Value| value.as_u64().and_then(|place| u32::try_from(place).ok());
    let mut emotes: Vec<EmoteUse> = value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .flat_map(|(id, ranges)| {
            ranges.as_array().into_iter().flatten().filter_map(move |range| {
                Some(EmoteUse {
                    id: id.clone(),
                    from: place(range.get(0)?)?,
                    to: place(range.get(1)?)?,
                })
            })
        })
        .collect();
    emotes.sort_by_key(|emote| emote.from);
    emotes
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
                .into_iter()
                .map(|e| (e.id, e.from, e.to))
                .collect::<Vec<_>>()
        };
        let two = serde_json::json!({"25": [[6, 10]], "1902": [[0, 4]]});
        assert_eq!(emotes_of(two), [("1902".to_owned(), 0, 4), ("25".to_owned(), 6, 10)]);
        assert!(emotes_of(serde_json::json!("")).is_empty() && emotes_of(Value::Null).is_empty());
    }
}
