//! The process group of a plugin: a process together with everything that it starts. They end together, whatever the
//! first of them does.
//!
//! A group keeps its number only as long as somebody of it is left or its first process has not been waited for. So
//! that no stranger is hit, the group is ended before that: the end of the first process is noticed without waiting
//! for it. A process that begins a session of its own leaves the group, and is out of reach.

use std::io::{self, PipeReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use itch_api::sync::lock;

/// How much a pipe holds at most, by what Linux allows: so much can still be in it when its writer has ended.
const PIPE_CAPACITY: usize = 1 << 20;

/// All that run, for [`kill_all`].
static RUNNING: Mutex<Vec<Weak<Mutex<Leader>>>> = Mutex::new(Vec::new());

/// The program is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A running process and all that it has started.
#[derive(Clone, Debug)]
pub(crate) struct ProcessGroup(Arc<Mutex<Leader>>);

#[derive(Debug)]
struct Leader {
    child: Child,
    /// It was waited for: its number may be somebody else's by now.
    reaped: bool,
    status: Option<ExitStatus>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) status: Option<ExitStatus>,
    /// It did not end by itself.
    pub(crate) forced: bool,
}

/// A process that was just started, and our ends of its pipes.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) group: ProcessGroup,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: OutputPipe,
    pub(crate) stderr: Option<ChildStderr>,
}

impl ProcessGroup {
    /// Starts a process, which must be the first of a group of its own, with pipes to and from it.
    pub(crate) fn start(command: &mut Command) -> io::Result<Started> {
        let (ended, exit_signal) = io::pipe()?;
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = ProcessGroup(Arc::new(Mutex::new(Leader {
            child,
            reaped: false,
            status: None,
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
            // What it leaves behind holds its pipes open, and nobody would ever see their end.
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

    /// Waits until the first process has ended; it can be asked for its status afterwards.
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

    /// Ends all of them.
    pub(crate) fn kill(&self) {
        lock(&self.0).kill();
    }

    /// Waits for the first process to end by itself, for so long; then ends all of them.
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
            // An error means that there is nobody to wait for.
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
            // It is its group's first, so the number is the group's; it may have left the group, so both are ended.
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
            self.status = self.child.wait().ok();
            self.reaped = true;
        }
        Some(Exit {
            status: self.status,
            forced,
        })
    }
}

#[cfg(unix)]
mod unix {
    use rustix::io::Errno;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    /// Whether a child has ended, after `waiting` until it has. It can be waited for afterwards.
    pub(super) fn ended(child: Pid, waiting: bool) -> Result<bool, Errno> {
        let mut options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if !waiting {
            options |= WaitIdOptions::NOHANG;
        }
        waitid(WaitId::Pid(child), options).map(|status| status.is_some())
    }
}

/// Ends every process of a plugin, and all that these started, for a program that ends right behind this: nobody else
/// hears of these deaths.
pub fn kill_all() {
    ENDING.store(true, Ordering::SeqCst);
    for group in lock(&RUNNING).iter().filter_map(Weak::upgrade) {
        lock(&group).kill();
    }
}

/// What a process writes, to its end. The end has come when the process has, even if somebody who left the group
/// holds the pipe open: what was written before is read still.
#[derive(Debug)]
pub(crate) struct OutputPipe {
    stdout: ChildStdout,
    ended: PipeReader,
    /// How many bytes may follow now that the process has ended.
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
                // It has ended; what it wrote is in the pipe by now.
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
        // We ended it ourselves: there is nothing to be said of it, and the program ends meanwhile.
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
