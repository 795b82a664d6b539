//! The raw handle: a cheap clone over a transport. Calls block, and many requests can be in flight.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Error, ErrorKind, Fact, Request, Response, Result, Ticket, Transport};

/// Starts requests and waits for them, without knowledge of endpoints. Sources are written on top of it.
#[derive(Clone)]
pub struct RawApi {
    transport: Arc<dyn Transport>,
    /// The fields that are needed, and the column of each; `None` if every field is.
    fields: Option<Arc<BTreeMap<String, String>>>,
}

impl fmt::Debug for RawApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawApi").finish_non_exhaustive()
    }
}

impl RawApi {
    /// A handle over a transport.
    pub fn new(transport: Arc<dyn Transport>) -> RawApi {
        RawApi {
            transport,
            fields: None,
        }
    }

    /// Sets which fields of the models are needed, and the column that is made from each. A value of another field
    /// that cannot be read does not matter.
    pub fn with_fields(mut self, fields: BTreeMap<String, String>) -> RawApi {
        self.fields = Some(Arc::new(fields));
        self
    }

    /// What messages call a field of the models: its column. `None` if it is not needed.
    pub(crate) fn needed<'a>(&'a self, field: &'a str) -> Option<&'a str> {
        match &self.fields {
            Some(fields) => fields.get(field).map(String::as_str),
            None => Some(field),
        }
    }

    /// The transport that carries this handle's requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Starts a request and returns at once.
    pub fn fetch(&self, request: Request) -> Pending {
        let started = self.transport.start(request.clone());
        Pending {
            transport: Arc::clone(&self.transport),
            request,
            state: match started {
                Ok(ticket) => State::Started(ticket),
                Err(error) => State::Failed(error),
            },
        }
    }

    /// Waits until one of the requests has finished and returns its index. Waiting for that request then does not
    /// block.
    ///
    /// Returns an error if the list is empty.
    pub fn wait_any(&self, pendings: &[&Pending]) -> Result<usize> {
        let mut tickets = Vec::with_capacity(pendings.len());
        for (place, pending) in pendings.iter().enumerate() {
            match &pending.state {
                State::Started(ticket) => tickets.push(*ticket),
                // Already finished.
                State::Failed(_) | State::Taken => return Ok(place),
            }
        }
        if tickets.is_empty() {
            return Err(Error::new(ErrorKind::Failed, "no request to wait for"));
        }
        self.transport.wait_any(&tickets)
    }

    /// Sends a request and returns the JSON of a successful answer.
    pub fn json(&self, request: Request) -> Result<Value> {
        self.fetch(request).json()
    }

    /// Records a fact for the verdict.
    pub fn note(&self, fact: Fact) {
        self.transport.note(fact);
    }

    /// Whether the run should stop.
    pub fn cancelled(&self) -> bool {
        self.transport.cancelled()
    }
}

enum State {
    Started(Ticket),
    Failed(Error),
    Taken,
}

/// A request in flight. Dropping it abandons the request.
pub struct Pending {
    transport: Arc<dyn Transport>,
    request: Request,
    state: State,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Pending {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Waits for the final HTTP answer, whatever its status.
    pub fn wait(mut self) -> Result<Response> {
        match std::mem::replace(&mut self.state, State::Taken) {
            State::Started(ticket) => self.transport.wait(ticket),
            State::Failed(error) => Err(error),
            State::Taken => Err(Error::new(ErrorKind::Failed, "the answer of a request was taken twice")),
        }
    }

    /// Waits, and returns the JSON of a successful answer. A refusal by the service is an error.
    pub fn json(mut self) -> Result<Value> {
        let request = std::mem::replace(&mut self.request, Request::helix(""));
        self.wait()?.success(&request)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let State::Started(ticket) = self.state {
            self.transport.abandon(ticket);
        }
    }
}
