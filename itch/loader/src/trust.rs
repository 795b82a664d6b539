//! The lock file: the hashes of files that were used or trusted, and which files are disabled.

use std::collections::BTreeMap;
use std::path::Path;

use itch_api::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::access::{UnitAccess, all_asked};
use crate::library::Description;

/// The version of the file format.
const VERSION: u32 = 1;

/// The whole lock file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TrustRecord {
    /// The version of the file format.
    v: u32,
    plugins: BTreeMap<String, Entry>,
}

/// The entry of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) plugin: String,
    pub(crate) sha256: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disabled: bool,
    /// What the user has allowed to its units, as long as the file has this hash.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) allowed: BTreeMap<String, UnitAccess>,
}

impl TrustRecord {
    /// Reads the lock file. A file that cannot be read is an error, so that it is not overwritten.
    pub(crate) fn read(path: Option<&Path>) -> Result<TrustRecord> {
        let Some(path) = path else {
            return Ok(TrustRecord::default());
        };
        let broken = || {
            let path = path.display();
            let message = format!("the lock file `{path}` cannot be read");
            Error::new(ErrorKind::Failed, message).hint(format!("mv {path} {path}.broken"))
        };
        match std::fs::read(path) {
            Ok(text) => {
                let lock: TrustRecord = serde_json::from_slice(&text).map_err(|error| broken().source_chain(&error))?;
                match lock.v {
                    VERSION => Ok(lock),
                    _ => Err(broken().cause("it was written by another version of itch")),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(TrustRecord::default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                // The nearest path that exists is what is in the way.
                let obstacle = path.ancestors().find(|part| part.exists()).unwrap_or(path).display();
                let message = format!("the lock file `{}` cannot be read", path.display());
                Err(Error::new(ErrorKind::Failed, message)
                    .cause(format!("`{obstacle}` is not a directory"))
                    .hint(format!("mv {obstacle} {obstacle}.old")))
            }
            Err(error) => Err(broken().source_chain(&error)),
        }
    }

    pub(crate) fn get(&self, real: &Path) -> Option<&Entry> {
        self.plugins.get(&*real.to_string_lossy())
    }

    fn change(path: Option<&Path>, real: &Path, change: impl FnOnce(&mut Option<Entry>)) -> Result<()> {
        let Some(path) = path else {
            return Ok(());
        };
        let failed = |error: std::io::Error| {
            let message = format!("the lock file `{}` cannot be written", path.display());
            Error::new(ErrorKind::Failed, message).source_chain(&error)
        };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        // Two processes that write at once must not lose each other's entries. The lock is released with this handle.
        let directory = path.parent().and_then(|path| std::fs::File::open(path).ok());
        if let Some(directory) = &directory {
            let _ = directory.lock();
        }
        let mut lock = TrustRecord::read(Some(path))?;
        lock.v = VERSION;
        let key = real.to_string_lossy().into_owned();
        let mut entry = lock.plugins.remove(&key);
        change(&mut entry);
        if let Some(entry) = entry {
            lock.plugins.insert(key, entry);
        }
        let mut text = serde_json::to_vec_pretty(&lock).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        crate::write_whole(path, &text).map_err(failed)
    }

    /// Records a file's hash.
    pub(crate) fn record(path: Option<&Path>, real: &Path, plugin: &str, sha256: &str) -> Result<()> {
        TrustRecord::change(path, real, |entry| {
            let entry = entry.get_or_insert_default();
            plugin.clone_into(&mut entry.plugin);
            if entry.sha256 != sha256 {
                entry.allowed.clear();
            }
            sha256.clone_into(&mut entry.sha256);
        })
    }

    /// Records a file's hash, and that its units may have what they ask for.
    pub(crate) fn allow(path: Option<&Path>, real: &Path, plugin: &Description, sha256: &str) -> Result<()> {
        TrustRecord::record(path, real, &plugin.name, sha256)?;
        TrustRecord::change(path, real, |entry| {
            if let Some(entry) = entry.as_mut().filter(|entry| entry.sha256 == sha256) {
                entry.allowed = all_asked(plugin);
            }
        })
    }

    /// Removes a file's entry.
    pub(crate) fn forget(path: Option<&Path>, real: &Path) -> Result<()> {
        TrustRecord::change(path, real, |entry| *entry = None)
    }
}

/// Trusts a file with this hash.
pub fn trust(settings: &Settings, real: &Path, plugin: &str, sha256: &str) -> Result<()> {
    TrustRecord::record(settings.trust_file.as_deref(), real, plugin, sha256)
}

/// Trusts a file with this hash, and allows its units the files and the network that they ask for.
pub fn allow(settings: &Settings, real: &Path, plugin: &Description, sha256: &str) -> Result<()> {
    TrustRecord::allow(settings.trust_file.as_deref(), real, plugin, sha256)
}

/// Enables or disables a file. A disabled file is neither opened nor run.
pub fn enable(settings: &Settings, real: &Path, plugin: &str, enabled: bool) -> Result<()> {
    TrustRecord::change(settings.trust_file.as_deref(), real, |entry| {
        let kept = entry.get_or_insert_default();
        plugin.clone_into(&mut kept.plugin);
        kept.disabled = !enabled;
        if enabled && kept.sha256.is_empty() {
            *entry = None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_there_and_what_is_broken_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("itch/plugins.lock");
        let (lock, file) = (Some(path.as_path()), Path::new("/a.so"));
        TrustRecord::record(lock, file, "a", "1234").unwrap();
        TrustRecord::record(lock, Path::new("/b.so"), "b", "5678").unwrap();
        assert_eq!(TrustRecord::read(lock).unwrap().get(file).unwrap().sha256, "1234");
        TrustRecord::forget(lock, file).unwrap();
        assert!(TrustRecord::read(lock).unwrap().get(file).is_none());
        assert!(TrustRecord::read(lock).unwrap().get(Path::new("/b.so")).is_some());
        std::fs::write(&path, "{ not json").unwrap();
        assert!(TrustRecord::read(lock).is_err());
        assert!(TrustRecord::record(lock, file, "a", "1234").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ not json");
    }
}
