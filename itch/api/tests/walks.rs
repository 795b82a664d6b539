//! Walks over pages and the domain layer, over a transport with scripted answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use itch_api::serde_json::{Value, json};
use itch_api::{Api, ErrorKind, Fact, Page, Request, Response, Result, Sift, Ticket, Transport};

/// Returns the answers in the order in which the requests are started.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<String>>,
    started: Mutex<HashMap<u64, Response>>,
    facts: Mutex<Vec<Fact>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Value>) -> Arc<Script> {
        let answers = answers.into_iter().map(|body| (200, body)).collect();
        Arc::new(Script {
            answers: Mutex::new(answers),
            ..Script::default()
        })
    }

    fn refusing(status: u16, body: Value) -> Arc<Script> {
        Arc::new(Script {
            answers: Mutex::new([(status, body)].into()),
            ..Script::default()
        })
    }

    fn api(self: &Arc<Script>) -> Api {
        Api::new(Arc::clone(self) as _)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn facts(&self) -> Vec<Fact> {
        self.facts.lock().unwrap().clone()
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

fn page(ids: std::ops::Range<u32>, total: u64, cursor: Option<&str>) -> Value {
    let rows: Vec<Value> = ids.map(|id| json!({"id": id.to_string()})).collect();
    json!({"data": rows, "total": total, "pagination": cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}))})
}

fn ids(pages: &[Page]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| &page.rows)
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn walk(mut pages: itch_api::Pages) -> Vec<Page> {
    std::iter::from_fn(|| pages.next_page())
        .map(|page| page.unwrap())
        .collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[test]
fn a_walk_ends_where_there_is_no_cursor() {
    let script = Script::new([page(0..3, 5, Some("a")), page(3..5, 6, None)]);
    let pages = walk(script.api().pages(Request::helix("x"), 3).expect("things"));
    assert_eq!(ids(&pages), numbers(0..5));
    assert_eq!(script.asked(), ["helix x?first=3", "helix x?first=3&after=a"]);
    let expected = |n| Fact::Expected {
        what: "things".to_owned(),
        n,
    };
    assert_eq!(script.facts(), [expected(5), expected(6)]);
}

#[test]
fn a_limit_asks_for_no_row_and_no_page_too_many() {
    let script = Script::new([page(0..100, 500, Some("a")), page(100..150, 500, Some("b"))]);
    let pages = walk(script.api().pages(Request::helix("x"), 100).limit(150));
    assert_eq!(ids(&pages), numbers(0..150));
    assert_eq!(script.asked(), ["helix x?first=100", "helix x?first=50&after=a"]);
}

#[test]
fn a_service_that_sends_more_than_asked_is_cut() {
    let script = Script::new([page(0..10, 10, Some("a"))]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 100).limit(4))), numbers(0..4));
}

#[test]
fn the_next_page_is_asked_for_before_this_one_is_read() {
    let script = Script::new([page(0..1, 2, Some("a")), page(1..2, 2, None)]);
    let mut pages = script.api().pages(Request::helix("x"), 1);
    pages.next_page().unwrap().unwrap();
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn repeats_are_left_out_and_counted_and_do_not_use_up_the_limit() {
    let script = Script::new([page(0..3, 9, Some("a")), page(1..4, 9, Some("b")), page(4..5, 9, None)]);
    let pages = walk(script.api().pages(Request::helix("x"), 3).unique_by("id").limit(5));
    assert_eq!(ids(&pages), numbers(0..5));
    assert_eq!(script.facts(), [Fact::Repeated { n: 2 }]);
}

#[test]
fn a_cursor_that_comes_again_ends_the_walk_and_is_noted() {
    let script = Script::new([
        page(0..1, 9, Some("a")),
        page(1..2, 9, Some("b")),
        page(2..3, 9, Some("a")),
    ]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..3));
    assert_eq!(script.facts(), [Fact::Looped]);
}

#[test]
fn an_empty_page_with_a_cursor_is_a_gap() {
    let script = Script::new([page(0..1, 9, Some("a")), page(1..1, 9, Some("b"))]);
    walk(script.api().pages(Request::helix("x"), 1));
    assert!(matches!(script.facts().as_slice(), [Fact::Gap { reason, .. }] if reason.contains("page 2")));
}

#[test]
fn the_last_full_page_may_name_an_empty_one() {
    let script = Script::new([page(0..1, 1, Some("a")), page(1..1, 1, None)]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..1));
    assert_eq!(script.facts(), []);
}

#[test]
fn every_way_to_say_that_there_is_no_next_page_is_understood() {
    for pagination in [
        json!(null),
        json!({}),
        json!({"cursor": ""}),
        json!({"cursor": null}),
        json!(""),
    ] {
        let script = Script::new([json!({"data": [{"id": "0"}], "pagination": pagination})]);
        assert_eq!(walk(script.api().pages(Request::helix("x"), 1)).len(), 1);
    }
    let script = Script::new([json!({"data": null})]);
    assert_eq!(walk(script.api().pages(Request::helix("x"), 1))[0].rows.len(), 0);
}

#[test]
fn an_answer_without_rows_is_an_error_and_the_end() {
    let script = Script::new([json!({"message": "hello"})]);
    let mut pages = script.api().pages(Request::helix("x"), 1);
    assert_eq!(pages.next_page().unwrap().unwrap_err().kind, ErrorKind::BadData);
    assert!(pages.next_page().is_none());
}

#[test]
fn a_refusal_carries_the_services_own_words() {
    let script = Script::refusing(401, json!({"error": "Unauthorized", "status": 401, "message": "Missing scope: x"}));
    let error = script.api().json(Request::helix("x")).unwrap_err();
    assert_eq!((error.kind, error.http), (ErrorKind::SignIn, Some(401)));
    assert_eq!(error.causes, ["Missing scope: x"]);
}

#[test]
fn a_sieve_skips_and_stops() {
    let script = Script::new([page(0..5, 9, Some("a"))]);
    let pages = script
        .api()
        .pages(Request::helix("x"), 5)
        .sift(|row| match row["id"].as_str() {
            Some("0") => Sift::Skip,
            Some("3") => Sift::Stop,
            _ => Sift::Keep,
        });
    assert_eq!(ids(&walk(pages)), numbers(1..3));
    assert_eq!(script.asked().len(), 1);
}

fn user(id: u32) -> Value {
    json!({"id": id.to_string(), "login": format!("user{id}"), "display_name": "U", "created_at": "2014-09-12T23:50:05Z"})
}

#[test]
fn channels_come_back_in_the_order_asked_for() {
    let script = Script::new([json!({"data": [user(2), user(1)]})]);
    let names = ["USER1", "nobody", "id:2", "user1"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    let found: Vec<_> = script
        .api()
        .channels(names)
        .map(|lookup| lookup.unwrap().channel.map(|c| c.id))
        .collect();
    assert_eq!(found, [Some("1".to_owned()), None, Some("2".to_owned()), Some("1".to_owned())]);
    assert_eq!(script.asked(), ["helix users?login=user1&login=nobody&id=2"]);
}

#[test]
fn an_unknown_channel_is_named() {
    let script = Script::new([json!({"data": []})]);
    let error = script.api().channel(&"Nobody".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("`Nobody`"));
}

fn follower(id: u32) -> Value {
    json!({"user_id": id.to_string(), "user_login": format!("user{id}"), "user_name": "U", "followed_at": "2026-05-20T21:14:33Z"})
}

#[test]
fn a_follower_whose_account_is_gone_keeps_its_row() {
    let script = Script::new([
        json!({"data": [user(9)]}),
        json!({"data": [follower(1), follower(2)], "total": 2, "pagination": {}}),
        json!({"data": [user(2)]}),
    ]);
    let api = script.api();
    let channel = api.channel(&"user9".parse().unwrap()).unwrap();
    let follows: Vec<_> = api
        .followers(&channel)
        .with_created()
        .start()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let seen: Vec<_> = follows
        .iter()
        .map(|f| (f.user.login.as_str(), f.user.created_at.is_some()))
        .collect();
    assert_eq!(seen, [("user1", false), ("user2", true)]);
    let gone = Fact::Missing {
        what: "accounts".to_owned(),
        n: 1,
        examples: vec!["user1".to_owned()],
        remark: Some("created empty".to_owned()),
    };
    assert!(script.facts().contains(&gone));
}

#[test]
fn followers_that_may_not_be_listed_are_no_empty_success() {
    let script = Script::new([
        json!({"data": [user(9)]}),
        json!({"data": [], "total": 250_000, "pagination": {}}),
    ]);
    let api = script.api();
    let channel = api.channel(&"user9".parse().unwrap()).unwrap();
    let error = api.followers(&channel).start().unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::SignIn);
    assert!(error.hint.unwrap().contains("moderator:read:followers"));
}

#[test]
fn a_channel_without_followers_is_an_empty_success() {
    let script = Script::new([
        json!({"data": [user(9)]}),
        json!({"data": [], "total": 0, "pagination": {}}),
    ]);
    let api = script.api();
    let channel = api.channel(&"user9".parse().unwrap()).unwrap();
    assert_eq!(api.followers(&channel).with_created().start().unwrap().count(), 0);
}
