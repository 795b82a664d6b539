//! Inspecting an unknown file in a separate process, since loading it runs its code.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use itch_api::sync::lock;
use serde::{Deserialize, Serialize};

use crate::access::UnitAccess;
use crate::confine::Confinement;
use crate::library::{Description, Hashed, Library};
use crate::process::{PROBE_COMMAND, command, ending};
use crate::process_group::{OutputPipe, ProcessGroup, Started};
use crate::{FileIdentity, Settings};

/// How long a file may take to be loaded and to describe itself.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum length of what the process prints.
const LONGEST: u64 = 32 << 20;
/// How many files are inspected at the same time, so that a file that hangs does not delay the others.
const CONCURRENCY: usize = 16;

/// The result of inspecting a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    /// The file's identity when it was opened.
    pub identity: FileIdentity,
    /// Its hash, in hexadecimal digits.
    pub sha256: String,
    /// The result of loading it.
    pub outcome: Outcome,
    /// Whether the result may change although the file does not: something that it needs is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passing: bool,
}

/// The result of loading a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is a plugin.
    Plugin(Box<Description>),
    /// It cannot be used, for this reason.
    Refused(String),
    /// The process that inspected it crashed: how.
    Crashed(String),
    /// It was not loaded, since only trusted files may be loaded.
    Untrusted,
}

/// The first line, printed before the file is loaded.
#[derive(Debug, Serialize, Deserialize)]
struct FileHash {
    identity: FileIdentity,
    sha256: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct ProbeResult {
    outcome: Outcome,
    passing: bool,
}

/// Inspects a file, which must be safe, in a separate process. With `only` it is loaded only if it has this hash.
pub fn inspect(settings: &Settings, real: &Path, only: Option<&str>) -> Result<Inspected, String> {
    let inspected = run_probe(settings, real, only)?;
    match inspected.outcome {
        Outcome::Refused(why) if inspected.sha256.is_empty() => Err(why),
        outcome => Ok(Inspected { outcome, ..inspected }),
    }
}

/// A file to inspect, and the hash that it must have to be loaded.
pub(crate) type ProbeRequest = (PathBuf, Option<String>);

/// Inspects several files at the same time.
pub(crate) fn probe_all(settings: &Settings, files: Vec<ProbeRequest>) -> Vec<(PathBuf, Result<Inspected, String>)> {
    let threads = files.len().min(CONCURRENCY);
    let files = Mutex::new(files.into_iter());
    let looked = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some((real, only)) = lock(&files).next() else {
                        return;
                    };
                    let inspected = run_probe(settings, &real, only.as_deref());
                    lock(&looked).push((real, inspected));
                }
            });
        }
    });
    looked.into_inner().unwrap_or_default()
}

/// Like [`inspect`], but a file that cannot be read is refused, without a hash. An error is not about the file.
fn run_probe(settings: &Settings, real: &Path, only: Option<&str>) -> Result<Inspected, String> {
    let identity = std::fs::metadata(real).map_err(|error| error.to_string())?;
    let identity = FileIdentity::of(&identity);
    let confinement = settings.confinement(&UnitAccess::default());
    let word = (PROBE_COMMAND, real);
    let started = command(&settings.program, word, &confinement, only, &[])
        .and_then(|(mut command, folder)| ProcessGroup::start(command.stderr(Stdio::null()), folder));
    // The write end of its standard input stays open here: when this process ends, the child reads EOF and ends too.
    let Started {
        group, stdin, stdout, ..
    } = started.map_err(|error| format!("could not start a process to inspect it: {error}"))?;
    let lines = lines(stdout);
    let end = Instant::now() + TIMEOUT;
    let hash = next::<Option<FileHash>>(&lines, end);
    let told = match &hash {
        Err(RecvTimeoutError::Timeout) => Err(RecvTimeoutError::Timeout),
        _ => next::<ProbeResult>(&lines, end),
    };
    // Nothing more is expected from the process.
    if !matches!(told, Err(RecvTimeoutError::Disconnected)) {
        group.kill();
    }
    let ended = group.reap(end.saturating_duration_since(Instant::now()));
    drop(stdin);
    let hash = hash.ok().flatten();
    let told = match told {
        Ok(told) => told,
        Err(error) if error == RecvTimeoutError::Timeout || ended.forced => match hash {
            None => return Err(format!("it could not be read within {} s", TIMEOUT.as_secs())),
            Some(_) => crashed(format!("did not finish within {} s", TIMEOUT.as_secs())),
        },
        Err(_) => {
            let how = ended.status.map_or_else(|| "unknown exit status".to_owned(), ending);
            crashed(how.trim_start_matches("died of ").to_owned())
        }
    };
    let hash = match (hash, &told.outcome) {
        (Some(hash), _) => hash,
        (None, Outcome::Refused(_)) => FileHash {
            identity,
            sha256: String::new(),
        },
        (None, Outcome::Crashed(how)) => return Err(how.clone()),
        (None, _) => return Err("it could not be inspected".to_owned()),
    };
    Ok(Inspected {
        identity: hash.identity,
        sha256: hash.sha256,
        outcome: told.outcome,
        passing: told.passing,
    })
}

fn crashed(how: String) -> ProbeResult {
    ProbeResult {
        outcome: Outcome::Crashed(how),
        passing: false,
    }
}

/// The lines that a process prints, as they arrive.
fn lines(from: OutputPipe) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from.take(LONGEST));
        let mut line = String::new();
        while let Ok(1..) = from.read_line(&mut line) {
            // An incomplete line is ignored.
            if !line.ends_with('\n') || tell.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    told
}

/// Parses the next line, which must arrive before `end`. An invalid line counts as the end of the output.
fn next<T: serde::de::DeserializeOwned>(lines: &Receiver<String>, end: Instant) -> Result<T, RecvTimeoutError> {
    let line = lines.recv_timeout(end.saturating_duration_since(Instant::now()))?;
    serde_json::from_str(&line).map_err(|_| RecvTimeoutError::Disconnected)
}

/// The child's side: inspects a file and prints the result on standard output. Returns the exit code.
pub fn probe(file: &Path, confinement: &OsStr, only: Option<&str>) -> u8 {
    let confined = Confinement::read(confinement).and_then(|confinement| confinement.enter(file));
    // What the library prints must not be mistaken for the result.
    let Ok((mut from, mut to)) = crate::serve::take_over_stdio() else {
        return 1;
    };
    // Standard input stays empty: this thread waits for its end, which means that the parent has ended. The thread
    // starts before anything is loaded and does nothing that needs the dynamic loader, which is locked while a
    // constructor hangs.
    let (ready, is_ready) = channel();
    std::thread::spawn(move || {
        let _ = ready.send(());
        let mut byte = [0];
        while !matches!(from.read(&mut byte), Ok(0) | Err(_)) {}
        crate::serve::kill_self();
    });
    let _ = is_ready.recv();
    let mut tell = |text: serde_json::Result<String>| {
        let text = text.map_err(std::io::Error::from)?;
        writeln!(to, "{text}")
    };
    let refused = |(why, passing)| ProbeResult {
        outcome: Outcome::Refused(why),
        passing,
    };
    // A missing confinement is not the file's fault, so the file is tried again.
    let passing = confined.is_err();
    let hashed = confined
        .and_then(|()| crate::safety::check(file))
        .and_then(|real| Hashed::open(&real));
    let hashed = match hashed {
        Ok(hashed) => hashed,
        Err(why) => {
            let told = tell(Ok("null".to_owned())).and_then(|()| tell(serde_json::to_string(&refused((why, passing)))));
            return u8::from(told.is_err());
        }
    };
    let trusted = only.is_none_or(|only| hashed.sha256 == only);
    let hash = FileHash {
        identity: hashed.identity,
        sha256: hashed.sha256.clone(),
    };
    if tell(serde_json::to_string(&hash)).is_err() {
        return 1;
    }
    let told = match trusted {
        false => ProbeResult {
            outcome: Outcome::Untrusted,
            passing: false,
        },
        true => match Library::load(file, hashed) {
            Err(unfit) => refused((unfit.why, unfit.passing)),
            Ok(library) => match library.describe() {
                Ok(description) => ProbeResult {
                    outcome: Outcome::Plugin(Box::new(description)),
                    passing: false,
                },
                Err(why) => refused((why, false)),
            },
        },
    };
    u8::from(tell(serde_json::to_string(&told)).is_err())
}
