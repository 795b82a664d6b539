//! Reads the structs of the other side. Each begins with its size, and may be older or newer than this version.
//!
//! The fields of version 1.0 are required. A newer entry is an `Option` here, and absent in a shorter struct.

use std::mem::{MaybeUninit, offset_of};

use super::{Cache, Host, Item, Plugin, Renderer, Report};
use crate::{Error, ErrorKind, Result};

/// A struct that is passed by address.
///
/// # Safety
/// All zeros must be a valid value of every field except those in `REQUIRED`, and a field in `REQUIRED` must be a
/// pointer for which every value except zero is valid. A `u32` at `SIZE_AT` must contain the size in bytes.
pub unsafe trait Table: Copy {
    /// The name of the struct in error messages.
    const WHAT: &'static str;
    /// The offset of its size.
    const SIZE_AT: usize = 0;
    /// Its size in version 1.0. It never changes.
    const V1: usize;
    /// The offsets of the pointers that must not be null.
    const REQUIRED: &'static [usize];
}

/// The last field of version 1.0 of every table is a pointer.
const POINTER: usize = size_of::<usize>();

macro_rules! table {
    ($table:ident is $what:literal up to $last:ident, has $($entry:ident)*) => {
        // SAFETY: numbers, texts and optional entries may be zero; every entry that may not is listed.
        unsafe impl Table for $table {
            const WHAT: &'static str = $what;
            const V1: usize = offset_of!($table, $last) + POINTER;
            const REQUIRED: &'static [usize] = &[$(offset_of!($table, $entry)),*];
        }
    };
}

table!(Host is "itch's table" up to buf_free, has get fetch wait wait_any ticket_drop pages_open pages_next pages_close
    emit note progress log cancelled set_error buf_free);
table!(Report is "a report's table" up to run, has run);
table!(Cache is "a cache's table" up to clear, has open get put remove stats location close);
table!(Renderer is "a renderer's table" up to render, has render);
table!(Item is "a unit" up to vtable, has vtable);

// SAFETY: as above.
unsafe impl Table for Plugin {
    const WHAT: &'static str = "a plugin";
    const SIZE_AT: usize = offset_of!(Plugin, size);
    const V1: usize = offset_of!(Plugin, items) + POINTER;
    const REQUIRED: &'static [usize] = &[offset_of!(Plugin, items)];
}

/// Copies the fields of a table that both sides know. The other fields are absent.
///
/// # Safety
/// `from` must be null or point to a struct of this kind, of any version, with as many bytes as its size says.
pub unsafe fn read<T: Table>(from: *const T) -> Result<T> {
    let unfit = |why: String| Error::new(ErrorKind::Unsupported, why);
    if from.is_null() || !from.is_aligned() {
        return Err(unfit(format!("{} is missing", T::WHAT)));
    }
    let bytes = from.cast::<u8>();
    // SAFETY: promised by the caller; the size is aligned, since the struct is.
    let size = unsafe { bytes.add(T::SIZE_AT).cast::<u32>().read() } as usize;
    if size < T::V1 {
        return Err(unfit(format!("{} is {size} bytes long, and version 1.0 of the boundary had {}", T::WHAT, T::V1)));
    }
    for place in T::REQUIRED {
        // SAFETY: the struct has at least the bytes of version 1.0, and this is a pointer among them.
        if unsafe { bytes.add(*place).cast::<*const u8>().read() }.is_null() {
            return Err(unfit(format!("{} lacks the entry at byte {place}", T::WHAT)));
        }
    }
    let mut table = MaybeUninit::<T>::zeroed();
    // SAFETY: both places have this many bytes; the required entries are not null, and zeros are absent entries.
    unsafe {
        let known = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(bytes, table.as_mut_ptr().cast::<u8>(), known);
        Ok(table.assume_init())
    }
}
