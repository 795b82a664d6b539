//! One call of a report: its arguments, its handle on Twitch, and where its rows go.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use itch_api::{Api, ChannelName, Direction, Fact, Listing, Rows, SourceName, Transport, chrono};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::RunHost;
use crate::cell::Cell;
use crate::{Error, ErrorKind, Result, reversed};

/// What the host tells a report about one call, as JSON across the boundary. Arguments are checked and defaulted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallInput {
    /// The version of this form: 1.
    pub v: u32,
    /// The name or alias under which the report was called.
    pub report: String,
    /// Values by argument name; an argument that may repeat has an array. Times are milliseconds since 1970,
    /// durations and offsets are seconds.
    pub args: BTreeMap<String, Value>,
    /// The columns that will be shown; cells of others may stay null.
    pub columns: Vec<String>,
    /// Whether the person named the columns, rather than getting the default ones.
    pub columns_named: bool,
    /// Which services answer.
    pub source: SourceName,
    /// The order wished for.
    pub direction: Direction,
    /// The host cuts at this number of rows; a report that knows it asks for no more.
    pub limit: Option<u64>,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum LogLevel {
    /// Something failed.
    Error = 1,
    /// Something is odd.
    Warn = 2,
    /// Worth knowing.
    Info = 3,
    /// For whoever looks for a fault.
    Debug = 4,
}

/// Where a call's output goes: the host, seen from the report's side.
pub(crate) trait CallOutput: Send + Sync {
    fn emit(&self, row: &[Cell]) -> Result<()>;
    fn flush(&self) -> Result<()>;
    fn emit_lines(&self, rows: &[u8], n: u32) -> Result<()>;
    fn progress(&self, done: u64, total: Option<u64>);
    fn log(&self, level: LogLevel, message: &str);
}

/// One call of a report.
pub struct Call {
    input: CallInput,
    api: Api,
    output: Arc<dyn CallOutput>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn new(input: CallInput, api: Api, output: Arc<dyn CallOutput>) -> Call {
        let api = api.with_source(input.source);
        Call { input, api, output }
    }

    /// Everything that the host tells about this call.
    pub fn input(&self) -> &CallInput {
        &self.input
    }

    /// The host of this call, for a unit that passes its calls on to another one. Its rows are handed over as they
    /// come, before or after those of [`Call::emit`] in the order of the calls.
    pub fn host(&self) -> Arc<dyn RunHost> {
        Arc::new(CallHost {
            transport: Arc::clone(self.api.transport()),
            output: Arc::clone(&self.output),
        })
    }

    /// The handle through which everything is asked for.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The name or alias under which the report was called.
    pub fn report(&self) -> &str {
        &self.input.report
    }

    /// The order wished for.
    pub fn direction(&self) -> Direction {
        self.input.direction
    }

    /// How many rows are wanted at most.
    pub fn limit(&self) -> Option<u64> {
        self.input.limit
    }

    /// Whether a column will be shown: if not, what it costs can be saved.
    pub fn wants(&self, column: &str) -> bool {
        self.input.columns.iter().any(|wanted| wanted == column)
    }

    /// Whether the person named a column: for cells that cost too much to be filled for everybody.
    pub fn asked_for(&self, column: &str) -> bool {
        self.input.columns_named && self.wants(column)
    }

    /// Turns a list round if its rows come in the other order than the one wished for, by way of a temporary file.
    pub fn in_order<T>(&self, rows: Listing<T>) -> Result<Rows<T>>
    where
        T: Serialize + serde::de::DeserializeOwned + Send + 'static,
    {
        Ok(match rows.direction() == self.direction() {
            true => Box::new(rows),
            false => Box::new(reversed(rows)?),
        })
    }

    /// The value of an argument as JSON, if it was given or has a default.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.input.args.get(name)
    }

    /// The value of an argument of kind text, choice, path or video.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.argument(name)?.as_str()
    }

    /// The value of an argument of kind int.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.argument(name)?.as_i64()
    }

    /// The value of an argument of kind float, duration or offset (seconds).
    pub fn float(&self, name: &str) -> Option<f64> {
        self.argument(name)?.as_f64()
    }

    /// Whether a flag was given.
    pub fn flag(&self, name: &str) -> bool {
        self.argument(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The value of an argument of kind time.
    pub fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.int(name)?)
    }

    /// The value of an argument of kind channel.
    pub fn channel(&self, name: &str) -> Result<ChannelName> {
        let first = self.channels(name)?.into_iter().next();
        first.ok_or_else(|| Error::new(ErrorKind::Usage, format!("no `{name}` is given")))
    }

    /// The values of an argument of kind channel that may repeat, in the order given.
    pub fn channels(&self, name: &str) -> Result<Vec<ChannelName>> {
        let values = match self.argument(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        values
            .iter()
            .map(|value| value.as_str().unwrap_or_default().parse())
            .collect()
    }

    /// Prints a row: cells in the order of the declared columns, see [`row!`](crate::row).
    ///
    /// Rows gather into batches and are handed over at the latest before the next wait for an answer, so a reader
    /// sees page one before page two has arrived. An error of kind [`ErrorKind::Cancelled`] means that nobody
    /// wants more: return it as it is.
    pub fn emit(&mut self, row: impl AsRef<[Cell]>) -> Result<()> {
        self.output.emit(row.as_ref())
    }

    /// Hands the gathered rows over now: for a report that works long between rows and waits for no answer.
    pub fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }

    /// Notes a fact for the verdict.
    pub fn note(&self, fact: Fact) {
        self.api.note(fact);
    }

    /// Says how far the work is; the host counts rows by itself, so this is for work that prints none.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        self.output.progress(done, total);
    }

    /// Writes a line to the log, which `-v` shows.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.output.log(level, message);
    }

    /// Whether the run should stop; a report that waits for nothing should look now and then.
    pub fn cancelled(&self) -> bool {
        self.api.cancelled()
    }
}

/// A call's host as another unit sees it.
struct CallHost {
    transport: Arc<dyn Transport>,
    output: Arc<dyn CallOutput>,
}

impl RunHost for CallHost {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, rows: &[u8], n: u32) -> Result<()> {
        self.output.emit_lines(rows, n)
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.output.progress(done, total);
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.output.log(level, message);
    }
}
