//! Runs a report: from its plan to rows, a verdict and an exit code.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use itch_api::{Error, ErrorKind, Fact, Result, Transport};
use itch_output::Verdict;
use itch_plugin::Spec;
use itch_plugin::abi::drive::run_report;

use crate::account::explain::explain;
use crate::config::DEFAULT_CACHE;
use crate::exit_codes::{DONE, EXIT_GAPS};
use crate::failure::Failure;
use crate::failures::Counted;
use crate::interrupt::Interrupts;
use crate::outfile::Outfile;
use crate::plan::ReportPlan;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::sink::Sink;
use crate::{cache_stores, secrets};

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) error: Option<Error>,
    pub(crate) interrupted: bool,
    /// Whether a cache keeps what was fetched.
    cached: bool,
}

impl Ended {
    pub(crate) fn of(result: Result<()>, interrupt_seen: bool, cached: bool) -> Ended {
        let interrupted = interrupt_seen && result.is_err();
        let error = match result {
            Ok(()) => None,
            Err(_) if interrupted => None,
            Err(error) if error.is_cancelled() => Some(Error::new(ErrorKind::Failed, "the report ended itself early")),
            Err(error) => Some(error),
        };
        Ended {
            error,
            interrupted,
            cached,
        }
    }
}

/// Runs one report and returns the exit code.
pub(crate) fn run(plan: ReportPlan<'_>, printer: &Printer) -> anyhow::Result<u8> {
    let ReportPlan {
        name,
        unit,
        call,
        connection,
        limit,
        plot,
        ..
    } = plan;
    let client = &connection.client;
    let counted_requests = Arc::new(Counted::new(client.clone()));
    let transport: Arc<dyn Transport> = Arc::clone(&counted_requests) as _;
    let sink = Sink::new(transport, plan.layout, limit, plan.writer, plan.shows_rows, printer.clone());
    let sink = Arc::new(sink.printed_by(unit));

    let cancelled = client.clone();
    let interrupts = Interrupts::catch(move || cancelled.cancel())?;
    let progress = Progress::start(&name, Arc::clone(&sink), client.clone(), limit, printer);
    let result = run_report(unit.item, Arc::clone(&sink) as _, &call);
    let result = sink.finish(result);
    drop(progress);
    // Not by dropping it: the handler of interrupts has a clone.
    client.close();

    let channel = call.args.get("channel").and_then(|value| value.as_str());
    let result = result.map_err(|error| match &unit.spec {
        Spec::Report(spec) => explain(error, spec, channel, &client.who()),
        _ => error,
    });
    let mut ended = Ended::of(result, interrupts.seen(), !connection.caches.is_empty());
    let counters = client.counters();
    cache_stores::report_counters(&counters, &connection.caches, printer);
    let mut facts: Vec<Fact> = client.facts();
    if ended.error.is_none() && !ended.interrupted {
        facts.extend(counted_requests.gap(sink.rows(), &facts));
    }
    if counters.retries > 0 {
        facts.push(Fact::Recovered { n: counters.retries });
    }
    let mut counted = itch_output::Run {
        report: name.clone(),
        rows: sink.rows(),
        limit,
        requests: counters.requests,
        cache_hits: counters.cache_hits,
        elapsed: plan.clock.elapsed(),
        error: ended.error.clone(),
        interrupted: ended.interrupted,
        reader_gone: sink.reader_gone(),
        tolerance: plan.tolerance,
        parameters: call.args.clone(),
        started: plan.started,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut verdict = Verdict::new(counted.clone(), &facts);
    let closed = plan.output.close(verdict.exit_code() == DONE);
    if let Err(error) = &closed {
        // The rows are all there, but not under the name that was asked for.
        ended.error = Some(error.clone());
        counted.error = Some(error.clone());
        verdict = Verdict::new(counted, &facts);
    }
    let code = conclude(&verdict, &ended, &sink, closed.ok().flatten(), printer);
    let drawn = plot.map(|plot| {
        let title = match call.args.get("channel").and_then(|value| value.as_str()) {
            Some(channel) => format!("{channel} - {name}"),
            None => name,
        };
        plot.finish(title, !verdict.complete(), &interrupts, printer)
    });
    // Last, so that a verdict that cannot be written does not lose rows.
    let told = plan.verdict.map(|file| write_verdict(file, &verdict));
    let failures = [drawn, told].into_iter().flatten().filter_map(anyhow::Result::err);
    Ok(failures.fold(code, |code, error| {
        let failure = Failure::of(&error);
        printer.failure(&failure);
        if code == DONE { failure.exit_code() } else { code }
    }))
}

/// Reports how the run ended, and returns the exit code. `kept`: the file of rows that are incomplete.
pub(crate) fn conclude(verdict: &Verdict, ended: &Ended, sink: &Sink, kept: Option<PathBuf>, printer: &Printer) -> u8 {
    let rows = sink.rows();
    let code = verdict.exit_code();
    if let Some(error) = &ended.error {
        printer.failure(&Failure::from(error));
        let before = match rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        // The error of a plugin that crashed has the number already.
        let is_named = error.rows() == Some(rows);
        if !is_named && (rows > 0 || error.kind == ErrorKind::Failed) {
            printer.say(&format!("{before} had been written before the error"));
        }
    } else if ended.interrupted {
        printer.say(&match rows {
            1 => "interrupted: 1 complete row was written".to_owned(),
            rows => format!("interrupted: {rows} complete rows were written"),
        });
        printer.say(&match ended.cached {
            true => "hint: run the same command again: responses that were received come from the cache".to_owned(),
            false => {
                format!("hint: with `-c {DEFAULT_CACHE}`, an interrupted run can be continued by the same command")
            }
        });
    }
    let incomplete = code == EXIT_GAPS;
    let always = printer.stderr_is_terminal && !printer.quiet || printer.verbose > 0;
    if incomplete || (always && !sink.reader_gone()) {
        printer.say(&verdict.line());
    }
    if let Some(part) = kept {
        printer.say(&format!("hint: the rows that were written are in `{}`", part.display()));
    }
    code
}

/// Writes the verdict to its file, and gives the file its name.
pub(crate) fn write_verdict(mut file: Outfile, verdict: &Verdict) -> anyhow::Result<()> {
    let mut json = verdict.json();
    secrets::redact_json(&mut json);
    let text = format!("{}\n", serde_json::to_string_pretty(&json)?);
    let written = file.file().write_all(text.as_bytes());
    written.with_context(|| format!("the verdict cannot be written to `{}`", file.path().display()))?;
    Ok(file.finish()?)
}
