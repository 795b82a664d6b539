//! `videos`: recordings, by id or by channel. Past broadcasts are known only from their recordings.

use chrono::TimeDelta;
use serde_json::Value;

use super::envelope::{data, one_by_one, read};
use super::streams::{live, live_request};
use crate::raw::{Chain, Error, ErrorKind, Page, PastStream, Policy, RawApi, Result, Stream, Video};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::{Direction, PastStreamsParameters};
use crate::sources::source::Listing;

pub(super) static VIDEOS: Endpoint = Endpoint::helix("videos", Policy::everybody(HOUR));

/// One video.
pub(super) fn video(api: &RawApi, id: &str) -> Result<Video> {
    let missing = || Error::new(ErrorKind::NotFound, format!("there is no video `{id}`"));
    let found = api
        .json(VIDEOS.request().query("id", id))
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => missing(),
            _ => error,
        })?;
    data(found)?.into_iter().next().ok_or_else(missing)
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
            None => match live(api.fetch(live_request(&channel).chain(walk.next()))) {
                Ok(stream) => running.insert(stream),
                Err(error) => return Some(Err(error)),
            },
        };
        Some(broadcasts(page, running.as_ref(), first))
    });
    Ok(Listing::new(Direction::Desc, rows.flat_map(one_by_one)))
}

fn broadcasts(page: Page, running: Option<&Stream>, first: bool) -> Result<Vec<PastStream>> {
    let broadcast = |row: Value| {
        let video: Video = read(row)?;
        let live = running.filter(|stream| video.stream_id.as_ref() == Some(&stream.id));
        let length = video.seconds().map(TimeDelta::seconds);
        // The recording of a running broadcast grows: its length is the progress, not the end.
        let end = length
            .filter(|_| live.is_none())
            .and_then(|length| video.created_at.checked_add_signed(length));
        Ok(PastStream {
            start: Some(video.created_at),
            end,
            live: live.cloned(),
            video: Some(video),
        })
    };
    let mut rows = page
        .rows
        .into_iter()
        .map(broadcast)
        .collect::<Result<Vec<PastStream>>>()?;
    // The newest recording is on the first page. If it is not that of the running broadcast, the broadcast is not
    // recorded.
    if let Some(stream) = running.filter(|_| first && rows.iter().all(|row| row.live.is_none())) {
        rows.insert(
            0,
            PastStream {
                start: Some(stream.started_at),
                end: None,
                video: None,
                live: Some(stream.clone()),
            },
        );
    }
    Ok(rows)
}
