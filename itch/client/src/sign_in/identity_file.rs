//! The file that remembers the user of each token, so that a cache can be used without any network access.
//!
//! It maps the SHA-256 of a token to Twitch's data about it. It never contains the token itself.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HOUR;
use crate::accounts::Account;
use crate::private_file::{create_directory, directory_of};

/// How long the record of an expired token is kept, in seconds: an error says whose the token was.
const KEPT: u64 = 30 * 24 * HOUR;

/// Twitch's data about a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The user; `None` for an app token.
    pub user_id: Option<String>,
    pub login: Option<String>,
    pub client_id: String,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Seconds since 1970; `None` for a token without expiry.
    pub expires_at: Option<u64>,
    /// Seconds since 1970.
    pub validated_at: u64,
}

impl Record {
    /// The record of an account.
    pub fn of(account: &Account) -> Record {
        Record {
            user_id: account.user_id.clone(),
            login: account.login.clone(),
            client_id: account.client_id.clone(),
            scopes: account.scopes.clone(),
            expires_at: account.pair.expires_at,
            validated_at: account.validated_at,
        }
    }

    /// The time until which it can be used without asking Twitch again, in seconds since 1970.
    pub fn holds_until(&self, now: u64) -> u64 {
        // A time in the future comes from a wrong clock, so it is ignored.
        if self.validated_at > now {
            return 0;
        }
        let hour = self.validated_at.saturating_add(HOUR);
        self.expires_at.map_or(hour, |expiry| expiry.min(hour))
    }

    /// The user of the answers, as written in cache keys.
    pub fn user(&self) -> &str {
        self.user_id.as_deref().unwrap_or("app")
    }
}

type Records = BTreeMap<String, Record>;

/// The file.
#[derive(Debug)]
pub(crate) struct IdentityFile {
    path: PathBuf,
}

impl IdentityFile {
    pub fn new(path: PathBuf) -> IdentityFile {
        IdentityFile { path }
    }

    /// The record of a token. An unreadable file is treated as empty: it can be created again.
    pub fn find(&self, fingerprint: &str) -> Option<Record> {
        self.read().remove(fingerprint)
    }

    /// Adds the record of a token, and removes those that expired long ago.
    pub fn remember(&self, fingerprint: &str, record: &Record) -> io::Result<()> {
        let now = record.validated_at;
        let mut records = self.read();
        records.retain(|_, known| known.expires_at.is_none_or(|expiry| expiry.saturating_add(KEPT) > now));
        records.insert(fingerprint.to_owned(), record.clone());
        self.write(&records)
    }

    /// Removes the record of a token that Twitch refused.
    pub fn forget(&self, fingerprint: &str) -> io::Result<()> {
        let mut records = self.read();
        match records.remove(fingerprint) {
            Some(_) => self.write(&records),
            None => Ok(()),
        }
    }

    fn read(&self) -> Records {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Writes a temporary file and renames it: readers see either the old file or the new one, complete. If two
    /// processes write at once, the last one wins, and the other's token is validated once more.
    fn write(&self, records: &Records) -> io::Result<()> {
        let directory = directory_of(&self.path);
        create_directory(directory)?;
        // A temporary file can be read by its owner only, and keeps these permissions under its new name.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut file, records)?;
        file.write_all(b"\n")?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_validation_holds_for_an_hour_or_until_the_token_ends() {
        let validated = |expires_at| Record {
            validated_at: 10_000,
            ..record("1", expires_at)
        };
        assert_eq!(validated(None).holds_until(10_000), 13_600);
        assert_eq!(validated(Some(10_100)).holds_until(10_000), 10_100);
        assert_eq!(validated(Some(99_999)).holds_until(10_000), 13_600);
        assert_eq!(validated(None).holds_until(9_999), 0);
    }

    fn record(user: &str, expires_at: Option<u64>) -> Record {
        Record {
            user_id: Some(user.to_owned()),
            login: Some(format!("login{user}")),
            client_id: "client".to_owned(),
            scopes: vec!["user:read:follows".to_owned()],
            expires_at,
            validated_at: 3_000_000,
        }
    }

    #[test]
    fn tokens_are_remembered_privately_and_the_expired_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/identity.json");
        let file = IdentityFile::new(path.clone());
        assert_eq!(file.find("x"), None);
        file.remember("old", &record("1", Some(999))).unwrap();
        file.remember("x", &record("2", None)).unwrap();
        assert_eq!(file.find("x"), Some(record("2", None)));
        assert_eq!(file.find("old"), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
        file.forget("x").unwrap();
        assert_eq!(file.find("x"), None);
    }

    #[test]
    fn a_broken_file_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.json");
        std::fs::write(&path, b"{\"x\":").unwrap();
        let file = IdentityFile::new(path);
        assert_eq!(file.find("x"), None);
        file.remember("x", &record("2", None)).unwrap();
        assert!(file.find("x").is_some());
    }
}
