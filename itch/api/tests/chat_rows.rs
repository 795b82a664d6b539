//! Odd values in the rows of chat: only a comment without id or second is left out; others have empty cells, and both are
//! counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use itch_api::serde_json::{Value, json};
use itch_api::{Api, ChatMessage, Fact, Request, Response, Result, Ticket, Transport};

/// Sends the same page for every request.
struct OnePage {
    answer: Value,
    facts: Mutex<Vec<Fact>>,
}

impl Transport for OnePage {
    fn start(&self, request: Request) -> Result<Ticket> {
        Ok(Ticket(u64::from(request.body.unwrap()["operation"] == "video-comments")))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let video = json!({"data": {"video": {"lengthSeconds": 100, "createdAt": "2026-07-01T18:00:00Z"}}});
        let answer = if ticket.0 == 1 { &self.answer } else { &video };
        Ok(Response {
            status: 200,
            age: None,
            body: answer.to_string().into_bytes(),
        })
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Ok(0)
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, fact: Fact) {
        fact.add_to(&mut self.facts.lock().unwrap());
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn node(id: &str) -> Value {
    json!({"id": id, "contentOffsetSeconds": 61, "createdAt": "2026-07-01T18:01:02.007Z",
        "commenter": {"id": "7", "login": "a", "displayName": "A"},
        "message": {"fragments": [{"text": "😀 ", "emote": null}, {"text": "Kappa", "emote": {"emoteID": "25", "from": 2}},
                {"text": " !", "emote": null}],
            "userBadges": [{"setID": "vip", "version": "1"}, {"setID": "", "version": ""}], "userColor": "#8A2BE2"}})
}

/// The messages of a page with a row between two good ones, and what was counted: how many of each kind.
fn read_page(row: Value, errors: Value, fields: &[&str]) -> (Vec<ChatMessage>, BTreeMap<String, u64>) {
    let edges = [
        json!({"cursor": "", "node": node("first")}),
        row,
        json!({"cursor": "", "node": node("last")}),
    ];
    let comments = json!({"edges": edges, "pageInfo": {"hasNextPage": false}});
    let transport = Arc::new(OnePage {
        answer: json!({"data": {"video": {"comments": comments}}, "errors": errors}),
        facts: Mutex::default(),
    });
    let mut api = Api::new(Arc::clone(&transport) as _);
    if !fields.is_empty() {
        let fields = fields
            .iter()
            .map(|field| ((*field).to_owned(), format!("{field} column")));
        api = api.with_fields(fields.collect());
    }
    let messages = api.chat_replay("1").connections(1).start().unwrap();
    let messages: Vec<ChatMessage> = messages.map(|message| message.unwrap()).collect();
    let mut counted = BTreeMap::new();
    for fact in &*transport.facts.lock().unwrap() {
        match fact {
            Fact::Unreadable { what, n, .. } => counted.insert(what.clone(), *n),
            Fact::Missing { what, n, .. } => counted.insert(what.clone(), *n),
            Fact::Discard { .. } | Fact::Repeated { .. } => None,
            other => panic!("{other:?}"),
        };
    }
    (messages, counted)
}

/// The row with one value replaced; `None` takes it out.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut row = json!({"cursor": "", "node": node("odd")});
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = row.pointer_mut(parent).unwrap();
    match value {
        Some(value) => match parent {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        },
        None => {
            parent.as_object_mut().unwrap().shift_remove(name);
        }
    }
    row
}

#[test]
fn a_message_is_joined_of_all_its_fragments() {
    let (messages, counted) = read_page(with("/cursor", Some(json!(""))), json!([]), &[]);
    assert!(counted.is_empty(), "{counted:?}");
    let message = &messages[1];
    assert_eq!(message.text, "😀 Kappa !");
    let emote = &message.emotes[0];
    assert_eq!((emote.id.as_str(), emote.from, emote.to), ("25", 2, 6));
    assert_eq!(message.badges, [("vip".to_owned(), "1".to_owned())]);
    assert_eq!(message.color.as_deref(), Some("#8A2BE2"));
}

#[test]
fn a_row_without_id_or_second_is_left_out_and_counted() {
    for (pointer, value) in [
        ("/node", Some(json!(null))),
        ("/node", None),
        ("/node", Some(json!([]))),
        ("/node/id", Some(json!(null))),
        ("/node/id", Some(json!(""))),
        ("/node/id", Some(json!([]))),
        ("/node/id", None),
        ("/node/contentOffsetSeconds", Some(json!(null))),
        ("/node/contentOffsetSeconds", None),
        ("/node/contentOffsetSeconds", Some(json!(-1))),
        ("/node/contentOffsetSeconds", Some(json!("soon"))),
        ("/node/contentOffsetSeconds", Some(json!(1e300))),
    ] {
        let (messages, counted) = read_page(with(pointer, value.clone()), json!([]), &[]);
        assert_eq!(messages.len(), 2, "{pointer} {value:?}");
        // The page is read twice: its end is asked for again.
        assert!(counted.len() == 1 && counted["rows"] >= 1, "{counted:?}");
    }
    let (messages, counted) = read_page(json!(null), json!([]), &[]);
    assert!(messages.len() == 2 && counted["rows"] >= 1, "{counted:?}");
}

#[test]
fn texts_and_numbers_stand_for_each_other() {
    for (pointer, value) in [
        ("/node/id", json!(7)),
        ("/node/contentOffsetSeconds", json!("61")),
        ("/node/contentOffsetSeconds", json!(61.9)),
        ("/node/commenter/id", json!(7)),
        ("/node/message/userBadges/0/version", json!(1)),
        ("/node/message/fragments/1/emote/emoteID", json!(25)),
        ("/node/message/fragments/1/emote/from", json!("2")),
    ] {
        let (messages, counted) = read_page(with(pointer, Some(value)), json!([]), &[]);
        assert!(counted.is_empty(), "{pointer}: {counted:?}");
        let message = &messages[1];
        assert_eq!((message.offset, message.badges.len(), message.emotes.len()), (61, 1, 1), "{pointer}");
    }
}

#[test]
fn other_odd_values_leave_a_cell_empty_and_are_counted() {
    for (pointer, names) in [
        ("/node/createdAt", &["`created_at`"][..]),
        ("/node/commenter/id", &["`user_id`"]),
        ("/node/commenter/login", &["`login`"]),
        ("/node/commenter/displayName", &["`display_name`"]),
        ("/node/message", &["`badges`", "`emotes`", "`text`"]),
        ("/node/message/userBadges", &["`badges`"]),
        ("/node/message/userBadges/0", &["`badges`"]),
        ("/node/message/userBadges/0/setID", &["`badges`"]),
        ("/node/message/fragments", &["`emotes`", "`text`"]),
        ("/node/message/fragments/0", &["`emotes`", "`text`"]),
        ("/node/message/fragments/0/text", &["`text`"]),
        ("/node/message/fragments/1/emote/emoteID", &["`emotes`"]),
        ("/node/message/fragments/1/emote/from", &["`emotes`"]),
    ] {
        for value in [Some(json!(null)), Some(json!(true)), None] {
            if value.is_none() && pointer.ends_with("/0") {
                continue;
            }
            let (messages, counted) = read_page(with(pointer, value.clone()), json!([]), &[]);
            assert_eq!(messages.len(), 3, "{pointer} {value:?}");
            let expected = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
            assert_eq!(counted, expected, "{pointer} {value:?}");
        }
    }
    for (pointer, value, name) in [
        ("/node/createdAt", json!("0001-01-01T00:00:00Z"), "`created_at`"),
        ("/node/createdAt", json!(""), "`created_at`"),
        ("/node/createdAt", json!("yesterday"), "`created_at`"),
        ("/node/message/fragments/1/emote/from", json!(-1), "`emotes`"),
        ("/node/message/userColor", json!([]), "`color`"),
    ] {
        let (messages, counted) = read_page(with(pointer, Some(value.clone())), json!([]), &[]);
        assert_eq!(messages.len(), 3, "{pointer} {value:?}");
        assert_eq!(counted, [(name.to_owned(), 1)].into(), "{pointer}");
        assert!(messages[1].created_at.is_none() == pointer.ends_with("createdAt"));
    }
}

#[test]
fn an_author_that_is_gone_is_counted_as_such() {
    let path = json!(["video", "comments", "edges", 1, "node", "commenter"]);
    for errors in [json!([]), json!([{"message": "service unavailable", "path": path}])] {
        let (messages, counted) = read_page(with("/node/commenter", Some(Value::Null)), errors, &[]);
        assert_eq!(messages[1].commenter, None);
        assert_eq!(counted, [("authors".to_owned(), 1)].into());
    }
    for odd in [Some(json!("x")), None] {
        let (messages, counted) = read_page(with("/node/commenter", odd), json!([]), &[]);
        assert_eq!(messages[1].commenter, Some(Default::default()));
        assert_eq!(counted.into_keys().collect::<Vec<_>>(), ["`display_name`", "`login`", "`user_id`"]);
    }
    // What an error names is missing, also where null may mean that there is none.
    let path = json!(["video", "comments", "edges", 1, "node", "message", "userColor"]);
    let errors = json!([{"message": "service error", "path": path}]);
    let (_, counted) = read_page(with("/node/message/userColor", Some(Value::Null)), errors, &[]);
    assert!(counted["`color`"] >= 1, "{counted:?}");
    let (_, counted) = read_page(with("/node/message/userColor", Some(Value::Null)), json!([]), &[]);
    assert!(counted.is_empty());
}

#[test]
fn a_value_that_no_column_needs_does_not_matter() {
    let (messages, counted) = read_page(with("/node/message", Some(json!(7))), json!([]), &["login", "text"]);
    assert_eq!(messages[1].text, "");
    assert_eq!(counted, [("`text column`".to_owned(), 1)].into());
}
