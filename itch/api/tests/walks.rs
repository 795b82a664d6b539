//! Walks over pages and the domain layer, over a transport with scripted answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod script;

use std::sync::Arc;

use itch_api::serde_json::{Value, json};
use itch_api::{ErrorKind, Fact, Page, Request, Result, Sift};
use script::Script;

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
    let moved = Fact::Moved {
        what: "things".to_owned(),
        by: 1,
    };
    assert_eq!(script.facts(), [expected(5), expected(5), moved]);
    assert!(script.discarded().is_empty());
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
    assert_eq!(script.discarded(), ["helix x?first=1", "helix x?first=1&after=b"]);
}

fn is_gap(facts: &[Fact], words: &str) -> bool {
    matches!(facts, [Fact::Gap { reason, .. }] if reason.contains(words))
}

#[test]
fn an_empty_page_with_a_cursor_is_followed_once() {
    let script = Script::new([
        page(0..1, 9, Some("a")),
        page(1..1, 9, Some("b")),
        page(1..1, 9, Some("b")),
        page(1..2, 9, Some("c")),
        page(2..2, 9, Some("d")),
        page(2..2, 9, Some("d")),
        page(2..2, 9, Some("e")),
        page(2..2, 9, Some("e")),
    ]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..2));
    assert!(is_gap(&script.facts(), "page 5 was empty"), "{:?}", script.facts());
    let empty = page(1..1, 1, Some("b"));
    let script = Script::new([page(0..1, 1, Some("a")), empty.clone(), empty, page(1..1, 1, None)]);
    walk(script.api().pages(Request::helix("x"), 1));
    assert_eq!(script.facts(), []);
    // An empty page that is not empty when it is asked for again.
    let script = Script::new([page(0..1, 2, Some("a")), page(1..1, 2, Some("b")), page(1..2, 2, None)]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..2));
    assert_eq!(script.facts(), []);
}

#[test]
fn a_list_that_repeats_for_ever_ends_after_ten_pages() {
    let cursor = |n: u32| Some(["c", &n.to_string()].concat());
    let pages = |repeated: u32, then: Value| {
        let first = [page(0..3, 9, Some("a")), page(3..5, 9, Some("b"))];
        let again = (0..repeated).map(|n| page(n % 3..n % 3 + 1, 9, cursor(n).as_deref()));
        Script::new(first.into_iter().chain(again).chain([then]).collect::<Vec<_>>())
    };
    let walk_of = |script: &Arc<Script>| ids(&walk(script.api().pages(Request::helix("x"), 3).unique_by("id")));
    let script = pages(10, Value::Null);
    assert_eq!(walk_of(&script), numbers(0..5));
    let facts: Vec<Fact> = script
        .facts()
        .into_iter()
        .filter(|fact| !matches!(fact, Fact::Repeated { .. }))
        .collect();
    assert!(is_gap(&facts, "10 pages in a row"), "{facts:?}");
    for repeated in [3, 9] {
        let script = pages(repeated, page(5..6, 9, None));
        assert_eq!(walk_of(&script), numbers(0..6));
        assert!(
            script
                .facts()
                .iter()
                .all(|fact| matches!(fact, Fact::Repeated { n: 1 }))
        );
    }
}

#[test]
fn a_row_that_comes_again_much_later_is_a_repeat() {
    let mut pages: Vec<Value> = (0..40).map(|n| page(n..n + 1, 41, Some(&format!("c{n}")))).collect();
    pages.push(page(0..1, 41, Some("d")));
    // Every page is full, so the last one is asked for again.
    pages.extend([page(40..41, 41, None), page(40..41, 41, None)]);
    let script = Script::new(pages);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1).unique_by("id"))), numbers(0..41));
    assert_eq!(script.facts(), [Fact::Repeated { n: 1 }]);
}

#[test]
fn a_full_page_without_a_next_one_is_asked_again() {
    let script = Script::new([page(0..2, 4, None), page(0..2, 4, Some("a")), page(2..3, 4, None)]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 2).unique_by("id"))), numbers(0..3));
    assert_eq!(script.asked(), ["helix x?first=2", "helix x?first=2", "helix x?first=2&after=a"]);
    assert_eq!(script.facts(), []);
}

#[test]
fn after_a_refused_cursor_the_page_that_named_it_is_fetched_again() {
    let refused = || (400, json!({"error": "Bad Request", "status": 400, "message": "Invalid cursor."}));
    let good = |page: Value| (200, page);
    let script = Script::with([
        good(page(0..1, 3, Some("a"))),
        good(page(1..2, 3, Some("bad"))),
        refused(),
        good(page(1..2, 3, Some("b"))),
        good(page(2..3, 3, None)),
        good(page(2..3, 3, None)),
    ]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1).unique_by("id"))), numbers(0..3));
    assert_eq!(
        script.asked()[2..5],
        [
            "helix x?first=1&after=bad",
            "helix x?first=1&after=a",
            "helix x?first=1&after=b"
        ]
    );
    assert_eq!(script.discarded(), ["helix x?first=1&after=a"]);
    // Once: the second refusal is the error.
    let script = Script::with([
        good(page(0..1, 3, Some("bad"))),
        refused(),
        good(page(0..1, 3, Some("bad"))),
        refused(),
    ]);
    let mut pages = script.api().pages(Request::helix("x"), 1).unique_by("id");
    assert!(pages.next_page().unwrap().is_ok());
    assert!(std::iter::from_fn(|| pages.next_page()).last().unwrap().is_err());
}

#[test]
fn a_page_that_cannot_be_read_is_fetched_again() {
    for odd in [
        json!({"data": null}),
        json!({"total": 1}),
        json!({"data": {}}),
        json!({"data": [], "pagination": []}),
        json!([]),
    ] {
        let script = Script::new([page(0..1, 2, Some("a")), odd.clone(), odd.clone(), page(1..2, 2, None)]);
        assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..2), "{odd}");
        assert_eq!(script.facts(), []);
        assert_eq!(script.asked()[1..], ["helix x?first=1&after=a"; 3]);
        assert_eq!(script.discarded(), ["helix x?first=1&after=a"; 2]);
    }
}

#[test]
fn rows_of_a_page_whose_end_cannot_be_read_are_kept() {
    let odd = json!({"data": [{"id": "0"}], "pagination": {"cursor": []}});
    let script = Script::new([odd.clone(), odd.clone(), odd]);
    assert_eq!(ids(&walk(script.api().pages(Request::helix("x"), 1))), numbers(0..1));
    assert!(is_gap(&script.facts(), "the end of page 1 could not be read"));
}

#[test]
fn a_list_that_ends_too_early_is_asked_again() {
    let script = Script::new([
        page(0..1, 3, Some("a")),
        page(1..2, 3, None),
        page(1..2, 3, Some("b")),
        page(2..3, 3, None),
    ]);
    let walk_of = |script: &Arc<Script>| {
        let pages = script
            .api()
            .pages(Request::helix("x"), 1)
            .unique_by("id")
            .expect("things");
        ids(&walk(pages))
    };
    assert_eq!(walk_of(&script), numbers(0..3));
    let script = Script::new([page(0..2, 3, None), page(0..2, 3, None)]);
    assert_eq!(walk_of(&script), numbers(0..2));
    assert_eq!(script.discarded().len(), 2);
}

#[test]
fn a_total_that_cannot_be_read_is_said() {
    let script = Script::new([json!({"data": [{"id": "0"}], "total": "many"})]);
    walk(script.api().pages(Request::helix("x"), 1).expect("things"));
    let facts = script.facts();
    assert!(matches!(&facts[..], [Fact::Unreadable { what, n: 1, .. }] if what == "`total`"), "{facts:?}");
    let script = Script::new([
        json!({"data": [{"id": "0"}], "total": null, "pagination": {"cursor": "a"}}),
        page(1..2, 2, None),
    ]);
    walk(script.api().pages(Request::helix("x"), 1).expect("things"));
    assert!(matches!(&script.facts()[..], [Fact::Expected { n: 2, .. }]));
}

#[test]
fn a_row_without_its_key_costs_only_itself() {
    let rows = json!([{"id": "0"}, {"id": null}, null, {"id": 1}, {"id": ""}, {"id": ""}, {"id": {"a": 1}}]);
    let script = Script::new([json!({"data": rows})]);
    let pages = walk(script.api().pages(Request::helix("x"), 10).unique_by("id"));
    assert_eq!(pages[0].places, [1, 4, 5, 6]);
    let facts = script.facts();
    let [Fact::Unreadable { what, n: 3, examples }] = &facts[..] else {
        panic!("{facts:?}");
    };
    assert_eq!(what, "rows");
    assert_eq!(examples[0], "`x` page 1, row 2, `id`: null");
}

#[test]
fn rows_without_a_key_are_repeats_where_their_page_comes_again() {
    let rows = |cursor: &str| {
        let blank = |at: u32| json!({"id": "", "at": at});
        let data = json!([{"id": "0"}, blank(1), blank(1), blank(2)]);
        json!({"data": data, "pagination": {"cursor": cursor}})
    };
    let script = Script::new([rows("a"), rows("b"), page(1..2, 5, None)]);
    let kept = walk(script.api().pages(Request::helix("x"), 10).unique_by("id"));
    assert_eq!(kept.iter().map(|page| page.rows.len()).sum::<usize>(), 5);
    assert_eq!(script.facts(), [Fact::Repeated { n: 4 }]);
}

#[test]
fn a_page_with_more_rows_than_the_largest_comes_in_parts() {
    let script = Script::new([page(0..130, 131, Some("a")), page(130..131, 131, None)]);
    let pages = walk(
        script
            .api()
            .pages(Request::helix("x"), 100)
            .unique_by("id")
            .expect("things"),
    );
    let sizes: Vec<(u64, usize)> = pages.iter().map(|page| (page.number, page.rows.len())).collect();
    assert_eq!(sizes, [(0, 100), (0, 30), (1, 1)]);
    assert_eq!(pages[1].places[0], 101);
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
}

#[test]
fn an_answer_without_rows_is_an_error_and_the_end() {
    let script = Script::new([json!({"message": "hello"}), json!([]), json!({"data": null})]);
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
    let script = Script::new([page(0..5, 9, Some("a")), page(6..8, 9, Some("b"))]);
    let pages = script
        .api()
        .pages(Request::helix("x"), 5)
        .expect("things")
        .sift(|row| match row["id"].as_str() {
            Some("0") => Sift::Skip,
            Some("1" | "2" | "4") => Sift::Keep,
            _ => Sift::Stop,
        });
    // A row out of order does not end the walk, a page without any row that is kept does.
    assert_eq!(ids(&walk(pages)), ["1", "2", "4"]);
    assert_eq!(script.asked().len(), 2);
    assert_eq!(script.facts(), []);
}

#[test]
fn a_sieve_that_did_not_end_the_walk_leaves_the_rest_expected() {
    let script = Script::new([page(0..5, 9, None), page(0..5, 9, None)]);
    let pages = script
        .api()
        .pages(Request::helix("x"), 5)
        .unique_by("id")
        .expect("things");
    let pages = pages.sift(|row| if row["id"] == "0" { Sift::Skip } else { Sift::Keep });
    assert_eq!(ids(&walk(pages)), numbers(1..5));
    assert!(matches!(&script.facts()[..], [Fact::Expected { n: 8, .. }]), "{:?}", script.facts());
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
    let script = Script::new([json!({"data": []}), json!({"data": []})]);
    let error = script.api().channel(&"Nobody".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("`Nobody`"));
}

#[test]
fn a_look_up_that_is_refused_is_halved() {
    let script = Script::default();
    let bad = json!({"error": "Bad Request", "status": 400, "message": "Invalid login names"});
    *script.answers.lock().unwrap() = [
        (400, bad.clone()),
        (400, bad.clone()),
        (200, json!({"data": [user(3), user(4)]})),
        (200, json!({"data": [user(1)]})),
        (400, bad.clone()),
        (400, bad),
    ]
    .into();
    let script = Arc::new(script);
    let names = ["user1", "odd", "user3", "user4"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    let found = script
        .api()
        .channels(names)
        .map(|lookup| lookup.unwrap().channel.map(|c| c.id));
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(found.collect::<Vec<_>>(), [id("1"), None, id("3"), id("4")]);
    assert_eq!(
        script.asked()[1..],
        [
            "helix users?login=user1&login=odd",
            "helix users?login=user3&login=user4",
            "helix users?login=user1",
            "helix users?login=odd",
        ]
    );
}

#[test]
fn odd_fields_of_a_follower_leave_cells_empty() {
    let script = Script::new([
        json!({"data": [user(9)]}),
        json!({"data": [
            {"user_id": 1, "user_login": null, "user_name": [], "followed_at": ""},
            {"user_id": "2", "user_login": "user2", "user_name": "U", "followed_at": "0001-01-01T00:00:00Z"},
            {"user_id": "", "user_login": "", "user_name": "", "followed_at": "2026-05-20T21:14:33Z"},
            follower(3),
        ], "total": 4, "pagination": {}}),
        json!({"data": [user(2), {"id": "1", "created_at": null}, user(3)]}),
    ]);
    let api = script.api();
    let channel = api.channel(&"user9".parse().unwrap()).unwrap();
    let follows = api.followers(&channel).with_created().start().unwrap();
    let follows: Vec<_> = follows.map(Result::unwrap).collect();
    assert_eq!(follows.len(), 4);
    assert_eq!(script.asked()[2], "helix users?id=1&id=2&id=3");
    let unreadable: Vec<(String, u64)> = script
        .facts()
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Unreadable { what, n, .. } => Some((what, n)),
            _ => None,
        })
        .collect();
    let of = |what: &str, n| (what.to_owned(), n);
    assert_eq!(
        unreadable,
        [
            of("`created_at`", 1),
            of("`display_name`", 1),
            of("`followed_at`", 2),
            of("`login`", 1)
        ]
    );
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
