//! Faults of an answer that a service has made: of single values, rows, pages, of its encoding, and refusals in its
//! place.
//!
//! Faults of a row depend on its endpoint and key, so they are the same in every answer that has the row. Faults of a
//! page are drawn for each request.

mod encoding;
mod gql;
mod json;
mod page;
mod refusal;
mod rows;

use hyper::StatusCode;
use serde_json::Value;

pub(crate) use self::{
    encoding::encode,
    refusal::{echo, echo_location, false_429, gql_status, oauth_odd, oauth_outage, oauth_poll, oauth_scope, outage},
};
use crate::{
    faults::{Fault, Faults},
    reply::{Reply, to_json},
    world::Seed,
};

/// What decides which faults an answer has.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) faults: &'a Faults,
    pub(crate) seed: Seed,
    /// The number of the request.
    pub(crate) number: u64,
    /// The path of the endpoint.
    pub(crate) path: &'static str,
    /// Whether it is an answer of GQL.
    pub(crate) is_gql: bool,
}

impl Scene<'_> {
    /// Whether a fault that is drawn for each request occurs.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.faults.strike(fault, self.seed, self.number)
    }

    /// The seed of what a struck fault does.
    fn draws(&self, fault: Fault) -> Seed {
        self.seed.child("damage").child(fault.name()).of(self.number)
    }

    /// The seed of a row.
    fn row(&self, key: &str) -> Seed {
        self.seed.child("row").child(self.path).child(key)
    }

    /// The same for one of several operations in a request.
    fn operation(self, place: usize) -> Self {
        match place {
            0 => self,
            _ => Scene {
                number: self.number | (place as u64) << 48,
                ..self
            },
        }
    }
}

/// Applies the faults of values, rows and pages to a successful answer.
pub(crate) fn content(scene: Scene<'_>, mut reply: Reply) -> Reply {
    if reply.status != StatusCode::OK || !scene.faults.any(&Fault::IN_JSON) {
        return reply;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    match &mut body {
        Value::Array(operations) => {
            for (place, answer) in operations.iter_mut().enumerate() {
                damage(scene.operation(place), answer);
            }
        }
        answer => damage(scene, answer),
    }
    reply.body = rows::with_bad_bytes(to_json(&body));
    reply
}

fn damage(scene: Scene<'_>, answer: &mut Value) {
    // An answer without data is left as it is.
    if answer.get("errors").is_some() {
        return;
    }
    let layout = json::Layout::of(answer);
    rows::damage(scene, answer, &layout);
    page::damage(scene, answer, &layout);
    if scene.is_gql {
        gql::damage(scene, answer);
    }
}
