//! The seam between the handle and whatever carries requests: a client, or a plugin's host.

use super::{Fact, Request, Response, Result};

/// Names a request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// Carries requests. Calls block; requests run side by side from the moment they are started.
///
/// `wait` gives a response for *any* final HTTP answer, and an error only when the service gave out, sign-in
/// failed, a cache had nothing to give while offline, or the run was cancelled.
pub trait Transport: Send + Sync {
    /// Starts a request and returns at once.
    fn start(&self, request: Request) -> Result<Ticket>;

    /// Waits until the request has ended; the ticket is used up.
    fn wait(&self, ticket: Ticket) -> Result<Response>;

    /// Waits until one of the requests has ended and says which; no ticket is used up.
    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize>;

    /// Gives up a request whose answer nobody wants any more.
    fn abandon(&self, ticket: Ticket);

    /// Takes a fact for the verdict.
    fn note(&self, fact: Fact);

    /// Whether the run should stop.
    fn cancelled(&self) -> bool;
}
