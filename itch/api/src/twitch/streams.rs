//! Broadcasts: past ones by their recordings, the running one, and single videos.

use chrono::TimeDelta;
use serde_json::Value;

use super::{data, one_by_one, read};
use crate::queries::PastStreamsQuery;
use crate::source::Listing;
use crate::{
    Api, Channel, Direction, Error, ErrorKind, Page, PastStream, Pending, Request, Result, Stream,
    Video,
};

/// The request for the running broadcast.
pub(super) fn live_request(channel: &Channel) -> Request {
    Request::helix("streams").query("user_id", &channel.id)
}

/// The running broadcast, if there is one.
pub(super) fn live(pending: Pending) -> Result<Option<Stream>> {
    Ok(data(pending.json()?)?.into_iter().next())
}

/// One video.
pub(super) fn video(api: &Api, id: &str) -> Result<Video> {
    let missing = || Error::new(ErrorKind::NotFound, format!("there is no video `{id}`"));
    let found =
        api.json(Request::helix("videos").query("id", id))
            .map_err(|error| match error.kind {
                ErrorKind::NotFound => missing(),
                _ => error,
            })?;
    data(found)?.into_iter().next().ok_or_else(missing)
}

/// Walks the recordings, newest first. Which of them still runs is asked beside the first page.
pub(super) fn past(query: PastStreamsQuery) -> Result<Listing<PastStream>> {
    let PastStreamsQuery {
        api,
        channel,
        direction,
        limit,
    } = query;
    let limit = limit.filter(|_| direction == Direction::Desc);
    let request = Request::helix("videos")
        .query("user_id", &channel.id)
        .query("type", "archive");
    let mut pages = api.pages(request, 100).unique_by("id").limit(limit);
    let mut live_now = Some(api.fetch(live_request(&channel)));
    let mut running: Option<Stream> = None;
    let rows = std::iter::from_fn(move || {
        let page = pages.next_page()?;
        if let Some(pending) = live_now.take() {
            match live(pending) {
                Ok(stream) => running = stream,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(page.and_then(|page| broadcasts(page, running.as_ref())))
    });
    Ok(Listing::new(Direction::Desc, rows.flat_map(one_by_one)))
}

fn broadcasts(page: Page, running: Option<&Stream>) -> Result<Vec<PastStream>> {
    let broadcast = |row: Value| {
        let video: Video = read(row)?;
        let runs = running.is_some_and(|stream| video.stream_id.as_ref() == Some(&stream.id));
        let length = video.seconds().map(TimeDelta::seconds);
        // The recording of a running broadcast grows: its length says how far it is, not when it ended.
        let end = length
            .filter(|_| !runs)
            .and_then(|length| video.created_at.checked_add_signed(length));
        Ok(PastStream {
            start: Some(video.created_at),
            end,
            video: Some(video),
        })
    };
    page.rows.into_iter().map(broadcast).collect()
}
