//! Where a report's rows go: stdout, or a file that gets its name when it is complete.

use std::io::Write;
use std::path::PathBuf;

use itch_api::Result;
use itch_output::Format;

use crate::outfile::{Existing, Incomplete, Outfile};
use crate::stdout::stdout;

/// Where the rows go: stdout, or a file that gets its name when it is complete.
pub(crate) struct Output {
    file: Option<Outfile>,
}

impl Output {
    /// Opens the file before the report runs, so that an error is reported first.
    pub(crate) fn open(path: Option<PathBuf>, existing: Existing) -> Result<Output> {
        let file = path.map(|path| Outfile::create(&path, Incomplete::Stays, existing));
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
    pub(crate) fn writer(&self) -> Result<Box<dyn Write + Send>> {
        Ok(match &self.file {
            None => Box::new(stdout()?),
            Some(file) => Box::new(file.writer()?),
        })
    }

    /// Gives a complete file its name; returns where an incomplete one is kept.
    pub(crate) fn close(self, complete: bool) -> Result<Option<PathBuf>> {
        match self.file {
            Some(file) if complete => file.finish().map(|()| None),
            Some(file) => Ok(file.keep()),
            None => Ok(None),
        }
    }
}
