//! What the process of a plugin may do: made by the host, read by the process.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The memory that a plugin may use if the configuration does not say, in bytes.
pub const DEFAULT_MEMORY: u64 = 1 << 30;

/// What the process of a plugin may do. It is the argument after the plugin's file, as JSON; a path need not be UTF-8.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// The limit of its data, in bytes.
    pub(crate) memory: u64,
    /// Whether it must not run if a part of the confinement is missing.
    pub(crate) strict: bool,
    /// Its own directory, in which it may write.
    pub(crate) folder: Option<OsString>,
    /// Files and directories that it may read, in addition to those of the system.
    pub(crate) read: Vec<OsString>,
    /// Files and directories that it may read and write.
    pub(crate) write: Vec<OsString>,
    /// Whether it may use the network.
    pub(crate) network: bool,
    /// Files and directories that stay closed even inside a directory that may be read.
    pub(crate) private: Vec<OsString>,
    /// Directories that stay closed inside those of the system: the user's, which may be there.
    pub(crate) homes: Vec<OsString>,
}

/// Whether this much memory is close to a limit: what is left is less than what programs ask for at once.
pub(super) fn is_close(most: u64, used: u64) -> bool {
    used >= most / 8 * 7
}

impl Confinement {
    /// The confinement in the argument of a process.
    pub(crate) fn read(argument: &OsStr) -> Result<Confinement, String> {
        let read = serde_json::from_slice(argument.as_encoded_bytes());
        read.map_err(|error| format!("its confinement could not be read: {error}"))
    }

    /// The argument for a process with this directory of its own.
    pub(crate) fn argument(&self, folder: Option<&Path>) -> std::io::Result<OsString> {
        let folder = folder.map(|folder| folder.as_os_str().to_owned());
        let text = serde_json::to_string(&Confinement { folder, ..self.clone() })?;
        Ok(text.into())
    }

    /// Whether a process that used this much memory was close to its limit.
    pub(crate) fn memory_was_close(&self, used: u64) -> bool {
        is_close(self.memory, used)
    }
}
