//! Whether a plugin has reached its memory limit, so that its failure can be explained.
//!
//! The limit is `RLIMIT_DATA`: beyond it, memory is refused, and the plugin fails in some way of its own. The kernel does
//! not say that it refused any, so it is found out in two ways: a single request for more than the limit is caught by a
//! seccomp filter, which refuses it in the same way, and memory that was really used is in the process's own counters.
//! In case the process dies, the first also leaves a file in its directory.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Gt, MaskedEq};
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

/// Set by the signal handler.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// The file that the signal handler creates.
static MARK: OnceLock<CString> = OnceLock::new();

/// The filter for requests of more than this many bytes.
pub(super) fn program(most: u64, arch: TargetArch) -> Result<BpfProgram, BackendError> {
    let (write, kind) = (libc::PROT_WRITE as u64, (libc::MAP_SHARED | libc::MAP_PRIVATE) as u64);
    let map = SeccompRule::new(vec![
        SeccompCondition::new(1, Qword, Gt, most)?,
        // Address space that is only reserved does not count.
        SeccompCondition::new(2, Dword, MaskedEq(write), write)?,
        SeccompCondition::new(3, Dword, MaskedEq(kind), libc::MAP_PRIVATE as u64)?,
    ])?;
    let grow = SeccompRule::new(vec![SeccompCondition::new(2, Qword, Gt, most)?])?;
    let rules = BTreeMap::from([(libc::SYS_mmap, vec![map]), (libc::SYS_mremap, vec![grow])]);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trap, arch)?.try_into()
}

/// The file that a process leaves in its directory when it asked for more memory than its limit.
pub(super) fn mark(folder: &Path) -> PathBuf {
    folder.join(".itch-memory")
}

/// Installs the handler for what the filter catches.
pub(super) fn catch(folder: Option<&OsStr>) -> std::io::Result<()> {
    if let Some(folder) = folder {
        let path = mark(Path::new(folder));
        let _ = MARK.set(CString::new(path.as_os_str().as_bytes())?);
    }
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = refuse;
    // SAFETY: the handler only makes calls that are safe in one; a zeroed `sigaction` is valid.
    let installed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut())
    };
    match installed {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Makes the call that was caught fail with `ENOMEM`, and leaves a mark.
extern "C" fn refuse(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if !REFUSED.swap(true, Ordering::Relaxed)
        && let Some(mark) = MARK.get()
    {
        // SAFETY: the path ends with a zero. It does not matter whether the file could be created.
        unsafe { libc::close(libc::open(mark.as_ptr(), libc::O_CREAT | libc::O_CLOEXEC, 0o600)) };
    }
    // SAFETY: the kernel passes the registers of the interrupted call, and takes its result from them.
    unsafe {
        let context = context.cast::<libc::ucontext_t>();
        #[cfg(target_arch = "x86_64")]
        {
            (*context).uc_mcontext.gregs[libc::REG_RAX as usize] = i64::from(-libc::ENOMEM);
        }
        #[cfg(target_arch = "aarch64")]
        {
            (*context).uc_mcontext.regs[0] = i64::from(-libc::ENOMEM) as u64;
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = context;
    }
}

/// Whether the plugin in this process has reached its limit, or came close to it.
pub(super) fn reached(most: u64) -> bool {
    REFUSED.load(Ordering::Relaxed) || used().is_some_and(|used| super::rights::is_close(most, used))
}

/// The most memory of this process so far, or its data now, in bytes.
fn used() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    let (peak, data) = (field("VmHWM:"), field("VmData:"));
    Some(peak.max(data)? << 10)
}
