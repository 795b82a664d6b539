//! A third party's itch: the whole program with a cache backend that is none of ours, in one file, as any other.
//!
//! `shelf` keeps each response as a file in one folder. It can neither list nor clear, and holds nothing of more than
//! a megabyte: what the contract lets a backend leave out, this one leaves out.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use itch_plugin::prelude::*;

struct Shelf;

cache!(Shelf);

impl Cache for Shelf {
    fn describe(&self) -> CacheSpec {
        CacheSpec::new("shelf", "A folder with a file for each response").variable(
            "SHELF",
            "The folder",
            None,
        )
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        let folder = settings.variable("SHELF");
        let folder = folder.ok_or_else(|| Error::new(ErrorKind::Failed, "SHELF is not set"))?;
        std::fs::create_dir_all(folder)?;
        Ok(Box::new(Open(folder.into())))
    }
}

struct Open(PathBuf);

impl CacheStore for Open {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        match std::fs::read(self.0.join(key)) {
            Ok(bytes) => Ok(Some(StoredValue {
                bytes,
                modified: None,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn put(&mut self, key: &str, value: &[u8], _: Option<Duration>) -> Result<Put> {
        if value.len() > 1_000_000 {
            return Ok(Put::TooLarge);
        }
        std::fs::write(self.0.join(key), value)?;
        Ok(Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        match std::fs::remove_file(self.0.join(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn stats(&mut self) -> Result<CacheStats> {
        Ok(CacheStats::default())
    }

    fn location(&self) -> String {
        self.0.display().to_string()
    }
}

fn main() -> ExitCode {
    itch_host::main(std::env::args_os())
}
