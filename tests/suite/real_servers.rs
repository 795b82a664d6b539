//! Answers as servers in the field have sent them: lists that never end, odd values, rows without keys, bad pages.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use itch_tests::Folder;
use serde_json::{Value, json};

use crate::recorder::Recorder;

/// A server of Helix and of the sign-in service. `answer` gets a target below `/helix/`.
fn helix(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (Recorder, Folder) {
    let recorder = Recorder::start(None, move |target| {
        let body = match target.strip_prefix("/helix/") {
            Some("users") => json!({"data": [user(1)]}).to_string(),
            Some(target) if target.starts_with("users?login=") => json!({"data": [user(1)]}).to_string(),
            Some(target) => answer(target),
            None => json!({"client_id": "client", "login": "user1", "user_id": "1", "expires_in": 14_000,
                "scopes": ["moderator:read:followers", "moderator:read:chatters", "user:read:follows"]})
            .to_string(),
        };
        Some((200, "application/json", body))
    });
    let at = |path: &str| format!("http://{}{path}", recorder.address());
    let folder = Folder::new()
        .variable("TWITCH_HELIX_URL", at("/helix"))
        .variable("TWITCH_OAUTH2_URL", at("/oauth2"))
        .variable("TWITCH_TOKEN", "a0token0of0user1");
    (recorder, folder)
}

fn user(id: u64) -> Value {
    json!({"id": id.to_string(), "login": format!("user{id}"), "display_name": "U", "created_at": "2014-09-12T23:50:05Z"})
}

fn follower(id: u64) -> Value {
    json!({"user_id": id.to_string(), "user_login": format!("user{id}"), "user_name": "U",
        "followed_at": "2026-05-20T21:14:33Z"})
}

/// The users whose ids are in a target.
fn users(target: &str) -> String {
    let ids = target
        .split(['?', '&'])
        .filter_map(|pair| pair.strip_prefix("id=")?.parse().ok());
    json!({"data": ids.map(user).collect::<Vec<_>>()}).to_string()
}

fn page(rows: impl IntoIterator<Item = Value>, total: u64, cursor: Option<String>) -> String {
    let rows: Vec<Value> = rows.into_iter().collect();
    let pagination = cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}));
    json!({"data": rows, "total": total, "pagination": pagination}).to_string()
}

#[test]
fn a_list_that_repeats_under_new_cursors_ends() {
    let asked = AtomicU64::new(0);
    let (_server, folder) = helix(move |target| match target.starts_with("users?") {
        true => users(target),
        false => page((1..=100).map(follower), 5000, Some(asked.fetch_add(1, Ordering::Relaxed).to_string())),
    });
    let ran = folder.itch(&["followers", "user1"]);
    ran.exits(3).says("INCOMPLETE: 10 pages in a row brought no new row; ");
    assert_eq!(ran.rows().len(), 100);
}

#[test]
fn one_odd_value_costs_one_cell() {
    let (_server, folder) = helix(|target| match target.starts_with("users?") {
        true => users(target),
        false => {
            let mut rows: Vec<Value> = (1..=3).map(follower).collect();
            rows[0]["followed_at"] = json!("");
            rows[1]["user_name"] = json!(null);
            rows[2]["user_id"] = json!([]);
            page(rows, 3, None)
        }
    });
    let ran = folder.itch(&["followers", "--columns", "name,followed", "user1"]);
    ran.exits(3)
        .says("INCOMPLETE: 1 `followed` unreadable (`channels/followers` page 1, row 1, `followed_at`: \"\"); ")
        .says("1 row unreadable (`channels/followers` page 1, row 3, `user_id`: [])");
    assert_eq!(ran.stdout, "user1\t\nuser2\t1779311673\n");
    // What no printed column needs does not matter.
    let ran = folder.itch(&["followers", "-l", "2", "--columns", "name", "user1"]);
    assert_eq!(ran.exits(0).stdout, "user1\nuser2\n");
}

#[test]
fn blank_rows_are_accounts_that_are_gone() {
    let blank = || json!({"user_id": "", "user_login": "", "user_name": ""});
    let (_server, folder) = helix(move |target| match target.split('?').next().unwrap() {
        "chat/chatters" => page([follower(1), blank(), blank(), follower(2)], 4, None),
        _ => json!({"data": []}).to_string(),
    });
    let ran = folder.itch(&["-v", "chatters", "user1"]);
    ran.exits(0)
        .says("4 of 4 rows, 2 accounts gone (name empty), 0 repeated, complete, ");
    assert_eq!(ran.rows().iter().filter(|row| row.is_empty()).count(), 2);
}

#[test]
fn a_walk_that_went_wrong_is_not_taken_from_the_cache() {
    let repaired = Arc::new(AtomicU64::new(0));
    let state = Arc::clone(&repaired);
    let (_server, folder) = helix(move |target| match target.contains("after=") {
        _ if target.starts_with("users?") => users(target),
        false => page((1..=100).map(follower), 150, Some("b".to_owned())),
        true if state.load(Ordering::Relaxed) == 0 => page([], 150, None),
        true => page((101..=150).map(follower), 150, None),
    });
    let arguments = ["-c", "file", "followers", "user1"];
    folder
        .itch(&arguments)
        .exits(3)
        .says("50 of 150 followers did not come");
    repaired.store(1, Ordering::Relaxed);
    assert_eq!(folder.itch(&arguments).exits(0).rows().len(), 150);
}

#[test]
fn a_finished_broadcast_without_a_length_has_no_end() {
    let video = |id: u64, created: &str, duration: &str| {
        json!({"id": id.to_string(), "stream_id": id.to_string(), "user_id": "1", "title": null, "type": "archive",
            "created_at": created, "duration": duration, "view_count": "7", "thumbnail_url": "x", "language": "en",
            "url": "u"})
    };
    let (_server, folder) = helix(move |target| match target.starts_with("videos?") {
        true => {
            let rows = [
                video(3, "2026-05-20T21:14:33Z", "1h0m0s"),
                video(2, "2026-05-19T21:14:33Z", "0s"),
            ];
            json!({"data": rows.into_iter().chain([video(1, "0001-01-01T00:00:00Z", "1h")]).collect::<Vec<_>>()})
                .to_string()
        }
        false => json!({"data": []}).to_string(),
    });
    let ran = folder.itch(&["streams", "--columns", "id,start,end,views", "user1"]);
    ran.exits(3).says("1 `end` unreadable").says("1 `start` unreadable");
    assert_eq!(ran.stdout, "3\t1779311673\t1779315273\t7\n2\t1779225273\t\t7\n1\t\t\t7\n");
}

/// The recording of a running broadcast has no picture yet; Twitch may list the broadcast late, and leave its id out.
#[test]
fn a_running_broadcast_has_no_end() {
    let video = |id: u64, created: &str, picture: &str| {
        json!({"id": id.to_string(), "stream_id": null, "user_id": "1", "title": "t", "type": "archive",
            "created_at": created, "duration": "1h0m0s", "view_count": 7, "thumbnail_url": picture})
    };
    let live = json!({"id": "9", "user_id": "1", "user_login": "user1", "title": "t", "viewer_count": 5,
        "started_at": "2026-05-20T21:14:30Z"});
    for (picture, live) in [("", json!([])), ("x", json!([live]))] {
        let (_server, folder) = helix(move |target| match target.starts_with("videos?") {
            true => {
                let rows = [
                    video(2, "2026-05-20T21:14:33Z", picture),
                    video(1, "2026-05-19T21:14:33Z", "x"),
                ];
                json!({"data": rows}).to_string()
            }
            false => json!({"data": live}).to_string(),
        });
        let ran = folder.itch(&["streams", "--columns", "id,start,end", "user1"]);
        assert_eq!(ran.exits(0).stdout, "2\t1779311673\t\n1\t1779225273\t1779228873\n");
    }
}

/// Two scopes show the roles. Without one of them, the roles of the other list are still shown.
#[test]
fn a_role_that_the_token_may_not_see_is_named() {
    let recorder = Recorder::start(None, move |target| {
        let body = match target
            .strip_prefix("/helix/")
            .map(|target| target.split('?').next().unwrap_or_default())
        {
            Some("users") => json!({"data": [user(1)]}),
            Some("chat/chatters") => json!({"data": (1..=3).map(|id| json!({"user_id": id.to_string(),
                "user_login": format!("user{id}"), "user_name": "U"})).collect::<Vec<_>>(), "total": 3}),
            Some("moderation/moderators") => {
                let refusal =
                    json!({"error": "Unauthorized", "status": 401, "message": "Missing scope: moderation:read"});
                return Some((401, "application/json", refusal.to_string()));
            }
            Some(_) => json!({"data": [{"user_id": "2", "user_login": "user2", "user_name": "U"}]}),
            None => json!({"client_id": "client", "login": "user1", "user_id": "1", "expires_in": 14_000,
                "scopes": ["moderator:read:chatters", "channel:read:vips"]}),
        };
        Some((200, "application/json", body.to_string()))
    });
    let at = |path: &str| format!("http://{}{path}", recorder.address());
    let folder = Folder::new()
        .variable("TWITCH_HELIX_URL", at("/helix"))
        .variable("TWITCH_OAUTH2_URL", at("/oauth2"))
        .variable("TWITCH_TOKEN", "a0token0of0user1");
    let ran = folder.itch(&["chatters", "--columns", "name,role", "user1"]);
    ran.exits(3)
        .says("INCOMPLETE: the role moderator is unknown: the token lacks the scope `moderation:read`");
    assert_eq!(ran.stdout, "user1\tbroadcaster\nuser2\tvip\nuser3\t\n");
    // Without the column, nothing is missing.
    folder.itch(&["chatters", "user1"]).exits(0);
}

/// An answer takes at most six times its size in memory, and 64 MiB.
#[test]
fn a_large_answer_takes_little_memory() {
    const SIZE: usize = 60_000_000;
    let (_server, folder) = helix(|target| match target.starts_with("users?") {
        true => users(target),
        false => {
            let mut body = String::with_capacity(SIZE + 100);
            body.push_str("{\"data\":[");
            let mut id = 0;
            while body.len() < SIZE {
                id += 1;
                body.push_str(&format!("{{\"user_id\":\"{id}\",\"followed_at\":\"2026-05-20T21:14:33Z\"}},"));
            }
            body.push_str(&format!("{}],\"total\":{}}}", follower(id + 1), id + 1));
            body
        }
    });
    let mut command = folder.command(&["followers", "--columns", "id,followed", "user1"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let peak = peak_bytes(&mut command);
    assert!(peak <= 6 * SIZE as u64 + (64 << 20), "{} MB", peak / 1_000_000);
}

/// The most memory that a command had in use, in bytes. What the system tells at its end would include the memory of this
/// process, from which it was started.
fn peak_bytes(command: &mut Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = kibibytes.map_or(peak, |kibibytes| kibibytes * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            assert!(peak > 0);
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
