//! `chat/chatters`, `moderation/moderators`, `channels/vips` and `channels`.

use std::collections::HashSet;

use itch_sandbox::{TOKEN, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES};
use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client};

fn chatters(broadcaster: &str) -> String {
    format!("chat/chatters?broadcaster_id={broadcaster}&moderator_id={BURKEBLACK}&first=1000")
}

fn ids(rows: &[Value]) -> HashSet<&str> {
    rows.iter().map(|row| row["user_id"].as_str().unwrap()).collect()
}

#[test]
fn chatters_are_shown_to_moderators() {
    let client = Client::new();
    let pages = client.pages(&chatters(BURKEBLACK));
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1_000, 1_000, 345]);
    let rows = pages.concat();
    assert_eq!(ids(&rows).len(), 2_345);
    assert_eq!(client.get(&chatters(BURKEBLACK)).json()["total"], 2_345);
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["user_id", "user_login", "user_name"]);
    assert!(ids(&rows).contains(BURKEBLACK));
    let usual = chatters(BURKEBLACK).replace("&first=1000", "");
    assert_eq!(client.get(&usual).rows().len(), 100);

    for (id, count) in [("100000000", 0), ("100000003", 5), ("30000000", 1_000)] {
        let answer = client.get(&chatters(id));
        assert_eq!(answer.rows().len(), count, "{id}");
        assert_eq!(answer.json()["pagination"], json!({}));
    }
    assert_eq!(client.get(&chatters("100000000")).text, r#"{"total":0,"data":[],"pagination":{}}"#);
}

#[test]
fn chatters_are_hidden_from_others() {
    let client = Client::new();
    let own = "The ID in moderator_id must match the user ID found in the request's OAuth token.";
    client.refuses(TOKEN_VIEWER, &chatters(BURKEBLACK), 401, own);
    let forbidden = "The user in the moderator_id query parameter is not one of the \
                     broadcaster's moderators.";
    client.refuses(TOKEN, &chatters("110000000"), 403, forbidden);
    client.refuses(TOKEN, &chatters("999"), 403, forbidden);
    let viewer = format!("chat/chatters?broadcaster_id={BURKEBLACK}&moderator_id=130000000");
    client.refuses(TOKEN_VIEWER, &viewer, 403, forbidden);
    client.refuses(TOKEN_WITHOUT_SCOPES, &chatters(BURKEBLACK), 401, "Missing scope: moderator:read:chatters");
    client.refuses(TOKEN, "chat/chatters?broadcaster_id=1", 400, "Missing required parameter \"moderator_id\"");
    client.refuses(
        TOKEN,
        &chatters(BURKEBLACK).replace("1000", "1001"),
        400,
        "The parameter \"first\" was malformed: the value must be less than or equal to 1000",
    );
}

#[test]
fn moderators_and_vips_are_listed_for_the_own_channel() {
    let client = Client::new();
    let present = client.rows(&chatters(BURKEBLACK));
    for (path, count, scopes) in [
        ("moderation/moderators", 12, "moderation:read or channel:manage:moderators"),
        ("channels/vips", 25, "channel:read:vips or channel:manage:vips"),
    ] {
        let own = format!("{path}?broadcaster_id={BURKEBLACK}");
        let rows = client.rows(&own);
        assert_eq!(ids(&rows).len(), count);
        assert!(!ids(&rows).contains(BURKEBLACK));
        let here = ids(&rows).intersection(&ids(&present)).count();
        assert!(here > count / 2 && here < count, "{here} of {count}");
        let one = format!("{own}&user_id=1&user_id={}", rows[3]["user_id"].as_str().unwrap());
        assert_eq!(client.get(&one).rows(), rows[3..4]);
        let viewers = format!("{path}?broadcaster_id=130000000");
        assert_eq!(client.get_as(TOKEN_VIEWER, &viewers).rows().len(), 0);
        let message = "The ID in broadcaster_id must match the user ID found in the request's OAuth token.";
        client.refuses(TOKEN, &viewers, 401, message);
        client.refuses(TOKEN_WITHOUT_SCOPES, &own, 401, &format!("Missing scope: {scopes}"));
    }
}

#[test]
fn channels_tell_what_they_play() {
    let client = Client::new();
    let rows = client
        .get(&format!("channels?broadcaster_id={BURKEBLACK}&broadcaster_id=100000003&broadcaster_id=1"))
        .rows();
    assert_eq!(rows.len(), 2);
    let row = rows.iter().find(|row| row["broadcaster_id"] == BURKEBLACK).unwrap();
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "broadcaster_id",
            "broadcaster_login",
            "broadcaster_name",
            "broadcaster_language",
            "game_id",
            "game_name",
            "title",
            "delay",
            "tags",
            "content_classification_labels",
            "is_branded_content"
        ]
    );
    let stream = &client.get("streams?user_login=burkeblack").rows()[0];
    assert_eq!((&row["title"], &row["game_id"]), (&stream["title"], &stream["game_id"]));
    client.refuses(TOKEN, "channels", 400, "Missing required parameter \"broadcaster_id\"");
}

#[test]
fn staff_is_told_by_users() {
    let client = Client::new();
    let present = client.rows(&chatters(BURKEBLACK));
    let mut types: Vec<String> = Vec::new();
    for rows in present.chunks(100) {
        let query: Vec<String> = ids(rows).iter().map(|id| format!("id={id}")).collect();
        let users = client.get(&format!("users?{}", query.join("&"))).rows();
        assert_eq!(users.len(), rows.len(), "nobody who is gone is in a chat");
        types.extend(users.iter().map(|user| user["type"].as_str().unwrap().to_owned()));
    }
    types.retain(|kind| !kind.is_empty());
    types.sort();
    assert_eq!(types, ["admin", "global_mod", "staff"]);
}
