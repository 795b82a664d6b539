//! Counts the requests of a report that failed. A report that ignores the failures and prints nothing is not complete.

use std::sync::atomic::{AtomicU64, Ordering};

use itch_api::{Fact, Request, Response, Result, Ticket, Transport};
use itch_client::Client;

/// A client whose failed requests are counted.
pub(crate) struct Counted {
    client: Client,
    failed: AtomicU64,
}

impl Counted {
    pub(crate) fn new(client: Client) -> Counted {
        Counted {
            client,
            failed: AtomicU64::new(0),
        }
    }

    /// The gap that a report leaves which printed nothing, has nothing to say about it, and whose requests failed.
    pub(crate) fn gap(&self, rows: u64, facts: &[Fact]) -> Option<Fact> {
        let failed = self.failed.load(Ordering::Relaxed);
        let told = |fact: &Fact| matches!(fact, Fact::Gap { .. } | Fact::Missing { .. } | Fact::Looped);
        if failed == 0 || rows > 0 || facts.iter().any(told) {
            return None;
        }
        let reason = match failed {
            1 => "a request of the report failed, and it printed nothing".to_owned(),
            n => format!("{n} requests of the report failed, and it printed nothing"),
        };
        Some(Fact::Gap {
            from: None,
            to: None,
            reason,
        })
    }
}

impl Transport for Counted {
    fn start(&self, request: Request) -> Result<Ticket> {
        self.client.start(request)
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let answer = self.client.wait(ticket);
        if answer.as_ref().is_err_and(|error| !error.is_cancelled()) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        self.client.wait_any(tickets)
    }

    fn abandon(&self, ticket: Ticket) {
        self.client.abandon(ticket);
    }

    fn note(&self, fact: Fact) {
        self.client.note(fact);
    }

    fn cancelled(&self) -> bool {
        self.client.cancelled()
    }
}
