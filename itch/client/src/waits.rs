//! Waits before requests: how long they may be, how long they have been, and who is told.
//!
//! A wait is for a rate limit or before another try. Each service has its own account: the time during which at least
//! one of its requests waited, since its last successful answer. So a list that is read for hours with a pause before
//! each page may go on, but a service that only refuses ends the run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use itch_api::Service;
use itch_api::sync::lock;
use tracing::debug;

use crate::settings::Warn;

/// A longer wait is logged.
const LOGGED: Duration = Duration::from_secs(2);

/// A longer wait is told to the user.
const TOLD: Duration = Duration::from_secs(10);

/// What requests wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The service limits how many requests it answers.
    RateLimit,
    /// The service or the network failed; the request is sent again later.
    Retry,
}

/// A wait of requests to one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// The service that they are sent to.
    pub service: Service,
    /// Why they wait.
    pub reason: WaitReason,
    /// Until when.
    pub until: SystemTime,
}

/// The waits of a client.
pub(crate) struct Waits {
    longest: Duration,
    notice: Warn,
    services: Mutex<BTreeMap<Service, Account>>,
}

/// The waits for one service.
#[derive(Default)]
struct Account {
    running: Vec<Running>,
    next: u64,
    /// Since when at least one wait is running.
    since: Option<Instant>,
    /// The time before that, since the last successful answer.
    before: Duration,
    /// The end of the last wait that the user was told of.
    told: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Running {
    number: u64,
    until: Instant,
    reason: WaitReason,
}

impl Account {
    fn waited(&self, now: Instant) -> Duration {
        let running = self.since.map(|since| now.saturating_duration_since(since));
        self.before.saturating_add(running.unwrap_or_default())
    }
}

/// A wait that would be longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    /// How long it would be.
    wait: Duration,
    /// How long requests to the service have waited already, since its last successful answer.
    waited: Duration,
    longest: Duration,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the next wait would be {}", Span(self.wait))?;
        // A moment is not worth a word.
        if self.waited >= Duration::from_millis(100) {
            write!(f, " after {} of waiting", Span(self.waited))?;
        }
        write!(f, ", and `--max-wait` is {}", Span(self.longest))
    }
}

impl Waits {
    /// Allows waits of at most this length, alone and in all.
    pub fn new(longest: Duration, notice: Warn) -> Arc<Waits> {
        Arc::new(Waits {
            longest,
            notice,
            services: Mutex::default(),
        })
    }

    /// Whether requests to a service may wait this long from now.
    pub fn allow(&self, service: Service, wait: Duration) -> Result<(), TooLong> {
        let services = lock(&self.services);
        let waited = services.get(&service).map(|account| account.waited(Instant::now()));
        self.bound(wait, waited.unwrap_or_default())
    }

    /// Whether a wait is allowed after others.
    pub fn bound(&self, wait: Duration, waited: Duration) -> Result<(), TooLong> {
        match waited.saturating_add(wait) > self.longest {
            true => Err(TooLong {
                wait,
                waited,
                longest: self.longest,
            }),
            false => Ok(()),
        }
    }

    /// Begins a wait, which ends when the value is dropped.
    pub fn begin(self: &Arc<Waits>, service: Service, reason: WaitReason, until: Instant) -> Waiting {
        let now = Instant::now();
        let wait = until.saturating_duration_since(now);
        let (number, told) = {
            let mut services = lock(&self.services);
            let account = services.entry(service).or_default();
            let number = account.next;
            account.next += 1;
            account.since.get_or_insert(now);
            account.running.push(Running { number, until, reason });
            // Many requests that wait for the same thing are one wait to the user.
            let known = account.told.is_some_and(|told| told > now && told + LOGGED >= until);
            let told = wait > TOLD && !known;
            if told {
                account.told = Some(until);
            }
            (number, told)
        };
        let text = || match reason {
            WaitReason::RateLimit => format!("waiting {} for the rate limit of the {service} service", Span(wait)),
            WaitReason::Retry => format!("waiting {} before the {service} service is tried again", Span(wait)),
        };
        match told {
            true => (self.notice)(&text()),
            false if wait > LOGGED => debug!(target: "itch::wait", "{}", text()),
            false => {}
        }
        Waiting {
            waits: Arc::clone(self),
            service,
            number,
        }
    }

    /// A service has answered a request successfully: its account begins anew.
    pub fn answered(&self, service: Service) {
        if let Some(account) = lock(&self.services).get_mut(&service) {
            account.before = Duration::ZERO;
            account.since = account.since.map(|_| Instant::now());
        }
    }

    /// The wait that ends last; `None` if no request waits.
    pub fn current(&self) -> Option<Wait> {
        let now = Instant::now();
        let services = lock(&self.services);
        let running = services
            .iter()
            .flat_map(|(service, account)| account.running.iter().map(move |wait| (*service, *wait)));
        let (service, last) = running.max_by_key(|(_, wait)| wait.until)?;
        Some(Wait {
            service,
            reason: last.reason,
            until: SystemTime::now() + last.until.saturating_duration_since(now),
        })
    }
}

/// A wait that is running.
pub(crate) struct Waiting {
    waits: Arc<Waits>,
    service: Service,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(account) = lock(&self.waits.services).get_mut(&self.service) {
            account.running.retain(|wait| wait.number != self.number);
            if account.running.is_empty() {
                account.before = account.waited(Instant::now());
                account.since = None;
            }
        }
    }
}

/// A length of time for people.
pub(crate) struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match seconds {
            ..10.0 => write!(f, "{} s", (seconds * 10.0).round() / 10.0),
            ..120.0 => write!(f, "{seconds:.0} s"),
            ..7200.0 => write!(f, "{:.0} min", seconds / 60.0),
            ..172_800.0 => write!(f, "{:.0} h", seconds / 3600.0),
            _ => write!(f, "{:.0} days", seconds / 86_400.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn waits(longest: Duration) -> (Arc<Waits>, Arc<Mutex<Vec<String>>>) {
        let told = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&told);
        (Waits::new(longest, Arc::new(move |line| lock(&kept).push(line.to_owned()))), told)
    }

    #[test]
    fn one_wait_and_all_of_them_are_bounded() {
        let (waits, _) = waits(SECOND);
        let helix = Service::Helix;
        assert!(waits.allow(helix, SECOND).is_ok());
        let error = waits.allow(helix, 3600 * SECOND).unwrap_err();
        assert_eq!(error.to_string(), "the next wait would be 60 min, and `--max-wait` is 1 s");
        // Waits at the same time are not added up.
        let now = Instant::now();
        let both = [helix, helix].map(|service| waits.begin(service, WaitReason::Retry, now + SECOND));
        std::thread::sleep(Duration::from_millis(150));
        assert!(waits.allow(helix, SECOND / 2).is_ok());
        drop(both);
        let error = waits.allow(helix, 9 * SECOND / 10).unwrap_err();
        assert!(error.to_string().starts_with("the next wait would be 0.9 s after 0."), "{error}");
        // Another service has its own account, and an answer begins a new one.
        assert!(waits.allow(Service::Gql, SECOND).is_ok());
        waits.answered(helix);
        assert!(waits.allow(helix, SECOND).is_ok());
    }

    #[test]
    fn long_waits_are_told_once() {
        let (waits, told) = waits(3600 * SECOND);
        let now = Instant::now();
        let begin = |reason, seconds| drop(waits.begin(Service::Helix, reason, now + seconds * SECOND));
        begin(WaitReason::RateLimit, 9);
        assert!(lock(&told).is_empty());
        begin(WaitReason::RateLimit, 45);
        begin(WaitReason::RateLimit, 46);
        begin(WaitReason::Retry, 20);
        begin(WaitReason::Retry, 200);
        assert_eq!(
            *lock(&told),
            [
                "waiting 45 s for the rate limit of the helix service",
                "waiting 3 min before the helix service is tried again"
            ]
        );
        assert_eq!(waits.current(), None);
    }
}
