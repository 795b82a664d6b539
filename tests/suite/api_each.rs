//! `itch api --each`: the journal, and what a second run sends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use itch_tests::{Folder, Sandbox, Signal, eventually, signal, wait};
use serde_json::Value;

use crate::write_server::{Act, TOKEN, WriteServer};

/// The events in a journal, without its header: `sent 1`, `done 1 204`.
fn events(folder: &Folder, journal: &str) -> Vec<String> {
    let text = folder.read(journal);
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let status = event
            .get("status")
            .map(|status| format!(" {status}"))
            .unwrap_or_default();
        format!("{} {}{status}", event["event"].as_str().unwrap(), event["line"])
    };
    text.lines().skip(1).map(event).collect()
}

fn blocks<'a>(method: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [
        &[
            "api",
            "-X",
            method,
            "--yes",
            "users/blocks",
            "target_user_id={}",
            "--each",
            "list",
        ],
        more,
    ]
    .concat()
}

#[test]
fn each_line_is_sent_once() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.write("list", "\u{feff}100000003\r\n\n  \n100000100\n100000200");
    let ran = folder.itch(&blocks("PUT", &[]));
    ran.exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "PUT users/blocks: 3 done\n"));
    let expected = ["sent 1", "done 1 204", "sent 4", "done 4 204", "sent 5", "done 5 204"];
    assert_eq!(events(&folder, "list.journal"), expected);
    folder
        .itch(&[
            "api",
            "users/blocks",
            "broadcaster_id=76725499",
            "--columns",
            "user_id",
            "--paginate",
        ])
        .prints("100000003\n100000100\n100000200\n");
    let again = folder.itch(&blocks("PUT", &[]));
    again
        .exits(0)
        .says("PUT users/blocks: 0 done, 3 left out (done before)\n");
    folder.itch(&blocks("PUT", &["-q"])).succeeds();
    folder.itch(&blocks("PUT", &["--dry-run"])).prints("");
    assert_eq!(sandbox.requests().of("/helix/users/blocks"), 4);
    // Another list of requests has another journal.
    folder
        .itch(&blocks("DELETE", &[]))
        .exits(2)
        .says("the method `PUT`, not `DELETE`");
    folder.itch(&blocks("DELETE", &["--journal", "back"])).exits(0);
    folder
        .itch(&["api", "users/blocks", "broadcaster_id=76725499", "--columns", "user_id"])
        .prints("");
}

#[test]
fn a_line_cannot_leave_its_place() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("list", "a/../../b?c#d\n%2F&x=1\n\"},{\"\n");
    let arguments = [
        "api",
        "-X",
        "POST",
        "--yes",
        "things/{}/part",
        "q={}",
        "--field",
        "a[b]=<{}>",
        "--each",
        "list",
    ];
    folder.itch(&arguments).exits(0);
    let seen = server.seen();
    let targets: Vec<&str> = seen.iter().map(|asked| asked.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/helix/things/a%2F..%2F..%2Fb%3Fc%23d/part?q=a%2F..%2F..%2Fb%3Fc%23d",
            "/helix/things/%252F&x=1/part?q=%252F%26x%3D1",
            "/helix/things/%22%7D,%7B%22/part?q=%22%7D%2C%7B%22",
        ]
    );
    assert_eq!(seen[2].body, r#"{"a":{"b":"<\"},{\">"}}"#);
}

#[test]
fn a_bad_list_sends_nothing() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    let each = ["api", "-X", "DELETE", "--yes", "things/{}", "--each", "list"];
    for list in ["", "\n \n", "a\n..\n", "a\n%2e%2e\n", "a\n\u{1}\n"] {
        folder.write("list", list);
        folder.itch(&each).exits(2);
    }
    std::fs::write(folder.path("list"), b"a\n\xff\n").unwrap();
    folder.itch(&each).exits(2).says("line 2");
    folder.write("list", "a\n");
    folder
        .itch(&["api", "-X", "DELETE", "--yes", "things", "--each", "list"])
        .exits(2)
        .says("`{}` is missing");
    folder
        .itch(&["api", "-X", "DELETE", "--yes", "things/{}", "--each", "missing"])
        .exits(2);
    folder
        .itch(&["api", "-X", "DELETE", "things/{}", "--each", "list"])
        .exits(2)
        .says("--yes");
    folder
        .itch_reading("a\n", &["api", "-X", "DELETE", "--yes", "things/{}", "--each", "-"])
        .exits(2)
        .says("--journal FILE");
    assert!(server.seen().is_empty() && !folder.path("list.journal").exists());
    folder
        .itch_reading(
            "a\n",
            &[
                "api",
                "-X",
                "DELETE",
                "--yes",
                "things/{}",
                "--each",
                "-",
                "--journal",
                "j",
            ],
        )
        .exits(0);
    assert_eq!(events(&folder, "j"), ["sent 1", "done 1 204"]);
}

#[test]
fn a_refused_line_is_recorded_and_the_run_goes_on() {
    let server = WriteServer::start(|_, asked| Act::status(if asked.target.ends_with("=2") { 404 } else { 204 }));
    let folder = server.folder();
    folder.write("list", "1\n2\n3\n");
    let ran = folder.itch(&blocks("POST", &[]));
    ran.exits(3)
        .says("line 2 (`2`): Twitch answered 404 to `POST users/blocks`: because of the test\n")
        .says("POST users/blocks: 2 done, 1 refused (1 with 404)\n");
    assert_eq!(events(&folder, "list.journal")[3], "done 2 404");
    let again = folder.itch(&blocks("POST", &[]));
    again
        .exits(3)
        .says("0 done, 3 left out (2 done before, 1 refused before)\n");
    assert_eq!(server.seen().len(), 3);
}

/// A server that answers no line 2 until it is told to.
fn hanging() -> (WriteServer, Arc<AtomicBool>) {
    let answers = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&answers);
    let server =
        WriteServer::start(move |_, asked| match asked.target.ends_with("=2") && !now.load(Ordering::Relaxed) {
            true => Act::Hang,
            false => Act::status(204),
        });
    (server, answers)
}

#[test]
fn a_killed_run_is_continued() {
    for (method, idempotent) in [("PUT", true), ("DELETE", true), ("POST", false), ("PATCH", false)] {
        let (server, answers) = hanging();
        let folder = server.folder();
        folder.write("list", "1\n2\n3\n");
        let arguments = blocks(method, &[]);
        let child = folder.command(&arguments).spawn().unwrap();
        eventually("the second request", || server.seen().len() == 2);
        signal(child.id(), Signal::KILL);
        folder.ran(wait(child), &arguments).exits(-1);
        assert_eq!(events(&folder, "list.journal"), ["sent 1", "done 1 204", "sent 2"]);
        answers.store(true, Ordering::Relaxed);
        let again = folder.itch(&arguments);
        let lines = |skipped: usize| {
            let seen = server.seen();
            let line = |target: &str| target.rsplit('=').next().unwrap().to_owned();
            seen[skipped..]
                .iter()
                .map(|asked| line(&asked.target))
                .collect::<Vec<_>>()
        };
        if idempotent {
            again.exits(0).says("2 done, 1 left out (done before)\n");
            assert_eq!(lines(2), ["2", "3"]);
            continue;
        }
        again
            .exits(3)
            .says("unknown: line 2 (`2`) was sent, and nothing is known of it\n")
            .says("1 done, 1 unknown, 1 left out (done before)\n")
            .says("`--retry-unknown`");
        assert_eq!(lines(2), ["3"]);
        folder.itch(&arguments).exits(3);
        assert_eq!(server.seen().len(), 3);
        folder.itch(&blocks(method, &["--retry-unknown"])).exits(0);
        assert_eq!(lines(3), ["2"]);
        folder.itch(&arguments).exits(0);
        assert_eq!(server.seen().len(), 4);
    }
}

#[test]
fn a_journal_belongs_to_its_requests() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("list", "1\n");
    folder.itch(&blocks("POST", &["--field", "a=1"])).exits(0);
    let journal = folder.read("list.journal");
    assert!(!journal.contains(TOKEN));
    let refused = |arguments: &[&str], why: &str| {
        folder
            .itch(arguments)
            .exits(2)
            .says("the journal `list.journal` cannot be continued")
            .says(why);
    };
    refused(&blocks("PATCH", &["--field", "a=1"]), "the method");
    refused(&blocks("POST", &["--field", "a=2"]), "other parameters or fields");
    refused(&blocks("POST", &["--field", "a=1", "more=1"]), "other parameters or fields");
    refused(
        &[
            "api",
            "-X",
            "POST",
            "--yes",
            "users/other",
            "target_user_id={}",
            "--each",
            "list",
            "--field",
            "a=1",
        ],
        "the path",
    );
    folder.write("list", "1\n2\n");
    refused(&blocks("POST", &["--field", "a=1"]), "another list");
    folder.write("list", "1\n");
    let other = WriteServer::answering(204);
    let moved = &other.folder().variables()["TWITCH_HELIX_URL"].clone();
    let mut command = folder.command(&blocks("POST", &["--field", "a=1"]));
    command.env("TWITCH_HELIX_URL", moved);
    folder
        .ran(command.output().unwrap(), &[])
        .exits(2)
        .says("the service at");
    let altered = journal.replace("\"account\":\"4242\"", "\"account\":\"7\"");
    folder.write("list.journal", &altered);
    refused(&blocks("POST", &["--field", "a=1"]), "the account `7`, not `4242`");
    folder.write("list.journal", &format!("{journal}garbage\n"));
    refused(&blocks("POST", &["--field", "a=1"]), "line 4 of it is damaged");
    for text in ["my notes\n", "my notes"] {
        folder.write("list.journal", text);
        refused(&blocks("POST", &["--field", "a=1"]), "it is not a journal");
        assert_eq!(folder.read("list.journal"), text);
    }
    assert_eq!(server.seen().len(), 1);
    assert!(other.seen().is_empty());
}

#[cfg(unix)]
#[test]
fn a_journal_is_private_and_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("list", "1\n");
    symlink(folder.path("elsewhere"), folder.path("list.journal")).unwrap();
    folder.itch(&blocks("PUT", &[])).exits(1).says("it is a symbolic link");
    assert!(!folder.path("elsewhere").exists() && server.seen().is_empty());
    std::fs::remove_file(folder.path("list.journal")).unwrap();
    folder.itch(&blocks("PUT", &[])).exits(0);
    let mode = folder.path("list.journal").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn two_runs_do_not_share_a_journal() {
    let (server, _) = hanging();
    let folder = server.folder();
    folder.write("list", "2\n");
    let child = folder.command(&blocks("PUT", &[])).spawn().unwrap();
    eventually("the request", || !server.seen().is_empty());
    folder
        .itch(&blocks("PUT", &[]))
        .exits(2)
        .says("another run of itch uses the journal");
    signal(child.id(), Signal::KILL);
    wait(child);
    assert_eq!(server.seen().len(), 1);
}

/// The status of the request on its way is waited for and recorded.
#[test]
fn an_interrupt_ends_between_two_requests() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let server = WriteServer::start(move |number, _| {
        if number == 1 {
            let _ = gate.lock().unwrap().recv_timeout(Duration::from_secs(20));
        }
        Act::status(204)
    });
    let folder = server.folder();
    folder.write("list", "1\n2\n3\n4\n");
    let arguments = blocks("POST", &[]);
    let child = folder.command(&arguments).spawn().unwrap();
    eventually("the second request", || server.seen().len() == 2);
    signal(child.id(), Signal::INT);
    // The signal is handled by a thread of its own.
    std::thread::sleep(Duration::from_millis(100));
    go.send(()).unwrap();
    folder
        .ran(wait(child), &arguments)
        .exits(130)
        .says("POST users/blocks: 2 done, 2 not sent\n")
        .says("hint: the same command sends what is left");
    assert_eq!(events(&folder, "list.journal"), ["sent 1", "done 1 204", "sent 2", "done 2 204"]);
    folder
        .itch(&arguments)
        .exits(0)
        .says("2 done, 2 left out (done before)\n");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn without_an_answer_a_post_is_unknown_and_the_run_goes_on() {
    let server = WriteServer::start(|_, asked| match asked.target.ends_with("=2") {
        true => Act::Close,
        false => Act::status(204),
    });
    let folder = server.folder();
    folder.write("list", "1\n2\n3\n");
    let ran = folder.itch(&blocks("POST", &[]));
    ran.exits(3)
        .says("2 done, 1 unknown\n")
        .says("whether this was done is unknown");
    let expected = ["sent 1", "done 1 204", "sent 2", "unknown 2", "sent 3", "done 3 204"];
    assert_eq!(events(&folder, "list.journal"), expected);
    assert_eq!(server.seen().len(), 3);
    // A gateway's answer says nothing either.
    let server = WriteServer::answering(502);
    let folder = server.folder();
    folder.write("list", "1\n");
    folder.itch(&blocks("POST", &[])).exits(3).says("0 done, 1 unknown\n");
    assert_eq!(
        (events(&folder, "list.journal"), server.seen().len()),
        (vec!["sent 1".to_owned(), "unknown 1".to_owned()], 1)
    );
}

#[test]
fn what_was_not_sent_ends_the_run_and_is_sent_later() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("list", "1\n2\n");
    let arguments = blocks("POST", &["--retries", "0"]);
    let mut command = folder.command(&arguments);
    let port = itch_tests::servers::free_port();
    command.env("TWITCH_HELIX_URL", format!("http://127.0.0.1:{port}/helix/"));
    let ran = folder.ran(command.output().unwrap(), &arguments);
    ran.exits(6).says("0 done, 2 not sent\n");
    assert_eq!(events(&folder, "list.journal"), ["sent 1", "unsent 1"]);
    // Nothing was done, so it is no unknown one.
    let text = folder
        .read("list.journal")
        .replace(&format!("127.0.0.1:{port}"), &address(&folder));
    folder.write("list.journal", &text);
    folder.itch(&arguments).exits(0).says("2 done\n");
}

fn address(folder: &Folder) -> String {
    let base = folder.variables()["TWITCH_HELIX_URL"]
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    base.split('/').next().unwrap().to_owned()
}

#[test]
fn answers_are_printed_line_by_line() {
    let folder = Folder::new();
    folder.write("list", "burkeblack\nfollowers_3\n");
    let each = ["--sandbox", "api", "users", "login={}", "--each", "list", "-q"];
    let ran = folder.itch(&each);
    ran.succeeds();
    let ids: Vec<Value> = ran
        .rows()
        .iter()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let id = |place: usize| ids[place]["data"][0]["id"].as_str().unwrap();
    assert_eq!((id(0), id(1)), ("76725499", "100000003"));
    folder.itch(&each).prints("");
}
