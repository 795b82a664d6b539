//! Receives a report's rows: parses them, checks them against the declared columns, stops at the limit, writes them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Result, Transport};
use itch_output::{Layout, RowWriter};
use itch_plugin::abi::RunHost;
use itch_plugin::{Cell, LogLevel, Origin, Registered};

use crate::printer::Printer;

/// The host of a report's run.
pub(crate) struct Sink {
    transport: Arc<dyn Transport>,
    layout: Layout,
    limit: Option<u64>,
    shows_rows: bool,
    printer: Printer,
    state: Mutex<State>,
}

struct State {
    writer: Box<dyn RowWriter>,
    /// Rows given to the writer.
    taken: u64,
    /// Rows that have been flushed.
    written: u64,
    reported: Option<(u64, Option<u64>)>,
    stopped: Option<Stopped>,
}

/// Why no more rows are taken.
#[derive(Clone, Debug)]
enum Stopped {
    Limit,
    ReaderGone,
    Failed(Error),
}

impl Sink {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        layout: Layout,
        limit: Option<u64>,
        writer: Box<dyn RowWriter>,
        shows_rows: bool,
        printer: Printer,
    ) -> Sink {
        let state = State {
            writer,
            taken: 0,
            written: 0,
            reported: None,
            stopped: None,
        };
        Sink {
            transport,
            layout,
            limit,
            shows_rows,
            printer,
            state: Mutex::new(state),
        }
    }

    /// Makes errors about rows name the plugin, unless the report is built in.
    pub(crate) fn printed_by(mut self, unit: &Registered) -> Sink {
        if let Origin::File { .. } = unit.origin {
            self.layout = self.layout.printed_by(&unit.plugin);
        }
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Rows that have been flushed.
    pub(crate) fn rows(&self) -> u64 {
        self.state().written
    }

    /// The progress that the report itself reported, if any.
    pub(crate) fn reported(&self) -> Option<(u64, Option<u64>)> {
        self.state().reported
    }

    /// Ends the output and returns the result of the run. If the reader closed the pipe or the limit was reached, the
    /// run succeeded, whatever the report returned; if the rows could not be written, that is the error.
    pub(crate) fn finish(&self, result: Result<()>) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if !matches!(state.stopped, Some(Stopped::ReaderGone | Stopped::Failed(_))) {
            match state.writer.finish() {
                Ok(()) => state.written = state.taken,
                Err(error) => state.stopped = Some(Stopped::of(error)),
            }
        }
        match (&state.stopped, result) {
            (Some(Stopped::Failed(error)), _) => Err(error.clone()),
            (Some(Stopped::ReaderGone), _) => Ok(()),
            // All wanted rows are there, so an error of the report after them does not matter.
            (Some(Stopped::Limit), Err(_)) => Ok(()),
            (_, result) => result,
        }
    }

    /// Whether the reader closed the pipe.
    pub(crate) fn reader_gone(&self) -> bool {
        matches!(self.state().stopped, Some(Stopped::ReaderGone))
    }

    fn take(&self, state: &mut State, rows: impl Iterator<Item = Result<Vec<Cell>>>) -> Result<(), Stopped> {
        for row in rows {
            if self.limit.is_some_and(|limit| state.taken >= limit) {
                return Err(Stopped::Limit);
            }
            let number = state.taken + 1;
            let row = row.map_err(|error| Stopped::Failed(error.detail(|details| details.row = Some(number))))?;
            state.writer.row(&row).map_err(Stopped::of)?;
            state.taken += 1;
        }
        Ok(())
    }

    /// Writes rows whose cells are in the order of the declared columns. An error if no more rows are taken.
    pub(crate) fn emit_cells(&self, rows: impl Iterator<Item = Vec<Cell>>) -> Result<()> {
        self.write(rows.map(Ok))
    }

    fn write(&self, rows: impl Iterator<Item = Result<Vec<Cell>>>) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if state.stopped.is_none() {
            let write = || {
                let mut result = self.take(state, rows);
                // Complete rows are written even if the batch ended with an error.
                match state.writer.flush() {
                    Ok(()) => state.written = state.taken,
                    Err(error) => result = Err(Stopped::of(error)),
                }
                result
            };
            let result = if self.shows_rows {
                self.printer.bars().suspend(write)
            } else {
                write()
            };
            state.stopped = result.err();
        }
        // The report is stopped as soon as the limit is reached, so that it sends no more requests.
        if state.stopped.is_none() && self.limit.is_some_and(|limit| state.taken >= limit) {
            state.stopped = Some(Stopped::Limit);
        }
        if state.stopped.is_some() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }
}

impl Stopped {
    fn of(error: io::Error) -> Stopped {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stopped::ReaderGone,
            _ => Stopped::Failed(Error::new(ErrorKind::Failed, "the rows could not be written").source_chain(&error)),
        }
    }
}

impl RunHost for Sink {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, rows: &[u8], _: u32) -> Result<()> {
        let lines = rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        self.write(lines.map(|line| self.layout.read_row(line)))
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.state().reported = Some((done, total));
    }

    fn log(&self, level: LogLevel, message: &str) {
        crate::log::plugin_line(level, message);
    }
}
