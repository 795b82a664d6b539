//! Calls a unit from the host. Reports, caches and renderers are only ever called through these functions.

use std::ffi::c_void;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::host::{HOST, RunHost, RunState, push_bytes, status_of};
use super::table::{self, Table};
use super::{
    CACHE, F32, F64, Item, MISS, OK, RENDERER, REPORT, Stats, Status, Str, TEXT, TOO_LARGE, U8, U32, UNKNOWN, Values,
};
use crate::{
    Buffer, CacheSettings, CacheStats, CacheStore, CallInput, Chart, Error, ErrorKind, Put, Result, Scan, ScanEntry,
    ScanSupport, StoredValue,
};

/// The entries of an item of one kind. Entries that are newer than the plugin are absent.
fn entries<V: Table>(item: &Item, kind: u32) -> Result<V> {
    if item.kind != kind {
        return Err(Error::new(ErrorKind::Unsupported, "the unit is of another kind"));
    }
    // SAFETY: by the rules of the boundary the vtable of an item of this kind is such a struct.
    unsafe { table::read(item.vtable.cast::<V>()) }
}

/// Checks that a unit has the entries for its kind, without calling any.
pub fn check(item: &Item) -> Result<()> {
    match item.kind {
        REPORT => entries::<super::Report>(item, REPORT).map(drop),
        CACHE => entries::<super::Cache>(item, CACHE).map(drop),
        RENDERER => entries::<super::Renderer>(item, RENDERER).map(drop),
        kind => Err(Error::new(ErrorKind::Unsupported, format!("this itch does not support units of kind {kind}"))),
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(value).map_err(std::io::Error::from)?)
}

/// Runs one call of a report.
pub fn run_report(item: &'static Item, host: Arc<dyn RunHost>, call: &CallInput) -> Result<()> {
    let report: super::Report = entries(item, REPORT)?;
    let call = json(call)?;
    let run = RunState::new(host);
    // SAFETY: the run and the text live until the entry has returned.
    let status = unsafe { (report.run)(item.this, &raw const HOST, run.address(), Str::new(&call)) };
    run.result(status, &[OK]).map(drop)
}

/// Draws a chart.
pub fn render(item: &'static Item, host: Arc<dyn RunHost>, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
    struct Sink<'a> {
        out: &'a mut dyn Write,
        failed: Option<std::io::Error>,
    }
    unsafe extern "C" fn write(sink: *mut c_void, bytes: *const u8, len: usize) -> Status {
        // SAFETY: the sink is the one below; the plugin passes readable bytes.
        let (sink, bytes) = unsafe { (&mut *sink.cast::<Sink<'_>>(), Str { ptr: bytes, len }.bytes()) };
        // Caught here: a panic must not unwind into the plugin.
        status_of(|| match sink.out.write_all(bytes) {
            Ok(()) => Ok(OK),
            Err(error) => {
                sink.failed = Some(error);
                Ok(super::CANCELLED)
            }
        })
    }

    let renderer: super::Renderer = entries(item, RENDERER)?;
    let text = json(chart)?;
    let buffers: Vec<Values> = chart.buffers.iter().map(values).collect();
    let run = RunState::new(host);
    let mut sink = Sink { out, failed: None };
    // SAFETY: everything passed lives until the entry has returned.
    let status = unsafe {
        (renderer.render)(
            item.this,
            &raw const HOST,
            run.address(),
            Str::new(&text),
            buffers.as_ptr(),
            buffers.len(),
            (&raw mut sink).cast(),
            write,
        )
    };
    match sink.failed {
        Some(error) => Err(error.into()),
        None => run.result(status, &[OK]).map(drop),
    }
}

/// A buffer as it is passed to a plugin: a view of the memory, without a copy.
fn values(buffer: &Buffer<'_>) -> Values {
    let (kind, ptr, len) = match buffer {
        Buffer::F64(values) => (F64, values.as_ptr().cast(), values.len()),
        Buffer::F32(values) => (F32, values.as_ptr().cast(), values.len()),
        Buffer::U8(values) => (U8, values.as_ptr().cast(), values.len()),
        Buffer::U32(values) => (U32, values.as_ptr().cast(), values.len()),
        Buffer::Text(text) => (TEXT, text.as_ptr().cast(), text.len()),
    };
    Values { kind, ptr, len }
}

/// Opens a cache backend's store.
pub fn open_cache(
    item: &'static Item,
    host: Arc<dyn RunHost>,
    settings: &CacheSettings,
) -> Result<Box<dyn CacheStore>> {
    let cache: super::Cache = entries(item, CACHE)?;
    let settings = json(settings)?;
    let run = RunState::new(host);
    let mut store = std::ptr::null_mut();
    // SAFETY: the run lives as long as the store, the text until the entry has returned.
    let status =
        unsafe { (cache.open)(item.this, &raw const HOST, run.address(), Str::new(&settings), &raw mut store) };
    run.result(status, &[OK])?;
    if store.is_null() {
        return Err(Error::new(ErrorKind::Failed, "the cache backend did not open a store"));
    }
    Ok(Box::new(DrivenStore { cache, store, run }))
}

/// An open store behind the boundary, as a [`CacheStore`] for the rest of the program.
struct DrivenStore {
    cache: super::Cache,
    store: *mut c_void,
    run: Box<RunState>,
}

// SAFETY: a store is called from one thread at a time, by the rules of the boundary not always the same one.
unsafe impl Send for DrivenStore {}

impl CacheStore for DrivenStore {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let mut bytes = Vec::new();
        let mut modified_ms = 0;
        // SAFETY: the store is open; everything passed lives until the entry has returned.
        let status = unsafe {
            let sink = (&raw mut bytes).cast();
            let key = Str::new(key.as_bytes());
            (self.cache.get)(self.store, self.run.address(), key, sink, push_bytes, &raw mut modified_ms)
        };
        if self.run.result(status, &[OK, MISS])? == MISS {
            return Ok(None);
        }
        Ok(Some(StoredValue {
            bytes,
            modified: time(modified_ms),
        }))
    }

    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put> {
        let ttl_ms = ttl.map_or(0, |ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1));
        // SAFETY: as in `get`.
        let status = unsafe {
            let (key, value) = (Str::new(key.as_bytes()), Str::new(value));
            (self.cache.put)(self.store, self.run.address(), key, value, ttl_ms)
        };
        Ok(match self.run.result(status, &[OK, TOO_LARGE])? {
            TOO_LARGE => Put::TooLarge,
            _ => Put::Stored,
        })
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        // SAFETY: as in `get`.
        let status = unsafe { (self.cache.remove)(self.store, self.run.address(), Str::new(key.as_bytes())) };
        self.run.result(status, &[OK]).map(drop)
    }

    fn stats(&mut self) -> Result<CacheStats> {
        let mut stats = Stats {
            size: size_of::<Stats>() as u32,
            entries: UNKNOWN,
            bytes: UNKNOWN,
        };
        // SAFETY: as in `get`.
        let status = unsafe { (self.cache.stats)(self.store, self.run.address(), &raw mut stats) };
        self.run.result(status, &[OK])?;
        let known = |number| (number != UNKNOWN).then_some(number);
        Ok(CacheStats {
            entries: known(stats.entries),
            bytes: known(stats.bytes),
        })
    }

    fn location(&self) -> String {
        let mut bytes: Vec<u8> = Vec::new();
        // SAFETY: as in `get`.
        let status =
            unsafe { (self.cache.location)(self.store, self.run.address(), (&raw mut bytes).cast(), push_bytes) };
        let _ = self.run.result(status, &[OK]);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        type Visitor<'a> = &'a mut dyn FnMut(ScanEntry) -> Scan;
        unsafe extern "C" fn visit_one(sink: *mut c_void, key: Str, bytes: u64, modified_ms: u64) -> Status {
            // SAFETY: the sink is the visitor below; the key is borrowed for the call.
            let (visit, key) = unsafe { (&mut *sink.cast::<Visitor<'_>>(), key.bytes()) };
            let key = String::from_utf8_lossy(key).into_owned();
            let modified_ms = (modified_ms > 0).then_some(modified_ms);
            let entry = ScanEntry {
                key,
                bytes,
                modified_ms,
            };
            status_of(|| {
                Ok(match visit(entry) {
                    Scan::Continue => OK,
                    Scan::Stop => super::CANCELLED,
                })
            })
        }

        let Some(scan) = self.cache.scan else {
            return Ok(ScanSupport::Unsupported);
        };
        let mut visitor: Visitor<'_> = visit;
        // SAFETY: as in `get`.
        let status = unsafe { scan(self.store, self.run.address(), (&raw mut visitor).cast(), visit_one) };
        if status == ErrorKind::Unsupported.status() || status == super::CANCELLED {
            let _ = self.run.result(OK, &[OK]);
            let stopped = status == super::CANCELLED;
            return Ok(if stopped {
                ScanSupport::Listed
            } else {
                ScanSupport::Unsupported
            });
        }
        self.run.result(status, &[OK]).map(|_| ScanSupport::Listed)
    }

    fn clear(&mut self) -> Result<bool> {
        let Some(clear) = self.cache.clear else {
            return Ok(false);
        };
        // SAFETY: as in `get`.
        let status = unsafe { clear(self.store, self.run.address()) };
        if status == ErrorKind::Unsupported.status() {
            let _ = self.run.result(OK, &[OK]);
            return Ok(false);
        }
        self.run.result(status, &[OK]).map(|_| true)
    }
}

impl Drop for DrivenStore {
    fn drop(&mut self) {
        // SAFETY: the store is open and is closed here, once.
        unsafe { (self.cache.close)(self.store) };
    }
}

fn time(milliseconds: u64) -> Option<SystemTime> {
    let since = (milliseconds > 0).then(|| Duration::from_millis(milliseconds))?;
    UNIX_EPOCH.checked_add(since)
}
