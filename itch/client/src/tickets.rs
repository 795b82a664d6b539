//! Tickets: let blocking callers wait for requests in flight.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use itch_api::sync::{ignore_poison, lock};
use itch_api::{Error, ErrorKind, Response, Result, Ticket};
use tokio::task::AbortHandle;

use crate::coalesce::{Boarded, Flight, Flights, Question};

/// All tickets of a client.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    next: u64,
    slots: HashMap<u64, Slot>,
    flights: Flights,
}

#[derive(Debug)]
enum Slot {
    /// Waiting for this flight.
    Waiting(u64),
    Ended(Box<Result<Response>>),
}

impl Tickets {
    /// Creates a ticket for a request. If no equal request is in flight, `launch` starts it.
    pub fn issue(
        self: &Arc<Tickets>,
        question: Question,
        walk: Option<u64>,
        launch: impl FnOnce(Landing) -> AbortHandle,
    ) -> Result<Ticket> {
        let mut state = lock(&self.state);
        if state.cancelled {
            return Err(Error::cancelled());
        }
        state.next += 1;
        let ticket = state.next;
        let flight = match state.flights.board(question, ticket, walk) {
            Boarded::Joined(flight) => flight,
            Boarded::New(flight) => {
                // The lock is held: the flight cannot finish before its task is recorded.
                let task = launch(Landing {
                    tickets: Arc::clone(self),
                    flight,
                });
                state.flights.task(flight, task);
                flight
            }
        };
        state.slots.insert(ticket, Slot::Waiting(flight));
        Ok(Ticket(ticket))
    }

    /// Waits until the request of a ticket is answered. The ticket cannot be used again.
    pub fn wait(&self, ticket: Ticket) -> Result<Response> {
        let mut state = lock(&self.state);
        loop {
            match state.slots.get(&ticket.0) {
                None if state.cancelled => return Err(Error::cancelled()),
                None => return Err(unknown()),
                Some(Slot::Ended(_)) => break,
                Some(Slot::Waiting(_)) if state.cancelled => {
                    state.slots.remove(&ticket.0);
                    return Err(Error::cancelled());
                }
                Some(Slot::Waiting(_)) => state = self.sleep(state),
            }
        }
        match state.slots.remove(&ticket.0) {
            Some(Slot::Ended(outcome)) => *outcome,
            _ => Err(unknown()),
        }
    }

    /// Waits until one of the tickets can be waited for without blocking, and returns its index.
    pub fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        let mut state = lock(&self.state);
        if tickets.is_empty() {
            return Err(Error::new(ErrorKind::Failed, "no request to wait for"));
        }
        loop {
            // An unknown ticket ends the wait too: waiting for it returns the error.
            let ended = tickets
                .iter()
                .position(|ticket| !matches!(state.slots.get(&ticket.0), Some(Slot::Waiting(_))));
            match ended {
                Some(place) => return Ok(place),
                None if state.cancelled => return Err(Error::cancelled()),
                None => state = self.sleep(state),
            }
        }
    }

    /// Gives up a ticket.
    pub fn abandon(&self, ticket: Ticket) {
        let mut state = lock(&self.state);
        if let Some(Slot::Waiting(flight)) = state.slots.remove(&ticket.0) {
            state.flights.leave(flight, ticket.0);
            // Another thread that waits for the ticket stops waiting.
            self.changed.notify_all();
        }
    }

    /// Ends every flight and every wait, now and in the future. Answers that have arrived can still be taken.
    pub fn cancel(&self) {
        let mut state = lock(&self.state);
        state.cancelled = true;
        state.flights.stop_all();
        self.changed.notify_all();
    }

    pub fn cancelled(&self) -> bool {
        lock(&self.state).cancelled
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        ignore_poison(self.changed.wait(state))
    }

    fn land(&self, id: u64, outcome: Result<Response>, note: impl FnOnce(&Flight)) {
        let mut state = lock(&self.state);
        // The flight has no tickets any more: abandoned or cancelled.
        let Some(mut flight) = state.flights.land(id) else {
            return;
        };
        note(&flight);
        // All but the last ticket get a copy; there is rarely more than one.
        let last = flight.tickets.pop();
        for ticket in flight.tickets {
            let copy = Slot::Ended(Box::new(outcome.clone()));
            state.slots.insert(ticket, copy);
        }
        if let Some(ticket) = last {
            let slot = Slot::Ended(Box::new(outcome));
            state.slots.insert(ticket, slot);
        }
        self.changed.notify_all();
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::Failed, "the answer of a request was taken twice")
}

/// A guard that completes a flight with an answer. Dropped without one, it completes the flight with an error, so that
/// no caller waits forever.
#[derive(Debug)]
pub(crate) struct Landing {
    tickets: Arc<Tickets>,
    flight: u64,
}

impl Landing {
    /// Completes the flight for all its tickets. `note` is called with the flight before any caller gets the answer.
    pub fn land(self, outcome: Result<Response>, note: impl FnOnce(&Flight)) {
        self.tickets.land(self.flight, outcome, note);
        // `Drop` then finds the flight completed.
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let lost = Error::new(ErrorKind::Panic, "the client lost a request");
        self.tickets.land(self.flight, Err(lost), |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freshness::Accept;
    use std::time::Duration;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap()
    }

    fn question(text: &str) -> Question {
        Question {
            text: text.to_owned(),
            accept: Accept::Nothing,
        }
    }

    fn response(body: &str) -> Response {
        Response {
            status: 200,
            age: None,
            body: body.into(),
        }
    }

    #[test]
    fn everybody_gets_the_answer_once() {
        let runtime = runtime();
        let tickets = Arc::new(Tickets::default());
        let launch = |landing: Landing| {
            let task = runtime.spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                landing.land(Ok(response("x")), |flight| assert_eq!(flight.walks, [9]));
            });
            task.abort_handle()
        };
        let one = tickets.issue(question("a"), Some(9), launch).unwrap();
        let two = tickets
            .issue(question("a"), None, |_| panic!("in flight already"))
            .unwrap();
        assert_eq!(tickets.wait_any(&[one, two]).unwrap(), 0);
        assert_eq!(tickets.wait(two).unwrap(), response("x"));
        assert_eq!(tickets.wait(one).unwrap(), response("x"));
        assert_eq!(tickets.wait(one).unwrap_err().kind, ErrorKind::Failed);
    }

    #[test]
    fn a_panic_below_is_an_error_above() {
        let runtime = runtime();
        let tickets = Arc::new(Tickets::default());
        let ticket = tickets.issue(question("a"), None, |landing| {
            let task = runtime.spawn(async move {
                let _landing = landing;
                panic!("a test panics");
            });
            task.abort_handle()
        });
        let error = tickets.wait(ticket.unwrap()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Panic);
    }

    #[test]
    fn cancelling_wakes_and_stops() {
        let runtime = runtime();
        let tickets = Arc::new(Tickets::default());
        let ticket = tickets.issue(question("a"), None, |landing| {
            let task = runtime.spawn(async move {
                let _landing = landing;
                std::future::pending::<()>().await;
            });
            task.abort_handle()
        });
        let ticket = ticket.unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| tickets.wait(ticket));
            let any = scope.spawn(|| tickets.wait_any(&[ticket]));
            std::thread::sleep(Duration::from_millis(30));
            tickets.cancel();
            assert!(waiter.join().unwrap().unwrap_err().is_cancelled());
            // It may have removed the ticket first; then waiting for the ticket returns the error.
            if let Ok(place) = any.join().unwrap() {
                assert_eq!(place, 0);
            }
        });
        assert!(tickets.wait(ticket).unwrap_err().is_cancelled());
        let refused = tickets.issue(question("b"), None, |_| panic!("cancelled"));
        assert!(refused.unwrap_err().is_cancelled());
    }
}
