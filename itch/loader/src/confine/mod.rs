//! Confinement of the process that a plugin runs in: it gives up its rights before the plugin's file is loaded.
//!
//! A plugin talks to itch over a pipe, so it needs neither files nor network nor other processes. On Linux, Landlock
//! takes the files away, and a seccomp filter the rest. Both bind the calling thread and those that it starts, so
//! [`Confinement::enter`] has to run before there is a second thread.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(unix)]
mod limits;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod siblings;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
pub(crate) use siblings::siblings;

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

/// What this system cannot keep from a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl Missing {
    /// The parts that are missing, such as `files`; empty if nothing is.
    pub fn parts(&self) -> &[&'static str] {
        &self.0
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// What this system cannot keep from a plugin. An error if it could, but does not allow it.
#[cfg(target_os = "linux")]
pub fn missing() -> Result<Missing, String> {
    let mut missing = Vec::new();
    let filters = seccomp::is_known()?;
    match landlock::version()? {
        0 => missing.push("files"),
        1..3 => missing.push("truncating files"),
        _ => {}
    }
    if !filters {
        missing.extend(["network", "processes"]);
    }
    Ok(Missing(missing))
}

/// What this system cannot keep from a plugin. An error if it could, but does not allow it.
#[cfg(not(target_os = "linux"))]
pub fn missing() -> Result<Missing, String> {
    Ok(Missing(vec!["files", "network", "processes"]))
}

/// Whether a process that had this directory asked for more memory than its limit.
pub(crate) fn memory_was_refused(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    return memory::mark(folder).exists();
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        false
    }
}

/// Whether this much memory is close to a limit: what is left is less than what programs ask for at once.
fn is_close(most: u64, used: u64) -> bool {
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

    /// Whether the plugin in this process has reached its memory limit.
    pub(crate) fn memory_was_reached(&self) -> bool {
        #[cfg(target_os = "linux")]
        return memory::reached(self.memory);
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Whether a process that used this much memory was close to its limit.
    pub(crate) fn memory_was_close(&self, used: u64) -> bool {
        is_close(self.memory, used)
    }

    /// Gives up the rights of this process, which must have one thread. `file` is the plugin's. An error names the part
    /// that failed; the file must then not be loaded.
    pub(crate) fn enter(&self, file: &Path) -> Result<(), String> {
        let missing = missing()?;
        if self.strict && !missing.parts().is_empty() {
            return Err(format!("this system cannot keep these from it: {missing} (`unconfined` in config.toml)"));
        }
        #[cfg(target_os = "linux")]
        limits::close_inherited();
        #[cfg(unix)]
        limits::set(self)?;
        #[cfg(target_os = "linux")]
        {
            landlock::restrict(self, file)?;
            limits::drop_capabilities(!self.read.is_empty() || !self.write.is_empty())?;
            seccomp::restrict(self)?;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = file;
        Ok(())
    }
}
