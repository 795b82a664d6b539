//! The arithmetic of a rate limit. It takes the time as an argument.
//!
//! Twitch uses a token bucket that refills evenly. Each answer says how many points are left and when the bucket
//! will be full (dev.twitch.tv/docs/api/guide#twitch-rate-limits). Requests in flight may or may not be included in
//! that number, so they are subtracted: waiting a little too long is better than being refused.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap};

use crate::retry::{pause, retry_after};

/// The longest wait for a bucket, whatever a header says.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// Longer than any run.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Extra wait after the reset: the header has whole seconds, and clocks differ slightly.
const A_LITTLE: Duration = Duration::from_millis(100);

/// After this many accepted requests in a row, one more may be in flight, if a refusal had reduced their number.
const TRUST: u32 = 20;

/// A reset after this time, which is in the year 5138, is not in seconds.
const LATEST_RESET: f64 = 1e11;

/// A reset before this time, which is in 1973, is a number of seconds from now (draft-ietf-httpapi-ratelimit-headers).
const EARLIEST_RESET: f64 = 1e8;

/// Whether the next request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    Now,
    /// Not before this time.
    At(Instant),
    /// When one of the requests in flight has been answered.
    WhenAnswered,
}

/// The rate limit headers of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub limit: f64,
    pub remaining: f64,
    /// How long until the bucket is full.
    pub full_in: Duration,
}

impl Reading {
    /// Reads the `Ratelimit-*` headers; `None` if the service has no such limit.
    pub fn of(headers: &HeaderMap, now: SystemTime) -> Option<Reading> {
        let number = |name: &str| -> Option<f64> {
            let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
            (number.is_finite() && number >= 0.0).then_some(number)
        };
        let remaining = number("ratelimit-remaining")?;
        // In seconds; some services and gateways send milliseconds or less.
        let mut reset = number("ratelimit-reset")?;
        while reset > LATEST_RESET {
            reset /= 1000.0;
        }
        // Relative to the service's own clock, if it sends `Date`: this machine's may be wrong by hours.
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let now = date.unwrap_or(now).duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        let seconds = match reset < EARLIEST_RESET && now > EARLIEST_RESET {
            true => reset,
            false => reset - now,
        };
        let seconds = seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64());
        Some(Reading {
            limit: number("ratelimit-limit").unwrap_or(remaining).max(remaining),
            remaining,
            full_in: Duration::from_secs_f64(seconds),
        })
    }
}

/// One rate limit.
#[derive(Debug)]
pub(crate) struct Bucket {
    at_once: u32,
    /// How many requests may be in flight now: fewer after a refusal that the points do not explain.
    allowed: u32,
    /// Requests accepted in a row since `allowed` changed.
    trusted: u32,
    in_flight: u32,
    level: Option<Level>,
    /// Nothing is sent before this time, because the service refused a request.
    closed_until: Option<Instant>,
    /// The service refused a request although a point should have been refilled: from then on only its reset counts.
    stepwise: bool,
    /// Refusals in a row. Those of requests that were in flight together are one.
    refusals: u32,
    /// The last request that had been sent at the last of these.
    refused: u64,
    next: u64,
}

/// The last known state of the bucket.
#[derive(Clone, Copy, Debug)]
struct Level {
    limit: f64,
    remaining: f64,
    read: Instant,
    full: Instant,
    /// The last request that had been sent when this level was read.
    sent: u64,
}

impl Bucket {
    /// A bucket of unknown level, with at most this many requests in flight.
    pub fn new(at_once: u32) -> Bucket {
        Bucket {
            at_once: at_once.max(1),
            allowed: at_once.max(1),
            trusted: 0,
            in_flight: 0,
            level: None,
            closed_until: None,
            stepwise: false,
            refusals: 0,
            refused: 0,
            next: 0,
        }
    }

    /// Whether the next request may be sent.
    pub fn ready(&self, now: Instant) -> Grant {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Grant::At(until);
        }
        if self.in_flight >= self.allowed {
            return Grant::WhenAnswered;
        }
        let Some(level) = self.level else {
            return Grant::Now;
        };
        let wanted = f64::from(self.in_flight) + 1.0;
        if now >= level.full + A_LITTLE {
            return if level.limit >= wanted || self.in_flight == 0 {
                Grant::Now
            } else {
                Grant::WhenAnswered
            };
        }
        if level.remaining >= wanted {
            return Grant::Now;
        }
        let mut at = level.full + A_LITTLE;
        if !self.stepwise {
            // The header rounds to whole seconds: assume that the bucket is full one second later.
            let whole = (level.full - level.read + Duration::from_secs(1)).as_secs_f64();
            let per_second = (level.limit - level.remaining) / whole;
            let seconds = (wanted - level.remaining) / per_second;
            // Not finite if nothing is refilled.
            if seconds.is_finite() && seconds < whole {
                at = at.min(level.read + Duration::from_secs_f64(seconds));
            }
        }
        if at <= now { Grant::Now } else { Grant::At(at) }
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Until when nothing is sent, because the service refused a request.
    pub fn closed_until(&self) -> Option<Instant> {
        self.closed_until
    }

    /// Counts a request that is about to be sent, and returns its number.
    pub fn sent(&mut self) -> u64 {
        self.in_flight += 1;
        self.next += 1;
        self.next
    }

    /// Updates the level after an answer. Without a reading, the request may still have cost a point.
    pub fn answered(&mut self, request: u64, reading: Option<Reading>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match (reading, &mut self.level) {
            (None, None) => {}
            (None, Some(level)) => level.remaining = (level.remaining - 1.0).max(0.0),
            // Requests and answers can arrive in any order. Among requests that were in flight together the lowest
            // reading counts; only an answer to a later request may raise the level again.
            (Some(reading), Some(level)) if request <= level.sent => {
                level.remaining = level.remaining.min(reading.remaining);
            }
            (Some(reading), _) => self.read(reading, now),
        }
    }

    fn read(&mut self, reading: Reading, now: Instant) {
        self.level = Some(Level {
            limit: reading.limit,
            remaining: reading.remaining,
            read: now,
            full: now + reading.full_in,
            sent: self.next,
        });
    }

    /// Undoes [`Bucket::sent`] for a request that was not sent.
    pub fn unsent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Handles a refusal (429): nothing is sent before the reset, if the bucket is empty, and else for a pause that
    /// grows with each refusal.
    ///
    /// A refusal that the points do not explain means that the service limits something else, often connections: then
    /// half as many requests may be in flight.
    pub fn refused(&mut self, request: u64, headers: &HeaderMap, wall: SystemTime, now: Instant, jitter: f64) {
        let reading = Reading::of(headers, wall);
        let is_empty = reading.is_some_and(|reading| reading.remaining < 1.0);
        if is_empty {
            self.stepwise |= self
                .level
                .is_some_and(|level| level.remaining < f64::from(self.in_flight));
        }
        if request > self.refused {
            self.refused = self.next;
            self.refusals += 1;
            self.trusted = 0;
            if !is_empty {
                self.allowed = (self.allowed.min(self.in_flight) / 2).max(1);
            }
        }
        let before = self.refusals.saturating_sub(1);
        let asked = retry_after(headers, wall).unwrap_or_default();
        let wait = match reading.filter(|_| is_empty) {
            Some(reading) => {
                self.in_flight = self.in_flight.saturating_sub(1);
                // This reading replaces all others, whatever is in flight.
                let remaining = 0.0;
                self.read(Reading { remaining, ..reading }, now);
                let reset = reading.full_in + A_LITTLE;
                // Refused again, although the reset was waited for.
                if before > 0 {
                    reset.max(pause(before, jitter))
                } else {
                    reset
                }
            }
            None => {
                self.answered(request, reading, now);
                pause(before, jitter)
            }
        };
        // A time that cannot be counted is as good as never.
        let until = now.checked_add(wait.max(asked)).unwrap_or(now + NEVER);
        self.closed_until = Some(self.closed_until.map_or(until, |known| known.max(until)));
    }

    /// A request was accepted: the service answers again.
    pub fn accepted(&mut self, request: u64) {
        // One that was sent before a refusal says nothing about the time after it.
        if request <= self.refused {
            return;
        }
        self.refusals = 0;
        if self.allowed < self.at_once {
            self.trusted += 1;
            if self.trusted >= TRUST {
                self.trusted = 0;
                self.allowed += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    fn reading(limit: f64, remaining: f64, full_in: f64) -> Option<Reading> {
        Some(Reading {
            limit,
            remaining,
            full_in: second(full_in),
        })
    }

    #[test]
    fn headers_are_read_by_the_services_clock() {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-limit", "800".parse().unwrap());
        headers.insert("ratelimit-remaining", "0".parse().unwrap());
        headers.insert("ratelimit-reset", "784111807".parse().unwrap());
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        let wrong_by_years = SystemTime::now();
        assert_eq!(Reading::of(&headers, wrong_by_years), reading(800.0, 0.0, 30.0));
        headers.remove(DATE);
        let now = UNIX_EPOCH + second(784_111_800.0);
        assert_eq!(Reading::of(&headers, now), reading(800.0, 0.0, 7.0));
        assert_eq!(Reading::of(&headers, UNIX_EPOCH), reading(800.0, 0.0, 600.0));
        headers.insert("ratelimit-remaining", "NaN".parse().unwrap());
        assert_eq!(Reading::of(&headers, now), None);
    }

    #[test]
    fn what_is_in_flight_counts_against_what_remains() {
        let now = Instant::now();
        let mut bucket = Bucket::new(100);
        let first = bucket.sent();
        assert_eq!(bucket.ready(now), Grant::Now);
        bucket.answered(first, reading(30.0, 3.0, 60.0), now);
        for _ in 0..3 {
            assert_eq!(bucket.ready(now), Grant::Now);
            bucket.sent();
        }
        assert!(matches!(bucket.ready(now), Grant::At(at) if at > now));
    }

    #[test]
    fn at_zero_the_next_point_is_waited_for() {
        let now = Instant::now();
        let mut bucket = Bucket::new(100);
        let request = bucket.sent();
        bucket.answered(request, reading(800.0, 0.0, 60.0), now);
        // 800 points in 61 s: the first is refilled after 76 ms.
        let Grant::At(at) = bucket.ready(now) else {
            panic!("must wait");
        };
        assert_eq!((at - now).as_millis(), 76);
        assert_eq!(bucket.ready(at), Grant::Now);
        bucket.sent();
        assert!(matches!(bucket.ready(at), Grant::At(later) if later > at));
    }

    #[test]
    fn a_refusal_closes_until_the_reset_and_ends_trust_in_refilling() {
        let now = Instant::now();
        let wall = UNIX_EPOCH + second(1000.0);
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-limit", "30".parse().unwrap());
        headers.insert("ratelimit-remaining", "0".parse().unwrap());
        headers.insert("ratelimit-reset", "1002".parse().unwrap());
        let mut bucket = Bucket::new(100);
        let request = bucket.sent();
        bucket.answered(request, reading(30.0, 0.0, 2.0), now);
        let request = bucket.sent();
        bucket.refused(request, &headers, wall, now, 1.0);
        let open = now + second(2.1);
        assert_eq!(bucket.ready(now), Grant::At(open));
        assert_eq!(bucket.ready(open), Grant::Now);
        let request = bucket.sent();
        bucket.answered(request, reading(30.0, 0.0, 10.0), open);
        assert_eq!(bucket.ready(open), Grant::At(open + second(10.1)));
    }

    #[test]
    fn a_refusal_without_a_word_is_respected_longer_each_time() {
        let now = Instant::now();
        let mut bucket = Bucket::new(100);
        for wait in [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            bucket.closed_until = None;
            let request = bucket.sent();
            bucket.refused(request, &HeaderMap::new(), UNIX_EPOCH, now, 1.0);
            assert_eq!(bucket.ready(now), Grant::At(now + second(wait)));
        }
        bucket.closed_until = None;
        let request = bucket.sent();
        bucket.answered(request, None, now);
        bucket.accepted(request);
        let request = bucket.sent();
        bucket.refused(request, &HeaderMap::new(), UNIX_EPOCH, now, 0.0);
        assert_eq!(bucket.ready(now), Grant::At(now + second(0.125)));
    }

    #[test]
    fn a_refusal_with_points_left_is_no_wait_for_the_reset() {
        let now = Instant::now();
        let wall = UNIX_EPOCH + second(1_700_000_000.0);
        let headers = |remaining: &str, reset: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-remaining", remaining.parse().unwrap());
            headers.insert("ratelimit-reset", reset.parse().unwrap());
            headers
        };
        let mut bucket = Bucket::new(100);
        for wait in [0.25, 0.5, 1.0] {
            bucket.closed_until = None;
            let request = bucket.sent();
            bucket.refused(request, &headers("799", "1700000040"), wall, now, 1.0);
            assert_eq!(bucket.ready(now), Grant::At(now + second(wait)));
        }
        // The reset is waited for, and longer each time, if that does not help.
        let mut bucket = Bucket::new(100);
        for wait in [0.35, 0.5, 1.0, 2.0] {
            bucket.closed_until = None;
            let request = bucket.sent();
            bucket.refused(request, &headers("0", "0.25"), wall, now, 1.0);
            assert_eq!(bucket.closed_until, Some(now + second(wait)));
        }
        let mut bucket = Bucket::new(100);
        let request = bucket.sent();
        let mut asks = headers("799", "1");
        asks.insert("retry-after", "7".parse().unwrap());
        bucket.refused(request, &asks, wall, now, 1.0);
        assert_eq!(bucket.ready(now), Grant::At(now + second(7.0)));
    }

    #[test]
    fn refusals_together_are_one_and_halve_what_is_in_flight() {
        let now = Instant::now();
        let mut bucket = Bucket::new(16);
        let burst: Vec<u64> = (0..16).map(|_| bucket.sent()).collect();
        for request in burst {
            bucket.refused(request, &HeaderMap::new(), UNIX_EPOCH, now, 1.0);
        }
        assert_eq!(bucket.ready(now), Grant::At(now + second(0.25)));
        let later = now + second(1.0);
        let burst: Vec<u64> = (0..8).map(|_| bucket.sent()).collect();
        assert_eq!(bucket.ready(later), Grant::WhenAnswered);
        for request in burst {
            bucket.answered(request, None, later);
            bucket.accepted(request);
        }
        assert_eq!(bucket.allowed, 8);
        for _ in 0..12 {
            let request = bucket.sent();
            bucket.answered(request, None, later);
            bucket.accepted(request);
        }
        assert_eq!(bucket.allowed, 9);
    }

    #[test]
    fn a_reset_is_read_in_any_unit() {
        let wall = UNIX_EPOCH + second(1_700_000_000.0);
        for (reset, full_in) in [
            ("1700000030", Some(30.0)),
            ("1700000030000", Some(30.0)),
            ("1700000030000000", Some(30.0)),
            ("30", Some(30.0)),
            ("1600000000", Some(0.0)),
            ("9999999999999999999999", Some(600.0)),
            ("soon", None),
            ("-5", None),
            ("inf", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-limit", "?".parse().unwrap());
            headers.insert("ratelimit-remaining", "1".parse().unwrap());
            headers.insert("ratelimit-reset", reset.parse().unwrap());
            let read = Reading::of(&headers, wall).map(|reading| reading.full_in.as_secs_f64().round());
            match full_in {
                Some(600.0) => assert!(read.is_some_and(|seconds| seconds <= 600.0), "{reset}"),
                full_in => assert_eq!(read, full_in, "{reset}"),
            }
        }
    }

    #[test]
    fn of_requests_in_flight_together_the_lowest_reading_counts() {
        let now = Instant::now();
        for newer_first in [true, false] {
            let mut bucket = Bucket::new(100);
            let (mut first, mut second) = (bucket.sent(), bucket.sent());
            if newer_first {
                (first, second) = (second, first);
            }
            bucket.answered(first, reading(30.0, 1.0, 60.0), now);
            bucket.answered(second, reading(30.0, 2.0, 60.0), now);
            assert_eq!(bucket.ready(now), Grant::Now);
            let third = bucket.sent();
            assert!(matches!(bucket.ready(now), Grant::At(_)));
            // A request that is sent later has a newer reading.
            bucket.answered(third, reading(30.0, 20.0, 60.0), now);
            assert_eq!(bucket.ready(now), Grant::Now);
        }
    }

    #[test]
    fn only_so_many_at_once() {
        let now = Instant::now();
        let mut bucket = Bucket::new(2);
        let first = bucket.sent();
        bucket.sent();
        assert_eq!(bucket.ready(now), Grant::WhenAnswered);
        bucket.answered(first, None, now);
        assert_eq!(bucket.ready(now), Grant::Now);
        bucket.sent();
        bucket.unsent();
        assert_eq!(bucket.ready(now), Grant::Now);
    }

    #[test]
    fn a_full_bucket_is_not_fuller_than_its_limit() {
        let now = Instant::now();
        let mut bucket = Bucket::new(100);
        let request = bucket.sent();
        bucket.answered(request, reading(2.0, 0.0, 1.0), now);
        let later = now + second(60.0);
        bucket.sent();
        assert_eq!(bucket.ready(later), Grant::Now);
        bucket.sent();
        assert_eq!(bucket.ready(later), Grant::WhenAnswered);
    }

    proptest::proptest! {
        #[test]
        fn no_reading_panics_or_stalls(limit in 0.0f64..1e9, remaining in 0.0f64..1e9, full_in in 0.0f64..600.0) {
            let now = Instant::now();
            let mut bucket = Bucket::new(10);
            let request = bucket.sent();
            bucket.answered(request, reading(limit.max(remaining), remaining, full_in), now);
            match bucket.ready(now) {
                Grant::Now => {}
                Grant::At(at) => proptest::prop_assert_eq!(bucket.ready(at), Grant::Now),
                Grant::WhenAnswered => proptest::prop_assert!(false, "nothing is in flight"),
            }
        }
    }
}
