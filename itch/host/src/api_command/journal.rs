//! The journal of `--each`: which lines were sent, and what came back.
//!
//! It is a file of JSON lines. The first says which requests it is about. Each request has a line `sent`, which is on
//! the disk before the request leaves, and then one that says what came of it: `done` with the status, `unsent` if
//! nothing was done, or `unknown`. What has `sent` and nothing else was interrupted.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::failure::usage;
use crate::paths::kind_name;

/// The version of the format.
const VERSION: u32 = 1;

/// Which requests a journal is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    journal: u32,
    /// The base URL of the service.
    service: String,
    /// Whose requests they are.
    account: String,
    method: String,
    path: String,
    /// A hash of the query and the body.
    fields: String,
    /// A hash of the list.
    list: String,
}

impl Header {
    pub(super) fn new(service: &str, account: &str, method: &str, path: &str, fields: String, list: String) -> Header {
        Header {
            journal: VERSION,
            service: service.to_owned(),
            account: account.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            fields,
            list,
        }
    }

    /// What differs, in words. The account is not compared if this one is empty.
    fn difference(&self, other: &Header) -> Option<String> {
        let differs = |what: &str, found: &str, wanted: &str| format!("it is about {what} `{found}`, not `{wanted}`");
        if self.journal != other.journal {
            return Some(differs("version", &self.journal.to_string(), &other.journal.to_string()));
        }
        for (what, found, wanted) in [
            ("the method", &self.method, &other.method),
            ("the path", &self.path, &other.path),
            ("the service at", &self.service, &other.service),
            ("the account", &self.account, &other.account),
        ] {
            if found != wanted && !wanted.is_empty() {
                return Some(differs(what, found, wanted));
            }
        }
        match () {
            () if self.fields != other.fields => Some("it is about other parameters or fields".to_owned()),
            () if self.list != other.list => Some("it is about another list, or the list has changed".to_owned()),
            () => None,
        }
    }
}

/// What is known of a line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was sent, and nothing came back.
    Sent,
    /// The service answered with this status.
    Done(u16),
    /// Nothing was done.
    Unsent,
}

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    Sent {
        /// The number of the line in the list, from 1.
        line: u64,
        /// A hash of its text.
        text: String,
    },
    Done {
        line: u64,
        status: u16,
    },
    Unsent {
        line: u64,
    },
    Unknown {
        line: u64,
        why: String,
    },
}

/// An open journal. It is locked as long as it is open.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    states: HashMap<u64, State>,
}

impl Journal {
    /// Opens the journal, or begins one. An error if it is about other requests, or if another run uses it.
    pub(super) fn open(path: &Path, header: &Header) -> Result<Journal> {
        let file = create(path).map_err(|error| refused(path, &error))?;
        check(path, &file)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(usage(format!("another run of itch uses the journal `{}`", path.display()))
                    .hint("wait until it has ended"));
            }
            // Two runs with one journal would send everything twice.
            Err(TryLockError::Error(error)) => {
                return Err(cannot(path)
                    .cause("it cannot be locked against other runs")
                    .source_chain(&error));
            }
        }
        let mut journal = Journal {
            file,
            path: path.to_owned(),
            states: HashMap::new(),
        };
        let failed = |error: io::Error| cannot(path).source_chain(&error);
        let mut text = Vec::new();
        journal.file.read_to_end(&mut text).map_err(failed)?;
        // Nothing is changed before it is known to be a journal.
        journal.states = read(path, &text, header)?;
        let whole = whole_lines(&text).len();
        check_permissions(path, &journal.file)?;
        journal.file.set_len(whole as u64).map_err(failed)?;
        journal.file.seek(SeekFrom::End(0)).map_err(failed)?;
        if whole == 0 {
            journal.write(header)?;
            // The name of the file has to be on the disk, too.
            synced_folder(path).map_err(failed)?;
        }
        Ok(journal)
    }

    /// The states of the lines in a journal, which is left as it is. No journal is an empty one.
    pub(super) fn peek(path: &Path, header: &Header) -> Result<HashMap<u64, State>> {
        match std::fs::read(path) {
            Ok(text) => read(path, &text, header),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
            Err(error) => Err(cannot(path).source_chain(&error)),
        }
    }

    /// What was known of the lines when it was opened.
    pub(super) fn states(&self) -> &HashMap<u64, State> {
        &self.states
    }

    /// Writes an event; it is on the disk when this returns.
    pub(super) fn note(&mut self, event: &Event) -> Result<()> {
        self.write(event)
    }

    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(value).map_err(|error| cannot(&self.path).source_chain(&error))?;
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|error| cannot(&self.path).source_chain(&error))
    }
}

/// The lines that have an end. One without was being written when a run was killed: what it announces did not happen.
fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    text.get(..end).unwrap_or_default()
}

/// Reads all events of a journal about these requests. A file that is empty, or has only the beginning of this header,
/// is a new one.
fn read(path: &Path, text: &[u8], header: &Header) -> Result<HashMap<u64, State>> {
    let other = |why: String| {
        usage(format!("the journal `{}` cannot be continued", path.display()))
            .cause(why)
            .hint("name another one with `--journal`, or remove it: then everything is sent again")
    };
    let is_begun = || serde_json::to_vec(header).is_ok_and(|header| header.starts_with(text));
    let mut lines = whole_lines(text)
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let found = match lines.next() {
        None if text.is_empty() || is_begun() => return Ok(HashMap::new()),
        first => first.and_then(|line| serde_json::from_slice::<Header>(line).ok()),
    };
    let found = found.ok_or_else(|| other("it is not a journal of `itch api`".to_owned()))?;
    if let Some(difference) = found.difference(header) {
        return Err(other(difference));
    }
    let mut states = HashMap::new();
    // Lines that were sent again although they may have been done before.
    let mut doubtful = HashSet::new();
    for (place, line) in lines.enumerate() {
        let event = serde_json::from_slice(line)
            .map_err(|error| other(format!("line {} of it is damaged", place + 2)).source_chain(&error))?;
        let (line, state) = match event {
            Event::Sent { line, .. } => {
                if states.get(&line) == Some(&State::Sent) {
                    doubtful.insert(line);
                }
                (line, State::Sent)
            }
            Event::Unknown { line, .. } => (line, State::Sent),
            Event::Done { line, status } => (line, State::Done(status)),
            // What was not done this time may have been done the time before.
            Event::Unsent { line } if doubtful.contains(&line) => (line, State::Sent),
            Event::Unsent { line } => (line, State::Unsent),
        };
        states.insert(line, state);
    }
    Ok(states)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::RUSR | Mode::WUSR).map(File::from)?)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Refuses anything but a regular file of this user with one name.
fn check(path: &Path, file: &File) -> Result<()> {
    let failed = |error: io::Error| cannot(path).source_chain(&error);
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(cannot(path).cause(format!("it is {}", kind_name(found.file_type()))));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(cannot(path).cause("it belongs to another user"));
        }
        if found.nlink() > 1 {
            return Err(cannot(path).cause("it has another name, too (a hard link)"));
        }
    }
    Ok(())
}

/// Takes the journal from all other users.
fn check_permissions(path: &Path, file: &File) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let set = file.metadata().and_then(|found| match found.mode() & 0o177 {
            0 => Ok(()),
            _ => file.set_permissions(std::fs::Permissions::from_mode(0o600)),
        });
        set.map_err(|error| cannot(path).source_chain(&error))?;
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}

fn synced_folder(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// The error about a journal that cannot be opened: because of what is there, if it is not a regular file.
fn refused(path: &Path, error: &io::Error) -> Error {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => cannot(path).cause(format!("it is {}", kind_name(found.file_type()))),
        _ => cannot(path).source_chain(error),
    }
}

fn cannot(path: &Path) -> Error {
    Error::new(ErrorKind::Failed, format!("the journal `{}` cannot be used", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::new("https://a", "7", "POST", "x/{}", "f".to_owned(), "l".to_owned())
    }

    fn sent(line: u64) -> Event {
        Event::Sent {
            line,
            text: "t".to_owned(),
        }
    }

    fn states(events: &[Event], torn: &str) -> Vec<(u64, State)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, &header()).unwrap();
        events.iter().for_each(|event| journal.note(event).unwrap());
        journal.file.write_all(torn.as_bytes()).unwrap();
        drop(journal);
        let peeked = Journal::peek(&path, &header()).unwrap();
        let journal = Journal::open(&path, &header()).unwrap();
        assert_eq!(journal.states, peeked);
        assert!(std::fs::read(&path).unwrap().ends_with(b"\n"));
        let mut states: Vec<_> = journal.states.iter().map(|(line, state)| (*line, *state)).collect();
        states.sort_by_key(|(line, _)| *line);
        states
    }

    #[test]
    fn the_last_event_of_a_line_counts() {
        let done = |line, status| Event::Done { line, status };
        let events = [
            sent(1),
            done(1, 204),
            sent(2),
            Event::Unsent { line: 2 },
            sent(3),
            sent(4),
            Event::Unknown {
                line: 4,
                why: "reset".to_owned(),
            },
            sent(4),
            Event::Unsent { line: 4 },
            sent(5),
            sent(5),
            done(5, 404),
        ];
        let expected = [
            (1, State::Done(204)),
            (2, State::Unsent),
            (3, State::Sent),
            (4, State::Sent),
            (5, State::Done(404)),
        ];
        assert_eq!(states(&events, ""), expected);
        assert_eq!(states(&events, "{\"event\":\"done\",\"line\":3,\"sta"), expected);
        assert_eq!(states(&[], "{\"event\":"), []);
    }

    #[test]
    fn another_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let begun = serde_json::to_string(&header()).unwrap();
        for text in ["a list\n", "a list", "{}\n", "\n", &format!("{begun}x")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Journal::open(&path, &header()).unwrap_err().kind, ErrorKind::Usage, "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        for text in ["", &begun[..20], &begun] {
            std::fs::write(&path, text).unwrap();
            assert!(Journal::open(&path, &header()).unwrap().states.is_empty(), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{begun}\n"));
        }
    }

    #[test]
    fn what_differs_is_named() {
        let other = |service: &str, account: &str, method: &str, path: &str, fields: &str, list: &str| {
            let other = Header::new(service, account, method, path, fields.to_owned(), list.to_owned());
            header().difference(&other)
        };
        assert_eq!(other("https://a", "7", "POST", "x/{}", "f", "l"), None);
        assert_eq!(other("https://a", "", "POST", "x/{}", "f", "l"), None);
        for (found, word) in [
            (other("https://b", "7", "POST", "x/{}", "f", "l"), "https://a"),
            (other("https://a", "8", "POST", "x/{}", "f", "l"), "the account `7`, not `8`"),
            (other("https://a", "7", "PUT", "x/{}", "f", "l"), "the method `POST`, not `PUT`"),
            (other("https://a", "7", "POST", "y/{}", "f", "l"), "the path"),
            (other("https://a", "7", "POST", "x/{}", "g", "l"), "fields"),
            (other("https://a", "7", "POST", "x/{}", "f", "m"), "list"),
        ] {
            assert!(found.as_ref().is_some_and(|found| found.contains(word)), "{word}: {found:?}");
        }
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let first = Journal::open(&path, &header()).unwrap();
        assert_eq!(Journal::open(&path, &header()).unwrap_err().kind, ErrorKind::Usage);
        drop(first);
        Journal::open(&path, &header()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_and_others_kept_out() {
        use std::os::unix::fs::{MetadataExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        symlink(folder.path().join("target"), &path).unwrap();
        assert!(Journal::open(&path, &header()).is_err() && !folder.path().join("target").exists());
        std::fs::remove_file(&path).unwrap();
        drop(Journal::open(&path, &header()).unwrap());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert!(Journal::open(&path, &header()).is_err());
    }
}
