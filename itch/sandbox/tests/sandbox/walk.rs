//! The whole list of followers of `burkeblack`, read like a client would.

use std::collections::{HashMap, HashSet};

use chrono::DateTime;
use itch_sandbox::TOKEN;
use serde_json::Value;

use crate::client::{BURKEBLACK, Client};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// The newest followers, including the wave.
const RECENT: usize = 25_000;

fn seconds(time: &Value) -> i64 {
    DateTime::parse_from_rfc3339(time.as_str().unwrap())
        .unwrap()
        .timestamp()
}

#[test]
fn every_follower_comes_once_in_order_and_there_is_one_wave() {
    let client = Client::new();
    let rows = client.rows(&format!("channels/followers?broadcaster_id={BURKEBLACK}&first=100"));
    assert_eq!(rows.len(), 250_000);
    let ids: HashSet<&str> = rows.iter().map(|row| row["user_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rows.len());
    let logins: HashSet<&str> = rows.iter().map(|row| row["user_login"].as_str().unwrap()).collect();
    assert_eq!(logins.len(), rows.len());
    let followed: Vec<i64> = rows.iter().map(|row| seconds(&row["followed_at"])).collect();
    assert!(followed.is_sorted_by(|a, b| a >= b));
    assert!(rows[0]["followed_at"].as_str().unwrap() >= "2026-10-31");
    assert!(
        rows[rows.len() - 1]["followed_at"]
            .as_str()
            .unwrap()
            .starts_with("2013-02")
    );

    // Looks up the followers around the wave.
    let rows = &rows[..RECENT];
    let mut created: HashMap<String, i64> = HashMap::new();
    for batch in rows.chunks(100) {
        let query: Vec<String> = batch
            .iter()
            .map(|row| format!("id={}", row["user_id"].as_str().unwrap()))
            .collect();
        for user in client.get_as(TOKEN, &format!("users?{}", query.join("&"))).rows() {
            created.insert(user["id"].as_str().unwrap().to_owned(), seconds(&user["created_at"]));
        }
    }
    let gone = rows.len() - created.len();
    assert!((8..45).contains(&gone), "{gone} are gone");
    let created: Vec<Option<i64>> = rows
        .iter()
        .map(|row| created.get(row["user_id"].as_str().unwrap()).copied())
        .collect();
    assert!(
        created
            .iter()
            .zip(&followed)
            .all(|(created, followed)| { created.is_none_or(|created| created < *followed) })
    );

    // A row belongs to a wave if, of the hundred rows before or after it, nearly all followed within ten minutes and
    // were registered within four days.
    let is_dense = |around: std::ops::Range<usize>| {
        let quick = followed[around.start] - followed[around.end - 1] < 10 * MINUTE;
        let mut made: Vec<i64> = created[around].iter().flatten().copied().collect();
        made.sort_unstable();
        quick && made[made.len() - 5] - made[4] < 4 * DAY
    };
    let dense: Vec<usize> = (0..rows.len() - 100)
        .filter(|&start| is_dense(start..start + 100))
        .collect();
    let (first, last) = (dense[0], dense[dense.len() - 1] + 99);
    assert_eq!(dense.len(), last - first - 98, "the wave is in one piece");
    assert!((3_190..3_240).contains(&(last - first + 1)), "{first} to {last}");
    assert!(last < 20_000);
    assert!(created[first + 5..last - 5].iter().flatten().count() >= last - first - 15);
    println!(
        "wave: {first} to {last}, {} to {}, {gone} gone",
        rows[last]["followed_at"], rows[first]["followed_at"]
    );
}

#[test]
fn pages_of_ten_million_followers_can_be_made_alone() {
    let client = Client::new();
    let answer = client.get("channels/followers?broadcaster_id=30000000&first=100");
    assert_eq!(answer.json()["total"], 10_000_000);
    let rows = answer.rows();
    let newest: Vec<String> = rows
        .iter()
        .map(|row| format!("login={}", row["user_login"].as_str().unwrap()))
        .collect();
    let users = client.get(&format!("users?{}", newest.join("&"))).rows();
    assert!(users.len() > 90);
    let ids: HashSet<_> = rows.iter().map(|row| row["user_id"].as_str().unwrap()).collect();
    assert!(users.iter().all(|user| ids.contains(user["id"].as_str().unwrap())));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}&first=100");
    let (one, other) = (Client::new(), Client::new());
    assert_eq!(one.get(&path).text, other.get(&path).text);
}
