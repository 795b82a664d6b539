//! The library's side of loading: the list of its units, and the handling of its panics.

use std::cell::RefCell;
use std::panic::{Location, PanicHookInfo};
use std::ptr;
use std::sync::OnceLock;

use super::{Item, OK, Status, Str};
use crate::Unit;

/// A list of addresses that lives as long as the library.
struct Items(Box<[*const Item]>);

// SAFETY: the items are immutable and `'static`.
unsafe impl Send for Items {}
// SAFETY: as above.
unsafe impl Sync for Items {}

/// Implements `items` of an exported descriptor: lists every unit that is registered in this library.
///
/// # Safety
/// Both places may be written.
pub unsafe fn items(items: *mut *const *const Item, n: *mut usize) -> Status {
    static ITEMS: OnceLock<Items> = OnceLock::new();
    let list = ITEMS.get_or_init(|| {
        let units = inventory::iter::<Unit>.into_iter();
        Items(units.map(|unit| ptr::from_ref((unit.item)())).collect())
    });
    // SAFETY: promised by the caller.
    unsafe {
        items.write(list.0.as_ptr());
        n.write(list.0.len());
    }
    OK
}

/// Remembers where a panic happened, for the error that it becomes. A library has its own standard library, whose
/// default hook would print to the host's terminal.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(Location::to_string);
        LAST_PANIC.with(|last| *last.borrow_mut() = place);
    }));
}

/// The description of a crate, as JSON of its four texts. A constant cannot escape a text: if one would need it, the
/// JSON is empty.
pub const fn about(json: &'static str) -> Str {
    let bytes = json.as_bytes();
    let mut quotes = 0;
    let mut place = 0;
    while place < bytes.len() {
        match bytes[place] {
            b'"' => quotes += 1,
            b'\\' | 0..0x20 => return Str::new(b""),
            _ => {}
        }
        place += 1;
    }
    if quotes == 16 { Str::new(bytes) } else { Str::new(b"") }
}

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Where this thread's last panic happened, if the hook above was installed then.
pub(super) fn take_panic() -> Option<String> {
    LAST_PANIC.with(RefCell::take)
}
