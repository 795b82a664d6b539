//! The accounts that the sign-in page offers: one for each role in the channel of `burkeblack`.

use super::{BURKEBLACK, PLAIN_VIEWER, UserId, World};

/// Has followers that nobody else may list.
const OTHER_CHANNEL: UserId = 110_000_000;

impl World {
    /// The accounts, with what each is. The moderator and the VIP depend on the seed.
    pub(crate) fn sign_ins(&self) -> Vec<(UserId, &'static str)> {
        let room = self.room(BURKEBLACK);
        let moderator = room.and_then(|room| room.moderators.first());
        let vip = room.and_then(|room| room.vips.first());
        [
            (Some(&BURKEBLACK), "broadcaster"),
            (moderator, "moderator of burkeblack"),
            (vip, "VIP of burkeblack"),
            (Some(&PLAIN_VIEWER), "viewer"),
            (Some(&OTHER_CHANNEL), "broadcaster of another channel"),
        ]
        .into_iter()
        .filter_map(|(user, role)| Some((*user?, role)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_has_an_account_for_each_role() {
        for seed in 0..20 {
            let world = World::new(seed);
            let users: Vec<UserId> = world.sign_ins().into_iter().map(|(user, _)| user).collect();
            let room = world.room(BURKEBLACK).unwrap();
            assert_eq!(users.len(), 5);
            assert!(users.iter().all(|user| world.exists(*user)));
            assert!(room.moderators.contains(&users[1]) && !room.moderators.contains(&users[2]));
            assert!(room.vips.contains(&users[2]));
            assert!(
                users[3..]
                    .iter()
                    .all(|user| !room.moderators.contains(user) && !room.vips.contains(user))
            );
            assert_eq!(world.names_of(users[4]).0, "not_moderated");
        }
    }
}
