//! Opening a shared library: the only place outside the boundary itself where `unsafe` is needed.
//!
//! A library is never closed: threads, thread-local destructors and whatever it registered would outlive it.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use itch_plugin::abi::{
    ABI_MAJOR, ABI_MINOR, CACHE, Item, MAGIC, OK, Plugin, RENDERER, REPORT, Str,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Identity;

/// The one exported symbol.
const SYMBOL: &str = "itch_plugin_v1";
/// No plugin has more units, and no text is longer: what says otherwise is no plugin.
const MOST_ITEMS: usize = 4096;
const LONGEST_TEXT: usize = 4 << 20;

/// A file that is open and was read to its end once, so that what it is loaded from is what was hashed.
#[derive(Debug)]
pub(crate) struct Hashed {
    file: File,
    pub(crate) sha256: String,
    pub(crate) identity: Identity,
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
            identity: Identity::of(&metadata),
        })
    }
}

/// A loaded plugin.
pub(crate) struct Library {
    plugin: &'static Plugin,
    items: Vec<&'static Item>,
    notes: Vec<String>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
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

impl Library {
    /// Loads what was hashed; constructors of the library run here.
    pub(crate) fn load(path: &Path, hashed: Hashed) -> Result<Library, String> {
        let library = open(path, hashed.file)?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: the symbol is data of the type that its name stands for, or nothing is read of it beyond its magic
        // number and its size.
        let symbol = unsafe { library.get::<*const Plugin>(SYMBOL) };
        let Ok(symbol) = symbol else {
            return Err(match newer(library) {
                Some(major) => format!(
                    "it is built for version {major} of the plugin ABI, and this itch has version {ABI_MAJOR}"
                ),
                None => format!("it is no plugin of itch: it has no `{SYMBOL}`"),
            });
        };
        let plugin: *const Plugin = *symbol;
        // SAFETY: see above; `read_plugin` reads no further than what it has checked.
        let plugin = unsafe { read_plugin(plugin) }?;
        let mut library = Library {
            plugin,
            items: Vec::new(),
            notes: Vec::new(),
        };
        library.read_items()?;
        Ok(library)
    }

    fn read_items(&mut self) -> Result<(), String> {
        let mut items: *const *const Item = std::ptr::null();
        let mut n = 0;
        // SAFETY: the versions fit, so this is such a function; both places may be written.
        let status = unsafe { (self.plugin.items)(&raw mut items, &raw mut n) };
        if status != OK {
            return Err(format!("it gives no units: status {status}"));
        }
        if n > MOST_ITEMS || (n > 0 && items.is_null()) {
            return Err(format!("it claims to have {n} units"));
        }
        for place in 0..n {
            // SAFETY: the plugin says that there are `n` of them; they are never freed.
            let item = unsafe { *items.add(place) };
            if item.is_null() {
                return Err(format!("its unit {place} is none"));
            }
            // SAFETY: every item begins with its size.
            let size = unsafe { *item.cast::<u32>() } as usize;
            if size < size_of::<Item>() {
                return Err(format!(
                    "its unit {place} has {size} bytes, which is too few"
                ));
            }
            // SAFETY: it is as large as ours, or larger.
            let item = unsafe { &*item };
            let name = text(item.name, "a unit's name")?;
            match item.kind {
                REPORT | CACHE | RENDERER if item.vtable.is_null() => {
                    return Err(format!("its unit `{name}` has no entries"));
                }
                REPORT | CACHE | RENDERER => self.items.push(item),
                kind => self.notes.push(format!(
                    "`{name}` is of kind {kind}, which this itch does not know"
                )),
            }
        }
        Ok(())
    }

    /// The unit of this kind and name.
    pub(crate) fn item(&self, kind: u32, name: &str) -> Option<&'static Item> {
        let named = |item: &&&'static Item| item.kind == kind && item.name() == name.as_bytes();
        self.items.iter().find(named).copied()
    }

    /// What it says of itself.
    pub(crate) fn describe(&self) -> Result<Description, String> {
        let name = text(self.plugin.name, "its name")?;
        let known = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        };
        if name.is_empty() || name.starts_with('-') || !name.bytes().all(known) {
            return Err(format!(
                "its name `{}` is none: lower-case letters, digits, `-` and `_`",
                name.escape_debug()
            ));
        }
        let version = text(self.plugin.version, "its version")?;
        if version.len() > 64 || version.contains(char::is_control) {
            return Err("its version is no version".to_owned());
        }
        let mut notes = self.notes.clone();
        let about = text(self.plugin.about_json, "what it says of itself")?;
        let about = match serde_json::from_str(about) {
            _ if about.is_empty() => Value::Null,
            Ok(about) => about,
            Err(_) => {
                notes.push("what it says of its author and licence is not JSON".to_owned());
                Value::Null
            }
        };
        let mut units = Vec::new();
        for item in &self.items {
            units.push(Unit {
                kind: item.kind,
                name: text(item.name, "a unit's name")?.to_owned(),
                spec: text(item.spec_json, "a unit's description")?.to_owned(),
            });
        }
        Ok(Description {
            abi: (self.plugin.abi_major, self.plugin.abi_minor),
            name: name.to_owned(),
            version: version.to_owned(),
            about,
            units,
            notes,
        })
    }
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
        unsafe { unix::Library::open(Some(&from), unix::RTLD_NOW | unix::RTLD_LOCAL) }
            .map(libloading::Library::from)
    };
    #[cfg(windows)]
    let opened = {
        use libloading::os::windows;
        let flags =
            windows::LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | windows::LOAD_LIBRARY_SEARCH_SYSTEM32;
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
fn newer(library: &libloading::Library) -> Option<u16> {
    (ABI_MAJOR + 1..ABI_MAJOR + 20).find(|major| {
        // SAFETY: only whether it exists is asked.
        unsafe { library.get::<*const u8>(format!("itch_plugin_v{major}")) }.is_ok()
    })
}

/// Checks a descriptor from its front to its end, reading nothing that is not there.
///
/// # Safety
/// `plugin` must point to data of a library that is never unloaded.
unsafe fn read_plugin(plugin: *const Plugin) -> Result<&'static Plugin, String> {
    if plugin.is_null() || !plugin.is_aligned() {
        return Err(format!("its `{SYMBOL}` is none"));
    }
    // SAFETY: a symbol has an address; the first eight bytes are read.
    let (magic, size) = unsafe { ((*plugin).magic, (*plugin).size) };
    if magic != MAGIC {
        return Err(match magic.swap_bytes() == MAGIC {
            true => "it is built for another byte order".to_owned(),
            false => format!("its `{SYMBOL}` does not begin with the magic number"),
        });
    }
    if (size as usize) < size_of::<Plugin>() {
        return Err(format!("its `{SYMBOL}` has {size} bytes, which is too few"));
    }
    // SAFETY: it says to be as large as ours, or larger.
    let plugin = unsafe { &*plugin };
    if plugin.abi_major != ABI_MAJOR {
        return Err(format!(
            "it is built for version {} of the plugin ABI, and this itch has version {ABI_MAJOR}",
            plugin.abi_major
        ));
    }
    if plugin.min_host_minor > ABI_MINOR {
        return Err(format!(
            "it needs an itch with plugin ABI {ABI_MAJOR}.{}, and this one has {ABI_MAJOR}.{ABI_MINOR}",
            plugin.min_host_minor
        ));
    }
    Ok(plugin)
}

/// Reads a text of a plugin's.
fn text(text: Str, what: &str) -> Result<&'static str, String> {
    if text.len > LONGEST_TEXT {
        return Err(format!("{what} is {} bytes long", text.len));
    }
    // SAFETY: by the rules of the boundary an item's and a plugin's texts live as long as the library.
    let bytes = unsafe { text.bytes::<'static>() };
    std::str::from_utf8(bytes).map_err(|_| format!("{what} is not UTF-8"))
}
