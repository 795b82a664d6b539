//! A rate limit that several processes share, as data: what is left of it, who holds points, whose turn is next.
//!
//! The number of points is always a lower bound. It is what the service said last, less all points that the service may
//! not have counted by then, plus what has been refilled since: so the processes together send no request too many, in
//! whatever order their answers arrive. Each newer answer raises the bound again.
//!
//! What is read may be damaged, old, from a machine with another clock, or planted. Therefore it is only a hint: numbers
//! are clamped so that no content costs more than one wait of a minute.

use serde::{Deserialize, Serialize};

use std::time::Duration;

use crate::limit_store::{Exchange, LEASE, MOST_POINTS, Millis, Reply, SHORTEST_WAIT, SharedReading, millis};

/// The version of the format. Content of another version is as good as none.
const VERSION: u32 = 1;

/// No time is further ahead, and an empty bucket is full after this time.
const HORIZON: Millis = 60_000;

/// The largest limit that is believed.
const LARGEST_LIMIT: f64 = 1e6;

/// The most processes that are remembered, and the most points that one of them is believed to hold.
const MOST_PROCESSES: usize = 500;
const MOST_HELD: u32 = 1000;

/// No process has used more points, nor waited more often: 2^53.
const LARGEST_COUNT: u64 = 1 << 53;

/// What a sum of numbers with fractions may be off by.
const ROUNDING: f64 = 1e-6;

/// How much later than it was told a process may come for its turn.
const GRACE: Millis = 1000;

/// A shared rate limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SharedBucket {
    version: u32,
    level: Option<Level>,
    /// The number of points that were used.
    spent: u64,
    /// Nothing is sent before this time, because the service refused a request.
    closed_until: Millis,
    /// The last turn that was given out.
    last_turn: u64,
    processes: Vec<Process>,
}

/// How many points there are, including those that processes hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Level {
    limit: f64,
    points: f64,
    /// How many are refilled in a second.
    per_second: f64,
    /// The time for which `points` is right.
    at: Millis,
    /// When the answer came that it is from.
    read: Millis,
}

/// A process that asked for points not long ago.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Process {
    id: u64,
    /// The points that it holds, until `until`.
    points: u32,
    until: Millis,
    /// Its turn, if it waits; the lowest is next. 0 if it does not wait.
    turn: u64,
    /// When it loses the turn.
    turn_until: Millis,
}

impl Level {
    fn new(reading: &SharedReading, points: f64, now: Millis) -> Level {
        let limit = reading.limit.clamp(1.0, LARGEST_LIMIT);
        // The header has whole seconds: assume that the bucket is full one second later.
        let seconds = reading.full_in.as_secs_f64() + 1.0;
        let mut level = Level {
            limit,
            points,
            per_second: (limit - reading.remaining) / seconds,
            // Times are cut to milliseconds: this one is rounded up.
            at: reading.read.saturating_add(1),
            read: reading.read,
        };
        level.clamp(now);
        level
    }

    fn is_number(&self) -> bool {
        [self.limit, self.points, self.per_second]
            .iter()
            .all(|number| number.is_finite())
    }

    fn clamp(&mut self, now: Millis) {
        self.limit = self.limit.clamp(1.0, LARGEST_LIMIT);
        self.points = self.points.clamp(0.0, self.limit);
        let slowest = self.limit * 1000.0 / HORIZON as f64;
        self.per_second = self.per_second.clamp(slowest, self.limit);
        // Within a millisecond, a time is not from the future.
        self.at = self.at.min(now.saturating_add(1));
        self.read = self.read.min(now);
    }

    /// Adds what has been refilled.
    fn refill(&mut self, now: Millis) {
        let seconds = now.saturating_sub(self.at) as f64 / 1000.0;
        self.points = (self.points + seconds * self.per_second).min(self.limit);
        self.at = self.at.max(now);
    }
}

impl Default for SharedBucket {
    fn default() -> SharedBucket {
        SharedBucket {
            version: VERSION,
            level: None,
            spent: 0,
            closed_until: 0,
            last_turn: 0,
            processes: Vec::new(),
        }
    }
}

impl SharedBucket {
    /// Reads stored content. What is not valid is as good as none.
    pub fn read(bytes: &[u8]) -> SharedBucket {
        let bucket = serde_json::from_slice(bytes).ok();
        let valid = |bucket: &SharedBucket| {
            bucket.version == VERSION
                && bucket.spent < LARGEST_COUNT
                && bucket.last_turn < LARGEST_COUNT
                && bucket.level.is_none_or(|level| level.is_number())
        };
        bucket.filter(valid).unwrap_or_default()
    }

    /// The content to be stored: one line.
    pub fn written(&self) -> Vec<u8> {
        // Numbers and texts of our own always have a form.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Takes a process's report, and gives it points or the time of its turn.
    pub fn exchange(&mut self, exchange: &Exchange, now: Millis) -> Reply {
        self.clamp(now);
        self.spent += u64::from(exchange.spent);
        if let Some(level) = &mut self.level {
            level.points = (level.points - f64::from(exchange.spent)).max(0.0);
        }
        let held = exchange.held.min(MOST_HELD);
        self.processes
            .retain(|process| process.id != exchange.process || held > 0 || exchange.wanted > 0);
        if let Some(process) = self.process(exchange.process) {
            process.points = held;
            process.until = now.saturating_add(millis(LEASE));
            if exchange.wanted == 0 {
                process.turn = 0;
            }
        } else if held > 0 || exchange.wanted > 0 {
            self.processes.push(Process {
                id: exchange.process,
                points: held,
                until: now.saturating_add(millis(LEASE)),
                turn: 0,
                turn_until: 0,
            });
        }
        if let Some(reading) = &exchange.reading {
            self.observe(reading, now);
        }
        if let Some(closed) = exchange.closed_for {
            let until = now.saturating_add(millis(closed).min(HORIZON));
            self.closed_until = self.closed_until.max(until);
        }
        let (granted, wait) = match exchange.wanted {
            0 => (0, None),
            wanted => match self.grant(exchange.process, wanted.min(MOST_POINTS), now) {
                Ok(points) => (points, None),
                Err(wait) => (0, Some(wait.clamp(millis(SHORTEST_WAIT), HORIZON))),
            },
        };
        if let (Some(wait), Some(process)) = (wait, self.process(exchange.process)) {
            process.turn_until = now.saturating_add(wait).saturating_add(GRACE);
        }
        Reply {
            granted,
            wait: wait.map(Duration::from_millis),
            spent: self.spent,
            is_known: self.level.is_some(),
        }
    }

    /// Brings everything into its bounds and to the current time, and forgets what has ended.
    fn clamp(&mut self, now: Millis) {
        let horizon = now.saturating_add(HORIZON);
        self.closed_until = self.closed_until.min(horizon);
        if let Some(level) = &mut self.level {
            level.clamp(now);
            level.refill(now);
        }
        self.processes.truncate(MOST_PROCESSES);
        for process in &mut self.processes {
            process.until = process.until.min(now.saturating_add(millis(LEASE)));
            process.points = match process.until > now {
                true => process.points.min(MOST_HELD),
                false => 0,
            };
            process.turn_until = process.turn_until.min(horizon);
            if process.turn_until <= now {
                process.turn = 0;
            }
        }
        self.processes.retain(|process| process.until > now || process.turn > 0);
    }

    fn process(&mut self, id: u64) -> Option<&mut Process> {
        self.processes.iter_mut().find(|process| process.id == id)
    }

    /// Corrects the level by what the service said.
    ///
    /// Requests and answers can arrive in any order. Of requests that were in flight together the lowest bound counts;
    /// only an answer to a request that was sent after the last correction may raise the level.
    fn observe(&mut self, reading: &SharedReading, now: Millis) {
        // Points that were used and reported, but perhaps after the service counted what remained.
        let uncounted = self.spent.saturating_sub(reading.spent) as f64;
        let mut level = Level::new(reading, reading.remaining - uncounted, now);
        level.refill(now);
        let overlaps = |known: &Level| reading.sent <= known.read;
        match &self.level {
            Some(known) if overlaps(known) && known.points <= level.points => {}
            _ => self.level = Some(level),
        }
    }

    /// Points for a process, or the number of milliseconds until its turn.
    fn grant(&mut self, id: u64, wanted: u32, now: Millis) -> Result<u32, u64> {
        if self.closed_until > now {
            return Err(self.closed_until - now);
        }
        let Some(level) = self.level else {
            // Before the first answer nothing is known, and requests are needed to learn it.
            self.give(id, wanted);
            return Ok(wanted);
        };
        let held: u32 = self.processes.iter().map(|process| process.points).sum();
        let mine = self.process(id).map_or(0, |process| process.turn);
        let others = || self.processes.iter().filter(|process| process.id != id);
        // Each of those whose turn is earlier has a point reserved.
        let before = || others().filter(|other| other.turn > 0 && (mine == 0 || other.turn < mine));
        let spare = level.points - f64::from(held) - before().count() as f64 + ROUNDING;
        if spare >= 1.0 {
            // Fewer at a time when there are few for all.
            let share = spare / self.processes.len().max(1) as f64;
            let points = (share as u32).clamp(1, wanted);
            self.give(id, points);
            return Ok(points);
        }
        let refilled = (1.0 - spare) / level.per_second * 1000.0;
        let refilled = refilled.ceil() as u64 + level.at.saturating_sub(now);
        // Or until another process loses points or its turn.
        let points_end = others().filter(|other| other.points > 0).map(|other| other.until);
        let ends = points_end.chain(before().map(|other| other.turn_until));
        let wait = ends.map(|end| end - now).fold(refilled, u64::min);
        if mine == 0 {
            self.last_turn += 1;
            let turn = self.last_turn;
            if let Some(process) = self.process(id) {
                process.turn = turn;
            }
        }
        Err(wait)
    }

    fn give(&mut self, id: u64, points: u32) {
        if let Some(process) = self.process(id) {
            process.points += points;
            process.turn = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    fn wants(process: u64, wanted: u32) -> Exchange {
        Exchange {
            process,
            wanted,
            ..Exchange::default()
        }
    }

    fn reading(limit: f64, remaining: f64, spent: u64, sent: Millis, read: Millis) -> SharedReading {
        SharedReading {
            limit,
            remaining,
            full_in: Duration::from_secs_f64((limit - remaining) / limit * 60.0),
            sent,
            read,
            spent,
        }
    }

    /// A bucket of 800 points with so many left.
    fn with(remaining: f64) -> SharedBucket {
        let mut bucket = SharedBucket::default();
        bucket.exchange(&reports(9, reading(800.0, remaining, 0, NOW, NOW)), NOW);
        bucket
    }

    fn reports(process: u64, reading: SharedReading) -> Exchange {
        Exchange {
            reading: Some(reading),
            ..wants(process, 0)
        }
    }

    #[test]
    fn points_come_five_at_a_time_and_fewer_when_there_are_few() {
        let mut bucket = with(12.0);
        let granted = [1, 2, 3, 4, 5, 6].map(|process| bucket.exchange(&wants(process, 5), NOW).granted);
        assert_eq!(granted, [5, 3, 1, 1, 1, 1]);
        // What is granted is held until it is used or given back.
        assert_eq!(bucket.exchange(&wants(7, 5), NOW).wait, Some(Duration::from_millis(76)));
        assert_eq!(bucket.exchange(&wants(1, 0), NOW).granted, 0);
        assert_eq!(bucket.exchange(&wants(7, 5), NOW).granted, 1);
    }

    #[test]
    fn those_that_wait_get_points_in_turn() {
        let mut bucket = with(0.0);
        let mut waits = [1, 2, 3].map(|process| bucket.exchange(&wants(process, 5), NOW).wait.unwrap().as_millis());
        assert_eq!(waits, [76, 151, 226]);
        // One that was not there, or is too early, does not get the first point.
        assert_eq!(bucket.exchange(&wants(4, 5), NOW + 76).granted, 0);
        assert_eq!(bucket.exchange(&wants(2, 5), NOW + 76).granted, 0);
        let reply = bucket.exchange(&wants(1, 5), NOW + 76);
        assert_eq!(reply.granted, 1);
        let spends = Exchange {
            spent: 1,
            ..wants(1, 5)
        };
        waits[0] = bucket.exchange(&spends, NOW + 80).wait.unwrap().as_millis();
        // Behind the three others: 3 and 1 points, of which a small part has been refilled.
        assert!((290..300).contains(&waits[0]), "{waits:?}");
        assert_eq!(bucket.exchange(&wants(2, 5), NOW + 151).granted, 1);
    }

    #[test]
    fn points_of_a_process_that_died_come_back_and_so_does_its_turn() {
        let mut bucket = with(5.0);
        assert_eq!(bucket.exchange(&wants(1, 5), NOW).granted, 5);
        let slow = SharedReading {
            limit: 5.0,
            ..reading(5.0, 5.0, 0, NOW + 1, NOW + 1)
        };
        let reply = bucket.exchange(
            &Exchange {
                wanted: 5,
                ..reports(2, slow)
            },
            NOW + 2,
        );
        assert_eq!(reply.wait, Some(LEASE - Duration::from_millis(2)));
        assert_eq!(bucket.exchange(&wants(3, 5), NOW + 3).granted, 0);
        // The second died, too: its turn is kept for a second.
        assert_eq!(bucket.exchange(&wants(3, 1), NOW + 5_000).granted, 1);
        let mut bucket = with(0.0);
        let wait = millis(bucket.exchange(&wants(1, 5), NOW).wait.unwrap());
        bucket.exchange(&wants(2, 5), NOW);
        bucket.exchange(&wants(2, 5), NOW + wait + GRACE);
        assert!(bucket.process(1).is_none_or(|process| process.turn == 0));
    }

    #[test]
    fn the_lowest_of_overlapping_readings_counts() {
        let mut bucket = with(100.0);
        let points = |bucket: &SharedBucket| bucket.level.unwrap().points.round();
        // Sent before the last answer came.
        bucket.exchange(&reports(1, reading(800.0, 50.0, 0, NOW, NOW)), NOW);
        assert_eq!(points(&bucket), 50.0);
        bucket.exchange(&reports(1, reading(800.0, 90.0, 0, NOW - 5, NOW)), NOW);
        assert_eq!(points(&bucket), 50.0);
        bucket.exchange(&reports(1, reading(800.0, 90.0, 0, NOW + 1, NOW + 2)), NOW + 2);
        assert_eq!(points(&bucket), 90.0);
        // Seven points of others were reported since, which the service may have counted after it answered.
        bucket.exchange(
            &Exchange {
                spent: 7,
                ..wants(2, 0)
            },
            NOW + 3,
        );
        assert_eq!(points(&bucket), 83.0);
        bucket.exchange(&reports(1, reading(800.0, 95.0, 2, NOW + 3, NOW + 4)), NOW + 4);
        assert_eq!(points(&bucket), 90.0);
        bucket.exchange(&reports(1, reading(800.0, 95.0, 7, NOW + 5, NOW + 6)), NOW + 6);
        assert_eq!(points(&bucket), 95.0);
    }

    #[test]
    fn a_refusal_stops_all_for_a_minute_at_most() {
        let mut bucket = with(800.0);
        let refused = Exchange {
            closed_for: Some(Duration::from_secs(7)),
            ..wants(1, 0)
        };
        bucket.exchange(&refused, NOW);
        assert_eq!(bucket.exchange(&wants(2, 5), NOW).wait, Some(Duration::from_secs(7)));
        let for_ever = Exchange {
            closed_for: Some(Duration::MAX),
            ..refused
        };
        bucket.exchange(&for_ever, NOW);
        assert_eq!(bucket.exchange(&wants(2, 5), NOW + 1).wait, Some(Duration::from_millis(59_999)));
        assert_eq!(bucket.exchange(&wants(2, 5), NOW + 60_000).granted, 5);
    }

    #[test]
    fn planted_content_costs_at_most_one_wait_of_a_minute() {
        let year_3000: Millis = 32_503_680_000_000;
        let process = |id: u64, points: u64| {
            format!(r#"{{"id":{id},"points":{points},"until":{year_3000},"turn":{id},"turn_until":{year_3000}}}"#)
        };
        let crowd = (1..=900).map(|id| process(id, 4_000_000)).collect::<Vec<_>>().join(",");
        let level = |limit: &str, per_second: &str| {
            format!(
                r#"{{"limit":{limit},"points":-1e9,"per_second":{per_second},"at":{year_3000},"read":{year_3000}}}"#
            )
        };
        for level in [
            "null".to_owned(),
            level("800", "0"),
            level("0", "-5"),
            level("1e300", "1e-300"),
        ] {
            for (closed, crowd) in [
                (0, ""),
                (year_3000, ""),
                (0, crowd.as_str()),
                (year_3000, crowd.as_str()),
            ] {
                let content = format!(
                    r#"{{"version":1,"level":{level},"spent":7,"closed_until":{closed},"last_turn":9,"processes":[{crowd}]}}"#
                );
                let mut bucket = SharedBucket::read(content.as_bytes());
                assert_ne!(bucket, SharedBucket::default(), "{content}");
                let (mut now, mut asked) = (NOW, 0);
                let granted = loop {
                    let reply = bucket.exchange(&wants(1_000_000, 5), now);
                    // What is written is read by the next process.
                    bucket = SharedBucket::read(&bucket.written());
                    asked += 1;
                    match reply.wait {
                        Some(wait) => now += millis(wait),
                        None => break reply.granted,
                    }
                };
                assert!(granted >= 1);
                assert!(now - NOW <= HORIZON + GRACE, "{} ms in {asked} waits, {:.300}", now - NOW, content);
            }
        }
        for invalid in [
            r#"{"version":2,"level":null,"spent":0,"closed_until":0,"last_turn":0,"processes":[]}"#,
            r#"{"version":1,"level":null,"spent":18446744073709551615,"closed_until":0,"last_turn":0,"processes":[]}"#,
            r#"{"version":1,"level":null,"spent":-1,"closed_until":0,"last_turn":0,"processes":[]}"#,
        ] {
            assert_eq!(SharedBucket::read(invalid.as_bytes()), SharedBucket::default());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_exchange_panics_or_waits_for_more_than_a_minute(
            limit in 0.0f64..1e9, remaining in 0.0f64..1e9, full_in in 0.0f64..600.0, held: u32, spent: u32, sent: u64,
            read: u64, counted: u64, now: u64,
        ) {
            let mut bucket = SharedBucket::default();
            let full_in = Duration::from_secs_f64(full_in);
            let reading = SharedReading { limit, remaining, full_in, sent, read, spent: counted };
            let exchange = Exchange { held, spent, ..reports(1, reading) };
            for wanted in [0, 5, 5] {
                let reply = bucket.exchange(&Exchange { wanted, ..exchange }, now);
                proptest::prop_assert!(reply.granted <= wanted);
                proptest::prop_assert!(reply.wait.is_none_or(|wait| wait <= Duration::from_millis(HORIZON)));
            }
        }
    }
}
