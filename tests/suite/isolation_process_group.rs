//! Processes that plugins start, and plugins that hang: all of them end with the run, and one interrupt is enough.

use std::fs;
use std::time::Duration;

use itch_tests::{Folder, RunResult, Signal, eventually, processes_about, signal, wait};

use crate::isolation::{ROWS, known};
use crate::plugins_found::with;

/// Fails if a process that a plugin of this folder started is still running. A killed process takes a moment to end.
fn nothing_is_left(folder: &Folder) {
    eventually("the end of everything that was started", || processes_about(&folder.path("data")).is_empty());
}

#[test]
fn what_a_plugin_starts_ends_with_it() {
    // A plugin that succeeds, and one that crashes while its child holds its pipes open. Where plugins are confined, they
    // start nothing.
    let folder = known("fork").old_kernel();
    folder.itch(&["fork"]).prints(ROWS);
    nothing_is_left(&folder);
    let folder = known("fork-and-crash").old_kernel();
    let ran = folder.itch(&["fork-and-crash"]);
    assert_eq!(ran.exits(1).stdout, ROWS);
    ran.says("error: the plugin `fork-and-crash` died of signal 11 (SIGSEGV) after 3 rows\n");
    // The rows are counted once.
    assert_eq!(ran.stderr.matches("3 rows").count(), 1, "{}", ran.stderr);
    nothing_is_left(&folder);
}

#[test]
fn what_left_the_session_holds_nothing_up() {
    let folder = known("session").old_kernel();
    let ran = folder.itch(&["session"]);
    assert_eq!(ran.exits(1).stdout, ROWS);
    ran.says("error: the plugin `session` died of signal 11 (SIGSEGV) after 3 rows\n");
    // It left the group, so itch cannot kill it, and the test has to.
    for process in processes_about(&folder.path("data")) {
        signal(process, Signal::KILL);
    }
}

#[test]
fn a_confined_plugin_starts_nothing() {
    for plugin in ["fork", "fork-and-crash", "session"] {
        let folder = known(plugin);
        let ran = folder.itch(&[plugin]);
        assert_eq!(ran.exits(1).stdout, ROWS);
        ran.says(&format!("error: the plugin `{plugin}` failed without an error message\n"));
        nothing_is_left(&folder);
    }
}

#[test]
fn who_closes_or_fills_the_pipe_is_told_of() {
    // A process whose pipe is closed kills itself when it notices.
    const DEAF: &str = "died of signal 9 (SIGKILL)";
    for (plugin, how) in [
        ("garbage", ["sent an invalid message", DEAF]),
        ("close", ["exited with code 1", DEAF]),
        ("close-and-hang", ["closed its connection to itch and was killed", DEAF]),
    ] {
        let folder = known(plugin);
        let ran = folder.itch(&[plugin]);
        assert_eq!(ran.exits(1).stdout, ROWS, "{plugin}");
        let told = how.map(|how| format!("error: the plugin `{plugin}` {how} after 3 rows"));
        let error = ran.stderr.lines().next().unwrap().to_owned();
        assert!(told.contains(&error), "{error}");
        nothing_is_left(&folder);
    }
}

#[test]
fn no_plugin_leaves_its_session() {
    for folder in [known("leave"), known("leave").old_kernel()] {
        // It tries to join the group of itch itself.
        let ran = folder.itch(&["leave"]);
        assert_eq!(ran.exits(1).stdout, ROWS);
        ran.says("error: the plugin `leave` failed without an error message\n");
        nothing_is_left(&folder);
    }
}

#[test]
fn the_last_words_of_one_that_fails_stand_below_the_error() {
    let ran = known("grumble").itch(&["grumble"]);
    ran.exits(1).says(
        "error: the plugin `grumble` failed without an error message\n  \
         caused by: last words\n3 rows had been written before the error\n",
    );
}

/// Sends one interrupt to a run once its renderer hangs.
fn interrupted(folder: &Folder, arguments: &[&str]) -> RunResult {
    let child = folder.command(arguments).spawn().unwrap();
    eventually("the renderer's process", || {
        let running = processes_about(&folder.path("data"));
        running.iter().any(|process| {
            let waits = fs::read_to_string(format!("/proc/{process}/wchan"));
            // The plugin has been loaded and sleeps, or at least its process exists.
            waits.is_ok_and(|place| place.contains("nanosleep") || place == "0")
        })
    });
    std::thread::sleep(Duration::from_millis(100));
    signal(child.id(), Signal::INT);
    folder.ran(wait(child), arguments)
}

#[test]
fn one_interrupt_ends_a_renderer_that_hangs() {
    let folder = known("hanging-renderer");
    folder.write("followers.csv", crate::plot::FOLLOWERS);
    let plot = ["plot", "-s", "followers.csv", "chart.chang"];
    let report = [
        "--sandbox",
        "followers",
        "-l",
        "50",
        "--plot",
        "chart.chang",
        "-o",
        "rows.tsv",
        "burkeblack",
    ];
    for arguments in [&plot[..], &report] {
        let ran = interrupted(&folder, arguments);
        ran.exits(130).says("interrupted: no picture was drawn\n");
        nothing_is_left(&folder);
        let pictures = fs::read_dir(folder.path("")).unwrap();
        let names = pictures.map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_str().unwrap().contains("chang")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    // The rows were printed before, and are kept.
    assert_eq!(folder.read("rows.tsv").lines().count(), 50);
}

#[test]
fn a_cache_that_hangs_costs_time_and_no_rows() {
    let plain = Folder::new().itch(&["--sandbox", "followers", "-l", "5", "burkeblack"]);
    for (plugin, warning) in [
        ("hanging-open", "did not open its cache within 2 s"),
        ("hanging-get", "it did not answer in time"),
        ("hanging-put", "it did not answer in time"),
        ("hanging-close", ""),
    ] {
        let folder = with(&[plugin]);
        folder.itch(&["plugins", "trust", "--allow", plugin]).exits(0);
        let store = folder.path("store");
        let folder = folder.variable("C_CACHE", store);
        let arguments = ["--sandbox", "-c", plugin, "followers", "-l", "5", "burkeblack"];
        let ran = folder.itch(&arguments);
        assert_eq!(ran.exits(0).stdout, plain.stdout, "{plugin}");
        match warning {
            "" => assert_eq!(ran.stderr, ""),
            _ => drop(ran.says(&format!("warning: cache {plugin}: ")).says(warning)),
        }
        nothing_is_left(&folder);
    }
}
