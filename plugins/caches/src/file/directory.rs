//! Where the cache directory is, and whether it is safe to use.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use itch_plugin::CacheLog;
use itch_plugin::prelude::*;

/// The cache directory.
pub(super) struct Directory {
    directory: PathBuf,
    /// Whether the user chose the directory, and so knows who else can write to it.
    chosen: bool,
    log: CacheLog,
    /// The user has been warned that others can write to the directory.
    warned: AtomicBool,
}

impl Directory {
    /// The directory from the environment variables. It is neither created nor checked yet.
    pub(super) fn of(settings: &CacheSettings) -> Result<Directory> {
        let chosen = settings.variable("TWITCH_CACHE_TEMP").map(PathBuf::from);
        let of_user = || {
            let caches = settings.variable("XDG_CACHE_HOME").map(PathBuf::from);
            // A relative path in this variable is ignored (specifications.freedesktop.org/basedir).
            let caches = caches.filter(|path| path.is_absolute());
            let home = || {
                settings
                    .variable("HOME")
                    .map(Path::new)
                    .filter(|home| home.is_absolute())
            };
            let home = || Some(home()?.join(".cache"));
            Some(caches.or_else(home)?.join("itch").join("responses"))
        };
        let is_chosen = chosen.is_some();
        let directory = chosen.or_else(of_user).ok_or_else(|| {
            let none = "none of TWITCH_CACHE_TEMP, XDG_CACHE_HOME and HOME names one";
            failed(format!("there is no directory for the cache: {none}")).hint("set TWITCH_CACHE_TEMP to a directory")
        })?;
        // The path must not depend on the working directory.
        let absolute = std::path::absolute(&directory)
            .map_err(|error| failed("the cache directory's path cannot be made absolute").source_chain(&error))?;
        Ok(Directory {
            directory: absolute,
            chosen: is_chosen,
            log: settings.log.clone(),
            warned: AtomicBool::new(false),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether the directory exists; an error if it must not be used.
    ///
    /// This is checked before each operation. It costs one system call, and detects a directory that another user
    /// creates while itch runs.
    pub(super) fn check(&self) -> Result<bool> {
        match fs::metadata(&self.directory) {
            Ok(metadata) if !metadata.is_dir() => Err(self.refused("is not a directory")),
            Ok(metadata) => {
                self.check_owner(&metadata)?;
                if others_can_write(&metadata) && !self.warned.swap(true, Ordering::Relaxed) {
                    self.log
                        .warning("other users can write to this cache directory, and so change what is read from it");
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.cannot("read")(error)),
        }
    }

    /// Creates the directory, if it does not exist, with access for its owner only.
    pub(super) fn prepare(&self) -> Result<()> {
        if self.check()? {
            return Ok(());
        }
        let made = private_directories().recursive(true).create(&self.directory);
        made.map_err(self.cannot("made"))?;
        self.check().map(drop)
    }

    /// Checks the owner and the mode: other users who can write to the directory could change what itch prints.
    #[cfg(unix)]
    fn check_owner(&self, metadata: &Metadata) -> Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};

        let foreign = metadata.uid() != rustix::process::geteuid().as_raw();
        let open_to_all = metadata.permissions().mode() & 0o002 != 0;
        match (self.chosen, foreign, open_to_all) {
            (false, true, _) => Err(self.refused("belongs to another user")),
            (false, false, true) => Err(self.refused("is writable by everyone")),
            (true, true, true) => Err(self.refused("belongs to another user and is writable by everyone")),
            _ => Ok(()),
        }
    }

    #[cfg(not(unix))]
    fn check_owner(&self, _: &Metadata) -> Result<()> {
        Ok(())
    }

    fn refused(&self, why: &str) -> Error {
        failed(format!("the cache directory {} {why}", self.directory.display()))
            .hint("set TWITCH_CACHE_TEMP to a directory of your own")
    }

    /// Creates errors like `the cache directory … cannot be written`.
    pub(super) fn cannot(&self, what: &str) -> impl Fn(io::Error) -> Error + '_ {
        let message = format!("the cache directory {} cannot be {what}", self.directory.display());
        move |error| match error.kind() {
            // The nearest path that exists is what is in the way.
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                let obstacle = self.directory.ancestors().find(|part| part.exists());
                let obstacle = obstacle.unwrap_or(&self.directory).display();
                failed(message.as_str()).cause(format!("{obstacle} is not a directory"))
            }
            _ => failed(message.as_str()).source_chain(&error),
        }
    }
}

/// Whether other users than this one and root can write to the directory: as its owner, as a member of a group that is
/// not this user's own, or as anybody.
#[cfg(unix)]
fn others_can_write(metadata: &Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let mode = metadata.permissions().mode();
    let owner = metadata.uid();
    let of_another = owner != rustix::process::geteuid().as_raw() && owner != 0;
    let of_a_group = mode & 0o020 != 0 && metadata.gid() != rustix::process::getegid().as_raw();
    of_another || of_a_group || mode & 0o002 != 0
}

#[cfg(not(unix))]
fn others_can_write(_: &Metadata) -> bool {
    false
}

/// Creates directories with access for their owner only.
pub(super) fn private_directories() -> DirBuilder {
    #[allow(unused_mut, reason = "only Unix has modes")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

pub(super) fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Failed, message)
}
