//! Looking at a file that is not known yet, in a process of its own: loading it may do anything.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::library::{Description, Hashed, Library};
use crate::process::{PROBE_COMMAND, command, ending, kill, lock, reap};
use crate::{Identity, Settings};

/// How long a file may take to be loaded and to describe itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// No plugin has more to say of itself.
const LONGEST: u64 = 32 << 20;

/// What was found out about a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    /// What it was when it was opened.
    pub identity: Identity,
    /// Its hash, in hexadecimal digits.
    pub sha256: String,
    /// What came of loading it.
    pub outcome: Outcome,
}

/// What came of loading a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is a plugin.
    Plugin(Box<Description>),
    /// It is none that can be used: why.
    Refused(String),
    /// It ended the process that looked at it: how.
    Crashed(String),
    /// It was not loaded, since only trusted files may be.
    Untrusted,
}

/// What is said before the file is loaded.
#[derive(Serialize, Deserialize)]
struct Hash {
    identity: Identity,
    sha256: String,
}

/// Looks at a file, which must be safe, in a process of its own. With `only` it is loaded only if it has this hash.
pub fn inspect(settings: &Settings, real: &Path, only: Option<&str>) -> Result<Inspected, String> {
    let mut arguments = vec![PROBE_COMMAND.into(), real.as_os_str().to_owned()];
    arguments.extend(only.map(Into::into));
    let mut child = command(&settings.program, &arguments, &[])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("no process could be started to look at it: {error}"))?;
    let (tell, told) = channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(LONGEST).read_to_string(&mut text);
        }
        let _ = tell.send(text);
    });
    let told = told.recv_timeout(PATIENCE);
    let child = Mutex::new(child);
    let late = told.is_err();
    if late {
        kill(&mut lock(&child));
    }
    let status = reap(&child, PATIENCE);
    let text = told.unwrap_or_default();
    let mut lines = text.lines();
    let hash: Option<Hash> = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    let outcome = match lines.next().map(serde_json::from_str::<Outcome>) {
        Some(Ok(outcome)) => outcome,
        _ if late => Outcome::Crashed(format!("no end within {} s", PATIENCE.as_secs())),
        _ => {
            let how = status.map_or_else(|| "it was lost".to_owned(), ending);
            Outcome::Crashed(how.trim_start_matches("died of ").to_owned())
        }
    };
    match (hash, outcome) {
        (Some(Hash { identity, sha256 }), outcome) => Ok(Inspected {
            identity,
            sha256,
            outcome,
        }),
        (None, Outcome::Refused(why) | Outcome::Crashed(why)) => Err(why),
        (None, _) => Err("it could not be looked at".to_owned()),
    }
}

/// The other end: looks at a file and tells on standard output; gives the exit code.
pub fn probe(file: &Path, only: Option<&str>) -> u8 {
    // What the library prints must not be taken for our words.
    let Ok((_, mut to)) = crate::serve::take_over() else {
        return 1;
    };
    let mut tell = |text: serde_json::Result<String>| {
        let text = text.map_err(std::io::Error::from)?;
        writeln!(to, "{text}")
    };
    let hashed = match crate::safety::check(file).and_then(|real| Hashed::open(&real)) {
        Ok(hashed) => hashed,
        Err(why) => {
            let told = tell(Ok("null".to_owned()))
                .and_then(|()| tell(serde_json::to_string(&Outcome::Refused(why))));
            return u8::from(told.is_err());
        }
    };
    let trusted = only.is_none_or(|only| hashed.sha256 == only);
    let hash = Hash {
        identity: hashed.identity,
        sha256: hashed.sha256.clone(),
    };
    if tell(serde_json::to_string(&hash)).is_err() {
        return 1;
    }
    let outcome = match trusted {
        false => Outcome::Untrusted,
        true => match Library::load(file, hashed).and_then(|library| library.describe()) {
            Ok(description) => Outcome::Plugin(Box::new(description)),
            Err(why) => Outcome::Refused(why),
        },
    };
    u8::from(tell(serde_json::to_string(&outcome)).is_err())
}
