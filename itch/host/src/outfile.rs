//! An output file, which appears under its name when it is complete.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::failure::usage;

/// How many symbolic links are followed, as many as Linux follows.
const LINKS: usize = 40;

/// What happens to a file that is not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// It is kept as `NAME.part`, so that rows that were fetched are not lost.
    Stays,
    /// It is removed.
    Gone,
}

/// Where the bytes are until they are complete.
enum Draft {
    /// In the file itself: it is a device, a pipe, or already open.
    InPlace,
    /// In a file with another name.
    Part(PathBuf),
    /// In a file without a name, so that nothing is left however the program ends.
    #[cfg(target_os = "linux")]
    Nameless,
    /// The file is complete, or is kept as it is.
    Done,
}

/// An open file.
pub(crate) struct Outfile {
    file: File,
    /// The path that was given.
    path: PathBuf,
    /// The path after following symbolic links.
    target: PathBuf,
    draft: Draft,
    incomplete: Incomplete,
}

impl Outfile {
    /// Opens the file, so that an error is reported before the work.
    pub(crate) fn create(path: &Path, incomplete: Incomplete) -> anyhow::Result<Outfile> {
        let cannot = || format!("`{}` cannot be written", path.display());
        let (target, special) = resolved(path).with_context(cannot)?;
        let found = std::fs::metadata(&target).ok();
        let is_directory = found.as_ref().is_some_and(Metadata::is_dir);
        let Some(name) = target.file_name().filter(|_| !is_directory) else {
            return Err(usage(format!("`{}` does not name a file", path.display())).into());
        };
        let outfile = |file, draft| Outfile {
            file,
            path: path.to_owned(),
            target: target.clone(),
            draft,
            incomplete,
        };
        if special || found.as_ref().is_some_and(|found| !found.is_file()) {
            let file = OpenOptions::new().write(true).open(path);
            return Ok(outfile(file.with_context(cannot)?, Draft::InPlace));
        }
        if found.is_some() {
            // The rename at the end needs only a writable directory; this also checks the file's own permissions.
            let file = OpenOptions::new().write(true).open(&target);
            file.with_context(cannot)?;
        }
        let mode = found.map(|found| found.permissions());
        let parent = target.parent().filter(|parent| *parent != Path::new(""));
        let folder = parent.unwrap_or(Path::new("."));
        #[cfg(target_os = "linux")]
        if let (Incomplete::Gone, Some(file)) = (incomplete, nameless(folder)) {
            let file = with_mode(file, mode).with_context(cannot)?;
            return Ok(outfile(file, Draft::Nameless));
        }
        let mut part = name.to_owned();
        if incomplete == Incomplete::Gone {
            // Two runs that draw the same picture must not write into the same draft.
            part.push(format!(".{}", std::process::id()));
        }
        part.push(".part");
        let part = target.with_file_name(part);
        let file = File::create(&part).and_then(|file| with_mode(file, mode));
        Ok(outfile(file.with_context(cannot)?, Draft::Part(part)))
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
    pub(crate) fn writer(&self) -> anyhow::Result<File> {
        let cannot = || format!("`{}` cannot be written", self.path.display());
        self.file.try_clone().with_context(cannot)
    }

    /// Gives the complete file its name.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let cannot = || format!("`{}` cannot be written", self.path.display());
        match std::mem::replace(&mut self.draft, Draft::Done) {
            Draft::InPlace | Draft::Done => Ok(()),
            Draft::Part(part) => std::fs::rename(&part, &self.target)
                .inspect_err(|_| {
                    if self.incomplete == Incomplete::Gone {
                        drop(std::fs::remove_file(&part));
                    }
                })
                .with_context(cannot),
            #[cfg(target_os = "linux")]
            Draft::Nameless => name(&self.file, &self.target).with_context(cannot),
        }
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
            if empty || self.incomplete == Incomplete::Gone {
                // A leftover draft does no harm, so an error is ignored.
                let _ = std::fs::remove_file(part);
            }
        }
    }
}

/// The path after following symbolic links, which need not exist yet; and whether one of the paths is in `/dev` or
/// `/proc`, such as `/dev/stdout`, where the file may be open already.
fn resolved(path: &Path) -> io::Result<(PathBuf, bool)> {
    let open = |path: &Path| cfg!(unix) && ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    let (mut target, mut special) = (path.to_owned(), open(path));
    for _ in 0..LINKS {
        let Ok(next) = std::fs::read_link(&target) else {
            return Ok((target, special));
        };
        target = target.parent().unwrap_or(Path::new("")).join(next);
        special |= open(&target);
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// The file with the permissions of the file that it replaces.
fn with_mode(file: File, mode: Option<Permissions>) -> io::Result<File> {
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    Ok(file)
}

/// A file without a name, if the folder's file system has such files.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    // As for any new file, umask removes permissions.
    let mode = Mode::from_raw_mode(0o666);
    open(folder, flags, mode).ok().map(File::from)
}

/// Gives a file without a name this name, even if another file has it.
#[cfg(target_os = "linux")]
fn name(file: &File, target: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut part = target.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    // `linkat` fails if the name is taken, so the file gets another name first and is renamed.
    linkat(CWD, &open, CWD, &part, AtFlags::SYMLINK_FOLLOW)?;
    std::fs::rename(&part, target).inspect_err(|_| drop(std::fs::remove_file(&part)))
}
