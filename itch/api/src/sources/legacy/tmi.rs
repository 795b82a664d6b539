//! tmi: who was in a chat room, until April 2023.

use serde_json::Value;

use crate::raw::reader::{PageReader, key_text};
use crate::raw::{Channel, Chatter, Error, ErrorKind, Policy, RawApi, Result, Role, Service};
use crate::sources::endpoint::{Endpoint, MINUTE};
use crate::sources::source::Rows;

pub(super) static CHATTERS: Endpoint = Endpoint::get(Service::Tmi, "group/user/*/chatters", Policy::everybody(MINUTE));

/// All moderators, then all viewers. The original itch printed no other roles.
const ROLES: [(&str, Role); 2] = [("moderators", Role::Moderator), ("viewers", Role::Viewer)];

pub(super) fn chatters(api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
    let request = CHATTERS.request_for(&channel.login);
    let mut body = api.json(request.clone())?;
    let has_lists = |body: &Value| {
        let is_list = |group: &str| body.pointer(&format!("/chatters/{group}")).is_some_and(Value::is_array);
        ROLES.iter().all(|(group, _)| is_list(group))
    };
    if !has_lists(&body) {
        body = api.json(request.fresh())?;
    }
    let Some(groups) = body.get("chatters").and_then(Value::as_object) else {
        return Err(Error::new(ErrorKind::BadData, "tmi's answer has no `chatters`").at(Service::Tmi, None));
    };
    let mut rows = Vec::new();
    for (page, (group, role)) in (0..).zip(ROLES) {
        let mut reader = PageReader::new(api, CHATTERS.path(), page);
        let logins = match groups.get(group) {
            Some(Value::Array(logins)) => logins,
            odd => {
                reader.lost(0, Some(group), odd.unwrap_or(&Value::Null));
                continue;
            }
        };
        for (place, login) in (1..).zip(logins) {
            let Some(login) = key_text(login) else {
                reader.lost(place, Some(group), login);
                continue;
            };
            rows.push(Ok(Chatter {
                id: None,
                login,
                display_name: String::new(),
                role: Some(role),
            }));
        }
    }
    Ok(Box::new(rows.into_iter()))
}
