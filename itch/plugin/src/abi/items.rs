//! Items made from traits: the vtables through which a Rust unit is called, whether it is linked in or loaded.

use std::borrow::Cow;
use std::ffi::c_void;
use std::io::Write;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use itch_api::Api;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::host::write_sized;
use super::link::Link;
use super::{
    CACHE, CANCELLED, F32, F64, Host, Item, MISS, OK, Push, RENDERER, REPORT, Run, Stats, Status, Str, TEXT, TOO_LARGE,
    U8, U32, UNKNOWN, Values, Visit,
};
use crate::call::CallOutput;
use crate::{
    Buffer, Cache, CacheLog, CacheSettings, CacheStore, Call, Error, ErrorKind, Put, Renderer, Report, Result, Scan,
    ScanSupport,
};

/// Makes the item of a report.
pub fn report<T: Report>(unit: &'static T) -> &'static Item {
    let spec = unit.describe();
    described_report(unit, &spec.name, json(&spec))
}

/// Makes the item of a report whose description is already JSON.
pub fn described_report<T: Report>(unit: &'static T, name: &str, spec: Vec<u8>) -> &'static Item {
    item(REPORT, unit, name, spec, &raw const *ReportEntries::<T>::TABLE)
}

/// Makes the item of a cache backend.
pub fn cache<T: Cache>(unit: &'static T) -> &'static Item {
    let spec = unit.describe();
    described_cache(unit, &spec.name, json(&spec))
}

/// Makes the item of a cache backend whose description is already JSON.
pub fn described_cache<T: Cache>(unit: &'static T, name: &str, spec: Vec<u8>) -> &'static Item {
    item(CACHE, unit, name, spec, &raw const *CacheEntries::<T>::TABLE)
}

/// Makes the item of a renderer.
pub fn renderer<T: Renderer>(unit: &'static T) -> &'static Item {
    let spec = unit.describe();
    described_renderer(unit, &spec.name, json(&spec))
}

/// Makes the item of a renderer whose description is already JSON.
pub fn described_renderer<T: Renderer>(unit: &'static T, name: &str, spec: Vec<u8>) -> &'static Item {
    item(RENDERER, unit, name, spec, &raw const *RendererEntries::<T>::TABLE)
}

fn json(spec: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(spec).unwrap_or_default()
}

/// Items live as long as the process: one is made per unit and never freed.
fn item<T, V>(kind: u32, unit: &'static T, name: &str, spec: Vec<u8>, vtable: *const V) -> &'static Item {
    let text = |bytes: Vec<u8>| Str::new(bytes.leak());
    Box::leak(Box::new(Item {
        size: size_of::<Item>() as u32,
        kind,
        this: std::ptr::from_ref(unit).cast_mut().cast(),
        name: text(name.into()),
        spec_json: text(spec),
        vtable: vtable.cast(),
    }))
}

/// The message of a panic that was caught here. What was said is its cause.
pub const PANICKED: &str = "the plugin panicked";

/// Runs the body of an entry: an error becomes a status with a message, and a panic does not unwind into the host.
fn enter(link: &Link, body: impl FnOnce() -> Result<Status>) -> Status {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<&str>().map(|words| (*words).to_owned());
        let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
        let place = super::export::take_panic();
        let mut cause = words.unwrap_or_else(|| "no message".to_owned());
        if let Some(place) = place {
            cause = format!("{cause}, at {place}");
        }
        Err(Error::new(ErrorKind::Panic, PANICKED).cause(cause))
    });
    match result {
        Ok(status) => status,
        Err(error) => {
            if !error.is_cancelled() {
                link.set_error(&error);
            }
            error.kind.status()
        }
    }
}

fn read<T: DeserializeOwned>(text: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| {
        Error::new(ErrorKind::Unsupported, format!("could not parse {what} from the host")).source_chain(&error)
    })
}

struct ReportEntries<T>(PhantomData<T>);

impl<T: Report> ReportEntries<T> {
    const TABLE: &'static super::Report = &super::Report {
        size: size_of::<super::Report>() as u32,
        run: Self::run,
    };

    unsafe extern "C" fn run(this: *mut c_void, host: *const Host, run: *mut Run, call: Str) -> Status {
        // SAFETY: the host passes the item's own `this`, its table and run, and a text it keeps until we return.
        let (unit, link, text) = unsafe { (&*this.cast::<T>(), Link::new(host, run), call.bytes()) };
        let link = match link {
            Ok(link) => link,
            Err(status) => return status,
        };
        let status = enter(&link, || {
            let api = Api::new(Arc::clone(&link) as _);
            let mut call = Call::new(read(text, "a call")?, api, Arc::clone(&link) as _);
            let result = unit.run(&mut call);
            // Rows already emitted are complete, however the run ended.
            match (result, link.flush()) {
                (Err(error), _) | (Ok(()), Err(error)) => Err(error),
                (Ok(()), Ok(())) => Ok(OK),
            }
        });
        // Also the rows emitted before a panic; the status is that of the panic.
        let _ = link.flush();
        link.close();
        status
    }
}

struct CacheEntries<T>(PhantomData<T>);

/// An open store, with the link to report errors.
struct OpenStore {
    link: Arc<Link>,
    store: Box<dyn CacheStore>,
}

impl<T: Cache> CacheEntries<T> {
    const TABLE: &'static super::Cache = &super::Cache {
        size: size_of::<super::Cache>() as u32,
        open: Self::open,
        get: OpenStore::get,
        put: OpenStore::put,
        remove: OpenStore::remove,
        stats: OpenStore::stats,
        location: OpenStore::location,
        scan: Some(OpenStore::scan),
        close: OpenStore::close,
        clear: Some(OpenStore::clear),
    };

    unsafe extern "C" fn open(
        this: *mut c_void,
        host: *const Host,
        run: *mut Run,
        settings: Str,
        out: *mut *mut c_void,
    ) -> Status {
        // SAFETY: as for reports; the run of a store lives until the store is closed.
        let (unit, link, text) = unsafe { (&*this.cast::<T>(), Link::new(host, run), settings.bytes()) };
        let link = match link {
            Ok(link) => link,
            Err(status) => return status,
        };
        let mut opened = None;
        let status = enter(&link, || {
            let mut settings: CacheSettings = read(text, "settings")?;
            let log = Arc::clone(&link);
            settings.log = CacheLog::new(move |level, message| log.log(level, message));
            opened = Some(unit.open(&settings)?);
            Ok(OK)
        });
        match opened {
            Some(store) => {
                let open = Box::into_raw(Box::new(OpenStore { link, store }));
                // SAFETY: the host gave a place to write to.
                unsafe { out.write(open.cast()) };
            }
            None => link.close(),
        }
        status
    }
}

impl OpenStore {
    /// # Safety
    /// `store` must be a pointer that `open` wrote and that is not yet closed, used by one thread at a time.
    unsafe fn at<'a>(store: *mut c_void) -> (&'a Link, &'a mut dyn CacheStore) {
        // SAFETY: promised by the caller.
        let open = unsafe { &mut *store.cast::<OpenStore>() };
        (&open.link, open.store.as_mut())
    }

    unsafe extern "C" fn get(
        store: *mut c_void,
        _: *mut Run,
        key: Str,
        sink: *mut c_void,
        push: Push,
        modified_ms: *mut u64,
    ) -> Status {
        // SAFETY: as `at` requires, here and in every entry below; texts are borrowed for the call.
        let ((link, store), key) = unsafe { (Self::at(store), key.bytes()) };
        enter(link, || {
            let Some(value) = store.get(&String::from_utf8_lossy(key))? else {
                return Ok(MISS);
            };
            let modified = value.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            // SAFETY: the host gave a place to write to, and a sink that takes bytes.
            unsafe {
                modified_ms.write(modified.map_or(0, milliseconds));
                Ok(push(sink, value.bytes.as_ptr(), value.bytes.len()))
            }
        })
    }

    unsafe extern "C" fn put(store: *mut c_void, _: *mut Run, key: Str, value: Str, ttl_ms: u64) -> Status {
        // SAFETY: see `get`.
        let ((link, store), key, value) = unsafe { (Self::at(store), key.bytes(), value.bytes()) };
        enter(link, || {
            let ttl = (ttl_ms > 0).then(|| Duration::from_millis(ttl_ms));
            let put = store.put(&String::from_utf8_lossy(key), value, ttl)?;
            Ok(match put {
                Put::Stored => OK,
                Put::TooLarge => TOO_LARGE,
            })
        })
    }

    unsafe extern "C" fn remove(store: *mut c_void, _: *mut Run, key: Str) -> Status {
        // SAFETY: see `get`.
        let ((link, store), key) = unsafe { (Self::at(store), key.bytes()) };
        enter(link, || store.remove(&String::from_utf8_lossy(key)).map(|()| OK))
    }

    unsafe extern "C" fn stats(store: *mut c_void, _: *mut Run, out: *mut Stats) -> Status {
        // SAFETY: see `get`.
        let (link, store) = unsafe { Self::at(store) };
        enter(link, || {
            let stats = store.stats()?;
            let (entries, bytes) = (stats.entries.unwrap_or(UNKNOWN), stats.bytes.unwrap_or(UNKNOWN));
            let stats = Stats {
                size: size_of::<Stats>() as u32,
                entries,
                bytes,
            };
            // SAFETY: the host gave a place to write to, with its size in it.
            unsafe { write_sized(out, stats) };
            Ok(OK)
        })
    }

    unsafe extern "C" fn location(store: *mut c_void, _: *mut Run, sink: *mut c_void, push: Push) -> Status {
        // SAFETY: see `get`.
        let (link, store) = unsafe { Self::at(store) };
        enter(link, || {
            let location = store.location();
            // SAFETY: the host gave a sink that takes bytes.
            Ok(unsafe { push(sink, location.as_ptr(), location.len()) })
        })
    }

    unsafe extern "C" fn scan(store: *mut c_void, _: *mut Run, sink: *mut c_void, visit: Visit) -> Status {
        // SAFETY: see `get`.
        let (link, store) = unsafe { Self::at(store) };
        enter(link, || {
            let support = store.scan(&mut |entry| {
                let key = Str::new(entry.key.as_bytes());
                // SAFETY: the key is borrowed for the call alone.
                let go_on = unsafe { visit(sink, key, entry.bytes, entry.modified_ms.unwrap_or(0)) };
                if go_on == OK { Scan::Continue } else { Scan::Stop }
            })?;
            Ok(match support {
                ScanSupport::Listed => OK,
                ScanSupport::Unsupported => ErrorKind::Unsupported.status(),
            })
        })
    }

    unsafe extern "C" fn close(store: *mut c_void) {
        // SAFETY: as `at` requires, and it is called once.
        let open = unsafe { Box::from_raw(store.cast::<OpenStore>()) };
        let OpenStore { link, store } = *open;
        let _ = catch_unwind(AssertUnwindSafe(|| drop(store)));
        // A clone of the log may outlive the store, but must not outlive the run.
        link.close();
    }

    unsafe extern "C" fn clear(store: *mut c_void, _: *mut Run) -> Status {
        // SAFETY: see `get`.
        let (link, store) = unsafe { Self::at(store) };
        enter(link, || {
            Ok(match store.clear()? {
                true => OK,
                false => ErrorKind::Unsupported.status(),
            })
        })
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

struct RendererEntries<T>(PhantomData<T>);

/// A writer over the host's sink.
struct SinkWriter {
    out: *mut c_void,
    push: Push,
}

impl Write for SinkWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // SAFETY: the host gave a sink that takes bytes until the entry returns.
        match unsafe { (self.push)(self.out, bytes.as_ptr(), bytes.len()) } {
            OK => Ok(bytes.len()),
            CANCELLED => Err(std::io::ErrorKind::BrokenPipe.into()),
            _ => Err(std::io::Error::other("could not write the picture")),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<T: Renderer> RendererEntries<T> {
    const TABLE: &'static super::Renderer = &super::Renderer {
        size: size_of::<super::Renderer>() as u32,
        render: Self::render,
    };

    unsafe extern "C" fn render(
        this: *mut c_void,
        host: *const Host,
        run: *mut Run,
        chart: Str,
        buffers: *const Values,
        n: usize,
        out: *mut c_void,
        write: Push,
    ) -> Status {
        // SAFETY: as for reports; `buffers` points to `n` runs of numbers.
        let (unit, link, text) = unsafe { (&*this.cast::<T>(), Link::new(host, run), chart.bytes()) };
        let link = match link {
            Ok(link) => link,
            Err(status) => return status,
        };
        let status = enter(&link, || {
            let mut chart: crate::Chart = read(text, "a chart")?;
            for place in 0..n {
                // SAFETY: see above; the values stay until the entry has returned, and the chart is gone by then.
                chart.buffers.push(unsafe { borrow(&*buffers.add(place)) });
            }
            unit.render(&chart, &mut SinkWriter { out, push: write }).map(|()| OK)
        });
        link.close();
        status
    }
}

/// A buffer over the host's memory, without a copy. A buffer of an unknown kind is empty.
///
/// # Safety
/// `ptr` must point to `len` values of the type that `kind` names, unchanged for `'a`, unless `len` is 0.
unsafe fn borrow<'a>(values: &Values) -> Buffer<'a> {
    /// As above.
    unsafe fn slice<'a, T: Clone>(values: &Values) -> Cow<'a, [T]> {
        if values.len == 0 || values.ptr.is_null() {
            return Cow::Borrowed(&[]);
        }
        // SAFETY: promised by the caller.
        Cow::Borrowed(unsafe { std::slice::from_raw_parts(values.ptr.cast(), values.len) })
    }
    // SAFETY: promised by the caller.
    unsafe {
        match values.kind {
            F64 => Buffer::F64(slice(values)),
            F32 => Buffer::F32(slice(values)),
            U8 => Buffer::U8(slice(values)),
            U32 => Buffer::U32(slice(values)),
            TEXT => {
                let text = Str {
                    ptr: values.ptr.cast(),
                    len: values.len,
                };
                Buffer::Text(String::from_utf8_lossy(text.bytes()))
            }
            _ => Buffer::U8(Cow::Borrowed(&[])),
        }
    }
}
