//! Benchmarks of `chat-replay`: `cargo bench -p itch-tests --bench chat`.
//!
//! As in `figures.rs`, the sandbox is a separate process on the same machine, and the medians are printed next to their
//! bounds without failing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, build, same, use_binary};
use wait4::{ResUse, Wait4};

const LATENCY: Duration = Duration::from_millis(50);
/// Six hours and 60,000 comments.
const LONG: &str = "2700000060";
/// Thirty hours and 600,000 comments.
const LONGEST: &str = "2700000600";
/// With this configuration the hash of the query is unknown, so its text is sent: its pages have up to 100 comments, those
/// of the hash 59.
const BY_TEXT: &str = "[gql.operations.video-comments]\nhash = \"00\"\n";
/// The faults: one answer in twenty is one of these.
const FAULTS: &str = "gql-null=0.01,gql-error=0.01,reset=0.01,500=0.01,cut=0.01";

/// How the query is sent.
#[derive(Clone, Copy, Debug)]
enum Form {
    Hash,
    Text,
}

/// A folder whose commands use a sandbox and a form.
fn folder(sandbox: &Sandbox, form: Form) -> Folder {
    let folder = Folder::new().at(sandbox);
    if matches!(form, Form::Text) {
        std::fs::create_dir_all(folder.path("config/itch")).unwrap();
        folder.write("config/itch/config.toml", BY_TEXT);
    }
    folder
}

/// Pulls the chat of a video into `rows.tsv`.
fn pull(folder: &Folder, video: &str, connections: &str) -> (Duration, ResUse) {
    let rows = File::create(folder.path("rows.tsv")).unwrap();
    let arguments = ["chat-replay", "--connections", connections, video];
    let start = Instant::now();
    let mut child = folder.command(&arguments).stdout(rows).spawn().unwrap();
    let used = child.wait4().unwrap();
    let wall = start.elapsed();
    assert!(used.status.success(), "itch {}", arguments.join(" "));
    (wall, used)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Fails unless every comment is there once and in order.
fn check(rows: &str, count: usize) {
    let cells = |place: usize| rows.lines().map(move |row| row.split('\t').nth(place).unwrap());
    assert!(cells(0).map(|second| second.parse::<u64>().unwrap()).is_sorted());
    assert_eq!(rows.lines().count(), count);
    assert_eq!(cells(7).collect::<HashSet<_>>().len(), count);
}

/// The speed of four connections relative to one, without and with faults.
fn speed(form: Form) -> [f64; 2] {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let faulty = Sandbox::start(&["--latency", "50ms", "--faults", FAULTS]);
    let folder = folder(&sandbox, form);
    let one = pull(&folder, LONG, "1").0.as_secs_f64();
    let expected = folder.read("rows.tsv");
    check(&expected, 60_000);
    let faulty_folder = self::folder(&faulty, form);
    let faulty_one = pull(&faulty_folder, LONG, "1").0.as_secs_f64();
    let four = |folder: &Folder| {
        let times = (0..3).map(|_| {
            let time = pull(folder, LONG, "4").0.as_secs_f64();
            same(&folder.read("rows.tsv"), &expected);
            time
        });
        median(times.collect())
    };
    let (four, faulty_four) = (four(&folder), four(&faulty_folder));
    println!("60,000 comments by {form:?}: {one:.2} s over one connection, {four:.2} s over four");
    println!("with 5 % faults: {faulty_one:.2} s over one connection, {faulty_four:.2} s over four");
    [one / four, faulty_one / faulty_four]
}

/// The number of round trips before the first row is on stdout.
fn first_row() -> f64 {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let times = (0..5).map(|_| {
        let folder = folder(&sandbox, Form::Hash);
        let start = Instant::now();
        let mut child = folder.command(&["chat-replay", LONG]).spawn().unwrap();
        let mut row = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut row)
            .unwrap();
        let elapsed = start.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(row.starts_with("0\t"), "{row}");
        elapsed.as_secs_f64() / LATENCY.as_secs_f64()
    });
    median(times.collect())
}

/// The peak memory for the longest video, in MiB, and the folder with its rows. They are checked later: Linux counts the
/// peak of the process that starts another one as that one's, too (getrusage(2), `ru_maxrss`).
fn memory(form: Form) -> (f64, Folder) {
    let sandbox = Sandbox::start(&["--latency", "2ms"]);
    let folder = folder(&sandbox, form);
    let (wall, used) = pull(&folder, LONGEST, "4");
    println!("600,000 comments by {form:?} at 2 ms: {:.1} s", wall.as_secs_f64());
    (used.rusage.maxrss as f64 / f64::from(1 << 20), folder)
}

fn main() {
    use_binary(build(&["build", "--release", "--package", "itch"], "release"));
    let (memory_by_hash, by_hash) = memory(Form::Hash);
    let (memory_by_text, by_text) = memory(Form::Text);
    for folder in [by_hash, by_text] {
        check(&folder.read("rows.tsv"), 600_000);
    }
    let [clean, faulty] = speed(Form::Hash);
    let [text_clean, text_faulty] = speed(Form::Text);
    let figures = [
        ("four connections / one connection", clean, ">=", 3.5),
        ("the same with 5 % faults", faulty, ">=", 3.5),
        ("the first, by the query's text", text_clean, ">=", 3.5),
        ("the second, by the query's text", text_faulty, ">=", 3.5),
        ("round trips before the first row", first_row(), "<=", 4.0),
        ("peak memory of 600,000 comments, MiB", memory_by_hash, "<=", 40.0),
        ("the same by the query's text, MiB", memory_by_text, "<=", 40.0),
    ];
    println!("\n{:<40} {:>9}  {:>9}", "figure", "measured", "bound");
    for (what, measured, sign, bound) in figures {
        println!("{what:<40} {measured:>9.2}  {sign:>3} {bound:>5}");
    }
}
