//! Interrupts, and the output on a pipe during a run.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, Signal, signal, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// A slow pull that has printed some rows.
fn long_pull(folder: &Folder) -> (std::process::Child, BufReader<std::process::ChildStdout>, String) {
    let mut child = folder.command(&["followers", "burkeblack"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    (child, stdout, first)
}

#[test]
fn an_interrupt_leaves_whole_rows_and_says_how_to_go_on() {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    for kind in [Signal::INT, Signal::TERM] {
        let (child, mut stdout, mut rows) = long_pull(&folder);
        signal(child.id(), kind);
        stdout.read_to_string(&mut rows).unwrap();
        let ran = folder.ran(wait(child), &["followers", "burkeblack"]);
        let count = rows.lines().count();
        assert!(count % 100 == 0 && rows.ends_with('\n'), "{count}");
        ran.exits(130)
            .says(&format!("interrupted: {count} complete rows were written\n"));
        ran.says("hint: with `-c file`, an interrupted run can be continued by the same command\n");
    }
}

#[test]
fn an_interrupt_with_a_cache_says_that_nothing_is_lost() {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["-c", "file", "-d", "asc", "followers", "burkeblack", "-o", "rows.tsv"];
    let child = folder.command(&arguments).spawn().unwrap();
    itch_tests::eventually("some requests", || sandbox.requests().total > 20);
    signal(child.id(), Signal::INT);
    let ran = folder.ran(wait(child), &arguments);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 130
--- stdout
--- stderr
interrupted: 0 complete rows were written
hint: run the same command again: responses that were received come from the cache
hint: the rows that were written are in `rows.tsv.part`

"#]]
        .raw()
    );
}

#[test]
fn an_interrupt_is_answered_at_once() {
    // All requests in flight hang; the first interrupt does not wait for them.
    let sandbox = Sandbox::start(&["--faults", "stall=1"]);
    let folder = Folder::new().at(&sandbox);
    let child = folder.command(&["created", "burkeblack"]).spawn().unwrap();
    itch_tests::eventually("a request", || sandbox.requests().of("/helix/users") > 0);
    let start = Instant::now();
    signal(child.id(), Signal::INT);
    folder
        .ran(wait(child), &[])
        .exits(130)
        .says("interrupted: 0 complete rows were written\n");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_second_interrupt_ends_at_once() {
    // The pipe is full and is not read, so the first interrupt cannot end the run.
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let mut child = folder.command(&["followers", "burkeblack"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // The pipe is full once no more requests arrive.
    let mut before = 0;
    itch_tests::eventually("the pipe is full", || {
        std::thread::sleep(Duration::from_millis(300));
        let now = sandbox.requests().total;
        std::mem::replace(&mut before, now) == now && now > 5
    });
    signal(child.id(), Signal::INT);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    signal(child.id(), Signal::INT);
    folder.ran(wait(child), &[]).exits(130);
    let mut rows = String::new();
    stdout.read_to_string(&mut rows).unwrap();
}

/// The rows of page one are on the pipe before page two has arrived.
#[test]
fn rows_leave_page_by_page() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    for format in ["tsv", "csv", "jsonl", "table"] {
        // Sign-in, the channel, page one and its look-up; page five comes four delays later.
        let arguments = ["followers", "-l", "500", "-f", format, "burkeblack"];
        let mut child = folder.command(&arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let header = usize::from(["csv", "table"].contains(&format));
        for _ in 0..100 + header {
            stdout.read_line(&mut line).unwrap();
        }
        let first_page = Instant::now();
        let asked = sandbox.requests().of("/helix/channels/followers");
        assert!(!asked.is_multiple_of(5), "{format}: all pages had been asked for: {asked}");
        stdout.read_to_string(&mut line).unwrap();
        assert!(first_page.elapsed() > Duration::from_millis(300), "{format}: {:?}", first_page.elapsed());
        assert_eq!(line.lines().count(), 500 + header);
        folder.ran(wait(child), &arguments).succeeds();
    }
}
