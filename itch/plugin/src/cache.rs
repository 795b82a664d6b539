//! The interface of a cache backend: a simple store of bytes under a key.
//!
//! The host handles keys, checksums, freshness and failures, so a backend needs only a few dozen lines and cannot get
//! these parts wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::spec::CacheSpec;
use crate::{LogLevel, Result};

/// The name that means "no cache" in options. No backend may have it.
pub const NO_CACHE: &str = "none";

/// A cache backend.
pub trait Cache: Send + Sync + 'static {
    /// Its name and the variables that it reads.
    fn describe(&self) -> CacheSpec;

    /// Opens the store, without contacting a server before that is necessary.
    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>>;
}

/// The settings that the host passes to a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheSettings {
    /// The values of the variables that the backend declares; variables that are not set are absent.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The largest size of the store in bytes, if the user set one.
    #[serde(default)]
    pub max_bytes: Option<u64>,
    /// Whether the failure of a part is the failure of the whole. A store with several servers that has lost one
    /// continues with the others and logs a warning. If this is set, it returns the error instead.
    #[serde(default)]
    pub strict: bool,
    /// Where the store logs warnings for the user, such as the loss of a server.
    #[serde(skip)]
    pub log: CacheLog,
}

/// A store's access to the host's log. Warnings are shown to the user; by default they are dropped.
#[derive(Clone, Default)]
pub struct CacheLog(Option<Arc<LogLine>>);

/// Takes one line.
type LogLine = dyn Fn(LogLevel, &str) + Send + Sync;

impl CacheLog {
    /// A log that passes each line to a function.
    pub fn new(line: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> CacheLog {
        CacheLog(Some(Arc::new(line)))
    }

    /// Shows a one-line warning to the user. The host puts the name of the cache in front.
    pub fn warning(&self, message: &str) {
        self.line(LogLevel::Warn, message);
    }

    /// Writes a line to the log. A warning is shown to the user; other levels are shown by `-v`.
    pub fn line(&self, level: LogLevel, message: &str) {
        if let Some(line) = &self.0 {
            line(level, message);
        }
    }
}

/// The log is not a setting: any two are equal.
impl PartialEq for CacheLog {
    fn eq(&self, _: &CacheLog) -> bool {
        true
    }
}

impl Eq for CacheLog {}

impl fmt::Debug for CacheLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheLog")
    }
}

impl CacheSettings {
    /// The values of the variables that a backend declares, from a function that returns them, such as
    /// `|name| std::env::var(name).ok()`.
    pub fn read(spec: &CacheSpec, variable: impl Fn(&str) -> Option<String>) -> CacheSettings {
        let declared = spec.variables.iter();
        let variables = declared.filter_map(|declared| Some((declared.name.clone(), variable(&declared.name)?)));
        CacheSettings {
            variables: variables.collect(),
            ..CacheSettings::default()
        }
    }

    /// The value of a declared variable, if it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// An open store. It is called from one thread at a time.
///
/// A key is 64 lower-case hexadecimal digits. An error means that the store cannot be used any more in this run; the
/// caller then continues without it.
pub trait CacheStore: Send {
    /// The value of a key, or `None`.
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>>;

    /// Stores a value and replaces an existing one. After `ttl` the store may delete it; without `ttl` it may be kept
    /// forever. A value that is too large for the store is not an error: it is left out, and the result says so.
    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put>;

    /// Removes the value that [`CacheStore::get`] returns. If it hid an older value, that one becomes visible. A key
    /// without a value is not an error.
    fn remove(&mut self, key: &str) -> Result<()>;

    /// How much is stored, as far as the store knows.
    fn stats(&mut self) -> Result<CacheStats>;

    /// Where the data is, for display: a directory, or a host and port. Never a password.
    fn location(&self) -> String;

    /// Visits every value that itch stored, in any order, until the visitor stops. Returns whether the store can list
    /// values at all.
    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        let _ = visit;
        Ok(ScanSupport::Unsupported)
    }

    /// Removes everything that itch stored at once. Returns `false` if the store cannot do this; the caller then scans
    /// and removes each value. This is for stores that cannot list values.
    fn clear(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// The result of storing a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The value is stored.
    Stored,
    /// The value is too large for the store, and was left out.
    TooLarge,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredValue {
    /// The bytes that were stored.
    pub bytes: Vec<u8>,
    /// When they were written, if the store knows.
    pub modified: Option<SystemTime>,
}

/// How much a store contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheStats {
    /// The number of values; `None` if the store does not know.
    pub entries: Option<u64>,
    /// Their size in bytes; `None` if the store does not know.
    pub bytes: Option<u64>,
}

/// One value that a scan visits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEntry {
    /// The key of the value.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, as milliseconds since 1970, if the store knows.
    pub modified_ms: Option<u64>,
}

/// Whether a scan continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Visit the next value.
    Continue,
    /// Stop the scan.
    Stop,
}

/// Whether a store can list its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanSupport {
    /// It can, and has visited all values unless it was stopped.
    Listed,
    /// It cannot.
    Unsupported,
}
