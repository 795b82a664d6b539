//! `videos`.

use itch_sandbox::TOKEN;
use serde_json::{Value, json};

use crate::client::{BURKEBLACK, Client};

fn path() -> String {
    format!("videos?user_id={BURKEBLACK}&first=100")
}

#[test]
fn a_channel_has_archives_highlights_and_uploads() {
    let client = Client::new();
    let all = client.rows(&path());
    assert!(all.is_sorted_by(|a, b| a["created_at"].as_str() >= b["created_at"].as_str()));
    assert!(
        all[all.len() - 1]["created_at"]
            .as_str()
            .unwrap()
            .starts_with("2013-02")
    );
    let mut together = 0;
    for kind in ["archive", "highlight", "upload"] {
        let rows = client.rows(&format!("{}&type={kind}", path()));
        assert!(rows.iter().all(|row| row["type"] == kind));
        assert!(rows.iter().all(|row| row["stream_id"].is_null() != (kind == "archive")));
        assert!(rows.len() > 100, "{} {kind}", rows.len());
        together += rows.len();
    }
    assert_eq!(together, all.len());
    let archives = client.rows(&format!("{}&type=archive", path()));
    assert!((2_500..4_000).contains(&archives.len()), "{}", archives.len());
    let long = archives.iter().filter(|row| {
        let duration = row["duration"].as_str().unwrap();
        duration
            .split_once('h')
            .is_some_and(|(hours, _)| hours.parse::<u32>().unwrap() >= 24)
    });
    assert!((10..60).contains(&long.count()));
    assert!(archives.iter().any(|row| row["muted_segments"].is_array()));
    assert!(archives.iter().any(|row| row["muted_segments"].is_null()));
    assert!(archives.iter().any(|row| !row["title"].as_str().unwrap().is_ascii()));
    // A running broadcast, whose thumbnail does not exist yet.
    assert_eq!(all[0]["thumbnail_url"], "");
}

#[test]
fn videos_are_chosen_and_sorted() {
    let client = Client::new();
    let count = |query: &str| client.rows(&format!("{}{query}", path())).len();
    let all = count("");
    assert!(count("&period=day") >= 1);
    assert!(count("&period=day") <= count("&period=week"));
    assert!(count("&period=week") < count("&period=month"));
    assert!(count("&period=month") < all);
    let views = |rows: &[Value]| -> Vec<u64> { rows.iter().map(|row| row["view_count"].as_u64().unwrap()).collect() };
    let popular = client.rows(&format!("{}&sort=views", path()));
    assert!(views(&popular).is_sorted_by(|a, b| a >= b));
    assert_eq!(popular.len(), all);
    let trending = client.get(&format!("{}&sort=trending", path())).rows();
    assert!(trending[0]["created_at"].as_str().unwrap() > "2026-08");
    assert_eq!(client.get("videos?user_id=100000003").text, r#"{"data":[],"pagination":{}}"#);
    assert_eq!(client.get("videos?user_id=999").rows().len(), 0);
    let of_game = client.rows("videos?game_id=509658&first=100");
    assert!((400..=500).contains(&of_game.len()), "{}", of_game.len());
    for bad in ["period=year", "sort=length", "type=clip", "before=x"] {
        assert_eq!(client.get(&format!("{}&{bad}", path())).status, 400, "{bad}");
    }
}

#[test]
fn videos_are_found_by_id() {
    let client = Client::new();
    let rows = client.get(&path()).rows();
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let (first, second) = (id(&rows[0]), id(&rows[50]));
    let answer = client.get(&format!("videos?id={first}&id=7&id={second}"));
    let mut found = answer.rows();
    found.sort_by_key(|row| std::cmp::Reverse(row["created_at"].as_str().unwrap().to_owned()));
    assert_eq!(found, [rows[0].clone(), rows[50].clone()]);
    assert_eq!(answer.json()["pagination"], json!({}));
    client.refuses(TOKEN, "videos?id=7&id=8", 404, "");
    let malformed = "The parameter \"id\" was malformed: value must be a numeric";
    client.refuses(TOKEN, &format!("videos?id={first},{second}"), 400, malformed);
    let only_one = "Must provide only one of the following query params: user ID, game ID,or one \
                    or more video IDs.";
    client.refuses(TOKEN, "videos", 400, only_one);
    client.refuses(TOKEN, &format!("videos?id={first}&user_id=1"), 400, only_one);
    client.refuses(TOKEN, "videos?game_id=1", 404, "");
}
