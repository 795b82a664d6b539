//! Plugins in shared libraries: finding them, knowing them without opening them, trusting them, and running them
//! where they can break nothing.
//!
//! [`discover`] looks through the [`Places`] and gives what is there as units for the registry. A file that it has
//! not seen before is looked at once by a process of its own ([`probe`]); what that tells is kept in an index, so
//! that later only the one file is opened whose unit is called. A unit runs in a process of its own too ([`serve`]):
//! what crosses are bytes over two pipes, in both directions whatever the C boundary knows.
//!
//! It stands beside the client and the output, imports the contract only, and knows nothing of the host: whoever uses
//! it says where the index and the lock file are, which program answers to [`HOST_COMMAND`] and [`PROBE_COMMAND`],
//! and where words for people go.
#![deny(missing_docs)]

mod discover;
mod external_unit;
mod frame;
mod index;
mod install;
mod isolated_cache;
mod isolated_renderer;
mod isolated_report;
mod job;
mod library;
mod places;
mod probe;
mod process;
mod process_group;
mod safety;
mod serve;
mod trust;

use std::fmt;
use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::Arc;

use itch_plugin::LogLevel;
use serde::{Deserialize, Serialize};

pub use discover::{Found, FoundFile, Status, discover};
pub use install::{Added, add, remove};
pub use library::{Description, Unit};
pub use places::{Places, is_library};
pub use probe::{Inspected, Outcome, inspect, probe};
pub use process::{HOST_COMMAND, PROBE_COMMAND};
pub use process_group::kill_all;
pub use safety::check;
pub use serve::serve;
pub use trust::{enable, trust};

/// What the loader has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to look.
    pub places: Places,
    /// The file that remembers what was found; without it, every file is looked at each time.
    pub index: Option<PathBuf>,
    /// The lock file, which remembers what is trusted.
    pub trust_file: Option<PathBuf>,
    /// Whether only files run whose hash is in the lock file.
    pub pinned: bool,
    /// Whether a file is looked at again that could not be loaded for the lack of something else.
    pub again: bool,
    /// Plugins that are loaded into this process, once their files have been used or trusted.
    pub in_process: Vec<String>,
    /// This program.
    pub program: PathBuf,
    /// Where plugins' own words go.
    pub log: Log,
    /// Where a line goes that a person has to see.
    pub notice: Log,
}

type TakeLine = dyn Fn(LogLevel, &str) + Send + Sync;

/// Takes lines.
#[derive(Clone)]
pub struct Log(Arc<TakeLine>);

impl Log {
    /// Hands each line over.
    pub fn new(line: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Log {
        Log(Arc::new(line))
    }

    pub(crate) fn line(&self, level: LogLevel, message: &str) {
        (self.0)(level, message);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// By what a file is known again without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    dev: u64,
    inode: u64,
    size: u64,
    mtime_ns: i128,
    /// Unlike the other time, nobody can set it back.
    ctime_ns: i128,
}

impl FileIdentity {
    pub(crate) fn of(metadata: &Metadata) -> FileIdentity {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            FileIdentity {
                dev: metadata.dev(),
                inode: metadata.ino(),
                size: metadata.size(),
                mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
                ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            }
        }
        #[cfg(not(unix))]
        {
            let modified = metadata.modified().ok();
            let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            FileIdentity {
                dev: 0,
                inode: 0,
                size: metadata.len(),
                mtime_ns: since.map_or(0, |since| since.as_nanos() as i128),
                ctime_ns: 0,
            }
        }
    }

    /// Whether it is this file under another name: a move changes nothing but the time of the last change.
    pub(crate) fn moved_to(&self, other: &FileIdentity) -> bool {
        let ctime_ns = self.ctime_ns;
        *self == FileIdentity { ctime_ns, ..*other }
    }
}

#[cfg(unix)]
fn nanoseconds(seconds: i64, rest: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(rest)
}

/// Writes a file as a whole: under another name first, so that nobody ever reads half of it.
fn write_whole(path: &std::path::Path, text: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    std::io::Write::write_all(&mut file, text)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
