//! Every kind of unit, called through the C structs, with and without errors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use itch_api::{Fact, Request, Response, Service, Ticket, Transport};

use super::drive::{open_cache, render, run_report};
use super::{Host, Item, OK, RunHost, Str};
use crate::prelude::*;
use crate::{Buffer, CallInput, Layer, LogLevel, Registered, Registry, Spec};

mod raw;
mod versions;

/// A host that records what it gets.
#[derive(Default)]
struct Recorder {
    transport: Option<Arc<dyn Transport>>,
    rows: Mutex<String>,
    batches: AtomicUsize,
    log: Mutex<Vec<String>>,
    limit: Option<u32>,
}

impl RunHost for Recorder {
    fn transport(&self) -> &Arc<dyn Transport> {
        self.transport.as_ref().unwrap()
    }

    fn emit(&self, rows: &[u8], n: u32) -> Result<()> {
        self.rows.lock().unwrap().push_str(std::str::from_utf8(rows).unwrap());
        self.batches.fetch_add(1, Ordering::Relaxed);
        if self.limit.is_some_and(|limit| n >= limit) {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.log.lock().unwrap().push(format!("{done}/{total:?}"));
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.log.lock().unwrap().push(format!("{level:?} {message}"));
    }
}

/// Answers `echo` with the query, and everything else with 404.
#[derive(Default)]
struct Echo {
    facts: Mutex<Vec<Fact>>,
    started: Mutex<Vec<Request>>,
}

impl Transport for Echo {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut started = self.started.lock().unwrap();
        started.push(request);
        Ok(Ticket(started.len() as u64))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let request = self.started.lock().unwrap()[ticket.0 as usize - 1].clone();
        match request.path.as_str() {
            "down" => Err(Error::new(ErrorKind::Service, "the service did not answer").hint("wait")),
            "echo" => Ok(Response {
                status: 200,
                age: Some(Duration::from_secs(3)),
                body: serde_json::to_vec(&serde_json::json!({"data": [request.query], "pagination": {}})).unwrap(),
            }),
            _ => Ok(Response {
                status: 404,
                age: None,
                body: br#"{"message":"nothing here"}"#.to_vec(),
            }),
        }
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        Ok(tickets.len() - 1)
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, fact: Fact) {
        self.facts.lock().unwrap().push(fact);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn recorder() -> (Arc<Recorder>, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    (
        Arc::new(Recorder {
            transport: Some(echo.clone()),
            ..Recorder::default()
        }),
        echo,
    )
}

/// What a test report does, selected by its argument.
struct Probe;

report!(Probe);

impl Report for Probe {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("probe", "Does what its argument says")
            .column(Column::text("a", ""))
            .column(Column::int("b", ""))
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let api = call.api().clone();
        match call.text("do").unwrap_or_default() {
            "rows" => {
                for n in 0..1000 {
                    call.emit(row!["x\t\n\"", n])?;
                }
            }
            "flush" => {
                call.emit(row!["before", 0])?;
                api.json(Request::helix("echo"))?;
                call.emit(row!["after", 1])?;
            }
            "fetch" => {
                let pendings = [
                    api.fetch(Request::helix("echo").query("a", 1)),
                    api.fetch(Request::helix("gone")),
                ];
                let place = api.wait_any(&[&pendings[0], &pendings[1]])?;
                let [first, second] = pendings;
                let first = first.wait()?;
                assert_eq!(first.age, Some(Duration::from_secs(3)));
                let status = second.wait()?.status;
                call.emit(row![
                    String::from_utf8_lossy(&first.body).into_owned(),
                    i64::from(status) + place as i64
                ])?;
            }
            "down" => drop(api.json(Request::helix("down"))?),
            "reach" => drop(api.json(Request::get(Service::OAuth, "validate"))?),
            "note" => {
                call.note(Fact::Repeated { n: 3 });
                call.progress(1, Some(2));
                call.log(LogLevel::Warn, "careful");
            }
            "keep" => *KEPT.lock().unwrap() = Some(api),
            "fail" => {
                call.emit(row!["kept", 1])?;
                return Err(Error::new(ErrorKind::NotFound, "nothing")
                    .hint("look elsewhere")
                    .cause("because"));
            }
            "panic" => {
                call.emit(row!["kept", 1])?;
                panic!("told to")
            }
            _ => {}
        }
        Ok(())
    }
}

static KEPT: Mutex<Option<Api>> = Mutex::new(None);

fn item(name: &str) -> &'static Item {
    let registry = Registry::linked_in();
    registry
        .units()
        .iter()
        .find(|unit| unit.spec.name() == name)
        .unwrap()
        .item
}

fn run(what: &str, host: &Arc<Recorder>) -> Result<()> {
    let mut call = CallInput {
        v: 1,
        ..CallInput::default()
    };
    call.args.insert("do".to_owned(), what.into());
    run_report(item("probe"), Arc::clone(host) as _, &call)
}

#[test]
fn rows_cross_in_batches() {
    let (host, _) = recorder();
    run("rows", &host).unwrap();
    let rows = host.rows.lock().unwrap();
    assert_eq!(rows.lines().count(), 1000);
    assert_eq!(rows.lines().last(), Some(r#"["x\t\n\"",999]"#));
    assert!(host.batches.load(Ordering::Relaxed) < 10);
}

#[test]
fn rows_leave_before_a_wait() {
    let (host, _) = recorder();
    run("flush", &host).unwrap();
    assert_eq!(host.batches.load(Ordering::Relaxed), 2);
}

#[test]
fn a_report_is_told_when_nobody_wants_more() {
    let echo = Arc::new(Echo::default());
    let host = Arc::new(Recorder {
        transport: Some(echo),
        limit: Some(1),
        ..Recorder::default()
    });
    assert!(run("rows", &host).unwrap_err().is_cancelled());
    assert!(host.rows.lock().unwrap().lines().count() < 1000);
}

#[test]
fn tickets_statuses_ages_and_bodies_cross() {
    let (host, _) = recorder();
    run("fetch", &host).unwrap();
    assert_eq!(host.rows.lock().unwrap().trim_end(), r#"["{\"data\":[[[\"a\",\"1\"]]],\"pagination\":{}}",405]"#);
}

#[test]
fn errors_cross_whole() {
    let (host, _) = recorder();
    let error = run("fail", &host).unwrap_err();
    assert_eq!(
        error,
        Error::new(ErrorKind::NotFound, "nothing")
            .hint("look elsewhere")
            .cause("because")
    );
    assert_eq!(host.rows.lock().unwrap().as_str(), "[\"kept\",1]\n", "rows before an error are kept");
    let error = run("down", &host).unwrap_err();
    assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::Service, Some("wait")));
}

#[test]
fn a_panic_is_an_error() {
    let (host, _) = recorder();
    let error = run("panic", &host).unwrap_err();
    assert_eq!((error.kind, error.causes.as_slice()), (ErrorKind::Panic, &["told to".to_owned()][..]));
    assert_eq!(host.rows.lock().unwrap().as_str(), "[\"kept\",1]\n", "rows before a panic are kept");
}

#[test]
fn a_plugin_may_not_sign_in() {
    let (host, echo) = recorder();
    let error = run("reach", &host).unwrap_err();
    assert_eq!(error.message, "a plugin may not use the sign-in service");
    assert_eq!(echo.started.lock().unwrap().len(), 0);
}

#[test]
fn facts_progress_and_log_reach_the_host() {
    let (host, echo) = recorder();
    run("note", &host).unwrap();
    assert_eq!(*echo.facts.lock().unwrap(), [Fact::Repeated { n: 3 }]);
    assert_eq!(*host.log.lock().unwrap(), ["1/Some(2)", "Warn careful"]);
}

#[test]
fn a_handle_kept_beyond_the_call_is_dead_not_dangling() {
    let (host, _) = recorder();
    run("keep", &host).unwrap();
    let kept = KEPT.lock().unwrap().take().unwrap();
    assert!(kept.json(Request::helix("echo")).unwrap_err().is_cancelled());
    assert!(kept.cancelled());
}

/// A cache in memory.
struct Memory;

cache!(Memory);

#[derive(Default)]
struct MemoryStore(std::collections::BTreeMap<String, Vec<u8>>);

impl Cache for Memory {
    fn describe(&self) -> CacheSpec {
        CacheSpec::new("memory", "Forgets at the end")
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        match settings.variable("MEMORY_FULL") {
            Some(_) => Err(Error::new(ErrorKind::Failed, "no memory left")),
            None => {
                settings.log.warning("it will be forgotten");
                Ok(Box::new(MemoryStore::default()))
            }
        }
    }
}

impl CacheStore for MemoryStore {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        if key == "bad" {
            return Err(Error::new(ErrorKind::Failed, "worn out"));
        }
        Ok(self.0.get(key).map(|bytes| StoredValue {
            bytes: bytes.clone(),
            modified: None,
        }))
    }

    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put> {
        assert!(ttl.is_none_or(|ttl| ttl == Duration::from_millis(1500)));
        if value.len() > 8 {
            return Ok(Put::TooLarge);
        }
        self.0.insert(key.to_owned(), value.to_vec());
        Ok(Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.0.remove(key);
        Ok(())
    }

    fn stats(&mut self) -> Result<CacheStats> {
        Ok(CacheStats {
            entries: Some(self.0.len() as u64),
            bytes: None,
        })
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        for (key, value) in &self.0 {
            let entry = ScanEntry {
                key: key.clone(),
                bytes: value.len() as u64,
                modified_ms: Some(7),
            };
            if visit(entry) == Scan::Stop {
                break;
            }
        }
        Ok(ScanSupport::Listed)
    }

    fn clear(&mut self) -> Result<bool> {
        // This store supports it only if it is not empty, so both results are tested.
        let some = !self.0.is_empty();
        self.0.clear();
        Ok(some)
    }
}

#[test]
fn a_cache_works_through_the_boundary() {
    let (host, _) = recorder();
    let mut store = open_cache(item("memory"), host.clone(), &CacheSettings::default()).unwrap();
    assert_eq!(store.get("a").unwrap(), None);
    store.put("a", b"\0\xff", Some(Duration::from_millis(1500))).unwrap();
    assert_eq!(store.put("b", b"", None).unwrap(), Put::Stored);
    assert_eq!(store.put("c", &[0; 9], None).unwrap(), Put::TooLarge);
    assert_eq!(store.get("a").unwrap().unwrap().bytes, b"\0\xff");
    assert_eq!(
        store.stats().unwrap(),
        CacheStats {
            entries: Some(2),
            bytes: None
        }
    );
    assert_eq!(store.location(), "memory");
    let mut seen = Vec::new();
    let mut visit = |entry: ScanEntry| {
        seen.push((entry.key, entry.bytes, entry.modified_ms));
        Scan::Stop
    };
    assert_eq!(store.scan(&mut visit).unwrap(), ScanSupport::Listed);
    assert_eq!(seen, [("a".to_owned(), 2, Some(7))]);
    store.remove("a").unwrap();
    assert_eq!(store.get("a").unwrap(), None);
    assert_eq!(store.get("bad").unwrap_err().message, "worn out");
    assert!(store.clear().unwrap());
    assert_eq!(store.get("b").unwrap(), None);
    assert!(!store.clear().unwrap());
    assert_eq!(*host.log.lock().unwrap(), ["Warn it will be forgotten"]);
}

#[test]
fn a_cache_that_cannot_be_opened_says_why() {
    let (host, _) = recorder();
    let variables = [("MEMORY_FULL".to_owned(), "1".to_owned())].into();
    let error = open_cache(
        item("memory"),
        host,
        &CacheSettings {
            variables,
            ..CacheSettings::default()
        },
    )
    .err()
    .unwrap();
    assert_eq!(error.message, "no memory left");
}

/// Draws the number of points.
struct Tally;

renderer!(Tally);

impl Renderer for Tally {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("tally", "Counts points", "text/plain")
            .extension("tally")
            .detail(Detail::All)
    }

    fn render(&self, chart: &Chart, out: &mut dyn std::io::Write) -> Result<()> {
        let Some(Layer::Points {
            x,
            y,
            shade: Some(shade),
            density: Some(density),
            labels: Some(labels),
            ..
        }) = chart.layers.first()
        else {
            return Ok(());
        };
        let sum: f64 = chart.numbers(*x).iter().chain(chart.numbers(*y)).sum();
        let labels: Vec<&str> = chart.texts(*labels).collect();
        Ok(write!(
            out,
            "{} {} {sum} {:?} {:?} {labels:?}",
            chart.title,
            chart.numbers(*x).len(),
            chart.shades(*shade),
            chart.small_numbers(*density),
        )?)
    }
}

#[test]
fn a_chart_crosses_with_its_values() {
    let (host, _) = recorder();
    let chart = Chart {
        title: "年".to_owned(),
        layers: vec![Layer::Points {
            x: 0,
            y: 1,
            shade: Some(2),
            density: Some(3),
            labels: Some(4),
            radius: 2.0,
            opacity: 1.0,
        }],
        buffers: vec![
            Buffer::F64(vec![1.0, 2.0].into()),
            Buffer::F64(vec![0.5, f64::MIN_POSITIVE].into()),
            Buffer::U8(vec![7, 255].into()),
            Buffer::F32(vec![0.25, 1.5].into()),
            Buffer::Text("ä\n\n".into()),
            Buffer::F32(vec![].into()),
        ],
        ..Chart::default()
    };
    let mut out = Vec::new();
    render(item("tally"), host, &chart, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "年 2 3.5 [7, 255] [0.25, 1.5] [\"ä\", \"\"]");
}

#[test]
fn a_unit_of_another_kind_is_refused() {
    let (host, _) = recorder();
    assert!(run_report(item("tally"), host, &CallInput::default()).is_err());
}

#[test]
fn the_registry_knows_every_unit_by_kind_and_name() {
    let registry = Registry::linked_in();
    let names: Vec<_> = registry
        .units()
        .iter()
        .map(|unit| (unit.spec.kind(), unit.spec.name()))
        .collect();
    assert_eq!(names, [("cache", "memory"), ("renderer", "tally"), ("report", "probe")]);
    assert!(matches!(registry.units()[2].spec, Spec::Report(_)));
    assert_eq!(registry.units()[2].plugin, "itch-plugin");
}
