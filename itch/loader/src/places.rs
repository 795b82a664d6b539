//! The files and directories that are searched for plugins, in order, and which of the files are shared libraries.

use std::path::{Path, PathBuf};

/// System directories, for all users.
const SYSTEM: [&str; 2] = ["/usr/local/lib/itch/plugins", "/usr/lib/itch/plugins"];

/// The files and directories to search.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Single files, which come first.
    pub files: Vec<PathBuf>,
    /// Directories in order.
    pub directories: Vec<PathBuf>,
}

impl Places {
    /// The default order: files given on the command line, directories from the environment, directories from the
    /// configuration, the user's directory, the system directories.
    pub fn usual(
        files: Vec<PathBuf>,
        environment: Option<&std::ffi::OsStr>,
        configured: Vec<PathBuf>,
        own: Option<PathBuf>,
    ) -> Places {
        let environment = environment.filter(|_| !privileged());
        let directories = environment.iter().flat_map(std::env::split_paths);
        Places {
            files,
            directories: directories
                .chain(configured)
                .chain(own)
                .chain(SYSTEM.map(PathBuf::from))
                // Relative paths are ignored, since they depend on the working directory.
                .filter(|path| path.is_absolute())
                .collect(),
        }
    }

    /// Every file that could be a plugin, with the index of its place.
    pub(crate) fn candidates(&self) -> Vec<(usize, PathBuf)> {
        let mut found: Vec<(usize, PathBuf)> = self
            .files
            .iter()
            .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()))
            .enumerate()
            .collect();
        for (number, directory) in self.directories.iter().enumerate() {
            // A directory that is missing or cannot be read counts as empty.
            let entries = std::fs::read_dir(directory).into_iter().flatten();
            let mut paths: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| is_library(path))
                .collect();
            paths.sort();
            found.extend(paths.into_iter().map(|path| (self.files.len() + number, path)));
        }
        found
    }
}

/// Whether a file's name is that of a shared library. Hidden files are skipped: they may be incomplete copies.
pub fn is_library(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().and_then(|extension| extension.to_str());
    !hidden && matches!(extension, Some("so" | "dylib" | "dll"))
}

/// Whether this process runs with privileges that the user who set its environment does not have.
fn privileged() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{getegid, geteuid, getgid, getuid};
        getuid() != geteuid() || getgid() != getegid() || at_secure()
    }
    #[cfg(not(unix))]
    false
}

/// The kernel's own flag, which is also set for file capabilities. The C library keeps it: `/proc/self/auxv` cannot be
/// read once the process is not dumpable.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn at_secure() -> bool {
    // SAFETY: the call only returns a number.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn at_secure() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_command_line_environment_configuration_user_machine() {
        let places = Places::usual(
            vec!["/f.so".into()],
            Some("/e1:/e2::relative".as_ref()),
            vec!["/c".into(), "also/relative".into()],
            Some("/own".into()),
        );
        let directories: Vec<&str> = places.directories.iter().filter_map(|path| path.to_str()).collect();
        assert_eq!(directories, ["/e1", "/e2", "/c", "/own", SYSTEM[0], SYSTEM[1]]);
        assert!(!privileged());
    }

    #[test]
    fn candidates_are_libraries_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.so", "a.so", "c.dll", "d.dylib", ".hidden.so", "e.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let places = Places {
            files: vec!["/x".into()],
            directories: vec!["/no/such".into(), folder.path().into()],
        };
        let found = places.candidates();
        let names: Vec<(usize, &str)> = found
            .iter()
            .filter_map(|(place, path)| Some((*place, path.file_name()?.to_str()?)))
            .collect();
        assert_eq!(names, [(0, "x"), (2, "a.so"), (2, "b.so"), (2, "c.dll"), (2, "d.dylib")]);
    }
}
