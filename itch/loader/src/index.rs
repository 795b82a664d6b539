//! The index of inspected files: a JSON file in the cache directory, which may be deleted at any time.

use std::collections::BTreeMap;
use std::path::Path;

use itch_plugin::abi::{ABI_MAJOR, ABI_MINOR};
use serde::{Deserialize, Serialize};

use crate::FileIdentity;
use crate::probe::Inspected;

/// The whole index. An index of another version of itch or of the plugin ABI is ignored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    itch: String,
    abi: (u16, u16),
    files: BTreeMap<String, Inspected>,
}

impl Index {
    fn empty() -> Index {
        Index {
            itch: env!("CARGO_PKG_VERSION").to_owned(),
            abi: (ABI_MAJOR, ABI_MINOR),
            files: BTreeMap::new(),
        }
    }

    /// Reads the index. If it is missing, invalid or of another version, an empty one is returned.
    pub(crate) fn read(path: Option<&Path>) -> Index {
        let empty = Index::empty();
        let read = path
            .and_then(|path| std::fs::read(path).ok())
            .and_then(|text| serde_json::from_slice::<Index>(&text).ok());
        read.filter(|read| read.itch == empty.itch && read.abi == empty.abi)
            .unwrap_or(empty)
    }

    pub(crate) fn get(&self, real: &Path) -> Option<&Inspected> {
        self.files.get(&*real.to_string_lossy())
    }

    pub(crate) fn put(&mut self, real: &Path, mut inspected: Inspected) {
        // A file that was just added was inspected under its temporary name.
        let now = std::fs::metadata(real).ok();
        if let Some(now) = now.map(|metadata| FileIdentity::of(&metadata))
            && inspected.identity.moved_to(&now)
        {
            inspected.identity = now;
        }
        self.files.insert(real.to_string_lossy().into_owned(), inspected);
    }

    /// Removes a file from the index, so that it is inspected again.
    pub(crate) fn forget(path: Option<&Path>, real: &Path) {
        let mut index = Index::read(path);
        if index.files.remove(&*real.to_string_lossy()).is_some() {
            index.write(path);
        }
    }

    /// Writes the index, without files that no longer exist. Errors are ignored: without an index, files are only
    /// inspected again.
    pub(crate) fn write(&mut self, path: Option<&Path>) {
        self.files.retain(|file, _| Path::new(file).exists());
        if let (Some(path), Ok(text)) = (path, serde_json::to_vec(self)) {
            let _ = crate::write_whole(path, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_index_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/index.json");
        assert!(Index::read(Some(&path)).files.is_empty());
        let mut index = Index::empty();
        index.write(Some(&path));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"files\":{}"));
        for broken in ["", "{", "[]", &text.replace("\"abi\":[1", "\"abi\":[9")] {
            std::fs::write(&path, broken).unwrap();
            assert!(Index::read(Some(&path)).files.is_empty());
        }
    }
}
