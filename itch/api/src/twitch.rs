//! The source of today: Helix.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::join::Joined;
use crate::pages::Sift;
use crate::{
    Api, Channel, ChannelLookup, ChannelName, Direction, Error, ErrorKind, Fact, Follow,
    FollowerTotal, Followers, FollowersQuery, Page, Pending, Request, Result, Service, Source,
    User,
};

/// Ids and logins in one `users` request, together (dev.twitch.tv/docs/api/reference#get-users).
const USERS_PER_REQUEST: usize = 100;
/// Batches of look-ups in flight at once.
const BATCHES_IN_FLIGHT: usize = 4;
/// Follower totals in flight at once: one request a channel.
const TOTALS_IN_FLIGHT: usize = 32;

pub(crate) struct Twitch;

impl Source for Twitch {
    fn channels(
        &self,
        api: &Api,
        names: Vec<ChannelName>,
    ) -> Box<dyn Iterator<Item = Result<ChannelLookup>> + Send> {
        Box::new(UserBatches::new(api.clone(), names))
    }

    fn follower_totals(
        &self,
        api: &Api,
        names: Vec<ChannelName>,
    ) -> Box<dyn Iterator<Item = Result<FollowerTotal>> + Send> {
        Box::new(Totals {
            lookups: UserBatches::new(api.clone(), names),
            api: api.clone(),
            in_flight: VecDeque::new(),
        })
    }

    fn followers(&self, query: FollowersQuery) -> Result<Followers> {
        let FollowersQuery {
            api,
            channel,
            since,
            until,
            created,
            ..
        } = query;
        // The oldest come last, so a limit on them can only be applied by whoever turns the list round.
        let limit = query.limit.filter(|_| query.direction == Direction::Desc);
        let request = Request::helix("channels/followers").query("broadcaster_id", &channel.id);
        let mut pages = api.pages(request, 100).unique_by("user_id").limit(limit);
        if since.is_some() || until.is_some() {
            pages = pages.sift(move |row| sift_by_time(row, since, until));
        } else {
            pages = pages.expect("followers");
        }
        let look_up = move |api: &Api, page: &Page| {
            let ids = page
                .rows
                .iter()
                .filter_map(|row| row.get("user_id")?.as_str());
            Ok(created
                .then(|| users_request(ids))
                .flatten()
                .map(|request| api.fetch(request)))
        };
        let join = move |api: &Api, page: Page, found: Option<Value>| {
            if page.number == 0 && page.empty && page.total.is_some_and(|total| total > 0) {
                return Err(may_not_list(&channel, page.total.unwrap_or(0)));
            }
            follows(api, page, found)
        };
        let rows = Joined::new(api, pages, look_up, join).flat_map(one_by_one);
        Ok(Followers::new(Direction::Desc, rows))
    }
}

/// The rows of a page, or its error, as items of their own.
fn one_by_one<T>(page: Result<Vec<T>>) -> impl Iterator<Item = Result<T>> {
    let (rows, error) = match page {
        Ok(rows) => (rows, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    rows.into_iter().map(Ok).chain(error.map(Err))
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
fn follows(api: &Api, page: Page, found: Option<Value>) -> Result<Vec<Follow>> {
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
            what: "accounts (created empty)".to_owned(),
            n,
            examples: gone,
        });
    }
    Ok(follows)
}

/// Without the right to list followers, Twitch gives their number and no row, and calls that a success
/// (dev.twitch.tv/docs/api/reference#get-channel-followers).
fn may_not_list(channel: &Channel, total: u64) -> Error {
    Error::new(
        ErrorKind::SignIn,
        format!(
            "this token may not list the followers of `{}`",
            channel.login
        ),
    )
    .cause(format!("Twitch gave their number ({total}) but no rows"))
    .hint(
        "use a token (`TWITCH_TOKEN`) of the broadcaster or of one of the channel's moderators \
         with the scope `moderator:read:followers`",
    )
    .at(Service::Helix, Some(200))
}

/// One `users` request for ids, or none for no ids.
fn users_request<'a>(ids: impl Iterator<Item = &'a str>) -> Option<Request> {
    let request = ids.fold(Request::helix("users"), |request, id| {
        request.query("id", id)
    });
    (!request.query.is_empty()).then_some(request)
}

/// The items of a Helix envelope.
fn data<T: DeserializeOwned>(mut body: Value) -> Result<Vec<T>> {
    match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows.into_iter().map(read).collect(),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(
            Error::new(ErrorKind::BadData, "Twitch's answer has no list of rows")
                .at(Service::Helix, None),
        ),
    }
}

/// One row as a model.
fn read<T: DeserializeOwned>(row: Value) -> Result<T> {
    serde_json::from_value(row).map_err(|error| {
        Error::new(
            ErrorKind::BadData,
            "a row of Twitch's answer has not the documented shape",
        )
        .source_chain(&error)
        .at(Service::Helix, None)
    })
}

/// Looks users up in batches, several in flight, and gives them back in the order asked for: Helix neither
/// promises an order nor says which are unknown.
struct UserBatches {
    api: Api,
    names: std::vec::IntoIter<ChannelName>,
    in_flight: VecDeque<(Vec<ChannelName>, Pending)>,
    ready: std::vec::IntoIter<ChannelLookup>,
}

impl UserBatches {
    fn new(api: Api, names: Vec<ChannelName>) -> UserBatches {
        UserBatches {
            api,
            names: names.into_iter(),
            in_flight: VecDeque::new(),
            ready: Vec::new().into_iter(),
        }
    }

    fn fill(&mut self) {
        while self.in_flight.len() < BATCHES_IN_FLIGHT {
            let names: Vec<_> = self.names.by_ref().take(USERS_PER_REQUEST).collect();
            if names.is_empty() {
                return;
            }
            let mut request = Request::helix("users");
            for name in &names {
                let pair = match (name.id(), name.login()) {
                    (Some(id), _) => ("id", id),
                    (None, login) => ("login", login.unwrap_or_default()),
                };
                // Twitch counts a repeated value as one of the hundred; asking once is enough.
                if !request
                    .query
                    .iter()
                    .any(|(key, value)| (key.as_str(), value.as_str()) == pair)
                {
                    request = request.query(pair.0, pair.1);
                }
            }
            self.in_flight.push_back((names, self.api.fetch(request)));
        }
    }

    fn finish(names: Vec<ChannelName>, pending: Pending) -> Result<Vec<ChannelLookup>> {
        let mut by_id = HashMap::new();
        let mut by_login = HashMap::new();
        for user in data::<User>(pending.json()?)? {
            let channel = Channel::from(user);
            by_login.insert(channel.login.clone(), channel.id.clone());
            by_id.insert(channel.id.clone(), channel);
        }
        let find = |name: &ChannelName| {
            let id = name
                .id()
                .or_else(|| Some(by_login.get(name.login()?)?.as_str()));
            by_id.get(id?).cloned()
        };
        Ok(names
            .into_iter()
            .map(|name| ChannelLookup {
                channel: find(&name),
                name,
            })
            .collect())
    }
}

impl Iterator for UserBatches {
    type Item = Result<ChannelLookup>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(lookup) = self.ready.next() {
                return Some(Ok(lookup));
            }
            self.fill();
            let (names, pending) = self.in_flight.pop_front()?;
            self.fill();
            match UserBatches::finish(names, pending) {
                Ok(lookups) => self.ready = lookups.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A channel as asked for, and, if there is one, the request for its number in flight.
type StartedTotal = (ChannelName, Option<(Channel, Pending)>);

/// Asks for the number of followers of each channel, many in flight, in the order asked for.
struct Totals {
    lookups: UserBatches,
    api: Api,
    in_flight: VecDeque<Result<StartedTotal>>,
}

impl Totals {
    /// One row is asked for with the number: an empty page is how Twitch answers those who may not see rows,
    /// and `first=0` is refused.
    fn start(&self, lookup: ChannelLookup) -> StartedTotal {
        let pending = lookup.channel.map(|channel| {
            let request = Request::helix("channels/followers")
                .query("broadcaster_id", &channel.id)
                .query("first", 1);
            let pending = self.api.fetch(request);
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
            let total = |(channel, pending): (Channel, Pending)| -> Result<(Channel, u64)> {
                let body = pending.json()?;
                let total = body.get("total").and_then(Value::as_u64).ok_or_else(|| {
                    Error::new(ErrorKind::BadData, "Twitch's answer has no `total`")
                        .at(Service::Helix, None)
                })?;
                Ok((channel, total))
            };
            Ok(FollowerTotal {
                name,
                found: found.map(total).transpose()?,
            })
        }))
    }
}
