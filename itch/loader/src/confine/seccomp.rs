//! System calls that a plugin's process cannot make, by a seccomp filter: what Landlock does not cover.
//!
//! Numbers without a name in `libc` are those of the kernel's `scripts/syscall.tbl`, which are the same on all
//! architectures since 424. A refused call fails with `EPERM`.
#![allow(unsafe_code)]

use std::collections::BTreeMap;

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::memory;
use super::rights::Confinement;

/// Calls that are refused whatever their arguments.
const REFUSED: &[i64] = &[
    // Permissions, owners, times and attributes of files: Landlock does not cover them.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    // Watching files that cannot be opened, and opening them by another name.
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_perf_event_open,
    // New processes and programs. `clone` without `CLONE_THREAD` is below.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Ways around a filter, and large parts of the kernel that a plugin does not need.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Message queues and shared memory of System V and POSIX.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmdt,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // The machine.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// Those that only x86-64 has; other architectures have only their successors above.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_inotify_init,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

const FCHMODAT2: i64 = 452;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;

/// Requests of `ioctl` that change attributes of a file, or type into a terminal (`linux/fs.h`, `asm/ioctls.h`).
const IOCTLS: [u64; 5] = [0x4008_6602, 0x4004_6602, 0x401c_5820, 0x5412, 0x541c];

/// Commands of `fcntl` by which a signal is sent to another process: `F_SETOWN`, `F_SETOWN_EX`.
const FCNTLS: [u64; 2] = [8, 15];

/// The bit that marks a call of the x32 ABI, whose numbers differ.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Whether the kernel has seccomp filters.
pub(super) fn is_known() -> Result<bool, String> {
    if architecture().is_none() {
        return Ok(false);
    }
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the call reads the number behind the pointer.
    let known = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    if known == 0 {
        return Ok(true);
    }
    let error = std::io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::EOPNOTSUPP) => Ok(false),
        _ => Err(format!("it cannot be confined: seccomp does not answer: {error}")),
    }
}

fn architecture() -> Option<TargetArch> {
    TargetArch::try_from(std::env::consts::ARCH).ok()
}

/// Installs the filter in this thread.
pub(super) fn restrict(confinement: &Confinement) -> Result<(), String> {
    if !is_known()? {
        return Ok(());
    }
    let failed = |error: &dyn std::fmt::Display| format!("it could not be confined by seccomp: {error}");
    memory::catch(confinement.folder.as_deref()).map_err(|error| failed(&error))?;
    let arch = architecture().ok_or_else(|| failed(&std::env::consts::ARCH))?;
    let programs = [
        memory::program(confinement.memory, arch),
        program(confinement.network, arch),
    ];
    for program in programs {
        let program = program.map_err(|error| failed(&error))?;
        seccompiler::apply_filter(&program).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The filter: an introduction, and a rule for each call.
fn program(network: bool, arch: TargetArch) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        rules.insert(*call, Vec::new());
    }
    if !network {
        rules.insert(libc::SYS_socket, Vec::new());
    }
    for (call, alternatives) in conditional() {
        let alternatives = alternatives.into_iter().map(|conditions| {
            let conditions = conditions
                .into_iter()
                .map(|(argument, width, operator, value)| SeccompCondition::new(argument, width, operator, value));
            SeccompRule::new(conditions.collect::<Result<_, _>>()?)
        });
        rules.insert(call, alternatives.collect::<Result<_, _>>()?);
    }
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?;
    let mut program = introduction();
    program.extend(filter);
    Ok(program)
}

/// An argument's number, its width, and what it is compared with.
type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);

/// Calls that are refused if all conditions of one of the alternatives hold.
fn conditional() -> Vec<(i64, Vec<Vec<Condition>>)> {
    let this = u64::from(std::process::id());
    let other = |argument| vec![(argument, Dword, Ne, 0), (argument, Dword, Ne, this)];
    // `which` is 0 for a process in `setpriority` and 1 in `ioprio_set`.
    let priority = |process| vec![vec![(0, Dword, Ne, process)], other(1)];
    let one_of = |argument, values: &[u64]| values.iter().map(|value| vec![(argument, Dword, Eq, *value)]).collect();
    let mut calls = vec![
        (libc::SYS_clone, vec![vec![(0, Qword, MaskedEq(libc::CLONE_THREAD as u64), 0)]]),
        (libc::SYS_setpriority, priority(0)),
        (libc::SYS_ioprio_set, priority(1)),
        (libc::SYS_ioctl, one_of(1, &IOCTLS)),
        (libc::SYS_fcntl, one_of(1, &FCNTLS)),
    ];
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
        libc::SYS_move_pages,
        // Landlock covers signals too, but only since Linux 6.12.
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        calls.push((call, vec![other(0)]));
    }
    calls
}

/// What the filter does not express: calls of x32 are refused, and `clone3`, whose flags are in memory, does not exist,
/// so that the C library takes `clone`.
fn introduction() -> BpfProgram {
    let load_number = statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0);
    let answer = |errno: i32| statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32);
    let unless = |test: u32, number: u32| sock_filter {
        jt: 0,
        jf: 1,
        ..statement(libc::BPF_JMP | test | libc::BPF_K, number)
    };
    let mut program = vec![load_number];
    #[cfg(target_arch = "x86_64")]
    program.extend([unless(libc::BPF_JGE, X32), answer(libc::EPERM)]);
    program.extend([unless(libc::BPF_JEQ, libc::SYS_clone3 as u32), answer(libc::ENOSYS)]);
    program
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    }
}
