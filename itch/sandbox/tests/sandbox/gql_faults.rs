//! Injected faults of GQL.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::client::{Client, MOBILE, OTHER, Page, WEB, assert_refused, persisted, raw};

const SHORT: &str = "2700000005";

fn first() -> Value {
    raw(json!({ "id": SHORT }))
}

fn next(client: &Client) -> Value {
    let cursor = Page::of(client.gql(&first())).cursor.unwrap();
    raw(json!({ "id": SHORT, "after": cursor }))
}

#[test]
fn faults_of_the_wire_strike_gql_too() {
    for (fault, status) in [("500", 500), ("503", 503)] {
        let client = Client::with_faults(&format!("{fault}=1"));
        assert_refused(&client.gql_as(MOBILE, &first()), status, "");
    }
    let answer = Client::with_faults("429=1").gql_as(MOBILE, &first());
    assert_refused(&answer, 429, "Request limit exceeded");
    assert_eq!(answer.header("ratelimit-reset"), None);
    let page = Client::with_faults("html=1").gql_as(MOBILE, &first());
    assert!(page.status == 200 && page.text.starts_with("<!DOCTYPE html>"));
    for fault in ["reset", "cut"] {
        let client = Client::with_faults(&format!("{fault}=1"));
        assert!(client.try_gql_as(MOBILE, &first()).is_err(), "{fault}");
    }
    let spared = Client::with_faults("expired=1,oauth-500=1,legacy-200-error=1");
    assert_eq!(Page::of(spared.gql(&first())).nodes.len(), 100);
}

#[test]
fn comments_may_be_null_for_a_reason_or_none() {
    let facts = json!({ "query": format!("{{ video(id: {SHORT}) {{ title }} }}") });
    let answer = Client::with_faults("gql-null=1").gql(&first());
    assert_eq!(answer.get("errors"), None);
    assert_eq!(answer["data"]["video"]["id"], SHORT);
    assert_eq!(answer["data"]["video"]["comments"], Value::Null);
    for (fault, message) in [("gql-error", "service error"), ("gql-timeout", "service timeout")] {
        let client = Client::with_faults(&format!("{fault}=1"));
        let answer = client.gql(&first());
        assert_eq!(answer["errors"], json!([{ "message": message, "path": ["video", "comments"] }]));
        assert_eq!(answer["data"]["video"]["comments"], Value::Null);
        // If no comments are asked for, the video itself is null for one request.
        let answer = client.gql(&facts);
        assert_eq!(answer["errors"], json!([{ "message": message, "path": ["video"] }]));
        assert_eq!(answer["data"], json!({ "video": null }));
    }
    let answer = Client::with_faults("gql-data-null=1").gql(&first());
    assert_eq!(answer["data"], Value::Null);
    assert!(answer.get("errors").is_none() && answer.get("data").is_some());
}

#[test]
fn a_hash_may_be_forgotten() {
    let client = Client::with_faults("gql-unknown=1");
    let answer = client.gql(&persisted(json!({ "videoID": SHORT })));
    assert_eq!(answer["errors"], json!([{ "message": "PersistedQueryNotFound" }]));
    assert_eq!(answer.get("data"), None);
    assert_eq!(Page::of(client.gql(&first())).nodes.len(), 100);
}

#[test]
fn cursors_may_be_refused_to_one_client_or_to_all() {
    for (fault, refused) in [
        ("gql-integrity", vec![MOBILE, WEB]),
        ("gql-integrity-all", vec![MOBILE, WEB, OTHER]),
    ] {
        let client = Client::with_faults(&format!("{fault}=1"));
        let next = next(&client);
        for id in [MOBILE, WEB, OTHER] {
            let first = client.gql_as(id, &first()).json();
            assert_eq!(Page::of(first).nodes.len(), 100);
            let answer = client.gql_as(id, &next).json();
            let is_refused = answer["errors"][0]["message"] == "failed integrity check";
            assert_eq!(is_refused, refused.contains(&id), "{fault} {id}");
        }
    }
}

#[test]
fn faults_are_drawn_for_every_operation_anew() {
    let client = Client::with_faults("gql-null=0.5");
    let is_null = |answer: &Value| answer["data"]["video"]["comments"].is_null();
    let tries: HashSet<bool> = (0..30).map(|_| is_null(&client.gql(&first()))).collect();
    assert_eq!(tries.len(), 2);
    let many = client.gql(&Value::from(vec![first(); 30]));
    let together: HashSet<bool> = many.as_array().unwrap().iter().map(is_null).collect();
    assert_eq!(together.len(), 2);
}

#[test]
fn a_comment_may_come_twice_at_the_border_of_pages() {
    let client = Client::with_faults("duplicate=0.5");
    let clean = Client::new();
    let walk = |client: &Client, size: u32| -> Vec<String> {
        let mut nodes = Vec::new();
        let mut body = raw(json!({ "id": SHORT, "first": size }));
        loop {
            let page = Page::of(client.gql(&body));
            let ids = page.nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned());
            nodes.extend(ids);
            let Some(cursor) = page.cursor.filter(|_| page.has_next) else {
                return nodes;
            };
            body = raw(json!({ "id": SHORT, "first": size, "after": cursor }));
            assert!(nodes.len() < 2_000);
        }
    };
    for size in [1, 20] {
        let (mut found, expected) = (walk(&client, size), walk(&clean, size));
        assert!(found.len() > expected.len());
        // Only neighbours are equal.
        found.dedup();
        assert_eq!(found, expected);
    }
    assert_eq!(walk(&client, 20), walk(&client, 20));
}

#[test]
fn a_cursor_of_comments_may_lead_to_itself() {
    let client = Client::with_faults("loop=1");
    let next = next(&client);
    let page = Page::of(client.gql(&next));
    assert_eq!(page.cursor.as_deref(), next["variables"]["after"].as_str());
    assert!(page.has_next);
}
