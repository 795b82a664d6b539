//! Keeping the directory below its limit, beside the run: a large directory takes seconds to walk, and a put must not.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::entries::{Entries, Key, Layout};

/// So long a put waits for a walk: a small directory is done by then, and the limit holds at once.
const PATIENCE: Duration = Duration::from_millis(100);
/// After a long walk, the next one begins when so many times its length have passed.
const REST: u32 = 100;

/// The walk that is under way, if any, and when the next may begin.
#[derive(Default)]
pub(super) struct Pruning {
    running: Option<(Instant, Receiver<()>)>,
    not_before: Option<Instant>,
}

impl Pruning {
    /// Starts a walk, unless one is under way or has just been. What fails on it does no harm: the values are
    /// there, and the next walk finds them.
    pub(super) fn start(&mut self, entries: &Entries, max_bytes: u64) {
        self.wait(Duration::ZERO);
        let rested = self.not_before.is_none_or(|time| Instant::now() >= time);
        if self.running.is_some() || !rested {
            return;
        }
        let (entries, (done, finished)) = (entries.clone(), channel());
        let thread = std::thread::Builder::new()
            .name("itch-cache-prune".to_owned())
            .spawn(move || {
                let _ = prune(&entries, max_bytes);
                let _ = done.send(());
            });
        if thread.is_ok() {
            self.running = Some((Instant::now(), finished));
            self.wait(PATIENCE);
        }
    }

    /// Waits for the walk that is under way, but no longer than this.
    fn wait(&mut self, longest: Duration) {
        let Some((started, finished)) = &self.running else {
            return;
        };
        if finished.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
            return;
        }
        let took = started.elapsed();
        self.not_before = match took > PATIENCE {
            true => Instant::now().checked_add(took.saturating_mul(REST)),
            false => None,
        };
        self.running = None;
    }
}

impl Drop for Pruning {
    fn drop(&mut self) {
        self.wait(PATIENCE);
    }
}

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
    stored.sort_unstable();
    for (_, size, key) in stored {
        if bytes <= max_bytes - max_bytes / 5 {
            break;
        }
        // Also when another process that prunes was faster: the bytes are gone.
        if let Ok(key) = Key::new(&key) {
            entries.remove(key, Layout::New)?;
        }
        bytes -= size;
    }
    Ok(())
}
