//! `users`: accounts by id or login, and the account of the token.

use std::collections::{HashMap, VecDeque};

use super::envelope::data;
use crate::raw::{Channel, ChannelName, Error, ErrorKind, Pending, Policy, RawApi, Request, Result, User};
use crate::sources::endpoint::{DAY, Endpoint};
use crate::sources::source::ChannelLookup;

/// The row of the token's own account contains the email address, if the token has the scope for it.
pub(super) static USERS: Endpoint = Endpoint::helix("users", Policy::user_with(DAY, "user:read:email"));
/// Without a parameter, `users` returns the account of the token.
pub(super) static OWN_USER: Endpoint = Endpoint::helix("users", Policy::user(DAY)).without_parameters();

/// The number of ids and logins in one request (dev.twitch.tv/docs/api/reference#get-users).
const USERS_PER_REQUEST: usize = 100;
/// The number of batches in flight at once.
const BATCHES_IN_FLIGHT: usize = 4;

/// One `users` request for ids, or `None` without ids.
pub(super) fn users_request<'a>(ids: impl Iterator<Item = &'a str>) -> Option<Request> {
    let request = ids.fold(USERS.request(), |request, id| request.query("id", id));
    (!request.query.is_empty()).then_some(request)
}

/// The account of the token: `users` without a parameter.
pub(super) fn own_account(api: &RawApi) -> Result<Channel> {
    let nobody = || {
        Error::new(ErrorKind::SignIn, "this needs a user access token, not an app access token")
            .hint("set `TWITCH_TOKEN` to a user access token")
    };
    let found = api.json(OWN_USER.request()).map_err(|error| match error.http {
        Some(400) => nobody().cause(error.causes.first().cloned().unwrap_or_default()),
        _ => error,
    })?;
    let user: Option<User> = data(found)?.into_iter().next();
    user.map(Channel::from).ok_or_else(nobody)
}

/// Looks up users in batches, several in flight, and returns them in the order of the names. Helix does not keep the
/// order and leaves out unknown users.
pub(super) struct UserBatches {
    api: RawApi,
    names: std::vec::IntoIter<ChannelName>,
    in_flight: VecDeque<(Vec<ChannelName>, Pending)>,
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
            let mut request = USERS.request();
            for name in &names {
                let pair = match (name.id(), name.login()) {
                    (Some(id), _) => ("id", id),
                    (None, login) => ("login", login.unwrap_or_default()),
                };
                // Twitch counts a repeated value as one of the hundred, so each value is sent once.
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
            let id = name.id().or_else(|| Some(by_login.get(name.login()?)?.as_str()));
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
