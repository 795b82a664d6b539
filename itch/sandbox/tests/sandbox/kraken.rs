//! `/kraken/`, and that it agrees with Helix.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client, assert_refused};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// All rows, read like bibby/itch: by adding the cursor to the first path, or by the next link, until a page is empty.
fn walk(client: &Client, path: &str, list: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = format!("/kraken/{path}");
    for _ in 0..10_000 {
        let mut page = client.open(&next).json();
        let Value::Array(mut found) = page[list].take() else {
            panic!("{page}")
        };
        if found.is_empty() {
            assert_eq!(page.get("_cursor"), None);
            assert_eq!(page["_total"], rows.len());
            return rows;
        }
        rows.append(&mut found);
        next = match page["_cursor"].as_str() {
            Some(cursor) => format!("/kraken/{path}&cursor={cursor}"),
            None => {
                let link = page["_links"]["next"].as_str().unwrap();
                link.strip_prefix(&client.sandbox.base_url()).unwrap().to_owned()
            }
        };
    }
    panic!("the list has no end")
}

#[test]
fn users_and_channels_are_found_by_name() {
    let client = Client::new();
    let user = client.open("/kraken/users/BurkeBlack");
    assert_eq!(user.headers["content-type"], "application/json");
    let user = user.json();
    assert_eq!(
        keys(&user),
        [
            "type",
            "name",
            "display_name",
            "created_at",
            "updated_at",
            "_links",
            "logo",
            "_id",
            "bio"
        ]
    );
    assert_eq!((&user["_id"], &user["name"]), (&json!(76_725_499), &json!("burkeblack")));
    let base = client.sandbox.base_url();
    assert_eq!(user["_links"]["self"], format!("{base}/kraken/users/burkeblack"));
    let channel = client.open("/kraken/channels/burkeblack").json();
    assert_eq!(channel["created_at"], user["created_at"]);
    assert_eq!(channel["created_at"], "2012-11-03T19:34:09Z");
    assert_eq!((&channel["followers"], &channel["partner"]), (&json!(250_000), &json!(true)));
    assert_eq!(keys(&channel["_links"]).len(), 9);

    let missing = client.open("/kraken/channels/nobody_at_all");
    assert_refused(&missing, 404, "Channel 'nobody_at_all' does not exist");
    let missing = client.open("/kraken/users/nobody_at_all");
    assert_refused(&missing, 404, "User 'nobody_at_all' does not exist");
    let believed = client.open("/kraken/channels/error_with_200");
    assert_eq!((believed.status, &believed.json()["error"]), (200, &json!("Bad Request")));
    assert_eq!(client.open("/kraken/nothing").status, 404);
    let post = client.send("POST", "/kraken/users/burkeblack", &[], "").unwrap();
    assert_eq!(post.status, 404);
}

#[test]
fn whoever_is_gone_is_unavailable() {
    let client = Client::new();
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}&first=100");
    for page in client.pages(&path).iter().take(80) {
        let query: Vec<String> = page
            .iter()
            .map(|row| format!("id={}", row["user_id"].as_str().unwrap()))
            .collect();
        let users = client.get(&format!("users?{}", query.join("&"))).rows();
        let found: HashSet<&str> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();
        let gone = page
            .iter()
            .find(|row| !found.contains(row["user_id"].as_str().unwrap()));
        if let Some(gone) = gone {
            let login = gone["user_login"].as_str().unwrap();
            let answer = client.open(&format!("/kraken/users/{login}"));
            assert_refused(&answer, 422, &format!("User '{login}' is unavailable"));
            return;
        }
    }
    panic!("nobody is gone");
}

#[test]
fn followers_are_those_of_helix_in_both_directions() {
    let client = Client::new();
    for (login, id) in [
        ("followers_0", "100000000"),
        ("followers_3", "100000003"),
        ("followers_100", "100000100"),
        ("followers_200", "100000200"),
        ("chat_replays", "120000000"),
    ] {
        let helix = client.rows(&format!("channels/followers?broadcaster_id={id}&first=100"));
        for (direction, limit) in [("DESC", "100"), ("desc", "None"), ("ASC", "7")] {
            let path = format!("channels/{login}/follows?direction={direction}&limit={limit}");
            let mut rows = walk(&client, &path, "follows");
            if direction == "ASC" {
                rows.reverse();
            }
            assert_eq!(rows.len(), helix.len());
            for (old, new) in rows.iter().zip(&helix) {
                assert_eq!(old["created_at"], new["followed_at"]);
                assert_eq!(old["user"]["name"], new["user_login"]);
                assert_eq!(old["user"]["_id"].to_string(), new["user_id"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn a_page_of_follows_has_the_old_shape() {
    let client = Client::new();
    let path = "/kraken/channels/burkeblack/follows";
    let page = client.open(&format!("{path}?direction=DESC&limit=None")).json();
    assert_eq!(keys(&page), ["_total", "_cursor", "_links", "follows"]);
    assert_eq!(page["follows"].as_array().unwrap().len(), 25);
    assert_eq!(client.open(path).json()["follows"], page["follows"]);
    let cursor = page["_cursor"].as_str().unwrap();
    assert_eq!(cursor.len(), 19);
    let base = client.sandbox.base_url();
    assert_eq!(page["_links"]["next"], format!("{base}{path}?cursor={cursor}&direction=DESC&limit=25"));
    let row = &page["follows"][0];
    assert_eq!(keys(row), ["created_at", "_links", "notifications", "user"]);
    let name = row["user"]["name"].as_str().unwrap();
    assert_eq!(row["_links"]["self"], format!("{base}/kraken/users/{name}/follows/channels/burkeblack"));
    for bad in ["direction=up", "limit=x", "cursor=7", "offset=2000"] {
        assert_eq!(client.open(&format!("{path}?{bad}")).status, 400, "{bad}");
    }
    let offset = client.open(&format!("{path}?offset=5&limit=1")).json();
    assert_eq!(offset["follows"][0], page["follows"][5]);
}

#[test]
fn the_wave_is_walked_without_loss() {
    let client = Client::new();
    // Many follow in the same second there; a cursor still distinguishes them.
    let path = "/kraken/channels/burkeblack/follows?direction=desc&limit=100";
    let helix = client.pages(&format!("channels/followers?broadcaster_id={BURKEBLACK}&first=100"));
    let mut cursor = String::new();
    for page in &helix[..200] {
        let old = client.open(&format!("{path}{cursor}")).json();
        let names = |rows: &[Value], name: &str| -> Vec<Value> {
            rows.iter().map(|row| row.pointer(name).unwrap().clone()).collect()
        };
        assert_eq!(names(old["follows"].as_array().unwrap(), "/user/name"), names(page, "/user_login"));
        cursor = format!("&cursor={}", old["_cursor"].as_str().unwrap());
    }
}

#[test]
fn followed_channels_are_paged_by_offset() {
    let client = Client::new();
    let helix = client.rows(&format!("channels/followed?user_id={BURKEBLACK}&first=100"));
    let path = "users/burkeblack/follows/channels?direction=DESC&limit=100";
    let rows = walk(&client, path, "follows");
    assert_eq!(rows.len(), 312);
    for (old, new) in rows.iter().zip(&helix) {
        assert_eq!(old["created_at"], new["followed_at"]);
        assert_eq!(old["channel"]["name"], new["broadcaster_login"]);
        assert!(old["channel"]["followers"].as_u64().unwrap() > 0);
    }
    let ascending = walk(&client, &path.replace("DESC", "asc"), "follows");
    assert!(ascending.iter().rev().eq(rows.iter()));
    let page = client.open(&format!("/kraken/{path}")).json();
    assert_eq!(keys(&page), ["_total", "_links", "follows"]);
    let next = page["_links"]["next"].as_str().unwrap();
    assert!(next.ends_with("?direction=DESC&limit=100&offset=100"), "{next}");
    let by_name = walk(&client, &format!("{path}&sortby=login"), "follows");
    assert_eq!(by_name.len(), 312);

    // A follower of a channel has it among the channels they follow.
    let followers = client.rows("channels/followers?broadcaster_id=100000003");
    let login = followers[0]["user_login"].as_str().unwrap();
    let path = format!("users/{login}/follows/channels?limit=25");
    let own = walk(&client, &path, "follows");
    let found = own.iter().find(|row| row["channel"]["name"] == "followers_3").unwrap();
    assert_eq!(found["created_at"], followers[0]["followed_at"]);
    let one = client.open(&format!("/kraken/users/{login}/follows/channels?limit=1&direction=ASC"));
    assert_eq!(one.json()["_total"], own.len());
}

#[test]
fn past_broadcasts_are_the_archives_of_helix() {
    let client = Client::new();
    let helix = client.rows("videos?user_id=120000000&type=archive&first=100");
    let path = "channels/chat_replays/videos?limit=3&broadcasts=true";
    let rows = walk(&client, path, "videos");
    assert_eq!(rows.len(), 8);
    for (old, new) in rows.iter().zip(&helix) {
        assert_eq!(old["_id"], format!("v{}", new["id"].as_str().unwrap()));
        assert_eq!(old["recorded_at"], new["created_at"]);
        let path = format!("/kraken/videos/{}", old["_id"].as_str().unwrap());
        assert_eq!(client.open(&path).json(), *old);
    }
    let highlights = walk(&client, &path.replace("true", "false"), "videos");
    assert_eq!(highlights.len(), 1);
    let usual = client.open("/kraken/channels/burkeblack/videos?broadcasts=true").json();
    assert_eq!(usual["videos"].as_array().unwrap().len(), 10);
    assert_eq!(usual["videos"][0]["status"], "recording");
    let old = client.open("/kraken/videos/v80935574").json();
    assert_eq!((&old["length"], &old["_id"]), (&json!(25_144), &json!("v80935574")));
    for id in ["v7", "80935574", "v080935574", "a80935574"] {
        let message = format!("Video '{id}' does not exist");
        assert_refused(&client.open(&format!("/kraken/videos/{id}")), 404, &message);
    }
}

#[test]
fn a_stream_is_null_while_there_is_none() {
    let client = Client::new();
    let live = client.open("/kraken/streams/burkeblack").json();
    let helix = &client.get("streams?user_login=burkeblack").rows()[0];
    assert_eq!(live["stream"]["_id"].to_string(), helix["id"].as_str().unwrap());
    assert_eq!(live["stream"]["created_at"], helix["started_at"]);
    assert_eq!(live["stream"]["channel"]["name"], "burkeblack");
    let off = client.open("/kraken/streams/followers_3").json();
    assert_eq!(off["stream"], Value::Null);
    assert_eq!(client.open("/kraken/streams/nobody_at_all").status, 404);
}
