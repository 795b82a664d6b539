//! The contract of a cache backend: a dumb store of bytes under a key.
//!
//! Keys, checksums, freshness and failure are the host's business, so a backend is a few dozen lines and
//! cannot get the hard parts wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::spec::CacheSpec;
use crate::{LogLevel, Result};

/// The word that stands for no cache at all, where caches are named. No backend may be called so.
pub const NO_CACHE: &str = "none";

/// A cache backend.
pub trait Cache: Send + Sync + 'static {
    /// What it is called and which variables it reads.
    fn describe(&self) -> CacheSpec;

    /// Opens the store, without contacting a server before it is needed.
    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>>;
}

/// What the host read for a backend before opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheSettings {
    /// Values of the variables that the backend declares; those not set are absent.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The largest number of bytes the store should hold, if the person set one.
    #[serde(default)]
    pub max_bytes: Option<u64>,
    /// Whether a part that fails is the failure of the whole. A store of several servers that has lost one goes on
    /// with the others and says so in the log; where this is set, it answers with the error instead.
    #[serde(default)]
    pub strict: bool,
    /// What a person should know although the store goes on.
    #[serde(skip)]
    pub log: CacheLog,
}

/// The way of a store to the host's log. A warning reaches the person; in settings made by hand it reaches nobody.
#[derive(Clone, Default)]
pub struct CacheLog(Option<Arc<LogLine>>);

/// Takes one line.
type LogLine = dyn Fn(LogLevel, &str) + Send + Sync;

impl CacheLog {
    /// A log that hands each line over.
    pub fn new(line: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> CacheLog {
        CacheLog(Some(Arc::new(line)))
    }

    /// Says one line to the person. The host names the cache in front of it.
    pub fn warning(&self, message: &str) {
        self.line(LogLevel::Warn, message);
    }

    /// Writes a line to the log. A warning reaches the person; the others are shown by `-v`.
    pub fn line(&self, level: LogLevel, message: &str) {
        if let Some(line) = &self.0 {
            line(level, message);
        }
    }
}

/// A log is the way of a message, not a setting: any two are equal.
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
    /// The values of the variables that a backend declares, from a function that knows them, such as
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
/// A key is 64 lower-case hexadecimal digits. An error means that the store cannot be used any more in this
/// run: whoever calls it then goes on without.
pub trait CacheStore: Send {
    /// The value under a key, or `None`.
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>>;

    /// Stores a value in place of any other. After `ttl` it may be forgotten; without one it may stay for ever. A
    /// value beyond what the store can hold is no error: it is left out, and the answer says so.
    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put>;

    /// Forgets what [`CacheStore::get`] gives. If that hid an older value, the older one is what is there then. A key
    /// without a value is no error.
    fn remove(&mut self, key: &str) -> Result<()>;

    /// How much is stored, as far as the store can say.
    fn stats(&mut self) -> Result<CacheStats>;

    /// Where the data is, for people: a directory, a host and port. Never a password.
    fn location(&self) -> String;

    /// Visits every value that itch stored, in any order, until the visitor says stop. The answer says whether
    /// the store can list at all.
    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        let _ = visit;
        Ok(ScanSupport::Unsupported)
    }

    /// Forgets everything that itch stored, at once. `false` says that the store has no such means, and whoever asks
    /// then scans and removes; it is for stores that cannot list.
    fn clear(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// It is larger than the store can hold, and was left out.
    TooLarge,
}

/// What a store has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredValue {
    /// The bytes as they were put.
    pub bytes: Vec<u8>,
    /// When they were written, if the store knows.
    pub modified: Option<SystemTime>,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheStats {
    /// Number of values; `None` if the store cannot say.
    pub entries: Option<u64>,
    /// Their bytes; `None` if the store cannot say.
    pub bytes: Option<u64>,
}

/// One value that a scan visits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEntry {
    /// The key under which it is stored.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, as milliseconds since 1970, if the store knows.
    pub modified_ms: Option<u64>,
}

/// Whether a scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Visit the next value.
    Continue,
    /// Enough.
    Stop,
}

/// Whether a store can list what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanSupport {
    /// It can, and has visited everything unless it was stopped.
    Listed,
    /// It cannot.
    Unsupported,
}
