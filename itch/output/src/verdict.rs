//! The verdict: whether a run is complete, computed from what the host counted and the facts noted during the run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use itch_api::chrono::{DateTime, SecondsFormat, Utc};
use itch_api::{Error, Fact};
use serde_json::{Map, Value, json};

use crate::{human, sanitize};

/// The version of the verdict's JSON form.
const JSON_VERSION: u32 = 1;
/// How many gaps the line names; the others are counted.
const SHOWN_GAPS: usize = 3;
/// The default of [`Run::tolerance`].
pub const DEFAULT_TOLERANCE: f64 = 0.01;
/// The exit code of a run that reached its end with known gaps.
pub const EXIT_GAPS: u8 = 3;
/// The exit code of an interrupted run.
pub const EXIT_INTERRUPTED: u8 = 130;

/// What the host counted of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The report's name, as the user typed it.
    pub report: String,
    /// The arguments of the report, without secrets.
    pub parameters: BTreeMap<String, Value>,
    /// The version of itch.
    pub version: String,
    /// When the run began.
    pub started: DateTime<Utc>,
    /// How long the run took.
    pub elapsed: Duration,
    /// How many rows were printed.
    pub rows: u64,
    /// The limit of rows, if there is one.
    pub limit: Option<u64>,
    /// How many requests were sent to a service.
    pub requests: u64,
    /// How many responses came from a cache.
    pub cache_hits: u64,
    /// The error that ended the run.
    pub error: Option<Error>,
    /// Whether the user interrupted the run.
    pub interrupted: bool,
    /// Whether the reader of the rows closed the pipe. Then `rows` are those that the pipe took.
    pub reader_gone: bool,
    /// How many of the expected rows may be missing without a gap, as a fraction of them: [`DEFAULT_TOLERANCE`] by
    /// default.
    pub tolerance: f64,
}

impl Run {
    fn limit_reached(&self) -> bool {
        self.limit.is_some_and(|limit| self.rows >= limit)
    }
}

/// The verdict on a run.
#[derive(Clone, Debug)]
pub struct Verdict {
    run: Run,
    /// The smallest noted number for each kind of thing that is counted.
    expected: BTreeMap<String, u64>,
    /// The things that no longer exist: how many of each kind, and a few names.
    missing: BTreeMap<MissingItems, (u64, Vec<String>)>,
    /// By how much the totals changed during the run, for each kind of thing that is counted.
    moved: BTreeMap<String, u64>,
    /// Values and rows that could not be read: how many of each kind, and a few places.
    unreadable: BTreeMap<String, (u64, Vec<String>)>,
    repeated: u64,
    /// Among how many previous rows repeated ones were searched for, if not among all.
    searched_back: Option<u64>,
    recovered: u64,
    gaps: Vec<Gap>,
}

/// A kind of thing that no longer exists at the service, such as deleted accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MissingItems {
    what: String,
    remark: Option<String>,
}

/// A part that is known to be missing.
#[derive(Clone, Debug, Default)]
struct Gap {
    from: Option<String>,
    to: Option<String>,
    reason: String,
}

impl Verdict {
    /// Judges a run.
    ///
    /// If more rows are missing than the tolerance allows, that is a gap, unless the run was ended early by its limit,
    /// an error or the user. Of several expected numbers for one thing the smallest counts, since a list changes while
    /// it is read; numbers of different things are added. Things that no longer exist at the service, such as deleted
    /// accounts, are counted and are not a gap.
    pub fn new(run: Run, facts: &[Fact]) -> Verdict {
        let mut verdict = Verdict {
            run,
            expected: BTreeMap::new(),
            missing: BTreeMap::new(),
            moved: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            repeated: 0,
            searched_back: None,
            recovered: 0,
            gaps: Vec::new(),
        };
        // A report is also cancelled when the limit is reached, which is not an interruption.
        let run = &mut verdict.run;
        if run.limit_reached() && !run.interrupted && run.error.as_ref().is_some_and(Error::is_cancelled) {
            run.error = None;
        }
        facts.iter().for_each(|fact| verdict.note(fact));
        verdict.compare();
        verdict
    }

    /// Adds one fact. Numbers come from plugins, so the sums saturate.
    fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Expected { what, n } => {
                let smallest = self.expected.entry(what.clone()).or_insert(*n);
                *smallest = (*smallest).min(*n);
            }
            Fact::Repeated { n } => self.repeated = self.repeated.saturating_add(*n),
            Fact::Missing {
                what,
                n,
                examples,
                remark,
            } => {
                let gone = MissingItems {
                    what: what.clone(),
                    remark: remark.clone(),
                };
                let (count, names) = self.missing.entry(gone).or_default();
                *count = count.saturating_add(*n);
                names.extend(examples.iter().cloned());
                names.truncate(3);
            }
            Fact::Moved { what, by } => {
                let most = self.moved.entry(what.clone()).or_default();
                *most = (*most).max(*by);
            }
            Fact::Unreadable { what, n, examples } => {
                let (count, places) = self.unreadable.entry(what.clone()).or_default();
                *count = count.saturating_add(*n);
                places.extend(examples.iter().cloned());
                places.truncate(3);
            }
            Fact::SearchedBack { rows } => {
                self.searched_back = Some(self.searched_back.map_or(*rows, |least| least.min(*rows)));
            }
            Fact::Discard { .. } => {}
            Fact::Looped => self.gaps.push(Gap {
                reason: "a list pointed back to a page that was read before".to_owned(),
                ..Gap::default()
            }),
            Fact::Gap { from, to, reason } => self.gaps.push(Gap {
                from: from.clone(),
                to: to.clone(),
                reason: reason.clone(),
            }),
            Fact::Recovered { n } => self.recovered = self.recovered.saturating_add(*n),
            // An unknown fact may be one that says what is missing.
            fact => self.gaps.push(Gap {
                reason: format!("this version of itch does not know the noted fact {fact:?}"),
                ..Gap::default()
            }),
        }
    }

    /// Compares the number of rows with the numbers that the service gave.
    fn compare(&mut self) {
        let run = &self.run;
        let ended_early = run.limit_reached() || run.interrupted || run.reader_gone || run.error.is_some();
        let Some(expected) = self.expected().filter(|_| !ended_early) else {
            return;
        };
        let short = expected.saturating_sub(run.rows);
        let moved = self.moved.values().copied().fold(0, u64::saturating_add);
        // A tolerance that is NaN allows no missing rows.
        if short.saturating_sub(moved) as f64 > run.tolerance.max(0.0) * expected as f64 {
            let whats: Vec<&str> = self.expected.keys().map(String::as_str).collect();
            let reason =
                format!("{} of {} {} did not come", human::count(short), human::count(expected), whats.join(" and "));
            self.gaps.push(Gap {
                reason,
                ..Gap::default()
            });
        }
    }

    /// How many rows there should be: the number that the service gave, but no more than the limit.
    fn expected(&self) -> Option<u64> {
        let counted = self.expected.values().copied();
        let sum = counted.reduce(u64::saturating_add)?;
        Some(sum.min(self.run.limit.unwrap_or(u64::MAX)))
    }

    /// Whether all rows were printed that were asked for.
    pub fn complete(&self) -> bool {
        self.reached_all() && self.run.error.is_none() && !self.run.interrupted && !self.run.reader_gone
    }

    /// Whether no row and no value is known to be missing.
    fn reached_all(&self) -> bool {
        self.gaps.is_empty() && self.unreadable.is_empty()
    }

    /// The exit code of the process. A reader that closed the pipe got what it wanted.
    pub fn exit_code(&self) -> u8 {
        match &self.run.error {
            Some(error) => error.kind.exit_code(),
            None if self.run.interrupted => EXIT_INTERRUPTED,
            None if self.run.reader_gone => 0,
            None if !self.reached_all() => EXIT_GAPS,
            None => 0,
        }
    }

    /// The line for people, sanitised for a terminal and without a newline:
    /// `followers: 12,851 of 12,851 rows, 11 accounts gone, 0 repeated, complete, 129 requests, 6.4 s`.
    ///
    /// What is missing is at the end, where it is noticed.
    pub fn line(&self) -> String {
        let work = self.work();
        let mut parts = vec![self.rows()];
        parts.extend(self.counts());
        if self.complete() {
            parts.push("complete".to_owned());
            parts.extend(work);
        } else {
            parts.extend(work);
            parts.push(format!("INCOMPLETE: {}", self.reasons().join("; ")));
        }
        let line = format!("{}: {}", self.run.report, parts.join(", "));
        sanitize(&line).into_owned()
    }

    fn rows(&self) -> String {
        let rows = self.run.rows;
        match self.expected() {
            _ if self.run.limit_reached() => {
                format!("{} (limit reached)", human::count_of(rows, "row"))
            }
            Some(n) if rows <= n => {
                format!("{} of {}", human::count(rows), human::count_of(n, "row"))
            }
            // The list grew while it was read.
            Some(n) => format!("{} ({} expected)", human::count_of(rows, "row"), human::count(n)),
            None => human::count_of(rows, "row"),
        }
    }

    fn counts(&self) -> Vec<String> {
        let gone = self.missing.iter().map(|(gone, (n, _))| gone.text(*n));
        let mut counts: Vec<String> = gone.collect();
        // `0 repeated` is printed too, for a report that reads a list of pages.
        if self.repeated > 0 || !self.expected.is_empty() {
            let among = self.searched_back;
            let among = among.map(|rows| format!(" (searched for among the last {} rows)", human::count(rows)));
            counts.push(format!("{} repeated{}", human::count(self.repeated), among.unwrap_or_default()));
        }
        if self.recovered > 0 {
            counts.push(format!("{} made good", human::count_of(self.recovered, "fault")));
        }
        counts
    }

    fn work(&self) -> Vec<String> {
        let mut work = vec![human::count_of(self.run.requests, "request")];
        if self.run.cache_hits > 0 {
            work.push(format!("{} from cache", human::count(self.run.cache_hits)));
        }
        work.push(human::elapsed(self.run.elapsed));
        work
    }

    /// What is missing and why: what ended the run first, then the gaps.
    fn reasons(&self) -> Vec<String> {
        let error = self.run.error.as_ref();
        let cancelled = error.is_some_and(Error::is_cancelled);
        let mut reasons = Vec::new();
        if self.run.interrupted || cancelled {
            reasons.push("interrupted".to_owned());
        }
        if self.run.reader_gone {
            reasons.push("stopped by the reader".to_owned());
        }
        reasons.extend(error.filter(|_| !cancelled).map(|error| error.message.clone()));
        let unreadable = self.unreadable.iter();
        reasons.extend(unreadable.map(|(what, (n, places))| {
            let what = if *n == 1 {
                what.strip_suffix('s').unwrap_or(what)
            } else {
                what
            };
            let place = places.first().map(|place| format!(" ({place})")).unwrap_or_default();
            format!("{} {what} unreadable{place}", human::count(*n))
        }));
        reasons.extend(self.gaps.iter().take(SHOWN_GAPS).map(Gap::text));
        if let Some(more) = self.gaps.len().checked_sub(SHOWN_GAPS).filter(|more| *more > 0) {
            reasons.push(human::count_of(more as u64, "more gap"));
        }
        reasons
    }

    /// The verdict as JSON, with everything that the line leaves out.
    pub fn json(&self) -> Value {
        let run = &self.run;
        let missing = self
            .missing
            .iter()
            .map(|(gone, (n, examples))| json!({"what": gone.to_string(), "n": n, "examples": examples}));
        let gaps = self
            .gaps
            .iter()
            .map(|gap| json!({"from": gap.from, "to": gap.to, "reason": gap.reason}));
        let unreadable = self
            .unreadable
            .iter()
            .map(|(what, (n, examples))| json!({"what": what, "n": n, "examples": examples}));
        let parameters: Map<String, Value> = run.parameters.clone().into_iter().collect();
        json!({
            "verdict": JSON_VERSION,
            "itch": run.version,
            "report": run.report,
            "parameters": parameters,
            "started": run.started.to_rfc3339_opts(SecondsFormat::Millis, true),
            "elapsed_s": run.elapsed.as_millis() as f64 / 1000.0,
            "complete": self.complete(),
            "exit_code": self.exit_code(),
            "rows": run.rows,
            "limit": run.limit,
            "limit_reached": run.limit_reached(),
            "expected": self.expected,
            "tolerance": run.tolerance,
            "moved": self.moved,
            "missing": missing.collect::<Vec<Value>>(),
            "unreadable": unreadable.collect::<Vec<Value>>(),
            "repeated": self.repeated,
            "searched_back": self.searched_back,
            "recovered": self.recovered,
            "gaps": gaps.collect::<Vec<Value>>(),
            "interrupted": run.interrupted,
            "stopped_by_reader": run.reader_gone,
            "reasons": self.reasons(),
            "error": run.error,
            "requests": run.requests,
            "cache_hits": run.cache_hits,
        })
    }
}

impl Gap {
    fn text(&self) -> String {
        let Gap { from, to, reason } = self;
        match (from, to) {
            (Some(from), Some(to)) => format!("{from} to {to}: {reason}"),
            (Some(from), None) => format!("from {from}: {reason}"),
            (None, Some(to)) => format!("up to {to}: {reason}"),
            (None, None) => reason.clone(),
        }
    }
}

impl MissingItems {
    /// `11 accounts gone (created empty)`: the remark follows the number.
    fn text(&self, n: u64) -> String {
        let name = match (self.what.as_str(), n) {
            ("accounts", 1) => "account gone",
            ("accounts", _) => "accounts gone",
            (what, _) => &format!("{what} missing"),
        };
        let remark = self.remark.as_ref().map(|remark| format!(" ({remark})"));
        format!("{} {name}{}", human::count(n), remark.unwrap_or_default())
    }
}

impl fmt::Display for MissingItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remark {
            Some(remark) => write!(f, "{} ({remark})", self.what),
            None => f.write_str(&self.what),
        }
    }
}

#[cfg(test)]
mod tests;
