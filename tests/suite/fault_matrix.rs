//! Every report with every kind of fault: equal rows and exit 0, or what is missing is named and exit 3.

use itch_tests::matrix::{Patience, cases, judge};
use itch_tests::matrix::{cells, failures, run, sandbox};

/// Runs wait for the pauses between retries most of the time.
const THREADS: usize = 16;

#[test]
fn every_report_bears_every_kind_of_fault() {
    let cells = cells([3, 4].into_iter());
    let failures = failures(&cells, THREADS);
    let told: String = failures.iter().map(|failure| format!("\n{failure}")).collect();
    assert!(failures.is_empty(), "{} of {} cells break the rule\n{told}", failures.len(), cells.len());
}

/// The last error is printed, with what the service answered.
#[test]
fn a_token_that_an_error_repeats_is_not_printed() {
    for fault in ["echo=1", "echo-location=1"] {
        for seed in 1..=6 {
            let sandbox = sandbox(seed, fault);
            for case in &cases::CASES[..2] {
                let outcome = run(&sandbox.environment(), Patience::NONE, case.arguments);
                assert_eq!(outcome.code, 6, "{}", outcome.stderr);
                assert_eq!(judge::leaked(&outcome), None, "{}", outcome.stderr);
            }
        }
    }
}
