//! The resource limits of a plugin's process, its session, and its capabilities.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};

use super::rights::Confinement;

/// The maximum size of a file that a plugin writes, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

/// Sets the limits, and leaves the terminal.
pub(super) fn set(confinement: &Confinement) -> Result<(), String> {
    // A session of its own has no controlling terminal, and interrupts at the terminal go to itch only, which then tells
    // this process to stop.
    setsid().map_err(|error| format!("it could not start a session: {error}"))?;
    // Not `RLIMIT_AS`: it would count address space that is only reserved. Not `RLIMIT_NPROC`: it counts all processes
    // of the user.
    let limits = [
        (Resource::Data, "memory", confinement.memory),
        (Resource::Fsize, "file size", LARGEST_FILE),
        (Resource::Core, "core dumps", 0),
    ];
    for (resource, name, most) in limits {
        // A limit can only be lowered.
        let most = getrlimit(resource).maximum.map_or(most, |now| now.min(most));
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit).map_err(|error| format!("its {name} could not be limited: {error}"))?;
    }
    Ok(())
}

/// Closes the files that this process inherited from whatever started itch: neither Landlock nor a filter covers files
/// that are open. Only the three standard ones are needed.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn close_inherited() {
    const FIRST: u32 = 3;
    // SAFETY: this process has just started and has opened no file itself. An error means that the kernel is too old.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, FIRST, u32::MAX, 0_u32) };
}

/// Gives up the capabilities of root. With `files`, those that ignore the permissions of files are kept: which files
/// they are good for is limited otherwise.
#[cfg(target_os = "linux")]
pub(super) fn drop_capabilities(files: bool) -> Result<(), String> {
    use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
    let failed = |error| format!("its capabilities could not be dropped: {error}");
    let now = capabilities(None).map_err(failed)?;
    let kept = match files {
        true => CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH,
        false => CapabilitySet::empty(),
    };
    let left = CapabilitySets {
        effective: now.effective & kept,
        permitted: now.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    match left == now {
        true => Ok(()),
        false => set_capabilities(None, left).map_err(failed),
    }
}
