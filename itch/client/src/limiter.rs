//! Limits when requests are sent: they wait here for points of the rate limit and for their turn.
//!
//! Each service has its own gate, and Helix one for each owner of a limit, as Twitch counts
//! (dev.twitch.tv/docs/api/guide#twitch-rate-limits). Pages of a walk are sent first: a report waits for the walk, and
//! everything else runs in parallel with it.
//!
//! The limit of an owner can be shared with other processes, through a [`LimitStore`]. Then a request needs a point of
//! the [`Allowance`] too. The store is asked outside the async threads, about once for five requests.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use itch_api::Service;
use itch_api::sync::lock;
use reqwest::header::HeaderMap;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::allowance::{Allowance, Stamp, Turn};
use crate::bucket::{Bucket, Grant, Reading};
use crate::counters::Tally;
use crate::limit_store::{LimitStore, MOST_POINTS, Reply, StoreFault};
use crate::retry::{random_fraction, retry_after};
use crate::settings::Warn;
use crate::waits::{TooLong, WaitReason, Waits};

/// The private service limits connections, not points. Reports open four by default, and never more than the limit of
/// their option.
const GQL_AT_ONCE: u32 = 16;

/// The time limit of an exchange with a store. Stores have their own, shorter ones; this is for a disk that hangs.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(1);

/// How long a client that is dropped waits for an exchange.
const LAST_EXCHANGE: Duration = Duration::from_millis(200);

/// The gates of all services.
pub(crate) struct Limiter {
    connections: u32,
    tally: Arc<Tally>,
    waits: Arc<Waits>,
    gates: HashMap<Service, Arc<Gate>>,
    sharing: Option<Arc<Sharing>>,
    /// The gates of Helix by the owner of the limit.
    owners: Mutex<HashMap<String, Arc<Gate>>>,
}

impl Limiter {
    /// Gates that know only the requests of this process.
    pub fn new(connections: u32, tally: &Arc<Tally>, waits: &Arc<Waits>) -> Limiter {
        let mut limiter = Limiter {
            connections,
            tally: Arc::clone(tally),
            waits: Arc::clone(waits),
            gates: HashMap::new(),
            sharing: None,
            owners: Mutex::default(),
        };
        let gate = |service| (service, limiter.gate(service, None));
        limiter.gates = Service::ALL.into_iter().map(gate).collect();
        limiter
    }

    /// Shares the limits of Helix with other processes.
    pub fn sharing(mut self, store: Arc<dyn LimitStore>, warn: Warn) -> Limiter {
        self.sharing = Some(Arc::new(Sharing {
            store,
            warn,
            is_over: AtomicBool::new(false),
        }));
        self
    }

    fn gate(&self, service: Service, shared: Option<Shared>) -> Arc<Gate> {
        let at_once = match service {
            Service::Gql => self.connections.min(GQL_AT_ONCE),
            _ => self.connections,
        };
        let allowance = shared.as_ref().map(|_| Allowance::new());
        Arc::new(Gate {
            service,
            tally: Arc::clone(&self.tally),
            waits: Arc::clone(&self.waits),
            shared,
            state: Mutex::new(State {
                bucket: Bucket::new(at_once),
                allowance,
                first: VecDeque::new(),
                others: VecDeque::new(),
                timer: None,
            }),
        })
    }

    /// Waits for permission to send one request. Pages of a walk are sent before other requests.
    pub async fn enter(&self, service: Service, in_walk: bool) -> Result<Pass, TooLong> {
        match self.gates.get(&service) {
            Some(gate) => gate.enter(in_walk).await,
            // A service of a newer version that this client does not know has no limit.
            None => Ok(Pass::free()),
        }
    }

    /// The same for a request to Helix that counts against an owner's limit.
    pub async fn enter_as(&self, owner: &str, in_walk: bool) -> Result<Pass, TooLong> {
        let gate = {
            let mut owners = lock(&self.owners);
            match owners.get(owner) {
                Some(gate) => Arc::clone(gate),
                None => {
                    let shared = self.sharing.as_ref().filter(|sharing| sharing.is_used());
                    let shared = shared.map(|sharing| Shared {
                        sharing: Arc::clone(sharing),
                        owner: owner.to_owned(),
                    });
                    let gate = self.gate(Service::Helix, shared);
                    owners.insert(owner.to_owned(), Arc::clone(&gate));
                    gate
                }
            }
        };
        gate.enter(in_walk).await
    }

    /// Gives back all points at the end, so that other processes need not wait until they come back by themselves.
    pub fn close(&self) {
        let gates: Vec<Arc<Gate>> = lock(&self.owners).values().map(Arc::clone).collect();
        gates.iter().for_each(|gate| gate.leave_store());
    }
}

/// The store that limits are shared through.
struct Sharing {
    store: Arc<dyn LimitStore>,
    warn: Warn,
    /// It could not be used once.
    is_over: AtomicBool,
}

impl Sharing {
    fn is_used(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Stops using the store for the rest of the run. Only the first call warns.
    fn give_up(&self, why: &str) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            (self.warn)(&format!(
                "the rate limit is not shared with other processes of itch, which may exceed it together: {why}"
            ));
        }
    }
}

/// The shared limit of an owner.
struct Shared {
    sharing: Arc<Sharing>,
    owner: String,
}

struct Gate {
    service: Service,
    tally: Arc<Tally>,
    waits: Arc<Waits>,
    shared: Option<Shared>,
    state: Mutex<State>,
}

struct State {
    bucket: Bucket,
    /// The points of a shared limit. `None` if the limit is not shared.
    allowance: Option<Allowance>,
    first: VecDeque<Waiter>,
    others: VecDeque<Waiter>,
    /// When the gate's timer checks again.
    timer: Option<(Instant, AbortHandle)>,
}

/// A request that waits for its pass.
struct Waiter {
    sender: oneshot::Sender<Result<Pass, TooLong>>,
    /// Whether it is counted as one that waited for the limit.
    is_counted: bool,
}

impl State {
    fn is_anyone_waiting(&self) -> bool {
        !self.first.is_empty() || !self.others.is_empty()
    }

    /// Whether the limit, and not only a request in flight, keeps the next request from being sent.
    fn is_limited(&self, now: Instant) -> bool {
        let waits = |allowance: &Allowance| allowance.is_waiting(now);
        matches!(self.bucket.ready(now), Grant::At(_)) || self.allowance.as_ref().is_some_and(waits)
    }
}

impl Gate {
    async fn enter(self: &Arc<Gate>, in_walk: bool) -> Result<Pass, TooLong> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            let waiter = Waiter {
                sender,
                is_counted: false,
            };
            match in_walk {
                true => state.first.push_back(waiter),
                false => state.others.push_back(waiter),
            }
            self.admit(&mut state);
            // A request that only waits for one in flight does not wait for the limit.
            if receiver.is_empty() && state.is_limited(Instant::now()) {
                let queue = if in_walk { &mut state.first } else { &mut state.others };
                self.count(queue.back_mut());
            }
            self.report(&mut state);
        }
        // The gate lives as long as this borrow, and answers every sender before it drops it.
        receiver.await.unwrap_or_else(|_| Ok(Pass::free()))
    }

    /// Counts requests that wait for the limit, each once.
    fn count<'a>(&self, waiters: impl IntoIterator<Item = &'a mut Waiter>) {
        for waiter in waiters {
            if !std::mem::replace(&mut waiter.is_counted, true) {
                self.tally.limit_waits.one();
            }
        }
    }

    /// Grants passes to waiting requests, and sets the timer for the next.
    fn admit(self: &Arc<Gate>, state: &mut State) {
        while state.is_anyone_waiting() {
            let now = Instant::now();
            let grant = state.bucket.ready(now);
            let turn = match &mut state.allowance {
                Some(allowance) if grant == Grant::Now => allowance.next(now),
                _ => Turn::Now,
            };
            match (grant, turn) {
                (Grant::Now, Turn::Now) => {
                    let next = state.first.pop_front();
                    if let Some(waiting) = next.or_else(|| state.others.pop_front()) {
                        self.let_in(state, waiting);
                    }
                }
                (Grant::At(at), _) | (Grant::Now, Turn::At(at)) => {
                    self.look_again(state, at);
                    return;
                }
                (Grant::Now, Turn::Exchange) => {
                    self.exchange(state, MOST_POINTS);
                    return;
                }
                (Grant::WhenAnswered, _) | (Grant::Now, Turn::WhenExchanged) => return,
            }
        }
    }

    fn let_in(self: &Arc<Gate>, state: &mut State, waiting: Waiter) {
        let pass = Pass {
            gate: Some(Arc::clone(self)),
            request: state.bucket.sent(),
            stamp: state.allowance.as_mut().map(Allowance::take).unwrap_or_default(),
        };
        if let Err(Ok(mut pass)) = waiting.sender.send(Ok(pass)) {
            // The waiting request was abandoned. `Drop` must not run here: it would lock the state a second time.
            pass.gate = None;
            state.bucket.unsent();
            if let Some(allowance) = &mut state.allowance {
                allowance.put_back();
            }
        }
    }

    /// Begins an exchange with the store.
    fn exchange(self: &Arc<Gate>, state: &mut State, wanted: u32) {
        // Outside the runtime the client is being dropped, and no request waits any more.
        let (Ok(runtime), Some(shared)) = (tokio::runtime::Handle::try_current(), &self.shared) else {
            return;
        };
        let Some(allowance) = &mut state.allowance else {
            return;
        };
        let exchange = allowance.begin(wanted, state.bucket.in_flight(), Instant::now());
        let (store, owner) = (Arc::clone(&shared.sharing.store), shared.owner.clone());
        let gate = Arc::clone(self);
        runtime.spawn(async move {
            let work = tokio::task::spawn_blocking(move || store.exchange(&owner, &exchange));
            let outcome = match tokio::time::timeout(LONGEST_EXCHANGE, work).await {
                Ok(Ok(outcome)) => outcome,
                // The client has ended.
                Ok(Err(error)) if error.is_cancelled() => return,
                Ok(Err(_)) => Err(StoreFault::Unusable("the exchange panicked".to_owned())),
                Err(_) => Err(StoreFault::Unusable("the disk did not answer in time".to_owned())),
            };
            gate.exchanged(outcome);
        });
    }

    /// Continues after an exchange.
    fn exchanged(self: &Arc<Gate>, outcome: Result<Reply, StoreFault>) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        let now = Instant::now();
        let unusable = match &outcome {
            Err(StoreFault::Unusable(why)) => Some(why.clone()),
            _ => None,
        };
        if let Some(allowance) = &mut state.allowance {
            allowance.end(outcome, now);
            let hopeless = allowance.is_hopeless();
            let why = unusable.or_else(|| hopeless.then(|| "another process keeps its file locked".to_owned()));
            if let (Some(why), Some(shared)) = (why, &self.shared) {
                shared.sharing.give_up(&why);
                state.allowance = None;
            }
        }
        self.admit(state);
        if state.is_limited(now) {
            self.count(state.first.iter_mut().chain(&mut state.others));
        }
        self.report(state);
    }

    /// Reports to the store what cannot wait for the next exchange.
    fn report(self: &Arc<Gate>, state: &mut State) {
        let is_due = |allowance: &Allowance| allowance.is_due(Instant::now());
        if state.allowance.as_ref().is_some_and(is_due) {
            self.exchange(state, 0);
        }
    }

    /// The last exchange, which gives back everything.
    fn leave_store(&self) {
        let end = Instant::now() + LAST_EXCHANGE;
        let (allowance, in_flight) = loop {
            let mut state = lock(&self.state);
            let is_exchanging = state.allowance.as_ref().is_some_and(Allowance::is_exchanging);
            if !is_exchanging || Instant::now() > end {
                break (state.allowance.take(), state.bucket.in_flight());
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(1));
        };
        let (Some(shared), Some(mut allowance)) = (&self.shared, allowance) else {
            return;
        };
        if let Some(exchange) = allowance.leave(in_flight, Instant::now()) {
            let (store, owner) = (Arc::clone(&shared.sharing.store), shared.owner.clone());
            let (done, waiting) = std::sync::mpsc::channel();
            // A disk that hangs does not keep the program from ending.
            std::thread::spawn(move || drop(done.send(store.exchange(&owner, &exchange))));
            // Without it, the points come back by themselves.
            let _ = waiting.recv_timeout(LAST_EXCHANGE);
        }
    }

    fn look_again(self: &Arc<Gate>, state: &mut State, at: Instant) {
        if state.timer.as_ref().is_some_and(|(timer, _)| *timer <= at) {
            return;
        }
        let wait = at.saturating_duration_since(Instant::now());
        if let Err(too_long) = self.waits.allow(self.service, wait) {
            let waiting = state.first.drain(..).chain(state.others.drain(..));
            // A request that was abandoned does not take the answer.
            waiting.for_each(|waiting| drop(waiting.sender.send(Err(too_long))));
            if let Some(allowance) = &mut state.allowance {
                allowance.give_up_turn();
            }
            return;
        }
        // Outside the runtime the client is being dropped, and no request waits any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let gate = Arc::clone(self);
        let waiting = self.waits.begin(self.service, WaitReason::RateLimit, at);
        let timer = runtime.spawn(async move {
            tokio::time::sleep_until(at.into()).await;
            drop(waiting);
            let mut state = lock(&gate.state);
            if state.timer.as_ref().is_some_and(|(timer, _)| *timer == at) {
                state.timer = None;
                gate.admit(&mut state);
            }
        });
        if let Some((_, later)) = state.timer.replace((at, timer.abort_handle())) {
            later.abort();
        }
    }
}

/// Permission to send one request. Report the result; dropping it without one counts as no answer.
pub(crate) struct Pass {
    gate: Option<Arc<Gate>>,
    request: u64,
    stamp: Stamp,
}

impl Pass {
    fn free() -> Pass {
        Pass {
            gate: None,
            request: 0,
            stamp: Stamp::default(),
        }
    }

    /// The request was answered.
    pub fn answered(mut self, headers: &HeaderMap) {
        let (request, stamp) = (self.request, self.stamp);
        let reading = Reading::of(headers, SystemTime::now());
        self.leave(|state| {
            state.bucket.answered(request, reading, Instant::now());
            state.bucket.accepted(request);
            if let Some(allowance) = &mut state.allowance {
                allowance.answered(stamp, reading);
            }
        });
    }

    /// The request was refused because of the limit.
    pub fn refused(mut self, headers: &HeaderMap) {
        let (request, stamp) = (self.request, self.stamp);
        let (jitter, wall) = (random_fraction(), SystemTime::now());
        let reading = Reading::of(headers, wall);
        // A refusal that the points do not explain may be about this process alone.
        let is_empty = reading.is_some_and(|reading| reading.remaining < 1.0);
        let is_for_all = is_empty || retry_after(headers, wall).is_some();
        self.leave(|state| {
            state.bucket.refused(request, headers, wall, Instant::now(), jitter);
            let closed = state.bucket.closed_until().filter(|_| is_for_all);
            if let Some(allowance) = &mut state.allowance {
                allowance.refused(stamp, reading, closed);
            }
        });
    }

    fn leave(&mut self, how: impl FnOnce(&mut State)) {
        if let Some(gate) = self.gate.take() {
            let mut state = lock(&gate.state);
            how(&mut state);
            gate.admit(&mut state);
            gate.report(&mut state);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let (request, stamp) = (self.request, self.stamp);
        self.leave(|state| {
            state.bucket.answered(request, None, Instant::now());
            if let Some(allowance) = &mut state.allowance {
                allowance.answered(stamp, None);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn waits(longest: u64) -> Arc<Waits> {
        Waits::new(Duration::from_secs(longest), Arc::new(|_| {}))
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap()
            .block_on(test);
    }

    fn headers(remaining: u32, reset_in: u64) -> HeaderMap {
        let reset = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let reset = reset.unwrap().as_secs() + reset_in;
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-limit", "800".parse().unwrap());
        headers.insert("ratelimit-remaining", remaining.into());
        headers.insert("ratelimit-reset", reset.into());
        headers
    }

    #[test]
    fn a_walk_goes_first_and_the_given_up_cost_nothing() {
        run(async {
            let limiter = Arc::new(Limiter::new(1, &Arc::default(), &waits(900)));
            let pass = limiter.enter(Service::Helix, false).await.unwrap();
            let (report, order) = std::sync::mpsc::channel();
            for (name, in_walk) in [("a", false), ("gone", true), ("b", false), ("walk", true)] {
                let (limiter, report) = (Arc::clone(&limiter), report.clone());
                let task = tokio::spawn(async move {
                    let pass = limiter.enter(Service::Helix, in_walk).await.unwrap();
                    report.send(name).unwrap();
                    pass.answered(&HeaderMap::new());
                });
                tokio::time::sleep(Duration::from_millis(20)).await;
                if name == "gone" {
                    task.abort();
                }
            }
            drop(report);
            pass.answered(&HeaderMap::new());
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(order.try_iter().collect::<Vec<_>>(), ["walk", "a", "b"]);
        });
    }

    #[test]
    fn waiting_for_the_limit_is_told_and_ends() {
        run(async {
            let tally = Arc::default();
            let waits = waits(900);
            let limiter = Arc::new(Limiter::new(10, &tally, &waits));
            let pass = limiter.enter(Service::Helix, false).await.unwrap();
            pass.answered(&headers(0, 60));
            assert_eq!(waits.current(), None);
            let waiting = tokio::spawn({
                let limiter = Arc::clone(&limiter);
                async move { limiter.enter(Service::Helix, false).await }
            });
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(waits.current().unwrap().reason, WaitReason::RateLimit);
            waiting.await.unwrap().unwrap().answered(&headers(5, 60));
            assert_eq!(waits.current(), None);
            assert_eq!(tally.snapshot().limit_waits, 1);
            // Another service has its own limit.
            limiter.enter(Service::Kraken, false).await.unwrap();
        });
    }

    #[test]
    fn the_private_service_gets_few_at_once() {
        run(async {
            let limiter = Limiter::new(32, &Arc::default(), &waits(900));
            let mut passes = Vec::new();
            for _ in 0..GQL_AT_ONCE {
                passes.push(limiter.enter(Service::Gql, false).await.unwrap());
            }
            let next = limiter.enter(Service::Gql, false);
            let next = tokio::time::timeout(Duration::from_millis(30), next).await;
            assert!(next.is_err());
        });
    }

    #[test]
    fn a_wait_that_is_too_long_is_an_error_at_once_and_for_all() {
        run(async {
            let limiter = Arc::new(Limiter::new(10, &Arc::default(), &waits(30)));
            let first = limiter.enter(Service::Helix, false).await.unwrap();
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", "31".parse().unwrap());
            first.refused(&headers);
            for in_walk in [true, false] {
                let error = limiter.enter(Service::Helix, in_walk).await.err().unwrap();
                let text = error.to_string();
                assert!(text.starts_with("the next wait would be 31 s"), "{text}");
            }
            assert!(limiter.enter(Service::Gql, false).await.is_ok());
        });
    }
}
