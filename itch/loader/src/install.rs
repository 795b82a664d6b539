//! Adding a plugin to the user's plugin directory, and removing it.

use std::fs;
use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind, Result};

use crate::discover::{FoundFile, discover};
use crate::index::Index;
use crate::library::Description;
use crate::probe::{Inspected, Outcome, inspect};
use crate::trust::TrustRecord;
use crate::{Places, Settings, is_library, safety};

/// The result of adding a plugin.
#[derive(Debug)]
pub struct Added {
    /// The path of the added file.
    pub path: PathBuf,
    /// Its hash, in hexadecimal digits.
    pub sha256: String,
    /// The plugin's description.
    pub plugin: Description,
    /// The file that it replaced.
    pub replaced: Option<FoundFile>,
}

/// Copies a file into a directory under its own name, atomically, and trusts it. The file is inspected first, and is
/// not added unless it is a usable plugin. It replaces a file of the same plugin, but never one of another plugin.
///
/// With `allow`, its units may use the files and the network that they ask for.
pub fn add(settings: &Settings, file: &Path, directory: &Path, allow: bool) -> Result<Added> {
    let refused = |why: &str| {
        let message = format!("`{}` cannot be added", file.display());
        Error::new(ErrorKind::Failed, message).cause(why)
    };
    let words = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refused("there is no such file"),
        _ => refused(&error.to_string()),
    };
    let unusable = |why: &str| refused(why).hint(format!("itch plugins check {}", file.display()));
    let name = file
        .file_name()
        .filter(|_| is_library(file))
        .ok_or_else(|| refused("a plugin is a file named *.so, *.dylib or *.dll"))?;
    let mut from = open_regular(file)
        .map_err(words)?
        .ok_or_else(|| refused("it is not a regular file"))?;
    // Fail before copying if the lock file cannot be read.
    TrustRecord::read(settings.trust_file.as_deref())?;
    make_directory(directory).map_err(words)?;
    let _alone = lock_directory(directory);
    // Hidden, so that no other process loads it before it is complete.
    let mut copy = tempfile::Builder::new()
        .prefix(".")
        .suffix(PART)
        .tempfile_in(directory)
        .map_err(words)?;
    std::io::copy(&mut from, copy.as_file_mut()).map_err(words)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = fs::Permissions::from_mode(0o644);
        copy.as_file().set_permissions(readable).map_err(words)?;
    }
    copy.as_file().sync_all().map_err(words)?;
    let real = safety::check(copy.path()).map_err(|why| refused(&why))?;
    let inspected = inspect(settings, &real, None).map_err(|why| refused(&why))?;
    let plugin = match &inspected.outcome {
        Outcome::Plugin(description) => (**description).clone(),
        Outcome::Refused(why) => return Err(unusable(why)),
        Outcome::Crashed(how) => return Err(unusable(&format!("loading it crashed: {how}"))),
        Outcome::Untrusted => return Err(refused("it was not loaded")),
    };
    let path = directory.join(name);
    let replaced =
        replaced(settings, directory, &path, &plugin.name).map_err(|(why, hint)| refused(&why).hint(hint))?;
    copy.persist(&path).map_err(|error| words(error.error))?;
    let real = safety::check(&path).map_err(|why| refused(&why))?;
    let sha256 = inspected.sha256.clone();
    remember(settings, &real, inspected, &plugin, allow)?;
    if let Some(other) = replaced.as_ref().filter(|other| other.path != path) {
        remove(settings, &other.path)?;
    }
    Ok(Added {
        path,
        sha256,
        plugin,
        replaced,
    })
}

/// The file that a plugin replaces, if any; or why it cannot be added, and a hint.
fn replaced(
    settings: &Settings,
    directory: &Path,
    path: &Path,
    plugin: &str,
) -> std::result::Result<Option<FoundFile>, (String, String)> {
    let found = discover(Settings {
        places: Places {
            files: Vec::new(),
            directories: vec![directory.to_owned()],
        },
        ..settings.clone()
    });
    let mut same = None;
    for file in found.files {
        let is_there = file.path == path;
        let is_known = file.plugin() == Some(plugin);
        match file.plugin() {
            Some(other) if is_there && other != plugin => {
                let why = format!("the plugin `{other}` already has a file of this name");
                return Err((why, format!("itch plugins remove {}", path.display())));
            }
            _ if !is_there && !is_known => continue,
            _ => {}
        }
        if let Some(first) = same.replace(file)
            && let Some(second) = &same
        {
            let (first, second) = (first.path.display(), second.path.display());
            let why = format!("`{plugin}` is already installed twice: at {first} and at {second}");
            return Err((why, format!("itch plugins remove {second}")));
        }
    }
    Ok(same)
}

/// The suffix of incomplete copies.
const PART: &str = ".part";

/// Opens a file if it is a regular file: opening a pipe could block forever.
fn open_regular(file: &Path) -> std::io::Result<Option<fs::File>> {
    if !fs::metadata(file)?.is_file() {
        return Ok(None);
    }
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or(0));
    }
    let opened = options.open(file)?;
    Ok(opened.metadata()?.is_file().then_some(opened))
}

/// Locks a directory against other processes that add files, until the handle is dropped, and removes the incomplete
/// copies of processes that were killed.
fn lock_directory(directory: &Path) -> Option<fs::File> {
    let handle = fs::File::open(directory).ok()?;
    handle.lock().ok()?;
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b".") && name.ends_with(PART.as_bytes()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Some(handle)
}

/// The file has the same identity under its new name, so it need not be inspected again.
fn remember(settings: &Settings, real: &Path, inspected: Inspected, plugin: &Description, allow: bool) -> Result<()> {
    let lock = settings.trust_file.as_deref();
    TrustRecord::forget(lock, real)?;
    match allow {
        true => TrustRecord::allow(lock, real, plugin, &inspected.sha256)?,
        false => TrustRecord::record(lock, real, &plugin.name, &inspected.sha256)?,
    }
    let mut index = Index::read(settings.index.as_deref());
    index.put(real, inspected);
    index.write(settings.index.as_deref());
    Ok(())
}

/// Creates the user's plugin directory, writable by the user only.
fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(directory)
}

/// Removes a file and its entries in the lock file and the index. The file is not opened.
pub fn remove(settings: &Settings, path: &Path) -> Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    fs::remove_file(path).map_err(|error| {
        let message = format!("`{}` cannot be removed", path.display());
        Error::new(ErrorKind::Failed, message).source_chain(&error)
    })?;
    TrustRecord::forget(settings.trust_file.as_deref(), &real)
}
