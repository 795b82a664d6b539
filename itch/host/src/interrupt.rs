//! Interrupts: the first lets a run end well, where there is something to end; the next ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use itch_api::sync::lock;

use anyhow::Context;

/// What the next interrupt does.
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
    /// Catches them from now on; the first is answered by this. A program does so once.
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
        .context("interrupts cannot be caught")?;
        Ok(interrupts)
    }

    /// The next is answered by this, even if it is not the first.
    pub(crate) fn answer(&self, answer: impl FnOnce() + Send + 'static) {
        *self.0.answer() = Some(Box::new(answer));
    }

    /// Whether there was one.
    pub(crate) fn seen(&self) -> bool {
        self.0.seen.load(Ordering::Relaxed)
    }
}

/// Ends the program, and whatever plugins run for it.
#[expect(clippy::exit, reason = "this is what an interrupt means here")]
pub(crate) fn end_now() {
    itch_loader::kill_all();
    std::process::exit(130);
}
