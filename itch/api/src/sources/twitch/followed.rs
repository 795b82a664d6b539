//! `channels/followed`: the channels that a user follows. Twitch shows them only to that user.

use std::collections::VecDeque;

use super::envelope::reader;
use super::followers::{self, total_request};
use crate::raw::reader::PageReader;
use crate::raw::{Channel, Error, ErrorKind, FollowedChannel, Page, Pending, Policy, RawApi, Request, Result};
use crate::sources::endpoint::{Endpoint, HOUR};
use crate::sources::parameters::{Direction, FollowingParameters};
use crate::sources::source::{Listing, one_by_one};

pub(super) static FOLLOWED: Endpoint = Endpoint::helix("channels/followed", Policy::user(HOUR));

/// The number of look-ups of follower totals in flight at once: one request per row.
const TOTALS_IN_FLIGHT: usize = 32;

/// Reads the rows of a page.
fn channels(api: &RawApi, page: Page) -> Vec<FollowedChannel> {
    let mut reader = PageReader::new(api, FOLLOWED.path(), page.number);
    let mut channels = Vec::with_capacity(page.rows.len());
    for (place, row) in page.placed_rows() {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let Some(id) = row.account_key("broadcaster_id") else {
            continue;
        };
        let channel = Channel {
            id,
            login: row.text("broadcaster_login", "login"),
            display_name: row.text("broadcaster_name", "display_name"),
            ..Channel::default()
        };
        channels.push(FollowedChannel {
            channel,
            followers: None,
            followed_at: row.time("followed_at", "followed_at"),
        });
    }
    channels
}

fn request(user: &Channel) -> Request {
    FOLLOWED.request().query("user_id", &user.id)
}

/// Adds a hint to a refusal.
fn explain(error: Error) -> Error {
    match error.kind {
        ErrorKind::SignIn if error.http.is_some() => error
            .context("this token may not see which channels that account follows")
            .hint(
                "Twitch shows the followed channels only to the account itself: sign in as that account with \
                 `itch login --scopes user:read:follows`",
            ),
        _ => error,
    }
}

/// Lists the channels, newest follow first.
pub(super) fn list(api: &RawApi, asked: FollowingParameters) -> Result<Listing<FollowedChannel>> {
    let FollowingParameters {
        user,
        direction,
        limit,
        followers,
    } = asked;
    let limit = limit.filter(|_| direction == Direction::Desc);
    let mut pages = FOLLOWED
        .pages(api, request(&user))
        .unique_by("broadcaster_id")
        .limit(limit)
        .expect("channels");
    let reading = api.clone();
    let rows = std::iter::from_fn(move || {
        let page = pages.next_page()?;
        Some(page.map_err(explain).map(|page| channels(&reading, page)))
    });
    let rows = rows.flat_map(one_by_one);
    Ok(match followers {
        false => Listing::new(Direction::Desc, rows),
        true => Listing::new(
            Direction::Desc,
            WithTotals {
                api: api.clone(),
                rows,
                in_flight: VecDeque::new(),
            },
        ),
    })
}

/// How many channels a user follows; `None` and counted as unreadable if Twitch does not send it.
pub(super) fn total(api: &RawApi, user: &Channel) -> Result<Option<u64>> {
    let pending = api.fetch(request(user).query("first", 1));
    let total = followers::total(api, pending).map_err(explain)?;
    Ok(total
        .map_err(|found| reader(api, &FOLLOWED).unreadable("following", 1, "total", found.as_ref()))
        .ok())
}

/// The rows in order, with the number of each channel's followers, many look-ups in flight.
struct WithTotals<I> {
    api: RawApi,
    rows: I,
    in_flight: VecDeque<Result<(FollowedChannel, Pending)>>,
}

impl<I: Iterator<Item = Result<FollowedChannel>>> Iterator for WithTotals<I> {
    type Item = Result<FollowedChannel>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.in_flight.len() < TOTALS_IN_FLIGHT {
            let Some(row) = self.rows.next() else { break };
            self.in_flight.push_back(row.map(|row| {
                let pending = self.api.fetch(total_request(&row.channel.id));
                (row, pending)
            }));
        }
        Some(self.in_flight.pop_front()?.and_then(|(row, pending)| {
            let followers = followers::followers_total(&self.api, pending)?;
            Ok(FollowedChannel { followers, ..row })
        }))
    }
}
