//! Answers of GraphQL: which of them are asked for again, which are stored, and under which form they are found.

use itch_api::{ErrorKind, GqlForm, Request};
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::stores::Memory;
use crate::{client, failure, fetch, settings, text};

const PAGE: &str = r#"{"data":{"video":{"comments":{"edges":[{"node":null}],"pageInfo":{"hasNextPage":true}}}}}"#;

fn comments(form: GqlForm) -> Request {
    let variables = serde_json::json!({"videoID": "1", "contentOffsetSeconds": 0});
    Request::gql("video-comments", form, 100, variables)
}

fn video() -> Request {
    Request::gql("video", GqlForm::Persisted, 0, serde_json::json!({"videoID": "1"}))
}

/// Asks for comments; the first answer is the given one.
fn after(status: u16, first: &'static str) -> (Server, Client) {
    let server = Server::start(move |asked| match asked.nth {
        1 => Reply::status(status, first),
        _ => Reply::ok(PAGE),
    });
    let client = client(&server);
    (server, client)
}

#[test]
fn faults_in_every_form_are_asked_for_again() {
    for (status, first) in [
        (200, r#"{"errors":[{"message":"service unavailable"}]}"#),
        (200, r#"{"errors":[{"message":"server error","path":["video"]}],"data":{"video":null}}"#),
        (200, r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#),
        (200, r#"{"data":{"video":null}}"#),
        (200, r#"{"data":{"video":{"comments":{"pageInfo":{}}}}}"#),
        (200, r#"{"data":{"video":{"comments":{"edges":null}}}}"#),
        (200, r#"{"data":{}}"#),
        (200, "{}"),
        (400, r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#),
        (400, r#"{"errors":[{"message":"context deadline exceeded"}]}"#),
        (403, r#"{"errors":[{"message":"service timeout"}]}"#),
        (403, "<html>no</html>"),
    ] {
        let (_server, client) = after(status, first);
        assert_eq!(text(&fetch(&client, comments(GqlForm::Persisted)).unwrap()), PAGE, "{first}");
        assert_eq!(client.counters().retries, 1, "{first}");
    }
}

#[test]
fn refusals_are_final() {
    for (status, first) in [
        (200, r#"{"errors":[{"message":"failed integrity check"}],"data":{"video":{"comments":null}}}"#),
        (403, r#"{"errors":[{"message":"failed integrity check"}]}"#),
        (200, r#"{"errors":[{"message":"Cannot query field \"x\" on type \"Video\"."}]}"#),
        (400, r#"{"error":"Bad Request","status":400,"message":"The \"Client-ID\" header is invalid."}"#),
        (401, r#"{"error":"Unauthorized","status":401,"message":"no"}"#),
    ] {
        let (server, client) = after(status, first);
        let response = fetch(&client, comments(GqlForm::Persisted)).unwrap();
        assert_eq!((text(&response), response.status), (first, status));
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn an_error_beside_good_data_is_nothing() {
    let beside = r#"{"errors":[{"message":"service error","path":["video","comments","edges",0,"node"]}],"data":{"video":{"comments":{"edges":[{"node":null}]}}}}"#;
    let (server, client) = after(200, beside);
    assert_eq!(text(&fetch(&client, comments(GqlForm::Persisted)).unwrap()), beside);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_comes_twice_is_true() {
    for answer in [
        r#"{"data":{"user":null,"video":null}}"#,
        r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#,
    ] {
        let server = Server::start(move |_| Reply::ok(answer));
        let response = fetch(&client(&server), video()).unwrap();
        assert_eq!(text(&response), answer);
        assert_eq!(server.asked().len(), 2);
        // Without another try it is taken as it is.
        let mut settings = settings(&server);
        settings.tries = 1;
        let response = fetch(&Client::new(settings).unwrap(), video()).unwrap();
        assert_eq!(text(&response), answer);
    }
}

#[test]
fn a_fault_that_stays_is_an_error() {
    let server = Server::start(|_| Reply::ok(r#"{"errors":[{"message":"service unavailable"}]}"#));
    let mut settings = settings(&server);
    settings.tries = 2;
    let error = failure(&Client::new(settings).unwrap(), comments(GqlForm::Persisted));
    assert_eq!(error.message, "the gql service answered \"service unavailable\" (2 tries)");
    assert_eq!((error.kind, error.http), (ErrorKind::Service, Some(200)));
}

#[test]
fn the_two_forms_are_sent_as_other_programs_send_them() {
    let server = Server::start(|_| Reply::ok(PAGE));
    let client = client(&server);
    fetch(&client, comments(GqlForm::Persisted)).unwrap();
    fetch(&client, comments(GqlForm::Query)).unwrap();
    let sent = server.asked();
    let sent: Vec<serde_json::Value> = sent
        .iter()
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    let hash = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";
    assert_eq!(
        sent[0],
        serde_json::json!({"operationName": "VideoCommentsByOffsetOrCursor",
            "variables": {"videoID": "1", "contentOffsetSeconds": 0},
            "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}})
    );
    assert_eq!(sent[1]["operationName"], serde_json::Value::Null);
    assert_eq!(sent[1]["variables"]["first"], 100);
}

/// What was stored in one form is found in the other, also when the service is down or not to be asked.
#[test]
fn a_stored_answer_serves_both_forms() {
    let (server, store) = (Server::start(|_| Reply::ok(PAGE)), Memory::default());
    let with = |offline: bool| {
        let mut settings = settings(&server);
        settings.caches = store.named("memory");
        settings.offline = offline;
        Client::new(settings).unwrap()
    };
    fetch(&with(false), comments(GqlForm::Query)).unwrap();
    for offline in [false, true] {
        let client = with(offline);
        let stored = fetch(&client, comments(GqlForm::Persisted)).unwrap();
        assert_eq!(text(&stored), PAGE);
        assert!(stored.from_cache());
        assert_eq!((client.counters().requests, client.counters().cache_hits), (0, 1));
    }
    assert_eq!(server.asked().len(), 1);
    let fresh = comments(GqlForm::Persisted).fresh();
    assert!(!fetch(&with(false), fresh).unwrap().from_cache());
}

#[test]
fn what_does_not_exist_is_never_stored() {
    let (server, store) = (Server::start(|_| Reply::ok(r#"{"data":{"video":null}}"#)), Memory::default());
    let mut settings = settings(&server);
    settings.caches = store.named("memory");
    let client = Client::new(settings).unwrap();
    for request in [video(), comments(GqlForm::Persisted)] {
        fetch(&client, request).unwrap();
    }
    assert_eq!(client.counters().cache_stored, 0);
}
