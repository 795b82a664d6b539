//! Putting a plugin into the user's own directory, and taking it out again.

use std::fs;
use std::path::{Path, PathBuf};

use itch_api::{Error, ErrorKind, Result};

use crate::index::Index;
use crate::library::Description;
use crate::lock::Lock;
use crate::probe::{Inspected, Outcome, inspect};
use crate::{Settings, is_library, safety};

/// Copies a file into a directory, under its own name and all at once, and trusts it. It is looked at first: what
/// is no plugin that can be used is not added.
pub fn add(settings: &Settings, file: &Path, directory: &Path) -> Result<(PathBuf, Description)> {
    let refused = |why: &str| {
        let message = format!("`{}` cannot be added", file.display());
        Error::new(ErrorKind::Failed, message).cause(why)
    };
    let name = file
        .file_name()
        .filter(|_| is_library(file))
        .ok_or_else(|| refused("a plugin is a file named *.so, *.dylib or *.dll"))?;
    let words = |error: std::io::Error| refused(&error.to_string());
    make_directory(directory).map_err(words)?;
    // Hidden, so that no other program takes it for a plugin before it is whole.
    let mut copy = tempfile::Builder::new()
        .prefix(".")
        .suffix(".part")
        .tempfile_in(directory)
        .map_err(words)?;
    let mut from = fs::File::open(file).map_err(words)?;
    if !from.metadata().map_err(words)?.is_file() {
        return Err(refused("it is no regular file"));
    }
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
    let description = match &inspected.outcome {
        Outcome::Plugin(description) => (**description).clone(),
        Outcome::Refused(why) => return Err(refused(why)),
        Outcome::Crashed(how) => return Err(refused(&format!("loading it crashed: {how}"))),
        Outcome::Untrusted => return Err(refused("it was not loaded")),
    };
    let target = directory.join(name);
    copy.persist(&target).map_err(|error| words(error.error))?;
    let real = safety::check(&target).map_err(|why| refused(&why))?;
    remember(settings, &real, inspected, &description.name)?;
    Ok((target, description))
}

/// The file has the same identity under its new name: it need not be looked at again.
fn remember(settings: &Settings, real: &Path, inspected: Inspected, plugin: &str) -> Result<()> {
    let lock = settings.lock.as_deref();
    Lock::forget(lock, real)?;
    Lock::record(lock, real, plugin, &inspected.sha256)?;
    let mut index = Index::read(settings.index.as_deref());
    index.put(real, inspected);
    index.write(settings.index.as_deref());
    Ok(())
}

/// Makes the user's directory, for nobody else to write to.
fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(directory)
}

/// Removes a file, and forgets what was known of it. It is not opened.
pub fn remove(settings: &Settings, path: &Path) -> Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    fs::remove_file(path).map_err(|error| {
        let message = format!("`{}` cannot be removed", path.display());
        Error::new(ErrorKind::Failed, message).source_chain(&error)
    })?;
    Lock::forget(settings.lock.as_deref(), &real)
}
