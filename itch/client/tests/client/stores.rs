//! Cache stores for tests: one in memory, one that fails, one that hangs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use itch_plugin::{CacheStats, CacheStore, Error, ErrorKind, Put, Result, StoredValue};

/// A store in memory; clones share their contents.
#[derive(Clone, Default)]
pub struct Memory {
    pub values: Arc<Mutex<HashMap<String, StoredValue>>>,
    /// How long each call takes.
    pub delay: Duration,
    /// Larger values are rejected.
    pub most_bytes: Option<usize>,
}

impl Memory {
    pub fn named(&self, name: &str) -> Vec<(String, Box<dyn CacheStore>)> {
        vec![(name.to_owned(), Box::new(self.clone()))]
    }

    pub fn len(&self) -> usize {
        self.values.lock().unwrap().len()
    }

    /// Changes the bytes of every value.
    pub fn spoil(&self, how: impl Fn(&mut Vec<u8>)) {
        for value in self.values.lock().unwrap().values_mut() {
            how(&mut value.bytes);
        }
    }
}

impl CacheStore for Memory {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        std::thread::sleep(self.delay);
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    fn put(&mut self, key: &str, value: &[u8], _: Option<Duration>) -> Result<Put> {
        std::thread::sleep(self.delay);
        if value.len() > self.most_bytes.unwrap_or(usize::MAX) {
            return Ok(Put::TooLarge);
        }
        let value = StoredValue {
            bytes: value.to_vec(),
            modified: Some(SystemTime::now()),
        };
        self.values.lock().unwrap().insert(key.to_owned(), value);
        Ok(Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.values.lock().unwrap().remove(key);
        Ok(())
    }

    fn stats(&mut self) -> Result<CacheStats> {
        Ok(CacheStats::default())
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }
}

/// A store that fails every call, and counts the calls.
#[derive(Clone)]
pub struct Failing {
    pub calls: Arc<Mutex<usize>>,
    says: &'static str,
}

impl Default for Failing {
    fn default() -> Failing {
        Failing::saying("the disk is full")
    }
}

impl Failing {
    pub fn saying(says: &'static str) -> Failing {
        Failing {
            calls: Arc::default(),
            says,
        }
    }

    fn fail<T>(&self) -> Result<T> {
        *self.calls.lock().unwrap() += 1;
        Err(Error::new(ErrorKind::Failed, self.says))
    }
}

impl CacheStore for Failing {
    fn get(&mut self, _: &str) -> Result<Option<StoredValue>> {
        self.fail()
    }

    fn put(&mut self, _: &str, _: &[u8], _: Option<Duration>) -> Result<Put> {
        self.fail()
    }

    fn remove(&mut self, _: &str) -> Result<()> {
        self.fail()
    }

    fn stats(&mut self) -> Result<CacheStats> {
        self.fail()
    }

    fn location(&self) -> String {
        "nowhere".to_owned()
    }
}
