//! Plugins in separate processes: a misbehaving plugin only ends its own command, and the rows before that are kept.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::time::{Duration, Instant};

use itch_tests::{Folder, Signal, eventually, fixtures, signal, wait};

use crate::plugins_found::{own, with};

pub(crate) const ROWS: &str = "one\ntwo\nthree\n";

/// A folder with one plugin that is already in the index.
pub(crate) fn known(plugin: &str) -> Folder {
    let folder = with(&[plugin]);
    folder.itch(&["plugins", "trust", plugin]).exits(0);
    folder
}

/// The child processes of a process.
fn children(process: u32) -> Vec<u32> {
    let mut children = Vec::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
        return children;
    };
    for task in tasks {
        let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
    }
    children
}

fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // A zombie is not running.
    !status.is_empty()
        && !status
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
}

#[test]
fn a_death_is_told_in_one_sentence_and_the_rows_stay() {
    for (report, plugin, how) in [
        ("segfault", "segfault", "died of signal 11 (SIGSEGV)"),
        ("stack-overflow", "stack-overflow", "died of signal 6 (SIGABRT)"),
        ("exit", "exit", "exited with code 7"),
        ("abort", "abort", "died of signal 6 (SIGABRT)"),
        ("panic", "fixture-report", "panicked"),
        ("callback-panic", "fixture-report", "died of signal 6 (SIGABRT)"),
    ] {
        let folder = known(plugin);
        let ran = folder.itch(&[report]);
        assert_eq!(ran.exits(1).stdout, ROWS, "{report}");
        let sentence = format!("error: the plugin `{plugin}` {how} after 3 rows\n");
        assert!(ran.stderr.starts_with(&sentence), "{report}: {}", ran.stderr);
        // With `-o`, the rows are in the file with the partial name.
        let ran = folder.itch(&[report, "-o", "rows.tsv"]);
        ran.exits(1).says("rows.tsv.part");
        assert_eq!(folder.read("rows.tsv.part"), ROWS);
        // Other commands still work.
        folder.itch(&["plugins", "list"]).succeeds();
        folder
            .itch(&["--sandbox", "followers", "-l", "1", "burkeblack"])
            .succeeds();
    }
}

#[test]
fn an_interrupt_ends_what_hangs_and_what_floods() {
    for plugin in ["hang", "flood"] {
        let folder = known(plugin);
        let mut child = folder.command(&[plugin]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut rows = String::new();
        for _ in 0..3 {
            stdout.read_line(&mut rows).unwrap();
        }
        assert_eq!(rows, ROWS);
        let inner = children(child.id());
        assert_eq!(inner.len(), 1, "{inner:?}");
        let start = Instant::now();
        signal(child.id(), Signal::INT);
        let reader = std::thread::spawn(move || {
            let mut rest = String::new();
            stdout.read_to_string(&mut rest).unwrap();
            rest
        });
        let ran = folder.ran(wait(child), &[plugin]);
        let rest = reader.join().unwrap();
        let n = rows.lines().count() + rest.lines().count();
        ran.exits(130)
            .says(&format!("interrupted: {n} complete rows were written\n"));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert!(!is_running(inner[0]), "{plugin} goes on");
    }
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let folder = known("hang");
    let (child, inner) = hanging(&folder);
    signal(child.id(), Signal::INT);
    std::thread::sleep(Duration::from_millis(50));
    signal(child.id(), Signal::INT);
    folder.ran(wait(child), &["hang"]).exits(130);
    eventually("the end of the plugin's process", || !is_running(inner));
}

/// A run whose plugin hangs, and the plugin's process.
fn hanging(folder: &Folder) -> (Child, u32) {
    let mut child = folder.command(&["hang"]).spawn().unwrap();
    let mut first = [0; ROWS.len()];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let inner = children(child.id());
    (child, inner[0])
}

#[test]
fn no_process_of_a_plugin_outlives_the_program() {
    let folder = known("hang");
    let (child, inner) = hanging(&folder);
    signal(child.id(), Signal::KILL);
    wait(child);
    eventually("the end of the plugin's process", || !is_running(inner));
}

#[test]
fn a_flood_is_taken_as_fast_as_it_is_read() {
    let folder = known("flood");
    // The reader closes the pipe after three rows, which the plugin ignores.
    let mut child = folder.command(&["flood"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut rows = String::new();
    stdout.read_line(&mut rows).unwrap();
    // The output is not read, and memory does not grow.
    std::thread::sleep(Duration::from_millis(500));
    let inner = children(child.id());
    for process in [child.id(), inner[0]] {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 96 << 10, "{kib} KiB");
    }
    drop(stdout);
    folder.ran(wait(child), &["flood"]).exits(0);
    assert!(!is_running(inner[0]));
    // A limit stops it too.
    let limited = folder.itch(&["flood", "-l", "1000"]);
    assert_eq!(limited.succeeds().rows().len(), 1000);
    let rows = known("megabyte-rows").itch(&["megabyte-rows", "-l", "20"]);
    let longest = rows.succeeds().rows().iter().map(|row| row.len()).max();
    assert_eq!((rows.rows().len(), longest), (20, Some(1 << 20)));
}

#[test]
fn what_a_plugin_prints_itself_is_no_row() {
    let folder = known("stdout");
    folder.itch(&["stdout"]).prints("one\ntwo\nthree\nfour\n");
    let verbose = folder.itch(&["-v", "stdout"]);
    verbose.exits(0).says("plugin stdout prints: this is not a row\n");
    assert_eq!(verbose.stdout, "one\ntwo\nthree\nfour\n");
}

#[test]
fn a_plugin_knows_little_of_the_environment() {
    let folder = known("hang")
        .variable("TWITCH_TOKEN", "secret-of-mine")
        .variable("AWS_SECRET_ACCESS_KEY", "secret-of-mine")
        .variable("LD_LIBRARY_PATH", "/nowhere")
        .variable("LANG", "C.UTF-8");
    let (child, inner) = hanging(&folder);
    let environment = fs::read(format!("/proc/{inner}/environ")).unwrap();
    let arguments = fs::read(format!("/proc/{inner}/cmdline")).unwrap();
    signal(child.id(), Signal::KILL);
    wait(child);
    let names: Vec<String> = environment
        .split(|byte| *byte == 0)
        .filter(|pair| !pair.is_empty())
        .map(|pair| String::from_utf8_lossy(pair).split('=').next().unwrap().to_owned())
        .collect();
    for name in ["TWITCH_TOKEN", "AWS_SECRET_ACCESS_KEY", "LD_LIBRARY_PATH"] {
        assert!(!names.contains(&name.to_owned()), "{name}");
    }
    for name in ["LANG", "HOME", "PATH"] {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    let all = [environment, arguments].concat();
    assert!(!String::from_utf8_lossy(&all).contains("secret-of-mine"));
}

#[test]
fn a_cache_that_crashes_is_a_cache_that_failed() {
    let folder = with(&["crashing-cache"]);
    folder.itch(&["plugins", "trust", "--allow", "crashing-cache"]).exits(0);
    let store = folder.path("store");
    let folder = folder.variable("C_CACHE", store);
    let arguments = [
        "--sandbox",
        "-c",
        "crashing-cache",
        "followers",
        "-l",
        "250",
        "burkeblack",
    ];
    let ran = folder.itch(&arguments);
    let plain = folder.itch(&["--sandbox", "followers", "-l", "250", "burkeblack"]);
    assert_eq!(ran.exits(0).stdout, plain.stdout);
    ran.says("warning: cache crashing-cache: the plugin `crashing-cache` died of signal 11 (SIGSEGV)");
    assert_eq!(ran.stderr.matches("warning:").count(), 1, "{}", ran.stderr);
    let strict = folder.itch(&[&["--cache-strict"], &arguments[..]].concat());
    strict.exits(6).says("died of signal 11 (SIGSEGV)");
}

#[test]
fn a_renderer_that_crashes_is_told_by_its_plugins_name() {
    let folder = with(&["crashing-renderer", "c-renderer", "fixture-renderer"]);
    let check = |plugin: &str| {
        let path = own(&folder).join(fixtures::file_name(plugin));
        folder.itch(&["plugins", "check", path.to_str().unwrap()])
    };
    let crashed = check("crashing-renderer");
    let line = crashed.exits(1).stdout.lines().last().unwrap();
    assert_eq!(
        line,
        "renderer crashing-renderer: failed: the plugin `crashing-renderer` died of signal 11 (SIGSEGV)"
    );
    for plugin in ["c-renderer", "fixture-renderer"] {
        assert!(
            check(plugin)
                .succeeds()
                .stdout
                .contains(": ok: drew an empty chart of ")
        );
    }
}

#[test]
fn a_renderer_that_draws_nothing_leaves_the_old_picture() {
    let folder = with(&["silent-renderer", "wrong-renderer"]);
    folder.write("followers.csv", crate::plot::FOLLOWERS);
    for (plugin, picture, fault) in [
        ("silent-renderer", "chart.csilent", "it wrote nothing"),
        ("wrong-renderer", "chart.cwrong", "what it wrote is not image/png"),
    ] {
        folder.itch(&["plugins", "trust", plugin]).exits(0);
        folder.write(picture, "the old one");
        folder
            .itch(&["plot", "-s", "followers.csv", picture])
            .exits(1)
            .says(&format!(
                "error: the renderer `{plugin}` of the plugin `{plugin}` did not draw a picture\n  caused by: {fault}\n"
            ));
        assert_eq!(folder.read(picture), "the old one");
        folder
            .itch(&["plot", "-s", "--renderer", plugin, "-o", "-", "followers.csv"])
            .exits(1);
    }
}

#[test]
fn a_picture_is_drawn_by_a_plugin_or_not_at_all() {
    let folder = with(&["crashing-renderer", "c-renderer", "fixture-renderer"]);
    for plugin in ["crashing-renderer", "c-renderer", "fixture-renderer"] {
        folder.itch(&["plugins", "trust", plugin]).exits(0);
    }
    folder.write("followers.csv", crate::plot::FOLLOWERS);
    let plot = |picture: &str| folder.itch(&["plot", "-s", "-T", "Ten", "followers.csv", picture]);
    // Ten follow times, ten creation times, and the two buffers of the line, in C and in Rust.
    for picture in ["chart.ctally", "chart.rtally"] {
        plot(picture).prints("");
    }
    let (c, rust) = (folder.read("chart.ctally"), folder.read("chart.rtally"));
    let buffers = |text: &str| text.split_once("\nbuffer").map(|(_, rest)| rest.to_owned());
    assert!(c.contains("kind 1 length 10 sum 14695192980.000"), "{c}");
    assert_eq!(buffers(&c), buffers(&rust));

    let line = "error: the plugin `crashing-renderer` died of signal 11 (SIGSEGV)";
    plot("chart.ccrash").exits(1).says(line);
    assert!(!folder.path("chart.ccrash").exists());
    // By name, to stdout, and directly from a report.
    let by_name = ["plot", "followers.csv", "--renderer", "c-renderer", "-o", "-"];
    assert!(folder.itch(&by_name).succeeds().stdout.contains("length 10"));
    let report = [
        "--sandbox",
        "followers",
        "-l",
        "50",
        "--plot",
        "rows.ctally",
        "burkeblack",
    ];
    folder.itch(&report).exits(0);
    assert!(folder.read("rows.ctally").contains("burkeblack - followers"));
}
