//! The processes in which `itch plugins check` tests units. Their time and output are limited, and none outlives the
//! check, however that ends.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::trial_error::{self, TrialError};

/// The hidden word before the arguments of a trial; the file for its error follows.
const TRIAL_COMMAND: &str = "__trial";

/// The most bytes that a trial may print.
pub(crate) const OUTPUT_LIMIT: u64 = 16 << 20;
/// How many of the last printed bytes are kept.
const TAIL: usize = 16 << 10;
/// How often the end of a trial is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long to wait for the rest of the output after the process has ended.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Set by an interrupt, which ends the trial that runs.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

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

    /// Whether no time is left for another trial.
    pub(crate) fn are_over(&self) -> bool {
        self.start.elapsed() >= self.all
    }

    /// Why a trial is ended now.
    fn timeout_text(&self) -> String {
        match self.are_over() {
            true => format!("the time limit of the whole check is {}", seconds(self.all)),
            false => format!("it did not end within {}", seconds(self.each)),
        }
    }
}

/// A duration as text: `10 s`, `0.5 s`.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

/// How a trial ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
    error: Option<TrialError>,
}

impl Ended {
    /// Why the trial failed: its error with all causes, or its last line on stderr.
    pub(crate) fn why(&self) -> String {
        match &self.error {
            Some(error) => error.to_string(),
            None => {
                let last = self.stderr.last_line();
                last.unwrap_or_else(|| format!("it ended with {}", self.status))
            }
        }
    }
}

/// The output of a process on one stream.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// The last bytes.
    pub(crate) tail: Vec<u8>,
}

impl Printed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }

    /// The last line that is not blank.
    pub(crate) fn last_line(&self) -> Option<String> {
        let text = self.text();
        let mut lines = text.lines().rev();
        lines.find(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.tail.extend_from_slice(bytes);
        let spare = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..spare);
    }
}

/// Makes an interrupt end the running trial instead of this program, which has a folder to remove.
pub(crate) fn catch_interrupts() -> anyhow::Result<()> {
    crate::interrupt::Interrupts::catch(|| INTERRUPTED.store(true, Ordering::Relaxed)).map(drop)
}

impl Trial {
    /// A trial by this program, whose arguments are still to be added.
    pub(crate) fn new(program: &Path) -> anyhow::Result<Trial> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.arg(TRIAL_COMMAND).arg(trial_error::file_in(folder.path()));
        // What it leaves if it is killed, such as the directories of its plugins, is removed with the folder.
        command.env("TMPDIR", folder.path());
        Ok(Trial { command, folder })
    }

    /// Makes a folder that is removed after the trial.
    pub(crate) fn home(&self) -> anyhow::Result<PathBuf> {
        let home = self.folder.path().join("home");
        std::fs::create_dir(&home)?;
        Ok(home)
    }
}

/// In the process of a trial: ends it when the process that started it ends. Returns the arguments without the hidden
/// words.
pub(crate) fn end_with_parent(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.len() > 2 && arguments.get(1).is_some_and(|word| word == TRIAL_COMMAND) {
        trial_error::write_to(arguments.drain(1..3).next_back().map(PathBuf::from));
        #[cfg(unix)]
        std::thread::spawn(|| {
            use std::os::fd::AsFd;
            // A copy of the handle: the lock of standard input stays free for others.
            let stdin = std::io::stdin().as_fd().try_clone_to_owned();
            if let Ok(stdin) = stdin {
                // Nothing is ever sent: the read ends when the other process ends.
                let _ = std::io::copy(&mut std::fs::File::from(stdin), &mut std::io::sink());
                #[expect(clippy::exit, reason = "the process that wanted the result has ended")]
                std::process::exit(1);
            }
        });
    }
    arguments
}

/// Runs work that cannot be stopped, and returns at its end or at an interrupt.
pub(crate) fn unless_interrupted<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || {
        let _ = sender.send(work());
    });
    loop {
        match receiver.recv_timeout(POLL_INTERVAL) {
            Ok(done) => return Ok(done),
            Err(_) if INTERRUPTED.load(Ordering::Relaxed) => return Err(Interrupted.into()),
            Err(_) if worker.is_finished() => {
                return receiver
                    .try_recv()
                    .map_err(|_| anyhow::anyhow!("the work ended without a result"));
            }
            Err(_) => {}
        }
    }
}

/// Runs a trial. If it takes too long or prints too much, it is ended, and that is the error. With `says_what`, the
/// last line on stdout is the step that it was doing, and is added to the error.
pub(crate) fn run(trial: Trial, limits: &Limits, says_what: bool) -> anyhow::Result<Ended> {
    let end = Instant::now() + limits.each;
    let Trial { mut command, folder } = trial;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let count = Arc::new(AtomicU64::new(0));
    let stdout = read_stream(child.stdout.take(), &count);
    let stderr = read_stream(child.stderr.take(), &count);
    let cut_off = |child: &mut Child, why: String| {
        end_now(child);
        let doing = collected(&stdout).last_line().filter(|_| says_what);
        match doing {
            Some(doing) => anyhow::anyhow!("`{doing}`: {why}"),
            None => anyhow::anyhow!(why),
        }
    };
    let too_much = || count.load(Ordering::Relaxed) > OUTPUT_LIMIT;
    let status = loop {
        match child.try_wait()? {
            // If it printed too much, it may have ended because its output was not read any more.
            Some(status) if !too_much() => break status,
            _ => {}
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            end_now(&mut child);
            return Err(Interrupted.into());
        }
        if too_much() {
            let why = format!("it printed more than {} MiB", OUTPUT_LIMIT >> 20);
            return Err(cut_off(&mut child, why));
        }
        if Instant::now() >= end || limits.are_over() {
            return Err(cut_off(&mut child, limits.timeout_text()));
        }
        std::thread::sleep(POLL_INTERVAL);
    };
    Ok(Ended {
        status,
        stdout: collected(&stdout),
        stderr: collected(&stderr),
        error: TrialError::read(folder.path()),
    })
}

/// Ends a trial. The processes that it started see that their pipes are closed.
fn end_now(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a stream up to the limit, and sends the result at its end.
fn read_stream(stream: Option<impl Read + Send + 'static>, count: &Arc<AtomicU64>) -> Receiver<Printed> {
    let (sender, receiver) = channel();
    let count = Arc::clone(count);
    std::thread::spawn(move || {
        let mut printed = Printed::default();
        let mut part = vec![0; 16 << 10];
        let mut stream = stream;
        // Above the limit nothing is read: a process that still writes is blocked until it is ended.
        while count.load(Ordering::Relaxed) <= OUTPUT_LIMIT {
            let read = stream.as_mut().map_or(Ok(0), |stream| stream.read(&mut part));
            let bytes = match read {
                Ok(length @ 1..) => part.get(..length).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                _ => break,
            };
            count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            printed.take(bytes);
        }
        let _ = sender.send(printed);
    });
    receiver
}

fn collected(receiver: &Receiver<Printed>) -> Printed {
    receiver.recv_timeout(OUTPUT_TIMEOUT).unwrap_or_default()
}
