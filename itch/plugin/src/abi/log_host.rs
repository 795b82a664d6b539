//! The host of a cache or renderer: it accepts log lines, and rejects requests and rows.

use std::fmt;
use std::sync::Arc;

use itch_api::{Error, ErrorKind, Fact, Request, Response, Result, Ticket, Transport};

use super::RunHost;
use crate::LogLevel;

/// Takes one line.
type TakeLine = dyn Fn(LogLevel, &str) + Send + Sync;

/// A host that forwards log lines of a unit, and rejects requests and rows.
pub struct LogHost {
    log: Box<TakeLine>,
    transport: Arc<dyn Transport>,
    plugin: Option<String>,
}

impl LogHost {
    /// A host that passes each log line of the unit to a function.
    pub fn new(log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> LogHost {
        LogHost {
            log: Box::new(log),
            transport: Arc::new(NoTransport),
            plugin: None,
        }
    }

    /// The same host for a unit of this plugin, which error messages name.
    pub fn of_plugin(mut self, plugin: &str) -> LogHost {
        self.plugin = Some(plugin.to_owned());
        self
    }
}

impl fmt::Debug for LogHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogHost")
    }
}

impl RunHost for LogHost {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, _: &[u8], _: u32) -> Result<()> {
        Err(reports_only())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}

    fn log(&self, level: LogLevel, message: &str) {
        (self.log)(level, message);
    }

    fn plugin(&self) -> Option<&str> {
        self.plugin.as_deref()
    }
}

struct NoTransport;

impl Transport for NoTransport {
    fn start(&self, _: Request) -> Result<Ticket> {
        Err(reports_only())
    }

    fn wait(&self, _: Ticket) -> Result<Response> {
        Err(reports_only())
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Err(reports_only())
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, _: Fact) {}

    fn cancelled(&self) -> bool {
        false
    }
}

fn reports_only() -> Error {
    Error::new(ErrorKind::Unsupported, "only a report can send requests and print rows")
}
