//! `tmi.twitch.tv/group/user/…/chatters`: who is in a chat, by role. Closed on 2023-04-03
//! (<https://discuss.dev.twitch.com/t/43161>).

use serde_json::{Value, json};

use super::call::{Call, Failure, Route};
use crate::world::Role;

pub(super) static CHATTERS: Route = Route {
    pattern: "/tmi/group/user/{name}/chatters",
    answer: chatters,
};

/// A channel that does not exist has an empty chat.
fn chatters(call: &Call<'_>) -> Result<Value, Failure> {
    let room = call.world.id_of(call.name).and_then(|id| call.world.room(id));
    let chatters = room.map_or(&[][..], |room| &room.chatters);
    let in_role = |role| -> Vec<String> {
        let mut logins: Vec<String> = chatters
            .iter()
            .filter(|(_, own)| *own == role)
            .map(|(user, _)| call.world.names_of(*user).0)
            .collect();
        logins.sort_unstable();
        logins
    };
    Ok(json!({
        "_links": {},
        "chatter_count": chatters.len(),
        "chatters": {
            "broadcaster": in_role(Role::Broadcaster),
            "vips": in_role(Role::Vip),
            "moderators": in_role(Role::Moderator),
            "staff": in_role(Role::Staff),
            "admins": in_role(Role::Admin),
            "global_mods": in_role(Role::GlobalModerator),
            "viewers": in_role(Role::Viewer),
        },
    }))
}
