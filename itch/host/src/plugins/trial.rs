//! The processes in which `itch plugins check` tries things: each gets so long and may print so much, and none
//! outlives the check, however that ends.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::failure::Failure;
use itch_api::sync::lock;

/// The hidden word before the arguments of a trial; the file for its error follows.
const TRIAL_COMMAND: &str = "__trial";

/// No trial may print more bytes.
pub(crate) const MOST: u64 = 16 << 20;
/// So much of the end of what is printed is kept.
const KEPT: usize = 16 << 10;
/// How often it is looked whether a trial has to end.
const TICK: Duration = Duration::from_millis(5);
/// How long the last of what was printed is waited for, once the process has gone.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Set by an interrupt, which ends the trial that runs.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// In the process of a trial: the file that its error is written to.
static ERROR_FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The error that a trial ended with, as it crosses to the check.
#[derive(Debug, Serialize, Deserialize)]
struct TrialError {
    message: String,
    causes: Vec<String>,
}

/// A trial that is not started yet.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) command: Command,
    folder: TempDir,
}

/// The check was interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One trial.
    pub(crate) each: Duration,
    /// All of them.
    pub(crate) all: Duration,
    start: Instant,
}

impl Limits {
    pub(crate) fn new(each: Duration, all: Duration) -> Limits {
        Limits {
            each,
            all,
            start: Instant::now(),
        }
    }

    /// Whether there is no time left for anything.
    pub(crate) fn are_over(&self) -> bool {
        self.start.elapsed() >= self.all
    }

    /// What is said of a trial that is cut off now.
    fn late(&self) -> String {
        match self.are_over() {
            true => format!("the check may take {} in all", seconds(self.all)),
            false => format!("no end within {}", seconds(self.each)),
        }
    }
}

/// A span for people: `10 s`, `0.5 s`.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

/// How a trial ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: Printed,
    pub(crate) said: Printed,
    error: Option<TrialError>,
}

impl Ended {
    /// Why the trial failed: its error with all causes, or what else it said.
    pub(crate) fn why(&self) -> String {
        match &self.error {
            Some(error) => {
                let causes = error.causes.iter().map(String::as_str);
                let all = std::iter::once(error.message.as_str()).chain(causes);
                all.collect::<Vec<_>>().join(": ")
            }
            None => {
                let last = self.said.last_line();
                last.unwrap_or_else(|| format!("it ended with {}", self.status))
            }
        }
    }
}

/// What came out of a process on one stream.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// The end of it.
    pub(crate) tail: Vec<u8>,
}

impl Printed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }

    /// The last line that has something in it.
    pub(crate) fn last_line(&self) -> Option<String> {
        let text = self.text();
        let mut lines = text.lines().rev();
        lines.find(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.tail.extend_from_slice(bytes);
        let spare = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..spare);
    }
}

/// Makes an interrupt end the trial that runs, rather than this program on the spot: it has a folder to remove.
pub(crate) fn heed_interrupts() -> anyhow::Result<()> {
    crate::interrupt::Interrupts::catch(|| INTERRUPTED.store(true, Ordering::Relaxed)).map(drop)
}

impl Trial {
    /// A trial by this program, whose arguments are still to be added.
    pub(crate) fn new(program: &Path) -> anyhow::Result<Trial> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.arg(TRIAL_COMMAND).arg(error_file(&folder));
        Ok(Trial { command, folder })
    }

    /// Makes a folder that is removed after the trial.
    pub(crate) fn home(&self) -> anyhow::Result<PathBuf> {
        let home = self.folder.path().join("home");
        std::fs::create_dir(&home)?;
        Ok(home)
    }
}

/// In the process of a trial: ends it when whoever started it has gone. Gives the arguments without the mark.
pub(crate) fn take_part(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.len() > 2 && arguments.get(1).is_some_and(|word| word == TRIAL_COMMAND) {
        *lock(&ERROR_FILE) = arguments.drain(1..3).next_back().map(PathBuf::from);
        #[cfg(unix)]
        std::thread::spawn(|| {
            use std::os::fd::AsFd;
            // Read beside the program's own standard input, which others may want to lock.
            let stdin = std::io::stdin().as_fd().try_clone_to_owned();
            if let Ok(stdin) = stdin {
                // Nothing is ever sent: what can be read is the end.
                let _ = std::io::copy(&mut std::fs::File::from(stdin), &mut std::io::sink());
                #[expect(clippy::exit, reason = "nobody is left to try anything for")]
                std::process::exit(1);
            }
        });
    }
    arguments
}

/// In the process of a trial: hands its first error to the check. Elsewhere it does nothing.
pub(crate) fn tell_error(failure: &Failure) {
    if let Some(file) = lock(&ERROR_FILE).take() {
        let error = TrialError {
            message: failure.message.clone(),
            causes: failure.causes.clone(),
        };
        // The check falls back on what is printed.
        let _ = std::fs::write(file, serde_json::to_vec(&error).unwrap_or_default());
    }
}

/// Does something that cannot be stopped, unless an interrupt comes first.
pub(crate) fn unless_interrupted<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let (tell, told) = channel();
    let worker = std::thread::spawn(move || {
        let _ = tell.send(work());
    });
    loop {
        match told.recv_timeout(TICK) {
            Ok(done) => return Ok(done),
            Err(_) if INTERRUPTED.load(Ordering::Relaxed) => return Err(Interrupted.into()),
            Err(_) if worker.is_finished() => {
                return told.try_recv().map_err(|_| anyhow::anyhow!("it was given up"));
            }
            Err(_) => {}
        }
    }
}

/// Runs a trial. It is ended when it takes too long or prints too much, and then the error says so, with the last
/// line that it printed where that tells what it was doing.
pub(crate) fn run(trial: Trial, limits: &Limits, tells: bool) -> anyhow::Result<Ended> {
    let end = Instant::now() + limits.each;
    let Trial { mut command, folder } = trial;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let count = Arc::new(AtomicU64::new(0));
    let out = follow(child.stdout.take(), &count);
    let said = follow(child.stderr.take(), &count);
    let cut_off = |child: &mut Child, why: String| {
        end_now(child);
        let doing = printed(&out).last_line().filter(|_| tells);
        match doing {
            Some(doing) => anyhow::anyhow!("`{doing}`: {why}"),
            None => anyhow::anyhow!(why),
        }
    };
    let too_much = || count.load(Ordering::Relaxed) > MOST;
    let status = loop {
        match child.try_wait()? {
            // Its reader may have stopped it.
            Some(status) if !too_much() => break status,
            _ => {}
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            end_now(&mut child);
            return Err(Interrupted.into());
        }
        if too_much() {
            let why = format!("it printed more than {} MiB", MOST >> 20);
            return Err(cut_off(&mut child, why));
        }
        if Instant::now() >= end || limits.are_over() {
            return Err(cut_off(&mut child, limits.late()));
        }
        std::thread::sleep(TICK);
    };
    Ok(Ended {
        status,
        out: printed(&out),
        said: printed(&said),
        error: read_error(&folder),
    })
}

fn error_file(folder: &TempDir) -> PathBuf {
    folder.path().join("error.json")
}

fn read_error(folder: &TempDir) -> Option<TrialError> {
    serde_json::from_slice(&std::fs::read(error_file(folder)).ok()?).ok()
}

/// Ends a trial; what it has started notices that by its pipes.
fn end_now(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a stream as it comes, up to the limit, and hands over what it was at its end.
fn follow(stream: Option<impl Read + Send + 'static>, count: &Arc<AtomicU64>) -> Receiver<Printed> {
    let (tell, told) = channel();
    let count = Arc::clone(count);
    std::thread::spawn(move || {
        let mut printed = Printed::default();
        let mut part = vec![0; 16 << 10];
        let mut stream = stream;
        // Beyond the limit nothing is read: whoever writes on has to wait until it is ended.
        while count.load(Ordering::Relaxed) <= MOST {
            let read = stream.as_mut().map_or(Ok(0), |stream| stream.read(&mut part));
            let bytes = match read {
                Ok(length @ 1..) => part.get(..length).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                _ => break,
            };
            count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            printed.take(bytes);
        }
        let _ = tell.send(printed);
    });
    told
}

fn printed(told: &Receiver<Printed>) -> Printed {
    told.recv_timeout(LAST_WORDS).unwrap_or_default()
}
