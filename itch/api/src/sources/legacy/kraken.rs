//! kraken version 3: channels, users, follows, videos, streams (justintv/Twitch-API, v3_resources).

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fields::{text, time};
use crate::raw::{
    Channel, ChannelName, Error, ErrorKind, Follow, FollowedChannel, PageStyle, Pages, Pending, Policy, RawApi,
    Request, Result, Service, Sift, Stream, User, Video,
};
use crate::sources::endpoint::{DAY, Endpoint, HOUR, MINUTE};
use crate::sources::parameters::{Direction, FollowersParameters, FollowingParameters};
use crate::sources::source::{ChannelLookup, FollowerTotal, Listing};

pub(super) static USERS: Endpoint = Endpoint::get(Service::Kraken, "users/*", Policy::everybody(DAY));
pub(super) static FOLLOWED: Endpoint =
    Endpoint::get(Service::Kraken, "users/*/follows/channels", Policy::everybody(HOUR));
pub(super) static CHANNELS: Endpoint = Endpoint::get(Service::Kraken, "channels/*", Policy::everybody(HOUR));
pub(super) static FOLLOWERS: Endpoint = Endpoint::get(Service::Kraken, "channels/*/follows", Policy::everybody(HOUR));
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

fn bad_row() -> Error {
    Error::new(ErrorKind::BadData, "could not parse kraken's answer").at(Service::Kraken, None)
}

/// Parses a user or channel object.
fn channel(value: Value) -> Channel {
    let (id, login, display_name) = (text(&value, "_id"), text(&value, "name"), text(&value, "display_name"));
    let created_at = time(value.get("created_at"));
    let extra = match value {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    Channel {
        id,
        login,
        display_name,
        created_at,
        extra,
    }
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
        Some(match pending.and_then(Pending::json) {
            Ok(found) => channel_of(found).map(|channel| ChannelLookup {
                name,
                channel: Some(channel),
            }),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(ChannelLookup { name, channel: None }),
            Err(error) => Err(error),
        })
    }
}

/// The number of followers is part of the channel object.
pub(super) fn follower_total(lookup: ChannelLookup) -> Result<FollowerTotal> {
    let ChannelLookup { name, channel } = lookup;
    let with_total = |channel: Channel| {
        let followers = channel
            .extra
            .get("followers")
            .and_then(Value::as_u64)
            .ok_or_else(bad_row)?;
        Ok::<_, Error>((channel, followers))
    };
    Ok(FollowerTotal {
        name,
        found: channel.map(with_total).transpose()?,
    })
}

pub(super) fn user(api: &RawApi, name: &ChannelName) -> Result<Channel> {
    let found = api.json(USERS.request_for(login(name)?));
    found.and_then(channel_of).map_err(|error| match error.kind {
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
    let mut pages = follows(api, FOLLOWERS.request_for(&channel.login), direction, limit);
    if since.is_some() || until.is_some() {
        pages = pages.sift(move |row| sift_by_time(row, direction, since, until));
    } else {
        pages = pages.expect("followers");
    }
    let rows = pages.rows().map(|row| {
        let mut row = row?;
        let followed_at = time(row.get("created_at")).ok_or_else(bad_row)?;
        let user = channel_of(row.get_mut("user").map(Value::take).ok_or_else(bad_row)?)?;
        let user = User {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            created_at: user.created_at,
            extra: user.extra,
        };
        Ok(Follow { user, followed_at })
    });
    Ok(Listing::new(direction, rows))
}

/// A user or channel, or `None` if the object has no name.
fn channel_of(value: Value) -> Result<Channel> {
    let channel = channel(value);
    if channel.login.is_empty() {
        Err(bad_row())
    } else {
        Ok(channel)
    }
}

fn sift_by_time(row: &Value, direction: Direction, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Sift {
    let Some(followed) = time(row.get("created_at")) else {
        return Sift::Keep; // Parsing the row will report the error.
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
    let rows = follows(api, FOLLOWED.request_for(&user.login), direction, limit)
        .expect("channels")
        .rows()
        .map(|row| {
            let mut row = row?;
            let followed_at = time(row.get("created_at")).ok_or_else(bad_row)?;
            let channel = channel_of(row.get_mut("channel").map(Value::take).ok_or_else(bad_row)?)?;
            let followers = channel.extra.get("followers").and_then(Value::as_u64);
            Ok(FollowedChannel {
                channel,
                followers,
                followed_at,
            })
        });
    Ok(Listing::new(direction, rows))
}

/// The name is in the path as it was typed: the original itch sent no look-up for this.
pub(super) fn following_total(api: &RawApi, name: &ChannelName) -> Result<u64> {
    login(name)?;
    let request = Request {
        inline_query: "direction=ASC&limit=1".to_owned(),
        ..FOLLOWED.request_for(name.typed())
    };
    let body = api.json(request).map_err(|error| match error.kind {
        ErrorKind::NotFound => name.unknown(),
        _ => error,
    })?;
    let empty = body.get("follows").and_then(Value::as_array).is_none_or(Vec::is_empty);
    match body.get("_total").and_then(Value::as_u64) {
        _ if empty => Ok(0),
        Some(total) => Ok(total),
        None => Err(bad_row()),
    }
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
    let title = stream
        .get("channel")
        .map(|channel| text(channel, "status"))
        .unwrap_or_default();
    Ok(Some(Stream {
        id: text(&stream, "_id"),
        user_id: channel.id.clone(),
        user_login: channel.login.clone(),
        title,
        viewer_count: stream.get("viewers").and_then(Value::as_u64).unwrap_or(0),
        started_at: time(stream.get("created_at")).ok_or_else(bad_row)?,
        extra: serde_json::Map::new(),
    }))
}

/// Parses one video. Ids of recordings began with `v`.
pub(super) fn video_object(api: &RawApi, id: &str) -> Result<Value> {
    api.json(VIDEOS.request_for(&format!("v{}", id.trim_start_matches('v'))))
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no video `{id}`")),
            _ => error,
        })
}

pub(super) fn video(api: &RawApi, id: &str) -> Result<Video> {
    let body = video_object(api, id)?;
    let channel = body.get("channel").cloned().unwrap_or_default();
    Ok(Video {
        id: text(&body, "_id").trim_start_matches('v').to_owned(),
        stream_id: body.get("broadcast_id").map(|_| text(&body, "broadcast_id")),
        user_id: String::new(),
        user_login: text(&channel, "name"),
        title: text(&body, "title"),
        created_at: time(body.get("recorded_at")).ok_or_else(bad_row)?,
        kind: text(&body, "broadcast_type"),
        duration: format!("{}s", body.get("length").and_then(Value::as_f64).unwrap_or(0.0) as i64),
        view_count: body.get("views").and_then(Value::as_u64).unwrap_or(0),
        extra: serde_json::Map::new(),
    })
}
