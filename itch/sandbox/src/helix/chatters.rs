//! `GET chat/chatters`: who is in the chat of a channel, for its moderators.

use bytes::Bytes;
use hyper::StatusCode;

use super::call::{Call, Endpoint, Failure};
use super::page::{Envelope, PageSize};
use super::people::Person;
use crate::reply::to_json;

/// Pages may be larger than those of other endpoints.
const PAGE: PageSize = PageSize {
    default: 100,
    maximum: 1_000,
};

pub(super) static CHATTERS: Endpoint = Endpoint {
    path: "/helix/chat/chatters",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let broadcaster = call.required_user("broadcaster_id")?;
    let moderator = call.required_user("moderator_id")?;
    call.require_scope("moderator:read:chatters")?;
    if !call.is_of(moderator) {
        return Err(Failure::not_the_users_own("moderator_id"));
    }
    let room = call.world.room(broadcaster);
    let moderates = room.is_some_and(|room| room.moderators.contains(&moderator));
    if moderator != broadcaster && !moderates {
        return Err(Failure {
            status: StatusCode::FORBIDDEN,
            // The status is documented; the message of Twitch is not known.
            message: "The user in the moderator_id query parameter is not one of the \
                      broadcaster's moderators."
                .into(),
        });
    }
    let chatters = room.map_or(&[][..], |room| &room.chatters);
    let page = call.page_of(chatters.len() as u32, PAGE)?;
    let data = page.of(chatters).map(|(user, _)| Person::of(call, *user)).collect();
    Ok(to_json(&Envelope {
        total: Some(chatters.len() as u32),
        data,
        pagination: Some(page.pagination),
    }))
}
