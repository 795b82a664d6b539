//! The channels that the two token owners follow. The lists of followers of these channels agree.

use std::collections::HashMap;

use super::{
    World,
    accounts::{FIRST_ID, LAST_ID, UserId},
    channels::{BURKEBLACK, PLAIN_VIEWER, ordinary_followers},
    followers::{Follow, Guest},
};

const FOLLOWED_BY_BURKEBLACK: usize = 312;
const FOLLOWED_BY_VIEWER: usize = 12;

/// The rank of the viewer among the followers of `burkeblack`: before the wave.
const VIEWER_RANK: u32 = 200_000;

/// The lists, newest first, and the positions of their owners among the followers of these channels.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) lists: HashMap<UserId, Vec<Follow>>,
    pub(crate) guests: HashMap<UserId, Guest>,
}

impl Followed {
    /// `world` must not have guests yet.
    pub(super) fn new(world: &World) -> Followed {
        let mut followed = Followed::default();
        followed.add(world, PLAIN_VIEWER, BURKEBLACK, VIEWER_RANK);
        for (owner, count) in [(BURKEBLACK, FOLLOWED_BY_BURKEBLACK), (PLAIN_VIEWER, FOLLOWED_BY_VIEWER)] {
            let seed = world.seed.child("followed").of(owner.into());
            for index in 0.. {
                if followed.lists.get(&owner).is_some_and(|list| list.len() >= count) {
                    break;
                }
                // Followed channels are popular: this takes the most popular of a few.
                let draw = |n: u64| seed.below(index * 32 + n, (LAST_ID - FIRST_ID).into()) as u32;
                let Some((total, channel)) = (0..32)
                    .map(|n| FIRST_ID + draw(n))
                    .map(|id| (ordinary_followers(world.seed, id), id))
                    .max()
                else {
                    continue;
                };
                if total > 0 && !world.is_gone(channel) {
                    let rank = seed.below(index, total.into()) as u32;
                    followed.add(world, owner, channel, rank);
                }
            }
        }
        for list in followed.lists.values_mut() {
            list.sort_by_key(|follow| (std::cmp::Reverse(follow.followed_at), follow.user));
        }
        followed
    }

    fn add(&mut self, world: &World, owner: UserId, channel: UserId, rank: u32) {
        let followed_at = world.followers(channel).at_rank(rank).followed_at;
        let known = self.guests.contains_key(&channel) || channel == owner;
        if known || followed_at <= world.created_at(owner) {
            return;
        }
        self.guests.insert(channel, Guest { rank, user: owner });
        self.lists.entry(owner).or_default().push(Follow {
            user: channel,
            followed_at,
        });
    }
}
