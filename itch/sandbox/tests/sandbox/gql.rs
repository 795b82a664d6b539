//! `/gql`: authentication, the format of requests, and the data of a video.

use serde_json::{Value, json};

use crate::client::{Client, MOBILE, OTHER, Page, WEB, assert_refused, persisted, raw};

const SHORT: &str = "2700000005";

#[test]
fn a_client_id_of_twitchs_own_is_needed() {
    let client = Client::new();
    let body = persisted(json!({ "videoID": SHORT }));
    for id in [MOBILE, WEB, OTHER] {
        let answer = client.gql_as(id, &body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.header("ratelimit-limit"), None);
        assert_eq!(Page::of(answer.json()).nodes.len(), 59);
    }
    assert_refused(&client.gql_as(itch_sandbox::CLIENT_ID, &body), 400, "The \"Client-ID\" header is invalid.");
    let missing = client.send("POST", "/gql", &[], &body.to_string()).unwrap();
    assert_refused(&missing, 400, "The \"Client-ID\" header is missing from the request.");
    let headers = [("Client-Id", MOBILE), ("Authorization", "OAuth x")];
    let token = client.send("POST", "/gql", &headers, &body.to_string());
    assert_refused(&token.unwrap(), 401, "The \"Authorization\" token is invalid.");
    let get = client.send("GET", "/gql", &headers[..1], "").unwrap();
    assert_refused(&get, 405, "");
    // As the web player sends it.
    let plain = [("Client-ID", WEB), ("Content-Type", "text/plain;charset=UTF-8")];
    let answer = client.send("POST", "/gql", &plain, &body.to_string());
    assert_eq!(answer.unwrap().status, 200);
}

#[test]
fn one_request_may_hold_many_operations() {
    let client = Client::new();
    let one = persisted(json!({ "videoID": SHORT }));
    let two = raw(json!({ "id": "2700000000" }));
    let answers = client.gql(&json!([one, two, one]));
    assert_eq!(answers.as_array().unwrap().len(), 3);
    assert_eq!(answers[1]["data"]["video"]["id"], "2700000000");
    assert_eq!(answers[0]["data"], answers[2]["data"]);
    assert_eq!(client.gql(&json!([])), json!([]));
    let many = |count| Value::from(vec![one.clone(); count]);
    assert_eq!(client.gql(&many(35)).as_array().unwrap().len(), 35);
    assert_eq!(client.gql_as(MOBILE, &many(36)).status, 400);
    for body in ["", "{", "7", "\"x\""] {
        let headers = [("Client-ID", MOBILE)];
        let answer = client.send("POST", "/gql", &headers, body).unwrap();
        assert_eq!(answer.status, 400, "{body}");
    }
    let huge = json!({ "query": "x".repeat(600_000) });
    assert_eq!(client.gql_as(MOBILE, &huge).status, 413);
}

#[test]
fn a_persisted_answer_has_everything_and_a_query_only_what_it_asks() {
    let client = Client::new();
    let whole = client.gql(&persisted(json!({ "videoID": SHORT })));
    let video = &whole["data"]["video"];
    assert_eq!(video["__typename"], "Video");
    assert_eq!(
        video["creator"],
        json!({
            "id": "120000000",
            "channel": { "id": "120000000", "__typename": "Channel" },
            "__typename": "User",
        })
    );
    let edge = &video["comments"]["edges"][0];
    let keys = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(edge), ["cursor", "node", "__typename"]);
    assert_eq!(
        keys(&edge["node"]),
        [
            "id",
            "commenter",
            "contentOffsetSeconds",
            "createdAt",
            "message",
            "__typename"
        ]
    );
    let extensions = &whole["extensions"];
    assert_eq!(extensions["operationName"], "VideoCommentsByOffsetOrCursor");
    assert_eq!(extensions["requestID"].as_str().unwrap().len(), 26);
    assert!(extensions["durationMilliseconds"].is_u64());

    let asked = client.gql(&raw(json!({ "id": SHORT })));
    assert!(!asked.to_string().contains("__typename"));
    let page = Page::of(asked);
    assert_eq!(page.nodes.len(), 100);
    let same = &page.nodes[0];
    assert_eq!(same["id"], edge["node"]["id"]);
    assert_eq!(same["createdAt"], edge["node"]["createdAt"]);

    let size = |first: u32| {
        Page::of(client.gql(&raw(json!({ "id": SHORT, "first": first }))))
            .nodes
            .len()
    };
    assert_eq!((size(7), size(100), size(1_000)), (7, 100, 100));
}

#[test]
fn mistakes_are_errors_of_graphql() {
    let client = Client::new();
    let message = |body: &Value| {
        let answer = client.gql(body);
        assert_eq!(answer.get("data"), None, "{answer}");
        assert!(answer["extensions"].is_object());
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let hash = |hash: &str| json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } });
    assert_eq!(message(&hash("00")), "PersistedQueryNotFound");
    let query = |query: &str| json!({ "query": query });
    for (body, expected) in [
        (json!({}), "Must provide a query string."),
        (query("{ video(id: 1"), "Syntax Error"),
        (query("{ user(login: \"x\") { id } }"), "Cannot query field \"user\""),
        (query("{ video { id } }"), "Argument \"id\" is missing."),
        (
            query("{ video(id: \"2700000005\") { comments { edges { node { message { gif } } } } } }"),
            "Cannot query field \"gif\" on type \"VideoCommentMessage\".",
        ),
        (
            query("{ video(id: \"2700000005\") { comments(first: -1) { edges { cursor } } } }"),
            "Argument \"first\" has invalid value.",
        ),
        (persisted(json!({})), "Variable \"$videoID\" of required type \"ID!\" was not provided."),
    ] {
        let found = message(&body);
        assert!(found.starts_with(expected), "{found}");
    }
    let answer = client.gql(&raw(json!({ "id": SHORT, "after": "eyJpZCI6" })));
    assert_eq!(answer["data"]["video"]["comments"], Value::Null);
    assert_eq!(answer["errors"], json!([{ "message": "invalid cursor", "path": ["video", "comments"] }]));
}

/// The query of lay295/TwitchDownloader, with the fields that ihabunek/twitch-dl adds.
fn facts(client: &Client, id: &str) -> Value {
    let query = format!(
        "query{{video(id:\"{id}\"){{title,thumbnailURLs(height:180,width:320),createdAt,\
         lengthSeconds,owner{{id,displayName,login}},creator{{id}},viewCount,\
         game{{id,displayName,boxArtURL}},description,status,broadcastType,publishedAt}}}}"
    );
    client.gql(&json!({ "query": query, "variables": {} }))["data"]["video"].take()
}

#[test]
fn a_video_tells_its_facts() {
    let client = Client::new();
    let short = facts(&client, SHORT);
    assert_eq!(short["title"], "Five minutes, five hundred comments");
    assert_eq!(short["createdAt"], "2026-09-01T18:00:00Z");
    assert_eq!(short["publishedAt"], short["createdAt"]);
    assert_eq!(short["owner"], json!({ "id": "120000000", "displayName": "Chat_Replays", "login": "chat_replays" }));
    assert_eq!(short["creator"], json!({ "id": "120000000" }));
    assert_eq!(short["game"]["displayName"], "Just Chatting");
    assert_eq!(short["description"], Value::Null);
    assert!(short["viewCount"].is_u64());
    for (id, length, status, kind) in [
        (SHORT, 300, "RECORDED", "ARCHIVE"),
        ("2700000000", 3_600, "RECORDED", "ARCHIVE"),
        ("2700000059", 90, "RECORDED", "HIGHLIGHT"),
        ("2700000060", 21_600, "RECORDED", "ARCHIVE"),
        ("2700000600", 108_000, "RECORDED", "ARCHIVE"),
        ("2700000001", 10_560, "RECORDING", "ARCHIVE"),
        ("80935574", 25_144, "RECORDED", "ARCHIVE"),
    ] {
        let video = facts(&client, id);
        assert_eq!(video["lengthSeconds"], length, "{id}");
        assert_eq!((&video["status"], &video["broadcastType"]), (&json!(status), &json!(kind)));
    }
    let orphan = facts(&client, "2700000009");
    assert_eq!((&orphan["owner"], &orphan["creator"]), (&Value::Null, &Value::Null));
    for id in ["2700000404", "7", "v2700000005", "x", "", "-1"] {
        assert_eq!(facts(&client, id), Value::Null, "{id}");
        let comments = client.gql(&persisted(json!({ "videoID": id })));
        assert_eq!(comments["data"], json!({ "video": null }));
        assert_eq!(comments.get("errors"), None);
    }
}

#[test]
fn helix_and_gql_agree_about_videos() {
    let client = Client::new();
    let mut paths = vec!["videos?user_id=120000000&first=100"];
    paths.push("videos?user_id=76725499&first=5");
    for path in paths {
        let rows = client.get(path).rows();
        assert!(rows.len() >= 5);
        for row in rows {
            let video = facts(&client, row["id"].as_str().unwrap());
            assert_eq!(video["title"], row["title"]);
            assert_eq!(video["createdAt"], row["created_at"]);
            assert_eq!(video["viewCount"], row["view_count"]);
            let kind = row["type"].as_str().unwrap().to_uppercase();
            assert_eq!(video["broadcastType"], kind);
            let length = video["lengthSeconds"].as_u64().unwrap();
            let seconds = format!("{}s", length % 60);
            assert!(row["duration"].as_str().unwrap().ends_with(&seconds));
        }
    }
}

#[test]
fn the_hash_of_a_video_gives_what_the_web_player_reads() {
    let client = Client::new();
    let answer = client.gql(&json!({
        "operationName": "VideoMetadata",
        "variables": { "channelLogin": "", "videoID": SHORT },
        "extensions": { "persistedQuery": {
            "version": 1,
            "sha256Hash": "45111672eea2e507f8ba44d101a61862f9c56b11dee09a15634cb75cb9b9084d"
        } },
    }));
    let video = &answer["data"]["video"];
    assert!(video["lengthSeconds"].as_u64().unwrap() > 0 && video["createdAt"].is_string(), "{answer}");
    assert_eq!(video.get("status"), None);
}
