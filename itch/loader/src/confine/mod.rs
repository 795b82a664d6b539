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
mod rights;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod siblings;

use std::path::Path;

pub(crate) use rights::Confinement;
pub use rights::DEFAULT_MEMORY;
#[cfg(target_os = "linux")]
pub(crate) use siblings::siblings;

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

impl Confinement {
    /// Whether the plugin in this process has reached its memory limit.
    pub(crate) fn memory_was_reached(&self) -> bool {
        #[cfg(target_os = "linux")]
        return memory::reached(self.memory);
        #[cfg(not(target_os = "linux"))]
        false
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
