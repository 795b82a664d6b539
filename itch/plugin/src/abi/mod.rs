//! The C boundary: structs, statuses, and both sides of every call.
//!
//! Rules, for every entry: strings are UTF-8 by pointer and length, never NUL-terminated; whoever receives a
//! pointer copies what it keeps; only the host allocates for the other side ([`Buf`], freed by
//! [`Host::buf_free`]); nothing unwinds across.
//!
//! Versions: every struct says its size. What [version 1.0 had](table::Table::V1) is always there; a later version adds
//! fields at the end, whose entries are `Option` here and absent where the other side's struct is shorter. Either side
//! takes a [copy](table::read) of the other's struct and so never reads beyond it.
//!
//! Units that are linked in run through the same structs as those in a shared library, so every test of a
//! report is a test of the boundary. This is the only place in the workspace where `unsafe` is allowed.
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

/// "ITCH" read as a little-endian number; a wrong byte order shows.
pub const MAGIC: u32 = 0x4843_5449;
/// Changes only when the boundary breaks; it stands in the exported symbol's name as well.
pub const ABI_MAJOR: u16 = 1;
/// Grows with every addition.
pub const ABI_MINOR: u16 = 0;

/// What an entry answers: 0 or more is no failure.
pub type Status = i32;
/// Done as asked.
pub const OK: Status = 0;
/// There are no more pages.
pub const DONE: Status = 1;
/// Nobody wants more: stop quietly. Also the status of a cancelled wait.
pub const CANCELLED: Status = 2;
/// The cache has no such key.
pub const MISS: Status = 3;
/// The cache cannot hold a value of this size, and has left it out.
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
/// [`Values::kind`] of UTF-8 texts, each ended by a line feed.
pub const TEXT: u32 = 4;
/// [`Values::kind`] of `uint32_t`.
pub const U32: u32 = 5;

/// [`Response::flags`]: a cache answered.
pub const FROM_CACHE: u16 = 1;
/// No row may be longer, in bytes.
pub const LONGEST_ROW: usize = 64 << 20;

/// In [`Stats`]: the store cannot say.
pub const UNKNOWN: u64 = u64::MAX;

/// A borrowed text or run of bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    /// The first byte; may be anything when `len` is 0.
    pub ptr: *const u8,
    /// Bytes.
    pub len: usize,
}

/// Memory of the host's, lent to a plugin until it calls [`Host::buf_free`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buf {
    /// The first byte, or null for none.
    pub ptr: *mut u8,
    /// Bytes.
    pub len: usize,
    /// The host's own note.
    pub owner: *mut c_void,
}

/// A borrowed run of values.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// [`F64`], [`F32`], [`U8`], [`TEXT`] or [`U32`]; a renderer leaves others alone.
    pub kind: u32,
    /// The first value, aligned as its type asks; may be anything when `len` is 0.
    pub ptr: *const c_void,
    /// How many values; bytes in the case of texts.
    pub len: usize,
}

/// One invocation of a unit; valid until the entry it was given to returns, from any thread.
pub type Run = c_void;
/// One walk over pages.
pub type WalkHandle = c_void;

/// A final HTTP answer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// Size of this struct as the plugin knows it.
    pub size: u32,
    /// The HTTP status.
    pub http_status: u16,
    /// [`FROM_CACHE`].
    pub flags: u16,
    /// How long ago a cache stored it, in milliseconds.
    pub age_ms: u64,
    /// The body; on failure an error as JSON.
    pub body: Buf,
}

/// What the host offers. Every entry may be called from any thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Size of this struct.
    pub size: u32,
    /// [`ABI_MAJOR`] of the host.
    pub abi_major: u16,
    /// [`ABI_MINOR`] of the host.
    pub abi_minor: u16,
    /// Fetches a request and gives the body of a successful answer; on failure `out` holds an error as JSON.
    pub get: unsafe extern "C" fn(*mut Run, request_json: Str, out: *mut Buf) -> Status,
    /// Starts a request at once. One that cannot start is answered with its error where its ticket is waited for.
    pub fetch: unsafe extern "C" fn(*mut Run, request_json: Str, ticket: *mut u64) -> Status,
    /// Waits for the final answer, whatever its HTTP status; the ticket is used up.
    pub wait: unsafe extern "C" fn(*mut Run, ticket: u64, out: *mut Response) -> Status,
    /// Waits until one of the tickets has ended and says which; none is used up.
    pub wait_any: unsafe extern "C" fn(*mut Run, tickets: *const u64, n: usize, which: *mut usize) -> Status,
    /// Gives a ticket up.
    pub ticket_drop: unsafe extern "C" fn(*mut Run, ticket: u64),
    /// Starts a walk over pages: a [`PagesRequest`] as JSON. On failure `error` holds an error as JSON.
    pub pages_open:
        unsafe extern "C" fn(*mut Run, request_json: Str, out: *mut *mut WalkHandle, error: *mut Buf) -> Status,
    /// The next page's rows as a JSON array, or [`DONE`]; on failure `out` holds an error as JSON.
    pub pages_next: unsafe extern "C" fn(*mut WalkHandle, out: *mut Buf) -> Status,
    /// Ends a walk.
    pub pages_close: unsafe extern "C" fn(*mut WalkHandle),
    /// Prints `n` rows, each a JSON array in the order of the declared columns, each ended by a line feed and no longer
    /// than [`LONGEST_ROW`]. Anything else ends the run with an error, whatever the unit answers.
    pub emit: unsafe extern "C" fn(*mut Run, rows: Str, n: u32) -> Status,
    /// Notes facts for the verdict: one as a JSON object, or several as an array.
    pub note: unsafe extern "C" fn(*mut Run, facts_json: Str) -> Status,
    /// Says how far the work is; `total` 0 means unknown.
    pub progress: unsafe extern "C" fn(*mut Run, done: u64, total: u64),
    /// Writes a line to the log: 1 error, 2 warning, 3 information, 4 debug.
    pub log: unsafe extern "C" fn(*mut Run, level: i32, message: Str),
    /// [`OK`] or [`CANCELLED`].
    pub cancelled: unsafe extern "C" fn(*mut Run) -> Status,
    /// Explains the status about to be returned: an error as JSON, or any text as its message.
    pub set_error: unsafe extern "C" fn(*mut Run, error: Str),
    /// Gives memory back; a null `ptr` is allowed.
    pub buf_free: unsafe extern "C" fn(Buf),
}

/// Takes bytes, once or several times.
pub type Push = unsafe extern "C" fn(sink: *mut c_void, bytes: *const u8, len: usize) -> Status;
/// Takes one value of a scan; any answer but [`OK`] ends the scan. `modified_ms` 0 means unknown.
pub type Visit = unsafe extern "C" fn(sink: *mut c_void, key: Str, bytes: u64, modified_ms: u64) -> Status;

/// The entries of a report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Size of this struct.
    pub size: u32,
    /// Runs one call.
    pub run: unsafe extern "C" fn(this: *mut c_void, *const Host, *mut Run, call_json: Str) -> Status,
}

/// How much a store holds; [`UNKNOWN`] where it cannot say.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Size of this struct as the host knows it.
    pub size: u32,
    /// Number of values.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The entries of a cache backend. A key is 64 lower-case hexadecimal digits, a value any bytes. The entries of one
/// store are called from one thread at a time, all with the run it was opened under.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// Size of this struct.
    pub size: u32,
    /// Opens the store.
    pub open: unsafe extern "C" fn(
        this: *mut c_void,
        *const Host,
        *mut Run,
        settings_json: Str,
        store: *mut *mut c_void,
    ) -> Status,
    /// Pushes a value, or answers [`MISS`]. `modified_ms` stays 0 if the store does not know.
    pub get: unsafe extern "C" fn(
        store: *mut c_void,
        *mut Run,
        key: Str,
        sink: *mut c_void,
        push: Push,
        modified_ms: *mut u64,
    ) -> Status,
    /// Stores a value, or answers [`TOO_LARGE`]; `ttl_ms` 0 means without end.
    pub put: unsafe extern "C" fn(store: *mut c_void, *mut Run, key: Str, value: Str, ttl_ms: u64) -> Status,
    /// Forgets a value.
    pub remove: unsafe extern "C" fn(store: *mut c_void, *mut Run, key: Str) -> Status,
    /// Says how much is stored.
    pub stats: unsafe extern "C" fn(store: *mut c_void, *mut Run, out: *mut Stats) -> Status,
    /// Pushes where the data is, for people.
    pub location: unsafe extern "C" fn(store: *mut c_void, *mut Run, sink: *mut c_void, push: Push) -> Status,
    /// Visits every value of itch's; null or "unsupported" (-7) where the store cannot list.
    pub scan: Option<unsafe extern "C" fn(store: *mut c_void, *mut Run, sink: *mut c_void, visit: Visit) -> Status>,
    /// Closes the store; called exactly once.
    pub close: unsafe extern "C" fn(store: *mut c_void),
    /// Forgets everything of itch's at once; null or "unsupported" (-7) where the store has no such means.
    pub clear: Option<unsafe extern "C" fn(store: *mut c_void, *mut Run) -> Status>,
}

/// The entries of a renderer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Renderer {
    /// Size of this struct.
    pub size: u32,
    /// Draws one chart; `buffers` are those that its layers name by their place.
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
    /// Size of this struct.
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

/// The one exported symbol of a shared library, `itch_plugin_v1`: plain data, read before any call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// [`MAGIC`].
    pub magic: u32,
    /// Size of this struct.
    pub size: u32,
    /// [`ABI_MAJOR`] that the plugin was built for.
    pub abi_major: u16,
    /// [`ABI_MINOR`] that the plugin was built for.
    pub abi_minor: u16,
    /// The smallest minor version of a host that it can work with.
    pub min_host_minor: u16,
    /// None yet.
    pub flags: u16,
    /// The plugin's name.
    pub name: Str,
    /// The plugin's version.
    pub version: Str,
    /// Author, licence, home page as JSON; may be empty.
    pub about_json: Str,
    /// Gives the units. Called only after the versions were checked.
    pub items: unsafe extern "C" fn(items: *mut *const *const Item, n: *mut usize) -> Status,
}

// SAFETY: an item and a plugin descriptor are immutable once made, and what they point to is `'static`; their
// entries may be called from any thread by the rules above.
unsafe impl Send for Item {}
// SAFETY: as above.
unsafe impl Sync for Item {}
// SAFETY: as above.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

impl Str {
    /// Borrows bytes; the borrow is not tracked, so the bytes must outlive every use.
    pub const fn new(bytes: &[u8]) -> Str {
        Str {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Whether there can be such bytes: some are somewhere, and no more than memory can hold.
    pub fn is_possible(self) -> bool {
        self.len == 0 || !self.ptr.is_null() && isize::try_from(self.len).is_ok()
    }

    /// The bytes behind it; none if [there cannot be any](Str::is_possible).
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
    /// The unit's name; UTF-8 by the rules.
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
