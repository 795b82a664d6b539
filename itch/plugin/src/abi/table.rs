//! Reading the other side's structs: each begins with its size, and may be older, shorter and newer than ours.
//!
//! What version 1.0 had is required; an entry that came later is an `Option` here, and absent in a shorter struct.

use std::mem::{MaybeUninit, offset_of};

use super::{Cache, Host, Item, Plugin, Renderer, Report};
use crate::{Error, ErrorKind, Result};

/// A struct that crosses by its address.
///
/// # Safety
/// All zeros must be a value of every field but those in `REQUIRED`, and a field in `REQUIRED` must be a pointer of
/// which every value but zero is one. A `u32` at `SIZE_AT` must say how many bytes there are.
pub unsafe trait Table: Copy {
    /// What it is, for errors.
    const WHAT: &'static str;
    /// Where its size stands.
    const SIZE_AT: usize = 0;
    /// Its size in version 1.0. It never changes.
    const V1: usize;
    /// Where the pointers are that may not be null.
    const REQUIRED: &'static [usize];
}

/// Every table ends its version 1.0 with a pointer.
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

/// Copies a table as far as both sides know it. What is not there reads as absent.
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
    // SAFETY: both places have so many bytes; the required entries are not null, and zeros are absent entries.
    unsafe {
        let known = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(bytes, table.as_mut_ptr().cast::<u8>(), known);
        Ok(table.assume_init())
    }
}
