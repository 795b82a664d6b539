//! Giving a complete file its name, with or without replacing a file that has it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::Existing;

/// Renames a file.
pub(super) fn rename(from: &Path, to: &Path, existing: Existing) -> io::Result<()> {
    match existing {
        Existing::Replaced => std::fs::rename(from, to),
        Existing::Kept => rename_new(from, to),
    }
}

/// Renames a file, unless the new name is taken.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system, or a kernel before 3.15, that cannot do this in one step.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            renamed => return Ok(renamed?),
        }
    }
    // A link does not replace a file either.
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}

/// A file without a name, if the folder's file system has such files and the file can be given a name later.
#[cfg(target_os = "linux")]
pub(super) fn nameless(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    if !Path::new(OPEN_FILES).is_dir() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    // As for any new file, umask removes permissions.
    let mode = Mode::from_raw_mode(0o666);
    open(folder, flags, mode).ok().map(File::from)
}

/// The names of the files that this process has open.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

/// Gives a file without a name this name.
#[cfg(target_os = "linux")]
pub(super) fn name(file: &File, target: &Path, existing: Existing) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    let link = |name: &Path| linkat(CWD, &open, CWD, name, AtFlags::SYMLINK_FOLLOW);
    if existing == Existing::Kept {
        return Ok(link(target)?);
    }
    let mut part = target.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    // `linkat` fails if the name is taken, so the file gets another name first and is renamed.
    link(Path::new(&part))?;
    std::fs::rename(&part, target).inspect_err(|_| drop(std::fs::remove_file(&part)))
}

/// Waits until the file's content is on the disk, so that a name never leads to a file that lost its content when the
/// power failed. Some file systems cannot say when that is.
pub(super) fn settle(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        settled => settled,
    }
}
