//! `kraken/channels/…/follows`, paged by cursor, and `kraken/users/…/follows/channels`, by offset.
//!
//! Both lists end with an empty page; the page before it does not show that it is the last.

use serde_json::{Map, Value, json};

use super::call::{Call, Failure, Route};
use super::kraken::{channel_object, find, user_object};
use crate::world::{Follow, Followers, Seconds};

const DEFAULT_LIMIT: u64 = 25;

/// Paging by offset was replaced by cursors, and worked up to this offset.
const MAXIMUM_OFFSET: u64 = 1_600;

const NANOS: u64 = 1_000_000_000;

/// The direction as given, and whether the oldest follow comes first.
fn direction<'a>(call: &'a Call<'_>) -> Result<(&'a str, bool), Failure> {
    let direction = call.parameters.one("direction").unwrap_or("DESC");
    match direction.to_ascii_lowercase().as_str() {
        "asc" => Ok((direction, true)),
        "desc" => Ok((direction, false)),
        _ => Err(Failure::bad_request("Invalid direction")),
    }
}

pub(super) static OF_CHANNEL: Route = Route {
    pattern: "/kraken/channels/{name}/follows",
    answer: of_channel,
};

fn of_channel(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "Channel")?;
    let (login, _) = call.world.names_of(id);
    let followers = call.world.followers(id);
    let (direction, ascending) = direction(call)?;
    let limit = call.limit(DEFAULT_LIMIT)?;
    let total = u64::from(followers.total);
    let place_of_rank = |rank: u64| if ascending { rank } else { total - 1 - rank };
    let given = call.parameters.one("cursor").filter(|given| !given.is_empty());
    let start = match (given, call.number("offset")?) {
        (Some(cursor), _) => {
            let rank = rank_of(&followers, cursor).ok_or(Failure::bad_request("Invalid cursor"))?;
            place_of_rank(rank) + 1
        }
        (None, Some(offset)) if offset > MAXIMUM_OFFSET => {
            return Err(Failure::bad_request("Offset is too large"));
        }
        (None, offset) => offset.unwrap_or(0),
    };
    let (start, end) = (start.min(total), (start + limit).min(total));
    let at = |place: u64| {
        let index = if ascending { total - 1 - place } else { place };
        followers.get(index as u32)
    };
    let follows: Vec<Value> = (start..end).map(|place| follow(call, &login, at(place))).collect();

    let path = format!("channels/{login}/follows");
    let limit = limit.to_string();
    let link = |cursor: Option<&str>| {
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        let rest = [("direction", direction), ("limit", limit.as_str())];
        let parameters: Vec<(&str, &str)> = cursor.into_iter().chain(rest).collect();
        call.link(&path, &parameters)
    };
    let mut page = Map::new();
    page.insert("_total".to_owned(), total.into());
    let mut links = Map::new();
    links.insert("self".to_owned(), link(given).into());
    if end > start {
        let rank = if ascending { end - 1 } else { total - end };
        let cursor = cursor(at(end - 1).followed_at, rank);
        links.insert("next".to_owned(), link(Some(&cursor)).into());
        page.insert("_cursor".to_owned(), cursor.into());
    }
    page.insert("_links".to_owned(), links.into());
    page.insert("follows".to_owned(), follows.into());
    Ok(page.into())
}

/// The time in nanoseconds, whose last digits contain the rank, since many may follow in the same second.
fn cursor(followed_at: Seconds, rank: u64) -> String {
    (followed_at as u64 * NANOS + rank * 10).to_string()
}

fn rank_of(followers: &Followers<'_>, given: &str) -> Option<u64> {
    let rank = given.parse::<u64>().ok()? % NANOS / 10;
    let total = u64::from(followers.total);
    let index = total.checked_sub(1)?.checked_sub(rank)?;
    let followed_at = followers.get(index as u32).followed_at;
    (cursor(followed_at, rank) == given).then_some(rank)
}

fn follow(call: &Call<'_>, channel: &str, Follow { user, followed_at }: Follow) -> Value {
    let user = user_object(call, user);
    let login = user["name"].as_str().unwrap_or_default();
    json!({
        "created_at": call.world.rfc3339(followed_at),
        "_links": {
            "self": call.link(&format!("users/{login}/follows/channels/{channel}"), &[]),
        },
        "notifications": false,
        "user": user,
    })
}

pub(super) static OF_USER: Route = Route {
    pattern: "/kraken/users/{name}/follows/channels",
    answer: of_user,
};

fn of_user(call: &Call<'_>) -> Result<Value, Failure> {
    let id = find(call, "User")?;
    let (login, _) = call.world.names_of(id);
    let (direction, ascending) = direction(call)?;
    let limit = call.limit(DEFAULT_LIMIT)?;
    let offset = call.number("offset")?.unwrap_or(0);
    let mut followed = call.world.known_followed_by(id);
    match call.parameters.one("sortby") {
        None | Some("created_at" | "last_broadcast") => {}
        Some("login") => {
            followed.sort_by_cached_key(|follow| call.world.names_of(follow.user).0);
            followed.reverse();
        }
        Some(_) => return Err(Failure::bad_request("Invalid sortby")),
    }
    if ascending {
        followed.reverse();
    }
    let follows: Vec<Value> = followed
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(limit as usize)
        .map(|Follow { user, followed_at }| {
            let channel = channel_object(call, *user);
            let name = channel["name"].as_str().unwrap_or_default();
            let own = call.link(&format!("users/{login}/follows/channels/{name}"), &[]);
            json!({
                "created_at": call.world.rfc3339(*followed_at),
                "_links": { "self": own },
                "notifications": false,
                "channel": channel,
            })
        })
        .collect();
    let link = |offset: u64| {
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let mut parameters = vec![("direction", direction), ("limit", &limit), ("offset", &offset)];
        if let Some(order) = call.parameters.one("sortby") {
            parameters.push(("sortby", order));
        }
        call.link(&format!("users/{login}/follows/channels"), &parameters)
    };
    Ok(json!({
        "_total": followed.len(),
        "_links": { "self": link(offset), "next": link(offset.saturating_add(limit)) },
        "follows": follows,
    }))
}
