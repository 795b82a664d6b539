//! The chat of a recording, over a simulated service: which windows are requested, in which order, and how much is
//! kept in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use itch_api::serde_json::{Value, json};
use itch_api::{Api, Error, ErrorKind, Fact, Request, Response, Result, Service, Ticket, Transport};

/// A recording with one comment per second. `wait_any` returns the latest of the answers first.
#[derive(Default)]
struct Room {
    /// The length in seconds, which is also the number of comments.
    length: i64,
    /// Bytes of each comment's text.
    size: usize,
    /// How many client ids may page by cursor.
    cursors: Vec<usize>,
    /// How many client ids there are.
    clients: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    started: HashMap<u64, Request>,
    next: u64,
    asked: Vec<(usize, Value)>,
    most_at_once: usize,
    facts: Vec<Fact>,
}

impl Room {
    fn new(length: i64) -> Room {
        Room {
            length,
            cursors: vec![0],
            clients: 2,
            ..Room::default()
        }
    }

    fn answer(&self, request: &Request) -> Result<Value> {
        if request.gql_client >= self.clients {
            return Err(Error::new(ErrorKind::SignIn, "no other").at(Service::Gql, None));
        }
        let body = request.body.as_ref().unwrap();
        if body["operation"] == "video" {
            let video = json!({"lengthSeconds": self.length, "createdAt": "2026-07-01T18:00:00Z"});
            return Ok(json!({"data": {"video": video}}));
        }
        let variables = &body["variables"];
        let start = match (variables["cursor"].as_str(), variables["contentOffsetSeconds"].as_i64()) {
            (Some(_), _) if !self.cursors.contains(&request.gql_client) => {
                return Ok(
                    json!({"errors": [{"message": "failed integrity check"}], "data": {"video": {"comments": null}}}),
                );
            }
            (Some(cursor), _) => cursor.parse().unwrap(),
            (None, offset) => (offset.unwrap() - 2).max(0),
        };
        let end = (start + 100).min(self.length).max(start);
        let edge = |second: i64| {
            let text = "x".repeat(self.size);
            let node = json!({"id": second.to_string(), "contentOffsetSeconds": second,
                "createdAt": "2026-07-01T18:01:02.007Z", "commenter": {"id": "7", "login": "a", "displayName": "A"},
                "message": {"fragments": [{"text": text, "emote": null}], "userBadges": [], "userColor": null}});
            json!({"cursor": end.to_string(), "node": node})
        };
        let edges: Vec<Value> = (start..end).map(edge).collect();
        let comments = json!({"edges": edges, "pageInfo": {"hasNextPage": end < self.length}});
        Ok(json!({"data": {"video": {"comments": comments}}}))
    }
}

impl Transport for Room {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        let ticket = state.next;
        let variables = request.body.as_ref().unwrap()["variables"].clone();
        state.asked.push((request.gql_client, variables));
        state.started.insert(ticket, request);
        state.most_at_once = state.most_at_once.max(state.started.len());
        Ok(Ticket(ticket))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let request = self.state.lock().unwrap().started.remove(&ticket.0).unwrap();
        Ok(Response {
            status: 200,
            age: None,
            body: serde_json::to_vec(&self.answer(&request)?).unwrap(),
        })
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        Ok(tickets.len() - 1)
    }

    fn abandon(&self, ticket: Ticket) {
        self.state.lock().unwrap().started.remove(&ticket.0);
    }

    fn note(&self, fact: Fact) {
        self.state.lock().unwrap().facts.push(fact);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn api(room: &Arc<Room>) -> Api {
    Api::new(Arc::clone(room) as _)
}

fn seconds(room: &Arc<Room>, connections: usize) -> Vec<i64> {
    let query = api(room).chat_replay("1").connections(connections);
    query.start().unwrap().map(|message| message.unwrap().offset).collect()
}

fn offsets_asked(room: &Room) -> Vec<i64> {
    let state = room.state.lock().unwrap();
    let offsets = state
        .asked
        .iter()
        .filter_map(|(_, variables)| variables["contentOffsetSeconds"].as_i64());
    offsets.collect()
}

#[test]
fn rows_come_in_order_though_the_last_window_answers_first() {
    for connections in [1, 2, 4, 16] {
        let room = Arc::new(Room::new(3_000));
        assert_eq!(seconds(&room, connections), (0..3_000).collect::<Vec<_>>());
        let state = room.state.lock().unwrap();
        assert_eq!(state.most_at_once, connections);
        assert!(state.facts.is_empty(), "{:?}", state.facts);
    }
}

/// A later run must send the same requests to find their answers in a cache.
#[test]
fn windows_depend_on_the_recording_alone() {
    let starts = |connections| {
        let room = Arc::new(Room::new(6_000));
        seconds(&room, connections);
        let mut starts = offsets_asked(&room);
        starts.sort_unstable();
        starts
    };
    assert_eq!(starts(2), starts(16));
    assert!(starts(2).len() > 16);
}

#[test]
fn few_messages_are_one_chain() {
    let room = Arc::new(Room::new(21_600));
    let messages = api(&room).chat_replay("1").limit(250).connections(4).start().unwrap();
    assert_eq!(messages.count(), 250);
    assert_eq!(room.state.lock().unwrap().asked.len(), 1 + 3);
    assert_eq!(room.state.lock().unwrap().most_at_once, 1);
}

/// At most eight mebibytes are kept, plus the answers already in flight.
#[test]
fn windows_pause_when_much_is_held() {
    let room = Arc::new(Room {
        size: 20_000,
        ..Room::new(1_000)
    });
    let mut messages = api(&room).chat_replay("1").connections(4).start().unwrap();
    // The last answer is always returned first, so the newer windows fill up before the oldest continues.
    assert_eq!(messages.next().unwrap().unwrap().offset, 0);
    let pages = room.state.lock().unwrap().asked.len();
    // A page is two megabytes.
    assert!(pages < 16, "{pages}");
    for (expected, message) in (1..).zip(messages) {
        assert_eq!(message.unwrap().offset, expected);
    }
}

#[test]
fn the_next_client_goes_on_and_then_offsets_do() {
    for (clients, cursors, last_client) in [(2, vec![1], 1), (3, vec![2], 2), (2, vec![], 0), (1, vec![], 0)] {
        let room = Arc::new(Room {
            clients,
            cursors,
            ..Room::new(3_000)
        });
        assert_eq!(seconds(&room, 4), (0..3_000).collect::<Vec<_>>());
        let state = room.state.lock().unwrap();
        assert_eq!(state.asked.last().unwrap().0, last_client);
        // A refused client id is not used again.
        let refused = state
            .asked
            .iter()
            .filter(|(client, variables)| variables["cursor"].is_string() && !room.cursors.contains(client));
        let refused = refused.count();
        assert!(refused <= 4 * (clients + 1), "{refused}");
        assert!(state.facts.is_empty(), "{:?}", state.facts);
    }
}
