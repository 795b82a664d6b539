//! The files in the cache directory: the path of a key's value, and walking all of them.
//!
//! Symbolic links inside the directory are never followed, since reading or removing through one would affect files
//! outside the cache.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use itch_plugin::prelude::*;

use super::directory::{failed, private_directories};

/// The prefix of temporary names.
const TEMPORARY: &str = ".put-";
/// The writer of a temporary file that is older than this was killed.
const LEFT_OVER: Duration = Duration::from_secs(60 * 60);
/// The number of hexadecimal digits in a key.
const KEY_DIGITS: usize = 64;
/// The file's name in the old layout.
const OLD_NAME: &str = "v";

/// A valid key, which is always a path below the directory.
#[derive(Clone, Copy)]
pub(super) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    pub(super) fn new(key: &'a str) -> Result<Key<'a>> {
        if key.len() == KEY_DIGITS && is_hexadecimal(key) {
            return Ok(Key(key));
        }
        let start: String = key.chars().take(80).collect();
        let start = start.escape_debug();
        Err(failed(format!("`{start}` is not a cache key: it must have 64 lower-case hexadecimal digits")))
    }

    fn pairs(self, n: usize) -> impl Iterator<Item = &'a str> {
        (0..n).map(move |pair| &self.0[2 * pair..2 * pair + 2])
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// How a key becomes a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layout {
    /// Two folders: `ab/cd/rest`.
    New,
    /// The layout of the itch of 2016, one folder for each two digits: `ab/cd/ef/…/v`. Only read.
    Old,
}

impl Layout {
    /// The new layout first, since its values are newer.
    pub(super) const ALL: [Layout; 2] = [Layout::New, Layout::Old];

    fn folders(self) -> usize {
        match self {
            Layout::New => 2,
            Layout::Old => KEY_DIGITS / 2,
        }
    }

    fn name<'a>(self, key: Key<'a>) -> &'a str {
        match self {
            Layout::New => &key.0[4..],
            Layout::Old => OLD_NAME,
        }
    }
}

/// A value found by a walk.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) modified: Option<SystemTime>,
}

/// The files in a directory.
#[derive(Clone)]
pub(super) struct Entries {
    directory: PathBuf,
}

impl Entries {
    pub(super) fn new(directory: &Path) -> Entries {
        Entries {
            directory: directory.to_owned(),
        }
    }

    /// The value of a key, and when it was written.
    pub(super) fn read(&self, key: Key<'_>, layout: Layout) -> io::Result<Option<(Vec<u8>, Option<SystemTime>)>> {
        let Some((path, metadata)) = self.find(key, layout)? else {
            return Ok(None);
        };
        // Opening a pipe would block, and symbolic links are not followed.
        if !metadata.is_file() {
            return Ok(None);
        }
        let Some(mut file) = unless_gone(File::open(path))? else {
            return Ok(None);
        };
        // Check the opened file, since another one may have its name by now.
        let modified = file.metadata()?.modified().ok();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some((bytes, modified)))
    }

    /// Writes a value atomically, replacing any other. The error `NotFound` means that a folder of its path was removed
    /// in the meantime.
    pub(super) fn write(&self, key: Key<'_>, value: &[u8]) -> io::Result<()> {
        let mut path = self.directory.clone();
        for pair in key.pairs(Layout::New.folders()) {
            path.push(pair);
            make_folder(&path)?;
        }
        // The file is readable by its owner only, and is removed on drop unless it is persisted.
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&path)?;
        file.write_all(value)?;
        path.push(Layout::New.name(key));
        file.persist(path)?;
        Ok(())
    }

    /// Removes a value, if it exists, and the folders that are empty after it.
    pub(super) fn remove(&self, key: Key<'_>, layout: Layout) -> io::Result<()> {
        let path = match self.find(key, layout)? {
            Some((path, metadata)) if !metadata.is_dir() => path,
            _ => return Ok(()),
        };
        unless_gone(fs::remove_file(&path))?;
        for folder in path.ancestors().skip(1).take(layout.folders()) {
            // A folder that is not empty stays. It may also have been removed by another process.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Finds the file at a key's path, checking each folder on the way.
    fn find(&self, key: Key<'_>, layout: Layout) -> io::Result<Option<(PathBuf, Metadata)>> {
        let mut path = self.directory.clone();
        for pair in key.pairs(layout.folders()) {
            path.push(pair);
            match unless_gone(fs::symlink_metadata(&path))? {
                Some(metadata) if metadata.is_dir() => {}
                _ => return Ok(None),
            }
        }
        path.push(layout.name(key));
        let metadata = unless_gone(fs::symlink_metadata(&path))?;
        Ok(metadata.map(|metadata| (path, metadata)))
    }

    /// Visits every value until the visitor stops, and removes the temporary files of killed writers.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        self.walk_folder(&self.directory, &mut String::new(), KEY_DIGITS, visit)
            .map(drop)
    }

    /// The same for values of the new layout only, without walking the deep folders of the old one.
    pub(super) fn walk_new(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        let digits = 2 * Layout::New.folders();
        self.walk_folder(&self.directory, &mut String::new(), digits, visit)
            .map(drop)
    }

    /// Walks one folder; `digits` are the digits of the folders above, `deepest` is the maximum number of digits.
    fn walk_folder(
        &self,
        folder: &Path,
        digits: &mut String,
        deepest: usize,
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let Some(items) = unless_gone(fs::read_dir(folder))? else {
            return Ok(ControlFlow::Continue(()));
        };
        for item in items {
            let item = item?;
            let name = item.file_name();
            // The names of the cache are always UTF-8.
            let (Some(name), Some(kind)) = (name.to_str(), unless_gone(item.file_type())?) else {
                continue;
            };
            let flow = if kind.is_dir() && name.len() == 2 && is_hexadecimal(name) {
                if digits.len() == deepest {
                    continue;
                }
                digits.push_str(name);
                let flow = self.walk_folder(&item.path(), digits, deepest, visit)?;
                digits.truncate(digits.len() - 2);
                flow
            } else if kind.is_file() {
                let Some(metadata) = unless_gone(item.metadata())? else {
                    continue;
                };
                match self.entry(digits, name, &metadata) {
                    Some(entry) => visit(entry),
                    None => {
                        remove_if_left_over(&item.path(), name, &metadata);
                        continue;
                    }
                }
            } else {
                continue;
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The value in a file, if it is a value.
    fn entry(&self, digits: &str, name: &str, metadata: &Metadata) -> Option<Entry> {
        let (key, layout) = match digits.len() {
            KEY_DIGITS if name == OLD_NAME => (digits.to_owned(), Layout::Old),
            4 if is_hexadecimal(name) => (format!("{digits}{name}"), Layout::New),
            _ => return None,
        };
        let valid = Key::new(&key).ok()?;
        // A key has one value: the old file is ignored if there is a new one.
        if layout == Layout::Old && self.find(valid, Layout::New).is_ok_and(|new| new.is_some()) {
            return None;
        }
        Some(Entry {
            key,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// Creates a folder, if it does not exist. If it exists, it must be a folder and not a link to one.
fn make_folder(path: &Path) -> io::Result<()> {
    match private_directories().create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    match fs::symlink_metadata(path)?.is_dir() {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("{} is not a folder, or a link to one", path.display()),
        )),
    }
}

/// Removes the temporary file of a killed writer. If that fails, the next walk tries again.
fn remove_if_left_over(path: &Path, name: &str, metadata: &Metadata) {
    let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
    if name.starts_with(TEMPORARY) && age.is_some_and(|age| age > LEFT_OVER) {
        let _ = fs::remove_file(path);
    }
}

/// A file that another process removed or replaced in the meantime counts as missing, which is not an error.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}
