//! The rate limit, and the count of requests.

use itch_sandbox::{Options, TOKEN, TOKEN_VIEWER};
use serde_json::json;

use crate::client::{Client, assert_refused};

const HEADERS: [&str; 3] = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

#[test]
fn every_answer_tells_what_is_left() {
    let client = Client::with(Options::default());
    for (index, path) in ["users", "videos", "nothing", "users/follows"].iter().enumerate() {
        let answer = client.get(path);
        assert_eq!(answer.header("ratelimit-limit"), Some(800));
        let remaining = answer.header("ratelimit-remaining").unwrap();
        assert!((799 - index as u64..=799).contains(&remaining), "{path}");
        assert!(answer.header("ratelimit-reset").unwrap() > 1_700_000_000);
    }
    let refused = client.get_as("nonsense", "users");
    assert!(HEADERS.iter().all(|name| refused.header(name).is_none()));
}

#[test]
fn the_limit_is_enforced_per_user() {
    let client = Client::with(Options {
        rate_limit: Some(3),
        ..Options::default()
    });
    for remaining in [2, 1, 0] {
        assert_eq!(client.get("users").header("ratelimit-remaining"), Some(remaining));
    }
    let answer = client.get("users");
    assert_refused(&answer, 429, "Request limit exceeded");
    assert_eq!(answer.header("ratelimit-remaining"), Some(0));
    assert_eq!(client.get_as(TOKEN_VIEWER, "users").status, 200);
}

#[test]
fn without_a_limit_there_are_no_headers() {
    let answer = Client::new().get("users");
    assert!(HEADERS.iter().all(|name| answer.header(name).is_none()));
}

#[test]
fn requests_are_counted_by_path() {
    let client = Client::with(Options {
        rate_limit: Some(1),
        ..Options::default()
    });
    let counts = || client.send("GET", "/sandbox/requests", &[], "").unwrap().text;
    assert_eq!(counts(), r#"{"total":0,"by_path":{}}"#);
    client.get_as(TOKEN, "users?id=1");
    client.get_as(TOKEN, "users?id=2");
    client.get_as("nonsense", "videos");
    client.get_as(TOKEN, "no/such/path");
    client.send("GET", "/oauth2/validate", &[], "").unwrap();
    let counts: serde_json::Value = serde_json::from_str(&counts()).unwrap();
    assert_eq!(
        counts,
        json!({ "total": 5, "by_path": {
            "/helix/users": 2, "/helix/videos": 1, "/oauth2/validate": 1, "other": 1,
        } })
    );
}
