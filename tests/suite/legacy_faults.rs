//! `--source legacy` when the old services answer with an error, with nothing, or with something unexpected.

use itch_tests::{Folder, Sandbox};
use serde_json::json;

use crate::legacy::{VIDEO, legacy};
use crate::recorder::Recorder;

/// The old program would have repeated the request forever.
#[test]
fn an_empty_answer_ends_every_report() {
    let recorder = Recorder::of(|_| json!({}));
    let folder = recorder.folder();
    for (report, code) in [
        ("created", 6),
        ("num_followers", 6),
        ("followers", 6),
        ("following", 6),
        ("chatters", 6),
        ("loots_streams", 6),
        ("num_following", 6),
    ] {
        legacy(&folder, &["--retries", "0", report, "a"]).exits(code);
        assert!((1..=2).contains(&recorder.taken().len()), "{report}");
    }
    legacy(&folder, &["--retries", "0", "chatlog", VIDEO]).exits(6);
    assert!(recorder.taken().len() <= 2);

    // The same on the second page.
    let recorder = Recorder::of(|target| match target.split('?').next().unwrap() {
        "/kraken/channels/a" | "/kraken/users/a" => {
            json!({"_id": 7, "name": "a", "created_at": "2013-06-05T11:02:03Z"})
        }
        "/kraken/videos/v1" => json!({"_id": "v1"}),
        _ if target.ends_with("start=0") => {
            json!({"errors": [{"status": 400, "detail": "0 is not between 100 and 200"}]})
        }
        _ => json!({}),
    });
    let folder = recorder.folder();
    for (report, requests) in [
        ("followers", 2),
        ("following", 2),
        ("chatters", 3),
        ("loots_streams", 2),
    ] {
        legacy(&folder, &["--retries", "0", report, "a"]).exits(6);
        assert_eq!(recorder.taken().len(), requests, "{report}");
    }
    legacy(&folder, &["--retries", "0", "chatlog", "v1"])
        .exits(6)
        .says("without the list `data`");
}

#[test]
fn chat_that_is_refused_in_the_middle_is_no_end() {
    let recorder = Recorder::of(|target| {
        let said = json!({"id": target, "attributes": {"from": "a", "message": "b", "video-offset": 1000}});
        match target.rsplit('=').next().unwrap() {
            "0" => json!({"errors": [{"status": 400, "detail": "0 is not between 100 and 200"}]}),
            "160" => json!({"errors": [{"status": 500, "detail": "out of order"}]}),
            "190" => {
                json!({"errors": [{"status": 400, "detail": "190 is not between 100 and 180"}]})
            }
            _ if target.starts_with("/kraken") => json!({"_id": "v1"}),
            _ => json!({"data": [said]}),
        }
    });
    let ran = legacy(&recorder.folder(), &["chatlog", "v1"]);
    assert_eq!(ran.exits(3).stdout, "a : b\na : b\n");
    ran.says("INCOMPLETE: 160 to 200: rechat refused the messages: out of order");
}

#[test]
fn an_error_that_calls_itself_a_success_is_one() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for report in [
        "created",
        "num_followers",
        "followers",
        "following",
        "chatters",
        "loots_streams",
        "num_following",
    ] {
        let ran = legacy(&folder, &["-c", "file", report, "error_with_200"]);
        assert_eq!(ran.exits(6).stdout, "", "{report}");
        ran.says("Something went wrong");
        // The answer was not stored, so it is requested again.
        let before = sandbox.requests().total;
        legacy(&folder, &["-c", "file", report, "error_with_200"]).exits(6);
        assert!(sandbox.requests().total > before, "{report}");
    }
    let faulty = Sandbox::start(&["--faults", "legacy-200-error=0.02"]);
    let ran = legacy(&Folder::new().at(&faulty), &["chatlog", VIDEO]);
    ran.exits(6).says("Twitch answered 503 to a rechat request");
}

#[test]
fn what_does_not_exist_is_not_found_and_not_stored() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for report in [
        "created",
        "num_followers",
        "followers",
        "following",
        "chatters",
        "loots_streams",
        "num_following",
    ] {
        for _ in 0..2 {
            let before = sandbox.requests().total;
            let ran = legacy(&folder, &["-c", "file", report, "no_such_name"]);
            assert_eq!(ran.exits(5).stdout, "", "{report}");
            ran.says("there is no channel `no_such_name`");
            assert_eq!(sandbox.requests().total, before + 1, "{report}");
        }
    }
    for video in ["v1", "1"] {
        let ran = legacy(&folder, &["-c", "file", "chatlog", video]);
        ran.exits(5).says("there is no video `1`");
    }
}

#[test]
fn html_is_no_answer() {
    let recorder = Recorder::start(None, |_| Some((200, "text/html", "<html>This service is gone</html>".to_owned())));
    let folder = recorder.folder();
    for arguments in [
        &["created", "a"][..],
        &["num_followers", "a"],
        &["followers", "a"],
        &["following", "a"],
        &["num_following", "a"],
        &["chatters", "a"],
        &["loots_streams", "a"],
        &["chatlog", "v1"],
    ] {
        let ran = legacy(&folder, &[&["--retries", "0"], arguments].concat());
        assert_eq!(ran.exits(6).stdout, "", "{arguments:?}");
    }
}

#[test]
fn nothing_is_asked_for_what_cannot_be_meant() {
    let recorder = Recorder::of(|_| json!({}));
    let folder = recorder.folder();
    for arguments in [
        &["followers", "-l", "0", "a"][..],
        &["followers", "-l", "-1", "a"],
        &["chatlog", "-l", "0", "v1"],
        &["chatlog", "x1"],
        &["created", "id:7"],
        &["followers"],
        &["chatlog"],
        &[],
    ] {
        let ran = legacy(&folder, arguments);
        assert_eq!(ran.exits(2).stdout, "", "{arguments:?}");
        assert!(!ran.stderr.is_empty());
    }
    assert!(recorder.taken().is_empty());
}
