//! The matrix of reports and faults over many seeds: `cargo bench -p itch-tests --bench fault_seeds -- 50`.
//!
//! The arguments are the number of seeds for each kind alone (50), the number for the mixture of all kinds (500), and
//! the rate of each kind in the mixture (0.02). It prints a table of the cells that break the rule, each by report and
//! kind, with an example, and fails if there is one. With the variable `ITCH_BIN` it runs that program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use itch_tests::matrix::{Cell, Failure, cells, failures, mixtures};
use itch_tests::{build, use_binary};

/// Runs wait for the pauses between retries most of the time.
const THREADS: usize = 24;

/// The runs and the failures by report and kind.
fn table(cells: &[Cell], failures: &[Failure]) {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for cell in cells {
        counts.entry((&cell.kind, cell.case.name)).or_default().0 += 1;
    }
    for failure in failures {
        counts
            .entry((&failure.cell.kind, failure.cell.case.name))
            .or_default()
            .1 += 1;
    }
    println!("{:<20} {:<24} {:>6} {:>8}", "fault", "report", "runs", "failures");
    for ((kind, report), (runs, failed)) in counts {
        println!("{kind:<20} {report:<24} {runs:>6} {failed:>8}");
    }
}

fn main() -> ExitCode {
    if std::env::var_os("ITCH_BIN").is_none() {
        use_binary(build(&["build", "--release", "--package", "itch"], "release"));
    }
    let numbers: Vec<f64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let number = |place: usize, usual: f64| numbers.get(place).copied().unwrap_or(usual);
    let mut all = cells(1..=number(0, 50.0) as u64);
    all.extend(mixtures(1..=number(1, 500.0) as u64, number(2, 0.02)));
    let start = Instant::now();
    let failed = failures(&all, THREADS);
    table(&all, &failed);
    let mut shown: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for failure in &failed {
        let shown = shown.entry((&failure.cell.kind, failure.cell.case.name)).or_default();
        *shown += 1;
        if *shown <= 2 {
            println!("\n{failure}");
        }
    }
    let (runs, seconds) = (all.len(), start.elapsed().as_secs());
    println!("\n{} of {runs} runs break the rule, {seconds} s", failed.len());
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
