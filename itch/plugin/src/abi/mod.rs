//! The C boundary: structs, statuses, and both sides of every call.
//!
//! Rules for every entry: strings are UTF-8 with a pointer and a length, never NUL-terminated; a function that gets a
//! pointer copies what it keeps; only the host allocates memory for the other side ([`Buf`], freed by
//! [`Host::buf_free`]); nothing unwinds across the boundary.
//!
//! Versions: every struct contains its size. The [fields of version 1.0](table::Table::V1) are always present. A later
//! version adds fields at the end; their entries are `Option` here and absent if the other side's struct is shorter.
//! Each side works on a [copy](table::read) of the other's struct, so it never reads beyond its end.
//!
//! Linked-in units are called through the same structs as units in a shared library, so every test of a report also
//! tests the boundary. This is the only place in the workspace where `unsafe` is allowed.
#![allow(unsafe_code)]

pub mod drive;
pub mod export;
mod host;
pub mod items;
pub mod library;
mod link;
mod log_host;
pub mod table;
#[cfg(test)]
mod tests;

use std::ffi::c_void;

pub use host::{PagesRequest, RunHost};
pub use log_host::LogHost;

/// "ITCH" as a little-endian number, so that a wrong byte order is detected.
pub const MAGIC: u32 = 0x4843_5449;
/// Changes only when the boundary breaks; it is also part of the exported symbol's name.
pub const ABI_MAJOR: u16 = 1;
/// Increases with every addition.
pub const ABI_MINOR: u16 = 0;

/// The result of an entry: 0 or more is not a failure.
pub type Status = i32;
/// Success.
pub const OK: Status = 0;
/// There are no more pages.
pub const DONE: Status = 1;
/// No more output is needed: stop without a message. Also the status of a cancelled wait.
pub const CANCELLED: Status = 2;
/// The cache has no such key.
pub const MISS: Status = 3;
/// The cache cannot store a value of this size, and has left it out.
pub const TOO_LARGE: Status = 4;

/// [`Item::kind`] of a report.
pub const REPORT: u32 = 1;
/// [`Item::kind`] of a cache backend.
pub const CACHE: u32 = 2;
/// [`Item::kind`] of a renderer.
pub const RENDERER: u32 = 3;

/// [`Values::kind`] of `double`.
pub const F64: u32 = 1;
/// [`Values::kind`] of `float`.
pub const F32: u32 = 2;
/// [`Values::kind`] of unsigned bytes.
pub const U8: u32 = 3;
/// [`Values::kind`] of UTF-8 texts, each followed by a line feed.
pub const TEXT: u32 = 4;
/// [`Values::kind`] of `uint32_t`.
pub const U32: u32 = 5;

/// [`Response::flags`]: the answer came from a cache.
pub const FROM_CACHE: u16 = 1;
/// The longest row, in bytes.
pub const LONGEST_ROW: usize = 64 << 20;

/// In [`Stats`]: the store does not know.
pub const UNKNOWN: u64 = u64::MAX;

/// A borrowed text or sequence of bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    /// The first byte; ignored if `len` is 0.
    pub ptr: *const u8,
    /// The length in bytes.
    pub len: usize,
}

/// Memory of the host, lent to a plugin until it calls [`Host::buf_free`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buf {
    /// The first byte, or null if empty.
    pub ptr: *mut u8,
    /// The length in bytes.
    pub len: usize,
    /// Private to the host.
    pub owner: *mut c_void,
}

/// A borrowed array of values.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// [`F64`], [`F32`], [`U8`], [`TEXT`] or [`U32`]; a renderer ignores other kinds.
    pub kind: u32,
    /// The first value, aligned for its type; ignored if `len` is 0.
    pub ptr: *const c_void,
    /// The number of values; for texts, the number of bytes.
    pub len: usize,
}

/// One call of a unit; valid in any thread until the entry that got it returns.
pub type Run = c_void;
/// One walk over pages.
pub type WalkHandle = c_void;

/// A final HTTP answer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// The size of this struct as the plugin knows it.
    pub size: u32,
    /// The HTTP status.
    pub http_status: u16,
    /// [`FROM_CACHE`].
    pub flags: u16,
    /// The age of the answer if it came from a cache, in milliseconds.
    pub age_ms: u64,
    /// The body; on failure an error as JSON.
    pub body: Buf,
}

/// The functions that the host provides. Every entry may be called from any thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The size of this struct.
    pub size: u32,
    /// [`ABI_MAJOR`] of the host.
    pub abi_major: u16,
    /// [`ABI_MINOR`] of the host.
    pub abi_minor: u16,
    /// Fetches a request and returns the body of a successful answer; on failure `out` contains an error as JSON.
    pub get: unsafe extern "C" fn(*mut Run, request_json: Str, out: *mut Buf) -> Status,
    /// Starts a request at once. If it cannot start, waiting for its ticket returns the error.
    pub fetch: unsafe extern "C" fn(*mut Run, request_json: Str, ticket: *mut u64) -> Status,
    /// Waits for the final answer, whatever its HTTP status. The ticket cannot be used again.
    pub wait: unsafe extern "C" fn(*mut Run, ticket: u64, out: *mut Response) -> Status,
    /// Waits until one of the tickets has finished and returns its index. All tickets stay valid.
    pub wait_any: unsafe extern "C" fn(*mut Run, tickets: *const u64, n: usize, which: *mut usize) -> Status,
    /// Gives up a ticket.
    pub ticket_drop: unsafe extern "C" fn(*mut Run, ticket: u64),
    /// Starts a walk over pages: a [`PagesRequest`] as JSON. On failure `error` contains an error as JSON.
    pub pages_open:
        unsafe extern "C" fn(*mut Run, request_json: Str, out: *mut *mut WalkHandle, error: *mut Buf) -> Status,
    /// The next page's rows as a JSON array, or [`DONE`]; on failure `out` contains an error as JSON.
    pub pages_next: unsafe extern "C" fn(*mut WalkHandle, out: *mut Buf) -> Status,
    /// Ends a walk.
    pub pages_close: unsafe extern "C" fn(*mut WalkHandle),
    /// Prints `n` rows, each a JSON array in the order of the declared columns, followed by a line feed and no longer
    /// than [`LONGEST_ROW`]. Anything else ends the run with an error, whatever status the unit returns.
    pub emit: unsafe extern "C" fn(*mut Run, rows: Str, n: u32) -> Status,
    /// Records facts for the verdict: one as a JSON object, or several as an array.
    pub note: unsafe extern "C" fn(*mut Run, facts_json: Str) -> Status,
    /// Reports the progress; `total` 0 means unknown.
    pub progress: unsafe extern "C" fn(*mut Run, done: u64, total: u64),
    /// Writes a line to the log: 1 error, 2 warning, 3 information, 4 debug.
    pub log: unsafe extern "C" fn(*mut Run, level: i32, message: Str),
    /// [`OK`] or [`CANCELLED`].
    pub cancelled: unsafe extern "C" fn(*mut Run) -> Status,
    /// Sets the error for the status about to be returned: as JSON, or any text as its message.
    pub set_error: unsafe extern "C" fn(*mut Run, error: Str),
    /// Frees memory; a null `ptr` is allowed.
    pub buf_free: unsafe extern "C" fn(Buf),
}

/// Takes bytes; may be called several times.
pub type Push = unsafe extern "C" fn(sink: *mut c_void, bytes: *const u8, len: usize) -> Status;
/// Takes one value of a scan; any status but [`OK`] ends the scan. `modified_ms` 0 means unknown.
pub type Visit = unsafe extern "C" fn(sink: *mut c_void, key: Str, bytes: u64, modified_ms: u64) -> Status;

/// The entries of a report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The size of this struct.
    pub size: u32,
    /// Runs one call.
    pub run: unsafe extern "C" fn(this: *mut c_void, *const Host, *mut Run, call_json: Str) -> Status,
}

/// How much a store contains; [`UNKNOWN`] if it does not know.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// The size of this struct as the host knows it.
    pub size: u32,
    /// The number of values.
    pub entries: u64,
    /// The number of bytes.
    pub bytes: u64,
}

/// The entries of a cache backend. A key is 64 lower-case hexadecimal digits; a value is any bytes. The entries of one
/// store are called from one thread at a time, all with the run for which it was opened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// The size of this struct.
    pub size: u32,
    /// Opens the store.
    pub open: unsafe extern "C" fn(
        this: *mut c_void,
        *const Host,
        *mut Run,
        settings_json: Str,
        store: *mut *mut c_void,
    ) -> Status,
    /// Pushes a value, or returns [`MISS`]. `modified_ms` stays 0 if the store does not know it.
    pub get: unsafe extern "C" fn(
        store: *mut c_void,
        *mut Run,
        key: Str,
        sink: *mut c_void,
        push: Push,
        modified_ms: *mut u64,
    ) -> Status,
    /// Stores a value, or returns [`TOO_LARGE`]; `ttl_ms` 0 means no expiry.
    pub put: unsafe extern "C" fn(store: *mut c_void, *mut Run, key: Str, value: Str, ttl_ms: u64) -> Status,
    /// Removes a value.
    pub remove: unsafe extern "C" fn(store: *mut c_void, *mut Run, key: Str) -> Status,
    /// Returns how much is stored.
    pub stats: unsafe extern "C" fn(store: *mut c_void, *mut Run, out: *mut Stats) -> Status,
    /// Pushes where the data is, for display.
    pub location: unsafe extern "C" fn(store: *mut c_void, *mut Run, sink: *mut c_void, push: Push) -> Status,
    /// Visits every value of itch; null or "unsupported" (-7) if the store cannot list values.
    pub scan: Option<unsafe extern "C" fn(store: *mut c_void, *mut Run, sink: *mut c_void, visit: Visit) -> Status>,
    /// Closes the store; called exactly once.
    pub close: unsafe extern "C" fn(store: *mut c_void),
    /// Removes all values of itch at once; null or "unsupported" (-7) if the store cannot do that.
    pub clear: Option<unsafe extern "C" fn(store: *mut c_void, *mut Run) -> Status>,
}

/// The entries of a renderer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Renderer {
    /// The size of this struct.
    pub size: u32,
    /// Draws one chart; its layers refer to `buffers` by index.
    pub render: unsafe extern "C" fn(
        this: *mut c_void,
        *const Host,
        *mut Run,
        chart_json: Str,
        buffers: *const Values,
        n: usize,
        out: *mut c_void,
        write: Push,
    ) -> Status,
}

/// One unit of a plugin.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The size of this struct.
    pub size: u32,
    /// [`REPORT`], [`CACHE`], [`RENDERER`]; an unknown kind is skipped, not an error.
    pub kind: u32,
    /// The first argument of every entry.
    pub this: *mut c_void,
    /// Its name.
    pub name: Str,
    /// Its description as JSON.
    pub spec_json: Str,
    /// [`Report`], [`Cache`] or [`Renderer`].
    pub vtable: *const c_void,
}

/// The exported symbol of a shared library, `itch_plugin_v1`: plain data, read before any call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// [`MAGIC`].
    pub magic: u32,
    /// The size of this struct.
    pub size: u32,
    /// [`ABI_MAJOR`] that the plugin was built for.
    pub abi_major: u16,
    /// [`ABI_MINOR`] that the plugin was built for.
    pub abi_minor: u16,
    /// The smallest minor version of a host that it works with.
    pub min_host_minor: u16,
    /// No flags are defined yet.
    pub flags: u16,
    /// The plugin's name.
    pub name: Str,
    /// The plugin's version.
    pub version: Str,
    /// Author, licence, home page as JSON; may be empty.
    pub about_json: Str,
    /// Lists the units. Called only after the versions were checked.
    pub items: unsafe extern "C" fn(items: *mut *const *const Item, n: *mut usize) -> Status,
}

// SAFETY: an item and a plugin descriptor never change once made, and what they point to is `'static`; their entries
// may be called from any thread by the rules above.
unsafe impl Send for Item {}
// SAFETY: as above.
unsafe impl Sync for Item {}
// SAFETY: as above.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

impl Str {
    /// Borrows bytes. The borrow is not tracked, so the bytes must outlive every use.
    pub const fn new(bytes: &[u8]) -> Str {
        Str {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Whether the address and length are possible: not null unless empty, and not larger than memory.
    pub fn is_possible(self) -> bool {
        self.len == 0 || !self.ptr.is_null() && isize::try_from(self.len).is_ok()
    }

    /// The bytes; none if they [are not possible](Str::is_possible).
    ///
    /// # Safety
    /// `ptr` must point to `len` readable bytes that stay unchanged for `'a`, unless `len` is 0.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.len == 0 || !self.is_possible() {
            return &[];
        }
        // SAFETY: promised by the caller; the length was checked.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl Item {
    /// The unit's name; valid UTF-8 by the rules.
    pub fn name(&self) -> &[u8] {
        // SAFETY: as below.
        unsafe { self.name.bytes() }
    }

    /// The unit's description as JSON.
    pub fn spec_json(&self) -> &[u8] {
        // SAFETY: an item's texts live as long as the item and never change.
        unsafe { self.spec_json.bytes() }
    }
}

impl Buf {
    /// No memory.
    pub const EMPTY: Buf = Buf {
        ptr: std::ptr::null_mut(),
        len: 0,
        owner: std::ptr::null_mut(),
    };
}
