//! The plan of a report's run: its options, with names resolved, the client made and files opened.

use std::io;
use std::time::Instant;

use chrono::{DateTime, Utc};
use itch_api::Error;
use itch_output::{DEFAULT_TOLERANCE, Format, Layout, RowWriter, row_writer};
use itch_plugin::{CallInput, Registered, Registry, ReportSpec};

use crate::arguments;
use crate::connect::{Connection, connect};
use crate::nearest::suggest;
use crate::options::ReportInvocation;
use crate::outfile::{Incomplete, Outfile, check_distinct};
use crate::output::Output;
use crate::plot::Plot;
use crate::printer::Printer;
use crate::times::now;

/// Everything that a run needs. No request has been sent yet.
pub(crate) struct ReportPlan<'a> {
    /// The report, as it was typed.
    pub(crate) name: String,
    pub(crate) unit: &'a Registered,
    pub(crate) started: DateTime<Utc>,
    /// Started at the same time, to measure how long the run takes.
    pub(crate) clock: Instant,
    pub(crate) call: CallInput,
    pub(crate) connection: Connection,
    pub(crate) layout: Layout,
    pub(crate) limit: Option<u64>,
    /// Writes the rows.
    pub(crate) writer: Box<dyn RowWriter>,
    pub(crate) output: Output,
    /// Whether rows are written to the terminal, around which progress has to be drawn.
    pub(crate) shows_rows: bool,
    pub(crate) plot: Option<Plot<'a>>,
    /// The fraction of rows that may be missing.
    pub(crate) tolerance: f64,
    /// The file for the verdict.
    pub(crate) verdict: Option<Outfile>,
}

impl<'a> ReportPlan<'a> {
    /// Makes the plan. All errors in the options are found here, before the first request.
    pub(crate) fn new(
        registry: &'a Registry,
        spec: &ReportSpec,
        unit: &'a Registered,
        invocation: ReportInvocation,
        printer: &Printer,
    ) -> anyhow::Result<ReportPlan<'a>> {
        let (started, clock) = (now(), Instant::now());
        let ReportInvocation {
            name,
            options,
            arguments,
        } = invocation;
        let rows = &options.rows;
        let alias = spec.aliases.iter().find(|alias| alias.name == name);
        let form = alias.and_then(|alias| alias.form.as_ref());
        let layout = Layout::new(&spec.columns, rows.columns.as_deref(), form, rows.header.choice())
            .map_err(|error| suggest_column(error, spec, rows.columns.as_deref().unwrap_or_default()))?;
        let existing = rows.existing.choice().unwrap_or_default();
        check_distinct(&[
            ("--output", rows.output.as_ref()),
            ("--plot", rows.plot.as_ref()),
            ("--verdict", rows.verdict.as_ref()),
        ])?;
        let plot = rows
            .plot
            .clone()
            .map(|path| Plot::start(registry, spec, path, existing))
            .transpose()?;
        let columns = layout.names();
        let columns = match &plot {
            Some(plot) => plot.columns(columns),
            None => columns,
        };
        let call = CallInput {
            v: 1,
            report: name.clone(),
            args: arguments::read(spec, &arguments, started, &mut io::stdin().lock())?,
            fields: spec.fields_of(&columns),
            columns,
            columns_named: rows.columns.is_some() || plot.is_some(),
            source: rows.source.unwrap_or_default(),
            direction: rows.direction.unwrap_or_default(),
            limit: rows.limit,
        };
        let connection = connect(registry, &name, &options, printer)?;
        let output = Output::open(rows.output.clone(), existing)?;
        let verdict = rows.verdict.as_deref();
        let verdict = verdict.map(|path| Outfile::create(path, Incomplete::Gone, existing));
        let terminal = if output.is_file() { None } else { printer.terminal() };
        let shows_rows = terminal.is_some();
        let usual = if shows_rows { Format::Table } else { Format::Tsv };
        let format = rows.format.or_else(|| output.format()).unwrap_or(usual);
        let writer = row_writer(format, &layout, terminal, output.writer()?);
        let writer = match &plot {
            Some(plot) => plot.watch(writer),
            None => writer,
        };
        Ok(ReportPlan {
            name,
            unit,
            started,
            clock,
            call,
            connection,
            layout,
            limit: rows.limit,
            writer,
            output,
            shows_rows,
            plot,
            tolerance: rows.tolerance.unwrap_or(DEFAULT_TOLERANCE),
            verdict: verdict.transpose()?,
        })
    }
}

/// Adds the nearest column to an error about one that the report does not have.
fn suggest_column(error: Error, spec: &ReportSpec, named: &[String]) -> Error {
    let known = || spec.columns.iter().map(|column| column.name.as_str());
    match named.iter().find(|name| known().all(|known| known != name.as_str())) {
        Some(unknown) => suggest(error, unknown, known()),
        None => error,
    }
}
