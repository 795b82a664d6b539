//! The accounts of this machine: who has signed in with `itch login`, and their tokens, in one private file.
//!
//! The file is replaced as a whole, under the lock of a second file that is never renamed. A process that renews a token
//! holds the lock from before it sends the refresh token, which works once, until the new pair is on the disk.

mod lock;
mod stored;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use itch_api::{Error, ErrorKind, Result};

pub(crate) use lock::AccountLock;
pub use stored::{Account, ServiceAddresses};
pub(crate) use stored::{AppToken, MARGIN, Pair, Stored};

use crate::private_file;

/// How long a process waits for another one that renews a token.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The account file of a user.
#[derive(Clone, Debug)]
pub struct Accounts {
    path: PathBuf,
    lock: PathBuf,
}

impl Accounts {
    /// The accounts in `accounts.json` of a directory, which need not exist.
    pub fn new(directory: &Path) -> Accounts {
        Accounts {
            path: directory.join("accounts.json"),
            lock: directory.join("accounts.lock"),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the file can be written, before a user is asked to sign in. Makes its directory.
    pub fn check_writable(&self) -> Result<()> {
        let _lock = self.lock()?;
        private_file::check_writable(&self.path).map_err(|error| self.cannot_write(&error))
    }

    /// All accounts, the default one first.
    ///
    /// An error of kind [`ErrorKind::SignIn`] if others can read the file, or if it is damaged: then it has been renamed.
    pub fn list(&self) -> Result<Vec<Account>> {
        Ok(self.read()?.accounts)
    }

    /// One account.
    pub(crate) fn find(&self, id: &str) -> Result<Account> {
        let accounts = self.read()?.accounts.into_iter();
        let mut accounts = accounts.filter(|account| account.id == id);
        accounts
            .next()
            .ok_or_else(|| Error::new(ErrorKind::SignIn, "the account was signed out meanwhile").hint("itch login"))
    }

    pub(crate) fn read(&self) -> Result<Stored> {
        let Some(bytes) = private_file::read(&self.path)? else {
            return Ok(Stored::default());
        };
        match Stored::parse(&bytes) {
            Some(stored) => Ok(stored),
            None => Err(self.set_aside()),
        }
    }

    /// Renames a file that cannot be parsed, unless it parses by now.
    fn set_aside(&self) -> Error {
        let damaged = || {
            let message = format!("the account file `{}` is damaged", self.path.display());
            Error::new(ErrorKind::SignIn, message)
        };
        let attempt = || -> Result<Option<PathBuf>> {
            let _lock = self.lock()?;
            let bytes = private_file::read(&self.path)?.unwrap_or_default();
            if Stored::parse(&bytes).is_some() {
                return Ok(None);
            }
            let aside = self.path.with_extension(format!("json.damaged-{}", seconds_now()));
            std::fs::rename(&self.path, &aside).map_err(|error| damaged().source_chain(&error))?;
            Ok(Some(aside))
        };
        match attempt() {
            Ok(Some(aside)) => damaged()
                .cause(format!("it is now `{}`; its accounts have to sign in again", aside.display()))
                .hint("itch login"),
            Ok(None) => Error::new(ErrorKind::Failed, "the account file was replaced while it was read")
                .hint("run the same command again"),
            Err(error) => error,
        }
    }

    /// Waits for the lock. An error of kind [`ErrorKind::Service`] if another process holds it for a minute.
    pub(crate) fn lock(&self) -> Result<AccountLock> {
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match AccountLock::take(&self.lock)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= until => return Err(self.is_locked()),
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// The same for asynchronous code.
    pub(crate) async fn lock_soon(&self) -> Result<AccountLock> {
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match AccountLock::take(&self.lock)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= until => return Err(self.is_locked()),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn is_locked(&self) -> Error {
        let message = format!("another itch has been renewing an account for {} s", LONGEST_WAIT.as_secs());
        Error::new(ErrorKind::Service, message)
            .cause(format!("`{}` is locked", self.lock.display()))
            .hint("run again when it has ended")
    }

    /// Reads the file, changes it and writes it.
    pub(crate) fn change<T>(&self, _lock: &AccountLock, how: impl FnOnce(&mut Stored) -> T) -> Result<T> {
        let mut stored = self.read()?;
        let before = stored.clone();
        let outcome = how(&mut stored);
        if stored != before {
            self.write(&stored)?;
        }
        Ok(outcome)
    }

    fn write(&self, stored: &Stored) -> Result<()> {
        private_file::replace(&self.path, &stored.bytes()).map_err(|error| self.cannot_write(&error))
    }

    fn cannot_write(&self, error: &std::io::Error) -> Error {
        let message = format!("the account file `{}` cannot be written", self.path.display());
        Error::new(ErrorKind::Failed, message).source_chain(error)
    }
}

/// Now, in seconds since 1970.
pub(crate) fn seconds_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_damaged_file_is_set_aside_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let accounts = Accounts::new(directory.path());
        assert!(accounts.list().unwrap().is_empty());
        private_file::replace(accounts.path(), b"{\"accounts\":[{\"log").unwrap();
        let error = accounts.list().unwrap_err();
        assert_eq!(error.kind, ErrorKind::SignIn);
        let names: Vec<String> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("damaged"))
            .collect();
        assert_eq!(names.len(), 1);
        assert!(error.causes[0].contains(&names[0]), "{error:#}");
        assert!(accounts.list().unwrap().is_empty());
    }

    #[test]
    fn changes_under_the_lock_are_kept_and_the_lock_excludes() {
        let directory = tempfile::tempdir().unwrap();
        let accounts = Accounts::new(directory.path());
        let lock = accounts.lock().unwrap();
        accounts
            .change(&lock, |stored| {
                stored.accounts.push(Account::granted(
                    "c",
                    ServiceAddresses::default(),
                    Pair {
                        access: Secret::new("accesstoken"),
                        refresh: Some(Secret::new("refreshtoken")),
                        expires_at: Some(10),
                        lifetime: Some(10),
                    },
                ))
            })
            .unwrap();
        assert!(AccountLock::take(&accounts.lock).unwrap().is_none());
        drop(lock);
        assert!(AccountLock::take(&accounts.lock).unwrap().is_some());
        let account = &accounts.list().unwrap()[0];
        assert_eq!(account.pair.access.expose(), "accesstoken");
        assert!(!format!("{account:?}").contains("accesstoken"));
    }
}
