//! Keeping the directory below its limit in a background thread, since walking a large directory takes seconds.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use super::entries::{Entries, Key, Layout};

/// How long a put waits for a walk. In a small directory the walk ends within it, and the limit applies at once.
const PATIENCE: Duration = Duration::from_millis(100);
/// After a long walk, the next one starts after this many times its duration.
const REST: u32 = 100;
/// How long the end of a run waits for the running walk, and then for a last one if that is expected to be as quick.
const LAST: Duration = Duration::from_millis(500);

/// The running walk, if any, and when the next one may start.
#[derive(Default)]
pub(super) struct Pruning {
    running: Option<(Instant, Receiver<()>)>,
    not_before: Option<Instant>,
    /// How long the last walk took.
    took: Duration,
    /// What the next walk is about, if one was due and did not start.
    due: Option<(Entries, u64)>,
}

impl Pruning {
    /// Starts a walk, unless one is running or has just ended. Its errors are ignored, since the next walk tries again.
    pub(super) fn start(&mut self, entries: &Entries, max_bytes: u64) {
        self.wait(Duration::ZERO);
        let rested = self.not_before.is_none_or(|time| Instant::now() >= time);
        if self.running.is_some() || !rested {
            self.due = Some((entries.clone(), max_bytes));
            return;
        }
        self.due = None;
        self.walk(entries, max_bytes);
        self.wait(PATIENCE);
    }

    fn walk(&mut self, entries: &Entries, max_bytes: u64) {
        let (entries, (done, finished)) = (entries.clone(), channel());
        let thread = std::thread::Builder::new()
            .name("itch-cache-prune".to_owned())
            .spawn(move || {
                let _ = prune(&entries, max_bytes);
                let _ = done.send(());
            });
        if thread.is_ok() {
            self.running = Some((Instant::now(), finished));
        }
    }

    /// Waits for the running walk, up to `longest`.
    fn wait(&mut self, longest: Duration) {
        let Some((started, finished)) = &self.running else {
            return;
        };
        if finished.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
            return;
        }
        self.took = started.elapsed();
        self.not_before = match self.took > PATIENCE {
            true => Instant::now().checked_add(self.took.saturating_mul(REST)),
            false => None,
        };
        self.running = None;
    }
}

impl Drop for Pruning {
    /// On a busy machine a walk through a small directory can be a long one. What was put since then is checked here, so
    /// that the limit holds at the end of a run.
    fn drop(&mut self) {
        let Some((entries, max_bytes)) = self.due.take() else {
            return self.wait(PATIENCE);
        };
        self.wait(LAST);
        if self.running.is_none() && self.took <= LAST {
            self.walk(&entries, max_bytes);
            self.wait(LAST);
        }
    }
}

/// How far the clocks of machines that share a directory may differ: a value of a later time is from the future.
const SKEW: Duration = Duration::from_secs(60);

/// Removes the oldest values if there are too many bytes, until four fifths of the limit are left.
fn prune(entries: &Entries, max_bytes: u64) -> io::Result<()> {
    let mut stored = Vec::new();
    entries.walk_new(&mut |entry| {
        stored.push((entry.modified, entry.bytes, entry.key));
        ControlFlow::Continue(())
    })?;
    let mut bytes: u64 = stored.iter().map(|(_, bytes, _)| bytes).sum();
    if bytes <= max_bytes {
        return Ok(());
    }
    // Those from the future are not used, so they go first, with those of unknown age.
    let now = SystemTime::now();
    for (modified, ..) in &mut stored {
        *modified = modified.filter(|time| time.duration_since(now).is_ok_and(|ahead| ahead <= SKEW) || *time <= now);
    }
    stored.sort_unstable();
    for (_, size, key) in stored {
        if bytes <= max_bytes - max_bytes / 5 {
            break;
        }
        // Also counted if another process has removed the file in the meantime.
        if let Ok(key) = Key::new(&key) {
            entries.remove(key, Layout::New)?;
        }
        bytes -= size;
    }
    Ok(())
}
