//! Shared rate limits in files: one for each owner, in a directory of this user only.
//!
//! A file is locked (flock(2)) only while it is read and written, never while a request or a wait lasts. The files are
//! hints that are right for a minute: they are not synced, and nothing that stands in them is trusted.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::limit_store::{Exchange, LimitStore, Reply, StoreFault, now};
use crate::shared_bucket::SharedBucket;

/// How long a lock is waited for. It is held for microseconds, unless its holder is stopped or gets no processor time.
const LONGEST_LOCK: Duration = Duration::from_millis(100);

/// A larger file is not one of ours.
const MOST_BYTES: u64 = 256 << 10;

/// Rate limits in the files of a directory.
#[derive(Debug)]
pub(crate) struct LimitFiles {
    directory: PathBuf,
}

impl LimitFiles {
    /// The directory is made when it is first used.
    pub fn new(directory: PathBuf) -> LimitFiles {
        LimitFiles { directory }
    }
}

impl LimitStore for LimitFiles {
    fn exchange(&self, owner: &str, exchange: &Exchange) -> Result<Reply, StoreFault> {
        let path = self.directory.join(owner);
        let mut file = open(&self.directory, owner).map_err(StoreFault::Unusable)?;
        wait_for_lock(&file, &path)?;
        let unusable = |error: io::Error| StoreFault::Unusable(format!("`{}`: {error}", path.display()));
        let mut bytes = Vec::new();
        (&file).take(MOST_BYTES).read_to_end(&mut bytes).map_err(unusable)?;
        let mut bucket = SharedBucket::read(&bytes);
        // The time after the lock was waited for: so it is in the order of the exchanges.
        let now = now();
        if now == 0 {
            // Time would stand still.
            return Err(StoreFault::Unusable("the clock of this machine is before 1970".to_owned()));
        }
        let reply = bucket.exchange(exchange, now);
        let bytes = bucket.written();
        file.rewind().map_err(unusable)?;
        file.write_all(&bytes).map_err(unusable)?;
        // A process that is killed here leaves content that cannot be parsed, which is as good as none.
        file.set_len(bytes.len() as u64).map_err(unusable)?;
        Ok(reply)
    }
}

/// Locks a file until it is closed.
fn wait_for_lock(file: &File, path: &Path) -> Result<(), StoreFault> {
    let end = Instant::now() + LONGEST_LOCK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::WouldBlock) => return Err(StoreFault::Busy),
            // Such as on some network file systems.
            Err(TryLockError::Error(error)) => {
                return Err(StoreFault::Unusable(format!("`{}` cannot be locked: {error}", path.display())));
            }
        }
    }
}

/// Opens or makes a file. Neither it nor its directory may be a link, or open to other users; or why not.
#[cfg(unix)]
fn open(directory: &Path, name: &str) -> Result<File, String> {
    use rustix::fs::{Mode, OFlags, open, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open_directory = || open(directory, flags, Mode::empty()).map_err(io::Error::from);
    let opened = match open_directory() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(directory).and_then(|()| open_directory()),
        opened => opened,
    };
    let opened = File::from(opened.map_err(|error| refused(directory, true, &error))?);
    check(directory, &opened, true)?;
    let path = directory.join(name);
    // A named pipe in its place is not waited for.
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(&opened, name, flags, Mode::from_raw_mode(0o600)).map(File::from);
    let file = file.map_err(|error| refused(&path, false, &error.into()))?;
    check(&path, &file, false)?;
    Ok(file)
}

#[cfg(unix)]
fn make(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Whether what was opened is of the right kind and belongs to this user alone; or why not.
#[cfg(unix)]
fn check(path: &Path, file: &File, is_directory: bool) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let found = file
        .metadata()
        .map_err(|error| format!("`{}`: {error}", path.display()))?;
    let why = if let Some(kind) = wrong_kind(&found, is_directory) {
        kind.to_owned()
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        format!("belongs to another user ({})", found.uid())
    } else if found.mode() & 0o077 != 0 {
        let mode = if is_directory { "700" } else { "600" };
        format!("is open to other users; `chmod {mode} {}` closes it", path.display())
    } else if !is_directory && found.nlink() > 1 {
        "has another name, too (a hard link)".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("`{}` {why}", path.display()))
}

#[cfg(unix)]
fn wrong_kind(found: &Metadata, is_directory: bool) -> Option<&'static str> {
    if found.is_symlink() {
        Some("is a symbolic link")
    } else if is_directory && !found.is_dir() {
        Some("is not a directory")
    } else if !is_directory && !found.is_file() {
        Some("is not a regular file")
    } else {
        None
    }
}

/// Why something could not be opened: because of what is there, if that is of the wrong kind.
#[cfg(unix)]
fn refused(path: &Path, is_directory: bool, error: &io::Error) -> String {
    let found = path.symlink_metadata().ok();
    match found.and_then(|found| wrong_kind(&found, is_directory)) {
        Some(kind) => format!("`{}` {kind}", path.display()),
        None => format!("`{}`: {error}", path.display()),
    }
}

#[cfg(not(unix))]
fn open(directory: &Path, name: &str) -> Result<File, String> {
    let path = directory.join(name);
    std::fs::create_dir_all(directory)
        .and_then(|()| {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false).open(&path)
        })
        .map_err(|error| format!("`{}`: {error}", path.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::limit_store::{LEASE, SharedReading};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const OWNER: &str = "0123456789abcdef";

    fn wants(process: u64, wanted: u32) -> Exchange {
        Exchange {
            process,
            wanted,
            ..Exchange::default()
        }
    }

    fn read_now(limit: f64, remaining: f64) -> Exchange {
        Exchange {
            process: 1,
            reading: Some(SharedReading {
                limit,
                remaining,
                full_in: Duration::from_secs(60),
                sent: now(),
                read: now(),
                spent: 0,
            }),
            ..Exchange::default()
        }
    }

    fn mode(path: &Path, mode: u32) {
        assert!(fs::set_permissions(path, fs::Permissions::from_mode(mode)).is_ok());
    }

    #[test]
    fn two_processes_use_one_file_that_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("itch/limits");
        let (one, other) = (LimitFiles::new(directory.clone()), LimitFiles::new(directory.clone()));
        assert_eq!(one.exchange(OWNER, &wants(1, 5)).unwrap().granted, 5);
        let path = directory.join(OWNER);
        for (path, expected) in [(&directory, 0o700), (&path, 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, expected);
        }
        one.exchange(OWNER, &read_now(800.0, 2.0)).unwrap();
        // The first has left: both points are free.
        let reply = other.exchange(OWNER, &wants(2, 5)).unwrap();
        assert!(reply.granted == 2 && reply.is_known, "{reply:?}");
        let reply = one.exchange(OWNER, &wants(1, 5)).unwrap();
        assert!(reply.granted == 0 && reply.wait.unwrap() < Duration::from_millis(100), "{reply:?}");
        // Another owner has another limit.
        assert_eq!(one.exchange("other", &wants(1, 5)).unwrap().granted, 5);
    }

    #[test]
    fn what_is_damaged_or_planted_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let files = LimitFiles::new(folder.path().to_owned());
        mode(folder.path(), 0o700);
        let path = folder.path().join(OWNER);
        files.exchange(OWNER, &read_now(800.0, 700.0)).unwrap();
        let good = fs::read(&path).unwrap();
        let large = vec![b'1'; 300 << 10];
        for content in [&b""[..], b"{", b"\0\0\0\0", b"[1,2]", &good[..good.len() / 2], &large] {
            fs::write(&path, content).unwrap();
            let reply = files.exchange(OWNER, &wants(1, 5)).unwrap();
            assert!(reply.granted == 5 && !reply.is_known, "{reply:?}");
            assert!(SharedBucket::read(&fs::read(&path).unwrap()) != SharedBucket::default());
        }
    }

    #[test]
    fn what_is_not_this_users_alone_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("limits");
        let files = LimitFiles::new(directory.clone());
        let path = directory.join(OWNER);
        let refusal = || match files.exchange(OWNER, &wants(1, 1)) {
            Err(StoreFault::Unusable(why)) => why,
            outcome => panic!("{outcome:?}"),
        };
        files.exchange(OWNER, &wants(1, 1)).unwrap();
        mode(&path, 0o604);
        assert_eq!(refusal(), format!("`{0}` is open to other users; `chmod 600 {0}` closes it", path.display()));
        mode(&path, 0o600);
        mode(&directory, 0o770);
        assert_eq!(refusal(), format!("`{0}` is open to other users; `chmod 700 {0}` closes it", directory.display()));
        mode(&directory, 0o700);
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert!(refusal().ends_with("(a hard link)"));
        fs::remove_file(&path).unwrap();
        symlink(folder.path().join("other"), &path).unwrap();
        assert_eq!(refusal(), format!("`{}` is a symbolic link", path.display()));
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(refusal(), format!("`{}` is not a regular file", path.display()));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(refusal(), format!("`{}` is not a regular file", path.display()));
        fs::remove_dir(&path).unwrap();
        // Only root can give a file away.
        fs::write(&path, "").unwrap();
        mode(&path, 0o600);
        if std::os::unix::fs::chown(&path, Some(12345), None).is_ok() {
            assert_eq!(refusal(), format!("`{}` belongs to another user (12345)", path.display()));
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::chown(&directory, Some(12345), None).unwrap();
            assert_eq!(refusal(), format!("`{}` belongs to another user (12345)", directory.display()));
        }
        fs::rename(&directory, folder.path().join("real")).unwrap();
        symlink(folder.path().join("real"), &directory).unwrap();
        assert_eq!(refusal(), format!("`{}` is a symbolic link", directory.display()));
        fs::remove_file(&directory).unwrap();
        fs::write(&directory, "").unwrap();
        assert_eq!(refusal(), format!("`{}` is not a directory", directory.display()));
        let below = LimitFiles::new(directory.join("below"));
        assert!(matches!(below.exchange(OWNER, &wants(1, 1)), Err(StoreFault::Unusable(_))));
    }

    #[test]
    fn a_lock_that_is_held_is_not_waited_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let files = LimitFiles::new(folder.path().join("limits"));
        files.exchange(OWNER, &wants(1, 1)).unwrap();
        let holder = File::open(folder.path().join("limits").join(OWNER)).unwrap();
        holder.lock().unwrap();
        let started = Instant::now();
        assert_eq!(files.exchange(OWNER, &wants(1, 1)), Err(StoreFault::Busy));
        assert!(started.elapsed() < LEASE / 2);
        drop(holder);
        assert!(files.exchange(OWNER, &wants(1, 1)).is_ok());
    }
}
