//! Files: what a plugin's process can still open, by Landlock (docs.kernel.org/userspace-api/landlock.html).
#![allow(unsafe_code)]

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::rights::Confinement;
use super::siblings::siblings;

/// The newest version of Landlock whose rights are named here. An older kernel handles those that it knows.
const KNOWN: ABI = ABI::V10;

/// What every plugin may read: programs and libraries, and the few files that the C library reads by itself.
const READABLE: [&str; 15] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/opt",
    "/nix",
    "/gnu",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/localtime",
    "/dev/zero",
    "/dev/urandom",
    // Of the process itself, not `/proc`: there are the environments of others.
    "/proc/self",
];

/// What a plugin with the network may read too: how names are resolved, and which certificates are trusted.
const NETWORK: [&str; 10] = [
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
];

/// The version of Landlock that the kernel has; 0 if it has none.
pub(super) fn version() -> Result<i64, String> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call only returns a number; there is no ruleset.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
    if version >= 0 {
        return Ok(version);
    }
    let error = std::io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EOPNOTSUPP) => Ok(0),
        _ => Err(format!("it cannot be confined: Landlock does not answer: {error}")),
    }
}

/// Leaves this thread only what the confinement allows.
pub(super) fn restrict(confinement: &Confinement, file: &Path) -> Result<(), String> {
    if version()? == 0 {
        return Ok(());
    }
    let failed = |error: landlock::RulesetError| format!("it could not be confined by Landlock: {error}");
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(KNOWN)))
        .map_err(failed)?;
    if !confinement.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(KNOWN)).map_err(failed)?;
    }
    let private: Vec<PathBuf> = confinement.private.iter().map(real).collect();
    // A home above the system's directories, such as `/`, would close them.
    let homes = confinement.homes.iter().map(real);
    let homes = homes.filter(|home| !READABLE.iter().any(|path| real(path).starts_with(home)));
    let closed: Vec<PathBuf> = homes.chain(private.iter().cloned()).collect();
    let mut rules = Rules {
        ruleset: ruleset.create().map_err(failed)?,
    };
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(KNOWN)
        & !(AccessFs::Execute | AccessFs::IoctlDev | AccessFs::MakeChar | AccessFs::MakeBlock);
    let network = NETWORK.iter().filter(|_| confinement.network);
    for path in READABLE.iter().chain(network) {
        rules.allow(Path::new(path), read, &closed)?;
    }
    rules.add(Path::new("/dev/null"), read | AccessFs::WriteFile)?;
    // These lie among the private files, where nothing else is opened.
    rules.add(file, read)?;
    for path in siblings(file) {
        rules.add(&path, read)?;
    }
    for path in &confinement.read {
        rules.allow(Path::new(path), read, &private)?;
    }
    for path in confinement.folder.iter().chain(&confinement.write) {
        let path = real(path);
        if private
            .iter()
            .any(|private| private.starts_with(&path) || path.starts_with(private))
        {
            return Err(format!("it may not write to {}: files of itch itself are there", path.display()));
        }
        rules.add(&path, write)?;
    }
    let status = rules.ruleset.restrict_self().map_err(failed)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("it could not be confined by Landlock".to_owned()),
        _ => Ok(()),
    }
}

/// A path without links and dots, if it exists.
fn real(path: impl AsRef<Path>) -> PathBuf {
    std::fs::canonicalize(&path).unwrap_or_else(|_| path.as_ref().to_owned())
}

/// The rules so far.
struct Rules {
    ruleset: RulesetCreated,
}

impl Rules {
    /// Allows access to what is at a path, if there is something. A directory that contains a closed one is opened entry
    /// by entry, without that one.
    fn allow(&mut self, path: &Path, access: BitFlags<AccessFs>, closed: &[PathBuf]) -> Result<(), String> {
        let Ok(real) = std::fs::canonicalize(path) else {
            return Ok(());
        };
        if closed.iter().any(|closed| real.starts_with(closed)) {
            return Ok(());
        }
        if !closed.iter().any(|closed| closed.starts_with(&real)) {
            return self.add(path, access);
        }
        for entry in std::fs::read_dir(&real).into_iter().flatten().flatten() {
            let inner = entry.path();
            // A link leads out of the directory.
            if !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                self.allow(&inner, access, closed)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!("it could not be confined by Landlock: {}: {error}", path.display())
        };
        // What is missing, or cannot be reached, cannot be opened later either.
        let Ok(open) = PathFd::new(path) else {
            return Ok(());
        };
        let kind = std::fs::metadata(path).map(|found| found.file_type());
        let access = match kind {
            Ok(kind) if kind.is_dir() => access,
            // A directory's rights mean nothing for a file, and a device is only read and written.
            Ok(kind) if kind.is_char_device() => access & (AccessFs::ReadFile | AccessFs::WriteFile),
            _ => access & AccessFs::from_file(KNOWN),
        };
        let rule = PathBeneath::new(open, access);
        (&mut self.ruleset).add_rule(rule).map_err(|error| failed(&error))?;
        Ok(())
    }
}
