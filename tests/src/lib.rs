//! Code shared by the suite and the benchmarks: the built binary in a clean environment, a sandbox process, a folder.
//!
//! The suite runs the real program over real sockets and compares its whole output. This crate may import everything
//! that it tests; no other crate imports it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

pub mod accounts;
pub mod damage;
pub mod fixtures;
pub mod http;
pub mod matrix;
mod old_kernel;
mod requests;
pub mod servers;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};

pub use requests::Requests;
pub use rustix::process::Signal;

use itch_caches as _;
use itch_renderers as _;
use itch_reports as _;

/// The time limit for every process of a test.
const PATIENCE: Duration = Duration::from_secs(120);

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// The binary under test: `ITCH_BIN`, or one that is built at the first call.
pub fn binary() -> &'static Path {
    BINARY.get_or_init(|| match std::env::var_os("ITCH_BIN") {
        Some(path) => PathBuf::from(path),
        None => build(&["build", "--package", "itch"], "debug"),
    })
}

/// Sets another binary, before the first use of one.
pub fn use_binary(path: PathBuf) {
    BINARY.set(path).expect("the binary is not in use yet");
}

/// Whether `tests/run` has built everything that a test would ask cargo for.
pub fn all_is_built() -> bool {
    std::env::var_os("ITCH_ALL_BUILT").is_some()
}

/// Builds the program and says where it is.
pub fn build(arguments: &[&str], profile: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "the binary could not be built");
    target()
        .join(profile)
        .join(format!("itch{}", std::env::consts::EXE_SUFFIX))
}

/// The target folder of cargo.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A temporary folder for one test, and commands that run in it.
#[derive(Debug)]
pub struct Folder {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    /// Whether the kernel seems to know no confinement.
    old_kernel: bool,
}

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Folder {
    /// Creates an empty folder. Everything that itch writes by default goes below it.
    pub fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("HOME", "home"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
        ]
        .map(|(name, place)| (name.to_owned(), folder.path().join(place).display().to_string()));
        let mut folder = Folder {
            folder,
            variables: variables.into(),
            old_kernel: false,
        };
        // Otherwise the simulated data are those of today.
        let day = itch_sandbox::Day::default().to_string();
        folder.variables.insert("ITCH_SANDBOX_DAY".to_owned(), day);
        if let Some(packs) = Packs::get() {
            packs.settle(&mut folder);
        }
        folder
    }

    /// Makes every command use a sandbox process.
    pub fn at(mut self, sandbox: &Sandbox) -> Folder {
        self.variables.extend(sandbox.variables.clone());
        self
    }

    /// Sets a variable for every command.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Folder {
        self.variables
            .insert(name.to_owned(), value.as_ref().to_str().unwrap().to_owned());
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Reads a file in the folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A command that inherits only the search path from the environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.old_kernel {
            old_kernel::hide_confinement(&mut command);
        }
        command
    }

    /// The environment variables of every command.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Runs itch and waits for it.
    pub fn itch(&self, arguments: &[&str]) -> RunResult {
        self.itch_reading("", arguments)
    }

    /// Runs itch with a text on standard input.
    pub fn itch_reading(&self, input: &str, arguments: &[&str]) -> RunResult {
        let start = Instant::now();
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let mut ran = self.ran(wait(child), arguments);
        ran.elapsed = start.elapsed();
        writer.join().unwrap();
        ran
    }

    /// Waits for a process that was started with [`Folder::command`].
    pub fn ran(&self, output: Output, arguments: &[&str]) -> RunResult {
        RunResult {
            arguments: arguments.join(" "),
            folder: self.folder.path().display().to_string(),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            elapsed: Duration::ZERO,
        }
    }

    /// Runs an itch command line as it is written in a document: words are split at spaces, quotes are respected.
    pub fn line(&self, line: &str) -> RunResult {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words.first(), Some(&"itch"), "{line}");
        self.itch(&words[1..])
    }
}

/// The plugins for testing a program without built-in units, in the directories of `ITCH_PLUGIN_PATH`.
struct Packs {
    path: String,
    /// The index and the lock file after these plugins were used, as files below a folder.
    known: Vec<(&'static str, Vec<u8>)>,
}

impl Packs {
    fn get() -> Option<&'static Packs> {
        static PACKS: OnceLock<Option<Packs>> = OnceLock::new();
        thread_local! {
            static LEARNING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        }
        // The folder that creates these files must not use them itself.
        if LEARNING.get() {
            return None;
        }
        LEARNING.set(true);
        let packs = PACKS.get_or_init(|| {
            let path = std::env::var("ITCH_PLUGIN_PATH").ok()?;
            let folder = Folder::new().variable("ITCH_PLUGIN_PATH", &path);
            for pack in std::fs::read_dir(&path).unwrap() {
                let pack = pack.unwrap().path();
                folder
                    .itch(&["plugins", "trust", "--allow", pack.to_str().unwrap()])
                    .exits(0);
            }
            let known = ["cache/itch/plugins.json", "data/itch/plugins.lock"];
            let known = known.map(|name| (name, std::fs::read(folder.path(name)).unwrap()));
            Some(Packs {
                path,
                known: known.into(),
            })
        });
        LEARNING.set(false);
        packs.as_ref()
    }

    fn settle(&self, folder: &mut Folder) {
        folder
            .variables
            .insert("ITCH_PLUGIN_PATH".to_owned(), self.path.clone());
        for (name, bytes) in &self.known {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}

/// The output of `plugins list --json` in a folder.
pub fn units_of(folder: &Folder) -> Vec<serde_json::Value> {
    let list = folder.itch(&["plugins", "list", "--json"]);
    serde_json::from_str(&list.succeeds().stdout).unwrap()
}

/// The same command, run by another program: `nice`, or a shell that sets limits.
pub fn behind(program: &[&str], command: &Command) -> Command {
    let (name, arguments) = program.split_first().unwrap();
    let mut outer = Command::new(name);
    outer
        .args(arguments)
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
    outer
}

/// The files of a directory that are opened while a function runs.
pub fn opened_during(directory: &Path, work: impl FnOnce()) -> Vec<String> {
    use rustix::fs::inotify;
    use std::mem::MaybeUninit;
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, directory, inotify::WatchFlags::OPEN).unwrap();
    work();
    let mut opened = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); 64 << 10];
    let mut events = inotify::Reader::new(watch, &mut buffer);
    while let Ok(event) = events.next() {
        if let Some(name) = event.file_name() {
            opened.push(name.to_str().unwrap().to_owned());
        }
    }
    opened.sort();
    opened.dedup();
    opened
}

/// Splits a simple command line; single and double quotes keep spaces.
pub fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (None, ' ') => words.push(String::new()),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Waits for a process; one that hangs is killed and fails the test.
pub fn wait(mut child: Child) -> Output {
    let id = child.id();
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let stdout = read(stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(stderr.take().map(|pipe| Box::new(pipe) as _));
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > end => {
                let _ = child.kill();
                panic!("process {id} hung");
            }
            None => std::thread::sleep(Duration::from_millis(3)),
        }
    };
    Output {
        status,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct RunResult {
    arguments: String,
    folder: String,
    /// The exit code; -1 if it was killed by a signal.
    pub code: i32,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// How long it ran, if [`Folder::itch`] ran it.
    pub elapsed: Duration,
}

impl RunResult {
    /// The exit code and all output as one text, for a snapshot: ports and the folder's name, which differ in each run,
    /// are replaced.
    pub fn all(&self) -> String {
        let text = format!("exit code: {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        without_ports(&text.replace(&self.folder, "[FOLDER]"))
    }

    /// The same for a report that prints only rows and one verdict: the elapsed time is replaced too.
    pub fn told(&self) -> String {
        let lines = self.stderr.lines().map(|line| match line.rsplit_once(' ') {
            Some((line, "s")) => format!("{} [TIME] s\n", line.rsplit_once(' ').unwrap().0),
            _ => format!("{line}\n"),
        });
        lines.collect()
    }

    /// Fails unless the exit code is this one.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &RunResult {
        assert_eq!(self.code, code, "itch {}\n{}", self.arguments, self.brief());
        self
    }

    /// Fails unless the exit code is 0 and stderr is empty.
    #[track_caller]
    pub fn succeeds(&self) -> &RunResult {
        self.exits(0);
        assert_eq!(self.stderr, "", "itch {}", self.arguments);
        self
    }

    /// Fails unless stderr contains this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &RunResult {
        assert!(self.stderr.contains(text), "itch {} does not say `{text}`\n{}", self.arguments, self.brief());
        self
    }

    /// Fails unless the exit code is 0, stderr is empty and stdout is exactly this.
    #[track_caller]
    pub fn prints(&self, expected: &str) -> &RunResult {
        self.succeeds();
        same(&self.stdout, expected);
        self
    }

    /// The exit code and all output, without the middle of long output.
    fn brief(&self) -> String {
        let (all, shown) = (self.all(), 40);
        let lines: Vec<&str> = all.lines().collect();
        match lines.len().checked_sub(2 * shown) {
            Some(left) if left > 0 => {
                let (start, end) = (&lines[..shown], &lines[lines.len() - shown..]);
                format!("{}\n… {left} lines …\n{}", start.join("\n"), end.join("\n"))
            }
            _ => all,
        }
    }

    /// The lines of stdout.
    pub fn rows(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The cells of each line of stdout.
    pub fn cells(&self) -> Vec<Vec<&str>> {
        self.stdout.lines().map(|line| line.split('\t').collect()).collect()
    }
}

/// Replaces the port behind each loopback address.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str("127.0.0.1:[PORT]");
        out.push_str(rest);
    }
    out
}

/// Sends a signal to a process that the test started.
pub fn signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(process.try_into().unwrap()).unwrap();
    kill_process(process, signal).unwrap();
}

/// The processes that have a path in their command line or in that of the process that forked them.
pub fn processes_about(path: &Path) -> Vec<u32> {
    let path = path.to_str().unwrap();
    let about = |id: &u32| {
        let said = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&said).contains(path)
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    names.filter(about).collect()
}

/// Fails unless two outputs are equal; shows only the first line that differs.
#[track_caller]
pub fn same(left: &str, right: &str) {
    if left != right {
        let at = left.lines().zip(right.lines()).take_while(|(a, b)| a == b).count();
        let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
        let lines = (left.lines().count(), right.lines().count());
        panic!("line {at} of {lines:?} differs:\n{}\n{}", line(left), line(right));
    }
}

/// A sandbox in a separate process, which is killed on drop.
#[derive(Debug)]
pub struct Sandbox {
    child: Child,
    variables: BTreeMap<String, String>,
    /// The variables that it printed.
    pub stdout: String,
    _folder: Folder,
}

impl Sandbox {
    /// A user token without any scope.
    pub const TOKEN_WITHOUT_SCOPES: &str = "sandbox0token0without0scopes00";
    /// A token of `just_a_viewer`, who moderates no channel, with every scope.
    pub const TOKEN_VIEWER: &str = "sandbox0token0of0just0a0viewer";
    /// A token that has expired.
    pub const TOKEN_EXPIRED: &str = "sandbox0token0that0has0expired";
    /// The id of the confidential app, which needs the secret to renew tokens.
    pub const CONFIDENTIAL_CLIENT_ID: &str = "sandbox0confidential0client0id";
    /// The id of the public app, which has no secret and whose refresh tokens can be used once.
    pub const PUBLIC_CLIENT_ID: &str = "sandbox0public0client0of0itch0";
    /// The secret of the app whose id is in the variables.
    pub const CLIENT_SECRET: &str = "sandbox0client0secret0of0itch0";
}

impl Sandbox {
    /// Starts a sandbox without a rate limit.
    pub fn start(arguments: &[&str]) -> Sandbox {
        let mut all = vec!["sandbox", "--rate-limit", "off"];
        if arguments.contains(&"--rate-limit") {
            all.truncate(1);
        }
        all.extend(arguments);
        let folder = Folder::new();
        let stdout = std::fs::File::create(folder.path("stdout")).unwrap();
        let mut child = folder.command(&all).stdout(stdout).spawn().unwrap();
        // Its last line means that it has printed everything.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(said.starts_with("serving on"), "itch sandbox says: {said}");
        let stdout = folder.read("stdout");
        let pair = |line: &'_ str| -> Option<(String, String)> {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
            Some((name.to_owned(), value.to_owned()))
        };
        let pairs = stdout.lines().map(|line| pair(line).expect("export NAME='value'"));
        Sandbox {
            child,
            variables: pairs.collect(),
            stdout,
            _folder: folder,
        }
    }

    /// The variables that make a client use it.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The process id, for measurements.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address that it listens on: `127.0.0.1:8080`.
    pub fn address(&self) -> &str {
        let base = self.variables["TWITCH_HELIX_URL"].strip_prefix("http://");
        base.unwrap().split('/').next().unwrap()
    }

    /// What happened to codes and tokens, in order.
    pub fn token_events(&self) -> Vec<serde_json::Value> {
        let events = http::get(self.address(), "/sandbox/tokens", &[]).json();
        events.as_array().expect("a list").clone()
    }

    /// How many requests it answered, in total and for each path.
    pub fn requests(&self) -> Requests {
        let counts = http::get(self.address(), "/sandbox/requests", &[]).json();
        let by_path = counts["by_path"].as_object().unwrap().iter();
        Requests {
            total: counts["total"].as_u64().unwrap(),
            by_path: by_path.map(|(path, n)| (path.clone(), n.as_u64().unwrap())).collect(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a condition is true; fails if it stays false.
#[track_caller]
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < end, "{what} never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}
