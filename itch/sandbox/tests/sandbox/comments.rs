//! Chat of past broadcasts, read as clients do.

use std::collections::HashSet;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client, Page, WEB, persisted, raw};

fn id(node: &Value) -> &str {
    node["id"].as_str().unwrap()
}

fn second(node: &Value) -> u64 {
    node["contentOffsetSeconds"].as_u64().unwrap()
}

fn millis(node: &Value) -> i64 {
    DateTime::parse_from_rfc3339(node["createdAt"].as_str().unwrap())
        .unwrap()
        .timestamp_millis()
}

fn text(node: &Value) -> String {
    let fragments = node["message"]["fragments"].as_array().unwrap();
    fragments.iter().map(|part| part["text"].as_str().unwrap()).collect()
}

/// All comments, by cursor, with the persisted query.
fn by_cursor(client: &Client, video: &str) -> Vec<Value> {
    let mut page = Page::of(client.gql(&persisted(json!({ "videoID": video, "contentOffsetSeconds": 0 }))));
    let mut nodes = Vec::new();
    loop {
        nodes.append(&mut page.nodes);
        let Some(cursor) = page.cursor.filter(|_| page.has_next) else {
            return nodes;
        };
        page = Page::of(client.gql(&persisted(json!({ "videoID": video, "cursor": cursor }))));
        assert!(page.nodes.len() <= 59);
    }
}

/// All comments that can be read without cursors, by continuing from the last second of each page.
fn by_offset(client: &Client, video: &str) -> Vec<Value> {
    let (mut nodes, mut seen) = (Vec::new(), HashSet::new());
    let mut offset = 0;
    loop {
        let body = raw(json!({ "id": video, "offset": offset }));
        let page = Page::of(client.gql_as(WEB, &body).json());
        let Some(last) = page.nodes.last().map(second) else {
            return nodes;
        };
        assert!(page.has_next);
        assert!(second(&page.nodes[0]) + 3 >= offset);
        let before = nodes.len();
        for node in page.nodes {
            if seen.insert(id(&node).to_owned()) {
                nodes.push(node);
            }
        }
        offset = if nodes.len() > before {
            last.max(offset)
        } else {
            offset + 1
        };
    }
}

#[track_caller]
fn assert_once_and_in_order(nodes: &[Value]) {
    let ids: HashSet<&str> = nodes.iter().map(id).collect();
    assert_eq!(ids.len(), nodes.len());
    assert!(nodes.is_sorted_by_key(second));
    assert!(nodes.is_sorted_by_key(millis));
}

#[test]
fn sixty_thousand_comments_come_once_and_in_order_both_ways() {
    let client = Client::new();
    let nodes = by_cursor(&client, "2700000060");
    assert_eq!(nodes.len(), 60_000);
    assert_once_and_in_order(&nodes);
    assert!(second(&nodes[59_999]) < 21_600);
    // Each comment is stamped 0.7 s later than its offset.
    let start = 1_791_655_200_000;
    assert!(
        nodes
            .iter()
            .all(|node| { (millis(node) - start - 700) / 1_000 == second(node) as i64 })
    );

    let stepped = by_offset(&client, "2700000060");
    let ids = |nodes: &[Value]| -> Vec<String> { nodes.iter().map(|node| id(node).to_owned()).collect() };
    assert_eq!(ids(&stepped), ids(&nodes));

    check_contents(&nodes);
}

/// Every kind of content that chat can have occurs, and is consistent.
fn check_contents(nodes: &[Value]) {
    let (mut beyond, mut with_set, mut empty_badge) = (0, 0, 0);
    for node in nodes {
        let text: Vec<char> = text(node).chars().collect();
        for part in node["message"]["fragments"].as_array().unwrap() {
            let emote = &part["emote"];
            if emote.is_null() {
                continue;
            }
            let (from, length) =
                (emote["from"].as_u64().unwrap() as usize, part["text"].as_str().unwrap().chars().count());
            let there: String = text[from..from + length].iter().collect();
            assert_eq!(there, part["text"].as_str().unwrap());
            let (id, to) = (emote["emoteID"].as_str().unwrap(), from + length - 1);
            assert_eq!(emote["id"], format!("{id};{from};{to}"));
            beyond += usize::from(text[..from].iter().any(|letter| *letter > '\u{ffff}'));
            with_set += usize::from(id.starts_with("emotesv2_"));
        }
        for badge in node["message"]["userBadges"].as_array().unwrap() {
            if badge["id"] == "Ozs=" {
                assert_eq!((&badge["setID"], &badge["version"]), (&json!(""), &json!("")));
                empty_badge += 1;
            }
        }
    }
    assert!(beyond > 1_000 && with_set > 1_000 && empty_badge > 200);
    let count = |test: fn(&Value) -> bool| nodes.iter().filter(|node| test(node)).count();
    let gone = count(|node| node["commenter"].is_null());
    assert!((120..1_000).contains(&gone), "{gone}");
    assert!(count(|node| node["message"]["userColor"].is_null()) > 1_000);
    assert!(count(|node| node["message"]["fragments"] == json!([])) > 20);
    for hostile in ["\t", "\r", "\n", "\u{1b}[31m", "\u{202e}", "\u{0}", "=HYPERLINK"] {
        let found = nodes.iter().filter(|node| text(node).contains(hostile));
        assert!(found.count() > 2, "{hostile:?}");
    }
    for script in ["привет", "こんばんは", "안녕", "مرحبا", "नमस्ते", "καλησπέρα"]
    {
        assert!(nodes.iter().any(|node| text(node).contains(script)), "{script}");
    }
    let zeros_cut = |node: &Value| {
        let time = node["createdAt"].as_str().unwrap();
        assert!(!time.ends_with("0Z") || !time.contains('.'), "{time}");
        !time.contains('.')
    };
    assert!(nodes.iter().filter(|node| zeros_cut(node)).count() > 20);
}

#[test]
fn fixed_videos_have_as_many_comments_as_they_say() {
    let client = Client::new();
    for (video, count) in [
        ("2700000000", 0),
        ("2700000005", 500),
        ("2700000009", 200),
        ("2700000059", 59),
        ("2700000180", 1_000),
        ("2700000001", 7_200),
        ("80935574", 4_000),
    ] {
        let nodes = by_cursor(&client, video);
        assert_eq!(nodes.len(), count, "{video}");
        assert_once_and_in_order(&nodes);
    }
}

#[test]
fn any_page_of_six_hundred_thousand_can_be_made_alone() {
    let client = Client::new();
    let at = |offset: u64| Page::of(client.gql(&raw(json!({ "id": "2700000600", "offset": offset }))));
    let late = at(107_000);
    assert_eq!(late.nodes.len(), 100);
    let cursor = late.cursor.unwrap();
    let next = Page::of(client.gql(&raw(json!({ "id": "2700000600", "after": cursor }))));
    assert_eq!(next.nodes.len(), 100);
    assert!(millis(&next.nodes[0]) >= millis(&late.nodes[99]));
    // From the last seconds the end is near.
    let mut page = at(107_990);
    let mut last = Vec::new();
    while let Some(cursor) = page.cursor.take().filter(|_| page.has_next) {
        last.append(&mut page.nodes);
        page = Page::of(client.gql(&raw(json!({ "id": "2700000600", "after": cursor }))));
    }
    assert!(!page.has_next);
    assert_eq!(at(108_000).nodes.len(), 0);
    assert_eq!(at(2_000_000).nodes.len(), 0);
}

#[test]
fn a_second_can_hold_more_than_a_page() {
    let client = Client::new();
    let all = by_cursor(&client, "2700000180");
    let within = all.iter().filter(|node| second(node) == 1_234).count();
    assert_eq!(within, 180);
    // Without cursors, only the rest of that second cannot be read.
    let stepped = by_offset(&client, "2700000180");
    let reached = stepped.iter().filter(|node| second(node) == 1_234).count();
    assert!((90..=110).contains(&reached), "{reached}");
    assert_eq!(all.len() - stepped.len(), 180 - reached);
}

#[test]
fn a_running_video_ends_for_the_moment_and_says_more_than_its_length() {
    let client = Client::new();
    let nodes = by_cursor(&client, "2700000001");
    let last = second(&nodes[nodes.len() - 1]);
    assert!((10_700..10_800).contains(&last), "{last}");
    // The archive of a live channel behaves the same way.
    let archive = &client.get(&format!("videos?user_id={BURKEBLACK}&first=1")).rows()[0];
    let nodes = by_cursor(&client, archive["id"].as_str().unwrap());
    assert!(nodes.len() > 500);
    let duration = archive["duration"].as_str().unwrap();
    let length = duration
        .split(['h', 'm', 's'])
        .take(3)
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    let last = second(&nodes[nodes.len() - 1]);
    assert!((length + 150..length + 240).contains(&last), "{last} of {length}");
}

#[test]
fn a_cursor_of_another_video_is_refused() {
    let client = Client::new();
    let page = Page::of(client.gql(&raw(json!({ "id": "2700000005" }))));
    let body = raw(json!({ "id": "2700000060", "after": page.cursor.unwrap() }));
    let answer = client.gql(&body);
    assert_eq!(answer["errors"][0]["message"], "invalid cursor");
}

#[test]
fn the_web_players_client_may_not_use_cursors() {
    let client = Client::new();
    let first = client.gql_as(WEB, &persisted(json!({ "videoID": "2700000005" })));
    let cursor = Page::of(first.json()).cursor.unwrap();
    let body = persisted(json!({ "videoID": "2700000005", "cursor": cursor }));
    let answer = client.gql_as(WEB, &body);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(answer["errors"], json!([{ "message": "failed integrity check", "path": ["video", "comments"] }]));
    assert_eq!(answer["data"]["video"]["id"], "2700000005");
    assert_eq!(answer["data"]["video"]["comments"], Value::Null);
    assert_eq!(answer["extensions"]["challenge"], json!({ "type": "integrity" }));
}
