//! Prints messages on stderr.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use indicatif::MultiProgress;
use itch_output::{Terminal, sanitize};

use crate::failure::Failure;
use crate::options::common::{CommonOptions, When};
use crate::stderr::{self, Stderr};
use crate::times::now;
use crate::{secrets, trial_error};

/// Which messages are printed, and in which colours.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    /// Only warnings and errors are printed.
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

/// A printer that is set once the options are read.
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
            bars: stderr::bars(stderr_is_terminal),
        }
    }

    /// The progress bars; they are suspended while a line is printed.
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

    /// The terminal that stdout is, if it is one.
    pub(crate) fn terminal(&self) -> Option<Terminal> {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0);
        self.stdout_is_terminal.then(|| Terminal {
            width,
            color: self.color(true),
            now: now(),
        })
    }

    /// Prints a line on stderr. It may contain text from other users, so it is made safe for a terminal; and a secret
    /// that a server repeats, which is removed.
    fn line(&self, mark: &str, style: &str, text: &str) {
        let text = secrets::redact(text);
        let text = sanitize(&text);
        let painted = match mark {
            "" => text.into_owned(),
            mark if self.color(self.stderr_is_terminal) => {
                format!("\x1b[{style}m{mark}:\x1b[0m {text}")
            }
            mark => format!("{mark}: {text}"),
        };
        self.bars.suspend(|| {
            // One call, so that lines of several threads do not mix.
            let _ = Stderr.write_all(format!("{painted}\n").as_bytes());
        });
    }

    /// Prints a warning: the run continues, but the user should know.
    pub(crate) fn warning(&self, text: &str) {
        self.line("warning", "33", text);
    }

    /// Prints a plain line, unless `-q` was given.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line("", "", text);
        }
    }

    /// Prints a plain line, even if `-q` was given.
    pub(crate) fn say(&self, text: &str) {
        self.line("", "", text);
    }

    /// Prints an error: its sentence, its causes and its hint.
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

/// Whether `TERM` is `dumb`: the terminal understands only plain text.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name == "dumb")
}
