//! The followers of a channel.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::envelope::{data, one_by_one, pages, read};
use super::users::users_request;
use crate::raw::join::Joined;
use crate::raw::{Channel, Error, ErrorKind, Fact, Follow, Page, RawApi, Request, Result, Service, Sift, User};
use crate::sources::parameters::{Direction, FollowersParameters};
use crate::sources::source::Listing;

/// Walks the list, newest first, with one look-up of accounts beside each page.
pub(super) fn list(api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
    let FollowersParameters {
        channel,
        since,
        until,
        created,
        direction,
        limit,
    } = asked;
    // The oldest come last, so a limit on them can only be applied by whoever turns the list round.
    let limit = limit.filter(|_| direction == Direction::Desc);
    let request = Request::helix("channels/followers").query("broadcaster_id", &channel.id);
    let mut pages = pages(api, request, 100).unique_by("user_id").limit(limit);
    if since.is_some() || until.is_some() {
        pages = pages.sift(move |row| sift_by_time(row, since, until));
    } else {
        pages = pages.expect("followers");
    }
    let look_up = move |api: &RawApi, page: &Page| {
        let ids = page.rows.iter().filter_map(|row| row.get("user_id")?.as_str());
        Ok(created
            .then(|| users_request(ids))
            .flatten()
            .map(|request| api.fetch(request)))
    };
    let join = move |api: &RawApi, page: Page, found: Option<Value>| {
        if page.number == 0 && page.empty && page.total.is_some_and(|total| total > 0) {
            return Err(may_not_list(&channel, page.total.unwrap_or(0)));
        }
        follows(api, page, found)
    };
    let rows = Joined::new(api.clone(), pages, look_up, join).flat_map(one_by_one);
    Ok(Listing::new(Direction::Desc, rows))
}

/// Twitch lists newest first, so the first row before `since` ends the walk.
fn sift_by_time(row: &Value, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Sift {
    let followed = row.get("followed_at").and_then(Value::as_str);
    let Some(followed) = followed.and_then(|text| text.parse::<DateTime<Utc>>().ok()) else {
        return Sift::Keep; // Reading the row will say what is wrong with it.
    };
    if since.is_some_and(|since| followed < since) {
        Sift::Stop
    } else if until.is_some_and(|until| followed >= until) {
        Sift::Skip
    } else {
        Sift::Keep
    }
}

#[derive(Deserialize)]
struct FollowerRow {
    user_id: String,
    user_login: String,
    user_name: String,
    followed_at: DateTime<Utc>,
}

/// Makes follows of a page of followers and, if they were looked up, their accounts.
fn follows(api: &RawApi, page: Page, found: Option<Value>) -> Result<Vec<Follow>> {
    let looked_up = found.is_some();
    let mut users: HashMap<String, User> = match found {
        Some(body) => data(body)?
            .into_iter()
            .map(|user: User| (user.id.clone(), user))
            .collect(),
        None => HashMap::new(),
    };
    let mut gone = Vec::new();
    let mut follows = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let row: FollowerRow = read(row)?;
        let mut user = users.remove(&row.user_id).unwrap_or_else(|| {
            if looked_up {
                gone.push(row.user_login.clone());
            }
            User::default()
        });
        // The follower's row says how the account is called now; the look-up may be a day old.
        user.id = row.user_id;
        user.login = row.user_login;
        user.display_name = row.user_name;
        follows.push(Follow {
            user,
            followed_at: row.followed_at,
        });
    }
    if !gone.is_empty() {
        let n = gone.len() as u64;
        gone.truncate(3);
        api.note(Fact::Missing {
            what: "accounts".to_owned(),
            n,
            examples: gone,
            remark: Some("created empty".to_owned()),
        });
    }
    Ok(follows)
}

/// Without the right to list followers, Twitch gives their number and no row, and calls that a success
/// (dev.twitch.tv/docs/api/reference#get-channel-followers).
fn may_not_list(channel: &Channel, total: u64) -> Error {
    Error::new(ErrorKind::SignIn, format!("this token may not list the followers of `{}`", channel.login))
        .cause(format!("Twitch gave their number ({total}) but no rows"))
        .hint(
            "use a token (`TWITCH_TOKEN`) of the broadcaster or of one of the channel's moderators \
         with the scope `moderator:read:followers`",
        )
        .at(Service::Helix, Some(200))
}
