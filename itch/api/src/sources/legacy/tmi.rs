//! tmi: who was in a chat room, until April 2023.

use serde_json::Value;

use crate::raw::{Channel, Chatter, Error, ErrorKind, Policy, RawApi, Result, Role, Service};
use crate::sources::endpoint::{Endpoint, MINUTE};
use crate::sources::source::Rows;

pub(super) static CHATTERS: Endpoint = Endpoint::get(Service::Tmi, "group/user/*/chatters", Policy::everybody(MINUTE));

/// All moderators, then all viewers. The original itch printed no other roles.
const ROLES: [(&str, Role); 2] = [("moderators", Role::Moderator), ("viewers", Role::Viewer)];

pub(super) fn chatters(api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
    let body = api.json(CHATTERS.request_for(&channel.login))?;
    let Some(groups) = body.get("chatters").and_then(Value::as_object) else {
        return Err(Error::new(ErrorKind::BadData, "tmi's answer has no `chatters`").at(Service::Tmi, None));
    };
    let mut rows = Vec::new();
    for (group, role) in ROLES {
        let logins = groups
            .get(group)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        rows.extend(logins.map(|login| {
            Ok(Chatter {
                id: None,
                login: login.to_owned(),
                display_name: String::new(),
                role: Some(role),
            })
        }));
    }
    Ok(Box::new(rows.into_iter()))
}
