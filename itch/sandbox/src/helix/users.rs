//! `GET users`: accounts by id or login, or the account of the token.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure, is_login, is_numeric, parse_user};
use super::page::Envelope;
use crate::{
    faults::Fault,
    reply::to_json,
    world::{UserId, mix, named},
};

#[derive(Serialize)]
struct User {
    id: String,
    login: String,
    display_name: String,
    r#type: &'static str,
    broadcaster_type: &'static str,
    description: &'static str,
    profile_image_url: String,
    offline_image_url: &'static str,
    view_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    created_at: String,
}

pub(super) static USERS: Endpoint = Endpoint {
    path: "/helix/users",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let asked = call.at_most_a_hundred(&["id", "login"])?;
    let mut users: Vec<UserId> = match call.grant.user {
        Some(user) if asked == 0 => vec![user],
        None if asked == 0 => {
            return Err(Failure::bad_request("Must provide an ID, Login or OAuth Token"));
        }
        _ => asked_for(call)?.into_iter().collect(),
    };
    if users
        .iter()
        .any(|id| call.faults.strike(Fault::RefusedId, call.seed, u64::from(*id)))
    {
        return Err(bad_identifiers());
    }
    // Twitch does not promise an order.
    users.sort_unstable_by_key(|id| mix(u64::from(*id)));
    let data = users
        .into_iter()
        .filter(|id| call.world.exists(*id))
        .filter(|id| !call.faults.strike(Fault::Gone, call.seed, u64::from(*id)))
        .map(|id| user(call, id))
        .collect();
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: None,
    }))
}

fn bad_identifiers() -> Failure {
    Failure::bad_request("Invalid username(s), email(s), or ID(s). Bad Identifiers.")
}

/// The requested ids without duplicates. One invalid value makes the whole request fail (twitchdev/issues #240).
fn asked_for(call: &Call<'_>) -> Result<BTreeSet<UserId>, Failure> {
    let ids = || call.parameters.all("id");
    let logins = || call.parameters.all("login");
    if !ids().all(is_numeric) || !logins().all(is_login) {
        return Err(bad_identifiers());
    }
    ids()
        .map(|id| parse_user("id", id))
        .chain(logins().filter_map(|login| call.world.id_of(login)).map(Ok))
        .collect()
}

fn user(call: &Call<'_>, id: UserId) -> User {
    let (login, display_name) = call.world.names_of(id);
    let shows_email = call.is_of(id) && call.grant.has_scope("user:read:email");
    User {
        id: id.to_string(),
        r#type: call.world.user_type(id),
        broadcaster_type: call.world.broadcaster_type(id),
        description: named(id).map_or("", |channel| channel.description),
        profile_image_url: format!(
            "https://static-cdn.jtvnw.net/jtv_user_pictures/{:016x}-profile_image-300x300.png",
            mix(id.into())
        ),
        offline_image_url: "",
        // Deprecated, but still in the response (twitchdev/issues #592).
        view_count: 0,
        email: shows_email.then(|| format!("{login}@sandbox.example")),
        created_at: call.world.rfc3339(call.world.created_at(id)),
        login,
        display_name,
    }
}
