//! The file of a picture: it appears under its name when it is complete, and leaves nothing behind when it is not.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::failure::usage;

/// An open file.
pub(super) struct Outfile {
    file: File,
    path: PathBuf,
    /// The name that it has until it is complete. A device or a pipe has none: it is written to as it is.
    part: Option<PathBuf>,
}

impl Outfile {
    pub(super) fn create(path: &Path) -> anyhow::Result<Outfile> {
        let found = std::fs::metadata(path).ok();
        let named = path
            .file_name()
            .filter(|_| !found.as_ref().is_some_and(std::fs::Metadata::is_dir));
        let Some(name) = named else {
            return Err(usage(format!("`{}` does not name a file", path.display())).into());
        };
        let part = found.is_none_or(|found| found.is_file()).then(|| {
            let mut part = name.to_owned();
            // Two runs that draw the same picture do not write into one another's.
            part.push(format!(".{}.part", std::process::id()));
            path.with_file_name(part)
        });
        let written = part.as_deref().unwrap_or(path);
        let file = File::create(written)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(Outfile {
            file,
            path: path.to_owned(),
            part,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name that it has until it is complete, unless it is a device or a pipe.
    pub(super) fn part(&self) -> Option<&Path> {
        self.part.as_deref()
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the complete file its name.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        if let Some(part) = self.part.take() {
            std::fs::rename(&part, &self.path)
                .inspect_err(|_| drop(std::fs::remove_file(&part)))
                .with_context(|| format!("`{}` cannot be written", self.path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Outfile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // There is nothing to be said about a file that nobody was promised.
            let _ = std::fs::remove_file(part);
        }
    }
}
