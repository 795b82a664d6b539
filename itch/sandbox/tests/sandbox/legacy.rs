//! `/tmi/`, `/rechat/` and `/loots/`, and the faults of the old services.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client, Page, assert_refused, raw};

fn window(client: &Client, video: &str, start: i64) -> Value {
    client
        .open(&format!("/rechat/rechat-messages?video_id={video}&start={start}"))
        .json()
}

/// All messages, read like bibby/itch, and how many were in two windows.
fn rechat(client: &Client, video: &str) -> (Vec<Value>, usize) {
    let refused = window(client, video, 0);
    let detail = refused["errors"][0]["detail"].as_str().unwrap();
    let words: Vec<&str> = detail.split(' ').collect();
    let [_, "is", "not", "between", start, "and", end] = words[..] else {
        panic!("{detail}")
    };
    let (mut start, end) = (start.parse().unwrap(), end.parse().unwrap());
    let (mut messages, mut repeated) = (Vec::new(), 0);
    let mut before: HashSet<String> = HashSet::new();
    while start <= end {
        let mut page = window(client, video, start);
        let Value::Array(data) = page["data"].take() else {
            panic!("{page}")
        };
        let ids: HashSet<String> = data.iter().map(|row| row["id"].to_string()).collect();
        for row in data {
            if before.contains(&row["id"].to_string()) {
                repeated += 1;
            } else {
                messages.push(row);
            }
        }
        before = ids;
        start += 30;
    }
    (messages, repeated)
}

#[test]
fn a_whole_chat_is_replayed_in_windows() {
    let client = Client::new();
    for (video, count) in [("v80935574", 4_000), ("v2700000005", 500), ("v2700000000", 0)] {
        let (messages, repeated) = rechat(&client, video);
        assert_eq!(messages.len(), count, "{video}");
        assert_eq!(repeated > 0, count > 0);
        let ids: HashSet<String> = messages.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.len(), count);
        assert!(messages.is_sorted_by_key(|row| row["attributes"]["timestamp"].as_i64()));
        for row in &messages {
            assert!(row["attributes"]["tags"]["subscriber"].is_boolean());
            assert!(row["links"]["self"].is_string());
        }
        let text = |row: &Value| row["attributes"]["message"].as_str().unwrap().to_owned();
        assert_eq!(messages.iter().any(|row| !text(row).is_ascii()), count > 0);
    }
}

#[test]
fn rechat_and_gql_tell_the_same() {
    let client = Client::new();
    let (messages, _) = rechat(&client, "v2700000005");
    let page = Page::of(client.gql(&raw(json!({ "id": "2700000005" }))));
    for (old, new) in messages.iter().zip(&page.nodes) {
        let attributes = &old["attributes"];
        let fragments = new["message"]["fragments"].as_array().unwrap();
        let text: String = fragments.iter().map(|part| part["text"].as_str().unwrap()).collect();
        assert_eq!(attributes["message"], text);
        let offset = attributes["video-offset"].as_u64().unwrap();
        assert_eq!(new["contentOffsetSeconds"], offset / 1_000);
        assert_eq!(attributes["timestamp"], 1_788_285_600_000 + offset);
        // Accounts that are gone now existed then.
        if !new["commenter"].is_null() {
            assert_eq!(attributes["from"], new["commenter"]["login"]);
        }
        let with_emotes = fragments.iter().filter(|part| !part["emote"].is_null()).count();
        let emotes = &attributes["tags"]["emotes"];
        let places = emotes.as_object().into_iter().flat_map(|all| all.values());
        let places: usize = places.map(|places| places.as_array().unwrap().len()).sum();
        assert_eq!(places, with_emotes);
    }
}

#[test]
fn rechat_refuses_in_its_own_way() {
    let client = Client::new();
    let answer = client.open("/rechat/rechat-messages?video_id=v80935574&start=0");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.text, r#"{"errors":[{"status":400,"detail":"0 is not between 1469108651 and 1469133795"}]}"#);
    let last = window(&client, "v80935574", 1_469_133_795);
    assert!(last["data"].is_array());
    let after = window(&client, "v80935574", 1_469_133_796);
    assert_eq!(after["errors"][0]["status"], 400);
    let unknown = client.open("/rechat/rechat-messages?video_id=v7&start=0");
    let detail = unknown.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert_eq!((unknown.status, detail.split(' ').count()), (404, 8));
    for query in ["", "?video_id=v80935574", "?video_id=v80935574&start=x"] {
        let answer = client.open(&format!("/rechat/rechat-messages{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["errors"].is_array());
    }
}

#[test]
fn chatters_have_roles() {
    let client = Client::new();
    let body = client.open("/tmi/group/user/burkeblack/chatters").json();
    assert_eq!((&body["_links"], &body["chatter_count"]), (&json!({}), &json!(2_345)));
    let roles = body["chatters"].as_object().unwrap();
    let names: Vec<&String> = roles.keys().collect();
    assert_eq!(
        names,
        [
            "broadcaster",
            "vips",
            "moderators",
            "staff",
            "admins",
            "global_mods",
            "viewers"
        ]
    );
    let count = |role: &str| roles[role].as_array().unwrap().len();
    let sizes: Vec<usize> = names.iter().map(|role| count(role)).collect();
    assert_eq!(sizes[..6], [1, 19, 9, 1, 1, 1]);
    assert_eq!(sizes.iter().sum::<usize>(), 2_345);
    // Helix returns the same people, without their roles.
    let helix = client.rows(&format!("chat/chatters?broadcaster_id={BURKEBLACK}&moderator_id={BURKEBLACK}&first=1000"));
    let new: HashSet<&Value> = helix.iter().map(|row| &row["user_login"]).collect();
    let old: HashSet<&Value> = roles.values().flat_map(|role| role.as_array().unwrap()).collect();
    assert_eq!(old, new);
    for login in ["followers_0", "nobody_at_all"] {
        let body = client.open(&format!("/tmi/group/user/{login}/chatters")).json();
        assert_eq!(body["chatter_count"], 0);
        assert_eq!(body["chatters"].as_object().unwrap().len(), 7);
    }
}

#[test]
fn streams_are_told_with_one_slash_or_two_and_keys_in_any_order() {
    let client = Client::new();
    let ask = |slashes: &str, search: &str| {
        let search: String = search.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/loots/api/v1{slashes}search/channels/76725499/streams?json={search}");
        client.open(&path)
    };
    let one = r#"{"offset": 0, "limit": 500, "sort_key": "_t", "sort_order": "desc"}"#;
    let other = r#"{"sort_order":"desc","sort_key":"_t","limit":500,"offset":0}"#;
    let rows = ask("//", one).rows();
    assert_eq!(rows.len(), 500);
    assert_eq!(ask("/", other).rows(), rows);
    let archives = client.rows(&format!("videos?user_id={BURKEBLACK}&type=archive&first=100"));
    assert_eq!(rows[0]["t_end"], Value::Null);
    let (mut numbers, mut dates) = (0, 0);
    for (old, new) in rows.iter().zip(&archives) {
        match &old["t_start"] {
            Value::String(date) => {
                assert_eq!(*date, new["created_at"].as_str().unwrap());
                dates += 1;
            }
            number => {
                assert!(number.as_i64().unwrap() > 1_500_000_000);
                numbers += 1;
            }
        }
    }
    assert!(numbers > 350 && dates > 30, "{numbers} {dates}");
    let few = ask("//", r#"{"limit":3,"offset":2,"sort_order":"desc"}"#).rows();
    assert_eq!(few, rows[2..5]);
    let oldest = ask("//", r#"{"limit":1,"sort_order":"asc"}"#).rows();
    assert!(oldest[0]["_t"].as_i64() < rows[499]["_t"].as_i64());
    for bad in ["{", r#"{"limit":"x"}"#, r#"{"sort_key":"x"}"#, r#"{"sort_order":"x"}"#] {
        assert_eq!(ask("//", bad).status, 400, "{bad}");
    }
    let none = client.open("/loots/api/v1//search/channels/7/streams").rows();
    assert_eq!(none.len(), 0);
}

#[test]
fn the_variables_lead_to_every_service() {
    let client = Client::new();
    let environment = client.sandbox.environment();
    let base = |name: &str| {
        let (_, url) = environment.iter().find(|(found, _)| *found == name).unwrap();
        url.strip_prefix(&client.sandbox.base_url()).unwrap().to_owned()
    };
    for path in [
        base("TWITCH_KRAKEN_URL") + "/channels/burkeblack",
        base("TWITCH_TMI_URL") + "/group/user/burkeblack/chatters",
        base("TWITCH_RECHAT_URL") + "?video_id=v80935574&start=1469108651",
        base("TWITCH_LOOTS_URL") + "/search/channels/76725499/streams?json=%7B%7D",
    ] {
        assert_eq!(client.open(&path).status, 200, "{path}");
    }
    assert_eq!(base("TWITCH_GQL_URL"), "/gql");
}

#[test]
fn faults_strike_the_old_services_too() {
    let paths = [
        "/kraken/users/burkeblack",
        "/tmi/group/user/burkeblack/chatters",
        "/rechat/rechat-messages?video_id=v80935574&start=0",
        "/loots/api/v1//search/channels/1/streams",
    ];
    for path in paths {
        assert_refused(&Client::with_faults("500=1").open(path), 500, "");
        let limited = Client::with_faults("429=1").open(path);
        assert_refused(&limited, 429, "Request limit exceeded");
        let cut = Client::with_faults("cut=1").send("GET", path, &[], "");
        assert!(cut.is_err());
        let believed = Client::with_faults("legacy-200-error=1").open(path);
        assert_eq!(believed.status, 200);
        assert_eq!(believed.text, r#"{"error":"Service Unavailable","status":503,"message":""}"#);
        let spared = Client::with_faults("gql-null=1,expired=1").open(path);
        assert!(spared.status == 200 || spared.json()["errors"].is_array());
    }
    let helix = Client::with_faults("legacy-200-error=1,gql-data-null=1");
    assert_eq!(helix.get("users").rows().len(), 1);
}

#[test]
fn requests_are_counted_by_what_they_are_for() {
    let client = Client::new();
    for path in [
        "/kraken/users/a",
        "/kraken/users/b",
        "/kraken/channels/a/follows",
        "/tmi/group/user/x/chatters",
        "/rechat/rechat-messages",
        "/loots/api/v1//search/channels/1/streams",
        "/kraken/nothing",
    ] {
        client.open(path);
    }
    client.gql(&raw(json!({ "id": "7" })));
    let counts = client.open("/sandbox/requests").json();
    assert_eq!(
        counts["by_path"],
        json!({
            "/gql": 1,
            "/kraken/channels/{name}/follows": 1,
            "/kraken/users/{name}": 2,
            "/loots/api/v1/search/channels/{id}/streams": 1,
            "/rechat/rechat-messages": 1,
            "/tmi/group/user/{name}/chatters": 1,
            "other": 1,
        })
    );
}
