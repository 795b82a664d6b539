//! The points that this process has of a shared rate limit, and what it will report about them.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use crate::bucket::Reading;
use crate::limit_store::{Exchange, LEASE, MOST_POINTS, Millis, Reply, SHORTEST_WAIT, SharedReading, StoreFault, now};

/// Whether a request may have one of the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    /// Not before this time.
    At(Instant),
    /// When the running exchange is over.
    WhenExchanged,
    /// There is none left: it is time for an exchange.
    Exchange,
}

/// What is known when a request is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stamp {
    sent: Millis,
    /// The number of points that the service has certainly counted when it answers, this request's included.
    spent: u64,
}

/// The points of this process.
#[derive(Debug)]
pub(crate) struct Allowance {
    process: u64,
    points: u32,
    /// The points must be used before this time.
    until: Instant,
    is_exchanging: bool,
    /// When the last exchange began.
    exchanged: Option<Instant>,
    /// The store said that there is no point before this time.
    wait_until: Option<Instant>,
    /// The store is left alone until this time.
    alone_until: Option<Instant>,
    /// How often in a row the store was busy.
    busy: u32,
    /// How many points all processes had used at the last exchange.
    spent_by_all: u64,
    /// How many of them this one has used since: those that the running exchange reports, and those after them.
    reported: u32,
    spent: u32,
    reading: Option<SharedReading>,
    closed_until: Option<Instant>,
    /// Whether the store knows the limit.
    is_known: bool,
    /// There is something to report that others wait for.
    is_due: bool,
}

impl Allowance {
    /// Without points.
    pub fn new() -> Allowance {
        Allowance {
            process: RandomState::new().hash_one(std::process::id()),
            points: 0,
            until: Instant::now(),
            is_exchanging: false,
            exchanged: None,
            wait_until: None,
            alone_until: None,
            busy: 0,
            spent_by_all: 0,
            reported: 0,
            spent: 0,
            reading: None,
            closed_until: None,
            is_known: true,
            is_due: false,
        }
    }

    /// Whether the next request may be sent.
    pub fn next(&mut self, now: Instant) -> Turn {
        if self.is_alone(now) {
            return Turn::Now;
        }
        if now >= self.until {
            self.points = 0;
        }
        if self.points > 0 {
            return Turn::Now;
        }
        if self.is_exchanging {
            return Turn::WhenExchanged;
        }
        match self.wait_until.filter(|until| *until > now) {
            Some(until) => Turn::At(until),
            None => Turn::Exchange,
        }
    }

    /// Whether requests wait for their turn.
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.points == 0 && !self.is_alone(now) && self.wait_until.is_some_and(|until| until > now)
    }

    fn is_alone(&self, now: Instant) -> bool {
        self.alone_until.is_some_and(|until| until > now)
    }

    /// No request waits any more: others need not wait for this process's turn.
    pub fn give_up_turn(&mut self) {
        self.is_due |= self.wait_until.take().is_some();
    }

    /// Whether an exchange is running.
    pub fn is_exchanging(&self) -> bool {
        self.is_exchanging
    }

    /// Whether the store was busy again when it had been left alone for a while.
    pub fn is_hopeless(&self) -> bool {
        self.busy > 1
    }

    /// Whether there is something to report at once.
    pub fn is_due(&self, now: Instant) -> bool {
        self.is_due && !self.is_exchanging && !self.is_alone(now)
    }

    /// Takes a point for a request that is about to be sent.
    pub fn take(&mut self) -> Stamp {
        self.points = self.points.saturating_sub(1);
        let spent = self.spent_by_all + u64::from(self.reported) + u64::from(self.spent);
        Stamp {
            sent: now(),
            spent: spent + 1,
        }
    }

    /// Puts back the point of a request that was not sent.
    pub fn put_back(&mut self) {
        self.points = (self.points + 1).min(MOST_POINTS);
    }

    /// A request was answered, or it failed and may have cost a point.
    pub fn answered(&mut self, stamp: Stamp, reading: Option<Reading>) {
        self.spent += 1;
        self.read(stamp, reading);
    }

    /// A request was refused, which costs no point. If the service says why, all processes wait.
    pub fn refused(&mut self, stamp: Stamp, reading: Option<Reading>, closed_until: Option<Instant>) {
        self.read(stamp, reading);
        self.closed_until = closed_until.max(self.closed_until);
        self.is_due = true;
    }

    fn read(&mut self, stamp: Stamp, reading: Option<Reading>) {
        let Some(reading) = reading else { return };
        let new = SharedReading {
            limit: reading.limit,
            remaining: reading.remaining,
            full_in: reading.full_in,
            sent: stamp.sent,
            read: now(),
            spent: stamp.spent,
        };
        let bound = |reading: &SharedReading| reading.remaining + reading.spent as f64;
        match &self.reading {
            Some(known) if new.sent <= known.read && bound(known) <= bound(&new) => {}
            _ => self.reading = Some(new),
        }
        // Nobody knows the limit yet, or it may be higher than the wait is computed from.
        self.is_due |= !self.is_known;
        if let (Some(until), Some(exchanged)) = (self.wait_until, self.exchanged) {
            self.wait_until = Some(until.min(exchanged + SHORTEST_WAIT));
        }
    }

    /// Begins an exchange.
    pub fn begin(&mut self, wanted: u32, in_flight: u32, now: Instant) -> Exchange {
        if now >= self.until {
            self.points = 0;
        }
        self.is_exchanging = true;
        self.is_due = false;
        self.exchanged = Some(now);
        self.reported = std::mem::take(&mut self.spent);
        Exchange {
            process: self.process,
            wanted,
            held: self.points + in_flight,
            spent: self.reported,
            reading: self.reading.take(),
            closed_for: self
                .closed_until
                .take()
                .map(|until| until.saturating_duration_since(now)),
        }
    }

    /// The last exchange; `None` if there was no other. Requests in flight count as answered.
    pub fn leave(&mut self, in_flight: u32, now: Instant) -> Option<Exchange> {
        self.exchanged.filter(|_| !self.is_exchanging && !self.is_alone(now))?;
        self.points = 0;
        self.spent += in_flight;
        Some(self.begin(0, 0, now))
    }

    /// Ends an exchange. [`StoreFault::Busy`] means that the process goes on alone for a while.
    pub fn end(&mut self, outcome: Result<Reply, StoreFault>, now: Instant) {
        self.is_exchanging = false;
        let reported = std::mem::take(&mut self.reported);
        match outcome {
            Ok(reply) => {
                self.busy = 0;
                self.spent_by_all = reply.spent;
                self.is_known = reply.is_known;
                self.wait_until = reply.wait.map(|wait| now + wait);
                // Counted from before the exchange, so that they end here before they do in the store.
                if let (1.., Some(exchanged)) = (reply.granted, self.exchanged) {
                    self.points += reply.granted;
                    self.until = exchanged + LEASE;
                }
                // The answer that the store does not know of came during the exchange.
                self.is_due |= !self.is_known && self.reading.is_some();
            }
            Err(_) => {
                self.busy += 1;
                self.spent += reported;
                self.alone_until = Some(now + LEASE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn reply(granted: u32, wait: Option<u64>) -> Result<Reply, StoreFault> {
        Ok(Reply {
            granted,
            wait: wait.map(Duration::from_millis),
            spent: 100,
            is_known: true,
        })
    }

    fn reading() -> Option<Reading> {
        Some(Reading {
            limit: 800.0,
            remaining: 0.0,
            full_in: Duration::from_secs(60),
        })
    }

    #[test]
    fn one_exchange_is_enough_for_five_requests() {
        let now = Instant::now();
        let (mut allowance, mut exchanges) = (Allowance::new(), 0);
        for _ in 0..100 {
            if allowance.next(now) == Turn::Exchange {
                let exchange = allowance.begin(5, 0, now);
                assert_eq!((exchange.held, exchange.wanted), (0, 5));
                assert!(exchange.spent == 5 || exchanges == 0);
                assert_eq!(allowance.next(now), Turn::WhenExchanged);
                allowance.end(reply(5, None), now);
                exchanges += 1;
            }
            assert_eq!(allowance.next(now), Turn::Now);
            let stamp = allowance.take();
            allowance.answered(stamp, reading());
            assert!(!allowance.is_due(now));
        }
        assert_eq!(exchanges, 20);
        // It ends with what it has not reported.
        let last = allowance.leave(2, now).unwrap();
        assert_eq!((last.held, last.wanted, last.spent), (0, 0, 7));
    }

    #[test]
    fn points_end_with_their_lease() {
        let now = Instant::now();
        let mut allowance = Allowance::new();
        allowance.begin(5, 0, now);
        allowance.end(reply(5, None), now + LEASE / 2);
        assert_eq!(allowance.next(now + LEASE - Duration::from_millis(1)), Turn::Now);
        assert_eq!(allowance.next(now + LEASE), Turn::Exchange);
        assert_eq!(allowance.begin(5, 3, now + LEASE).held, 3);
    }

    #[test]
    fn an_answer_during_a_wait_is_a_reason_to_ask_again() {
        let now = Instant::now();
        let mut allowance = Allowance::new();
        allowance.begin(5, 0, now);
        allowance.end(reply(1, None), now);
        let stamp = allowance.take();
        allowance.begin(5, 1, now);
        allowance.end(reply(0, Some(60_000)), now);
        assert_eq!(allowance.next(now), Turn::At(now + Duration::from_secs(60)));
        assert!(allowance.is_waiting(now));
        allowance.answered(stamp, reading());
        assert_eq!(allowance.next(now), Turn::At(now + SHORTEST_WAIT));
        assert_eq!(allowance.next(now + SHORTEST_WAIT), Turn::Exchange);
        let exchange = allowance.begin(5, 0, now + SHORTEST_WAIT);
        // Its own point was certainly counted: the hundred of all before it, and this one.
        assert_eq!(exchange.reading.unwrap().spent, 101);
    }

    #[test]
    fn a_store_that_is_busy_is_left_alone_for_a_while() {
        let now = Instant::now();
        let mut allowance = Allowance::new();
        allowance.begin(5, 0, now);
        allowance.end(reply(1, None), now);
        let stamp = allowance.take();
        allowance.answered(stamp, None);
        assert_eq!(allowance.begin(5, 0, now).spent, 1);
        allowance.end(Err(StoreFault::Busy), now);
        assert_eq!(allowance.next(now), Turn::Now);
        assert_eq!(allowance.next(now + LEASE), Turn::Exchange);
        // Nothing is forgotten.
        assert_eq!(allowance.begin(5, 0, now + LEASE).spent, 1);
        assert!(!allowance.is_hopeless());
        allowance.end(Err(StoreFault::Busy), now);
        assert!(allowance.is_hopeless());
    }

    #[test]
    fn a_refusal_and_the_first_reading_are_reported_at_once() {
        let now = Instant::now();
        let mut allowance = Allowance::new();
        allowance.begin(5, 0, now);
        let unknown = Reply {
            granted: 5,
            ..Reply::default()
        };
        allowance.end(Ok(unknown), now);
        let (first, second) = (allowance.take(), allowance.take());
        allowance.answered(first, None);
        assert!(!allowance.is_due(now));
        allowance.answered(second, reading());
        assert!(allowance.is_due(now));
        allowance.begin(0, 0, now);
        allowance.end(reply(0, None), now);
        assert!(!allowance.is_due(now));
        let stamp = allowance.take();
        allowance.refused(stamp, reading(), Some(now + Duration::from_secs(3)));
        assert!(allowance.is_due(now));
        let exchange = allowance.begin(0, 0, now);
        assert_eq!((exchange.spent, exchange.closed_for), (0, Some(Duration::from_secs(3))));
    }
}
