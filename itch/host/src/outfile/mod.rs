//! An output file, which appears under its name when it is complete.

mod naming;
mod part;
mod target;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind, Result};

use crate::failure::usage;
use target::Target;

/// What happens to a file that is not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// It is kept as `NAME.part`, so that rows that were fetched are not lost.
    Stays,
    /// It is removed.
    Gone,
}

/// What happens to a file that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Existing {
    /// The complete file replaces it.
    #[default]
    Replaced,
    /// It is kept, and nothing is written: that is an error.
    Kept,
}

/// Where the bytes are until they are complete.
enum Draft {
    /// In the file itself: it is a device, a pipe, or already open.
    InPlace,
    /// In a file with another name, which is locked.
    Part(PathBuf),
    /// In a file without a name, so that nothing is left however the program ends.
    #[cfg(target_os = "linux")]
    Nameless,
    /// The file is complete, or is kept as it is.
    Done,
}

/// An open file.
pub(crate) struct Outfile {
    /// As long as it is open, a draft is locked.
    file: File,
    /// The path that was given.
    path: PathBuf,
    target: PathBuf,
    draft: Draft,
    incomplete: Incomplete,
    existing: Existing,
}

impl Outfile {
    /// Opens the file, so that an error is reported before the work.
    pub(crate) fn create(path: &Path, incomplete: Incomplete, existing: Existing) -> Result<Outfile> {
        let target = Target::of(path)?;
        let failed = |error: io::Error| cannot(path).source_chain(&error);
        let outfile = |file, draft| Outfile {
            file,
            path: path.to_owned(),
            target: target.path.clone(),
            draft,
            incomplete,
            existing,
        };
        if target.in_place {
            let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(outfile(file, Draft::InPlace));
        }
        let refuse = || match existing == Existing::Kept && target.is_there() {
            true => Err(taken(path)),
            false => Ok(()),
        };
        refuse()?;
        if target.is_there() {
            // The rename at the end needs only a writable directory; this also checks the file's own permissions.
            OpenOptions::new().write(true).open(&target.path).map_err(failed)?;
        }
        // The file keeps the permissions of the one that it replaces.
        let mode = target.path.metadata().ok().map(|found| found.permissions());
        #[cfg(target_os = "linux")]
        if let (Incomplete::Gone, Some(file)) = (incomplete, naming::nameless(target.folder())) {
            if let Some(mode) = mode {
                file.set_permissions(mode).map_err(failed)?;
            }
            return Ok(outfile(file, Draft::Nameless));
        }
        let mut part = target.path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = part::lock(path, &part)?;
        let locked = outfile(file, Draft::Part(part));
        // A run that has just ended may have made the file.
        refuse()?;
        locked.file.set_len(0).map_err(failed)?;
        if let Some(mode) = mode {
            locked.file.set_permissions(mode).map_err(failed)?;
        }
        Ok(locked)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the incomplete file, if it has one.
    pub(crate) fn part(&self) -> Option<&Path> {
        match &self.draft {
            Draft::Part(part) => Some(part),
            _ => None,
        }
    }

    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Another handle of the file.
    pub(crate) fn writer(&self) -> Result<File> {
        let file = self.file.try_clone();
        file.map_err(|error| cannot(&self.path).source_chain(&error))
    }

    /// Gives the complete file its name. The lock is held until that is done.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.named()?;
        self.draft = Draft::Done;
        Ok(())
    }

    fn named(&self) -> Result<()> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("`{}` was made by another program during the run", self.path.display());
                Error::new(ErrorKind::Failed, message).cause("`--no-clobber` does not overwrite a file")
            }
            _ => cannot(&self.path).source_chain(&error),
        };
        match &self.draft {
            Draft::InPlace | Draft::Done => return Ok(()),
            #[cfg(target_os = "linux")]
            Draft::Nameless => {
                let settled = naming::settle(&self.file);
                settled.and_then(|()| naming::name(&self.file, &self.target, self.existing))
            }
            Draft::Part(part) if !part::is_at(&self.file, part) => {
                let why = format!("`{}` was removed or replaced during the run", part.display());
                return Err(cannot(&self.path).cause(why));
            }
            Draft::Part(part) => {
                let settled = naming::settle(&self.file);
                settled.and_then(|()| naming::rename(part, &self.target, self.existing))
            }
        }
        .map_err(|error| match (self.incomplete, self.part()) {
            (Incomplete::Stays, Some(part)) => {
                failed(error).hint(format!("what was written is in `{}`", part.display()))
            }
            _ => failed(error),
        })
    }

    /// Keeps the incomplete file and returns its path.
    pub(crate) fn keep(mut self) -> Option<PathBuf> {
        match std::mem::replace(&mut self.draft, Draft::Done) {
            Draft::Part(part) => Some(part),
            _ => None,
        }
    }
}

impl Drop for Outfile {
    fn drop(&mut self) {
        if let Draft::Part(part) = &self.draft {
            let empty = self.file.metadata().is_ok_and(|found| found.len() == 0);
            if (empty || self.incomplete == Incomplete::Gone) && part::is_at(&self.file, part) {
                // A leftover draft does no harm, so an error is ignored.
                let _ = std::fs::remove_file(part);
            }
        }
    }
}

/// Rejects two options that name one file. Devices and pipes can take both.
pub(crate) fn check_distinct(outputs: &[(&str, Option<&PathBuf>)]) -> Result<()> {
    let named = outputs.iter().filter_map(|(option, path)| Some((option, (*path)?)));
    let mut targets = Vec::new();
    for (option, path) in named {
        let target = Target::of(path)?;
        let same = targets.iter().find(|(_, other)| target.is_same(other));
        if let Some((other, _)) = same {
            let message = format!("`{other}` and `{option}` both write to `{}`", path.display());
            return Err(usage(message).hint("give one of them another name"));
        }
        targets.push((option, target));
    }
    Ok(())
}

/// The error about a file that cannot be written, without its reason.
fn cannot(path: &Path) -> Error {
    Error::new(ErrorKind::Failed, format!("`{}` cannot be written", path.display()))
}

/// The error about a file that is kept.
fn taken(path: &Path) -> Error {
    usage(format!("`{}` is there already", path.display()))
        .cause("`--no-clobber` does not overwrite a file")
        .hint("write to another file, or use `--overwrite`")
}
