//! Coalescing: if an equal request is in flight, a new request shares its answer.

use std::collections::HashMap;

use tokio::task::AbortHandle;

use crate::freshness::Accept;

/// Two requests are equal if the text of the cache key and the accepted freshness are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub text: String,
    pub accept: Accept,
}

/// One request in flight and the tickets that wait for it.
#[derive(Debug)]
pub(crate) struct Flight {
    question: Question,
    pub tickets: Vec<u64>,
    /// Walks whose first page this is.
    pub walks: Vec<u64>,
    task: Option<AbortHandle>,
}

/// All requests in flight.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    next: u64,
    by_question: HashMap<Question, u64>,
    flights: HashMap<u64, Flight>,
}

/// The outcome of [`Flights::board`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Boarded {
    /// An equal request was already in flight.
    Joined(u64),
    /// There was none: the caller must start the request.
    New(u64),
}

impl Flights {
    /// Adds a ticket to the flight of its request.
    pub fn board(&mut self, question: Question, ticket: u64, walk: Option<u64>) -> Boarded {
        let known = self.by_question.get(&question).copied();
        if let Some(id) = known
            && let Some(flight) = self.flights.get_mut(&id)
        {
            flight.tickets.push(ticket);
            flight.walks.extend(walk);
            return Boarded::Joined(id);
        }
        self.next += 1;
        let id = self.next;
        self.by_question.insert(question.clone(), id);
        let flight = Flight {
            question,
            tickets: vec![ticket],
            walks: walk.into_iter().collect(),
            task: None,
        };
        self.flights.insert(id, flight);
        Boarded::New(id)
    }

    /// Sets the task that runs a request, so that it can be stopped.
    pub fn task(&mut self, id: u64, task: AbortHandle) {
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.task = Some(task);
        }
    }

    /// Removes a ticket from its flight. A flight without tickets is stopped.
    pub fn leave(&mut self, id: u64, ticket: u64) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        flight.tickets.retain(|other| *other != ticket);
        if flight.tickets.is_empty()
            && let Some(flight) = self.land(id)
        {
            flight.stop();
        }
    }

    /// Removes a flight that has its answer.
    pub fn land(&mut self, id: u64) -> Option<Flight> {
        let flight = self.flights.remove(&id)?;
        self.by_question.remove(&flight.question);
        Some(flight)
    }

    /// Stops all flights.
    pub fn stop_all(&mut self) {
        self.by_question.clear();
        for (_, flight) in self.flights.drain() {
            flight.stop();
        }
    }
}

impl Flight {
    fn stop(self) {
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str, accept: Accept) -> Question {
        Question {
            text: text.to_owned(),
            accept,
        }
    }

    #[test]
    fn equal_questions_share_a_flight() {
        let mut flights = Flights::default();
        let any = || question("a", Accept::AnyAge);
        assert_eq!(flights.board(any(), 1, Some(7)), Boarded::New(1));
        assert_eq!(flights.board(any(), 2, Some(8)), Boarded::Joined(1));
        let fresh = question("a", Accept::Nothing);
        assert_eq!(flights.board(fresh, 3, None), Boarded::New(2));
        flights.leave(1, 1);
        let landed = flights.land(1).unwrap();
        assert_eq!(landed.tickets, [2]);
        assert_eq!(landed.walks, [7, 8]);
        assert_eq!(flights.board(any(), 4, None), Boarded::New(3));
        flights.leave(3, 4);
        assert!(flights.land(3).is_none());
        assert_eq!(flights.board(any(), 5, None), Boarded::New(4));
    }
}
