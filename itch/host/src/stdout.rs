//! Writing to stdout: an error if it is closed or full, none if its reader has gone.

use std::io::{self, Write};

use anyhow::Context;
use itch_api::{Error, ErrorKind, Result};

use crate::inherited::stdout_fault;

/// stdout, if it can be written.
pub(crate) fn stdout() -> Result<io::Stdout> {
    match stdout_fault() {
        None => Ok(io::stdout()),
        Some(fault) => Err(Error::new(ErrorKind::Failed, "could not write to stdout")
            .cause(fault)
            .hint("redirect it to a file, or to /dev/null if the output is not wanted")),
    }
}

/// Writes the output of a command other than a report to stdout. It is no error if the reader closed the pipe.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout()?.lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// The result of writing to stdout. It is no error if the reader closed the pipe.
pub(crate) fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("could not write to stdout"),
    }
}
