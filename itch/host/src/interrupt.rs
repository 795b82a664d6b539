//! Interrupts (Ctrl-C): the first one ends a run cleanly, the second one ends the program immediately.
//!
//! The signals of a closed terminal and of `kill` count as interrupts, too. One that was ignored when the program was
//! started stays ignored, as `nohup` and shells without job control want it for processes in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Context;
use itch_api::sync::lock;

#[cfg(unix)]
use crate::inherited::is_ignored;

/// What the next interrupt calls.
type Answer = Box<dyn FnOnce() + Send>;

/// The interrupts of this program.
#[derive(Clone)]
pub(crate) struct Interrupts(Arc<State>);

struct State {
    seen: AtomicBool,
    answer: Mutex<Option<Answer>>,
}

impl State {
    fn answer(&self) -> MutexGuard<'_, Option<Answer>> {
        lock(&self.answer)
    }
}

impl Interrupts {
    /// Catches interrupts from now on; the first one calls `answer`. This can be called once per program.
    pub(crate) fn catch(answer: impl FnOnce() + Send + 'static) -> anyhow::Result<Interrupts> {
        let state = Arc::new(State {
            seen: AtomicBool::new(false),
            answer: Mutex::new(Some(Box::new(answer))),
        });
        let interrupts = Interrupts(Arc::clone(&state));
        let answered = move || {
            state.seen.store(true, Ordering::Relaxed);
            let answer = state.answer().take();
            match answer {
                Some(answer) => answer(),
                None => end_now(),
            }
        };
        watch(answered).context("could not set a handler for interrupts")?;
        Ok(interrupts)
    }

    /// The next interrupt calls `answer`, even if it is not the first.
    pub(crate) fn answer(&self, answer: impl FnOnce() + Send + 'static) {
        *self.0.answer() = Some(Box::new(answer));
    }

    /// Whether there was an interrupt.
    pub(crate) fn seen(&self) -> bool {
        self.0.seen.load(Ordering::Relaxed)
    }
}

/// Calls `answered` at each interrupt, in a thread of its own.
#[cfg(unix)]
fn watch(answered: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let caught: Vec<i32> = [SIGHUP, SIGINT, SIGTERM]
        .into_iter()
        .filter(|signal| !is_ignored(*signal))
        .collect();
    if caught.is_empty() {
        return Ok(());
    }
    let mut signals = signal_hook::iterator::Signals::new(caught)?;
    let thread = std::thread::Builder::new().name("interrupts".to_owned());
    thread.spawn(move || signals.forever().for_each(|_| answered()))?;
    Ok(())
}

/// Elsewhere, an interrupt ends the program.
#[cfg(not(unix))]
fn watch(_: impl Fn() + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// How long a token that is being renewed is waited for.
pub(crate) const LONGEST_RENEWAL: Duration = Duration::from_secs(35);

/// Ends the program and the processes of its plugins. A token that is being renewed is stored first: its refresh token
/// works once.
#[expect(clippy::exit, reason = "this is what an interrupt means here")]
pub(crate) fn end_now() {
    itch_loader::kill_all();
    itch_client::finish_renewals(LONGEST_RENEWAL);
    std::process::exit(130);
}
