//! Opening a shared library: the only place outside the boundary itself where `unsafe` is needed.
//!
//! A library is never closed: threads, thread-local destructors and whatever it registered would outlive it.
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

/// No plugin is larger; what is would only be read for the hash of it.
const LARGEST: u64 = 1 << 30;

/// A file that is open and was read to its end once, so that what it is loaded from is what was hashed.
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
            return Err("it is no regular file".to_owned());
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

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The boundary's version that it was built for.
    pub abi: (u16, u16),
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Author, licence, home page, whatever it says.
    #[serde(default)]
    pub about: Value,
    /// Its units of the kinds that this version knows.
    pub units: Vec<Unit>,
    /// What is odd about it.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One unit of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// `REPORT`, `CACHE` or `RENDERER` of the boundary.
    pub kind: u32,
    /// Its name.
    pub name: String,
    /// Its description as JSON text.
    pub spec: String,
}

/// Why a file is no plugin that can be used.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) why: String,
    /// The system did not load it, which may be for the lack of another file.
    pub(crate) passing: bool,
}

impl From<String> for Unfit {
    fn from(why: String) -> Unfit {
        Unfit { why, passing: false }
    }
}

impl Library {
    /// Loads what was hashed; constructors of the library run here.
    pub(crate) fn load(path: &Path, hashed: Hashed) -> Result<Library, Unfit> {
        let library = open(path, hashed.file).map_err(|why| Unfit { why, passing: true })?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: whatever stands under this name, only its address is taken here.
        let Ok(symbol) = (unsafe { library.get::<*const Plugin>(SYMBOL) }) else {
            return Err(match other_major(library) {
                Some(major) => {
                    format!("it is built for version {major} of the plugin ABI, and this itch has version {ABI_MAJOR}")
                }
                None => format!("it is no plugin of itch: it has no `{SYMBOL}`"),
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

    /// What it says of itself.
    pub(crate) fn describe(&self) -> Result<Description, String> {
        let mut notes = Vec::new();
        let about = match serde_json::from_str(&self.plugin.about_json) {
            _ if self.plugin.about_json.is_empty() => Value::Null,
            Ok(about) => about,
            Err(_) => {
                notes.push("what it says of its author and licence is not JSON".to_owned());
                Value::Null
            }
        };
        let mut units = Vec::new();
        for item in &self.items {
            let name = String::from_utf8_lossy(item.name()).into_owned();
            if ![REPORT, CACHE, RENDERER].contains(&item.kind) {
                let kind = item.kind;
                notes.push(format!("`{name}` is of kind {kind}, which this itch does not know"));
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

/// Loads the open file itself where the system can, so that nobody can put another in its place meanwhile.
fn open(path: &Path, file: File) -> Result<libloading::Library, String> {
    // The C library knows loaded libraries by their names, and a descriptor's number is part of this one: it has to
    // stay open for ever.
    let file = Box::leak(Box::new(file));
    #[cfg(target_os = "linux")]
    let from = {
        use std::os::fd::AsRawFd;
        std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    };
    #[cfg(not(target_os = "linux"))]
    let from = {
        let _ = file;
        path.to_owned()
    };
    #[cfg(unix)]
    let opened = {
        use libloading::os::unix;
        // SAFETY: loading runs the library's constructors. Whoever named the file wants its code to be run.
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
        // The name by which it was loaded means nothing to anybody.
        let words = words.replace(&format!("{}: ", from.display()), "");
        words.replace(&*from.to_string_lossy(), &path.to_string_lossy())
    })
}

/// The major version for which a library without our symbol was built, if it is a plugin at all.
fn other_major(library: &libloading::Library) -> Option<u16> {
    (ABI_MAJOR + 1..ABI_MAJOR + 20).find(|major| {
        // SAFETY: only whether it exists is asked.
        unsafe { library.get::<*const u8>(format!("itch_plugin_v{major}")) }.is_ok()
    })
}
