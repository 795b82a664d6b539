//! The followers of a channel: a list with random access, by position and by follower.

use super::{
    World,
    accounts::{FIRST_ID, UserId, last_registered},
    calendar::Calendar,
    seed::{Permutation, Seed},
    time::{PRESENT, Seconds},
    wave::{Origin, Wave},
};

/// The minimum age of an account when it follows a channel.
const MINIMUM_AGE: Seconds = 60;

/// One follow. Whether `user` is the follower or the followed channel depends on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Follow {
    pub(crate) user: UserId,
    pub(crate) followed_at: Seconds,
}

/// A follower whose own list of followed channels contains this channel. It replaces the computed follower of its rank,
/// so that both lists agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub(crate) rank: u32,
    pub(crate) user: UserId,
}

/// The followers of one channel. The rank counts from the oldest follow; the index counts from the newest, in the order
/// of Twitch's list.
#[derive(Debug)]
pub(crate) struct Followers<'w> {
    pub(crate) channel: UserId,
    pub(crate) total: u32,
    pub(crate) pace: Pace<'w>,
    pub(crate) guest: Option<Guest>,
    seed: Seed,
    bits: u32,
    permutation: Permutation,
}

/// How the follows are distributed over time.
#[derive(Debug)]
pub(crate) enum Pace<'w> {
    /// By the calendar of a named channel, with the wave if it had one.
    Calendar(&'w Calendar, Option<&'w Wave>),
    /// Evenly, until the present.
    Even { since: Seconds },
}

impl<'w> Followers<'w> {
    pub(super) fn new(world: &World, channel: UserId, total: u32, pace: Pace<'w>) -> Followers<'w> {
        let seed = world.seed.child("followers").of(channel.into());
        let bits = total.next_power_of_two().trailing_zeros();
        Followers {
            channel,
            total,
            pace,
            guest: world.guests.get(&channel).copied(),
            seed,
            bits,
            permutation: Permutation::new(seed.child("order"), bits),
        }
    }

    /// The follow at an index below the total.
    pub(crate) fn get(&self, index: u32) -> Follow {
        self.at_rank(self.total.saturating_sub(1).saturating_sub(index))
    }

    /// The index of the follow of a user, if they follow the channel.
    pub(crate) fn index_of(&self, user: UserId) -> Option<u32> {
        let rank = match self.guest {
            Some(guest) if guest.user == user => guest.rank,
            _ => self.stranger_rank(user)?,
        };
        Some(self.total - 1 - rank)
    }

    /// Whether a user followed as part of the wave.
    pub(super) fn is_in_wave(&self, user: UserId) -> bool {
        let Pace::Calendar(_, Some(wave)) = self.pace else {
            return false;
        };
        wave.ids(self.bits).contains(&user) && self.stranger_rank(user).is_some_and(|rank| wave.is_member(rank))
    }

    pub(super) fn at_rank(&self, rank: u32) -> Follow {
        let (followed_at, in_wave) = match &self.pace {
            Pace::Even { since } => {
                // The time is divided into equal parts, and each follow is at a random position in its part.
                let jitter = self.seed.child("moment").below(rank.into(), 1 << 16);
                let position = (i64::from(rank) << 16) + jitter as i64;
                let span = PRESENT - since;
                (since + position * span / (i64::from(self.total.max(1)) << 16), None)
            }
            Pace::Calendar(calendar, None) => (calendar.followed_at(rank), None),
            Pace::Calendar(calendar, Some(wave)) => match wave.origin(rank) {
                Origin::Organic(rank) => (calendar.followed_at(rank), None),
                Origin::Wave(member) => (wave.followed_at(self.seed, member), Some(*wave)),
            },
        };
        let user = match self.guest {
            Some(guest) if guest.rank == rank => guest.user,
            _ => self.stranger(rank, followed_at, in_wave),
        };
        Follow { user, followed_at }
    }

    /// The account at a rank. All ids are arranged in rows as long as the list. The rank determines the column, so no
    /// account is listed twice and the rank can be computed from an id. The row is random among those that were
    /// registered by then.
    fn stranger(&self, rank: u32, followed_at: Seconds, wave: Option<&Wave>) -> UserId {
        let column = self.permutation.forward(rank);
        let rows = (last_registered(followed_at - MINIMUM_AGE) - FIRST_ID) >> self.bits;
        let seed = self.seed.child("row");
        let row = match wave {
            Some(wave) => {
                let rows = wave.rows(self.bits);
                rows.start + seed.below(rank.into(), (rows.end - rows.start).into()) as u32
            }
            // One follower in five is a new account.
            None if seed.child("newcomer").below(rank.into(), 5) == 0 => {
                let recent = (rows / 16).max(1);
                rows.saturating_sub(1) - seed.below(rank.into(), recent.into()) as u32
            }
            None => seed.below(rank.into(), rows.into()) as u32,
        };
        let id = |row: u32| FIRST_ID + (row << self.bits | column);
        let taken = |id| id == self.channel || self.guest.is_some_and(|guest| guest.user == id);
        // An account cannot follow itself. At most two ids are excluded, so one of three rows is free.
        (row..row + 3)
            .map(|row| id(row % rows.max(1)))
            .find(|&id| !taken(id))
            .unwrap_or_else(|| id(row))
    }

    /// The rank of a follower that is not a guest.
    fn stranger_rank(&self, user: UserId) -> Option<u32> {
        let column = user.checked_sub(FIRST_ID)? & ((1 << self.bits) - 1);
        let rank = self.permutation.backward(column);
        (rank < self.total && self.at_rank(rank).user == user).then_some(rank)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::channels::{BURKEBLACK, NAMED, PLAIN_VIEWER},
        *,
    };

    fn check(world: &World, channel: UserId, step: usize) {
        let followers = world.followers(channel);
        let mut newest = PRESENT;
        for index in (0..followers.total).step_by(step) {
            let Follow { user, followed_at } = followers.get(index);
            assert!(followed_at <= newest, "{channel} {index}");
            assert!(followed_at > world.created_at(user), "{channel} {index}");
            assert!(followed_at > world.created_at(channel), "{channel} {index}");
            assert_eq!(followers.index_of(user), Some(index), "{channel} {index}");
            assert_ne!(user, channel);
            newest = followed_at;
        }
    }

    #[test]
    fn a_follow_is_found_by_its_index_and_by_its_user() {
        for seed in [1, 2, 77] {
            let world = World::new(seed);
            for channel in &NAMED {
                check(&world, channel.id, (channel.followers as usize / 20_000).max(1));
            }
            for channel in (1_000_000..1_480_000_000).step_by(9_999_991) {
                check(&world, channel, 1);
            }
        }
    }

    #[test]
    fn strangers_do_not_follow() {
        let world = World::new(1);
        let followers = world.followers(BURKEBLACK);
        let found = (1_000_000..1_480_000_000)
            .step_by(99_991)
            .filter(|&user| followers.index_of(user).is_some())
            .count();
        // One id in six thousand follows.
        assert!(found < 15, "{found}");
        assert_eq!(followers.index_of(0), None);
        assert_eq!(followers.index_of(BURKEBLACK), None);
        assert_eq!(followers.index_of(UserId::MAX), None);
    }

    #[test]
    fn a_channel_of_every_length_lists_nobody_twice() {
        let world = World::new(5);
        let mut lengths = std::collections::BTreeSet::new();
        for channel in (1_000_000..1_480_000_000).step_by(999_983) {
            let followers = world.followers(channel);
            lengths.insert(followers.total);
            let users: std::collections::HashSet<UserId> =
                (0..followers.total).map(|index| followers.get(index).user).collect();
            assert_eq!(users.len(), followers.total as usize);
        }
        assert!(lengths.contains(&0) && lengths.contains(&1) && lengths.len() > 50);
    }

    #[test]
    fn both_sides_of_a_follow_agree() {
        let world = World::new(1);
        for (user, count) in [(BURKEBLACK, 312), (PLAIN_VIEWER, 12)] {
            let followed = world.known_followed_by(user);
            assert_eq!(followed.len(), count);
            assert!(followed.is_sorted_by(|a, b| a.followed_at >= b.followed_at));
            for follow in followed {
                assert!(world.exists(follow.user));
                let followers = world.followers(follow.user);
                let index = followers.index_of(user).unwrap();
                let seen = Follow {
                    user,
                    followed_at: follow.followed_at,
                };
                assert_eq!(followers.get(index), seen);
            }
        }
    }
}
