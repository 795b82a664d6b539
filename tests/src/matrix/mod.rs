//! Every report with every kind of fault of the simulated Twitch: the cells of the matrix, and how one is run.

pub mod cases;
pub mod judge;
pub mod kinds;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::process::{Child, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use itch_sandbox::{Options, Sandbox};
use serde_json::{Map, Value};

use self::cases::Case;
use self::judge::{Allowance, judge};
use crate::Folder;

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often it repeats a failed request.
    pub retries: u32,
    /// After this time it counts as hung.
    pub limit: Duration,
}

impl Patience {
    /// For one kind of fault. With these channels a run takes milliseconds, and the pauses of all retries 24 seconds.
    pub const ONE: Patience = Patience::new(7, 30);
    /// For a mixture, which strikes every second request.
    pub const MIXTURE: Patience = Patience::new(20, 180);
    /// For an answer that is damaged every time.
    pub const SHORT: Patience = Patience::new(1, 30);
    /// For an error that is printed at once.
    pub const NONE: Patience = Patience::new(0, 30);

    const fn new(retries: u32, seconds: u64) -> Patience {
        Patience {
            retries,
            limit: Duration::from_secs(seconds),
        }
    }
}

/// One row, by column.
pub type Row = Map<String, Value>;

/// What a run printed.
#[derive(Debug)]
pub struct Outcome {
    /// The command line.
    pub line: String,
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Whether it ran longer than its patience.
    pub hung: bool,
    /// Its rows; an error if stdout is not JSON lines.
    pub rows: Result<Vec<Row>, String>,
    /// Everything on stderr.
    pub stderr: String,
    /// The verdict; null if none was written.
    pub verdict: Value,
}

/// Runs a report against the services at some addresses. A stalled answer does not take long.
pub fn run(variables: &[(&str, String)], patience: Patience, arguments: &[&str]) -> Outcome {
    let mut folder = Folder::new();
    for (name, value) in variables {
        folder = folder.variable(name, value);
    }
    let retries = patience.retries.to_string();
    let common = [
        "-v",
        "--retries",
        &retries,
        "--timeout",
        "1s",
        "-f",
        "jsonl",
        "--verdict",
        "verdict.json",
    ];
    let arguments = [&common[..], arguments].concat();
    let child = folder.command(&arguments).spawn().unwrap();
    let (status, stdout, stderr) = wait(child, patience.limit);
    let verdict = std::fs::read(folder.path("verdict.json")).unwrap_or_default();
    let stdout = String::from_utf8_lossy(&stdout);
    let rows = stdout
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}")));
    Outcome {
        line: format!("itch {}", arguments.join(" ")),
        code: status.and_then(|status| status.code()).unwrap_or(-1),
        hung: status.is_none(),
        rows: rows.collect(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        verdict: serde_json::from_slice(&verdict).unwrap_or_default(),
    }
}

/// The end of a process and its output; it is killed after the limit.
fn wait(mut child: Child, limit: Duration) -> (Option<ExitStatus>, Vec<u8>, Vec<u8>) {
    fn reader(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            bytes
        })
    }
    let stdout = reader(child.stdout.take().unwrap());
    let stderr = reader(child.stderr.take().unwrap());
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > end => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => thread::sleep(Duration::from_millis(4)),
        }
    };
    (status, stdout.join().unwrap(), stderr.join().unwrap())
}

/// A sandbox in this process, without a rate limit.
pub fn sandbox(seed: u64, faults: &str) -> Sandbox {
    Sandbox::start(Options {
        seed,
        faults: faults.parse().unwrap(),
        rate_limit: None,
        ..Options::default()
    })
    .unwrap()
}

/// A run without faults, with more rows than the limit of the report.
pub fn undisturbed(sandbox: &Sandbox, case: &Case) -> Outcome {
    let arguments = case.beyond_limit();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&sandbox.environment(), Patience::NONE, &arguments)
}

/// One cell: a report, faults and a seed.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The report and its arguments.
    pub case: &'static Case,
    /// The kind of fault, or a name for several.
    pub kind: String,
    /// The faults for `--faults`.
    pub faults: String,
    /// The seed of the data and the faults.
    pub seed: u64,
    /// How long the run may take.
    pub patience: Patience,
    /// What the faults may do besides what the rule says.
    pub allowance: Allowance,
}

/// The cells of some seeds: each report with each kind that can occur in it. With the variable `ITCH_CELLS`, only those
/// whose name contains its value: `ITCH_CELLS='streams × '`, or `ITCH_CELLS=' × endless'`.
pub fn cells(seeds: impl Iterator<Item = u64> + Clone) -> Vec<Cell> {
    let mut cells = Vec::new();
    let wanted = std::env::var("ITCH_CELLS").unwrap_or_default();
    for case in cases::CASES {
        for (kind, _) in itch_sandbox::Faults::kinds() {
            let is_wanted = format!("{} × {kind} ", case.name).contains(&wanted);
            let Some(rate) = kinds::rate(kind, case).filter(|_| is_wanted) else {
                continue;
            };
            cells.extend(seeds.clone().map(|seed| Cell {
                case,
                kind: kind.to_owned(),
                faults: format!("{kind}={rate}"),
                seed,
                patience: Patience::ONE,
                allowance: kinds::allowance(kind, case),
            }));
        }
    }
    cells
}

/// The cells of some seeds with all kinds at once, each at the same rate.
pub fn mixtures(seeds: impl Iterator<Item = u64> + Clone, rate: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for case in cases::CASES {
        let kinds = itch_sandbox::Faults::kinds().filter(|(kind, _)| kinds::may_be_mixed(kind, case));
        let kinds: Vec<&str> = kinds
            .map(|(kind, _)| kind)
            .filter(|kind| kinds::occurs(kind, case))
            .collect();
        let faults: Vec<String> = kinds.iter().map(|kind| format!("{kind}={rate}")).collect();
        let allowance = kinds
            .iter()
            .map(|kind| kinds::allowance(kind, case))
            .fold(Allowance::NONE, Allowance::or);
        cells.extend(seeds.clone().map(|seed| Cell {
            case,
            kind: "mixture".to_owned(),
            faults: faults.join(","),
            seed,
            patience: Patience::MIXTURE,
            allowance,
        }));
    }
    cells
}

/// A cell that breaks the rule.
#[derive(Debug)]
pub struct Failure {
    /// The cell.
    pub cell: Cell,
    /// What is wrong, one sentence each.
    pub wrong: Vec<String>,
    /// The run.
    pub outcome: Outcome,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { cell, wrong, outcome } = self;
        writeln!(f, "{} × {} (seed {}): exit code {}", cell.case.name, cell.kind, cell.seed, outcome.code)?;
        writeln!(f, "  itch sandbox --seed {} --rate-limit off --faults {}", cell.seed, cell.faults)?;
        writeln!(f, "  {}", outcome.line)?;
        for wrong in wrong {
            writeln!(f, "  - {wrong}")?;
        }
        let said: Vec<&str> = outcome
            .stderr
            .lines()
            .filter(|line| !line.contains(" debug: "))
            .collect();
        for line in &said[said.len().saturating_sub(4)..] {
            writeln!(f, "  | {line}")?;
        }
        Ok(())
    }
}

/// Calls a function for each item, on several threads, and returns what it found.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let result = work(item);
                    found.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, result)| result).collect()
}

/// Runs cells on several threads and returns those that break the rule.
pub fn failures(cells: &[Cell], threads: usize) -> Vec<Failure> {
    let mut keys: Vec<(&'static Case, u64)> = cells.iter().map(|cell| (cell.case, cell.seed)).collect();
    keys.sort_by_key(|(case, seed)| (case.name, *seed));
    keys.dedup_by_key(|(case, seed)| (case.name, *seed));
    let whole = in_parallel(&keys, threads, |(case, seed)| {
        let sandbox = sandbox(*seed, "");
        ((case.name, *seed), undisturbed(&sandbox, case))
    });
    let whole: BTreeMap<_, _> = whole.into_iter().collect();
    let failures = in_parallel(cells, threads, |cell| {
        let whole = &whole[&(cell.case.name, cell.seed)];
        let sandbox = sandbox(cell.seed, &cell.faults);
        let outcome = run(&sandbox.environment(), cell.patience, cell.case.arguments);
        let mut wrong = judge(whole, &outcome, cell.case, &cell.allowance);
        if whole.code != 0 {
            wrong = vec![format!("without faults the exit code is {}", whole.code)];
        }
        (!wrong.is_empty()).then(|| Failure {
            cell: cell.clone(),
            wrong,
            outcome,
        })
    });
    failures.into_iter().flatten().collect()
}
