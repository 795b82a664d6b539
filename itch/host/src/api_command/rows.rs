//! Rows of `data`: of one answer, or of all pages, in every format.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use itch_api::{Api, Error, ErrorKind, Fact, Pages, Request, Result, Transport};
use itch_output::{DEFAULT_TOLERANCE, Format, Layout, Run, Verdict, row_writer};
use serde_json::Value;

use super::columns::{Columns, ObjectWriter};
use super::lists::list_of;
use crate::cache_stores;
use crate::connect::Connection;
use crate::exit_codes::DONE;
use crate::failure::{Failure, usage};
use crate::interrupt::Interrupts;
use crate::options::api::ApiOptions;
use crate::options::report::RowOptions;
use crate::outfile::{Incomplete, Outfile, check_distinct};
use crate::output::Output;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::run::{Ended, conclude, write_verdict};
use crate::sink::Sink;
use crate::times::now;

/// The name in progress, verdicts and errors.
const NAME: &str = "api";

/// The largest page of a list of which nothing is known.
const LARGEST_PAGE: u32 = 100;

/// Where pages come from.
enum Source {
    /// All pages of a list.
    Walk(Box<Pages>),
    /// One answer.
    One(Api, Box<Request>),
    Ended,
}

impl Source {
    fn new(api: &Api, request: Request, paginate: bool, limit: Option<u64>) -> Source {
        if !paginate {
            return Source::One(api.clone(), Box::new(request));
        }
        let known = list_of(&request.path);
        // A page size that is given is that of the endpoint.
        let first = request.query.iter().find(|(name, _)| name == "first");
        let first = first.and_then(|(_, value)| value.parse().ok().filter(|first| *first > 0));
        let largest = first.unwrap_or(known.map_or(LARGEST_PAGE, |list| list.largest_page));
        let mut pages = api.pages(request, largest).limit(limit);
        if let Some(list) = known {
            pages = pages.unique_by(list.key);
            if let Some(what) = list.counts {
                pages = pages.expect(what);
            }
        }
        Source::Walk(Box::new(pages))
    }

    /// The rows of the next page, and a remark about them.
    fn next(&mut self, printer: &Printer) -> Option<Result<Vec<Value>>> {
        match self {
            Source::Walk(pages) => Some(pages.next_page()?.map(|page| page.rows).map_err(explained)),
            Source::One(api, request) => {
                let answer = api.json((**request).clone()).map_err(explained);
                *self = Source::Ended;
                Some(answer.and_then(|body| rows_of(body, printer)))
            }
            Source::Ended => None,
        }
    }
}

/// The rows of one answer.
fn rows_of(mut body: Value, printer: &Printer) -> Result<Vec<Value>> {
    let cursor = body.pointer("/pagination/cursor").and_then(Value::as_str);
    let more = cursor.is_some_and(|cursor| !cursor.is_empty());
    let rows = match body.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        Some(row @ Value::Object(_)) => vec![row],
        _ => {
            return Err(Error::new(ErrorKind::BadData, "the answer has no list `data`")
                .hint("without `-f` it is printed as it is"));
        }
    };
    if more {
        printer.note("these are the rows of the first page: `--paginate` reads all of them");
    }
    Ok(rows)
}

/// The error with the exit code that `itch api` has for its status.
fn explained(error: Error) -> Error {
    match (error.http, error.kind) {
        (Some(400), ErrorKind::Service) => {
            let mut error =
                error.hint("check the parameters; `first=N` sets another page size than the largest usual one, 100");
            error.kind = ErrorKind::Usage;
            error
        }
        _ => error,
    }
}

/// What writes the rows, once the first of them are known.
struct Printing {
    sink: Arc<Sink>,
    columns: Columns,
    _progress: Progress,
}

impl Printing {
    /// An error is about the columns.
    fn start(
        first: &[Value],
        rows: &RowOptions,
        output: &Output,
        connection: &Connection,
        printer: &Printer,
    ) -> anyhow::Result<Printing> {
        let terminal = if output.is_file() { None } else { printer.terminal() };
        let usual = if terminal.is_some() { Format::Table } else { Format::Tsv };
        let format = rows.format.or_else(|| output.format()).unwrap_or(usual);
        let columns = Columns::of(first, rows.columns.as_deref(), format == Format::Jsonl)?;
        // Without columns there is no header either.
        let header = if columns.is_empty() {
            Some(false)
        } else {
            rows.header.choice()
        };
        let layout = Layout::new(columns.declared(), None, None, header)?;
        let writer = match format {
            Format::Jsonl => Box::new(ObjectWriter::new(terminal.is_some(), output.writer()?)),
            format => row_writer(format, &layout, terminal, output.writer()?),
        };
        let client = &connection.client;
        let transport: Arc<dyn Transport> = Arc::new(client.clone());
        let sink = Arc::new(Sink::new(transport, layout, rows.limit, writer, terminal.is_some(), printer.clone()));
        let progress = Progress::start(NAME, Arc::clone(&sink), client.clone(), rows.limit, printer);
        Ok(Printing {
            sink,
            columns,
            _progress: progress,
        })
    }

    fn print(&self, rows: &[Value]) -> Result<()> {
        self.sink.emit_cells(rows.iter().map(|row| self.columns.cells(row)))
    }
}

/// Prints the rows of all pages. Returns where they went, and how that ended; an error is about the columns.
fn print_all(
    mut source: Source,
    rows: &RowOptions,
    output: &Output,
    connection: &Connection,
    printer: &Printer,
) -> anyhow::Result<(Arc<Sink>, Result<()>)> {
    let mut printing = None;
    let result = loop {
        let page = match source.next(printer) {
            None => break Ok(()),
            Some(Err(error)) => break Err(error),
            Some(Ok(page)) => page,
        };
        if page.is_empty() {
            continue;
        }
        let printing = match &printing {
            Some(printing) => printing,
            None => printing.insert(Printing::start(&page, rows, output, connection, printer)?),
        };
        if let Err(error) = printing.print(&page) {
            break Err(error);
        }
    };
    let Printing { sink, .. } = match printing {
        Some(printing) => printing,
        None => Printing::start(&[], rows, output, connection, printer)?,
    };
    let result = sink.finish(result);
    Ok((sink, result))
}

/// Prints the rows, and returns the exit code.
pub(super) fn run(
    request: Request,
    options: &ApiOptions,
    connection: &Connection,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let (started, clock) = (now(), Instant::now());
    let rows = &options.report.rows;
    if rows.columns.iter().flatten().any(String::is_empty) {
        return Err(usage("the name of a column is empty").into());
    }
    check_distinct(&[("--output", rows.output.as_ref()), ("--verdict", rows.verdict.as_ref())])?;
    let existing = rows.existing.choice().unwrap_or_default();
    let output = Output::open(rows.output.clone(), existing)?;
    let verdict_file = rows.verdict.as_deref();
    let verdict_file = verdict_file.map(|path| Outfile::create(path, Incomplete::Gone, existing));
    let verdict_file = verdict_file.transpose()?;
    let client = &connection.client;
    let cancelled = client.clone();
    let interrupts = Interrupts::catch(move || cancelled.cancel())?;

    let source = Source::new(&client.api(), request.clone(), options.paginate, rows.limit);
    let (sink, result) = print_all(source, rows, &output, connection, printer)?;

    let mut ended = Ended::of(result, interrupts.seen(), !connection.caches.is_empty());
    let counters = client.counters();
    cache_stores::report_counters(&counters, &connection.caches, printer);
    let mut facts: Vec<Fact> = client.facts();
    if counters.retries > 0 {
        facts.push(Fact::Recovered { n: counters.retries });
    }
    let query = serde_json::to_value(&request.query)?;
    let mut counted = Run {
        report: NAME.to_owned(),
        rows: sink.rows(),
        limit: rows.limit,
        requests: counters.requests,
        cache_hits: counters.cache_hits,
        elapsed: clock.elapsed(),
        error: ended.error.clone(),
        interrupted: ended.interrupted,
        reader_gone: sink.reader_gone(),
        tolerance: rows.tolerance.unwrap_or(DEFAULT_TOLERANCE),
        parameters: BTreeMap::from([("path".to_owned(), request.path.into()), ("query".to_owned(), query)]),
        started,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut verdict = Verdict::new(counted.clone(), &facts);
    let closed = output.close(verdict.exit_code() == DONE);
    if let Err(error) = &closed {
        // The rows are all there, but not under the name that was asked for.
        ended.error = Some(error.clone());
        counted.error = Some(error.clone());
        verdict = Verdict::new(counted, &facts);
    }
    let code = conclude(&verdict, &ended, &sink, closed.ok().flatten(), printer);
    match verdict_file.map(|file| write_verdict(file, &verdict)) {
        Some(Err(error)) => {
            let failure = Failure::of(&error);
            printer.failure(&failure);
            Ok(if code == DONE { failure.exit_code() } else { code })
        }
        _ => Ok(code),
    }
}
