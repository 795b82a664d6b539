//! The days of a named channel: when it streamed, and when its followers came.
//!
//! A follow is found by its rank (0 is the oldest) without computing any other: the calendar only stores how many
//! followed before each day, and the hours of a day are weighted on demand. Only integers are used, so the result is
//! the same on every machine.

use super::{
    channels::NamedChannel,
    seed::Seed,
    time::{DAY, HOUR, PRESENT, Seconds},
};

/// Days since 1970.
pub(crate) type Day = i64;

/// The last complete day before the present.
pub(crate) const LAST_DAY: Day = PRESENT / DAY - 1;

#[derive(Debug)]
pub(crate) struct Calendar {
    seed: Seed,
    streams: u8,
    live: bool,
    pub(crate) first_day: Day,
    /// How many followed before each day, with one more entry after the last day.
    follows_before: Vec<u32>,
}

/// One broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast {
    pub(crate) day: Day,
    pub(crate) started_at: Seconds,
    pub(crate) length: Seconds,
}

impl Broadcast {
    pub(crate) fn ended_at(&self) -> Seconds {
        self.started_at + self.length
    }
}

/// The average number of followers per day, for each year from 2013 on. Only the ratios matter.
const GROWTH: [u64; 15] = [24, 60, 110, 165, 150, 115, 95, 190, 170, 105, 85, 70, 62, 58, 55];
const GROWTH_SINCE: Day = 15_706;

/// Followers per hour (UTC) while the channel is offline: evenings are busy, mornings are not.
const HOUR_WEIGHTS: [u64; 24] = [
    40, 31, 24, 18, 13, 10, 9, 10, 12, 15, 19, 24, 29, 33, 38, 42, 48, 55, 63, 70, 76, 74, 64, 52,
];

/// The rate of follows changes every half hour.
const SLOT: Seconds = HOUR / 2;
const SLOTS: usize = (DAY / SLOT) as usize;

/// Each block of so many days has exactly one broadcast of more than a day.
const MARATHON_BLOCK: Day = 150;

impl Calendar {
    /// Spreads `follows` over the days since the channel opened.
    pub(crate) fn new(seed: Seed, channel: &NamedChannel, follows: u32) -> Calendar {
        let mut calendar = Calendar {
            seed: seed.child("calendar").of(channel.id.into()),
            streams: channel.streams,
            live: channel.live,
            first_day: channel.opened_at / DAY,
            follows_before: Vec::new(),
        };
        let mut passed = 0;
        let mut weight_before = vec![0];
        for day in calendar.days() {
            passed += calendar.weight(day);
            weight_before.push(passed);
        }
        let share = |weight: u64| (u128::from(follows) * u128::from(weight) / u128::from(passed)) as u32;
        calendar.follows_before = weight_before.into_iter().map(share).collect();
        calendar
    }

    pub(crate) fn days(&self) -> std::ops::RangeInclusive<Day> {
        self.first_day..=LAST_DAY
    }

    /// The broadcast that began on a day.
    pub(crate) fn broadcast(&self, day: Day) -> Option<Broadcast> {
        if self.streams == 0 || !self.days().contains(&day) {
            return None;
        }
        let seed = self.seed.child("broadcast").of(day as u64);
        let started_at = day * DAY + 19 * HOUR + seed.below(0, 2 * HOUR as u64) as Seconds;
        if day == LAST_DAY {
            // Still live, or not live today.
            let length = PRESENT - started_at;
            return self.live.then_some(Broadcast {
                day,
                started_at,
                length,
            });
        }
        if self.is_marathon(day) {
            let length = 24 * HOUR + seed.below(1, 12 * HOUR as u64) as Seconds;
            return Some(Broadcast {
                day,
                started_at,
                length,
            });
        }
        let week = self.seed.child("holiday").of((day / 7) as u64);
        // On the day after a marathon the channel does not stream.
        let off_air =
            self.is_marathon(day - 1) || week.below(0, 18) == 0 || seed.below(2, 100) >= u64::from(self.streams);
        // The longest broadcast ends at half past four and cannot overlap the next one.
        let length = 2 * HOUR + seed.below(3, 11 * HOUR as u64 / 2) as Seconds;
        (!off_air).then_some(Broadcast {
            day,
            started_at,
            length,
        })
    }

    fn is_marathon(&self, day: Day) -> bool {
        let (block, place) = (day.div_euclid(MARATHON_BLOCK), day.rem_euclid(MARATHON_BLOCK));
        // Not near the present, so that no marathon overlaps the broadcast of the last day.
        let chosen = self.seed.child("marathon").below(block as u64, MARATHON_BLOCK as u64);
        place == chosen as Day && day < LAST_DAY - 2
    }

    /// How many followers a day attracts, compared with other days.
    fn weight(&self, day: Day) -> u64 {
        let since = (day - GROWTH_SINCE).max(0) as u64;
        let (year, rest) = ((since / 365) as usize, since % 365);
        let growth = |year: usize| GROWTH[year.min(GROWTH.len() - 1)];
        let trend = growth(year) * (365 - rest) + growth(year + 1) * rest;
        let month = 70 + self.seed.child("month").below((day / 30) as u64, 60);
        let noise = 60 + self.seed.child("noise").below(day as u64, 80);
        let streamed = if self.broadcast(day).is_some() { 15 } else { 7 };
        // A raid: a large channel sends its viewers.
        let raided = if self.seed.child("raid").below(day as u64, 160) == 0 {
            6
        } else {
            1
        };
        trend * month * noise * streamed * raided / 1_000
    }

    /// The time of the follow with this rank. It is never before that of a lower rank.
    pub(crate) fn followed_at(&self, rank: u32) -> Seconds {
        let place = self
            .follows_before
            .partition_point(|&before| before <= rank)
            .clamp(1, self.follows_before.len() - 1);
        let (before, after) = (self.follows_before[place - 1], self.follows_before[place]);
        let day = self.first_day + place as Day - 1;
        // The weight of the day is divided into equal parts, one per follow; each follow is at a random position in its
        // part.
        const PART: u64 = 1 << 16;
        let parts = u64::from((after - before).max(1)) * PART;
        let jitter = self.seed.child("moment").below(rank.into(), PART);
        let mut position = u64::from(rank.saturating_sub(before)) * PART + jitter;
        let slots = self.slots(day);
        position *= slots.iter().sum::<u64>();
        for (start, weight) in (0..).step_by(SLOT as usize).zip(slots) {
            let extent = weight * parts;
            if position < extent {
                return day * DAY + start + (position * SLOT as u64 / extent) as Seconds;
            }
            position -= extent;
        }
        (day + 1) * DAY - 1
    }

    /// The weight of each slot of a day.
    fn slots(&self, day: Day) -> [u64; SLOTS] {
        // A marathon may last into the second day after its start.
        let broadcasts = [day - 2, day - 1, day].map(|day| self.broadcast(day));
        std::array::from_fn(|slot| {
            let middle = day * DAY + slot as Seconds * SLOT + SLOT / 2;
            let on_air = broadcasts
                .iter()
                .flatten()
                .any(|broadcast| (broadcast.started_at..broadcast.ended_at()).contains(&middle));
            HOUR_WEIGHTS[slot / 2] * if on_air { 5 } else { 1 }
        })
    }

    /// How many of the first `follows` follows happened before a time.
    pub(crate) fn follows_before(&self, moment: Seconds, follows: u32) -> u32 {
        let (mut low, mut high) = (0, follows);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.followed_at(middle) < moment {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::{super::channels::NAMED, *};

    fn calendars() -> impl Iterator<Item = (&'static NamedChannel, Calendar)> {
        NAMED
            .iter()
            .map(|channel| (channel, Calendar::new(Seed::new(3), channel, channel.followers)))
    }

    #[test]
    fn follows_are_in_order_and_within_the_life_of_the_channel() {
        for (channel, calendar) in calendars() {
            let mut before = channel.opened_at;
            for rank in (0..channel.followers).step_by((channel.followers as usize / 50_000).max(1)) {
                let moment = calendar.followed_at(rank);
                assert!((before..PRESENT).contains(&moment), "{} {rank}", channel.login);
                before = moment;
            }
            let half = channel.followers / 2;
            let moment = calendar.followed_at(half);
            assert!(calendar.follows_before(moment, channel.followers) <= half);
            assert!(calendar.follows_before(moment + 1, channel.followers) > half || half == 0);
        }
    }

    #[test]
    fn broadcasts_never_overlap_and_a_few_last_more_than_a_day() {
        for (channel, calendar) in calendars().filter(|(channel, _)| channel.streams > 0) {
            let broadcasts: Vec<_> = calendar.days().filter_map(|day| calendar.broadcast(day)).collect();
            for pair in broadcasts.windows(2) {
                assert!(pair[0].ended_at() < pair[1].started_at, "{pair:?}");
            }
            let marathons = broadcasts.iter().filter(|broadcast| broadcast.length > DAY).count();
            assert!((10..60).contains(&marathons), "{} has {marathons}", channel.login);
            let last = broadcasts[broadcasts.len() - 1];
            assert_eq!(last.ended_at() == PRESENT, channel.live, "{}", channel.login);
            assert!(last.ended_at() <= PRESENT);
        }
    }

    #[test]
    fn more_follow_while_the_channel_is_on_air() {
        let (channel, calendar) = calendars().next().unwrap();
        let on_air = (0..channel.followers)
            .step_by(50)
            .filter(|&rank| {
                let moment = calendar.followed_at(rank);
                let day = moment / DAY;
                [day - 2, day - 1, day]
                    .iter()
                    .filter_map(|&day| calendar.broadcast(day))
                    .any(|broadcast| (broadcast.started_at..broadcast.ended_at()).contains(&moment))
            })
            .count();
        // About an eighth of the time is live.
        assert!(on_air > 250_000 / 50 / 2, "{on_air}");
    }
}
