//! The host's side of the table: the functions that a plugin calls.

use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use itch_api::sync::lock;
use itch_api::{Api, Fact, PageStyle, Pages, Request, Ticket, Transport};
use serde::{Deserialize, Serialize};

use super::{
    ABI_MAJOR, ABI_MINOR, Buf, CANCELLED, DONE, FROM_CACHE, Host, LONGEST_ROW, OK, Response, Run, Status, Str,
    WalkHandle,
};
use crate::{Error, ErrorKind, LogLevel, Result};

/// Where the host sends a run's output. Requests and facts go to its transport.
pub trait RunHost: Send + Sync {
    /// Carries the run's requests and takes its facts.
    fn transport(&self) -> &Arc<dyn Transport>;

    /// Takes `n` rows as JSON lines. An error of kind [`ErrorKind::Cancelled`] means that no more rows are needed.
    fn emit(&self, rows: &[u8], n: u32) -> Result<()>;

    /// Takes the progress of the run.
    fn progress(&self, done: u64, total: Option<u64>);

    /// Takes a log line.
    fn log(&self, level: LogLevel, message: &str);

    /// The plugin of the unit, if it was loaded from a file: error messages name it.
    fn plugin(&self) -> Option<&str> {
        None
    }
}

/// The parameters of `pages_open`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PagesRequest {
    /// The first page's request; its page size is set by the host.
    #[serde(flatten)]
    pub request: Request,
    /// The endpoint's largest page size.
    #[serde(default = "hundred")]
    pub max: u32,
    /// The largest number of rows.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Rows with an already seen value of this field are left out.
    #[serde(default)]
    pub unique_by: Option<String>,
    /// Records the list's total as the expected number of these.
    #[serde(default)]
    pub expect: Option<String>,
}

fn hundred() -> u32 {
    100
}

/// One run on the host's side. A plugin only sees its address.
pub(super) struct RunState {
    host: Arc<dyn RunHost>,
    error: Mutex<Option<Error>>,
    /// Why rows were rejected. A status cannot carry the reason, and missing rows must be reported.
    rows_refused: Mutex<Option<Error>>,
    /// The errors of requests that could not start, by their tickets.
    refused: Mutex<Vec<(u64, Error)>>,
}

/// Tickets of requests that could not start count down from here; those of a transport count up.
const LAST_TICKET: u64 = u64::MAX;

impl RunState {
    pub(super) fn new(host: Arc<dyn RunHost>) -> Box<RunState> {
        Box::new(RunState {
            host,
            error: Mutex::new(None),
            rows_refused: Mutex::new(None),
            refused: Mutex::default(),
        })
    }

    pub(super) fn address(&self) -> *mut Run {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Converts the status of a plugin's entry. `known` are the statuses that are not failures of this entry.
    pub(super) fn result(&self, status: Status, known: &[Status]) -> Result<Status> {
        let take = |place: &Mutex<Option<Error>>| {
            let mut place = lock(place);
            place.take()
        };
        let error = take(&self.error);
        if let Some(refused) = take(&self.rows_refused) {
            return Err(refused);
        }
        if known.contains(&status) {
            return Ok(status);
        }
        let kind = ErrorKind::from_status(status);
        Err(match error {
            // The plugin's status decides the kind of error; its text is the message.
            Some(error) => Error { kind, ..error },
            None if status == CANCELLED => Error::cancelled(),
            None if kind.status() == status => self.fault(kind, "failed without an error message"),
            None => self.fault(kind, format_args!("returned status {status}, which is not valid here")),
        })
    }

    /// An error that names the plugin whose unit runs.
    fn fault(&self, kind: ErrorKind, what_it_did: impl fmt::Display) -> Error {
        Error::of_plugin(kind, self.host.plugin(), what_it_did)
    }

    /// Parses what the plugin sent.
    fn parse<T: serde::de::DeserializeOwned>(&self, text: &[u8], what: &str) -> Result<T> {
        serde_json::from_slice(text).map_err(|error| {
            self.fault(ErrorKind::Unsupported, format_args!("sent {what} that could not be parsed"))
                .source_chain(&error)
        })
    }

    fn refuse_rows(&self, error: Error) {
        let refused = &self.rows_refused;
        let mut refused = lock(refused);
        refused.get_or_insert(error);
    }

    fn set_error(&self, error: Error) {
        *lock(&self.error) = Some(error);
    }

    fn transport(&self) -> &Arc<dyn Transport> {
        self.host.transport()
    }

    /// A ticket for a request that could not start.
    fn refuse(&self, error: Error) -> u64 {
        let mut refused = lock(&self.refused);
        let ticket = refused
            .iter()
            .map(|(ticket, _)| ticket - 1)
            .min()
            .unwrap_or(LAST_TICKET);
        refused.push((ticket, error));
        ticket
    }

    fn is_refused(&self, ticket: u64) -> bool {
        let refused = lock(&self.refused);
        refused.iter().any(|(known, _)| *known == ticket)
    }

    fn take_refused(&self, ticket: u64) -> Option<Error> {
        let mut refused = lock(&self.refused);
        let place = refused.iter().position(|(known, _)| *known == ticket)?;
        Some(refused.swap_remove(place).1)
    }
}

/// The table that is passed to every unit.
pub(super) static HOST: Host = Host {
    size: size_of::<Host>() as u32,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    get,
    fetch,
    wait,
    wait_any,
    ticket_drop,
    pages_open,
    pages_next,
    pages_close,
    emit,
    note,
    progress,
    log,
    cancelled,
    set_error,
    buf_free,
};

/// The state behind a run's address.
///
/// # Safety
/// `run` must be an address returned by [`RunState::address`], of a state that still exists.
unsafe fn state<'a>(run: *mut Run) -> &'a RunState {
    // SAFETY: promised by the caller; a run outlives every call made with it.
    unsafe { &*run.cast::<RunState>() }
}

/// Runs the body of an entry. A panic must not unwind into a plugin: it would abort the process.
fn guarded(body: impl FnOnce() -> Result<Status>) -> std::result::Result<Status, Error> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "itch panicked in a call from the plugin")))
}

/// The same for an entry that cannot return an error.
pub(super) fn status_of(body: impl FnOnce() -> Result<Status>) -> Status {
    guarded(body).unwrap_or_else(|error| error.kind.status())
}

/// Writes a struct that begins with its size to memory of the plugin, whose version of it may be shorter or longer:
/// only the fields that both sides know are written.
///
/// # Safety
/// `out` must point to a struct of which at least the first four bytes, its size, are set, with that many bytes.
pub(super) unsafe fn write_sized<T: Copy>(out: *mut T, value: T) {
    // SAFETY: promised by the caller.
    unsafe {
        let size = (*out.cast::<u32>() as usize).min(size_of::<T>());
        let head = size_of::<u32>();
        if size > head {
            let from = (&raw const value).cast::<u8>().add(head);
            std::ptr::copy_nonoverlapping(from, out.cast::<u8>().add(head), size - head);
        }
    }
}

/// Lends bytes to a plugin.
fn lend(bytes: Vec<u8>) -> Buf {
    let owner = Box::into_raw(Box::new(bytes));
    // SAFETY: `owner` was made right here and nobody else has it.
    let bytes = unsafe { &mut *owner };
    Buf {
        ptr: bytes.as_mut_ptr(),
        len: bytes.len(),
        owner: owner.cast(),
    }
}

fn lend_error(error: &Error) -> (Status, Buf) {
    let text = serde_json::to_vec(error).unwrap_or_default();
    (error.kind.status(), lend(text))
}

/// Parses a request and checks that a plugin may send it: it must not sign in or read a token.
fn check_reach(request: Request) -> Result<Request> {
    match request.service {
        itch_api::Service::OAuth => Err(Error::new(ErrorKind::Unsupported, "a plugin may not use the sign-in service")),
        itch_api::Service::Gql => Ok(request),
        _ if request.body.is_some() => {
            Err(Error::new(ErrorKind::Unsupported, "a plugin may only send GET requests and GQL queries"))
        }
        _ => Ok(request),
    }
}

fn fill(out: *mut Buf, result: std::result::Result<(Status, Vec<u8>), Error>) -> Status {
    let (status, buf) = match result {
        Ok((status, bytes)) => (status, lend(bytes)),
        Err(error) => lend_error(&error),
    };
    if !out.is_null() {
        // SAFETY: by the rules of the boundary `out` points to a `Buf` that may be written.
        unsafe { out.write(buf) };
    } else {
        // SAFETY: made right above.
        unsafe { buf_free(buf) };
    }
    status
}

unsafe extern "C" fn get(run: *mut Run, request: Str, out: *mut Buf) -> Status {
    // SAFETY: by the rules of the boundary, here and in every entry below.
    let (run, text) = unsafe { (state(run), request.bytes()) };
    let body = catch_unwind(AssertUnwindSafe(|| {
        let request = check_reach(run.parse(text, "a request")?)?;
        let response = run.transport().wait(run.transport().start(request.clone())?)?;
        if (200..300).contains(&response.status) {
            Ok((OK, response.body))
        } else {
            Err(response.refusal(request.service))
        }
    }));
    fill(
        out,
        body.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "itch panicked in a call from the plugin"))),
    )
}

unsafe extern "C" fn fetch(run: *mut Run, request: Str, ticket: *mut u64) -> Status {
    // SAFETY: see `get`.
    let (run, text) = unsafe { (state(run), request.bytes()) };
    status_of(|| {
        let started = run
            .parse(text, "a request")
            .and_then(check_reach)
            .and_then(|request| run.transport().start(request));
        // A request that could not start is reported like one that failed: the error is returned when its ticket is
        // waited for.
        let number = match started {
            Ok(started) => started.0,
            Err(error) => run.refuse(error),
        };
        // SAFETY: by the rules of the boundary `ticket` may be written.
        unsafe { ticket.write(number) };
        Ok(OK)
    })
}

unsafe extern "C" fn wait(run: *mut Run, ticket: u64, out: *mut Response) -> Status {
    // SAFETY: see `get`.
    let run = unsafe { state(run) };
    let mut response = Response {
        size: size_of::<Response>() as u32,
        http_status: 0,
        flags: 0,
        age_ms: 0,
        body: Buf::EMPTY,
    };
    let waited = guarded(|| {
        if let Some(error) = run.take_refused(ticket) {
            return Err(error);
        }
        let answer = run.transport().wait(Ticket(ticket))?;
        response.http_status = answer.status;
        if let Some(age) = answer.age {
            response.flags |= FROM_CACHE;
            response.age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        }
        response.body = lend(answer.body);
        Ok(OK)
    });
    let status = waited.unwrap_or_else(|error| {
        let (status, buf) = lend_error(&error);
        response.body = buf;
        status
    });
    // SAFETY: by the rules of the boundary `out` points to a `Response` of the plugin's own version, whose size it has
    // put into it; no more than that is written.
    unsafe { write_sized(out, response) };
    status
}

unsafe extern "C" fn wait_any(run: *mut Run, tickets: *const u64, n: usize, which: *mut usize) -> Status {
    // A C program passes null for an empty list.
    if n == 0 || tickets.is_null() || which.is_null() {
        return ErrorKind::Failed.status();
    }
    // SAFETY: see `get`; `tickets` points to `n` numbers.
    let (run, tickets) = unsafe { (state(run), std::slice::from_raw_parts(tickets, n)) };
    status_of(|| {
        let refused = tickets.iter().position(|ticket| run.is_refused(*ticket));
        let place = match refused {
            Some(place) => place,
            None => {
                let tickets: Vec<Ticket> = tickets.iter().map(|ticket| Ticket(*ticket)).collect();
                run.transport().wait_any(&tickets)?
            }
        };
        // SAFETY: by the rules of the boundary `which` may be written.
        unsafe { which.write(place) };
        Ok(OK)
    })
}

unsafe extern "C" fn ticket_drop(run: *mut Run, ticket: u64) {
    // SAFETY: see `get`.
    let run = unsafe { state(run) };
    status_of(|| {
        if run.take_refused(ticket).is_none() {
            run.transport().abandon(Ticket(ticket));
        }
        Ok(OK)
    });
}

unsafe extern "C" fn pages_open(run: *mut Run, request: Str, out: *mut *mut WalkHandle, error: *mut Buf) -> Status {
    // SAFETY: see `get`.
    let (run, text) = unsafe { (state(run), request.bytes()) };
    let opened = guarded(|| {
        let asked: PagesRequest = run.parse(text, "a request for pages")?;
        let request = check_reach(asked.request)?;
        let api = Api::new(Arc::clone(run.transport()));
        let mut pages = Pages::new(api, request, PageStyle::Helix, asked.max).limit(asked.limit);
        if let Some(field) = asked.unique_by {
            pages = pages.unique_by(field);
        }
        if let Some(what) = asked.expect {
            pages = pages.expect(what);
        }
        // SAFETY: by the rules of the boundary `out` may be written.
        unsafe { out.write(Box::into_raw(Box::new(Mutex::new(pages))).cast()) };
        Ok(OK)
    });
    fill(error, opened.map(|status| (status, Vec::new())))
}

unsafe extern "C" fn pages_next(pages: *mut WalkHandle, out: *mut Buf) -> Status {
    // SAFETY: `pages` is what `pages_open` gave and `pages_close` has not taken back.
    let pages = unsafe { &*pages.cast::<Mutex<Pages>>() };
    let page = catch_unwind(AssertUnwindSafe(|| match lock(pages).next_page() {
        None => Ok((DONE, Vec::new())),
        Some(page) => Ok((OK, serde_json::to_vec(&page?.rows).map_err(std::io::Error::from)?)),
    }));
    fill(
        out,
        page.unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "itch panicked in a call from the plugin"))),
    )
}

unsafe extern "C" fn pages_close(pages: *mut WalkHandle) {
    if !pages.is_null() {
        // SAFETY: as in `pages_next`, and it is called once.
        drop(unsafe { Box::from_raw(pages.cast::<Mutex<Pages>>()) });
    }
}

unsafe extern "C" fn emit(run: *mut Run, rows: Str, n: u32) -> Status {
    // SAFETY: see `get`.
    let (run, bytes) = unsafe { (state(run), rows.bytes()) };
    let emitted = guarded(|| {
        check_rows(rows, bytes, n).map_err(|what| run.fault(ErrorKind::Failed, format_args!("emitted {what}")))?;
        run.host.emit(bytes, n).map(|()| OK)
    });
    emitted.unwrap_or_else(|error| {
        let status = error.kind.status();
        if !error.is_cancelled() {
            run.refuse_rows(error);
        }
        status
    })
}

/// Checks rows from units in this process or another. The error describes what was emitted instead of valid rows.
fn check_rows(rows: Str, bytes: &[u8], n: u32) -> std::result::Result<(), String> {
    if !rows.is_possible() {
        return Err(format!("an invalid buffer of {} bytes", rows.len));
    }
    let (mut start, mut count) = (0, 0_u64);
    for end in memchr::memchr_iter(b'\n', bytes) {
        match end - start {
            0 => return Err("an empty line among its rows".to_owned()),
            LONGEST_ROW.. => {
                let (length, most) = (end.saturating_sub(start) >> 20, LONGEST_ROW >> 20);
                return Err(format!("a row of {length} MiB; the limit is {most} MiB"));
            }
            _ => {}
        }
        start = end + 1;
        count += 1;
    }
    if start < bytes.len() {
        return Err("a row without a line feed at its end".to_owned());
    }
    if count != u64::from(n) {
        let s = if count == 1 { "" } else { "s" };
        return Err(format!("{count} row{s} but gave their number as {n}"));
    }
    Ok(())
}

unsafe extern "C" fn note(run: *mut Run, facts: Str) -> Status {
    // SAFETY: see `get`.
    let (run, text) = unsafe { (state(run), facts.bytes()) };
    let noted = guarded(|| {
        let facts: Vec<Fact> = if text.trim_ascii_start().starts_with(b"[") {
            run.parse(text, "facts")?
        } else {
            vec![run.parse(text, "a fact")?]
        };
        let facts = facts.into_iter().map(Fact::with_remark_apart);
        facts.for_each(|fact| run.transport().note(fact));
        Ok(OK)
    });
    noted.unwrap_or_else(|error| {
        // A status cannot carry the reason, and the author of the plugin needs it.
        status_of(|| {
            run.host.log(LogLevel::Error, &format!("{error:#}"));
            Ok(OK)
        });
        error.kind.status()
    })
}

unsafe extern "C" fn progress(run: *mut Run, done: u64, total: u64) {
    // SAFETY: see `get`.
    let run = unsafe { state(run) };
    status_of(|| {
        run.host.progress(done, (total > 0).then_some(total));
        Ok(OK)
    });
}

unsafe extern "C" fn log(run: *mut Run, level: i32, message: Str) {
    // SAFETY: see `get`.
    let (run, message) = unsafe { (state(run), message.bytes()) };
    status_of(|| {
        let level = match level {
            1 => LogLevel::Error,
            2 => LogLevel::Warn,
            3 => LogLevel::Info,
            _ => LogLevel::Debug,
        };
        run.host.log(level, &String::from_utf8_lossy(message));
        Ok(OK)
    });
}

unsafe extern "C" fn cancelled(run: *mut Run) -> Status {
    // SAFETY: see `get`.
    let run = unsafe { state(run) };
    status_of(|| Ok(if run.transport().cancelled() { CANCELLED } else { OK }))
}

unsafe extern "C" fn set_error(run: *mut Run, error: Str) {
    // SAFETY: see `get`.
    let (run, text) = unsafe { (state(run), error.bytes()) };
    status_of(|| {
        let error = serde_json::from_slice(text)
            .unwrap_or_else(|_| Error::new(ErrorKind::Failed, String::from_utf8_lossy(text)));
        run.set_error(error);
        Ok(OK)
    });
}

unsafe extern "C" fn buf_free(buf: Buf) {
    if !buf.owner.is_null() {
        // SAFETY: `owner` is the box that `lend` made, and a plugin frees it once.
        drop(unsafe { Box::from_raw(buf.owner.cast::<Vec<u8>>()) });
    }
}

/// Appends to a `Vec<u8>`: the sink behind every [`super::Push`] of the host.
pub(super) unsafe extern "C" fn push_bytes(sink: *mut c_void, bytes: *const u8, len: usize) -> Status {
    // SAFETY: the host passes a `Vec<u8>` as the sink; the plugin passes readable bytes.
    let (sink, bytes) = unsafe { (&mut *sink.cast::<Vec<u8>>(), Str { ptr: bytes, len }.bytes()) };
    status_of(|| {
        sink.extend_from_slice(bytes);
        Ok(OK)
    })
}
