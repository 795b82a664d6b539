//! `GET`, `PUT` and `DELETE users/blocks`: the accounts that the token's user has blocked.

use bytes::Bytes;
use hyper::Method;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure};
use super::changes::Writer;
use super::page::Envelope;
use crate::{reply::to_json, world::UserId};

const PATH: &str = "/helix/users/blocks";

#[derive(Serialize)]
struct Blocked {
    user_id: String,
    user_login: String,
    display_name: String,
}

pub(super) static BLOCKS: Endpoint = Endpoint { path: PATH, answer };

pub(super) static BLOCK: Writer = Writer {
    path: PATH,
    method: Method::PUT,
    write: |call| change(call, true),
};

pub(super) static UNBLOCK: Writer = Writer {
    path: PATH,
    method: Method::DELETE,
    write: |call| change(call, false),
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let user = call.required_user("broadcaster_id")?;
    call.require_one_scope(&["user:read:blocked_users", "user:manage:blocked_users"])?;
    if !call.is_of(user) {
        return Err(Failure::not_the_users_own("broadcaster_id"));
    }
    let blocked: Vec<UserId> = call
        .changes()
        .blocked
        .get(&user)
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let page = call.page(blocked.len() as u32)?;
    let data = page.of(&blocked).map(|user| {
        let (user_login, display_name) = call.world.names_of(*user);
        Blocked {
            user_id: user.to_string(),
            user_login,
            display_name,
        }
    });
    Ok(to_json(&Envelope {
        total: None,
        data: data.collect(),
        pagination: Some(page.pagination),
    }))
}

/// Blocking an account twice, or unblocking one that is not blocked, is no error.
fn change(call: &Call<'_>, block: bool) -> Result<Option<Bytes>, Failure> {
    let target = call.required_user("target_user_id")?;
    call.require_scope("user:manage:blocked_users")?;
    let user = call.user()?;
    if user == target {
        return Err(Failure::bad_request("You cannot block yourself."));
    }
    if !call.world.exists(target) {
        return Err(Failure::bad_request("The ID in target_user_id is not valid."));
    }
    let mut changes = call.changes();
    let blocked = changes.blocked.entry(user).or_default();
    match block {
        true => blocked.insert(target),
        false => blocked.remove(&target),
    };
    Ok(None)
}
