//! Keeps a panic inside a library from ending the program, and from printing a message.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside of [`caught`].
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Ends the quiet part of a thread, however it ends.
struct Quiet {
    before: bool,
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(self.before);
    }
}

/// Runs some work; `None` if it panicked. Nothing is printed then. The work must not start threads that may panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    let _quiet = Quiet {
        before: QUIET.replace(true),
    };
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_result() {
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| caught(|| panic!("inner"))), Some(None::<()>));
        assert!(!QUIET.get());
    }
}
