//! Reads what a shared library exports, in an order that makes it safe: data first, then one call.

use std::str;

use super::table::{self, Table};
use super::{ABI_MAJOR, ABI_MINOR, Item, MAGIC, OK, Plugin, Str};
use crate::{Error, ErrorKind, Origin, Registered, Result};

/// The exported symbol.
pub const SYMBOL: &str = "itch_plugin_v1";

/// The largest number of units in a library; more is an error.
const MOST_UNITS: usize = 10_000;
/// The longest name and version, in bytes.
const LONGEST_NAME: usize = 64;
/// The longest description, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

/// A plugin whose version is compatible with this host. None of its code has been called yet.
#[derive(Clone, Debug)]
pub struct Library {
    plugin: Plugin,
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// Author, licence, home page as JSON; may be empty.
    pub about_json: String,
}

fn unfit(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, why)
}

impl Library {
    /// Reads and checks a descriptor. No code of the library is called.
    ///
    /// # Safety
    /// `plugin` must be null or the address of a symbol [`SYMBOL`] in a library that is never unloaded.
    pub unsafe fn read(plugin: *const Plugin) -> Result<Library> {
        if plugin.is_null() || !plugin.is_aligned() {
            return Err(unfit(format!("`{SYMBOL}` has no address")));
        }
        // SAFETY: promised by the caller: a symbol of this name begins with these numbers in every version.
        let magic = unsafe { (&raw const (*plugin).magic).read() };
        if magic != MAGIC {
            return Err(unfit(format!(
                "`{SYMBOL}` begins with {magic:#010x} instead of {MAGIC:#010x}: it is not a plugin, or one for another \
                 byte order"
            )));
        }
        // SAFETY: the magic number says that it is a descriptor.
        let plugin = unsafe { table::read(plugin) }?;
        if plugin.abi_major != ABI_MAJOR {
            return Err(unfit(format!(
                "it was built for version {}.{} of the plugin boundary, and this itch has {ABI_MAJOR}.{ABI_MINOR}",
                plugin.abi_major, plugin.abi_minor
            ))
            .hint("build the plugin again with this itch's SDK"));
        }
        if plugin.min_host_minor > ABI_MINOR {
            return Err(unfit(format!(
                "it needs version {}.{} of the plugin boundary or later, and this itch has {ABI_MAJOR}.{ABI_MINOR}",
                plugin.abi_major, plugin.min_host_minor
            ))
            .hint("update itch"));
        }
        let text = |text: Str, most: usize, what: &str| {
            check_text(text, most, &format!("its {what}"))?;
            // SAFETY: by the rules of the boundary the texts of a descriptor live as long as the library.
            str::from_utf8(unsafe { text.bytes() })
                .map(str::to_owned)
                .map_err(|error| unfit(format!("its {what} is not valid UTF-8")).source_chain(&error))
        };
        let library = Library {
            name: text(plugin.name, LONGEST_NAME, "name")?,
            version: text(plugin.version, LONGEST_NAME, "version")?,
            about_json: text(plugin.about_json, LONGEST_TEXT, "description")?,
            plugin,
        };
        crate::check::check_name(&library.name)?;
        Ok(library)
    }

    /// The version of the boundary that the plugin was built for.
    pub fn abi(&self) -> (u16, u16) {
        (self.plugin.abi_major, self.plugin.abi_minor)
    }

    /// Lists its units of every kind, including kinds that this version does not know.
    pub fn items(&self) -> Result<Vec<&'static Item>> {
        let mut items = std::ptr::null();
        let mut n = 0;
        // SAFETY: the versions fit; both places may be written.
        let status = unsafe { (self.plugin.items)(&raw mut items, &raw mut n) };
        if status != OK {
            let kind = ErrorKind::from_status(status);
            return Err(Error::new(kind, "it did not list its units"));
        }
        if n > MOST_UNITS {
            return Err(unfit(format!("it claims to have {n} units")));
        }
        if n > 0 && (items.is_null() || !items.is_aligned()) {
            return Err(unfit(format!("it has {n} units, but their address is not valid")));
        }
        // SAFETY: by the rules of the boundary it returned the address of this many addresses, which stay valid.
        let item = |place: usize| unsafe { *items.add(place) };
        (0..n).map(|place| whole(item(place))).collect()
    }

    /// The units for the registry. Those of a kind that this version does not know are left out; their number is
    /// returned.
    pub fn units(&self, origin: &Origin) -> Result<(Vec<Registered>, usize)> {
        let items = self.items()?;
        let all = items.len();
        let register = |item| Registered::new(item, &self.name, &self.version, self.abi(), origin.clone());
        let units: Vec<Registered> = items.into_iter().filter_map(register).collect();
        let unknown = all - units.len();
        Ok((units, unknown))
    }
}

/// Checks before a text is read that its address and length are possible, and that it is not too long.
fn check_text(text: Str, most: usize, what: &str) -> Result<()> {
    if text.len > most {
        let long = text.len;
        return Err(unfit(format!("{what} is {long} bytes long, more than {most}")));
    }
    if !text.is_possible() {
        let long = text.len;
        return Err(unfit(format!("{what} is {long} bytes long, but its address is not valid")));
    }
    Ok(())
}

/// A unit as this version knows it: a reference if it has every field, else a copy in which newer fields are absent.
fn whole(item: *const Item) -> Result<&'static Item> {
    // SAFETY: by the rules of the boundary an item is such a struct, of any version, and stays.
    unsafe {
        let copy = table::read(item)?;
        check_text(copy.name, LONGEST_NAME, "the name of a unit")?;
        check_text(copy.spec_json, LONGEST_TEXT, "the description of a unit")?;
        Ok(match copy.size as usize >= size_of::<Item>() {
            true => &*item,
            false => Box::leak(Box::new(copy)),
        })
    }
}

/// The part of a struct that every version has.
const _: () = assert!(Plugin::V1 <= size_of::<Plugin>() && Item::V1 <= size_of::<Item>());
