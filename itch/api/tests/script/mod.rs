//! A transport with scripted answers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use itch_api::serde_json::{self, Value};
use itch_api::{Api, Fact, Request, Response, Result, Ticket, Transport};

/// Returns the answers in the order in which the requests are started.
#[derive(Default)]
pub struct Script {
    pub answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<String>>,
    started: Mutex<HashMap<u64, Response>>,
    facts: Mutex<Vec<Fact>>,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Value>) -> Arc<Script> {
        Script::with(answers.into_iter().map(|body| (200, body)))
    }

    pub fn refusing(status: u16, body: Value) -> Arc<Script> {
        Script::with([(status, body)])
    }

    /// Answers with their statuses.
    pub fn with(answers: impl IntoIterator<Item = (u16, Value)>) -> Arc<Script> {
        Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Script::default()
        })
    }

    pub fn api(self: &Arc<Script>) -> Api {
        Api::new(Arc::clone(self) as _)
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The facts, without those about stored answers.
    pub fn facts(&self) -> Vec<Fact> {
        let facts = self.facts.lock().unwrap();
        let discard = |fact: &&Fact| !matches!(fact, Fact::Discard { .. });
        facts.iter().filter(discard).cloned().collect()
    }

    /// The requests whose stored answers must not be used again.
    pub fn discarded(&self) -> Vec<String> {
        let facts = self.facts.lock().unwrap();
        let discarded = facts.iter().filter_map(|fact| match fact {
            Fact::Discard { request } => Some(request.to_string()),
            _ => None,
        });
        discarded.collect()
    }
}

impl Transport for Script {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.to_string());
        let (status, body) = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("an answer for every request");
        let ticket = asked.len() as u64;
        let body = serde_json::to_vec(&body).unwrap();
        self.started.lock().unwrap().insert(
            ticket,
            Response {
                status,
                age: None,
                body,
            },
        );
        Ok(Ticket(ticket))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        Ok(self
            .started
            .lock()
            .unwrap()
            .remove(&ticket.0)
            .expect("a ticket is used once"))
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Ok(0)
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, fact: Fact) {
        self.facts.lock().unwrap().push(fact);
    }

    fn cancelled(&self) -> bool {
        false
    }
}
