//! kraken version 3: channels, users, follows, videos, streams (justintv/Twitch-API, v3_resources).

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fields::{text, time};
use crate::raw::reader::{PageReader, RowReader, key_text, whole_number};
use crate::raw::{
    Channel, ChannelName, Error, ErrorKind, Follow, FollowedChannel, Page, PageStyle, Pages, Pending, Policy, RawApi,
    Request, Result, Service, Sift, Stream, User, Video,
};
use crate::sources::endpoint::{DAY, Endpoint, HOUR, MINUTE};
use crate::sources::parameters::{Direction, FollowersParameters, FollowingParameters};
use crate::sources::source::{ChannelLookup, FollowerTotal, Listing, one_by_one};

pub(super) static USERS: Endpoint = Endpoint::get(Service::Kraken, "users/*", Policy::everybody(DAY));
pub(super) static FOLLOWED: Endpoint =
    Endpoint::get(Service::Kraken, "users/*/follows/channels", Policy::everybody(HOUR)).list("follows");
pub(super) static CHANNELS: Endpoint = Endpoint::get(Service::Kraken, "channels/*", Policy::everybody(HOUR));
pub(super) static FOLLOWERS: Endpoint =
    Endpoint::get(Service::Kraken, "channels/*/follows", Policy::everybody(HOUR)).list("follows");
pub(super) static STREAMS: Endpoint = Endpoint::get(Service::Kraken, "streams/*", Policy::everybody(MINUTE));
pub(super) static VIDEOS: Endpoint = Endpoint::get(Service::Kraken, "videos/*", Policy::everybody(HOUR));

/// The number of look-ups in flight at once: each is one request per channel.
const LOOKUPS_IN_FLIGHT: usize = 4;
/// The largest page size that the original itch used.
const LARGEST_PAGE: u64 = 100;

/// The login in lower case. The old services identified channels by login only.
fn login(name: &ChannelName) -> Result<&str> {
    name.login().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("the source `legacy` cannot look up a channel by id: `{name}`"))
            .hint("use the login of the channel")
    })
}

fn bad_answer(endpoint: &Endpoint, member: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("could not read kraken's answer to `{}`", endpoint.path()))
        .cause(format!("it has no `{member}`"))
        .at(Service::Kraken, None)
}

/// Reads a user or channel. Its key is the login: the old services identified accounts by it.
fn account(mut row: RowReader<'_>) -> Option<Channel> {
    let fields = row.fields().clone();
    Some(Channel {
        login: row.account_key("name")?,
        id: row.text("_id", "id"),
        display_name: row.text("display_name", "display_name"),
        created_at: row.parsed("created_at", "created_at", time),
        extra: fields,
    })
}

/// Waits for an answer that is one user or channel. One without a name is asked for again.
fn account_answer(api: &RawApi, endpoint: &Endpoint, pending: Pending) -> Result<Channel> {
    let request = pending.request().clone();
    let mut found = pending.json()?;
    if found.get("name").and_then(key_text).is_none_or(|name| name.is_empty()) {
        found = api.json(request.fresh())?;
    }
    let mut reader = PageReader::new(api, endpoint.path(), 0);
    let found = reader.row(1, found).and_then(account);
    found.ok_or_else(|| bad_answer(endpoint, "name"))
}

/// Looks up channels one by one, several at a time, and returns them in the order of the names.
pub(super) struct Channels {
    api: RawApi,
    names: std::vec::IntoIter<ChannelName>,
    in_flight: VecDeque<(ChannelName, Result<Pending>)>,
}

impl Channels {
    pub(super) fn new(api: RawApi, names: Vec<ChannelName>) -> Channels {
        Channels {
            api,
            names: names.into_iter(),
            in_flight: VecDeque::new(),
        }
    }
}

impl Iterator for Channels {
    type Item = Result<ChannelLookup>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.in_flight.len() < LOOKUPS_IN_FLIGHT {
            let Some(name) = self.names.next() else { break };
            let pending = login(&name).map(|login| self.api.fetch(CHANNELS.request_for(login)));
            self.in_flight.push_back((name, pending));
        }
        let (name, pending) = self.in_flight.pop_front()?;
        Some(match pending.and_then(|pending| account_answer(&self.api, &CHANNELS, pending)) {
            Ok(channel) => Ok(ChannelLookup {
                name,
                channel: Some(channel),
            }),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(ChannelLookup { name, channel: None }),
            Err(error) => Err(error),
        })
    }
}

/// The number of followers is part of the channel object.
pub(super) fn follower_total(api: &RawApi, lookup: ChannelLookup) -> FollowerTotal {
    let ChannelLookup { name, channel } = lookup;
    let with_total = |channel: Channel| {
        let found = channel.extra.get("followers");
        let followers = found.and_then(whole_number);
        if followers.is_none() {
            PageReader::new(api, CHANNELS.path(), 0).unreadable("followers", 1, "followers", found);
        }
        (channel, followers)
    };
    FollowerTotal {
        name,
        found: channel.map(with_total),
    }
}

pub(super) fn user(api: &RawApi, name: &ChannelName) -> Result<Channel> {
    let pending = api.fetch(USERS.request_for(login(name)?));
    account_answer(api, &USERS, pending).map_err(|error| match error.kind {
        ErrorKind::NotFound => name.unknown(),
        _ => error,
    })
}

/// A list of follows. Without a limit the original itch sent the text `None`, which is part of its cache keys.
fn follows(api: &RawApi, request: Request, direction: Direction, limit: Option<u64>) -> Pages {
    let direction = match direction {
        Direction::Asc => "ASC",
        Direction::Desc => "DESC",
    };
    let size = limit.map_or_else(|| "None".to_owned(), |limit| limit.min(LARGEST_PAGE).to_string());
    let request = Request {
        inline_query: format!("direction={direction}&limit={size}"),
        ..request
    };
    Pages::new(api.clone(), request, PageStyle::Kraken { rows: "follows" }, 100).limit(limit)
}

pub(super) fn followers(api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
    let FollowersParameters {
        channel,
        direction,
        limit,
        since,
        until,
        ..
    } = asked;
    let request = FOLLOWERS.request_for(&channel.login);
    let mut pages = follows(api, request, direction, limit)
        .unique_by("/user/name")
        .expect("followers");
    if since.is_some() || until.is_some() {
        pages = pages.sift(move |row| sift_by_time(row, direction, since, until));
    }
    let rows = rows_of(api, &FOLLOWERS, pages, |row| {
        let followed_at = row.parsed("created_at", "followed_at", time);
        let user = row.inner("user").and_then(account)?;
        let user = User {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            created_at: user.created_at,
            extra: user.extra,
        };
        Some(Follow { user, followed_at })
    });
    Ok(Listing::new(direction, rows))
}

/// The rows of all pages, each read with this function.
fn rows_of<T: Send, F: Fn(&mut RowReader<'_>) -> Option<T> + Send + 'static>(
    api: &RawApi,
    endpoint: &'static Endpoint,
    mut pages: Pages,
    read: F,
) -> impl Iterator<Item = Result<T>> + Send + use<T, F> {
    let api = api.clone();
    let read_page = move |page: Page| {
        let mut reader = PageReader::new(&api, endpoint.path(), page.number);
        let mut rows = Vec::with_capacity(page.rows.len());
        for (place, row) in page.placed_rows() {
            rows.extend(reader.row(place, row).and_then(|mut row| read(&mut row)));
        }
        rows
    };
    std::iter::from_fn(move || Some(pages.next_page()?.map(&read_page))).flat_map(one_by_one)
}

fn sift_by_time(row: &Value, direction: Direction, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Sift {
    let Some(followed) = time(row.get("created_at")) else {
        return Sift::Unsure;
    };
    let early = since.is_some_and(|since| followed < since);
    let late = until.is_some_and(|until| followed >= until);
    match (direction, early, late) {
        (_, false, false) => Sift::Keep,
        // No later row in this order can be inside the range.
        (Direction::Desc, true, _) | (Direction::Asc, _, true) => Sift::Stop,
        _ => Sift::Skip,
    }
}

pub(super) fn following(api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>> {
    let FollowingParameters {
        user, direction, limit, ..
    } = asked;
    let pages = follows(api, FOLLOWED.request_for(&user.login), direction, limit)
        .unique_by("/channel/name")
        .expect("channels");
    let rows = rows_of(api, &FOLLOWED, pages, |row| {
        let followed_at = row.parsed("created_at", "followed_at", time);
        let mut channel = row.inner("channel")?;
        let followers = channel.count("followers", "followers");
        Some(FollowedChannel {
            channel: account(channel)?,
            followers,
            followed_at,
        })
    });
    Ok(Listing::new(direction, rows))
}

/// The name is in the path as it was typed: the original itch sent no look-up for this.
pub(super) fn following_total(api: &RawApi, name: &ChannelName) -> Result<Option<u64>> {
    login(name)?;
    let request = Request {
        inline_query: "direction=ASC&limit=1".to_owned(),
        ..FOLLOWED.request_for(name.typed())
    };
    let mut body = api.json(request.clone()).map_err(|error| match error.kind {
        ErrorKind::NotFound => name.unknown(),
        _ => error,
    })?;
    let total = |body: &Value| body.get("_total").and_then(whole_number);
    if total(&body).is_none() {
        body = api.json(request.fresh())?;
    }
    if total(&body).is_none() {
        PageReader::new(api, FOLLOWED.path(), 0).unreadable("following", 1, "_total", body.get("_total"));
    }
    Ok(total(&body))
}

pub(super) fn live_stream(api: &RawApi, channel: &Channel) -> Result<Option<Stream>> {
    let mut body = api.json(STREAMS.request_for(&channel.login))?;
    let Some(stream) = body
        .get_mut("stream")
        .map(Value::take)
        .filter(|stream| !stream.is_null())
    else {
        return Ok(None);
    };
    let mut reader = PageReader::new(api, STREAMS.path(), 0);
    Ok(reader.row(1, stream).and_then(|mut row| {
        Some(Stream {
            id: row.key("_id")?,
            user_id: channel.id.clone(),
            user_login: channel.login.clone(),
            viewer_count: row.count("viewers", "viewer_count"),
            started_at: row.parsed("created_at", "start", time),
            title: row
                .inner("channel")
                .map(|mut of| of.text("status", "title"))
                .unwrap_or_default(),
            extra: serde_json::Map::new(),
        })
    }))
}

/// Parses one video. Ids of recordings began with `v`.
pub(super) fn video_object(api: &RawApi, id: &str) -> Result<Value> {
    let request = VIDEOS.request_for(&format!("v{}", id.trim_start_matches('v')));
    let mut found = api.json(request.clone()).map_err(|error| match error.kind {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no video `{id}`")),
        _ => error,
    })?;
    if text(&found, "_id").is_empty() {
        found = api.json(request.fresh())?;
    }
    match text(&found, "_id").is_empty() {
        true => Err(bad_answer(&VIDEOS, "_id")),
        false => Ok(found),
    }
}

pub(super) fn video(api: &RawApi, id: &str) -> Result<Video> {
    let body = video_object(api, id)?;
    let mut reader = PageReader::new(api, VIDEOS.path(), 0);
    let read = |mut row: RowReader<'_>| {
        let length = row.take("length").and_then(|length| length.as_f64()).unwrap_or(0.0);
        Some(Video {
            id: row.key("_id")?.trim_start_matches('v').to_owned(),
            stream_id: row.optional_text("broadcast_id", "stream_id"),
            user_id: String::new(),
            user_login: row
                .take("channel")
                .map(|channel| text(&channel, "name"))
                .unwrap_or_default(),
            title: row.text("title", "title"),
            created_at: row.parsed("recorded_at", "start", time),
            kind: row.text("broadcast_type", "kind"),
            duration: format!("{}s", length as i64),
            view_count: row.count("views", "view_count"),
            extra: serde_json::Map::new(),
        })
    };
    reader
        .row(1, body)
        .and_then(read)
        .ok_or_else(|| bad_answer(&VIDEOS, "_id"))
}
