//! Authentication, `users`, `channels/followers`, `channels/followed` and `streams`.

use std::collections::HashSet;

use itch_sandbox::{CLIENT_ID, TOKEN, TOKEN_EXPIRED, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES};
use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client, assert_refused};

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_token_is_checked_before_the_parameters() {
    let client = Client::new();
    let get = |headers: &[(&str, &str)]| {
        client
            .send("GET", "/helix/channels/followers?first=x", headers, "")
            .unwrap()
    };
    let bearer = format!("Bearer {TOKEN}");
    let oauth = format!("OAuth {TOKEN}");
    let id = ("Client-Id", CLIENT_ID);
    for (headers, message) in [
        (vec![id], "OAuth token is missing"),
        (vec![id, ("Authorization", &oauth)], "OAuth token is missing"),
        (vec![("Authorization", &bearer)], "Must provide a valid Client-ID or OAuth Token"),
        (vec![id, ("Authorization", "Bearer nonsense")], "Invalid OAuth token"),
        (vec![("CLIENT-ID", "another"), ("Authorization", &bearer)], "Client ID and OAuth token do not match"),
    ] {
        assert_refused(&get(&headers), 401, message);
    }
    client.refuses(TOKEN_EXPIRED, "users", 401, "Invalid OAuth token");
    client.refuses(TOKEN, "channels/followers?first=x", 400, "Missing required parameter \"broadcaster_id\"");
}

#[test]
fn what_does_not_exist_is_refused() {
    let client = Client::new();
    client.refuses(TOKEN, "users/follows?to_id=1", 410, "The API is deprecated.");
    client.refuses(TOKEN, "nothing", 404, "");
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Client-Id", CLIENT_ID), ("Authorization", &bearer)];
    assert_refused(&client.send("POST", "/helix/users", &headers, "").unwrap(), 404, "");
    assert_eq!(client.send("GET", "/", &[], "").unwrap().status, 404);
}

#[test]
fn users_are_found_by_id_and_login_in_no_order_and_once() {
    let client = Client::new();
    let answer = client.get(
        "users?login=burkeblack&id=100000003&login=followers_3&login=nobody_at_all&id=1\
         &id=99999999999999999999&login=followers_100&login=followers_0&login=just_a_viewer",
    );
    let logins: Vec<_> = answer.rows().iter().map(|user| user["login"].clone()).collect();
    let found: HashSet<_> = logins.iter().map(|login| login.as_str().unwrap()).collect();
    let expected = HashSet::from([
        "burkeblack",
        "followers_3",
        "followers_100",
        "followers_0",
        "just_a_viewer",
    ]);
    assert_eq!((found, logins.len()), (expected, 5));
    assert_ne!(
        logins,
        [
            "burkeblack",
            "followers_3",
            "followers_100",
            "followers_0",
            "just_a_viewer"
        ]
    );
    assert_eq!(answer.json().get("pagination"), None);

    let user = &client.get("users?login=burkeblack").rows()[0];
    assert_eq!(
        keys(user),
        [
            "id",
            "login",
            "display_name",
            "type",
            "broadcaster_type",
            "description",
            "profile_image_url",
            "offline_image_url",
            "view_count",
            "email",
            "created_at"
        ]
    );
    assert_eq!((&user["id"], &user["display_name"]), (&json!(BURKEBLACK), &json!("BurkeBlack")));
    assert_eq!(user["created_at"], "2012-11-03T19:34:09Z");

    let own = client.get("users").rows();
    assert_eq!(&own[0], user);
    let without_scope = client.get_as(TOKEN_WITHOUT_SCOPES, "users").rows();
    assert_eq!(without_scope[0].get("email"), None);
    let others = client.get("users?id=100000000").rows();
    assert_eq!(others[0].get("email"), None);
}

#[test]
fn one_malformed_value_spoils_all_users() {
    let client = Client::new();
    let message = "Invalid username(s), email(s), or ID(s). Bad Identifiers.";
    for bad in [
        "login=a-b",
        "login=BurkeBlack",
        "login=",
        "id=1x",
        "id=1,2",
        "login=a%20b",
    ] {
        client.refuses(TOKEN, &format!("users?login=burkeblack&{bad}"), 400, message);
    }
    let too_long = "a".repeat(26);
    client.refuses(TOKEN, &format!("users?login={too_long}"), 400, message);
    let many: String = (0..101).map(|id| format!("&id={id}")).collect();
    assert_eq!(client.get(&format!("users?{}", &many[1..])).status, 400);
}

#[test]
fn followers_are_listed_for_moderators_and_counted_for_all() {
    let client = Client::new();
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}");
    let answer = client.get(&path);
    let rows = answer.rows();
    assert_eq!((rows.len(), &answer.json()["total"]), (20, &json!(250_000)));
    assert_eq!(keys(&rows[0]), ["user_id", "user_login", "user_name", "followed_at"]);
    assert!(answer.cursor().unwrap().starts_with("eyJiIjpudWxsLCJhIjp7"));

    let counted = r#"{"total":250000,"data":[],"pagination":{}}"#;
    assert_eq!(client.get_as(TOKEN_WITHOUT_SCOPES, &path).text, counted);
    assert_eq!(client.get_as(TOKEN_VIEWER, &path).text, counted);
    let foreign = client.get("channels/followers?broadcaster_id=110000000");
    assert_eq!(foreign.text, r#"{"total":4321,"data":[],"pagination":{}}"#);
    let own = client.get_as(TOKEN_VIEWER, "channels/followers?broadcaster_id=130000000");
    assert_eq!(own.rows().len(), 12);
    let unknown = client.get("channels/followers?broadcaster_id=999");
    assert_eq!(unknown.text, r#"{"total":0,"data":[],"pagination":{}}"#);
}

#[test]
fn one_follower_can_be_asked_for() {
    let client = Client::new();
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}");
    let row = client.get(&path).rows()[7].clone();
    let asked = format!("{path}&user_id={}", row["user_id"].as_str().unwrap());
    let answer = client.get(&asked);
    assert_eq!(answer.rows(), [row]);
    assert_eq!(answer.json()["pagination"], json!({}));
    assert_eq!(client.get(&format!("{path}&user_id=100000000")).rows(), [] as [Value; 0]);
    let scope = "Missing scope: moderator:read:followers";
    client.refuses(TOKEN_WITHOUT_SCOPES, &asked, 401, scope);
    let own = "The ID in broadcaster_id must match the user ID found in the request's OAuth token.";
    client.refuses(TOKEN_VIEWER, &asked, 401, own);
}

#[test]
fn parameters_of_paging_are_checked() {
    let client = Client::new();
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}");
    let refuses = |query: &str, message: &str| {
        client.refuses(TOKEN, &format!("{path}{query}"), 400, message);
    };
    let first = "The parameter \"first\" was malformed: ";
    refuses("&first=101", &format!("{first}the value must be less than or equal to 100"));
    refuses("&first=0", &format!("{first}the value must be greater than or equal to 1"));
    refuses("&first=-1", &format!("{first}the value must be greater than or equal to 1"));
    refuses("&first=ten", &format!("{first}value must be a numeric"));
    refuses("&user_id=x", "The parameter \"user_id\" was malformed: value must be a numeric");
    client.refuses(
        TOKEN,
        "channels/followers?broadcaster_id=1,2",
        400,
        "The parameter \"broadcaster_id\" was malformed: value must be a numeric",
    );
    assert_eq!(client.get(&format!("{path}&first=1")).rows().len(), 1);
    assert_eq!(client.get(&format!("{path}&first=100")).rows().len(), 100);
}

#[test]
fn a_cursor_fits_its_own_list_only() {
    let client = Client::new();
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}");
    let cursor = client.get(&path).cursor().unwrap();
    let foreign = format!("channels/followers?broadcaster_id=30000000&after={cursor}");
    client.refuses(TOKEN, &foreign, 400, "Invalid cursor.");
    let other_endpoint = format!("channels/followed?user_id={BURKEBLACK}&after={cursor}");
    client.refuses(TOKEN, &other_endpoint, 400, "Invalid cursor.");
    for tampered in ["x".to_owned(), cursor.to_lowercase(), format!("{cursor}A")] {
        client.refuses(TOKEN, &format!("{path}&after={tampered}"), 400, "Invalid cursor.");
    }
    // The page size may change between pages.
    let next = client.get(&format!("{path}&first=3&after={cursor}")).rows();
    let all = client.get(&format!("{path}&first=100")).rows();
    assert_eq!(next, all[20..23]);
}

#[test]
fn lists_end_where_they_should() {
    let client = Client::new();
    for (id, sizes) in [
        ("100000000", vec![0]),
        ("100000003", vec![3]),
        ("100000100", vec![100]),
        ("100000200", vec![100, 100]),
    ] {
        let pages = client.pages(&format!("channels/followers?broadcaster_id={id}&first=100"));
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{id}");
    }
    let last = client.get("channels/followers?broadcaster_id=100000003");
    assert!(last.text.ends_with(r#"],"pagination":{}}"#), "{}", last.text);
}

#[test]
fn followed_channels_are_shown_to_their_owner_only() {
    let client = Client::new();
    let path = format!("channels/followed?user_id={BURKEBLACK}");
    let rows = client.rows(&format!("{path}&first=100"));
    assert_eq!(rows.len(), 312);
    assert_eq!(client.get(&path).json()["total"], 312);
    assert_eq!(keys(&rows[0]), ["broadcaster_id", "broadcaster_login", "broadcaster_name", "followed_at"]);
    assert!(rows.is_sorted_by(|a, b| a["followed_at"].as_str() >= b["followed_at"].as_str()));
    let ids: HashSet<_> = rows.iter().map(|row| row["broadcaster_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 312);

    let id = rows[5]["broadcaster_id"].as_str().unwrap();
    assert_eq!(client.get(&format!("{path}&broadcaster_id={id}")).rows(), rows[5..6]);
    let viewers = client
        .get_as(TOKEN_VIEWER, "channels/followed?user_id=130000000")
        .rows();
    assert!(viewers.iter().any(|row| row["broadcaster_login"] == "burkeblack"));

    client.refuses(TOKEN, "channels/followed", 400, "Missing required parameter \"user_id\"");
    client.refuses(TOKEN_WITHOUT_SCOPES, &path, 401, "Missing scope: user:read:follows");
    let message = "The ID in user_id must match the user ID found in the request's OAuth token.";
    client.refuses(TOKEN_VIEWER, &path, 401, message);
}

#[test]
fn streams_are_those_that_are_live_now() {
    let client = Client::new();
    let rows = client.get("streams").rows();
    let logins: Vec<_> = rows.iter().map(|row| row["user_login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["followers_10m", "burkeblack", "chat_replays"]);
    assert_eq!(client.rows("streams?first=1"), rows);

    for query in [
        "user_login=burkeblack&user_login=followers_3".to_owned(),
        format!("user_id={BURKEBLACK}&type=live"),
        format!("game_id={}", rows[1]["game_id"].as_str().unwrap()),
    ] {
        let found = client.get(&format!("streams?{query}")).rows();
        assert!(found.contains(&rows[1]), "{query}");
    }
    let archive = &client.get(&format!("videos?user_id={BURKEBLACK}&first=1")).rows()[0];
    assert_eq!(archive["stream_id"], rows[1]["id"]);
    assert_eq!(archive["created_at"], rows[1]["started_at"]);
    assert_eq!(client.get("streams?user_login=followers_3").rows().len(), 0);
    assert_eq!(client.get("streams?language=de").rows().len(), 0);
    for bad in ["user_login=A", "user_id=x", "type=dead", "before=x", "game_id=x"] {
        assert_eq!(client.get(&format!("streams?{bad}")).status, 400, "{bad}");
    }
}
