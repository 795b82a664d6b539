//! Retries of a request: which failures are temporary, how long to wait, and the error after the last try.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use itch_api::{Error, ErrorKind, Result, Service};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::counters::Tally;
use crate::waits::{WaitReason, Waits};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// The longest pause after refusals.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a try had no final answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Temporary: another try may succeed.
    Passing(Trouble),
    /// Permanent: another try would fail too.
    Final(Error),
}

/// A failure that may be temporary.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// The kind of the error after the last try.
    pub kind: ErrorKind,
    /// What happened, worded to follow the service's name: `could not be reached`.
    pub what: String,
    /// The causes, nearest first.
    pub causes: Vec<String>,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// What to check, if that is known: `check the name server`.
    pub check: Option<String>,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// A failure of the service or the network.
    pub fn new(what: impl Into<String>) -> Trouble {
        Trouble {
            kind: ErrorKind::Service,
            what: what.into(),
            causes: Vec::new(),
            status: None,
            check: None,
            retry_after: None,
        }
    }
}

/// The retry settings for all requests of a client.
#[derive(Clone)]
pub(crate) struct Patience {
    pub tries: u32,
    /// How the hint for an error ends: what to do about the answers fetched so far.
    pub hint: &'static str,
    pub tally: Arc<Tally>,
    pub waits: Arc<Waits>,
}

impl Patience {
    /// The retries of one request.
    pub fn retry(&self, service: Service) -> Retry {
        Retry {
            patience: self.clone(),
            service,
            failed: 0,
        }
    }
}

/// The tries of one request.
pub(crate) struct Retry {
    patience: Patience,
    service: Service,
    failed: u32,
}

impl Retry {
    /// The number of the current try, from 1.
    pub fn attempt(&self) -> u32 {
        self.failed + 1
    }

    /// Waits before another try, or returns the final error.
    pub async fn after(&mut self, fault: Fault) -> Result<()> {
        let delay = self.judge(fault, random_fraction())?;
        let until = Instant::now() + delay;
        let waiting = self.patience.waits.begin(self.service, WaitReason::Retry, until);
        tokio::time::sleep_until(until.into()).await;
        drop(waiting);
        self.patience.tally.retries.one();
        Ok(())
    }

    /// The error of a try after which there is no other one.
    pub fn after_last<T>(&mut self, fault: Fault) -> Result<T> {
        self.failed += 1;
        Err(match fault {
            Fault::Passing(trouble) => self.give_up(trouble),
            Fault::Final(error) => error,
        })
    }

    fn judge(&mut self, fault: Fault, jitter: f64) -> Result<Duration> {
        let mut trouble = match fault {
            Fault::Passing(trouble) => trouble,
            Fault::Final(error) => return Err(error),
        };
        let delay = delay(self.failed, jitter);
        self.failed += 1;
        let delay = delay.max(trouble.retry_after.unwrap_or_default());
        if self.failed < self.patience.tries {
            match self.patience.waits.allow(self.service, delay) {
                Ok(()) => return Ok(delay),
                Err(too_long) => trouble.causes.push(too_long.to_string()),
            }
        }
        Err(self.give_up(trouble))
    }

    fn give_up(&self, trouble: Trouble) -> Error {
        let Trouble {
            kind,
            what,
            causes,
            status,
            check,
            ..
        } = trouble;
        let check = check.as_deref().unwrap_or("check the network");
        let tries = match self.failed {
            1 => "1 try".to_owned(),
            n => format!("{n} tries"),
        };
        let error = Error::new(kind, format!("the {} service {what} ({tries})", self.service))
            .hint(format!("{check}{}", self.patience.hint))
            .at(self.service, status);
        causes.into_iter().fold(error, Error::cause)
    }
}

/// 250 ms, doubled after each failure, at most 8 s. Half of it is random, to spread many clients over time.
fn delay(failed: u32, jitter: f64) -> Duration {
    growing(failed, LONGEST_DELAY, jitter)
}

/// The pause after a refusal because of a limit, by the number of refusals before it. It begins as that after a failure
/// does and grows as fast, but longer: a limit is not a fault, and does not end the tries.
pub(crate) fn pause(refusals: u32, jitter: f64) -> Duration {
    growing(refusals, LONGEST_PAUSE, jitter)
}

fn growing(before: u32, longest: Duration, jitter: f64) -> Duration {
    let whole = FIRST_DELAY.saturating_mul(2u32.saturating_pow(before)).min(longest);
    whole.mul_f64(0.5 + 0.5 * jitter)
}

/// A number from 0 to 1. The standard library seeds its hashers randomly, which is random enough here.
pub(crate) fn random_fraction() -> f64 {
    let bits = RandomState::new().hash_one(0u8);
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// The value of `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // Nothing for a negative number, for one that is too large, and for NaN.
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(tries: u32) -> Retry {
        Patience {
            tries,
            hint: ", or run again",
            tally: Arc::default(),
            waits: Waits::new(Duration::from_secs(900), Arc::new(|_| {})),
        }
        .retry(Service::Helix)
    }

    fn passing() -> Fault {
        Fault::Passing(Trouble {
            causes: vec!["connection refused".to_owned()],
            ..Trouble::new("could not be reached")
        })
    }

    #[test]
    fn the_schedule() {
        let millis: Vec<u128> = (0..8).map(|n| delay(n, 1.0).as_millis()).collect();
        assert_eq!(millis, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(delay(2, 0.0), Duration::from_millis(500));
        assert_eq!(delay(u32::MAX, 1.0), LONGEST_DELAY);
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&random_fraction()));
        }
    }

    #[test]
    fn five_tries_and_then_the_error() {
        let mut retry = retry(5);
        for attempt in 1..5 {
            assert_eq!(retry.attempt(), attempt);
            assert!(retry.judge(passing(), 1.0).is_ok());
        }
        let error = retry.judge(passing(), 1.0).unwrap_err();
        assert_eq!(format!("{error:#}"), "the helix service could not be reached (5 tries): connection refused");
        assert_eq!(error.kind, ErrorKind::Service);
        assert_eq!(error.service, Some(Service::Helix));
        assert_eq!(error.hint.as_deref(), Some("check the network, or run again"));
    }

    #[test]
    fn a_final_fault_ends_at_once() {
        let error = Error::new(ErrorKind::SignIn, "no");
        assert_eq!(retry(5).judge(Fault::Final(error.clone()), 1.0), Err(error));
    }

    #[test]
    fn the_service_says_when() {
        let asks = |seconds| {
            Fault::Passing(Trouble {
                retry_after: Some(Duration::from_secs(seconds)),
                ..Trouble::new("answered 503")
            })
        };
        assert_eq!(retry(5).judge(asks(20), 1.0), Ok(Duration::from_secs(20)));
        assert_eq!(retry(5).judge(asks(0), 1.0), Ok(FIRST_DELAY));
        assert_eq!(retry(5).judge(asks(900), 1.0), Ok(Duration::from_secs(900)));
        let error = retry(5).judge(asks(901), 1.0).unwrap_err();
        assert_eq!(error.causes, ["the next wait would be 15 min, and `--max-wait` is 15 min"]);
        assert_eq!(error.message, "the helix service answered 503 (1 try)");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("1.5"), Some(Duration::from_millis(1500)));
        for garbage in ["-1", "NaN", "inf", "1e999", "7 s", ""] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
        assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:27 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
