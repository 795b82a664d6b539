//! What this process got from the one that started it: whether stdout was open, and which signals are ignored.
//!
//! Neither can be asked safely. Rust's runtime opens `/dev/null` in the place of a closed stream before `main`
//! (library/std/src/sys/pal/unix/mod.rs), so the program looks before that. A `/dev/null` that is open already says
//! nothing: many programs give it to those that they start. Only sigaction(2) says how a signal is handled.
#![allow(
    unsafe_code,
    reason = "a function that runs before `main`, and a call of sigaction(2)"
)]

#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether stdout was closed when the program was started.
#[cfg(unix)]
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at stdout before the runtime does.
#[cfg(unix)]
extern "C" fn look() {
    let closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()) == Err(rustix::io::Errno::BADF);
    CLOSED.store(closed, Ordering::Relaxed);
}

// SAFETY: the section holds pointers to functions with the C calling convention, which the loader calls before `main`.
// This one needs nothing of the runtime: it makes one system call and sets a flag.
#[cfg(unix)]
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;

/// Why nothing can be written to stdout, if so: it was closed, or it is open for reading only. Writing to it would
/// succeed in the first case, and seem to in the second, since Rust's library ignores that error.
#[cfg(unix)]
pub(crate) fn stdout_fault() -> Option<&'static str> {
    use rustix::fs::OFlags;
    if CLOSED.load(Ordering::Relaxed) {
        return Some("it is closed");
    }
    let flags = rustix::fs::fcntl_getfl(rustix::stdio::stdout()).ok()?;
    (flags & OFlags::RWMODE == OFlags::RDONLY).then_some("it is open for reading only")
}

#[cfg(not(unix))]
pub(crate) fn stdout_fault() -> Option<&'static str> {
    None
}

/// Whether a signal is ignored, as `nohup` and shells make it for processes in the background.
#[cfg(unix)]
pub(crate) fn is_ignored(signal: i32) -> bool {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, the call only writes the present one, for which there is room. All zeros are a
    // valid action, the default one, should the call fail.
    let found = unsafe {
        libc::sigaction(signal, std::ptr::null(), found.as_mut_ptr());
        found.assume_init()
    };
    found.sa_sigaction == libc::SIG_IGN
}
