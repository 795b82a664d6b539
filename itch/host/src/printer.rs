//! The one printer: all messages go to stderr, and commands other than reports put their data on stdout through it.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use indicatif::MultiProgress;
use itch_output::{Terminal, sanitize};

use crate::failure::Failure;
use crate::options::common::{CommonOptions, When};
use crate::trial_error;

/// How much is said, where, and in which colours.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    /// Nothing but errors.
    pub(crate) quiet: bool,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// Whether stderr is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Whether stdout is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Whether progress is shown.
    pub(crate) progress: bool,
    color: When,
    bars: MultiProgress,
}

/// A printer for what is said before the options are read, and afterwards.
pub(crate) type DeferredPrinter = Arc<OnceLock<Printer>>;

impl Default for Printer {
    /// The printer of a program whose options could not be read.
    fn default() -> Printer {
        Printer::new(&CommonOptions::default())
    }
}

impl Printer {
    pub(crate) fn new(options: &CommonOptions) -> Printer {
        let stderr_is_terminal = std::io::stderr().is_terminal();
        Printer {
            quiet: options.quiet,
            verbose: options.verbose,
            stderr_is_terminal,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            progress: match options.progress.unwrap_or(When::Auto) {
                When::Auto => stderr_is_terminal && !options.quiet && !is_dumb(),
                When::Always => true,
                When::Never => false,
            },
            color: options.color.unwrap_or(When::Auto),
            bars: MultiProgress::new(),
        }
    }

    /// Where progress bars live; lines are printed around them.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether a stream that is a terminal or not gets colour (no-color.org).
    pub(crate) fn color(&self, is_terminal: bool) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                is_terminal && !is_dumb() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    /// The terminal behind stdout, if it is one.
    pub(crate) fn terminal(&self) -> Option<Terminal> {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0);
        self.stdout_is_terminal.then(|| Terminal {
            width,
            color: self.color(true),
            now: chrono::Utc::now(),
        })
    }

    /// A line on stderr. It may quote strangers, so it is made safe for a terminal.
    fn line(&self, mark: &str, style: &str, text: &str) {
        let text = sanitize(text);
        let painted = match mark {
            "" => text.into_owned(),
            mark if self.color(self.stderr_is_terminal) => {
                format!("\x1b[{style}m{mark}:\x1b[0m {text}")
            }
            mark => format!("{mark}: {text}"),
        };
        self.bars.suspend(|| {
            // There is no other place to report that stderr cannot be written to.
            let _ = writeln!(std::io::stderr().lock(), "{painted}");
        });
    }

    /// Something that a person should know, although the run goes on.
    pub(crate) fn warning(&self, text: &str) {
        self.line("warning", "33", text);
    }

    /// A plain line, unless quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line("", "", text);
        }
    }

    /// A plain line, also when quiet.
    pub(crate) fn say(&self, text: &str) {
        self.line("", "", text);
    }

    /// An error: its sentence, its causes, a hint.
    pub(crate) fn failure(&self, failure: &Failure) {
        trial_error::write(failure);
        self.line("error", "1;31", &failure.message);
        for cause in &failure.causes {
            self.line("  caused by", "2", cause);
        }
        if let Some(hint) = &failure.hint {
            self.line("hint", "32", hint);
        }
    }
}

/// Whether the terminal says of itself that it understands nothing but text.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name == "dumb")
}

/// Writes data of a command that is no report to stdout. A reader that has gone is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
