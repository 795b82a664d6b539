//! `videos`: recordings, by id or by channel. Past broadcasts are known only from their recordings.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::envelope::{data, placed, reader};
use super::streams::{live, live_request};
use crate::raw::reader::{PageReader, RowReader, key_text};
use crate::raw::{Chain, Error, ErrorKind, Page, PastStream, Policy, RawApi, Result, Stream, Video};
use crate::sources::endpoint::{Endpoint, HOUR, MINUTE};
use crate::sources::parameters::{Direction, PastStreamsParameters};
use crate::sources::source::{Listing, one_by_one};

pub(super) static VIDEOS: Endpoint = Endpoint::helix("videos", Policy::everybody(HOUR));

/// One video.
pub(super) fn video(api: &RawApi, id: &str) -> Result<Video> {
    let missing = || Error::new(ErrorKind::NotFound, format!("there is no video `{id}`"));
    let policy = VIDEOS.policy.clone().incomplete_max_age(MINUTE);
    let request = VIDEOS.request().policy(policy).query("id", id);
    let found = api.json(request).map_err(|error| match error.kind {
        ErrorKind::NotFound => missing(),
        _ => error,
    })?;
    let mut reader = reader(api, &VIDEOS);
    let mut rows = placed(data(&VIDEOS, found)?);
    rows.find_map(|(place, row)| reader.row(place, row).and_then(recording))
        .ok_or_else(missing)
}

/// Reads a recording; `None` if its id cannot be read.
fn recording(mut row: RowReader<'_>) -> Option<Video> {
    Some(Video {
        id: row.key("id")?,
        stream_id: row.optional_text("stream_id", "stream_id"),
        user_id: row.text("user_id", "user_id"),
        user_login: row.text("user_login", "user_login"),
        title: row.text("title", "title"),
        created_at: row.time("created_at", "start"),
        kind: row.text("type", "kind"),
        // Whether it can be read is up to the caller.
        duration: row.take("duration").as_ref().and_then(key_text).unwrap_or_default(),
        view_count: row.count("view_count", "view_count"),
        extra: row.rest(),
    })
}

/// Lists the recordings, newest first, preceded by the running broadcast if it is not recorded.
///
/// The running broadcast is requested as a page of the same walk. So if the list comes from a cache, this answer does
/// too, and a recording that was still growing then is not taken for a finished one.
pub(super) fn past(api: &RawApi, asked: PastStreamsParameters) -> Result<Listing<PastStream>> {
    let api = api.clone();
    let PastStreamsParameters {
        channel,
        direction,
        limit,
    } = asked;
    let limit = limit.filter(|_| direction == Direction::Desc);
    let walk = Chain::start();
    let request = VIDEOS
        .request()
        .query("user_id", &channel.id)
        .query("type", "archive")
        .chain(walk);
    let mut pages = VIDEOS.pages(&api, request).unique_by("id").limit(limit);
    let mut running: Option<Option<Stream>> = None;
    let rows = std::iter::from_fn(move || {
        let page = match pages.next_page()? {
            Ok(page) => page,
            Err(error) => return Some(Err(error)),
        };
        let first = running.is_none();
        let running = match &running {
            Some(running) => running,
            None => match live(&api, api.fetch(live_request(&channel).chain(walk.next()))) {
                Ok(stream) => running.insert(stream),
                Err(error) => return Some(Err(error)),
            },
        };
        Some(Ok(broadcasts(&api, page, running.as_ref(), first)))
    });
    Ok(Listing::new(Direction::Desc, rows.flat_map(one_by_one)))
}

/// How far the beginning of a broadcast and that of its recording, or the end of a growing recording and the present,
/// may be apart.
const SLACK: TimeDelta = TimeDelta::minutes(10);

fn broadcasts(api: &RawApi, page: Page, running: Option<&Stream>, first: bool) -> Vec<PastStream> {
    let mut reader = PageReader::new(api, VIDEOS.path(), page.number);
    let mut rows = Vec::with_capacity(page.rows.len());
    for (place, row) in page.placed_rows() {
        let fields = row.clone();
        let Some(video) = reader.row(place, row).and_then(recording) else {
            continue;
        };
        let live = running.filter(|stream| records(&video, stream));
        // The recording of a running broadcast grows: its length is the progress, not the end.
        let grows = live.is_some() || (first && rows.is_empty() && is_growing(&video, Utc::now()));
        let length = video.seconds().filter(|seconds| *seconds > 0).map(TimeDelta::seconds);
        // Twitch has sent `0s` for finished broadcasts (lay295/TwitchDownloader #1354): that is no length.
        if length.is_none() && !grows {
            for name in ["end", "duration"] {
                reader.unreadable(name, place, "duration", fields.get("duration"));
            }
        }
        let end = length.filter(|_| !grows).zip(video.created_at);
        rows.push(PastStream {
            start: video.created_at,
            end: end.and_then(|(length, start)| start.checked_add_signed(length)),
            live: live.cloned(),
            video: Some(video),
        });
    }
    // The newest recording is on the first page. If it is not that of the running broadcast, the broadcast is not
    // recorded.
    if let Some(stream) = running.filter(|_| first && rows.iter().all(|row| row.live.is_none())) {
        rows.insert(
            0,
            PastStream {
                start: stream.started_at,
                end: None,
                video: None,
                live: Some(stream.clone()),
            },
        );
    }
    rows
}

/// Whether a recording is that of a running broadcast. If the recording does not name its broadcast, their beginnings
/// tell: a channel has one broadcast at a time.
fn records(video: &Video, stream: &Stream) -> bool {
    match &video.stream_id {
        Some(id) => *id == stream.id,
        None => {
            let begun = video.created_at.zip(stream.started_at);
            begun.is_some_and(|(video, stream)| (video - stream).abs() <= SLACK)
        }
    }
}

/// Whether the newest recording still grows although no running broadcast was listed: Twitch has no picture of it yet,
/// or it reaches to the present.
fn is_growing(video: &Video, now: DateTime<Utc>) -> bool {
    let picture = video.extra.get("thumbnail_url").and_then(Value::as_str);
    let no_picture = picture.is_some_and(|address| address.is_empty() || address.contains("/_404/404_processing_"));
    let end = video.created_at.zip(video.seconds());
    let end = end.and_then(|(start, seconds)| start.checked_add_signed(TimeDelta::try_seconds(seconds)?));
    no_picture || end.is_some_and(|end| (now - end).abs() <= SLACK)
}
