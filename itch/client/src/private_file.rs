//! Files that hold secrets: they belong to this user alone, links are not followed, and they are replaced as a whole.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

use itch_api::{Error, ErrorKind, Result};

/// The most bytes that are read. A file of a hundred accounts has less than a tenth of it.
const MOST_BYTES: u64 = 1 << 20;

/// The content of a file; `None` if there is none. A file that is not private is an error that says how to mend it.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_read(path, &error)),
    };
    let found = file.metadata().map_err(|error| cannot_read(path, &error))?;
    check(path, &found)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot_read(path, &error))?;
    Ok(Some(bytes))
}

/// Replaces a file, or makes it. Readers see either the old content or the new one, also after a crash of the machine:
/// the file and its directory are on the disk when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = directory_of(path);
    create_directory(directory)?;
    // A temporary file can be read by its owner only, and keeps these permissions under its new name.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    sync_directory(directory)
}

/// Checks that a file could be replaced: that another one can be made beside it.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    tempfile::NamedTempFile::new_in(directory_of(path)).map(drop)
}

/// Makes a directory that only this user may enter, with its parents.
pub(crate) fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// Opens a file that is only locked, and makes it if there is none. It is never renamed or removed: two processes that
/// open it always lock the same one.
pub(crate) fn open_lock(path: &Path) -> Result<File> {
    let failed = |error: &io::Error| {
        let message = format!("the lock file `{}` cannot be opened", path.display());
        Error::new(ErrorKind::Failed, message).source_chain(error)
    };
    create_directory(directory_of(path)).map_err(|error| failed(&error))?;
    let file = open_or_create(path).map_err(|error| failed(&error))?;
    let found = file.metadata().map_err(|error| failed(&error))?;
    check(path, &found)?;
    Ok(file)
}

/// The directory of a file.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    let failed = Error::new(ErrorKind::Failed, format!("`{}` cannot be read", path.display()));
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => failed.cause("it is a symbolic link, which itch does not follow here"),
        _ => failed.source_chain(error),
    }
}

/// Refuses a file that is not a regular file of this user alone.
fn check(path: &Path, found: &Metadata) -> Result<()> {
    let path = path.display();
    let refused = Error::new(ErrorKind::SignIn, format!("`{path}` is not a private file"));
    if !found.is_file() {
        return Err(refused.cause("it is not a regular file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused
                .cause("it belongs to another user")
                .hint(format!("mv '{path}' '{path}.foreign'")));
        }
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(refused
                .cause(format!("other users can open it (its mode is {mode:04o}, not 0600)"))
                .hint(format!("chmod 600 '{path}'")));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty()).map(File::from)?)
}

#[cfg(unix)]
fn open_or_create(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map(File::from)?)
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn open_or_create(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_privately() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b.json");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_others_can_read_or_redirect_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.json");
        replace(&path, b"one").unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(error.hint.unwrap(), format!("chmod 600 '{}'", path.display()));
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let link = directory.path().join("link.json");
        symlink(&path, &link).unwrap();
        assert!(format!("{:#}", read(&link).unwrap_err()).contains("symbolic link"));
        assert!(open_lock(&link).is_err());
        assert!(read(directory.path()).is_err());
        open_lock(&directory.path().join("new.lock")).unwrap();
    }
}
