//! Benchmarks of `itch plot`: the whole process, from a TSV file in the page cache to a PNG of 2160 × 1080. `cargo
//! bench -p itch-tests --bench plot`; `-- quick` leaves out the ten million rows.
//!
//! The rows are generated here and are the same every time. It prints the medians next to the bounds and does not fail,
//! since a busy machine is slow too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use itch_tests::{Folder, build, use_binary};
use wait4::Wait4;

/// The number of rows, the maximum time in milliseconds, and the maximum peak memory in MiB.
const FIGURES: [(u64, f64, Option<f64>); 5] = [
    (1_000, 30.0, None),
    (10_000, 30.0, None),
    (100_000, 60.0, None),
    (1_000_000, 200.0, None),
    (10_000_000, 1_100.0, Some(350.0)),
];

/// Pseudo-random numbers, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31)
    }
}

/// Writes followers of five years: accounts of every age, more of them in the evening, and a wave of new ones.
fn write_followers(folder: &Folder, name: &str, rows: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(folder.path(name)).unwrap());
    let mut dice = Dice(rows);
    for row in 0..rows {
        let (followed, age) = if row % 40 == 0 {
            (1.470e9 + dice.roll() * 2_000.0, 7e5 + dice.roll() * 2.5e5)
        } else {
            let day = (dice.roll() * 1_825.0).floor() * 86_400.0;
            let hour = (dice.roll() + dice.roll()) * 43_200.0;
            (1.4e9 + day + hour, dice.roll() * dice.roll() * 1.5e8)
        };
        let created = followed - age;
        writeln!(out, "somebody_{row}\tburkeblack\t{created:.0}\t{followed:.0}\t{age:.0}\t0").unwrap();
    }
    out.flush().unwrap();
}

fn write_streams(folder: &Folder) {
    let mut out = File::create(folder.path("streams.tsv")).unwrap();
    for day in 0..600 {
        let start = 1_400_000_000 + day * 3 * 86_400 + 64_800;
        writeln!(out, "{start}\t{}", start + 14_400).unwrap();
    }
}

/// Wall time, processor time and peak memory of one run.
fn run(folder: &Folder, arguments: &[&str]) -> (Duration, Duration, u64) {
    let start = Instant::now();
    let mut child = folder.command(arguments).stdout(Stdio::null()).spawn().unwrap();
    let used = child.wait4().unwrap();
    let wall = start.elapsed();
    assert!(used.status.success(), "itch {}", arguments.join(" "));
    (wall, used.rusage.utime + used.rusage.stime, used.rusage.maxrss)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    use_binary(build(&["build", "--release", "--package", "itch"], "release"));
    let quick = std::env::args().any(|argument| argument == "quick");
    let folder = Folder::new();
    write_streams(&folder);
    println!(
        "{:>12} {:>10} {:>10} {:>12} {:>10} {:>10}",
        "rows", "ms", "at most", "processor ms", "MiB", "at most"
    );
    for (rows, longest, highest) in FIGURES {
        if quick && rows > 1_000_000 {
            continue;
        }
        let name = format!("{rows}.tsv");
        write_followers(&folder, &name, rows);
        // Reads the file into the page cache.
        let mut file = File::open(folder.path(&name)).unwrap();
        std::io::copy(&mut file, &mut std::io::sink()).unwrap();
        let arguments = [
            "plot",
            "-s",
            "-D",
            "-S",
            "streams.tsv",
            "-T",
            "BurkeBlack",
            &name,
            "plot.png",
        ];
        let times = if rows > 1_000_000 { 7 } else { 21 };
        let runs: Vec<_> = (0..times).map(|_| run(&folder, &arguments)).collect();
        let wall = median(runs.iter().map(|run| run.0.as_secs_f64() * 1e3).collect());
        let processor = median(runs.iter().map(|run| run.1.as_secs_f64() * 1e3).collect());
        let peak = median(runs.iter().map(|run| run.2 as f64 / 1_048_576.0).collect());
        let bound = highest.map_or_else(String::new, |highest| format!("{highest:.0}"));
        println!("{rows:>12} {wall:>10.1} {longest:>10.0} {processor:>12.1} {peak:>10.1} {bound:>10}");
        std::fs::remove_file(folder.path(&name)).unwrap();
    }
    println!(
        "\nThe density against the sum over all pairs: cargo test --release -p itch-chart -- --ignored million --nocapture"
    );
}
