//! `channels/followers`: the followers of a channel, and how many it has.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::envelope::{placed, reader};
use super::users::{AccountBatch, USERS, UserBatches};
use crate::raw::join::Joined;
use crate::raw::reader::{PageReader, parse_time, whole_number};
use crate::raw::{
    Channel, ChannelName, Error, ErrorKind, Fact, Follow, Page, Pending, Policy, RawApi, Request, Result, Service,
    Sift, User,
};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::{Direction, FollowersParameters};
use crate::sources::source::{ChannelLookup, FollowerTotal, Listing, one_by_one};

/// For a token that may not list followers, Twitch returns their number but no rows, with a success status
/// (dev.twitch.tv/docs/api/reference#get-channel-followers).
pub(super) static FOLLOWERS: Endpoint = Endpoint::helix("channels/followers", Policy::user(HOUR).rows_hidden());

/// The number of look-ups of follower totals in flight at once: one request per channel.
const TOTALS_IN_FLIGHT: usize = 32;

/// The request for a channel's followers.
fn request(channel_id: &str) -> Request {
    FOLLOWERS.request().query("broadcaster_id", channel_id)
}

/// Lists the followers, newest first, with one look-up of accounts per page, in parallel.
pub(super) fn list(api: &RawApi, asked: FollowersParameters) -> Result<Listing<Follow>> {
    let FollowersParameters {
        channel,
        since,
        until,
        created,
        direction,
        limit,
    } = asked;
    // The oldest rows come last, so a limit on them can only be applied by the caller that reverses the list.
    let limit = limit.filter(|_| direction == Direction::Desc);
    let mut pages = FOLLOWERS
        .pages(api, request(&channel.id))
        .unique_by("user_id")
        .limit(limit);
    pages = pages.expect("followers");
    if since.is_some() || until.is_some() {
        pages = pages.sift(move |row| sift_by_time(row, since, until));
    }
    let look_up = move |api: &RawApi, page: &Page| {
        let request = created.then(|| AccountBatch::of_rows(&page.rows, "user_id").request());
        Ok(request.flatten().map(|request| api.fetch(request)))
    };
    let join = move |api: &RawApi, page: Page, found: Option<Pending>| {
        if page.number == 0 && !page.more && FOLLOWERS.policy.hides_rows(page.total, usize::from(!page.empty)) {
            return Err(may_not_list(&channel, page.total.unwrap_or(0)));
        }
        follows(api, page, found)
    };
    let rows = Joined::new(api.clone(), pages, look_up, join).flat_map(one_by_one);
    Ok(Listing::new(Direction::Desc, rows))
}

/// Twitch lists newest first, so rows before `since` end the walk.
fn sift_by_time(row: &Value, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Sift {
    let Some(followed) = row.get("followed_at").and_then(Value::as_str).and_then(parse_time) else {
        return Sift::Unsure;
    };
    if since.is_some_and(|since| followed < since) {
        Sift::Stop
    } else if until.is_some_and(|until| followed >= until) {
        Sift::Skip
    } else {
        Sift::Keep
    }
}

/// Combines a page of followers and, if they were looked up, their accounts.
fn follows(api: &RawApi, page: Page, found: Option<Pending>) -> Result<Vec<Follow>> {
    let mut gone = Vec::new();
    let mut accounts = match found {
        Some(pending) => {
            let batch = AccountBatch::of_rows(&page.rows, "user_id");
            Some(accounts(api, batch.rows(api, pending)?))
        }
        None => None,
    };
    let mut reader = PageReader::new(api, FOLLOWERS.path(), page.number);
    let mut follows = Vec::with_capacity(page.rows.len());
    for (place, row) in page.placed_rows() {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let Some(id) = row.account_key("user_id") else { continue };
        let login = row.text("user_login", "login");
        let found = accounts.as_mut().map(|accounts| accounts.remove(&id));
        if found == Some(None) && !id.is_empty() {
            gone.push(login.clone());
        }
        // The follower's row has the current name of the account; the look-up may be a day old.
        let user = User {
            id,
            login,
            display_name: row.text("user_name", "display_name"),
            ..found.flatten().unwrap_or_default()
        };
        let followed_at = row.time("followed_at", "followed_at");
        follows.push(Follow { user, followed_at });
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

/// What the look-up adds to the accounts of a page, by their ids.
fn accounts(api: &RawApi, rows: Vec<Value>) -> HashMap<String, User> {
    let mut reader = reader(api, &USERS);
    let mut users = HashMap::with_capacity(rows.len());
    for (place, row) in placed(rows) {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let Some(id) = row.key("id") else { continue };
        // The names are those of the follower's row.
        row.take("login");
        row.take("display_name");
        let created_at = row.time("created_at", "created_at");
        let extra = row.rest();
        users.insert(
            id,
            User {
                created_at,
                extra,
                ..User::default()
            },
        );
    }
    users
}

fn may_not_list(channel: &Channel, total: u64) -> Error {
    Error::new(ErrorKind::SignIn, format!("this token may not list the followers of `{}`", channel.login))
        .cause(format!("Twitch returned their number ({total}) but no rows"))
        .hint(
            "sign in as the broadcaster or as one of the channel's moderators: \
             `itch login --scopes moderator:read:followers`",
        )
        .at(Service::Helix, Some(200))
}

/// The request for the number of a channel's followers. It asks for one row too: `first=0` is rejected. The page is
/// empty for tokens that may not see the rows.
pub(super) fn total_request(channel_id: &str) -> Request {
    request(channel_id).query("first", 1)
}

/// The `total` of a list. An answer without one, or with fewer than it has rows, is asked for again.
pub(super) fn total(api: &RawApi, pending: Pending) -> Result<Result<u64, Option<Value>>> {
    let read = |body: &Value| {
        let rows = body.get("data").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        body.get("total").and_then(whole_number).filter(|total| *total >= rows)
    };
    let request = pending.request().clone();
    let mut body = pending.json()?;
    if read(&body).is_none() {
        body = api.json(request.fresh())?;
    }
    Ok(read(&body).ok_or_else(|| body.get_mut("total").map(Value::take)))
}

/// The number of a channel's followers; `None` and counted as unreadable if Twitch does not send it.
pub(super) fn followers_total(api: &RawApi, pending: Pending) -> Result<Option<u64>> {
    Ok(match total(api, pending)? {
        Ok(total) => Some(total),
        Err(found) => {
            reader(api, &FOLLOWERS).unreadable("followers", 1, "total", found.as_ref());
            None
        }
    })
}

/// A channel name and, if the channel exists, the request in flight for its number of followers.
type StartedTotal = (ChannelName, Option<(Channel, Option<Pending>)>);

/// Requests the number of followers of each channel, many in flight, and returns them in the order of the names.
pub(super) struct Totals {
    lookups: UserBatches,
    api: RawApi,
    in_flight: VecDeque<Result<StartedTotal>>,
}

impl Totals {
    pub(super) fn new(api: RawApi, names: Vec<ChannelName>) -> Totals {
        Totals {
            lookups: UserBatches::new(api.clone(), names),
            api,
            in_flight: VecDeque::new(),
        }
    }

    fn start(&self, lookup: ChannelLookup) -> StartedTotal {
        let pending = lookup.channel.map(|channel| {
            let known = !channel.id.is_empty();
            let pending = known.then(|| self.api.fetch(total_request(&channel.id)));
            (channel, pending)
        });
        (lookup.name, pending)
    }
}

impl Iterator for Totals {
    type Item = Result<FollowerTotal>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.in_flight.len() < TOTALS_IN_FLIGHT {
            let Some(lookup) = self.lookups.next() else {
                break;
            };
            let started = lookup.map(|lookup| self.start(lookup));
            self.in_flight.push_back(started);
        }
        let started = self.in_flight.pop_front()?;
        Some(started.and_then(|(name, found)| {
            let with_total = |(channel, pending): (Channel, Option<Pending>)| -> Result<(Channel, Option<u64>)> {
                let total = match pending {
                    Some(pending) => followers_total(&self.api, pending)?,
                    None => {
                        reader(&self.api, &USERS).unreadable("followers", 1, "id", None);
                        None
                    }
                };
                Ok((channel, total))
            };
            Ok(FollowerTotal {
                name,
                found: found.map(with_total).transpose()?,
            })
        }))
    }
}
