//! The host's side of a report in a separate process: it passes on requests, rows and facts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Fact, Request, Result, Ticket};
use itch_plugin::abi::RunHost;
use itch_plugin::{CallInput, LogLevel};
use serde::de::DeserializeOwned;

use crate::Log;
use crate::frame::{Body, Frame, Kind, LONGEST};
use crate::job::{JobResult, Launch, Work, answer, protocol_error, write_response};
use crate::process::{GRACE, Process, SharedStdin, Watchdog, send};

/// How many waits may run at the same time; a further one blocks the calls after it.
const MOST_WAITS: usize = 256;

/// Runs one call. `rows` counts the rows received.
pub(crate) fn report(
    launch: &Launch,
    host: Arc<dyn RunHost>,
    call: &CallInput,
    rows: &Arc<AtomicU64>,
    log: &Log,
) -> Result<()> {
    let work = Work::Report(Box::new(call.clone()));
    let mut process = Process::start(launch, work, log)?;
    process.begin();
    let run = Arc::new(Run {
        host,
        plugin: launch.plugin.clone(),
        stdin: process.stdin(),
        tickets: Mutex::default(),
        waits: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
        rows: Arc::clone(rows),
    });
    let watched = Arc::clone(&run);
    let watch = Watchdog::start(&process, GRACE, move || {
        watched.stopped.load(Ordering::Relaxed) || watched.host.transport().cancelled()
    });
    let result = loop {
        let frame = process.read(Some(rows.load(Ordering::Relaxed)));
        match frame.and_then(|frame| run.handle(frame)) {
            Ok(None) => {}
            Ok(Some(ended)) => break ended.error.map_or(Ok(()), Err),
            Err(error) => break Err(error),
        }
    };
    let ended = watch.end();
    run.abandon();
    let result = process.end(result);
    if ended {
        // It was told to stop and was killed because it did not: that is a cancelled run, not a failure.
        return Err(Error::cancelled());
    }
    result
}

struct Run {
    host: Arc<dyn RunHost>,
    plugin: String,
    stdin: SharedStdin,
    /// The process assigns its own ticket numbers. The error of a request that could not start is returned when it is
    /// waited for.
    tickets: Mutex<HashMap<u64, Result<Ticket>>>,
    waits: AtomicUsize,
    /// The process was told that no more rows are wanted.
    stopped: AtomicBool,
    rows: Arc<AtomicU64>,
}

impl Run {
    /// Handles a frame; a result ends the run.
    fn handle(self: &Arc<Run>, frame: Frame) -> Result<Option<JobResult>> {
        let Frame { kind, number, body } = frame;
        let transport = self.host.transport();
        match kind {
            Kind::Start => {
                let started = self.read::<Request>(&body).and_then(|request| transport.start(request));
                lock(&self.tickets).insert(number, started);
            }
            Kind::Wait => {
                let ticket = Body(&body).number()?;
                let ticket = lock(&self.tickets).remove(&ticket);
                self.in_background(move |run| {
                    let waited = ticket
                        .unwrap_or_else(|| Err(run.unknown()))
                        .and_then(|ticket| run.host.transport().wait(ticket));
                    run.answer(number, waited.map(|response| write_response(&response)));
                });
            }
            Kind::WaitAny => {
                let tickets = self.known(&body);
                self.in_background(move |run| {
                    let which = tickets.and_then(|tickets| match tickets {
                        Known::JobResult(place) => Ok(place),
                        Known::Waiting(tickets) => run.host.transport().wait_any(&tickets),
                    });
                    let which = which.map(|place| (place as u64).to_le_bytes().to_vec());
                    run.answer(number, which);
                });
            }
            Kind::Abandon => {
                if let Some(Ok(ticket)) = lock(&self.tickets).remove(&number) {
                    transport.abandon(ticket);
                }
            }
            Kind::Note => transport.note(self.read::<Fact>(&body)?),
            Kind::Emit => {
                let ends = body.iter().filter(|byte| **byte == b'\n').count();
                let n = ends + usize::from(body.last().is_some_and(|byte| *byte != b'\n'));
                self.rows.fetch_add(n as u64, Ordering::Relaxed);
                let emitted = self.host.emit(&body, u32::try_from(n).unwrap_or(u32::MAX));
                if emitted.is_err() {
                    self.stopped.store(true, Ordering::Relaxed);
                }
                self.answer(number, emitted.map(|()| Vec::new()));
            }
            Kind::Progress => {
                let mut body = Body(&body);
                let (done, total) = (body.number()?, body.number()?);
                self.host.progress(done, (total > 0).then_some(total));
            }
            Kind::Log => {
                let (level, text) = log_line(&body)?;
                self.host.log(level, &text);
            }
            Kind::Done => return self.read(&body).map(Some),
            _ => return Err(protocol_error(&self.plugin)),
        }
        Ok(None)
    }

    /// Runs something that blocks, without delaying other calls.
    fn in_background(self: &Arc<Run>, work: impl FnOnce(&Run) + Send + 'static) {
        if self.waits.fetch_add(1, Ordering::Relaxed) >= MOST_WAITS {
            work(self);
            self.waits.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let run = Arc::clone(self);
        std::thread::spawn(move || {
            work(&run);
            run.waits.fetch_sub(1, Ordering::Relaxed);
        });
    }

    fn answer(&self, number: u64, result: Result<Vec<u8>>) {
        let fits = |bytes: &Vec<u8>| bytes.len() < LONGEST;
        let result = result.and_then(|bytes| match fits(&bytes) {
            true => Ok(bytes),
            false => Err(Error::new(ErrorKind::BadData, "the response is too long for a plugin")),
        });
        let (sort, bytes) = answer(result);
        send(&self.stdin, Kind::Answer, number, &[&[sort], &bytes]);
    }

    /// Translates ticket numbers of the process into the host's tickets.
    fn known(&self, body: &[u8]) -> Result<Known> {
        let tickets = lock(&self.tickets);
        let mut known = Vec::new();
        for (place, number) in body.chunks_exact(8).enumerate() {
            match tickets.get(&Body(number).number()?) {
                Some(Ok(ticket)) => known.push(*ticket),
                // A request that could not start has ended.
                Some(Err(_)) => return Ok(Known::JobResult(place)),
                None => return Err(self.unknown()),
            }
        }
        Ok(Known::Waiting(known))
    }

    fn unknown(&self) -> Error {
        let plugin = Some(self.plugin.as_str());
        Error::of_plugin(ErrorKind::Failed, plugin, "waited for a request that it did not start")
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        serde_json::from_slice(body).map_err(|error| protocol_error(&self.plugin).source_chain(&error))
    }

    /// Abandons the requests that were not waited for.
    fn abandon(&self) {
        for (_, ticket) in lock(&self.tickets).drain() {
            if let Ok(ticket) = ticket {
                self.host.transport().abandon(ticket);
            }
        }
    }
}

/// The state of a ticket of the process.
enum Known {
    JobResult(usize),
    Waiting(Vec<Ticket>),
}

/// Decodes a log line: its level and its text.
pub(crate) fn log_line(body: &[u8]) -> Result<(LogLevel, String)> {
    let mut body = Body(body);
    let level = match body.byte()? {
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    Ok((level, String::from_utf8_lossy(body.0).into_owned()))
}
