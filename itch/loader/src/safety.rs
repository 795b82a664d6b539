//! Whether a file may be loaded: only the user and root can have put it there and can change it.

use std::collections::BTreeMap;
use std::fs::{Metadata, symlink_metadata};
use std::path::{Path, PathBuf};

/// The maximum number of symbolic links on a path, as on Linux.
const MOST_LINKS: usize = 40;

/// The real path of a file, or why it must not be loaded. The file is not opened.
///
/// The file, every symbolic link on the way to it, and every directory above these must belong to the user or to root,
/// and none may be writable by others. A sticky directory further up, such as `/tmp`, is allowed: others cannot rename
/// files there that are not theirs. The directory of the file itself, or of a link to it, must not be writable even if
/// it is sticky: others could add files next to it.
pub fn check(path: &Path) -> Result<PathBuf, String> {
    SafetyChecker::default().check(path).map(|(real, _)| real)
}

/// Checks files; each directory is checked once.
#[derive(Debug, Default)]
pub(crate) struct SafetyChecker {
    directories: BTreeMap<PathBuf, Result<PathBuf, String>>,
}

impl SafetyChecker {
    /// The real path of a file and its metadata, or why it must not be loaded.
    pub(crate) fn check(&mut self, path: &Path) -> Result<(PathBuf, Metadata), String> {
        let mut place = std::path::absolute(path).map_err(|error| error.to_string())?;
        for links in 0..=MOST_LINKS {
            let lost = |why: String| match links {
                0 => why,
                _ if why == ABSENT => "it is a broken symbolic link".to_owned(),
                _ => why,
            };
            let (Some(directory), Some(name)) = (place.parent(), place.file_name()) else {
                return Err("it is a directory".to_owned());
            };
            let real = self.directory(directory).map_err(lost)?.join(name);
            let found = symlink_metadata(&real).map_err(absent).map_err(lost)?;
            if found.is_symlink() {
                #[cfg(unix)]
                unix::judge_owner("its symbolic link", &found)?;
                let target = std::fs::read_link(&real).map_err(absent)?;
                place.clone_from(&real);
                place.pop();
                place.push(target);
                continue;
            }
            if !found.is_file() {
                let what = if found.is_dir() {
                    "a directory"
                } else {
                    "not a regular file"
                };
                return Err(format!("it is {what}"));
            }
            #[cfg(unix)]
            unix::judge("it", &found, false)?;
            return Ok((real, found));
        }
        Err("it is in a loop of symbolic links".to_owned())
    }

    /// The real path of a directory, if it and everything on the way to it are safe.
    fn directory(&mut self, directory: &Path) -> Result<PathBuf, String> {
        if let Some(known) = self.directories.get(directory) {
            return known.clone();
        }
        #[cfg(unix)]
        let real = unix::walk(directory);
        #[cfg(not(unix))]
        let real = std::fs::canonicalize(directory).map_err(absent);
        self.directories.insert(directory.to_owned(), real.clone());
        real
    }
}

const ABSENT: &str = "there is no such file";

fn absent(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => ABSENT.to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::fs::{Metadata, symlink_metadata};
    use std::os::unix::fs::MetadataExt;
    use std::path::{Component, Path, PathBuf};

    use super::{MOST_LINKS, absent};

    const WRITABLE_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;

    /// One component of a path.
    enum Step {
        Root,
        Up,
        Into(OsString),
    }

    /// The remaining components, the next one last.
    fn steps(path: &Path) -> Vec<Step> {
        let step = |component: Component<'_>| match component {
            Component::RootDir | Component::Prefix(_) => Some(Step::Root),
            Component::CurDir => None,
            Component::ParentDir => Some(Step::Up),
            Component::Normal(name) => Some(Step::Into(name.to_owned())),
        };
        let mut steps: Vec<Step> = path.components().filter_map(step).collect();
        steps.reverse();
        steps
    }

    /// Resolves a directory as the system does, link by link, and checks everything on the way.
    pub(super) fn walk(directory: &Path) -> Result<PathBuf, String> {
        let mut rest = steps(directory);
        let (mut real, mut links) = (PathBuf::from("/"), 0);
        while let Some(step) = rest.pop() {
            match step {
                Step::Root => real = PathBuf::from("/"),
                Step::Up => drop(real.pop()),
                Step::Into(name) => {
                    let next = real.join(name);
                    let found = symlink_metadata(&next).map_err(absent)?;
                    if !found.is_symlink() {
                        real = next;
                        continue;
                    }
                    links += 1;
                    if links > MOST_LINKS {
                        return Err("it is in a loop of symbolic links".to_owned());
                    }
                    (real.ancestors()).try_for_each(|above| judge_directory(above, true))?;
                    judge_owner(&format!("the symbolic link {}", next.display()), &found)?;
                    rest.extend(steps(&std::fs::read_link(&next).map_err(absent)?));
                }
            }
        }
        for (height, directory) in real.ancestors().enumerate() {
            judge_directory(directory, height > 0)?;
        }
        Ok(real)
    }

    fn judge_directory(directory: &Path, sticky_will_do: bool) -> Result<(), String> {
        let found = symlink_metadata(directory).map_err(absent)?;
        let name = format!("its directory {}", directory.display());
        judge(&name, &found, sticky_will_do)
    }

    pub(super) fn judge_owner(name: &str, found: &Metadata) -> Result<(), String> {
        judge_owner_for(rustix::process::geteuid().as_raw(), name, found)
    }

    fn judge_owner_for(user: u32, name: &str, found: &Metadata) -> Result<(), String> {
        if found.uid() != user && found.uid() != 0 {
            return Err(format!("{name} belongs to another user ({})", found.uid()));
        }
        Ok(())
    }

    pub(super) fn judge(name: &str, found: &Metadata, sticky_will_do: bool) -> Result<(), String> {
        judge_for(rustix::process::geteuid().as_raw(), name, found, sticky_will_do)
    }

    pub(super) fn judge_for(user: u32, name: &str, found: &Metadata, sticky_will_do: bool) -> Result<(), String> {
        judge_owner_for(user, name, found)?;
        let open = found.mode() & WRITABLE_BY_OTHERS;
        let tolerated = sticky_will_do && found.mode() & STICKY != 0;
        if open != 0 && !tolerated {
            let whom = if open & 0o002 != 0 { "everyone" } else { "its group" };
            return Err(format!("{name} is writable by {whom}"));
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
        assert_eq!(check(&file).unwrap_err(), "it is writable by its group");
        mode(&file, 0o646);
        assert_eq!(check(&file).unwrap_err(), "it is writable by everyone");
        mode(&file, 0o644);

        mode(&inner, 0o777);
        assert!(check(&file).unwrap_err().ends_with("by everyone"));
        // A link to it is refused too.
        assert!(check(&link).is_err());
        // So is a file directly in a sticky directory: others could add files next to it.
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
        assert_eq!(check(&inner.join("b.so")).unwrap_err(), "it is a broken symbolic link");
        assert!(check(&inner.join("c.so")).is_err());
    }

    #[test]
    fn every_link_on_the_way_is_judged_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(folder.path()).unwrap();
        let (inner, open) = (base.join("inner"), base.join("open"));
        for directory in [&inner, &open] {
            fs::create_dir(directory).unwrap();
            mode(directory, 0o755);
        }
        let file = inner.join("a.so");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        // A link to a link to a file, and a link to its directory.
        symlink(&file, open.join("a.so")).unwrap();
        symlink("../open/a.so", inner.join("b.so")).unwrap();
        symlink("../inner", open.join("folder")).unwrap();
        let ways = [open.join("a.so"), inner.join("b.so"), open.join("folder/a.so")];
        for way in &ways {
            assert_eq!(check(way).as_ref(), Ok(&file), "{way:?}");
        }
        mode(&open, 0o777);
        let why = format!("its directory {} is writable by everyone", open.display());
        for way in &ways {
            assert_eq!(check(way).as_ref(), Err(&why), "{way:?}");
        }
        // No file is loaded from a directory to which others can add files. Further up, the sticky bit is enough.
        mode(&open, 0o1777);
        assert_eq!(check(&ways[0]).as_ref(), Err(&why));
        assert_eq!(check(&ways[1]).as_ref(), Err(&why));
        assert_eq!(check(&ways[2]).as_ref(), Ok(&file));
        mode(&open, 0o755);
        symlink("c.so", inner.join("c.so")).unwrap();
        let circle = "it is in a loop of symbolic links";
        assert_eq!(check(&inner.join("c.so")).unwrap_err(), circle);
        symlink("self", open.join("self")).unwrap();
        assert_eq!(check(&open.join("self/a.so")).unwrap_err(), circle);
        // Only root can change the owner of a link.
        if std::os::unix::fs::lchown(&ways[0], Some(12345), None).is_ok() {
            let why = "its symbolic link belongs to another user (12345)";
            assert_eq!(check(&ways[0]).unwrap_err(), why);
        }
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.so");
        fs::write(&file, "").unwrap();
        // Files of root may be used by everyone. Only root can change an owner, so the rest runs as root only.
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
