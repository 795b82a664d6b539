//! The host's side of the process that a unit runs in: starting it with few environment variables, reading its
//! messages, and ending it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Result};
use itch_plugin::LogLevel;
use itch_plugin::spec::SECRET_VARIABLES;
use tempfile::TempDir;

use crate::Log;
use crate::confine::Confinement;
use crate::frame::{self, Frame, Kind};
use crate::job::{Launch, Work, json};
use crate::process_group::{OutputPipe, ProcessGroup, Started};

/// The environment variables that every plugin gets, in addition to those that it declares.
const ENVIRONMENT: [&str; 24] = [
    "COLORTERM",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "LOGNAME",
    "NO_COLOR",
    "PATH",
    "RUST_BACKTRACE",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// The variables for places to write to, which name the plugin's own directory.
#[cfg(target_os = "linux")]
const TEMPORARY: [&str; 4] = ["TEMP", "TMP", "TMPDIR", "XDG_CACHE_HOME"];

/// The hidden command that runs this program as the process of a unit.
pub const HOST_COMMAND: &str = "__host";
/// The hidden command that runs this program to inspect a file.
pub const PROBE_COMMAND: &str = "__probe";

/// How long a unit may take to stop after it was told to.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// How often the watchdog checks whether the process should stop.
const TICK: Duration = Duration::from_millis(25);
/// The maximum length of a line that a plugin prints.
const LONGEST_LINE: u64 = 4096;

/// The pipe to the process, shared by all threads that send frames.
pub(crate) type SharedStdin = Arc<Mutex<ChildStdin>>;

/// A running process of a unit.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) launch: Launch,
    group: ProcessGroup,
    stdin: SharedStdin,
    stdout: BufReader<OutputPipe>,
    stderr: StderrLog,
}

/// A command that runs this program for a plugin's file, with the environment and the confinement of a plugin, and the
/// directory that it may write to. `word` is the hidden command, `rest` its further arguments.
pub(crate) fn command(
    program: &Path,
    (word, file): (&str, &Path),
    confinement: &Confinement,
    rest: Option<&str>,
    variables: &[String],
) -> std::io::Result<(Command, Option<TempDir>)> {
    // Without a place for temporary files, the plugin can write nowhere.
    let folder = tempfile::Builder::new().prefix("itch-plugin-").tempdir().ok();
    let own = folder
        .as_ref()
        .map(|folder| std::path::absolute(folder.path()))
        .transpose()?;
    let mut command = Command::new(program);
    command.arg(word).arg(file).arg(confinement.argument(own.as_deref())?);
    let declared = variables
        .iter()
        .map(String::as_str)
        .filter(|name| !SECRET_VARIABLES.contains(name));
    let known = ENVIRONMENT.into_iter().chain(declared);
    command
        .args(rest)
        .env_clear()
        .envs(known.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Elsewhere nothing stops it from writing to the usual places.
    #[cfg(target_os = "linux")]
    for name in TEMPORARY {
        match &own {
            Some(own) => command.env(name, own),
            None => command.env_remove(name),
        };
    }
    Ok((command, folder))
}

impl Process {
    /// Starts the process and sends the job; [`Process::begin`] starts the work.
    pub(crate) fn start(launch: &Launch, work: Work, log: &Log) -> Result<Process> {
        launch.access.create_directories();
        let word = (HOST_COMMAND, launch.file.as_path());
        let command = command(&launch.program, word, &launch.confinement, Some(&launch.unit), &launch.variables);
        let started = command.and_then(|(mut command, folder)| ProcessGroup::start(&mut command, folder));
        let Started {
            group,
            stdin,
            stdout,
            stderr,
        } = started.map_err(|error| {
            let message = format!("could not start a process for the plugin `{}`", launch.plugin);
            Error::new(ErrorKind::Failed, message)
                .source_chain(&error)
                .detail(|details| details.plugin = Some(launch.plugin.clone()))
        })?;
        let process = Process {
            launch: launch.clone(),
            group,
            stdin: Arc::new(Mutex::new(stdin)),
            stdout: BufReader::with_capacity(128 << 10, stdout),
            stderr: StderrLog::start(stderr, &launch.plugin, log),
        };
        process.send(Kind::Job, 0, &[&json(&launch.job(work))?]);
        Ok(process)
    }

    /// Sends a frame. If the process has ended, reading its answer returns the error.
    pub(crate) fn send(&self, kind: Kind, number: u64, parts: &[&[u8]]) {
        send(&self.stdin, kind, number, parts);
    }

    /// Says that the input is complete, which starts the work.
    pub(crate) fn begin(&self) {
        self.send(Kind::Begin, 0, &[]);
    }

    /// The pipe to the process, for other threads that send answers.
    pub(crate) fn stdin(&self) -> SharedStdin {
        Arc::clone(&self.stdin)
    }

    /// The next frame; an error if the process has ended or sent something else. `rows` is the number of rows before
    /// it.
    pub(crate) fn read(&mut self, rows: Option<u64>) -> Result<Frame> {
        match frame::read(&mut self.stdout) {
            Ok(Some(frame)) => Ok(frame),
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                self.group.kill();
                Err(died(&self.launch.plugin, ErrorKind::Failed, "sent an invalid message", rows).source_chain(&error))
            }
            Ok(None) | Err(_) => Err(self.died(rows)),
        }
    }

    /// The error for a process that has ended too early.
    fn died(&mut self, rows: Option<u64>) -> Error {
        let end = self.group.reap(GRACE);
        if end.status.is_some_and(was_interrupted) {
            return Error::cancelled();
        }
        let how = match end.status {
            _ if end.forced => "closed its connection to itch and was killed".to_owned(),
            Some(status) => ending(status),
            None => "ended with an unknown status".to_owned(),
        };
        let mut error = died(&self.launch.plugin, ErrorKind::Failed, &how, rows)
            .hint(format!("itch plugins check {}", self.launch.file.display()));
        if let Some(line) = self.stderr.last() {
            error = error.cause(line);
        }
        if end.refused || self.launch.confinement.memory_was_close(end.memory) {
            error = out_of_memory(error, self.launch.confinement.memory);
        }
        error
    }

    /// Lets the process end, or kills it and everything that it started. An error without a cause gets the last line
    /// that the process printed.
    pub(crate) fn end<T>(self, result: Result<T>) -> Result<T> {
        let Process {
            group, stdin, stderr, ..
        } = self;
        drop(stdin);
        group.reap(GRACE);
        let last = stderr.last();
        result.map_err(|error| {
            let unexplained = error.kind == ErrorKind::Failed && error.causes.is_empty();
            match last.filter(|_| unexplained) {
                Some(line) => error.cause(line),
                None => error,
            }
        })
    }
}

/// Sends a frame to a process. Errors are ignored, see [`Process::send`].
pub(crate) fn send(stdin: &SharedStdin, kind: Kind, number: u64, parts: &[&[u8]]) {
    let _ = frame::write(&mut *lock(stdin), kind, number, parts);
}

/// The error for a plugin that ended too early: `the plugin x panicked after 1203 rows`.
pub(crate) fn died(plugin: &str, kind: ErrorKind, how: &str, rows: Option<u64>) -> Error {
    let after = match rows {
        None => String::new(),
        Some(1) => " after 1 row".to_owned(),
        Some(rows) => format!(" after {rows} rows"),
    };
    Error::of_plugin(kind, Some(plugin), format_args!("{how}{after}")).detail(|details| details.rows = rows)
}

/// Adds to an error that the plugin had used up its memory.
pub(crate) fn out_of_memory(error: Error, most: u64) -> Error {
    let most = match most % (1 << 30) {
        0 => format!("{} GiB", most >> 30),
        _ => format!("{} MiB", most >> 20),
    };
    let error = error.cause(format!("it had reached its memory limit of {most}"));
    Error {
        hint: Some("raise `memory` below `[plugins]` in config.toml".to_owned()),
        ..error
    }
}

/// Whether a process was ended by an interrupt at the terminal. That can only happen before it has left the terminal,
/// which it does first of all.
fn was_interrupted(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        let interrupt = rustix::process::Signal::INT.as_raw();
        std::os::unix::process::ExitStatusExt::signal(&status) == Some(interrupt)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// How a process ended, as a predicate.
pub(crate) fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("died of signal {signal}{}", signal_name(signal));
    }
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => "died".to_owned(),
    }
}

/// ` (SIGSEGV)` for well-known signals, whose numbers are the same on all supported systems.
#[cfg(unix)]
fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 if cfg!(target_os = "linux") => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// Reads what a plugin prints itself and passes it to the log, line by line.
#[derive(Debug)]
struct StderrLog {
    last: Arc<Mutex<Option<String>>>,
    ended: Receiver<()>,
}

impl StderrLog {
    fn start(stream: Option<impl Read + Send + 'static>, plugin: &str, log: &Log) -> StderrLog {
        let last = Arc::new(Mutex::new(None));
        let (keep, log, plugin) = (Arc::clone(&last), log.clone(), plugin.to_owned());
        let (end, ended) = channel();
        std::thread::spawn(move || {
            let _end: Sender<()> = end;
            let Some(stream) = stream else { return };
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            loop {
                line.clear();
                match (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
                let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                if !text.is_empty() {
                    log.line(LogLevel::Info, &format!("plugin {plugin} prints: {text}"));
                    *lock(&keep) = Some(text);
                }
            }
        });
        StderrLog { last, ended }
    }

    /// The last line, once the process has ended and all its lines are in the log.
    fn last(&self) -> Option<String> {
        // A process that the plugin started may hold the stream open, so the wait is limited.
        let _ = self.ended.recv_timeout(Duration::from_millis(200));
        lock(&self.last).take()
    }
}

/// Kills a process that does not stop when it should.
#[derive(Debug)]
pub(crate) struct Watchdog {
    end: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watchdog {
    /// Checks regularly whether the process should stop. It is then told once, and killed after `grace`.
    pub(crate) fn start(
        process: &Process,
        grace: Duration,
        should_stop: impl Fn() -> bool + Send + 'static,
    ) -> Watchdog {
        let (end, ended) = channel();
        let (group, stdin) = (process.group.clone(), process.stdin());
        let thread = std::thread::spawn(move || {
            let mut since = None;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
                match since {
                    None if should_stop() => {
                        since = Some(Instant::now());
                        let stdin = Arc::clone(&stdin);
                        // Sent from another thread, since writing blocks if the process does not read.
                        std::thread::spawn(move || send(&stdin, Kind::Cancel, 0, &[]));
                    }
                    Some(told) if Instant::elapsed(&told) >= grace => {
                        group.kill();
                        return true;
                    }
                    _ => {}
                }
            }
            false
        });
        Watchdog { end, thread }
    }

    /// Stops the watchdog and returns whether it had to kill the process.
    pub(crate) fn end(self) -> bool {
        drop(self.end);
        self.thread.join().unwrap_or(false)
    }
}
