//! The plugin's side of the table: a transport and an output that call the host.

use std::sync::{Arc, Mutex, RwLock};

use itch_api::sync::{ignore_poison, lock};
use itch_api::{Fact, Request, Response, Ticket, Transport};

use super::table;
use super::{Buf, FROM_CACHE, Host, OK, Run, Status, Str};
use crate::cell::Cell;
use crate::{Error, ErrorKind, LogLevel, Result};

/// Rows are passed to the host at the latest after this many bytes or rows.
const BATCH_BYTES: usize = 32 * 1024;
const BATCH_ROWS: u32 = 256;

/// The connection to the host during one call.
///
/// A plugin may keep a clone of the handle by mistake. After the call has ended, every request through it returns
/// "cancelled" instead of accessing freed memory.
pub(super) struct Link {
    /// A copy of the host's table. Entries that an older host lacks are absent.
    host: Host,
    run: *mut Run,
    open: RwLock<bool>,
    batch: Mutex<Batch>,
}

#[derive(Default)]
struct Batch {
    rows: Vec<u8>,
    n: u32,
}

// SAFETY: by the rules of the boundary every entry of the table may be called from any thread with this run, and
// `open` keeps calls from outliving it.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Link {
    /// A link for one call. Returns the status for the host if the host's table cannot be used.
    ///
    /// # Safety
    /// `host` and `run` must be what the host passed to the entry, and [`Link::close`] must be called before that
    /// entry returns.
    pub(super) unsafe fn new(host: *const Host, run: *mut Run) -> Result<Arc<Link>, Status> {
        // SAFETY: promised by the caller.
        let host = unsafe { table::read(host) }.map_err(|error| error.kind.status())?;
        Ok(Arc::new(Link {
            host,
            run,
            open: RwLock::new(true),
            batch: Mutex::default(),
        }))
    }

    /// Closes the link; waits for calls that are running in other threads.
    pub(super) fn close(&self) {
        *ignore_poison(self.open.write()) = false;
    }

    /// Calls the host, unless the run has ended.
    fn call<T>(&self, body: impl FnOnce(&Host, *mut Run) -> T) -> Result<T> {
        let open = ignore_poison(self.open.read());
        if !*open {
            return Err(Error::cancelled());
        }
        Ok(body(&self.host, self.run))
    }

    /// Passes the collected rows to the host.
    pub(super) fn flush(&self) -> Result<()> {
        let mut batch = lock(&self.batch);
        if batch.n == 0 {
            return Ok(());
        }
        // SAFETY: the rows are borrowed for the call alone.
        let status = self.call(|host, run| unsafe { (host.emit)(run, Str::new(&batch.rows), batch.n) });
        batch.rows.clear();
        batch.n = 0;
        check(status?)
    }

    pub(super) fn set_error(&self, error: &Error) {
        let text = serde_json::to_vec(error).unwrap_or_default();
        // SAFETY: the text is borrowed for the call alone.
        let _ = self.call(|host, run| unsafe { (host.set_error)(run, Str::new(&text)) });
    }

    /// Copies memory that the host lent, and frees it.
    fn take(&self, buf: Buf) -> Vec<u8> {
        // SAFETY: the host lent it, so it may be read until it is freed, which happens here, once.
        let bytes = unsafe {
            Str {
                ptr: buf.ptr,
                len: buf.len,
            }
            .bytes()
        }
        .to_vec();
        let _ = self.call(|host, _| unsafe { (host.buf_free)(buf) });
        bytes
    }
}

/// Converts a status without a message.
fn check(status: Status) -> Result<()> {
    match ErrorKind::from_status(status) {
        _ if status == OK => Ok(()),
        ErrorKind::Cancelled => Err(Error::cancelled()),
        kind => Err(Error::new(kind, "itch returned an error")),
    }
}

/// Converts a status whose error is in a buffer.
fn refused(status: Status, text: &[u8]) -> Error {
    serde_json::from_slice(text)
        .unwrap_or_else(|_| Error::new(ErrorKind::from_status(status), "itch returned an error"))
}

impl Transport for Link {
    fn start(&self, request: Request) -> Result<Ticket> {
        let text = serde_json::to_vec(&request).map_err(std::io::Error::from)?;
        let mut ticket = 0;
        // SAFETY: the text is borrowed for the call alone, and the ticket may be written.
        let status = self.call(|host, run| unsafe { (host.fetch)(run, Str::new(&text), &raw mut ticket) });
        check(status?).map(|()| Ticket(ticket))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        if let Err(error) = self.flush() {
            self.abandon(ticket);
            return Err(error);
        }
        let mut out = super::Response {
            size: size_of::<super::Response>() as u32,
            http_status: 0,
            flags: 0,
            age_ms: 0,
            body: Buf::EMPTY,
        };
        // SAFETY: `out` may be written.
        let status = self.call(|host, run| unsafe { (host.wait)(run, ticket.0, &raw mut out) })?;
        let body = self.take(out.body);
        if status != OK {
            return Err(refused(status, &body));
        }
        Ok(Response {
            status: out.http_status,
            age: (out.flags & FROM_CACHE != 0).then(|| std::time::Duration::from_millis(out.age_ms)),
            body,
        })
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        self.flush()?;
        let tickets: Vec<u64> = tickets.iter().map(|ticket| ticket.0).collect();
        let mut which = 0;
        // SAFETY: the tickets are borrowed for the call alone, and `which` may be written.
        let status =
            self.call(|host, run| unsafe { (host.wait_any)(run, tickets.as_ptr(), tickets.len(), &raw mut which) });
        check(status?)?;
        Ok(which.min(tickets.len().saturating_sub(1)))
    }

    fn abandon(&self, ticket: Ticket) {
        // SAFETY: a ticket is a number; the host knows which are live.
        let _ = self.call(|host, run| unsafe { (host.ticket_drop)(run, ticket.0) });
    }

    fn note(&self, fact: Fact) {
        let text = serde_json::to_vec(&fact).unwrap_or_default();
        // SAFETY: the text is borrowed for the call alone.
        let _ = self.call(|host, run| unsafe { (host.note)(run, Str::new(&text)) });
    }

    fn cancelled(&self) -> bool {
        // SAFETY: the run is open.
        !self
            .call(|host, run| unsafe { (host.cancelled)(run) })
            .is_ok_and(|status| status == OK)
    }
}

impl crate::call::CallOutput for Link {
    fn emit(&self, row: &[Cell]) -> Result<()> {
        let mut batch = lock(&self.batch);
        serde_json::to_writer(&mut batch.rows, row).map_err(std::io::Error::from)?;
        batch.rows.push(b'\n');
        batch.n += 1;
        let full = batch.rows.len() >= BATCH_BYTES || batch.n >= BATCH_ROWS;
        drop(batch);
        if full { self.flush() } else { Ok(()) }
    }

    fn flush(&self) -> Result<()> {
        Link::flush(self)
    }

    fn emit_lines(&self, rows: &[u8], n: u32) -> Result<()> {
        self.flush()?;
        // SAFETY: the rows are borrowed for the call alone.
        check(self.call(|host, run| unsafe { (host.emit)(run, Str::new(rows), n) })?)
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        // SAFETY: numbers only.
        let _ = self.call(|host, run| unsafe { (host.progress)(run, done, total.unwrap_or(0)) });
    }

    fn log(&self, level: LogLevel, message: &str) {
        // SAFETY: the text is borrowed for the call alone.
        let _ = self.call(|host, run| unsafe { (host.log)(run, level as i32, Str::new(message.as_bytes())) });
    }
}
