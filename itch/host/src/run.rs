//! Running a report: from a parsed command line to rows, a verdict and an exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use chrono::Utc;
use clap::ArgMatches;
use itch_api::{Direction, Error, ErrorKind, Fact, SourceName, Transport};
use itch_output::{Format, Layout, Verdict, row_writer};
use itch_plugin::abi::drive::run_report;
use itch_plugin::{CallInput, Registered, Registry, ReportSpec};

use crate::cli::Options;
use crate::connect::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::outfile::{Incomplete, Outfile};
use crate::plot::Plot;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::sink::Sink;
use crate::{arguments, cache_stores};

/// Runs one report and says the exit code.
pub(crate) fn report(
    registry: &Registry,
    spec: &ReportSpec,
    unit: &Registered,
    name: &str,
    matches: &ArgMatches,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let started = Utc::now();
    let clock = Instant::now();
    let options = Options::of(matches);
    let behind = matches
        .subcommand()
        .map(|(_, behind)| behind)
        .context("no command is given")?;
    let form = spec
        .aliases
        .iter()
        .find(|alias| alias.name == name)
        .and_then(|alias| alias.form.as_ref());
    let wanted = options.list("columns");
    let layout = Layout::new(&spec.columns, wanted.as_deref(), form, options.header())?;
    let limit: Option<u64> = options.get("limit");
    let picture = options.get::<PathBuf>("plot");
    let plot = picture.map(|path| Plot::start(registry, spec, path)).transpose()?;
    let columns = layout.names();
    let call = CallInput {
        v: 1,
        report: name.to_owned(),
        args: arguments::read(spec, behind, started, &mut io::stdin().lock())?,
        columns: match &plot {
            Some(plot) => plot.columns(columns),
            None => columns,
        },
        columns_named: wanted.is_some() || plot.is_some(),
        source: options.get::<SourceName>("source").unwrap_or_default(),
        direction: options.get::<Direction>("direction").unwrap_or_default(),
        limit,
    };

    let connection = connect(registry, name, &options, printer)?;
    let client = &connection.client;
    let output = Output::open(options.get::<PathBuf>("output"))?;
    let terminal = if output.is_file() { None } else { printer.terminal() };
    let format = options
        .get::<Format>("format")
        .or_else(|| output.format())
        .unwrap_or(match terminal {
            Some(_) => Format::Table,
            None => Format::Tsv,
        });
    let shows_rows = terminal.is_some();
    let writer = row_writer(format, &layout, terminal, output.writer()?);
    let writer = match &plot {
        Some(plot) => plot.watch(writer),
        None => writer,
    };
    let transport: Arc<dyn Transport> = Arc::new(client.clone());
    let sink = Sink::new(transport, layout, limit, writer, shows_rows, printer.clone());
    let sink = Arc::new(sink.printed_by(unit));

    let cancelled = client.clone();
    let interrupts = Interrupts::catch(move || cancelled.cancel())?;
    let progress = Progress::start(name, Arc::clone(&sink), client.clone(), limit, printer);
    let result = run_report(unit.item, Arc::clone(&sink) as _, &call);
    let result = sink.finish(result);
    drop(progress);

    let interrupted = interrupts.seen() && result.is_err();
    let error = match result {
        Ok(()) => None,
        Err(_) if interrupted => None,
        Err(error) if error.is_cancelled() => Some(Error::new(ErrorKind::Failed, "the report ended itself early")),
        Err(error) => Some(error),
    };
    let counters = client.counters();
    cache_stores::report_counters(&counters, &connection.caches, printer);
    let mut facts: Vec<Fact> = client.facts();
    if counters.retries > 0 {
        facts.push(Fact::Recovered { n: counters.retries });
    }
    let verdict = Verdict::new(
        itch_output::Run {
            report: name.to_owned(),
            rows: sink.rows(),
            limit,
            requests: counters.requests,
            cache_hits: counters.cache_hits,
            elapsed: clock.elapsed(),
            error: error.clone(),
            interrupted,
            tolerance: options.get("tolerance").unwrap_or(0.01),
            parameters: call.args.clone(),
            started,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        // A reader that has gone wanted no more: nothing is missing.
        if sink.reader_gone() { &[] } else { &facts },
    );
    let code = conclude(&verdict, error.as_ref(), interrupted, &sink, output, !connection.caches.is_empty(), printer)?;
    if let Some(plot) = plot {
        let title = match call.args.get("channel").and_then(|value| value.as_str()) {
            Some(channel) => format!("{channel} - {name}"),
            None => name.to_owned(),
        };
        // A reader that wanted no more took the rest of the picture with it, too.
        plot.finish(title, code != 0 || sink.reader_gone(), &interrupts, printer)?;
    }
    // After everything else: a verdict that cannot be written must not cost the rows.
    if let Some(path) = options.get::<PathBuf>("verdict") {
        write_verdict(&path, &verdict)?;
    }
    Ok(code)
}

/// Says how the run ended and puts the output file under its name.
fn conclude(
    verdict: &Verdict,
    error: Option<&Error>,
    interrupted: bool,
    sink: &Sink,
    output: Output,
    cached: bool,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let rows = sink.rows();
    let code = verdict.exit_code();
    let kept = output.close(code == 0)?;
    if let Some(error) = error {
        printer.failure(&Failure::from(error));
        let before = match rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        // A plugin that died has told it.
        let told = error.rows() == Some(rows);
        if !told && (rows > 0 || error.kind == ErrorKind::Failed) {
            printer.say(&format!("{before} had been written before"));
        }
    } else if interrupted {
        printer.say(&match rows {
            1 => "interrupted: 1 row is written and whole".to_owned(),
            rows => format!("interrupted: {rows} rows are written and whole"),
        });
        printer.say(if cached {
            "hint: run the same command again: what was fetched comes from the cache"
        } else {
            "hint: run it with `-c file`, and an interrupted run can be taken up where it ended"
        });
    }
    let incomplete = code == 3;
    let always = printer.stderr_is_terminal && !printer.quiet || printer.verbose > 0;
    if incomplete || (always && !sink.reader_gone()) {
        printer.say(&verdict.line());
    }
    if let Some(part) = kept {
        printer.say(&format!("hint: what was written is in `{}`", part.display()));
    }
    Ok(code)
}

fn write_verdict(path: &Path, verdict: &Verdict) -> anyhow::Result<()> {
    let text = format!("{}\n", serde_json::to_string_pretty(&verdict.json())?);
    std::fs::write(path, text).with_context(|| format!("the verdict cannot be written to `{}`", path.display()))
}

/// Where the rows go: stdout, or a file that gets its name when it is complete.
struct Output {
    file: Option<Outfile>,
}

impl Output {
    /// Opens the file before the long work, so that a bad one fails at once.
    fn open(path: Option<PathBuf>) -> anyhow::Result<Output> {
        let file = path.map(|path| Outfile::create(&path, Incomplete::Stays));
        Ok(Output {
            file: file.transpose()?,
        })
    }

    fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// The format that the file's name asks for.
    fn format(&self) -> Option<Format> {
        let extension = self.file.as_ref()?.path().extension()?;
        extension.to_str()?.parse().ok()
    }

    fn writer(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        Ok(match &self.file {
            None => Box::new(io::stdout()),
            Some(file) => Box::new(file.writer()?),
        })
    }

    /// Gives a complete file its name; says where an incomplete one stays.
    fn close(self, complete: bool) -> anyhow::Result<Option<PathBuf>> {
        match self.file {
            Some(file) if complete => file.finish().map(|()| None),
            Some(file) => Ok(file.keep()),
            None => Ok(None),
        }
    }
}
