//! What stands at a path: the user's directories, and what is in the way where a file or a directory should be.

use std::fmt;
use std::fs::FileType;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

const DEVICE: &str = "a device";

/// The directory of `config.toml`; `None` if the user has no directories.
pub(crate) fn config_directory() -> Option<PathBuf> {
    own("XDG_CONFIG_HOME", |base| base.config_dir())
}

/// The directory of plugins, and of facts about tokens; `None` if the user has no directories.
pub(crate) fn data_directory() -> Option<PathBuf> {
    own("XDG_DATA_HOME", |base| base.data_dir())
}

/// The directory of what can be made again; `None` if the user has no directories.
pub(crate) fn cache_directory() -> Option<PathBuf> {
    own("XDG_CACHE_HOME", |base| base.cache_dir())
}

/// The directory of the rate limits that the user's processes share: below the one for what lives as long as the session,
/// if the system made one for this user; `None` if the user has no directories.
pub(crate) fn limits_directory() -> Option<PathBuf> {
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let session = session.filter(|directory| directory.is_absolute() && belongs_to_user(directory));
    let itch = session
        .map(|directory| directory.join("itch"))
        .or_else(cache_directory)?;
    Some(itch.join("limits"))
}

/// Whether a directory exists and is this user's: `sudo` and `su` can leave the variable of another user.
fn belongs_to_user(directory: &Path) -> bool {
    let Ok(found) = directory.metadata() else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return false;
        }
    }
    found.is_dir()
}

/// itch's directory in one of the user's. A user without a home has none: `HOME` is not set, relative, or no directory
/// (services and containers often have `/dev/null` or `/nonexistent` there). `/dev/null` in the variable says the same.
fn own(variable: &str, directory: impl Fn(&etcetera::base_strategy::Xdg) -> PathBuf) -> Option<PathBuf> {
    let base = etcetera::base_strategy::Xdg::new().ok()?;
    let directory = directory(&base);
    let named = std::env::var_os(variable).is_some_and(|value| Path::new(&value) == directory);
    let usable = match not_a_directory(&directory) {
        // Something below the home is an error, which names it.
        Some(obstacle) => !obstacle.is_device() && (named || !base.home_dir().starts_with(&obstacle.path)),
        None => directory.is_absolute(),
    };
    usable.then(|| directory.join("itch"))
}

/// Something in the place of a directory.
#[derive(Debug)]
pub(crate) struct Obstacle {
    path: PathBuf,
    kind: FileType,
}

impl Obstacle {
    fn new(path: &Path, kind: FileType) -> Obstacle {
        Obstacle {
            path: path.to_owned(),
            kind,
        }
    }

    /// Whether it is a device, such as `/dev/null`.
    fn is_device(&self) -> bool {
        kind_name(self.kind) == DEVICE
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, not a directory", self.path.display(), kind_name(self.kind))
    }
}

/// What keeps a path from being a directory, or from being made one: it, or a part of it, is something else. Links are
/// followed.
pub(crate) fn not_a_directory(directory: &Path) -> Option<Obstacle> {
    let mut parts: Vec<&Path> = directory.ancestors().collect();
    parts.reverse();
    for part in parts {
        if part.as_os_str().is_empty() {
            continue;
        }
        match part.metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(found) => return Some(Obstacle::new(part, found.file_type())),
            Err(_) => {
                // A link that has no target; whatever is missing can be made.
                let link = part.symlink_metadata().ok().filter(|found| found.is_symlink());
                return link.map(|found| Obstacle::new(part, found.file_type()));
            }
        }
    }
    None
}

/// What a kind of file is called in messages.
pub(crate) fn kind_name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return DEVICE;
        }
    }
    if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a file"
    }
}
