//! Lists of people, shared by all endpoints that return one.

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Failure, parse_user};
use super::page::Envelope;
use crate::{
    reply::to_json,
    world::{Room, UserId},
};

#[derive(Serialize)]
pub(super) struct Person {
    user_id: String,
    user_login: String,
    user_name: String,
}

impl Person {
    pub(super) fn of(call: &Call<'_>, user: UserId) -> Person {
        let (user_login, user_name) = call.world.names_of(user);
        Person {
            user_id: user.to_string(),
            user_login,
            user_name,
        }
    }
}

/// The people of the channel of the token's user, if the token has any of the scopes.
pub(super) fn list(call: &Call<'_>, scopes: &[&str], people: fn(&Room) -> &Vec<UserId>) -> Result<Bytes, Failure> {
    let broadcaster = call.required_user("broadcaster_id")?;
    call.at_most_a_hundred(&["user_id"])?;
    let filter: Vec<UserId> = call
        .parameters
        .all("user_id")
        .map(|user| parse_user("user_id", user))
        .collect::<Result<_, _>>()?;
    call.require_one_scope(scopes)?;
    if !call.is_of(broadcaster) {
        return Err(Failure::not_the_users_own("broadcaster_id"));
    }
    let people: Vec<UserId> = call
        .world
        .room(broadcaster)
        .map_or(&[][..], |room| people(room))
        .iter()
        .copied()
        .filter(|user| filter.is_empty() || filter.contains(user))
        .collect();
    let page = call.page(people.len() as u32)?;
    let data = page.of(&people).map(|user| Person::of(call, *user)).collect();
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: Some(page.pagination),
    }))
}
