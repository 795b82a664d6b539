//! The draft of an output file: `NAME.part`, which one run at a time may write.
//!
//! The run that holds the lock (flock(2)) writes the draft. A draft without a lock is left over from a run that died.
//! The draft is opened without following a link and must be a regular file of this user with one name, so that another
//! user who may write to the folder cannot make itch empty or fill a file of their choice.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;

use itch_api::{Error, Result};

use super::cannot;
use crate::failure::usage;
use crate::paths::kind_name;

/// How often the draft is opened again if another run renames or removes it meanwhile.
const TRIES: usize = 100;

/// Opens the draft of `path` and locks it; it may have content. An error if another run holds the lock.
pub(super) fn lock(path: &Path, part: &Path) -> Result<File> {
    for _ in 0..TRIES {
        let file = open(part).map_err(|error| refused(path, part, &error))?;
        let found = file.metadata().map_err(|error| cannot(path).source_chain(&error))?;
        if let Some(why) = unsuitable(&found) {
            return Err(in_the_way(path, part, &why));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(usage(format!("another run of itch is writing `{}`", path.display()))
                    .cause(format!("`{}` is locked", part.display()))
                    .hint("wait until it has ended, or write to another file"));
            }
            // A file system without locks, such as some network file systems.
            Err(TryLockError::Error(error)) => {
                tracing::warn!("`{}` cannot be locked against other runs of itch: {error}", part.display());
            }
        }
        if is_at(&file, part) {
            return Ok(file);
        }
    }
    Err(cannot(path).cause(format!("other programs keep replacing `{}`", part.display())))
}

/// Whether this is still the file of that name.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |found: Metadata| (found.dev(), found.ino());
        match (file.metadata(), path.symlink_metadata()) {
            (Ok(opened), Ok(named)) => id(opened) == id(named),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Opens or makes the draft. A named pipe without a reader is an error instead of waiting for one.
#[cfg(unix)]
fn open(part: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // As for any new file, umask removes permissions.
    Ok(open(part, flags, Mode::from_raw_mode(0o666)).map(File::from)?)
}

#[cfg(not(unix))]
fn open(part: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(part)
}

/// Why a file that was opened cannot be the draft.
fn unsuitable(found: &Metadata) -> Option<String> {
    if !found.is_file() {
        return Some(format!("is {}", kind_name(found.file_type())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Some("belongs to another user".to_owned());
        }
        if found.nlink() > 1 {
            return Some("has another name, too (a hard link)".to_owned());
        }
    }
    None
}

/// The error about a draft that cannot be opened: because of what is there, if it is not a regular file.
fn refused(path: &Path, part: &Path, error: &io::Error) -> Error {
    match part.symlink_metadata() {
        Ok(found) => match unsuitable(&found) {
            Some(why) => in_the_way(path, part, &why),
            None => cannot(path)
                .cause(format!("`{}` cannot be opened", part.display()))
                .source_chain(error),
        },
        Err(_) => super::target::unreachable(path, error),
    }
}

fn in_the_way(path: &Path, part: &Path, why: &str) -> Error {
    cannot(path)
        .cause(format!("itch writes to `{}` first, which {why}", part.display()))
        .hint(format!("remove or rename `{}`, or write to another file", part.display()))
}
