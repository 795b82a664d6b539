//! The people in the chat of a named channel, and their roles.

use super::{
    World,
    accounts::UserId,
    channels::{BURKEBLACK, CHAT_REPLAYS, NamedChannel, PLAIN_VIEWER},
    seed::{Permutation, mix},
};

/// The roles of the old list of chatters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Broadcaster,
    Vip,
    Moderator,
    Staff,
    Admin,
    GlobalModerator,
    Viewer,
}

/// The people of a channel's chat.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Present or not; the broadcaster is not in these lists.
    pub(crate) moderators: Vec<UserId>,
    pub(crate) vips: Vec<UserId>,
    /// Staff, admins and global moderators of Twitch.
    pub(crate) staff: Vec<(UserId, Role)>,
    /// The people who are present, in no particular order.
    pub(crate) chatters: Vec<(UserId, Role)>,
}

/// The number of people in the chat, and the number of moderators and VIPs of the channel.
fn sizes(channel: &NamedChannel) -> (usize, usize, usize) {
    match (channel.id, channel.followers) {
        (BURKEBLACK, _) => (2_345, 12, 25),
        (CHAT_REPLAYS, _) => (40, 5, 7),
        (PLAIN_VIEWER, _) => (3, 0, 0),
        (_, 0) => (0, 0, 0),
        (_, 1_000_000..) => (1_000, 4, 6),
        _ => (5, 1, 1),
    }
}

impl Room {
    /// The guests of `world` have to be set already.
    pub(super) fn new(world: &World, channel: &NamedChannel) -> Room {
        let (present, moderators, vips) = sizes(channel);
        let followers = world.followers(channel.id);
        let bits = followers.total.next_power_of_two().trailing_zeros();
        let order = Permutation::new(world.seed.child("room").of(channel.id.into()), bits);
        let mut people = (0..1 << bits)
            .map(|place| order.forward(place))
            .filter(|&index| index < followers.total)
            .map(|index| followers.get(index).user)
            .filter(|&user| user != BURKEBLACK && world.exists(user));

        let mut room = Room::default();
        if channel.moderated && channel.id != BURKEBLACK {
            room.moderators.push(BURKEBLACK);
        }
        let missing = moderators.saturating_sub(room.moderators.len());
        room.moderators.extend(people.by_ref().take(missing));
        room.vips = people.by_ref().take(vips).collect();
        if channel.id == BURKEBLACK {
            let roles = [Role::Staff, Role::Admin, Role::GlobalModerator];
            room.staff = people.by_ref().zip(roles).collect();
        }

        if present > 0 {
            room.chatters.push((channel.id, Role::Broadcaster));
            let three_of_four = |(place, _): &(usize, &UserId)| place % 4 != 3;
            let here = |users: &[UserId], role| -> Vec<(UserId, Role)> {
                let users = users.iter().enumerate().filter(three_of_four);
                users.map(|(_, user)| (*user, role)).collect()
            };
            room.chatters.extend(here(&room.moderators, Role::Moderator));
            room.chatters.extend(here(&room.vips, Role::Vip));
            room.chatters.extend(&room.staff);
        }
        let missing = present.saturating_sub(room.chatters.len());
        let viewers = people.take(missing).map(|user| (user, Role::Viewer));
        room.chatters.extend(viewers);
        room.chatters.truncate(present);
        room.chatters.sort_unstable_by_key(|(user, _)| mix(u64::from(*user)));
        room
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::channels::NAMED, *};

    #[test]
    fn everybody_is_in_a_room_once_and_exists() {
        for seed in [1, 2, 3] {
            let world = World::new(seed);
            for channel in &NAMED {
                let room = Room::new(&world, channel);
                let (present, moderators, vips) = sizes(channel);
                let ids: HashSet<UserId> = room.chatters.iter().map(|(id, _)| *id).collect();
                assert_eq!(ids.len(), room.chatters.len());
                assert!(ids.iter().all(|&id| world.exists(id)));
                assert!(!room.moderators.contains(&channel.id));
                if channel.id == BURKEBLACK {
                    assert_eq!(room.chatters.len(), present);
                    assert_eq!((room.moderators.len(), room.vips.len()), (moderators, vips));
                }
                if channel.followers == 0 {
                    assert!(room.chatters.is_empty());
                }
            }
        }
    }
}
