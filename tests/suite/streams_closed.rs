//! Standard streams that are closed: by the shell that starts itch, by the reader of a pipe, by a terminal that goes
//! away; and signals that were ignored at the start.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use itch_tests::{Folder, RunResult, Sandbox, Signal, behind, binary, eventually, signal, wait};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

/// Runs itch behind a shell that does something to it first.
fn in_shell(folder: &Folder, script: &str, arguments: &[&str]) -> RunResult {
    let mut command = behind(&["sh", "-c", script], &folder.command(arguments));
    folder.ran(wait(command.spawn().unwrap()), arguments)
}

fn verdict(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("verdict.json")).unwrap()
}

#[test]
fn a_closed_stdout_is_an_error() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.write("rows.tsv", "a\tb\t1469491200\t1469505600\nc\td\t1469491300\t1469505700\n");
    for arguments in [
        &["followers", "-l", "3", "burkeblack"][..],
        &["plot", "rows.tsv", "a.png"],
        &["plot", "rows.tsv", "-o", "-", "--renderer", "png"],
        &["--help"],
        &["help", "exit-codes"],
        &["--version"],
        &["plugins", "list"],
        &["cache", "path"],
        &["completions", "bash"],
    ] {
        in_shell(&folder, "exec \"$0\" \"$@\" >&-", arguments)
            .exits(1)
            .says("error: could not write to stdout\n  caused by: it is closed\n");
        in_shell(&folder, "exec \"$0\" \"$@\" 1<rows.tsv", arguments)
            .exits(1)
            .says("caused by: it is open for reading only\n");
    }
    assert_eq!(sandbox.requests().total, 0);
    // Rows that go elsewhere do not need it, and neither do those that nobody wants.
    let to_file = ["followers", "-l", "3", "-o", "out.tsv", "burkeblack"];
    in_shell(&folder, "exec \"$0\" \"$@\" >&-", &to_file).exits(0);
    let rows = ["followers", "-l", "3", "burkeblack"];
    for nobody in [">/dev/null", "1<>/dev/null"] {
        in_shell(&folder, &format!("exec \"$0\" \"$@\" {nobody}"), &rows).succeeds();
    }
}

#[test]
fn a_closed_stdin_or_stderr_does_no_harm() {
    let folder = Folder::new();
    for closed in ["<&-", "2>&-", "<&- 2>&-"] {
        let ran = in_shell(
            &folder,
            &format!("exec \"$0\" \"$@\" {closed}"),
            &["--sandbox", "-v", "followers", "followers_3"],
        );
        assert_eq!(ran.exits(0).rows().len(), 3, "{closed}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_in_the_verdict() {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["followers", "burkeblack", "--verdict", "verdict.json"];
    let mut child = folder.command(&arguments).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    folder.ran(wait(child), &arguments).succeeds();
    let found = verdict(&folder);
    assert_eq!(found["complete"], false);
    assert_eq!(found["exit_code"], 0);
    assert_eq!(found["stopped_by_reader"], true);
    assert_eq!(found["reasons"], serde_json::json!(["stopped by the reader"]));
    let rows = found["rows"].as_u64().unwrap();
    assert!((100..250_000).contains(&rows), "{rows}");
    // One that never read anything got nothing.
    let mut child = folder.command(&arguments).spawn().unwrap();
    drop(child.stdout.take());
    folder.ran(wait(child), &arguments).succeeds();
    let found = verdict(&folder);
    assert_eq!((&found["complete"], &found["rows"]), (&false.into(), &0.into()));
    // One that reads to the end has all.
    folder
        .itch(&["followers", "followers_3", "--verdict", "verdict.json"])
        .succeeds();
    let found = verdict(&folder);
    assert_eq!((&found["complete"], &found["stopped_by_reader"]), (&true.into(), &false.into()));
    assert_eq!(found["reasons"], serde_json::json!([]));
}

/// A pull that lasts long enough for progress to be shown, and its number of rows.
const PULL: &[&str] = &["-v", "followers", "-l", "3000", "-o", "rows.tsv", "burkeblack"];

/// Reads what a terminal shows until progress is on it.
fn until_progress(mut terminal: impl Read) {
    let (mut shown, mut bytes) = (String::new(), [0; 4096]);
    while !shown.contains(" rows/s") {
        let n = terminal.read(&mut bytes).unwrap();
        assert!(n > 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
}

fn is_whole(folder: &Folder) {
    assert_eq!(folder.read("rows.tsv").lines().count(), 3000);
    assert!(!folder.path("rows.tsv.part").exists());
}

/// Only stderr is the terminal: no signal is sent when it goes away.
#[test]
fn a_stderr_that_dies_does_not_end_a_run() {
    let sandbox = Sandbox::start(&["--latency", "30ms"]);
    let folder = Folder::new().at(&sandbox);
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
    let child = folder.command(PULL).stderr(terminal).spawn().unwrap();
    let mut master = File::from(master);
    until_progress(&mut master);
    drop(master);
    folder.ran(wait(child), PULL).exits(0);
    is_whole(&folder);
}

/// Runs a script on a terminal of its own, and closes the terminal while progress is shown.
fn on_closed_terminal(folder: &Folder, script: &str) -> u32 {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new("/bin/sh");
    command.args(["-c", script]);
    command.arg(binary());
    command.args(PULL);
    command.env_clear();
    for (name, value) in folder.variables() {
        command.env(name, value);
    }
    command.cwd(folder.path(""));
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    until_progress(pair.master.try_clone_reader().unwrap());
    drop(pair.master);
    child.wait().unwrap().exit_code()
}

#[test]
fn a_terminal_that_is_closed_ends_a_run_unless_hangups_are_ignored() {
    let sandbox = Sandbox::start(&["--latency", "30ms"]);
    let folder = Folder::new().at(&sandbox);
    assert_eq!(on_closed_terminal(&folder, "trap '' HUP; exec \"$0\" \"$@\""), 0);
    is_whole(&folder);
    // A hangup is an interrupt: the rows so far are kept.
    std::fs::remove_file(folder.path("rows.tsv")).unwrap();
    assert_eq!(on_closed_terminal(&folder, "exec \"$0\" \"$@\""), 130);
    let kept = folder.read("rows.tsv.part");
    assert!(kept.ends_with('\n') && kept.lines().count().is_multiple_of(100), "{}", kept.lines().count());
    assert!(!folder.path("rows.tsv").exists());
}

/// Starts a pull whose shell ignores signals, and waits until it has begun.
fn ignoring(folder: &Folder, signals: &str, arguments: &[&str]) -> Child {
    let script = format!("trap '' {signals}; exec \"$0\" \"$@\"");
    let child = behind(&["sh", "-c", &script], &folder.command(arguments))
        .stdout(Stdio::null())
        .spawn();
    let part = folder.path("rows.tsv.part");
    eventually("the first page", || part.metadata().is_ok_and(|found| found.len() > 0));
    child.unwrap()
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["followers", "-l", "1500", "-o", "rows.tsv", "burkeblack"];
    let child = ignoring(&folder, "HUP INT TERM", &arguments);
    for kind in [Signal::HUP, Signal::INT, Signal::TERM, Signal::INT] {
        signal(child.id(), kind);
    }
    folder.ran(wait(child), &arguments).succeeds();
    assert_eq!(folder.read("rows.tsv").lines().count(), 1500);
    // Each by itself: the others still end the run.
    for (ignored, sent, other) in [
        ("HUP", Signal::HUP, Signal::TERM),
        ("INT", Signal::INT, Signal::HUP),
        ("TERM", Signal::TERM, Signal::INT),
    ] {
        let child = ignoring(&folder, ignored, &arguments);
        signal(child.id(), sent);
        signal(child.id(), other);
        folder.ran(wait(child), &arguments).exits(130).says("interrupted: ");
        std::fs::remove_file(folder.path("rows.tsv.part")).unwrap();
    }
}
