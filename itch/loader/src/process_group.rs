//! The process group of a plugin: a process and everything that it starts. All of them end together.
//!
//! The system may reuse a group's id once all its processes have ended and the first was waited for. So that no
//! unrelated process is killed, the group is killed before that: the end of the first process is detected without
//! reaping it. A process that starts its own session leaves the group and is not killed; where plugins are confined,
//! none can start one.

use std::io::{self, PipeReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use itch_api::sync::lock;
use tempfile::TempDir;

use crate::confine::memory_was_refused;

/// The maximum capacity of a pipe on Linux: this much can still be in it when its writer has ended.
const PIPE_CAPACITY: usize = 1 << 20;

/// All running groups, for [`kill_all`].
static RUNNING: Mutex<Vec<Weak<Mutex<Leader>>>> = Mutex::new(Vec::new());

/// Set when the program is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A running process and everything that it has started.
#[derive(Clone, Debug)]
pub(crate) struct ProcessGroup(Arc<Mutex<Leader>>);

#[derive(Debug)]
struct Leader {
    child: Child,
    /// Whether it was reaped: its id may have been reused.
    reaped: bool,
    status: Option<ExitStatus>,
    /// The most memory that it used, in bytes; 0 if that is not known.
    memory: u64,
    /// Whether it asked for more memory than its limit.
    refused: bool,
    /// Its own directory, which is removed after it has ended.
    folder: Option<TempDir>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) status: Option<ExitStatus>,
    /// Whether it was killed because it did not end by itself.
    pub(crate) forced: bool,
    /// The most memory that it used, in bytes; 0 if that is not known.
    pub(crate) memory: u64,
    /// Whether it asked for more memory than its limit.
    pub(crate) refused: bool,
}

/// A process that was just started, and this side of its pipes.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) group: ProcessGroup,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: OutputPipe,
    pub(crate) stderr: Option<ChildStderr>,
}

impl ProcessGroup {
    /// Starts a process with pipes to and from it, which then starts a session, and so a process group. `folder` is
    /// removed after its end.
    pub(crate) fn start(command: &mut Command, folder: Option<TempDir>) -> io::Result<Started> {
        let (ended, exit_signal) = io::pipe()?;
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = ProcessGroup(Arc::new(Mutex::new(Leader {
            child,
            reaped: false,
            status: None,
            memory: 0,
            refused: false,
            folder,
        })));
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            group.reap(Duration::ZERO);
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut running = lock(&RUNNING);
        running.retain(|known| known.strong_count() > 0);
        running.push(Arc::downgrade(&group.0));
        drop(running);
        let watched = group.clone();
        std::thread::spawn(move || {
            watched.wait();
            // Processes that it started may hold its pipes open, so that their end is never seen.
            lock(&watched.0).kill();
            drop(exit_signal);
        });
        let stdout = OutputPipe {
            stdout,
            ended,
            left: None,
        };
        Ok(Started {
            group,
            stdin,
            stdout,
            stderr,
        })
    }

    /// Waits until the first process has ended, without reaping it.
    fn wait(&self) {
        #[cfg(unix)]
        {
            let Some(leader) = lock(&self.0).number() else {
                return;
            };
            while unix::ended(leader, true) == Err(rustix::io::Errno::INTR) {}
        }
        #[cfg(not(unix))]
        while !lock(&self.0).has_ended() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills all processes of the group.
    pub(crate) fn kill(&self) {
        lock(&self.0).kill();
    }

    /// Waits up to `grace` for the first process to end by itself, then kills the group.
    pub(crate) fn reap(&self, grace: Duration) -> Exit {
        let end = Instant::now() + grace;
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(ended) = lock(&self.0).reap(Instant::now() >= end) {
                return ended;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

impl Leader {
    fn has_ended(&mut self) -> bool {
        #[cfg(unix)]
        {
            // An error means that there is no process to wait for.
            let number = self.number();
            self.reaped || number.is_none_or(|leader| unix::ended(leader, false) != Ok(false))
        }
        #[cfg(not(unix))]
        {
            !matches!(self.child.try_wait(), Ok(None))
        }
    }

    #[cfg(unix)]
    fn number(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }

    fn kill(&mut self) {
        if self.reaped {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = self.number() {
            // The process is the leader, so its id is that of the group. It may not have become the leader yet, so both
            // are killed.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
    }

    fn reap(&mut self, force: bool) -> Option<Exit> {
        let mut forced = false;
        if !self.reaped {
            forced = !self.has_ended();
            if forced && !force {
                return None;
            }
            self.kill();
            (self.status, self.memory) = wait(&mut self.child);
            self.reaped = true;
            let folder = self.folder.take();
            self.refused = folder.is_some_and(|folder| memory_was_refused(folder.path()));
        }
        Some(Exit {
            status: self.status,
            forced,
            memory: self.memory,
            refused: self.refused,
        })
    }
}

/// Waits for the end of a process. Returns its status and the most memory that it used.
fn wait(child: &mut Child) -> (Option<ExitStatus>, u64) {
    #[cfg(target_os = "linux")]
    {
        use wait4::Wait4;
        let ended = child.wait4().ok();
        ended.map_or((None, 0), |ended| (Some(ended.status), ended.rusage.maxrss))
    }
    #[cfg(not(target_os = "linux"))]
    (child.wait().ok(), 0)
}

#[cfg(unix)]
mod unix {
    use rustix::io::Errno;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    /// Whether a child has ended; with `waiting`, blocks until it has. The child is not reaped.
    pub(super) fn ended(child: Pid, waiting: bool) -> Result<bool, Errno> {
        let mut options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if !waiting {
            options |= WaitIdOptions::NOHANG;
        }
        waitid(WaitId::Pid(child), options).map(|status| status.is_some())
    }
}

/// Kills every process of a plugin and everything that they started, just before the program exits. These ends are not
/// reported.
pub fn kill_all() {
    ENDING.store(true, Ordering::SeqCst);
    for group in lock(&RUNNING).iter().filter_map(Weak::upgrade) {
        let mut leader = lock(&group);
        leader.kill();
        leader.folder = None;
    }
}

/// The output of a process. It ends when the process has ended and what it wrote was read, even if another process that
/// left the group holds the pipe open.
#[derive(Debug)]
pub(crate) struct OutputPipe {
    stdout: ChildStdout,
    ended: PipeReader,
    /// How many bytes may still be in the pipe after the process has ended.
    left: Option<usize>,
}

impl OutputPipe {
    /// Waits for something to read; false at the end.
    #[cfg(unix)]
    fn wait(&mut self) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            let stdout = PollFd::new(&self.stdout, PollFlags::IN);
            let ended = PollFd::new(&self.ended, PollFlags::IN);
            let mut both = [stdout, ended];
            let polled = match self.left {
                None => poll(&mut both, None),
                Some(_) => poll(&mut both[..1], Some(&AT_ONCE)),
            };
            match polled {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            match (both[0].revents().is_empty(), self.left) {
                (false, _) => return Ok(true),
                (true, Some(_)) => return Ok(false),
                // The process has ended; what it wrote is in the pipe.
                (true, None) => self.left = Some(PIPE_CAPACITY),
            }
        }
    }

    #[cfg(not(unix))]
    fn wait(&mut self) -> io::Result<bool> {
        let _ = &self.ended;
        Ok(true)
    }
}

impl Read for OutputPipe {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let more = self.wait()?;
        // The group was killed by `kill_all`: nothing is reported, since the program is about to end.
        while ENDING.load(Ordering::SeqCst) {
            std::thread::park();
        }
        if !more {
            return Ok(0);
        }
        let most = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        let read = self.stdout.read(bytes.get_mut(..most).unwrap_or_default())?;
        self.left = self.left.map(|left| left - read);
        Ok(read)
    }
}
