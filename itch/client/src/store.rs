//! A store with its failure policy: outside the async threads, one call at a time, each with a time limit.
//!
//! A cache may slow a run down but must not stop it: after the first failure or the first call that takes too long,
//! the store is not used for the rest of the run. One warning is issued.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Result};
use itch_plugin::CacheStore;
use tokio::sync::Semaphore;

use crate::counters::Tally;
use crate::settings::Warn;

/// The time limit of a call to a store. A backend has its own limits, 250 ms to connect and 500 ms for an operation,
/// and better error messages; this limit is for a store that has none.
const LONGEST_CALL: Duration = Duration::from_millis(800);

/// The result of a store call: `None` if the store is no longer used.
type Outcome<T> = Result<Option<T>>;

pub(crate) struct Store {
    name: String,
    /// Passed to a blocking thread for each call; a thread that hangs keeps it.
    inner: Arc<Mutex<Box<dyn CacheStore>>>,
    /// One call at a time, in order of arrival; closed when the store is no longer used.
    turn: Semaphore,
    failure: Mutex<Option<Error>>,
    strict: bool,
    warn: Warn,
    tally: Arc<Tally>,
}

impl Store {
    pub fn new(name: String, store: Box<dyn CacheStore>, strict: bool, warn: Warn, tally: Arc<Tally>) -> Store {
        Store {
            name,
            inner: Arc::new(Mutex::new(store)),
            turn: Semaphore::new(1),
            failure: Mutex::new(None),
            strict,
            warn,
            tally,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes one call. Returns an error only if a failing store is an error.
    pub async fn call<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn CacheStore) -> Result<T> + Send + 'static,
    {
        let Ok(_turn) = self.turn.acquire().await else {
            return self.given_up();
        };
        let inner = Arc::clone(&self.inner);
        let work = tokio::task::spawn_blocking(move || work(lock(&inner).as_mut()));
        let failure = match tokio::time::timeout(LONGEST_CALL, work).await {
            Ok(Ok(Ok(value))) => return Ok(Some(value)),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => Error::new(ErrorKind::Panic, "it panicked"),
            Err(_) => Error::new(ErrorKind::Service, "it did not answer in time"),
        };
        self.give_up(failure);
        self.given_up()
    }

    /// Stops using the store for the rest of the run. Only the first call of this function warns.
    fn give_up(&self, failure: Error) {
        self.turn.close();
        let mut given_up = lock(&self.failure);
        if given_up.is_some() {
            return;
        }
        self.tally.cache_errors.one();
        if !self.strict {
            (self.warn)(&format!("cache {}: {failure:#}; going on without it", self.name));
        }
        *given_up = Some(
            failure
                .context(format!("the cache `{}` failed", self.name))
                .hint("repair the cache, or run without `--cache-strict` to go on without it"),
        );
    }

    fn given_up<T>(&self) -> Outcome<T> {
        match &*lock(&self.failure) {
            Some(error) if self.strict => Err(Error {
                kind: ErrorKind::Service,
                ..error.clone()
            }),
            _ => Ok(None),
        }
    }
}
