//! The question before a write.

use std::io::{IsTerminal, Write};

use itch_api::{Error, ErrorKind, Result};
use itch_client::{Method, SignedIn};
use itch_output::sanitize;

use crate::failure::usage;
use crate::printer::Printer;
use crate::secrets;
use crate::stderr::Stderr;

/// What is about to be sent.
#[derive(Debug)]
pub(super) struct Intent<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) requests: usize,
}

/// Whether a person can be asked.
fn can_ask(printer: &Printer) -> bool {
    printer.stderr_is_terminal && std::io::stdin().is_terminal()
}

/// An error if writes cannot be confirmed: nobody can be asked, and `--yes` was not given.
pub(super) fn check(method: Method, yes: bool, printer: &Printer) -> Result<()> {
    if !method.writes() || yes || can_ask(printer) {
        return Ok(());
    }
    Err(usage(format!("a {method} changes something, and nobody can be asked"))
        .hint("add `--yes` to send it, or `--dry-run` to see what would be sent"))
}

/// Asks, unless `--yes` was given. An error if the answer is not yes.
pub(super) fn ask(intent: &Intent<'_>, account: &SignedIn, yes: bool) -> Result<()> {
    if !intent.method.writes() || yes || intent.requests == 0 {
        return Ok(());
    }
    let Intent { method, path, requests } = intent;
    let (count, them) = match requests {
        1 => ("1 request".to_owned(), "it"),
        n => (format!("{n} requests"), "them"),
    };
    let question = format!("{method} {path}: {count} as {account}. Send {them}? [y/N] ");
    let _ = Stderr.write_all(sanitize(&secrets::redact(&question)).as_bytes());
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Failed, "nothing was sent: it was not confirmed")),
    }
}
