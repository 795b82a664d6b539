//! The follow-bot wave of `burkeblack`: thousands of accounts that were registered within days of each other and follow
//! within minutes.

use std::ops::Range;

use super::{
    accounts::{FIRST_ID, UserId, last_registered},
    calendar::Calendar,
    seed::Seed,
    time::{DAY, Seconds, date},
};

/// How many accounts the wave has.
pub(crate) const WAVE_SIZE: u32 = 3_200;

/// When the first of them follows, and how long the wave lasts.
pub(crate) const WAVE_START: Seconds = date(2026, 7, 19) + 21 * 3_600 + 4 * 60;
pub(crate) const WAVE_LENGTH: Seconds = 34 * 60;

/// The range of the age of these accounts when the wave begins.
const ACCOUNT_AGES: (Seconds, Seconds) = (11 * DAY, 8 * DAY);

/// The position of the wave among the followers.
#[derive(Debug)]
pub(crate) struct Wave {
    /// The ranks from its first to its last member.
    ranks: Range<u32>,
    /// The ranks among these of ordinary accounts that followed during the wave.
    bystanders: Vec<u32>,
}

/// The origin of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Not from the wave; with the rank among all such followers.
    Organic(u32),
    /// From the wave; with the index in the wave.
    Wave(u32),
}

impl Wave {
    /// Inserts the wave into the `organic` follows of a calendar.
    pub(super) fn new(calendar: &Calendar, organic: u32) -> Wave {
        let first = calendar.follows_before(WAVE_START, organic);
        let after = calendar.follows_before(WAVE_START + WAVE_LENGTH, organic);
        let bystanders = (first..after)
            .map(|rank| {
                let passed = calendar.followed_at(rank) - WAVE_START;
                // Rounded up, so that wave members before it are not later, and those after it are not earlier.
                rank + ((passed * Seconds::from(WAVE_SIZE) + WAVE_LENGTH - 1) / WAVE_LENGTH) as u32
            })
            .collect();
        Wave {
            ranks: first..after + WAVE_SIZE,
            bystanders,
        }
    }

    pub(super) fn origin(&self, rank: u32) -> Origin {
        if rank < self.ranks.start {
            return Origin::Organic(rank);
        }
        if rank >= self.ranks.end {
            return Origin::Organic(rank - WAVE_SIZE);
        }
        let passed_by = self.bystanders.partition_point(|&bystander| bystander < rank);
        match self.bystanders.get(passed_by) {
            Some(&bystander) if bystander == rank => Origin::Organic(self.ranks.start + passed_by as u32),
            _ => Origin::Wave(rank - self.ranks.start - passed_by as u32),
        }
    }

    pub(super) fn is_member(&self, rank: u32) -> bool {
        matches!(self.origin(rank), Origin::Wave(_))
    }

    /// The time of the follow of a member: the duration is divided into equal parts, with a random position in each.
    pub(super) fn followed_at(&self, seed: Seed, member: u32) -> Seconds {
        let jitter = seed.child("wave").below(member.into(), 1 << 16) as i64;
        let position = (i64::from(member) << 16) + jitter;
        WAVE_START + position * WAVE_LENGTH / (i64::from(WAVE_SIZE) << 16)
    }

    /// The rows of ids (see [`super::followers`]) that were registered in the days before the wave.
    pub(super) fn rows(&self, bits: u32) -> Range<u32> {
        let (since, until) = ACCOUNT_AGES;
        let row = |before| (last_registered(WAVE_START - before) - FIRST_ID) >> bits;
        row(since) + 1..row(until).max(row(since) + 2)
    }

    /// A range of ids that contains those of all members, and many others.
    pub(super) fn ids(&self, bits: u32) -> Range<UserId> {
        let rows = self.rows(bits);
        FIRST_ID + (rows.start << bits)..FIRST_ID + (rows.end << bits)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{BURKEBLACK, World, followers::Follow},
        *,
    };

    #[test]
    fn every_seed_has_one_wave_among_the_newest_twenty_thousand() {
        let mut bystanders = 0;
        for seed in 0..20 {
            let world = World::new(seed);
            let followers = world.followers(BURKEBLACK);
            let Range { start, end } = world.wave.ranks;
            assert!(end - start >= WAVE_SIZE);
            assert!(followers.total - start < 20_000, "seed {seed}");
            bystanders += world.wave.bystanders.len();

            let mut members = 0;
            let mut before = Seconds::MIN;
            for rank in start - 100..end + 100 {
                let Follow { user, followed_at } = followers.at_rank(rank);
                assert!(before <= followed_at, "seed {seed} rank {rank}");
                before = followed_at;
                if followers.is_in_wave(user) {
                    members += 1;
                    assert!((start..end).contains(&rank));
                    assert!((0..WAVE_LENGTH).contains(&(followed_at - WAVE_START)));
                    let age = WAVE_START - world.created_at(user);
                    assert!((ACCOUNT_AGES.1..=ACCOUNT_AGES.0).contains(&age), "{age}");
                    assert!(!world.is_gone(user));
                }
            }
            assert_eq!(members, WAVE_SIZE);
        }
        // Some ordinary accounts follow during the wave.
        assert!(bystanders > 5, "{bystanders}");
    }
}
