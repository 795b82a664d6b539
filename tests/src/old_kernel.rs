//! Commands for which the kernel seems to know neither Landlock nor seccomp, like an old one.
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::Folder;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

impl Folder {
    /// Makes every command believe that the kernel is too old to confine plugins.
    pub fn old_kernel(mut self) -> Folder {
        self.old_kernel = true;
        self
    }
}

/// Answers the questions of a command for these with `ENOSYS`.
pub(crate) fn hide_confinement(command: &mut Command) {
    let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_seccomp];
    let rules = calls.map(|call| (call, Vec::new()));
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules.into(), SeccompAction::Allow, unknown, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    let hide = move || apply_filter(&program).map_err(std::io::Error::other);
    // SAFETY: nothing is allocated between `fork` and `exec` unless the filter cannot be applied.
    unsafe { command.pre_exec(hide) };
}
