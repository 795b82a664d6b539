//! The host's side of a cache store in a separate process: one answer per call.

use std::time::{Duration, Instant};

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{CacheLog, CacheSettings, CacheStats, CacheStore, Put, Scan, ScanEntry, ScanSupport, StoredValue};

use crate::Log;
use crate::frame::{Body, Kind, LONGEST, PIECE};
use crate::isolated_report::log_line;
use crate::job::{Launch, Work, protocol_error, read_answer, store};
use crate::process::{GRACE, Process, Watchdog};

/// How long the process may take to open its store. The client sets the time limits of later calls.
const OPENING: Duration = Duration::from_secs(2);

type Visit<'a> = &'a mut dyn FnMut(ScanEntry) -> Scan;

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    /// `None` once the process has ended or sent an invalid message.
    process: Option<Process>,
    plugin: String,
    location: String,
    log: CacheLog,
    calls: u64,
}

/// Opens a store.
pub(crate) fn open(launch: &Launch, settings: &CacheSettings, log: &Log) -> Result<Store> {
    let process = Process::start(launch, Work::Cache(settings.clone()), log)?;
    process.begin();
    let end = Instant::now() + OPENING;
    let watch = Watchdog::start(&process, Duration::ZERO, move || Instant::now() >= end);
    let mut store = Store {
        process: Some(process),
        plugin: launch.plugin.clone(),
        location: String::new(),
        log: settings.log.clone(),
        calls: 0,
    };
    let location = store.answer(None);
    if watch.end() {
        let late = format!("did not open its cache within {} s", OPENING.as_secs());
        return Err(Error::of_plugin(ErrorKind::Service, Some(&launch.plugin), late));
    }
    store.location = String::from_utf8_lossy(&location?).into_owned();
    Ok(store)
}

impl Store {
    /// Makes one call.
    fn ask(&mut self, call: u8, parts: &[&[u8]], visit: Option<Visit<'_>>) -> Result<Vec<u8>> {
        self.calls += 1;
        let mut all: Vec<&[u8]> = vec![std::slice::from_ref(&call)];
        all.extend(parts);
        if let Some(process) = &self.process {
            process.send(Kind::Store, self.calls, &all);
        }
        self.answer(visit)
    }

    /// Reads the answer to the last call.
    fn answer(&mut self, mut visit: Option<Visit<'_>>) -> Result<Vec<u8>> {
        let Some(process) = &mut self.process else {
            return Err(Error::of_plugin(ErrorKind::Service, Some(&self.plugin), "is not running any more"));
        };
        let mut value = Vec::new();
        let failed = loop {
            let frame = match process.read(None) {
                Ok(frame) => frame,
                Err(error) => break error,
            };
            match frame.kind {
                Kind::Log => match log_line(&frame.body) {
                    Ok((level, text)) => self.log.line(level, &text),
                    Err(error) => break error,
                },
                Kind::Piece if value.len() + frame.body.len() <= LONGEST => {
                    value.extend_from_slice(&frame.body);
                }
                Kind::Visit => {
                    let Ok(entries) = serde_json::from_slice::<Vec<ScanEntry>>(&frame.body) else {
                        break protocol_error(&self.plugin);
                    };
                    let stop = |entry| visit.as_mut().is_none_or(|visit| visit(entry) == Scan::Stop);
                    let stopped = entries.into_iter().any(stop);
                    process.send(Kind::Answer, frame.number, &[&[1, u8::from(stopped)]]);
                }
                Kind::Stored if frame.number == self.calls => {
                    let last = read_answer(&frame.body, &self.plugin)?;
                    if value.is_empty() {
                        return Ok(last.to_vec());
                    }
                    value.extend_from_slice(last);
                    return Ok(value);
                }
                // The store could not be opened.
                Kind::Done => {
                    let ended = serde_json::from_slice::<crate::job::JobResult>(&frame.body);
                    break ended
                        .ok()
                        .and_then(|ended| ended.error)
                        .unwrap_or_else(|| protocol_error(&self.plugin));
                }
                _ => break protocol_error(&self.plugin),
            }
        };
        match self.process.take() {
            Some(process) => process.end(Err(failed)),
            None => Err(failed),
        }
    }
}

/// A text after its length.
fn counted(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
    bytes
}

impl CacheStore for Store {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let answer = self.ask(store::GET, &[&counted(key)], None)?;
        let mut body = Body(&answer);
        if body.byte()? == 0 {
            return Ok(None);
        }
        let modified_ms = body.number()?;
        let since = (modified_ms > 0).then(|| Duration::from_millis(modified_ms));
        Ok(Some(StoredValue {
            modified: since.and_then(|since| std::time::UNIX_EPOCH.checked_add(since)),
            bytes: body.0.to_vec(),
        }))
    }

    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put> {
        if value.len() > LONGEST - PIECE {
            return Ok(Put::TooLarge);
        }
        let ttl_ms = ttl.map_or(0, |ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1));
        let head = [counted(key), ttl_ms.to_le_bytes().to_vec()].concat();
        let answer = self.ask(store::PUT, &[&head, value], None)?;
        Ok(match Body(&answer).byte()? {
            0 => Put::TooLarge,
            _ => Put::Stored,
        })
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.ask(store::REMOVE, &[&counted(key)], None).map(drop)
    }

    fn stats(&mut self) -> Result<CacheStats> {
        let answer = self.ask(store::STATS, &[], None)?;
        serde_json::from_slice(&answer).map_err(|_| protocol_error(&self.plugin))
    }

    fn location(&self) -> String {
        self.location.clone()
    }

    fn scan(&mut self, visit: Visit<'_>) -> Result<ScanSupport> {
        let answer = self.ask(store::SCAN, &[], Some(visit))?;
        Ok(match Body(&answer).byte()? {
            0 => ScanSupport::Unsupported,
            _ => ScanSupport::Listed,
        })
    }

    fn clear(&mut self) -> Result<bool> {
        let answer = self.ask(store::CLEAR, &[], None)?;
        Ok(Body(&answer).byte()? != 0)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let end = Instant::now() + GRACE;
        let watch = self
            .process
            .as_ref()
            .map(|process| Watchdog::start(process, Duration::ZERO, move || Instant::now() >= end));
        if let Some(watch) = watch {
            // The store may still have work to finish. Its errors cannot be reported any more.
            let _ = self.ask(store::CLOSE, &[], None);
            watch.end();
        }
        if let Some(process) = self.process.take() {
            let _ = process.end(Ok(()));
        }
    }
}
