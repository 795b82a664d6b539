//! The lock of the account file: flock(2) on a file beside it, held until it is dropped.

use std::fs::{File, TryLockError};
use std::path::Path;

use itch_api::Result;
use tracing::warn;

use crate::private_file::open_lock;

/// The lock is held.
#[derive(Debug)]
pub(crate) struct AccountLock {
    _file: File,
}

impl AccountLock {
    /// Takes the lock; `None` if another process, or another client of this one, holds it.
    pub fn take(path: &Path) -> Result<Option<AccountLock>> {
        let file = open_lock(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            // A file system without locks, such as some network file systems.
            Err(TryLockError::Error(error)) => {
                warn!("`{}` cannot be locked against other runs of itch: {error}", path.display());
            }
        }
        Ok(Some(AccountLock { _file: file }))
    }
}
