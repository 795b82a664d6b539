//! Plugins in shared libraries: finding them, indexing and trusting them, and running each unit in its own process.
//!
//! [`discover`] searches the [`Places`] and returns the units for the registry. A file that it has not seen before is
//! inspected once, in a separate process ([`probe`]). The result is kept in an index, so that later only the file is
//! opened whose unit is called. A unit also runs in a separate process ([`serve`]); the host and this process exchange
//! messages over two pipes, one for each operation of the plugin ABI.
//!
//! The crate imports the plugin contract, but neither the client, the output nor the host. Its [`Settings`] say where
//! the index and the lock file are, which program runs the commands [`HOST_COMMAND`] and [`PROBE_COMMAND`], and where
//! messages for people go.
#![deny(missing_docs)]

mod access;
mod confine;
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

pub use access::{UnitAccess, asked};
pub use confine::{DEFAULT_MEMORY, Missing, missing};
pub use discover::{Found, FoundFile, Status, discover};
pub use install::{Added, add, remove};
pub use library::{Description, Unit};
pub use places::{Places, is_library};
pub use probe::{Inspected, Outcome, inspect, probe};
pub use process::{HOST_COMMAND, PROBE_COMMAND};
pub use process_group::kill_all;
pub use safety::check;
pub use serve::serve;
pub use trust::{allow, enable, trust};

/// The settings of the loader.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The files and directories to search.
    pub places: Places,
    /// The index file; without it, every file is inspected each time.
    pub index: Option<PathBuf>,
    /// The lock file, which records the trusted files.
    pub trust_file: Option<PathBuf>,
    /// Whether only files whose hash is in the lock file may run.
    pub pinned: bool,
    /// Whether to inspect a file again that could not be loaded because something else was missing.
    pub again: bool,
    /// Whether to use only the files that the index knows, and to start no process that inspects others.
    pub only_known: bool,
    /// The plugins to load into this process, if their files were used or trusted before.
    pub in_process: Vec<String>,
    /// The most memory that the process of a plugin may use, in bytes.
    pub memory: u64,
    /// Whether plugins are not run if a part of their confinement is missing on this system.
    pub strict: bool,
    /// Whether every unit may use the files and the network that it asks for, whatever the lock file says.
    pub allow: bool,
    /// Files and directories of itch itself, which stay closed to plugins whatever else they may read.
    pub private: Vec<PathBuf>,
    /// The user's directories, which stay closed to plugins even if they lie in one of the system.
    pub homes: Vec<PathBuf>,
    /// The path of this program.
    pub program: PathBuf,
    /// The log for lines of plugins.
    pub log: Log,
    /// The log for lines that the user has to see.
    pub notice: Log,
}

impl Settings {
    /// The confinement of a process that may have this access.
    pub(crate) fn confinement(&self, access: &UnitAccess) -> confine::Confinement {
        let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.clone().into_os_string()).collect();
        confine::Confinement {
            memory: self.memory,
            strict: self.strict,
            folder: None,
            read: access.read(),
            write: access.write(),
            network: access.access.network,
            private: paths(&self.private),
            homes: paths(&self.homes),
        }
    }
}

type TakeLine = dyn Fn(LogLevel, &str) + Send + Sync;

/// A destination for log lines.
#[derive(Clone)]
pub struct Log(Arc<TakeLine>);

impl Log {
    /// A log that calls `line` for each line.
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

/// Metadata by which a file is recognised without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    dev: u64,
    inode: u64,
    size: u64,
    mtime_ns: i128,
    /// Unlike `mtime_ns`, it cannot be set by a program.
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

    /// Whether `other` is this file under another name: renaming changes only `ctime_ns`.
    pub(crate) fn moved_to(&self, other: &FileIdentity) -> bool {
        let ctime_ns = self.ctime_ns;
        *self == FileIdentity { ctime_ns, ..*other }
    }
}

#[cfg(unix)]
fn nanoseconds(seconds: i64, rest: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(rest)
}

/// Writes a file atomically: under a temporary name first, so that no reader sees a partial file.
fn write_whole(path: &std::path::Path, text: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    std::io::Write::write_all(&mut file, text)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
