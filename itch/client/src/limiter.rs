//! Limits when requests are sent: they wait here for points of the rate limit and for their turn.
//!
//! Each service has its own gate. A client has one identity, so one bucket per service is one per identity, as Twitch
//! counts (dev.twitch.tv/docs/api/guide#twitch-rate-limits). Pages of a walk are sent first: a report waits for the
//! walk, and everything else runs in parallel with it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use itch_api::Service;
use itch_api::sync::lock;
use reqwest::header::HeaderMap;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::bucket::{Bucket, Grant, Reading};
use crate::counters::Tally;
use crate::retry::random_fraction;
use crate::waits::{TooLong, WaitReason, Waits};

/// The private service limits connections, not points. Reports open four by default, and never more than the limit of
/// their option.
const GQL_AT_ONCE: u32 = 16;

/// The gates of all services.
pub(crate) struct Limiter {
    gates: HashMap<Service, Arc<Gate>>,
}

impl Limiter {
    pub fn new(connections: u32, tally: &Arc<Tally>, waits: &Arc<Waits>) -> Limiter {
        let gate = |service| {
            let at_once = match service {
                Service::Gql => connections.min(GQL_AT_ONCE),
                _ => connections,
            };
            Arc::new(Gate {
                service,
                tally: Arc::clone(tally),
                waits: Arc::clone(waits),
                state: Mutex::new(State {
                    bucket: Bucket::new(at_once),
                    first: VecDeque::new(),
                    others: VecDeque::new(),
                    timer: None,
                }),
            })
        };
        Limiter {
            gates: Service::ALL
                .into_iter()
                .map(|service| (service, gate(service)))
                .collect(),
        }
    }

    /// Waits for permission to send one request. Pages of a walk are sent before other requests.
    pub async fn enter(&self, service: Service, in_walk: bool) -> Result<Pass, TooLong> {
        match self.gates.get(&service) {
            Some(gate) => gate.enter(in_walk).await,
            // A service of a newer version that this client does not know has no limit.
            None => Ok(Pass::free()),
        }
    }
}

struct Gate {
    service: Service,
    tally: Arc<Tally>,
    waits: Arc<Waits>,
    state: Mutex<State>,
}

struct State {
    bucket: Bucket,
    first: VecDeque<Sender>,
    others: VecDeque<Sender>,
    /// When the gate's timer checks again.
    timer: Option<(Instant, AbortHandle)>,
}

type Sender = oneshot::Sender<Result<Pass, TooLong>>;

impl Gate {
    async fn enter(self: &Arc<Gate>, in_walk: bool) -> Result<Pass, TooLong> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            match in_walk {
                true => state.first.push_back(sender),
                false => state.others.push_back(sender),
            }
            self.admit(&mut state);
            // A request that only waits for one in flight does not wait for the limit.
            if receiver.is_empty() && matches!(state.bucket.ready(Instant::now()), Grant::At(_)) {
                self.tally.limit_waits.one();
            }
        }
        // The gate lives as long as this borrow, and answers every sender before it drops it.
        receiver.await.unwrap_or_else(|_| Ok(Pass::free()))
    }

    /// Grants passes to waiting requests, and sets the timer for the next.
    fn admit(self: &Arc<Gate>, state: &mut State) {
        while !state.first.is_empty() || !state.others.is_empty() {
            match state.bucket.ready(Instant::now()) {
                Grant::Now => {
                    let next = state.first.pop_front();
                    if let Some(waiting) = next.or_else(|| state.others.pop_front()) {
                        self.let_in(state, waiting);
                    }
                }
                Grant::At(at) => {
                    self.look_again(state, at);
                    return;
                }
                Grant::WhenAnswered => return,
            }
        }
    }

    fn let_in(self: &Arc<Gate>, state: &mut State, waiting: Sender) {
        let pass = Pass {
            gate: Some(Arc::clone(self)),
            request: state.bucket.sent(),
        };
        if let Err(Ok(mut pass)) = waiting.send(Ok(pass)) {
            // The waiting request was abandoned. `Drop` must not run here: it would lock the state a second time.
            pass.gate = None;
            state.bucket.unsent();
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
            waiting.for_each(|waiting| drop(waiting.send(Err(too_long))));
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
}

impl Pass {
    fn free() -> Pass {
        Pass { gate: None, request: 0 }
    }

    /// The request was answered.
    pub fn answered(mut self, headers: &HeaderMap) {
        let request = self.request;
        self.leave(|bucket| {
            let reading = Reading::of(headers, SystemTime::now());
            bucket.answered(request, reading, Instant::now());
            bucket.accepted(request);
        });
    }

    /// The request was refused because of the limit.
    pub fn refused(mut self, headers: &HeaderMap) {
        let request = self.request;
        let jitter = random_fraction();
        self.leave(|bucket| bucket.refused(request, headers, SystemTime::now(), Instant::now(), jitter));
    }

    fn leave(&mut self, how: impl FnOnce(&mut Bucket)) {
        if let Some(gate) = self.gate.take() {
            let mut state = lock(&gate.state);
            how(&mut state.bucket);
            gate.admit(&mut state);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let request = self.request;
        self.leave(|bucket| bucket.answered(request, None, Instant::now()));
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
