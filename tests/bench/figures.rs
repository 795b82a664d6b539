//! Benchmarks of the program, with their bounds: `cargo bench -p itch-tests`.
//!
//! Everything runs on one machine, against a sandbox in a separate process and without a rate limit, so that neither
//! the limit nor the sandbox's memory is counted. It prints the medians next to the bounds and does not fail, since a
//! busy machine is slow too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::fs::File;
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, build, use_binary};
use wait4::{ResUse, Wait4};

const LATENCY: Duration = Duration::from_millis(50);
const ROWS: u32 = 10_000;
const PAGES: u32 = ROWS / 100;

/// One measured value.
struct Figure {
    what: &'static str,
    measured: f64,
    bound: f64,
    unit: &'static str,
    /// Whether the bound is a minimum.
    at_least: bool,
}

impl Figure {
    fn holds(&self) -> bool {
        match self.at_least {
            true => self.measured >= self.bound,
            false => self.measured <= self.bound,
        }
    }
}

/// The time and memory of one run.
struct Cost {
    wall: Duration,
    used: ResUse,
}

/// Runs itch with its rows written to a file.
fn run(folder: &Folder, arguments: &[&str]) -> Cost {
    let rows = File::create(folder.path("rows.tsv")).unwrap();
    let start = Instant::now();
    let mut child = folder.command(arguments).stdout(rows).spawn().unwrap();
    let used = child.wait4().unwrap();
    let wall = start.elapsed();
    assert!(used.status.success(), "itch {}", arguments.join(" "));
    Cost { wall, used }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of several runs, each in its own folder.
fn measure(times: usize, mut once: impl FnMut() -> f64) -> f64 {
    median((0..times).map(|_| once()).collect())
}

fn pull(rows: &str) -> [&str; 4] {
    ["followers", "-l", rows, "burkeblack"]
}

/// User and system time of a command without requests, in milliseconds.
fn start_up(argument: &str) -> f64 {
    let folder = Folder::new();
    measure(41, || {
        let used = run(&folder, &[argument]).used.rusage;
        (used.utime + used.stime).as_secs_f64() * 1e3
    })
}

/// Wall time of a cold pull, relative to the time of the pages alone, which are requested one after the other.
fn chain() -> f64 {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let chain = LATENCY * (PAGES + 2);
    let rows = ROWS.to_string();
    measure(3, || {
        let folder = Folder::new().at(&sandbox);
        run(&folder, &pull(&rows)).wall.as_secs_f64() / chain.as_secs_f64()
    })
}

/// How much more memory a long pull takes than a short one, in MiB.
fn memory() -> f64 {
    let sandbox = Sandbox::start(&["--latency", "2ms"]);
    let peak = |rows: &str| {
        measure(3, || {
            let folder = Folder::new().at(&sandbox);
            run(&folder, &pull(rows)).used.rusage.maxrss as f64 / f64::from(1 << 20)
        })
    };
    let (short, long) = (peak("1000"), peak("200000"));
    println!("peak memory: {short:.1} MiB for 1,000 rows, {long:.1} MiB for 200,000");
    long - short
}

/// How many times faster a warm cache is, and how many requests it sends.
fn cache() -> (f64, f64) {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let rows = ROWS.to_string();
    let arguments = [&["-c", "file"], &pull(&rows)[..]].concat();
    let (mut cold, mut warm, mut asked) = (Vec::new(), Vec::new(), 0);
    for _ in 0..3 {
        let folder = Folder::new().at(&sandbox);
        cold.push(run(&folder, &arguments).wall.as_secs_f64());
        let expected = folder.read("rows.tsv");
        for _ in 0..3 {
            let before = sandbox.requests().total;
            warm.push(run(&folder, &arguments).wall.as_secs_f64());
            asked += sandbox.requests().total - before;
            assert!(folder.read("rows.tsv") == expected, "the cache returned other rows");
        }
    }
    let (cold, warm) = (median(cold), median(warm));
    println!("{ROWS} rows: {cold:.3} s cold, {warm:.3} s from a warm cache");
    (cold / warm, asked as f64)
}

fn main() {
    use_binary(build(&["build", "--release", "--package", "itch"], "release"));
    let at_most = |what, measured, bound, unit| Figure {
        what,
        measured,
        bound,
        unit,
        at_least: false,
    };
    let (faster, asked) = cache();
    let figures = [
        at_most("CPU time of --version", start_up("--version"), 5.0, "ms"),
        at_most("CPU time of --help", start_up("--help"), 5.0, "ms"),
        at_most("10,000 rows at 50 ms / (pages + 2) x 50 ms", chain(), 1.10, "x"),
        at_most("peak memory of 200,000 rows beyond that of 1,000", memory(), 10.0, "MiB"),
        Figure {
            what: "cold at 50 ms / warm file cache",
            measured: faster,
            bound: 20.0,
            unit: "x",
            at_least: true,
        },
        at_most("requests with a warm cache", asked, 0.0, ""),
    ];
    println!();
    println!("{:<50} {:>9}  {:>9}  {:>6}", "figure", "measured", "bound", "ratio");
    for figure in &figures {
        let sign = if figure.at_least { ">=" } else { "<=" };
        let ratio = match figure.bound {
            0.0 => String::new(),
            bound => format!("{:.2}", figure.measured / bound),
        };
        let measured = format!("{:.2} {}", figure.measured, figure.unit);
        let bound = format!("{sign} {} {}", figure.bound, figure.unit);
        println!("{:<50} {measured:>9}  {bound:>9}  {ratio:>6}", figure.what);
    }
    let missed: Vec<&str> = figures
        .iter()
        .filter(|figure| !figure.holds())
        .map(|figure| figure.what)
        .collect();
    println!();
    match missed.is_empty() {
        true => println!("all within bounds"),
        false => println!("missed: {}", missed.join("; ")),
    }
}
