//! Helix's rate limit: a token bucket per app or per user of an app, refilled continuously.
//!
//! See "Twitch rate limits" at <https://dev.twitch.tv/docs/api/guide>.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime},
};

use crate::world::UserId;

/// The owner of a bucket, by the id of an app: it has one bucket for its own tokens and one for each user.
pub(crate) type Owner = (&'static str, Option<UserId>);

#[derive(Debug)]
pub(crate) struct Limiter {
    points_per_minute: u32,
    buckets: HashMap<Owner, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    points: f64,
    at: Instant,
}

/// The values of the `Ratelimit-` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// In seconds since 1970.
    pub(crate) reset: u64,
}

/// The request needs more points than are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exceeded(pub(crate) RateLimit);

impl Limiter {
    pub(crate) fn new(points_per_minute: u32) -> Limiter {
        Limiter {
            points_per_minute,
            buckets: HashMap::new(),
        }
    }

    /// Takes one point, the cost of every read.
    pub(crate) fn take(&mut self, owner: Owner) -> Result<RateLimit, Exceeded> {
        self.take_at(owner, Instant::now(), unix_now())
    }

    fn take_at(&mut self, owner: Owner, now: Instant, unix_now: Duration) -> Result<RateLimit, Exceeded> {
        let full = f64::from(self.points_per_minute);
        let per_second = full / 60.0;
        let bucket = self.buckets.entry(owner).or_insert(Bucket { points: full, at: now });
        let refilled = now.saturating_duration_since(bucket.at).as_secs_f64() * per_second;
        bucket.points = full.min(bucket.points + refilled);
        bucket.at = now;
        let allowed = bucket.points >= 1.0;
        if allowed {
            bucket.points -= 1.0;
        }
        let until_full = if per_second > 0.0 {
            (full - bucket.points) / per_second
        } else {
            60.0
        };
        let limit = RateLimit {
            limit: self.points_per_minute,
            remaining: bucket.points as u32,
            reset: (unix_now.as_secs_f64() + until_full).ceil() as u64,
        };
        if allowed { Ok(limit) } else { Err(Exceeded(limit)) }
    }
}

/// The limit that a `429` fault reports: Twitch's default for an app.
pub(crate) const DEFAULT_LIMIT: u32 = 800;

/// The system time since 1970.
pub(crate) fn unix_now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Owner = ("app", None);
    const UNIX: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn a_bucket_empties_and_refills_steadily() {
        let mut limiter = Limiter::new(60);
        let start = Instant::now();
        for taken in 1..=60 {
            let limit = limiter.take_at(APP, start, UNIX).unwrap();
            assert_eq!((limit.limit, limit.remaining), (60, 60 - taken));
            assert_eq!(limit.reset, 1_000_000 + u64::from(taken));
        }
        let Exceeded(limit) = limiter.take_at(APP, start, UNIX).unwrap_err();
        assert_eq!((limit.remaining, limit.reset), (0, 1_000_060));
        // One point per second is refilled.
        let later = start + Duration::from_millis(2_500);
        assert!(limiter.take_at(APP, later, UNIX).is_ok());
        assert!(limiter.take_at(APP, later, UNIX).is_ok());
        assert!(limiter.take_at(APP, later, UNIX).is_err());
        // A bucket never holds more than its limit.
        let next_day = start + Duration::from_secs(86_400);
        assert_eq!(limiter.take_at(APP, next_day, UNIX).unwrap().remaining, 59);
    }

    #[test]
    fn owners_do_not_share_a_bucket() {
        let mut limiter = Limiter::new(1);
        let now = Instant::now();
        assert!(limiter.take_at(APP, now, UNIX).is_ok());
        assert!(limiter.take_at(APP, now, UNIX).is_err());
        assert!(limiter.take_at(("app", Some(1)), now, UNIX).is_ok());
        assert!(limiter.take_at(("other app", Some(1)), now, UNIX).is_ok());
    }

    #[test]
    fn a_limit_of_nothing_refuses_everything() {
        let limit = Limiter::new(0).take_at(APP, Instant::now(), UNIX).unwrap_err().0;
        assert_eq!((limit.limit, limit.remaining, limit.reset), (0, 0, 1_000_060));
    }
}
