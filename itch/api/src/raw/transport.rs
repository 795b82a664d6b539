//! The interface between the handle and what carries its requests: a client, or the host of a plugin.

use super::{Fact, Request, Response, Result};

/// Identifies a request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// Carries requests. Calls block; requests run in parallel from the moment they are started.
///
/// `wait` returns a response for *any* final HTTP answer. It returns an error only if the service did not answer,
/// sign-in failed, the answer is not in the cache while offline, or the run was cancelled.
pub trait Transport: Send + Sync {
    /// Starts a request and returns at once.
    fn start(&self, request: Request) -> Result<Ticket>;

    /// Waits until the request has finished. The ticket cannot be used again.
    fn wait(&self, ticket: Ticket) -> Result<Response>;

    /// Waits until one of the requests has finished and returns its index. All tickets stay valid.
    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize>;

    /// Abandons a request whose answer is no longer needed.
    fn abandon(&self, ticket: Ticket);

    /// Records a fact for the verdict.
    fn note(&self, fact: Fact);

    /// Whether the run should stop.
    fn cancelled(&self) -> bool;
}
