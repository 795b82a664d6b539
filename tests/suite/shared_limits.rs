//! The rate limit that all processes of a user share: in a file that nobody trusts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use itch_tests::{Folder, RunResult, Sandbox, eventually, wait};

/// The report's arguments: 15 pages, as many look-ups, and the channel.
const REPORT: [&str; 5] = ["-v", "followers", "-l", "1500", "burkeblack"];
const REQUESTS: u64 = 31;

/// The file of the only owner.
fn file(folder: &Folder) -> PathBuf {
    let mut files = fs::read_dir(folder.path("cache/itch/limits")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

fn at_once(folder: &Folder, processes: usize) -> Vec<RunResult> {
    let children: Vec<_> = (0..processes)
        .map(|_| folder.command(&REPORT).spawn().unwrap())
        .collect();
    let ran = children.into_iter().map(|child| folder.ran(wait(child), &REPORT));
    ran.collect()
}

#[test]
fn processes_together_do_not_exceed_the_limit() {
    // Each alone would need half of it.
    let sandbox = Sandbox::start(&["--rate-limit", "90", "--latency", "2ms"]);
    let folder = Folder::new().at(&sandbox);
    let ran = at_once(&folder, 3);
    for ran in &ran {
        assert_eq!(ran.exits(0).rows().len(), 1500);
        assert!(!ran.stderr.contains(": 429, ") && !ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    // Nothing was asked for twice.
    assert_eq!(sandbox.requests().of("/helix/users"), 3 * (REQUESTS - 15));
    assert_eq!(sandbox.requests().of("/helix/channels/followers"), 3 * 15);
    let file = file(&folder);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder.path("cache/itch/limits"))), (0o600, 0o700));
    // It says who has how many points, and nothing about whose they are.
    let content = fs::read_to_string(&file).unwrap();
    assert!(content.starts_with(r#"{"version":1,"#), "{content}");
    for (name, value) in sandbox.variables() {
        let is_secret = name.ends_with("TOKEN") || name.ends_with("ID");
        assert!(!is_secret || !content.contains(value.as_str()), "{content}");
    }
}

#[test]
fn the_directory_of_the_session_is_preferred_if_it_is_the_users() {
    let sandbox = Sandbox::start(&["--rate-limit", "800"]);
    let folder = Folder::new().at(&sandbox);
    fs::create_dir(folder.path("session")).unwrap();
    let session = folder.path("session");
    let folder = folder.variable("XDG_RUNTIME_DIR", &session);
    folder.itch(&["created", "burkeblack"]).succeeds();
    assert!(folder.path("session/itch/limits").is_dir() && !folder.path("cache/itch/limits").exists());
    for other in ["missing", "relative", ""] {
        let folder = Folder::new().at(&sandbox);
        let path = folder.path(other).display().to_string();
        let folder = folder.variable("XDG_RUNTIME_DIR", if other == "missing" { &path } else { other });
        folder.itch(&["created", "burkeblack"]).succeeds();
        assert!(folder.path("cache/itch/limits").is_dir());
    }
    // The simulated Twitch inside itch has no other process.
    let folder = Folder::new();
    folder.itch(&["--sandbox", "created", "burkeblack"]).succeeds();
    assert!(!folder.path("cache/itch/limits").exists());
}

#[test]
fn what_cannot_be_used_is_said_once_and_costs_nothing() {
    let sandbox = Sandbox::start(&["--rate-limit", "800"]);
    let folder = Folder::new().at(&sandbox);
    let limits = folder.path("cache/itch/limits");
    fs::create_dir_all(folder.path("elsewhere")).unwrap();
    fs::create_dir_all(limits.parent().unwrap()).unwrap();
    symlink(folder.path("elsewhere"), &limits).unwrap();
    let said = |why: &str| {
        let ran = folder.itch(&["followers", "-l", "1500", "burkeblack"]);
        assert_eq!(ran.exits(0).rows().len(), 1500);
        let warning = format!(
            "warning: the rate limit is not shared with other processes of itch, which may exceed it together: {why}\n"
        );
        assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
        ran.says(&warning);
    };
    said(&format!("`{}` is a symbolic link", limits.display()));
    assert_eq!(fs::read_dir(folder.path("elsewhere")).unwrap().count(), 0);
    fs::remove_file(&limits).unwrap();
    fs::create_dir(&limits).unwrap();
    fs::set_permissions(&limits, fs::Permissions::from_mode(0o755)).unwrap();
    said(&format!("`{0}` is open to other users; `chmod 700 {0}` closes it", limits.display()));
    fs::set_permissions(&limits, fs::Permissions::from_mode(0o700)).unwrap();
    folder.itch(&["created", "burkeblack"]).succeeds();
    let file = file(&folder);
    for content in ["", "{", "\0\0\0", "[]", &"9".repeat(1 << 20)] {
        fs::write(&file, content).unwrap();
        folder.itch(&["created", "burkeblack"]).succeeds();
        let content = fs::read_to_string(&file).unwrap();
        assert!(content.starts_with(r#"{"version":1,"level":{"#), "{content:.200}");
    }
}

#[test]
fn a_lock_that_another_program_keeps_stops_nobody() {
    let sandbox = Sandbox::start(&["--rate-limit", "800"]);
    let folder = Folder::new().at(&sandbox);
    folder.itch(&["created", "burkeblack"]).succeeds();
    let locked = fs::File::open(file(&folder)).unwrap();
    locked.lock().unwrap();
    let ran = folder.itch(&REPORT);
    assert_eq!(ran.exits(0).rows().len(), 1500);
    assert!(ran.elapsed < Duration::from_secs(5), "{:?}", ran.elapsed);
}

#[test]
fn points_of_a_killed_process_come_back() {
    let sandbox = Sandbox::start(&["--rate-limit", "800", "--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    let mut child = folder
        .command(&["followers", "-l", "100000", "burkeblack"])
        .spawn()
        .unwrap();
    eventually("a page", || sandbox.requests().of("/helix/channels/followers") > 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let content = fs::read_to_string(file(&folder)).unwrap();
    let bucket: serde_json::Value = serde_json::from_str(&content).unwrap();
    let points = bucket["processes"][0]["points"].as_u64().unwrap();
    assert!((1..=10).contains(&points), "{content}");
    // The next process does not wait for them while there are others.
    let ran = folder.itch(&REPORT);
    assert!(ran.exits(0).elapsed < Duration::from_secs(5) && ran.rows().len() == 1500);
}
