//! The log on stderr, with `tracing`: requests, cache hits and times, as `-v` and `LOG_LEVEL` select them.

use std::fmt;
use std::time::Instant;

use itch_output::sanitize;
use itch_plugin::LogLevel;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::environment;
use crate::printer::Printer;
use crate::secrets;
use crate::stderr::Stderr;

/// Starts logging, if anything is to be logged.
pub(crate) fn start(printer: &Printer) {
    let level = match printer.verbose {
        0 => from_environment(printer),
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // The log of other crates (HTTP, TLS) is shown only with `-vv`.
    let ours_only = printer.verbose < 2;
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Line { start: Instant::now() })
        // They would be reported with `eprintln!`, which panics if the terminal was closed.
        .log_internal_errors(false)
        .with_writer(AroundBars(printer.clone()));
    let filter = tracing_subscriber::filter::FilterFn::new(move |metadata| {
        *metadata.level() <= level && (!ours_only || metadata.target().starts_with("itch"))
    })
    .with_max_level_hint(level);
    let subscriber = tracing_subscriber::registry().with(tracing_subscriber::Layer::with_filter(layer, filter));
    // A program has one log, so a second call has no effect.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// A plugin's log line, in the program's log.
pub(crate) fn plugin_line(level: LogLevel, message: &str) {
    match level {
        LogLevel::Error => tracing::error!(target: "itch::plugin", "{message}"),
        LogLevel::Warn => tracing::warn!(target: "itch::plugin", "{message}"),
        LogLevel::Info => tracing::info!(target: "itch::plugin", "{message}"),
        LogLevel::Debug => tracing::debug!(target: "itch::plugin", "{message}"),
    }
}

/// The level in `LOG_LEVEL`, with the names that Python uses.
fn from_environment(printer: &Printer) -> LevelFilter {
    let Some(name) = environment::read("LOG_LEVEL") else {
        return LevelFilter::WARN;
    };
    match name.to_ascii_uppercase().as_str() {
        "DEBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "WARN" | "WARNING" => LevelFilter::WARN,
        "ERROR" | "CRITICAL" | "FATAL" => LevelFilter::ERROR,
        _ => {
            printer
                .warning(&format!("`{name}` in LOG_LEVEL is not a level: use DEBUG, INFO, WARNING, ERROR or CRITICAL"));
            LevelFilter::OFF
        }
    }
}

/// One event as one line: seconds since the start, level, message and fields.
struct Line {
    start: Instant,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        // URLs and responses may contain text from other users, and a secret that a server repeats.
        writeln!(out, "{:8.3} {level}: {}", self.start.elapsed().as_secs_f64(), sanitize(&secrets::redact(&fields)))
    }
}

/// Writes whole lines around the progress bar.
struct AroundBars(Printer);

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = StderrLine<'a>;

    fn make_writer(&'a self) -> StderrLine<'a> {
        StderrLine(&self.0)
    }
}

struct StderrLine<'a>(&'a Printer);

impl std::io::Write for StderrLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.bars().suspend(|| Stderr.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
