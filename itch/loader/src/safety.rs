//! Whether a file may be loaded: nobody but its user and root can have put it there, or can change it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The real path of a file, or why it must not be loaded. The file is not opened.
///
/// The file and every directory above it must belong to the user or to root, and none may be writable by others.
/// A sticky directory further up, such as `/tmp`, is tolerated: there, others cannot rename what is not theirs.
pub fn check(path: &Path) -> Result<PathBuf, String> {
    Safety::default().check(path)
}

/// Checks files, and every directory once.
#[derive(Debug, Default)]
pub(crate) struct Safety {
    directories: BTreeMap<PathBuf, Result<PathBuf, String>>,
}

impl Safety {
    pub(crate) fn check(&mut self, path: &Path) -> Result<PathBuf, String> {
        let found = std::fs::symlink_metadata(path).map_err(absent)?;
        let real = match (path.parent(), path.file_name()) {
            (Some(directory), Some(name)) if path.is_absolute() && !found.is_symlink() => {
                self.directory(directory)?.join(name)
            }
            _ => {
                let real = std::fs::canonicalize(path).map_err(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => "its link leads nowhere".to_owned(),
                    _ => error.to_string(),
                })?;
                let directory = real.parent().unwrap_or(&real).to_owned();
                self.directory(&directory)?;
                real
            }
        };
        let file = match found.is_symlink() {
            true => std::fs::metadata(&real).map_err(absent)?,
            false => found,
        };
        if !file.is_file() {
            let what = if file.is_dir() {
                "a directory"
            } else {
                "no regular file"
            };
            return Err(format!("it is {what}"));
        }
        #[cfg(unix)]
        unix::judge("it", &file, false)?;
        Ok(real)
    }

    /// The real path of a directory, if it and all above it are safe.
    fn directory(&mut self, directory: &Path) -> Result<PathBuf, String> {
        if let Some(known) = self.directories.get(directory) {
            return known.clone();
        }
        let real = std::fs::canonicalize(directory)
            .map_err(absent)
            .and_then(|real| {
                #[cfg(unix)]
                unix::check_directory(&real)?;
                Ok(real)
            });
        self.directories.insert(directory.to_owned(), real.clone());
        real
    }
}

fn absent(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    const WRITABLE_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;

    pub(super) fn check_directory(real: &Path) -> Result<(), String> {
        for (height, directory) in real.ancestors().enumerate() {
            let found = std::fs::metadata(directory).map_err(|error| error.to_string())?;
            let name = format!("its directory {}", directory.display());
            judge(&name, &found, height > 0)?;
        }
        Ok(())
    }

    pub(super) fn judge(name: &str, found: &Metadata, sticky_will_do: bool) -> Result<(), String> {
        let user = rustix::process::geteuid().as_raw();
        judge_for(user, name, found, sticky_will_do)
    }

    pub(super) fn judge_for(
        user: u32,
        name: &str,
        found: &Metadata,
        sticky_will_do: bool,
    ) -> Result<(), String> {
        if found.uid() != user && found.uid() != 0 {
            return Err(format!("{name} belongs to another user ({})", found.uid()));
        }
        let open = found.mode() & WRITABLE_BY_OTHERS;
        let tolerated = sticky_will_do && found.mode() & STICKY != 0;
        if open != 0 && !tolerated {
            let whom = if open & 0o002 != 0 {
                "everybody"
            } else {
                "its group"
            };
            return Err(format!("{name} can be written by {whom}"));
        }
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        assert!(fs::set_permissions(path, fs::Permissions::from_mode(mode)).is_ok());
    }

    #[test]
    fn only_what_is_safe_passes() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        mode(&inner, 0o755);
        let file = inner.join("a.so");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        assert_eq!(check(&file), Ok(fs::canonicalize(&file).unwrap()));

        let link = folder.path().join("link.so");
        symlink(&file, &link).unwrap();
        assert!(check(&link).is_ok());

        mode(&file, 0o664);
        assert_eq!(check(&file).unwrap_err(), "it can be written by its group");
        mode(&file, 0o646);
        assert_eq!(check(&file).unwrap_err(), "it can be written by everybody");
        mode(&file, 0o644);

        mode(&inner, 0o777);
        assert!(check(&file).unwrap_err().ends_with("by everybody"));
        // A link does not help.
        assert!(check(&link).is_err());
        // A sticky bit on the directory itself neither: others could add files beside it.
        mode(&inner, 0o1777);
        assert!(check(&file).is_err());
        mode(&inner, 0o755);
        mode(folder.path(), 0o1777);
        assert!(check(&file).is_ok());
        mode(folder.path(), 0o777);
        assert!(check(&file).is_err());
        mode(folder.path(), 0o700);

        assert_eq!(check(&inner).unwrap_err(), "it is a directory");
        symlink("/no/such", inner.join("b.so")).unwrap();
        assert_eq!(
            check(&inner.join("b.so")).unwrap_err(),
            "its link leads nowhere"
        );
        assert!(check(&inner.join("c.so")).is_err());
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.so");
        fs::write(&file, "").unwrap();
        // Root's files are everybody's to use; only root can give one away, and only root has to.
        let user = rustix::process::geteuid();
        if user.is_root() {
            std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
            assert!(check(&file).unwrap_err().contains("another user"));
        }
        let found = fs::metadata(&file).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&found);
        assert_eq!(
            unix::judge_for(owner + 1, "it", &found, false),
            Err(format!("it belongs to another user ({owner})"))
        );
        assert_eq!(unix::judge_for(owner, "it", &found, false), Ok(()));
    }
}
