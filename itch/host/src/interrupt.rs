//! Interrupts (Ctrl-C): the first one ends a run cleanly, the second one ends the program immediately.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use itch_api::sync::lock;

use anyhow::Context;

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
        ctrlc::set_handler(move || {
            state.seen.store(true, Ordering::Relaxed);
            let answer = state.answer().take();
            match answer {
                Some(answer) => answer(),
                None => end_now(),
            }
        })
        .context("could not set a handler for interrupts")?;
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

/// Ends the program and the processes of its plugins.
#[expect(clippy::exit, reason = "this is what an interrupt means here")]
pub(crate) fn end_now() {
    itch_loader::kill_all();
    std::process::exit(130);
}
