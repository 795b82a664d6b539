//! Opening a shared library: the only place outside the plugin ABI that needs `unsafe`.
//!
//! A library is never closed: its threads, thread-local destructors and exit handlers would outlive it.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use itch_plugin::abi::library::{self as abi, SYMBOL};
use itch_plugin::abi::{ABI_MAJOR, CACHE, Item, Plugin, RENDERER, REPORT, drive};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::FileIdentity;

/// The maximum size of a plugin file, so that no huge file is read for its hash.
const LARGEST: u64 = 1 << 30;

/// An open file and its hash. The library is loaded from this file, so that what is loaded is what was hashed.
#[derive(Debug)]
pub(crate) struct Hashed {
    file: File,
    pub(crate) sha256: String,
    pub(crate) identity: FileIdentity,
}

impl Hashed {
    /// Opens a file, which must have passed [`crate::safety::check`], and hashes it.
    pub(crate) fn open(path: &Path) -> Result<Hashed, String> {
        let words = |error: std::io::Error| error.to_string();
        let mut file = File::open(path).map_err(words)?;
        let metadata = file.metadata().map_err(words)?;
        if !metadata.is_file() {
            return Err("it is not a regular file".to_owned());
        }
        if metadata.len() > LARGEST {
            return Err(format!("it is larger than {} GiB", LARGEST >> 30));
        }
        let mut hash = Sha256::new();
        let mut piece = vec![0; 256 << 10];
        file.rewind().map_err(words)?;
        loop {
            let read = file.read(&mut piece).map_err(words)?;
            match piece.get(..read) {
                None | Some([]) => break,
                Some(bytes) => hash.update(bytes),
            }
        }
        let digest = hash.finalize();
        Ok(Hashed {
            file,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            identity: FileIdentity::of(&metadata),
        })
    }
}

/// A loaded plugin.
#[derive(Debug)]
pub(crate) struct Library {
    plugin: abi::Library,
    items: Vec<&'static Item>,
}

/// The description of a plugin, by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The version of the plugin ABI that it was built for.
    pub abi: (u16, u16),
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Author, licence, home page and anything else that it gives.
    #[serde(default)]
    pub about: Value,
    /// Its units, without those of unknown kinds.
    pub units: Vec<Unit>,
    /// Warnings about the plugin.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One unit of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// `REPORT`, `CACHE` or `RENDERER` of the plugin ABI.
    pub kind: u32,
    /// Its name.
    pub name: String,
    /// Its description as JSON text.
    pub spec: String,
}

/// Why a file cannot be used as a plugin.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) why: String,
    /// Whether the dynamic loader failed, perhaps because another file is missing.
    pub(crate) passing: bool,
}

impl From<String> for Unfit {
    fn from(why: String) -> Unfit {
        Unfit { why, passing: false }
    }
}

impl Library {
    /// Loads the hashed file. This runs the constructors of the library.
    pub(crate) fn load(path: &Path, hashed: Hashed) -> Result<Library, Unfit> {
        let library = open(path, hashed.file).map_err(|why| Unfit { why, passing: true })?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: only the address of the symbol is taken here, whatever its type.
        let Ok(symbol) = (unsafe { library.get::<*const Plugin>(SYMBOL) }) else {
            return Err(match other_major(library) {
                Some(major) => format!(
                    "it was built for version {major} of the plugin ABI, but this itch needs version {ABI_MAJOR}"
                ),
                None => format!("it is not an itch plugin: it has no symbol `{SYMBOL}`"),
            }
            .into());
        };
        // SAFETY: the library is never unloaded.
        let plugin = unsafe { abi::Library::read(*symbol) }.map_err(words)?;
        let items = plugin.items().map_err(words)?;
        Ok(Library { plugin, items })
    }

    /// The unit of this kind and name.
    pub(crate) fn item(&self, kind: u32, name: &str) -> Option<&'static Item> {
        let named = |item: &&&'static Item| item.kind == kind && item.name() == name.as_bytes();
        self.items.iter().find(named).copied()
    }

    /// The plugin's description.
    pub(crate) fn describe(&self) -> Result<Description, String> {
        let mut notes = Vec::new();
        let about = match serde_json::from_str(&self.plugin.about_json) {
            _ if self.plugin.about_json.is_empty() => Value::Null,
            Ok(about) => about,
            Err(_) => {
                notes.push("its information about author and licence is not JSON".to_owned());
                Value::Null
            }
        };
        let mut units = Vec::new();
        for item in &self.items {
            let name = String::from_utf8_lossy(item.name()).into_owned();
            if ![REPORT, CACHE, RENDERER].contains(&item.kind) {
                let kind = item.kind;
                notes.push(format!("`{name}` is of the unknown kind {kind}"));
                continue;
            }
            drive::check(item).map_err(|error| format!("`{name}`: {error:#}"))?;
            units.push(Unit {
                kind: item.kind,
                name,
                spec: String::from_utf8_lossy(item.spec_json()).into_owned(),
            });
        }
        Ok(Description {
            abi: self.plugin.abi(),
            name: self.plugin.name.clone(),
            version: self.plugin.version.clone(),
            about,
            units,
            notes,
        })
    }
}

fn words(error: itch_plugin::Error) -> String {
    format!("{error:#}")
}

/// Loads the library from the open file if the system allows it, so that the file cannot be replaced in the meantime.
fn open(path: &Path, file: File) -> Result<libloading::Library, String> {
    // The C library identifies a loaded library by its path, which here contains the number of the descriptor: the
    // descriptor must not be reused, so the file stays open forever.
    let file = Box::leak(Box::new(file));
    #[cfg(target_os = "linux")]
    let from = linux_path(path, file)?;
    #[cfg(not(target_os = "linux"))]
    let from = {
        let _ = file;
        path.to_owned()
    };
    #[cfg(unix)]
    let opened = {
        use libloading::os::unix;
        // SAFETY: loading runs the library's constructors, which is what the user asked for by using the plugin.
        unsafe { unix::Library::open(Some(&from), unix::RTLD_NOW | unix::RTLD_LOCAL) }.map(libloading::Library::from)
    };
    #[cfg(windows)]
    let opened = {
        use libloading::os::windows;
        let flags = windows::LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | windows::LOAD_LIBRARY_SEARCH_SYSTEM32;
        // SAFETY: as above.
        unsafe { windows::Library::load_with_flags(&from, flags) }.map(libloading::Library::from)
    };
    opened.map_err(|error| {
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            words = error.to_string();
            cause = error.source();
        }
        // The path below `/proc` says nothing to the user.
        let words = words.replace(&format!("{}: ", from.display()), "");
        words.replace(&*from.to_string_lossy(), &path.to_string_lossy())
    })
}

/// The path from which the dynamic loader loads exactly this open file.
///
/// A plugin with libraries beside it, which it finds by `$ORIGIN`, is opened by its name in an open directory instead, as
/// `$ORIGIN` is the directory part of this path. That the file was not replaced is then known by its identity, whose
/// change time no program can set.
#[cfg(target_os = "linux")]
fn linux_path(path: &Path, file: &'static File) -> Result<std::path::PathBuf, String> {
    use std::os::fd::AsRawFd;
    let words = |error: std::io::Error| error.to_string();
    let in_process = |file: &File| std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(in_process(file));
    };
    if crate::confine::siblings(path).is_empty() {
        return Ok(in_process(file));
    }
    let directory =
        rustix::fs::open(directory, rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty());
    // It stays open, like the file.
    let directory: &'static File = Box::leak(Box::new(directory.map_err(std::io::Error::from).map_err(words)?.into()));
    let from = in_process(directory).join(name);
    let identity = |metadata: std::io::Result<std::fs::Metadata>| metadata.map(|found| FileIdentity::of(&found));
    match identity(std::fs::metadata(&from)).map_err(words)? == identity(file.metadata()).map_err(words)? {
        true => Ok(from),
        false => Err("it has just been changed".to_owned()),
    }
}

/// The major version that a library without the symbol of this version was built for, if it is a plugin.
fn other_major(library: &libloading::Library) -> Option<u16> {
    (ABI_MAJOR + 1..ABI_MAJOR + 20).find(|major| {
        // SAFETY: only the existence of the symbol is checked.
        unsafe { library.get::<*const u8>(format!("itch_plugin_v{major}")) }.is_ok()
    })
}
