//! Benchmarks of third-party plugins: `cargo bench -p itch-tests --bench plugins`.
//!
//! Compares the start-up with fifty plugins and with none, a plugin that is confined with one that is not, and a million
//! rows of six cells from the same report linked in, loaded into the process, and in a separate process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use itch_tests::{Folder, binary, build, fixtures, opened_during, target, use_binary};
use wait4::Wait4;

const PLUGINS: usize = 50;
const ROWS: u32 = 1_000_000;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn own(folder: &Folder) -> PathBuf {
    folder.path("data/itch/plugins")
}

/// A folder with this many plugins, all of which are indexed and trusted.
fn with_plugins(n: usize) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(own(&folder)).unwrap();
    for number in 0..n {
        let name = format!("third-party-{number}");
        let file = own(&folder).join(fixtures::file_name(&name));
        fs::copy(fixtures::greeter(&name), file).unwrap();
        folder.itch(&["plugins", "trust", &name]).exits(0);
    }
    folder
}

/// User and system time of a command, in milliseconds.
fn processor_time(folder: &Folder, arguments: &[&str]) -> f64 {
    let mut child = folder
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let used = child.wait4().unwrap().rusage;
    (used.utime + used.stime).as_secs_f64() * 1e3
}

/// How much more processor time a command takes with the plugins than without, in milliseconds. The two are measured
/// alternately, so that a busy machine affects both.
fn later(none: &Folder, many: &Folder, arguments: &[&str]) -> f64 {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..61 {
        without.push(processor_time(none, arguments));
        with.push(processor_time(many, arguments));
    }
    let (without, with) = (median(without), median(with));
    println!("itch {}: {without:.2} ms without plugins, {with:.2} ms with {PLUGINS}", arguments.join(" "));
    with - without
}

/// How much processor time the confinement of a plugin's process takes, in milliseconds, compared with a kernel that
/// seems to know none.
fn confinement() -> f64 {
    let (confined, not) = (with_plugins(1), with_plugins(1).old_kernel());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..61 {
        with.push(processor_time(&confined, &["third-party-0"]));
        without.push(processor_time(&not, &["third-party-0"]));
    }
    let (with, without) = (median(with), median(without));
    println!("a plugin's report: {with:.2} ms confined, {without:.2} ms not confined");
    with - without
}

/// The time of a million rows to /dev/null, in seconds.
fn pull(mut command: Command) -> f64 {
    let null = File::options().write(true).open("/dev/null").unwrap();
    let start = Instant::now();
    let mut child = command.stdout(null).stderr(Stdio::null()).spawn().unwrap();
    assert!(child.wait().unwrap().success());
    start.elapsed().as_secs_f64()
}

struct Figure {
    what: &'static str,
    measured: f64,
    bound: f64,
    unit: &'static str,
}

/// The times of a million rows, in seconds: from a report that is linked in, loaded into the process, and in a separate
/// process.
fn measure_rows(linked_in: &Path) -> [f64; 3] {
    let folder = Folder::new();
    fs::create_dir_all(own(&folder)).unwrap();
    let library = fixtures::file_name("itch_fixture_report");
    let library = format!("{}{library}", std::env::consts::DLL_PREFIX);
    fs::copy(target().join("release").join(library), own(&folder).join(fixtures::file_name("fixture-report"))).unwrap();
    folder.itch(&["plugins", "trust", "fixture-report"]).exits(0);
    let rows = ROWS.to_string();
    let arguments = ["rust-report", "--rows", &rows, "-f", "tsv"];
    let inside = "[plugins]\nin-process = [\"fixture-report\"]\n";
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..7 {
        let mut command = Command::new(linked_in);
        command.args(arguments).env("ITCH_NO_PLUGINS", "1");
        seconds[0].push(pull(command));
        folder.write("config/itch/config.toml", inside);
        seconds[1].push(pull(folder.command(&arguments)));
        folder.write("config/itch/config.toml", "");
        seconds[2].push(pull(folder.command(&arguments)));
    }
    let seconds = seconds.map(median);
    let ways = ["linked in", "loaded into the process", "in a separate process"];
    for (what, seconds) in ways.iter().zip(seconds) {
        println!("{ROWS} rows, {what}: {seconds:.3} s, {:.0} rows/s", f64::from(ROWS) / seconds);
    }
    seconds
}

/// Prints the measured values next to their bounds, and those that are out of bounds.
fn print_figures(figures: &[Figure]) {
    println!();
    println!("{:<40} {:>10}  {:>10}", "figure", "measured", "bound");
    for Figure {
        what,
        measured,
        bound,
        unit,
    } in figures
    {
        println!("{what:<40} {:>10}  {:>10}", format!("{measured:.2} {unit}"), format!("<= {bound} {unit}"));
    }
    let missed = figures.iter().filter(|figure| figure.measured > figure.bound);
    let missed: Vec<&str> = missed.map(|figure| figure.what).collect();
    println!();
    match missed.is_empty() {
        true => println!("all within bounds"),
        false => println!("missed: {}", missed.join("; ")),
    }
}

fn main() {
    let release = |arguments: &[&str]| build(&[&["build", "--release"], arguments].concat(), "release");
    use_binary(release(&["--package", "itch"]));
    release(&["--package", "itch-fixture-report"]);
    release(&["--package", "itch-tests", "--example", "linked-in"]);
    let linked_in = target().join("release/examples/linked-in");

    let (none, many) = (Folder::new(), with_plugins(PLUGINS));
    // Creates the index.
    many.itch(&["--help"]).exits(0);
    let help = later(&none, &many, &["--help"]);
    let short_help = later(&none, &many, &["-h"]);
    let report = later(&none, &many, &["followers"]);
    let opened = opened_during(&own(&many), || {
        many.itch(&["--help"]).exits(0);
        many.itch(&["followers"]).exits(2);
    });

    let confinement = confinement();
    let [linked, loaded, isolated] = measure_rows(&linked_in);
    println!("the program: {}", binary().display());

    let figures = [
        Figure {
            what: "`--help` with 50 plugins, later by",
            measured: help,
            bound: 2.0,
            unit: "ms",
        },
        Figure {
            what: "`-h` with 50 plugins, later by",
            measured: short_help,
            bound: 2.0,
            unit: "ms",
        },
        Figure {
            what: "`followers` with 50 plugins, later by",
            measured: report,
            bound: 2.0,
            unit: "ms",
        },
        Figure {
            what: "plugins opened by either",
            measured: opened.len() as f64,
            bound: 0.0,
            unit: "",
        },
        Figure {
            what: "confinement, later by",
            measured: confinement,
            bound: 2.0,
            unit: "ms",
        },
        Figure {
            what: "loaded / linked in",
            measured: loaded / linked,
            bound: 1.25,
            unit: "x",
        },
        Figure {
            what: "separate process / linked in",
            measured: isolated / linked,
            bound: 1.3,
            unit: "x",
        },
    ];
    print_figures(&figures);
}
