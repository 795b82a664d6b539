//! The files in the cache directory: where a key's value is, and walking all of them.
//!
//! No symbolic link inside the directory is ever followed: behind one, reading would give away and removing would
//! destroy files that are not the cache's.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use itch_plugin::prelude::*;

use super::directory::{failed, private_directories};

/// What temporary names begin with.
const TEMPORARY: &str = ".put-";
/// No writer takes so long: the one of an older temporary file was killed.
const LEFT_OVER: Duration = Duration::from_secs(60 * 60);
/// Hexadecimal digits of a key.
const KEY_DIGITS: usize = 64;
/// The file's name in the old layout.
const OLD_NAME: &str = "v";

/// A key that is one, and so can be a path below the directory and nothing else.
#[derive(Clone, Copy)]
pub(super) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    pub(super) fn new(key: &'a str) -> Result<Key<'a>> {
        if key.len() == KEY_DIGITS && is_hexadecimal(key) {
            return Ok(Key(key));
        }
        let start: String = key.chars().take(80).collect();
        Err(failed(format!("`{}` is no cache key: 64 lower-case hexadecimal digits", start.escape_debug())))
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
    /// What the itch of 2016 wrote, one folder for each two digits: `ab/cd/ef/…/v`. Never written.
    Old,
}

impl Layout {
    /// The new one first: it has what was stored later.
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

/// A value that a walk found.
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

    /// The value under a key, and when it was written.
    pub(super) fn read(&self, key: Key<'_>, layout: Layout) -> io::Result<Option<(Vec<u8>, Option<SystemTime>)>> {
        let Some((path, metadata)) = self.find(key, layout)? else {
            return Ok(None);
        };
        // A pipe would block, and a symbolic link is not ours.
        if !metadata.is_file() {
            return Ok(None);
        }
        let Some(mut file) = unless_gone(File::open(path))? else {
            return Ok(None);
        };
        // The file that was opened, not the one that may have taken its name meanwhile.
        let modified = file.metadata()?.modified().ok();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some((bytes, modified)))
    }

    /// Writes a value whole, in place of any other. An error of the kind `NotFound` means that a folder on the way
    /// went away meanwhile.
    pub(super) fn write(&self, key: Key<'_>, value: &[u8]) -> io::Result<()> {
        let mut path = self.directory.clone();
        for pair in key.pairs(Layout::New.folders()) {
            path.push(pair);
            make_folder(&path)?;
        }
        // Such a file is readable by its owner alone, and goes away with this value if it is not kept.
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&path)?;
        file.write_all(value)?;
        path.push(Layout::New.name(key));
        file.persist(path)?;
        Ok(())
    }

    /// Removes a value, if it is there, and the folders that it leaves empty.
    pub(super) fn remove(&self, key: Key<'_>, layout: Layout) -> io::Result<()> {
        let path = match self.find(key, layout)? {
            Some((path, metadata)) if !metadata.is_dir() => path,
            _ => return Ok(()),
        };
        unless_gone(fs::remove_file(&path))?;
        for folder in path.ancestors().skip(1).take(layout.folders()) {
            // One that is not empty stays; nor does it matter if another process is faster.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Finds what is at a key's path, looking at each folder on the way.
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

    /// Visits every value, until the visitor breaks off, and removes what killed writers left behind.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        self.walk_folder(&self.directory, &mut String::new(), KEY_DIGITS, visit)
            .map(drop)
    }

    /// The same for values of the new layout alone, without going into the deep folders of the old one.
    pub(super) fn walk_new(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        let digits = 2 * Layout::New.folders();
        self.walk_folder(&self.directory, &mut String::new(), digits, visit)
            .map(drop)
    }

    /// Walks one folder; `digits` are those of the folders above, `deepest` is how many there may be.
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
            // A name that is no text is none of ours.
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

    /// The value that a file holds, if it holds one.
    fn entry(&self, digits: &str, name: &str, metadata: &Metadata) -> Option<Entry> {
        let (key, layout) = match digits.len() {
            KEY_DIGITS if name == OLD_NAME => (digits.to_owned(), Layout::Old),
            4 if is_hexadecimal(name) => (format!("{digits}{name}"), Layout::New),
            _ => return None,
        };
        let valid = Key::new(&key).ok()?;
        // A key is one value: the old file is out of sight where there is a new one.
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

/// Makes a folder, if it is not there. What is there must be a folder and no link to one.
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

/// Removes the temporary file of a writer that was killed. If that fails, the next walk tries again.
fn remove_if_left_over(path: &Path, name: &str, metadata: &Metadata) {
    let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
    if name.starts_with(TEMPORARY) && age.is_some_and(|age| age > LEFT_OVER) {
        let _ = fs::remove_file(path);
    }
}

/// What another process removed meanwhile, or put something else in place of, is not there: no error.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}
