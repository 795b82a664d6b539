//! Where a report's rows go: stdout, or a file that gets its name when it is complete.

use std::io::{self, Write};
use std::path::PathBuf;

use itch_output::Format;

use crate::outfile::{Incomplete, Outfile};

/// Where the rows go: stdout, or a file that gets its name when it is complete.
pub(crate) struct Output {
    file: Option<Outfile>,
}

impl Output {
    /// Opens the file before the report runs, so that an error is reported first.
    pub(crate) fn open(path: Option<PathBuf>) -> anyhow::Result<Output> {
        let file = path.map(|path| Outfile::create(&path, Incomplete::Stays));
        Ok(Output {
            file: file.transpose()?,
        })
    }

    /// Whether it is a file.
    pub(crate) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// The format for the extension of the file's name.
    pub(crate) fn format(&self) -> Option<Format> {
        let extension = self.file.as_ref()?.path().extension()?;
        extension.to_str()?.parse().ok()
    }

    /// A writer for the rows.
    pub(crate) fn writer(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        Ok(match &self.file {
            None => Box::new(io::stdout()),
            Some(file) => Box::new(file.writer()?),
        })
    }

    /// Gives a complete file its name; returns where an incomplete one is kept.
    pub(crate) fn close(self, complete: bool) -> anyhow::Result<Option<PathBuf>> {
        match self.file {
            Some(file) if complete => file.finish().map(|()| None),
            Some(file) => Ok(file.keep()),
            None => Ok(None),
        }
    }
}
