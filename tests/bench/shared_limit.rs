//! Four processes on one rate limit: `cargo bench -p itch-tests --bench shared_limit -- 120`.
//!
//! The argument is the number of seconds (120). It prints how many of the limit's points were used, how equal the
//! processes' parts are (Jain's index: 1 is equal, 0.25 is all for one), and how many answers were refusals, and fails
//! if a bound is missed. With the variable `ITCH_BIN` it measures that program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::fs::File;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, Signal, build, signal, use_binary, wait};

const PROCESSES: usize = 4;
const LIMIT: f64 = 800.0;

/// What a process did.
struct Part {
    rows: f64,
    requests: f64,
    refused: f64,
}

/// Jain's fairness index.
fn fairness(parts: &[f64]) -> f64 {
    let sum: f64 = parts.iter().sum();
    let squares: f64 = parts.iter().map(|part| part * part).sum();
    sum * sum / (parts.len() as f64 * squares)
}

/// Runs the processes for a time.
fn run(sandbox: &Sandbox, length: Duration) -> (Vec<Part>, Duration) {
    let folder = Folder::new().at(sandbox);
    let start = Instant::now();
    let children: Vec<_> = (0..PROCESSES)
        .map(|n| {
            let file = |kind: &str| File::create(folder.path(&format!("{kind}{n}"))).unwrap();
            let mut command = folder.command(&["-v", "followers", "-l", "1000000", "followers_10m"]);
            command.stdout(file("rows")).stderr(file("log")).spawn().unwrap()
        })
        .collect();
    sleep(length.saturating_sub(start.elapsed()));
    let ids: Vec<u32> = children.iter().map(|child| child.id()).collect();
    ids.into_iter().for_each(|id| signal(id, Signal::INT));
    let took = start.elapsed();
    children.into_iter().for_each(|child| drop(wait(child)));
    let part = |n: usize| {
        let log = folder.read(&format!("log{n}"));
        let answers = || {
            log.lines()
                .filter(|line| line.contains(" helix ") && line.contains(" ms, try "))
        };
        Part {
            rows: folder.read(&format!("rows{n}")).lines().count() as f64,
            requests: answers().count() as f64,
            refused: answers().filter(|line| line.contains(": 429, ")).count() as f64,
        }
    };
    ((0..PROCESSES).map(part).collect(), took)
}

fn main() -> ExitCode {
    if let Some(path) = std::env::var_os("ITCH_BIN") {
        use_binary(path.into());
    } else {
        use_binary(build(&["build", "--release", "--package", "itch"], "release"));
    }
    let seconds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(120.0);
    let sandbox = Sandbox::start(&["--rate-limit", "800"]);
    let (parts, took) = run(&sandbox, Duration::from_secs_f64(seconds));
    for (n, part) in parts.iter().enumerate() {
        println!("process {n}: {} rows, {} answers, {} refused", part.rows, part.requests, part.refused);
    }
    let counts = sandbox.requests();
    let to_helix = counts.by_path.iter().filter(|(path, _)| path.starts_with("/helix/"));
    let requests = to_helix.map(|(_, n)| *n as f64).sum::<f64>();
    let refused: f64 = parts.iter().map(|part| part.refused).sum();
    let points = LIMIT + LIMIT / 60.0 * took.as_secs_f64();
    let of = |what: fn(&Part) -> f64| fairness(&parts.iter().map(what).collect::<Vec<_>>());
    let figures = [
        ("points used", (requests - refused) / points, 0.95, true),
        ("fairness, rows", of(|part| part.rows), 0.95, true),
        ("fairness, answers", of(|part| part.requests), 0.95, true),
        ("refused answers", refused / requests, 0.01, false),
    ];
    println!("{requests} requests in {:.1} s, {points:.0} points", took.as_secs_f64());
    let mut missed = false;
    for (what, measured, bound, at_least) in figures {
        let good = if at_least { measured >= bound } else { measured < bound };
        missed |= !good;
        let sign = if at_least { "at least" } else { "less than" };
        println!("{what:20} {measured:.4} ({sign} {bound}){}", if good { "" } else { "  MISSED" });
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
