//! `itch plugins check`: every unit is tried, with a time limit.

use std::fs;
use std::io::Read;

use itch_tests::{Folder, RunResult, Signal, eventually, fixtures, signal, wait};

#[test]
fn a_check_tries_every_unit() {
    let folder = Folder::new();
    let check = |plugin: &str| {
        let path = fixtures::install(&[plugin], &folder.path("files")).remove(0);
        folder.itch(&["plugins", "check", path.to_str().unwrap()])
    };
    let report = check("c-report");
    let lines: Vec<&str> = report.succeeds().stdout.lines().collect();
    assert!(lines[0].starts_with("file: ok: "));
    assert!(lines[1].starts_with("load: ok: sha256:"));
    assert_eq!(lines[2], "plugin: ok: c-report 1.2.3, ABI 1.0");
    assert_eq!(lines[3], "report c-report: ok: 1 example against the sandbox, 6 rows");

    // Every unit is tried, and a failing one is reported.
    let several = check("fixture-report");
    let stdout = &several.exits(1).stdout;
    assert!(stdout.contains("\nreport rust-report: ok: 1 example against the sandbox, 2 rows\n"));
    assert!(stdout.contains("\nreport panic: failed: `itch fixture-report/panic`: the plugin `fixture-report` panicked after 3 rows: told to panic, at "));

    let cache = check("c-cache");
    cache.exits(1);
    let refused =
        "cache c-cache: failed: the plugin `c-cache` needs files or the network, which it is not allowed to use";
    assert!(cache.stdout.lines().last().unwrap().starts_with(refused), "{}", cache.stdout);
    let path = folder.path("files").join(fixtures::file_name("c-cache"));
    let cache = folder.itch(&["plugins", "check", "--allow", path.to_str().unwrap()]);
    assert!(
        cache
            .exits(1)
            .stdout
            .ends_with("cache c-cache: failed: C_CACHE is not set\n")
    );

    let newer = check("needs-newer");
    newer.exits(1);
    assert!(
        newer
            .stdout
            .contains("load: failed: it needs version 1.1 of the plugin")
    );

    let elsewhere = folder.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let text = folder.itch(&["plugins", "check", fixtures::text(&elsewhere).to_str().unwrap()]);
    text.exits(1);
    assert!(text.stdout.ends_with("load: failed: file too short\n"));
    let open = fixtures::world_writable(&elsewhere);
    let open = folder.itch(&["plugins", "check", open.to_str().unwrap()]);
    assert_eq!(open.exits(1).stdout, "file: failed: it is writable by everyone\n");
    // The check leaves no entry in the index or the lock file.
    assert!(!folder.path("data/itch/plugins.lock").exists());
    assert!(!folder.path("cache/itch/plugins.json").exists());
}

#[test]
fn a_cache_that_works_is_checked_with_a_value() {
    let folder = Folder::new();
    let store = folder.path("store");
    let folder = folder.variable("C_CACHE", &store);
    let path = fixtures::install(&["c-cache"], &folder.path("files")).remove(0);
    // It may not write there unless it is allowed to.
    let check = folder.itch(&["plugins", "check", path.to_str().unwrap()]);
    assert!(check.exits(1).stdout.contains("cache c-cache: failed: "), "{}", check.stdout);
    let check = folder.itch(&["plugins", "check", "--allow", path.to_str().unwrap()]);
    let kept = format!("cache c-cache: ok: kept a value at {}\n", store.display());
    assert!(check.succeeds().stdout.ends_with(&kept), "{}", check.stdout);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
}

/// Checks a plugin with this time limit for each trial.
fn check(folder: &Folder, plugin: &str, timeout: &str) -> RunResult {
    let path = fixtures::install(&[plugin], &folder.path("files")).remove(0);
    let ran = folder.itch(&["plugins", "check", "--timeout", timeout, path.to_str().unwrap()]);
    assert_eq!(ran.stderr, "");
    ran
}

/// The processes that have a file of the folder in their command line.
#[cfg(target_os = "linux")]
fn processes(folder: &Folder) -> Vec<String> {
    let files = folder.path("files").display().to_string();
    let lines = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(&files)).collect()
}

#[test]
fn what_does_not_end_is_ended_in_time() {
    let folder = Folder::new();
    for (plugin, told) in [
        ("hanging-cache", "cache hanging-cache: failed: `get`: it did not end within 2 s\n"),
        ("hanging-renderer", "renderer hanging-renderer: failed: it did not end within 2 s\n"),
        ("hang", "report hang: failed: `itch hang/hang`: it did not end within 2 s\n"),
    ] {
        let ran = check(&folder, plugin, "2");
        assert!(ran.exits(1).stdout.ends_with(told), "{}", ran.stdout);
    }
    #[cfg(target_os = "linux")]
    eventually("the end of what was tried", || processes(&folder).is_empty());
}

#[test]
fn what_prints_without_end_is_ended_at_a_limit() {
    let folder = Folder::new();
    let told = "failed: it printed more than 16 MiB\n";
    let endless = check(&folder, "endless-renderer", "60");
    let picture = format!("renderer endless-renderer: {told}");
    assert!(endless.exits(1).stdout.ends_with(&picture), "{}", endless.stdout);
    let long = check(&folder, "megabyte-rows", "60");
    let rows = "report megabyte-rows: failed: `itch megabyte-rows/megabyte-rows`: it printed more than 16 MiB\n";
    assert!(long.exits(1).stdout.ends_with(rows), "{}", long.stdout);
    // Short rows stop at a limit of their number.
    let flood = check(&folder, "flood", "60");
    let rows = "report flood: ok: 1 example against the sandbox, 1000 rows\n";
    assert!(flood.exits(0).stdout.ends_with(rows), "{}", flood.stdout);
    #[cfg(target_os = "linux")]
    eventually("the end of what was tried", || processes(&folder).is_empty());
}

#[test]
fn all_together_have_a_limit() {
    let many = check(&Folder::new(), "many", "100ms");
    let last = many.exits(1).stdout.lines().next_back().unwrap();
    assert!(last.starts_with("units: failed: "), "{last}");
    assert!(last.ends_with(" of 400 were tested within 0.6 s"), "{last}");
}

#[test]
fn a_limit_is_a_span_of_time() {
    let refused = Folder::new().itch(&["plugins", "check", "--timeout", "soon", "x.so"]);
    refused.exits(2).says("`soon` is not a duration");
}

#[test]
fn an_interrupt_ends_a_check_at_once_and_shows_where_it_was() {
    let folder = Folder::new();
    let path = fixtures::install(&["hang"], &folder.path("files")).remove(0);
    let temporary = folder.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let arguments = ["plugins", "check", "--timeout", "1h", path.to_str().unwrap()];
    let mut command = folder.command(&arguments);
    let mut child = command.env("TMPDIR", &temporary).spawn().unwrap();
    // Each step is printed before it has ended.
    let mut told = String::new();
    let mut stdout = child.stdout.take().unwrap();
    while !told.ends_with("report hang: ") {
        let mut part = [0; 256];
        let length = stdout.read(&mut part).unwrap();
        assert!(length > 0, "{told}");
        told.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    eventually("the trial's home", || fs::read_dir(&temporary).unwrap().count() == 1);
    signal(child.id(), Signal::INT);
    let ended = wait(child);
    stdout.read_to_string(&mut told).unwrap();
    assert!(told.ends_with("report hang: interrupted\n"), "{told}");
    assert_eq!(ended.status.code(), Some(130));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    #[cfg(target_os = "linux")]
    eventually("the end of what was tried", || processes(&folder).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_check_that_is_killed_leaves_nothing_running() {
    let folder = Folder::new();
    let path = fixtures::install(&["hang"], &folder.path("files")).remove(0);
    let arguments = ["plugins", "check", "--timeout", "1h", path.to_str().unwrap()];
    let mut child = folder.command(&arguments).spawn().unwrap();
    let runs = |what: &str| processes(&folder).iter().any(|line| line.contains(what));
    eventually("the unit's process", || runs("__host"));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the end of what was tried", || processes(&folder).is_empty());
}
