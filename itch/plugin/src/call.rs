//! One call of a report: its arguments, its API handle, and the output for its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use itch_api::{Api, ChannelName, Direction, Fact, Listing, Rows, SourceName, Transport, chrono};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::RunHost;
use crate::cell::Cell;
use crate::{Error, ErrorKind, Result, reversed};

/// The data of a call from the host, as JSON across the boundary. Arguments are checked, and defaults are filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallInput {
    /// The version of this format: 1.
    pub v: u32,
    /// The name or alias that was used to call the report.
    pub report: String,
    /// Values by argument name; an argument that may repeat has an array. Times are milliseconds since 1970, durations
    /// and offsets are seconds.
    pub args: BTreeMap<String, Value>,
    /// The columns that will be printed; cells of other columns may be null.
    pub columns: Vec<String>,
    /// Whether the user selected the columns. If not, they are the default ones.
    pub columns_named: bool,
    /// The fields of the models that the printed columns are made from, and the column of each; `None` if the report does
    /// not declare them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
    /// The services to use.
    pub source: SourceName,
    /// The requested order.
    pub direction: Direction,
    /// The host prints at most this many rows; a report can avoid fetching more.
    pub limit: Option<u64>,
}

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum LogLevel {
    /// A failure.
    Error = 1,
    /// Something unexpected.
    Warn = 2,
    /// Useful information.
    Info = 3,
    /// Details for debugging.
    Debug = 4,
}

/// The output of a call: the host, from the report's side.
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
        let mut api = api.with_source(input.source);
        if let Some(fields) = &input.fields {
            api = api.with_fields(fields.clone());
        }
        Call { input, api, output }
    }

    /// All data of this call.
    pub fn input(&self) -> &CallInput {
        &self.input
    }

    /// The host of this call, for a unit that forwards its calls to another one. Its rows and those of [`Call::emit`]
    /// are passed on in the order of the calls.
    pub fn host(&self) -> Arc<dyn RunHost> {
        Arc::new(CallHost {
            transport: Arc::clone(self.api.transport()),
            output: Arc::clone(&self.output),
        })
    }

    /// The handle for requests to Twitch.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The name or alias that was used to call the report.
    pub fn report(&self) -> &str {
        &self.input.report
    }

    /// The requested order.
    pub fn direction(&self) -> Direction {
        self.input.direction
    }

    /// The largest number of rows, if there is a limit.
    pub fn limit(&self) -> Option<u64> {
        self.input.limit
    }

    /// Whether a column will be printed. If not, the report can skip the requests for it.
    pub fn wants(&self, column: &str) -> bool {
        self.input.columns.iter().any(|wanted| wanted == column)
    }

    /// Whether the user selected a column, for cells that are too expensive to be filled by default.
    pub fn asked_for(&self, column: &str) -> bool {
        self.input.columns_named && self.wants(column)
    }

    /// Reverses a list if its rows are not in the requested order, using a temporary file.
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

    /// Whether a flag was set.
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
        first.ok_or_else(|| Error::new(ErrorKind::Usage, format!("the argument `{name}` is missing")))
    }

    /// The values of an argument of kind channel that may repeat, in the given order.
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

    /// Prints a row: cells in the order of the declared columns. See [`row!`](crate::row).
    ///
    /// Rows are collected into batches and passed on at the latest before the next wait for an answer, so the first
    /// page is printed before the second has arrived. An error of kind [`ErrorKind::Cancelled`] means that no more
    /// rows are needed: return it unchanged.
    pub fn emit(&mut self, row: impl AsRef<[Cell]>) -> Result<()> {
        self.output.emit(row.as_ref())
    }

    /// Passes on the collected rows now: for a report that computes long between rows without requests.
    pub fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }

    /// Records a fact for the verdict.
    pub fn note(&self, fact: Fact) {
        self.api.note(fact);
    }

    /// Reports the progress. The host counts rows itself, so this is for work that prints none.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        self.output.progress(done, total);
    }

    /// Writes a line to the log, which `-v` shows.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.output.log(level, message);
    }

    /// Whether the run should stop. A report that works long without requests should check it regularly.
    pub fn cancelled(&self) -> bool {
        self.api.cancelled()
    }
}

/// The host of a call, for another unit.
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
