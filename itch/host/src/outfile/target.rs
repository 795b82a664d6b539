//! The file that a path names: after following links, and what it is now.

use std::io;
use std::path::{Path, PathBuf};

use itch_api::{Error, Result};

use super::cannot;
use crate::failure::usage;
use crate::paths::{kind_name, not_a_directory};

/// How many symbolic links are followed, as many as Linux follows.
const LINKS: usize = 40;

/// Where an output goes.
#[derive(Debug)]
pub(super) struct Target {
    /// The path after following symbolic links.
    pub(super) path: PathBuf,
    /// It is a device, a pipe, or open already: it is written to as it is.
    pub(super) in_place: bool,
}

impl Target {
    /// Finds out what the path names. An error if it cannot be a file.
    pub(super) fn of(given: &Path) -> Result<Target> {
        let (path, special) = resolved(given).map_err(|error| cannot(given).source_chain(&error))?;
        let found = path.metadata().ok();
        let no_file = || usage(format!("`{}` does not name a file", given.display()));
        if let Some(found) = found.as_ref().filter(|found| found.is_dir()) {
            return Err(no_file().cause(format!("it is {}", kind_name(found.file_type()))));
        }
        // `new/` names a directory that is not there.
        let ends_in_slash = given.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.file_name().is_none() || (ends_in_slash && found.is_none()) {
            return Err(no_file().hint("add the name of a file"));
        }
        Ok(Target {
            in_place: special || found.is_some_and(|found| !found.is_file()),
            path,
        })
    }

    /// The directory of the file.
    pub(super) fn folder(&self) -> &Path {
        folder(&self.path)
    }

    /// Whether there is a file of this name.
    pub(super) fn is_there(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Whether both are one file, which need not be there yet.
    pub(super) fn is_same(&self, other: &Target) -> bool {
        let whole = |target: &Target| Some((target.folder().canonicalize().ok()?, target.path.file_name()?.to_owned()));
        !self.in_place && !other.in_place && whole(self).is_some_and(|one| whole(other) == Some(one))
    }
}

/// The error about a path that cannot be reached: it says what is in the way.
pub(super) fn unreachable(path: &Path, error: &io::Error) -> Error {
    let target = resolved(path).map_or_else(|_| path.to_owned(), |(target, _)| target);
    let folder = folder(&target);
    match not_a_directory(folder) {
        Some(obstacle) => cannot(path).cause(obstacle),
        None if !folder.exists() => cannot(path)
            .cause(format!("there is no directory `{}`", folder.display()))
            .hint(format!("mkdir -p {}", folder.display())),
        None => cannot(path).source_chain(error),
    }
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
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
