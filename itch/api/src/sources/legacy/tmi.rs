//! tmi: who was in a chat room, until April 2023.

use serde_json::Value;

use crate::raw::reader::{PageReader, whole_number};
use crate::raw::{Channel, Chatter, Error, ErrorKind, Fact, Policy, RawApi, Result, Role, Service};
use crate::sources::endpoint::{Endpoint, MINUTE};
use crate::sources::source::Rows;

pub(super) static CHATTERS: Endpoint = Endpoint::get(Service::Tmi, "group/user/*/chatters", Policy::everybody(MINUTE));

/// All moderators, then all viewers. The original itch printed no other roles.
const ROLES: [(&str, Role); 2] = [("moderators", Role::Moderator), ("viewers", Role::Viewer)];

pub(super) fn chatters(api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
    let request = CHATTERS.request_for(&channel.login);
    let mut body = api.json(request.clone())?;
    if !is_whole(&body) {
        body = api.json(request.fresh())?;
    }
    let Some(groups) = body.get("chatters").and_then(Value::as_object) else {
        return Err(Error::new(ErrorKind::BadData, "tmi's answer has no `chatters`").at(Service::Tmi, None));
    };
    let gap = |reason: String| {
        api.note(Fact::Gap {
            from: None,
            to: None,
            reason,
        });
    };
    let mut rows = Vec::new();
    for (page, (group, role)) in (0..).zip(ROLES) {
        let Some(Value::Array(logins)) = groups.get(group) else {
            gap(format!("the list of {group} could not be read"));
            continue;
        };
        let mut reader = PageReader::new(api, CHATTERS.path(), page);
        for (place, login) in (1..).zip(logins) {
            let Some(login) = reader.account(place, group, login) else {
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
    if let Some(short) = short_of_count(&body, 100) {
        gap(format!("{short} chatters did not come"));
    }
    Ok(Box::new(rows.into_iter()))
}

/// Whether the lists that are printed are there, with as many chatters as the service counts.
fn is_whole(body: &Value) -> bool {
    let is_list = |group: &str| body.pointer(&format!("/chatters/{group}")).is_some_and(Value::is_array);
    ROLES.iter().all(|(group, _)| is_list(group)) && short_of_count(body, 0).is_none()
}

/// How many chatters are missing in all lists together, if there are more than a share of one in `part`; 0: if any is.
fn short_of_count(body: &Value, part: u64) -> Option<u64> {
    let count = body.get("chatter_count").and_then(whole_number)?;
    let groups = body.get("chatters")?.as_object()?;
    let listed: usize = groups.values().filter_map(Value::as_array).map(Vec::len).sum();
    let short = count.saturating_sub(listed as u64);
    (short > count.checked_div(part).unwrap_or(0)).then_some(short)
}
