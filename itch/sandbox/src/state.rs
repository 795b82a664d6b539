//! The state that all connections share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    faults::Faults,
    helix::Changes,
    limit::{Exceeded, Limiter, Owner, RateLimit},
    oauth::{Sessions, Settings},
    options::Options,
    requests::Requests,
    world::{Seed, World},
};

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) seed: Seed,
    pub(crate) faults: Faults,
    pub(crate) world: World,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    /// What clients have changed.
    pub(crate) changes: Mutex<Changes>,
    limiter: Option<Mutex<Limiter>>,
    requests: Mutex<Requests>,
    sessions: Mutex<Sessions>,
}

impl State {
    /// `base_url` is where the server is reached.
    pub(crate) fn new(options: Options, base_url: String) -> State {
        let sessions = Sessions::new(Settings {
            base_url,
            token_life: options.token_life,
            device_life: options.device_life,
            device_interval: options.device_interval,
        });
        State {
            seed: Seed::new(options.seed),
            faults: options.faults,
            world: World::new(options.seed).later(options.day.shift()),
            latency: options.latency,
            jitter: options.jitter,
            changes: Mutex::default(),
            limiter: options.rate_limit.map(|points| Mutex::new(Limiter::new(points))),
            requests: Mutex::default(),
            sessions: Mutex::new(sessions),
        }
    }

    /// Takes a point from the owner's bucket; `None` if there is no limit.
    pub(crate) fn take_point(&self, owner: Owner) -> Option<Result<RateLimit, Exceeded>> {
        let limiter = self.limiter.as_ref()?;
        Some(lock(limiter).take(owner))
    }

    /// The tokens and codes that were issued.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }

    /// The counts of requests.
    pub(crate) fn requests(&self) -> MutexGuard<'_, Requests> {
        lock(&self.requests)
    }
}

/// Locks a mutex even if a thread panicked while holding it: the data are consistent at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
