//! `users`: accounts by id or login, and the account of the token.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::envelope::{bad_answer, data, placed, reader};
use crate::raw::reader::{RowReader, key_text};
use crate::raw::{Channel, ChannelName, Error, ErrorKind, Pending, Policy, RawApi, Request, Result, Service, User};
use crate::sources::endpoint::{DAY, Endpoint, MINUTE};
use crate::sources::source::ChannelLookup;

/// The row of the token's own account contains the email address, if the token has the scope for it.
pub(super) static USERS: Endpoint = Endpoint::helix("users", Policy::user_with(DAY, "user:read:email"));
/// Without a parameter, `users` returns the account of the token.
pub(super) static OWN_USER: Endpoint = Endpoint::helix("users", Policy::user(DAY)).without_parameters();

/// The number of ids and logins in one request (dev.twitch.tv/docs/api/reference#get-users).
const USERS_PER_REQUEST: usize = 100;
/// The number of batches in flight at once.
const BATCHES_IN_FLIGHT: usize = 4;

/// Accounts to look up with one request.
#[derive(Clone, Debug)]
pub(super) struct AccountBatch {
    /// `id` or `login`, and its value; each once, because Twitch counts a repeated value as one of the hundred.
    keys: Vec<(&'static str, String)>,
    policy: Policy,
}

impl AccountBatch {
    /// The accounts of rows, whose ids are in this field. Rows of vanished accounts may have an empty id: it is not asked for.
    pub fn of_rows(rows: &[Value], field: &str) -> AccountBatch {
        let ids = rows.iter().filter_map(|row| Some(("id", key_text(row.get(field)?)?)));
        AccountBatch::new(ids, USERS.policy.clone())
    }

    /// The accounts with these names. Who is not there now may be there in a minute.
    fn of_names(names: &[ChannelName]) -> AccountBatch {
        let keys = names.iter().map(|name| match (name.id(), name.login()) {
            (Some(id), _) => ("id", id.to_owned()),
            (None, login) => ("login", login.unwrap_or_default().to_owned()),
        });
        AccountBatch::new(keys, USERS.policy.clone().incomplete_max_age(MINUTE))
    }

    fn new(keys: impl Iterator<Item = (&'static str, String)>, policy: Policy) -> AccountBatch {
        let mut once = Vec::new();
        for key in keys.filter(|(_, value)| !value.is_empty()) {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        AccountBatch { keys: once, policy }
    }

    /// The request; `None` if there is nobody to look up.
    pub fn request(&self) -> Option<Request> {
        let request = USERS.request().policy(self.policy.clone());
        let request = self
            .keys
            .iter()
            .fold(request, |request, (key, value)| request.query(*key, value));
        (!self.keys.is_empty()).then_some(request)
    }

    /// Waits for the answer to the request, and returns its rows.
    ///
    /// If nobody at all was found, that may be a fault of the service, so it is asked again. If the request was
    /// refused because of one of its keys, it is repeated in halves until that key is alone: nobody has such a key.
    pub fn rows(&self, api: &RawApi, pending: Pending) -> Result<Vec<Value>> {
        let request = pending.request().clone();
        let response = pending.wait()?;
        let stored = response.from_cache();
        match response.success(&request).and_then(|body| data(&USERS, body)) {
            Ok(rows) if rows.is_empty() && !stored => data(&USERS, api.json(request.fresh())?),
            Err(error) if error.http == Some(400) => self.halves(api),
            rows => rows,
        }
    }

    fn halves(&self, api: &RawApi) -> Result<Vec<Value>> {
        let (first, second) = self.keys.split_at(self.keys.len() / 2);
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let halves = [first, second].map(|keys| AccountBatch {
            keys: keys.to_vec(),
            policy: self.policy.clone(),
        });
        let started: Vec<_> = halves
            .iter()
            .map(|half| half.request().map(|request| api.fetch(request)))
            .collect();
        let mut rows = Vec::new();
        for (half, pending) in halves.iter().zip(started) {
            if let Some(pending) = pending {
                rows.extend(half.rows(api, pending)?);
            }
        }
        Ok(rows)
    }
}

/// Reads an account. `None` if neither its id nor its login can be read: one of them is how it was asked for.
fn user(mut row: RowReader<'_>) -> Option<User> {
    let readable = |field: &str| {
        row.fields()
            .get(field)
            .and_then(key_text)
            .is_some_and(|key| !key.is_empty())
    };
    let by_login = !readable("id") && readable("login");
    Some(User {
        id: match by_login {
            true => row.text("id", "id"),
            false => row.key("id")?,
        },
        login: row.text("login", "login"),
        display_name: row.text("display_name", "display_name"),
        created_at: row.time("created_at", "created_at"),
        extra: row.rest(),
    })
}

/// Whether an account can be found by what it was asked for.
fn has_keys(row: &Value) -> bool {
    let readable = |field: &str| row.get(field).and_then(key_text).is_some_and(|key| !key.is_empty());
    readable("id") && readable("login")
}

/// The account of the token: `users` without a parameter.
pub(super) fn own_account(api: &RawApi) -> Result<Channel> {
    let nobody = || {
        Error::new(ErrorKind::SignIn, "this needs a user access token, not an app access token")
            .hint("itch login")
            .at(Service::Helix, Some(400))
    };
    let found = api.json(OWN_USER.request()).map_err(|error| match error.http {
        Some(400) => nobody().cause(error.causes.first().cloned().unwrap_or_default()),
        _ => error,
    })?;
    // Only its id is used, so its other fields do not matter.
    let id = |rows: &[Value]| {
        rows.first()
            .and_then(|row| key_text(row.get("id")?))
            .filter(|id| !id.is_empty())
    };
    let mut rows = data(&OWN_USER, found)?;
    if id(&rows).is_none() {
        rows = data(&OWN_USER, api.json(OWN_USER.request().fresh())?)?;
    }
    let id = id(&rows).ok_or_else(|| match rows.first() {
        Some(row) => bad_answer(&OWN_USER, "id", row.get("id")),
        None => nobody(),
    })?;
    Ok(Channel {
        id,
        ..Channel::default()
    })
}

/// Looks up one user. Every request about it needs its id.
pub(super) fn one(api: &RawApi, name: &ChannelName) -> Result<Channel> {
    let unreadable = || Error::new(ErrorKind::BadData, format!("could not read the id that Twitch sent for `{name}`"));
    match UserBatches::new(api.clone(), vec![name.clone()]).next() {
        Some(lookup) => match lookup?.channel {
            Some(channel) if channel.id.is_empty() => Err(unreadable()),
            Some(channel) => Ok(channel),
            None => Err(name.unknown()),
        },
        None => Err(unreadable()),
    }
}

/// Looks up users in batches, several in flight, and returns them in the order of the names. Helix does not keep the
/// order and leaves out unknown users.
pub(super) struct UserBatches {
    api: RawApi,
    names: std::vec::IntoIter<ChannelName>,
    in_flight: VecDeque<(Vec<ChannelName>, AccountBatch, Option<Pending>)>,
    ready: std::vec::IntoIter<ChannelLookup>,
}

impl UserBatches {
    pub(super) fn new(api: RawApi, names: Vec<ChannelName>) -> UserBatches {
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
            let batch = AccountBatch::of_names(&names);
            let pending = batch.request().map(|request| self.api.fetch(request));
            self.in_flight.push_back((names, batch, pending));
        }
    }

    /// The accounts of an answer. One with a row that cannot be matched to its name is asked for again.
    fn accounts(&self, batch: &AccountBatch, pending: Option<Pending>) -> Result<Vec<Value>> {
        let Some(pending) = pending else {
            return Ok(Vec::new());
        };
        let request = pending.request().clone();
        let rows = batch.rows(&self.api, pending)?;
        match rows.iter().all(has_keys) {
            true => Ok(rows),
            false => batch.rows(&self.api, self.api.fetch(request.fresh())),
        }
    }

    fn finish(
        &self,
        names: Vec<ChannelName>,
        batch: &AccountBatch,
        pending: Option<Pending>,
    ) -> Result<Vec<ChannelLookup>> {
        let rows = self.accounts(batch, pending)?;
        let mut reader = reader(&self.api, &USERS);
        let (mut accounts, mut lost) = (Vec::with_capacity(rows.len()), 0);
        for (place, row) in placed(rows) {
            match reader.row(place, row).and_then(user) {
                Some(user) => accounts.push((place, Channel::from(user))),
                None => lost += 1,
            }
        }
        let mut by_id = HashMap::new();
        let mut by_login = HashMap::new();
        for (place, (_, account)) in accounts.iter().enumerate() {
            by_id.insert(account.id.as_str(), place);
            by_login.insert(account.login.as_str(), place);
        }
        let find = |name: &ChannelName| match name.id() {
            Some(id) => by_id.get(id),
            None => by_login.get(name.login()?),
        };
        let mut found: Vec<Option<usize>> = names.iter().map(|name| find(name).copied()).collect();
        let unmatched = (0..accounts.len()).filter(|place| !found.contains(&Some(*place)));
        let unmatched: Vec<usize> = unmatched.collect();
        let open: Vec<usize> = (0..found.len()).filter(|name| found[*name].is_none()).collect();
        match (&unmatched[..], &open[..]) {
            // A row whose key cannot be read is that of the only name without a row.
            ([row], [name]) => found[*name] = Some(*row),
            _ => {
                lost += unmatched.len();
                for row in unmatched {
                    let (place, account) = &accounts[row];
                    reader.lost(*place, Some("login"), &account.login.as_str().into());
                }
            }
        }
        let lookups = names.into_iter().zip(found).map(|(name, place)| ChannelLookup {
            channel: place.map(|place| accounts[place].1.clone()),
            name,
        });
        // A name whose row was lost is not one that does not exist. Nobody knows which it is, so none is said to be.
        Ok(lookups.filter(|lookup| lost == 0 || lookup.channel.is_some()).collect())
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
            let (names, batch, pending) = self.in_flight.pop_front()?;
            self.fill();
            match self.finish(names, &batch, pending) {
                Ok(lookups) => self.ready = lookups.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
