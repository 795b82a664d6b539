//! `chat/chatters`: who is in a chat room and, if the token may see it, in which role.

use std::collections::HashMap;

use serde::Deserialize;

use super::envelope::{one_by_one, read};
use super::moderators::MODERATORS;
use super::users::own_account;
use super::vips::VIPS;
use crate::raw::{Channel, Chatter, Error, ErrorKind, Pages, Policy, RawApi, Result, Role};
use crate::sources::endpoint::{Endpoint, MINUTE};
use crate::sources::source::Rows;

/// This endpoint allows larger pages than the others.
pub(super) static CHATTERS: Endpoint = Endpoint::helix("chat/chatters", Policy::user(MINUTE)).largest_page(1000);

#[derive(Deserialize)]
struct Row {
    user_id: String,
    user_login: String,
    user_name: String,
}

/// Lists the chatters. With the broadcaster's own token the roles are joined from the lists of moderators and VIPs, and
/// the rows are ordered by role. Otherwise they are in Twitch's order, without roles.
pub(super) fn list(api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
    let me = own_account(api)?;
    let request = CHATTERS
        .request()
        .query("broadcaster_id", &channel.id)
        .query("moderator_id", &me.id);
    let mut chatters = CHATTERS.pages(api, request).unique_by("user_id").expect("chatters");
    let of_channel = |endpoint: &Endpoint| {
        let request = endpoint.request().query("broadcaster_id", &channel.id);
        endpoint.pages(api, request).unique_by("user_id")
    };
    let (mut moderators, mut vips) = (of_channel(&MODERATORS), of_channel(&VIPS));
    let own = me.id == channel.id;
    // All three lists are requested before the first is read.
    chatters.pending();
    if own {
        moderators.pending();
        vips.pending();
    }
    let mut roles = HashMap::new();
    let mut known = own;
    for (pages, role) in [(&mut vips, Role::Vip), (&mut moderators, Role::Moderator)] {
        known = known && collect_roles(pages, role, &mut roles)?;
    }
    let rows = std::iter::from_fn(move || {
        let page = chatters.next_page()?.map_err(explain);
        Some(page.and_then(|page| page.rows.into_iter().map(read::<Row>).collect::<Result<Vec<_>>>()))
    });
    let broadcaster = channel.id.clone();
    let rows = rows.flat_map(one_by_one).map(move |row| {
        row.map(|row| {
            let listed = if row.user_id == broadcaster {
                Role::Broadcaster
            } else {
                Role::Viewer
            };
            let role = known.then(|| roles.get(&row.user_id).copied().unwrap_or(listed));
            Chatter {
                id: Some(row.user_id),
                login: row.user_login,
                display_name: row.user_name,
                role,
            }
        })
    });
    if !known {
        return Ok(Box::new(rows));
    }
    let mut rows: Vec<Chatter> = rows.collect::<Result<_>>()?;
    rows.sort_by_key(|chatter| chatter.role);
    Ok(Box::new(rows.into_iter().map(Ok)))
}

/// Fetches one list of roles. If the token may not see it, roles are unknown; this is not an error.
fn collect_roles(pages: &mut Pages, role: Role, roles: &mut HashMap<String, Role>) -> Result<bool> {
    while let Some(page) = pages.next_page() {
        let page = match page {
            Err(error) if error.kind == ErrorKind::SignIn && error.http.is_some() => {
                return Ok(false);
            }
            page => page?,
        };
        for row in page.rows {
            roles.insert(read::<Row>(row)?.user_id, role);
        }
    }
    Ok(true)
}

/// Adds a hint to a refusal.
fn explain(error: Error) -> Error {
    match error.kind {
        ErrorKind::SignIn if error.http.is_some() => error.context("this token may not see who is in that chat").hint(
            "Twitch shows who is in a chat to the broadcaster and the moderators only: set `TWITCH_TOKEN` to a \
                 token of one of them with the scope `moderator:read:chatters`",
        ),
        _ => error,
    }
}
