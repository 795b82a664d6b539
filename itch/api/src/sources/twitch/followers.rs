//! `channels/followers`: the followers of a channel, and how many it has.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::envelope::{data, one_by_one, read};
use super::users::{UserBatches, users_request};
use crate::raw::join::Joined;
use crate::raw::{
    Channel, ChannelName, Error, ErrorKind, Fact, Follow, Page, Pending, Policy, RawApi, Request, Result, Service,
    Sift, User,
};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::{Direction, FollowersParameters};
use crate::sources::source::{ChannelLookup, FollowerTotal, Listing};

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
        if page.number == 0 && FOLLOWERS.policy.hides_rows(page.total, usize::from(!page.empty)) {
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
        return Sift::Keep; // Parsing the row will report the error.
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

/// Combines a page of followers and, if they were looked up, their accounts.
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
        // The follower's row has the current name of the account; the look-up may be a day old.
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

fn may_not_list(channel: &Channel, total: u64) -> Error {
    Error::new(ErrorKind::SignIn, format!("this token may not list the followers of `{}`", channel.login))
        .cause(format!("Twitch returned their number ({total}) but no rows"))
        .hint(
            "use a token (`TWITCH_TOKEN`) of the broadcaster or of one of the channel's moderators \
         with the scope `moderator:read:followers`",
        )
        .at(Service::Helix, Some(200))
}

/// The request for the number of a channel's followers. It asks for one row too: `first=0` is rejected. The page is
/// empty for tokens that may not see the rows.
pub(super) fn total_request(channel_id: &str) -> Request {
    request(channel_id).query("first", 1)
}

/// The `total` of a Helix list.
pub(super) fn total(body: &Value) -> Result<u64> {
    body.get("total")
        .and_then(Value::as_u64)
        .ok_or_else(|| Error::new(ErrorKind::BadData, "Twitch's answer has no `total`").at(Service::Helix, None))
}

/// A channel name and, if the channel exists, the request in flight for its number of followers.
type StartedTotal = (ChannelName, Option<(Channel, Pending)>);

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
            let pending = self.api.fetch(total_request(&channel.id));
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
            let with_total = |(channel, pending): (Channel, Pending)| -> Result<(Channel, u64)> {
                let total = total(&pending.json()?)?;
                Ok((channel, total))
            };
            Ok(FollowerTotal {
                name,
                found: found.map(with_total).transpose()?,
            })
        }))
    }
}
