//! `itch -c file`: responses as files in a directory, shared by processes without a lock.
//!
//! A value is written under a temporary name in its own folder and then renamed. A reader sees the old value, the new
//! one or none, never a part of one, and of two writers the later one wins. There is no `fsync`: after a power failure
//! a file may be incomplete, which the checksum in the value detects, and the response is fetched again. Calling
//! `fsync` would slow down every page of every run.

mod directory;
mod entries;
mod pruning;

use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, UNIX_EPOCH};

use itch_plugin::prelude::*;

use directory::Directory;
use entries::{Entries, Entry, Key, Layout};
use pruning::Pruning;

/// The size limit if the user sets none.
const DEFAULT_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// The first put of a run and then every twentieth checks the size: walking the directory is far more expensive than a
/// put, and exceeding the limit by a few pages does no harm.
const PUTS_PER_PRUNE: u64 = 20;
/// How often a put is retried because another process removed the folder that it was about to write to.
const TRIES: usize = 16;

struct File;

cache!(File);

impl Cache for File {
    fn describe(&self) -> CacheSpec {
        CacheSpec::new("file", "Files in a directory, for one machine")
            .help(format!(
                "Each response is a file, `ab/cd/rest` of its key. Any number of itch processes may share the \
                 directory. It is created when the first response is stored, readable by its owner only, and is not \
                 used if it is unsafe: the default directory must belong to the user and must not be writable by \
                 everyone; a directory from TWITCH_CACHE_TEMP may belong to another user, but must not be writable by \
                 everyone then. Where others can write to it, a warning says so.\n\n\
                 Above the size limit (`--cache-size`, {} MiB by default) the oldest files are removed until four \
                 fifths of the limit are left. Responses that the itch of 2016 stored are still read; they are never \
                 removed to save space, since the services that they came from no longer exist.",
                DEFAULT_MAX_BYTES >> 20
            ))
            .variable("TWITCH_CACHE_TEMP", "The directory for responses", Some("$XDG_CACHE_HOME/itch/responses"))
            .variable("XDG_CACHE_HOME", "The directory for caches", Some("$HOME/.cache"))
            .variable("HOME", "The user's directory", None)
            .access(Access {
                write: vec!["$TWITCH_CACHE_TEMP".to_owned()],
                ..Access::default()
            })
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        let directory = Directory::of(settings)?;
        Ok(Box::new(FileStore {
            entries: Entries::new(directory.path()),
            directory,
            max_bytes: settings.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            puts: 0,
            pruning: Pruning::default(),
        }))
    }
}

/// The open store. It keeps nothing in memory and no file open, so other processes may change the directory at any
/// time.
struct FileStore {
    directory: Directory,
    entries: Entries,
    max_bytes: u64,
    puts: u64,
    pruning: Pruning,
}

impl FileStore {
    fn cannot(&self, what: &str) -> impl Fn(io::Error) -> Error {
        self.directory.cannot(what)
    }

    /// Writes a value, creating the missing folders of its path.
    fn write(&self, key: Key<'_>, value: &[u8]) -> Result<()> {
        let mut tries = 1;
        loop {
            self.directory.prepare()?;
            match self.entries.write(key, value) {
                // Another process removed the folder after it was created and before it was written to.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
                written => return written.map_err(self.cannot("written")),
            }
        }
    }

    fn walk(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<()> {
        if self.directory.check()? {
            self.entries.walk(visit).map_err(self.cannot("read"))?;
        }
        Ok(())
    }
}

impl CacheStore for FileStore {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let key = Key::new(key)?;
        if !self.directory.check()? {
            return Ok(None);
        }
        for layout in Layout::ALL {
            let found = self.entries.read(key, layout);
            if let Some((bytes, modified)) = found.map_err(self.cannot("read"))? {
                return Ok(Some(StoredValue { bytes, modified }));
            }
        }
        Ok(None)
    }

    /// Stores a value. The client checks the age of a value when it reads it, so `ttl` is ignored.
    fn put(&mut self, key: &str, value: &[u8], _ttl: Option<Duration>) -> Result<Put> {
        self.write(Key::new(key)?, value)?;
        self.puts += 1;
        if self.puts % PUTS_PER_PRUNE == 1 {
            self.pruning.start(&self.entries, self.max_bytes);
        }
        Ok(Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        let key = Key::new(key)?;
        if !self.directory.check()? {
            return Ok(());
        }
        // Only the value that `get` returns is removed, not one that it hides: if the new value is broken, the old one
        // is used.
        for layout in Layout::ALL {
            let found = self.entries.read(key, layout).map_err(self.cannot("read"))?;
            if found.is_some() {
                return self.entries.remove(key, layout).map_err(self.cannot("written"));
            }
        }
        Ok(())
    }

    fn stats(&mut self) -> Result<CacheStats> {
        let (mut entries, mut bytes) = (0, 0);
        self.walk(&mut |entry| {
            entries += 1;
            bytes += entry.bytes;
            ControlFlow::Continue(())
        })?;
        Ok(CacheStats {
            entries: Some(entries),
            bytes: Some(bytes),
        })
    }

    fn location(&self) -> String {
        self.directory.path().display().to_string()
    }

    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        self.walk(&mut |entry| {
            let since_1970 = entry.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified_ms = since_1970.and_then(|time| u64::try_from(time.as_millis()).ok());
            let answer = visit(ScanEntry {
                key: entry.key,
                bytes: entry.bytes,
                modified_ms,
            });
            match answer {
                Scan::Continue => ControlFlow::Continue(()),
                Scan::Stop => ControlFlow::Break(()),
            }
        })?;
        Ok(ScanSupport::Listed)
    }
}
