//! Third-party libraries, in C and Rust, loaded into this process and called through the plugin ABI: every kind of
//! unit, every function, every version.
#![allow(
    unsafe_code,
    reason = "a library can only be loaded so; the program does it in itch-loader"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use itch_api::{Error, ErrorKind, Fact, Request, Response, Result, Ticket, Transport};
use itch_plugin::abi::drive::{self, open_cache, render, run_report};
use itch_plugin::abi::library::{Library, SYMBOL};
use itch_plugin::abi::{Item, Plugin, RunHost};
use itch_plugin::{
    Buffer, CacheSettings, CacheStats, CacheStore, CallInput, Chart, LogLevel, Origin, Put, Registered, Scan,
    ScanSupport,
};
use itch_tests::fixtures;
use serde_json::{Value, json};

/// Loads a library, which is never unloaded.
fn load(path: &Path) -> Result<Library> {
    // SAFETY: the fixtures have no constructors, and the library is never unloaded.
    let library = unsafe { libloading::Library::new(path) }.unwrap();
    let library: &'static libloading::Library = Box::leak(Box::new(library));
    // SAFETY: the symbol of this name has this type.
    unsafe {
        let symbol = library.get::<*const Plugin>(SYMBOL).unwrap();
        Library::read(*symbol)
    }
}

fn units(plugin: &str) -> Vec<Registered> {
    let path = fixtures::plugin(plugin);
    let origin = Origin::File {
        path: path.clone(),
        place: 0,
    };
    let (units, unknown) = load(&path).unwrap().units(&origin).unwrap();
    assert_eq!(unknown, 0);
    for unit in &units {
        assert_eq!(unit.refused, None, "{}", unit.full_name());
        drive::check(unit.item).unwrap();
    }
    units
}

fn item(plugin: &str, name: &str) -> &'static Item {
    let units = units(plugin);
    let unit = units.iter().find(|unit| unit.spec.name() == name);
    unit.unwrap_or_else(|| panic!("{plugin} has no {name}")).item
}

/// A host that answers two requests and records every call.
#[derive(Default)]
struct Host {
    wire: Option<Arc<dyn Transport>>,
    rows: Mutex<String>,
    told: Mutex<Vec<String>>,
}

impl RunHost for Host {
    fn transport(&self) -> &Arc<dyn Transport> {
        self.wire.as_ref().unwrap()
    }

    fn emit(&self, rows: &[u8], n: u32) -> Result<()> {
        let rows = std::str::from_utf8(rows).unwrap();
        assert_eq!(rows.lines().count(), n as usize);
        self.rows.lock().unwrap().push_str(rows);
        Ok(())
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.told.lock().unwrap().push(format!("{done} of {total:?}"));
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.told.lock().unwrap().push(format!("{level:?}: {message}"));
    }
}

#[derive(Default)]
struct Wire {
    started: Mutex<Vec<Request>>,
    waited: Mutex<BTreeSet<u64>>,
    facts: Mutex<Vec<Fact>>,
}

impl Transport for Wire {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut started = self.started.lock().unwrap();
        started.push(request);
        Ok(Ticket(started.len() as u64))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        assert!(self.waited.lock().unwrap().insert(ticket.0), "waited for twice");
        let request = self.started.lock().unwrap()[ticket.0 as usize - 1].clone();
        let after = request.query.iter().any(|(name, _)| name == "after");
        let (status, body) = match (request.path.as_str(), after) {
            ("users", _) => (200, json!({"data": [{"id": "7", "login": "burkeblack"}]})),
            ("streams", false) => (200, json!({"data": [{}, {}], "pagination": {"cursor": "next"}})),
            ("streams", true) => (200, json!({"data": [{}], "pagination": {}})),
            _ => (404, json!({"message": "nothing here"})),
        };
        Ok(Response {
            status,
            age: None,
            body: serde_json::to_vec(&body).unwrap(),
        })
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        Ok(tickets.len() - 1)
    }

    fn abandon(&self, ticket: Ticket) {
        assert!(self.waited.lock().unwrap().insert(ticket.0), "given up after all");
    }

    fn note(&self, fact: Fact) {
        self.facts.lock().unwrap().push(fact);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn host() -> (Arc<Host>, Arc<Wire>) {
    let wire = Arc::new(Wire::default());
    let host = Host {
        wire: Some(wire.clone()),
        ..Host::default()
    };
    (Arc::new(host), wire)
}

fn run(item: &'static Item, host: &Arc<Host>, args: Value) -> Result<()> {
    let call = json!({"v": 1, "args": args});
    let call: CallInput = serde_json::from_value(call).unwrap();
    run_report(item, Arc::clone(host) as _, &call)
}

#[test]
fn a_report_in_c_uses_every_entry_of_the_table() {
    let (host, wire) = host();
    let item = item("c-report", "c-report");
    run(item, &host, json!({"channel": "burkeblack", "times": 2})).unwrap();
    assert_eq!(
        host.rows.lock().unwrap().as_str(),
        "[\"burkeblack\",0,0.25,false,1469108655123,90.5]\n\
         [\"burkeblack\",1,0.25,true,1469108655123,90.5]\n\
         [\"get\",1,null,null,null,null]\n\
         [\"fetch\",200,null,null,null,null]\n\
         [\"fetch\",404,null,null,null,null]\n\
         [\"pages\",2,null,null,null,null]\n"
    );
    assert_eq!(*host.told.lock().unwrap(), ["Info: c-report was called", "1 of Some(2)", "2 of Some(2)"]);
    let missing = Fact::Missing {
        what: "things".to_owned(),
        n: 1,
        examples: vec!["this".to_owned()],
        remark: None,
    };
    assert_eq!(*wire.facts.lock().unwrap(), [missing]);
    let started = wire.started.lock().unwrap();
    let asked: Vec<String> = started.iter().map(Request::to_string).collect();
    assert_eq!(
        asked[..4],
        [
            "helix users?login=burkeblack",
            "helix users?login=burkeblack",
            "helix nowhere",
            "helix users?login=burkeblack"
        ]
    );
    let waited = wire.waited.lock().unwrap().len();
    assert_eq!(waited, started.len(), "a ticket was left");
}

#[test]
fn an_error_in_c_arrives_whole() {
    let (host, _) = host();
    let item = item("c-report", "c-report");
    let error = run(item, &host, json!({"channel": "x", "times": 0, "fail": true})).unwrap_err();
    let expected = Error::new(ErrorKind::NotFound, "there is no such thing");
    assert_eq!(error, expected.hint("itch c-report other"));
}

#[test]
fn a_report_in_rust_gives_rows_of_every_type() {
    let (host, _) = host();
    let item = item("fixture-report", "rust-report");
    run(item, &host, json!({"rows": 3})).unwrap();
    assert_eq!(
        host.rows.lock().unwrap().as_str(),
        "[0,\"name0\",0.0,true,1469108655123,0.0]\n\
         [1,\"name1\",0.25,false,1469108656123,0.5]\n\
         [2,\"name2\",0.5,true,1469108657123,1.0]\n"
    );
}

/// All units of a crate are exported without a list of them, and the error of a panic contains its location.
#[test]
fn a_panic_in_a_library_is_an_error_and_costs_no_row() {
    let units = units("fixture-report");
    let mut names: Vec<&str> = units.iter().map(|unit| unit.spec.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["callback-panic", "panic", "rust-report"]);
    let (host, _) = host();
    let error = run(item("fixture-report", "panic"), &host, json!({})).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Panic, "the plugin panicked"));
    let cause = &error.causes[0];
    assert!(cause.starts_with("told to panic, at ") && cause.contains("panics.rs:"), "{cause}");
    assert_eq!(host.rows.lock().unwrap().as_str(), "[\"one\"]\n[\"two\"]\n[\"three\"]\n");
}

fn open(plugin: &str, name: &str, variables: &[(&str, &Path)]) -> (Result<Box<dyn CacheStore>>, Arc<Host>) {
    let (host, _) = host();
    let settings = CacheSettings {
        variables: variables
            .iter()
            .map(|(name, path)| ((*name).to_owned(), path.display().to_string()))
            .collect(),
        ..CacheSettings::default()
    };
    let store = open_cache(item(plugin, name), Arc::clone(&host) as _, &settings);
    (store, host)
}

/// The guarantees of every store, in any language.
fn works(store: &mut dyn CacheStore, folder: &Path) {
    let (key, other) = ("0a".repeat(32), "f1".repeat(32));
    let long: Vec<u8> = (0..100_000).map(|n| (n % 251) as u8).collect();
    assert_eq!(store.get(&key).unwrap(), None);
    assert_eq!(store.put(&key, &long, Some(Duration::from_secs(9))).unwrap(), Put::Stored);
    assert_eq!(store.put(&other, b"", None).unwrap(), Put::Stored);
    assert_eq!(store.put(&other, &vec![0; 1_000_001], None).unwrap(), Put::TooLarge);
    let found = store.get(&key).unwrap().unwrap();
    assert!(found.bytes == long, "another value came back");
    let age = SystemTime::now().duration_since(found.modified.unwrap()).unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert_eq!(store.get(&other).unwrap().unwrap().bytes, b"");
    assert_eq!(store.put(&key, b"new", None).unwrap(), Put::Stored);
    assert_eq!(store.get(&key).unwrap().unwrap().bytes, b"new");
    assert_eq!(store.location(), folder.display().to_string());
    store.remove(&other).unwrap();
    store.remove(&other).unwrap();
    assert_eq!(store.get(&other).unwrap(), None);
}

#[test]
fn a_cache_in_c_works_entry_by_entry() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = folder.path().join("shelf");
    let (store, host) = open("c-cache", "c-cache", &[("C_CACHE", &shelf)]);
    let mut store = store.unwrap();
    assert_eq!(*host.told.lock().unwrap(), ["Debug: c-cache is open"]);
    works(&mut *store, &shelf);
    store.put(&"ab".repeat(32), b"12345", None).unwrap();
    let stats = CacheStats {
        entries: Some(2),
        bytes: Some(8),
    };
    assert_eq!(store.stats().unwrap(), stats);
    let mut seen = BTreeSet::new();
    let mut visit = |entry: itch_plugin::ScanEntry| {
        assert!(entry.modified_ms.is_some());
        seen.insert((entry.key, entry.bytes));
        Scan::Continue
    };
    assert_eq!(store.scan(&mut visit).unwrap(), ScanSupport::Listed);
    assert_eq!(seen, [("0a".repeat(32), 3), ("ab".repeat(32), 5)].into());
    let mut visited = 0;
    let mut stop = |_| {
        visited += 1;
        Scan::Stop
    };
    assert_eq!(store.scan(&mut stop).unwrap(), ScanSupport::Listed);
    assert_eq!(visited, 1);
    assert!(!store.clear().unwrap(), "it has no such entry");
    drop(store);
    std::fs::remove_dir_all(&shelf).unwrap();
    std::fs::write(&shelf, "in the way").unwrap();
    let (store, _) = open("c-cache", "c-cache", &[("C_CACHE", &shelf)]);
    let mut store = store.unwrap();
    let error = store.put(&"ab".repeat(32), b"1", None).unwrap_err();
    assert_eq!(error.message, "a value cannot be written");
}

#[test]
fn a_cache_in_rust_works_and_leaves_out_what_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = folder.path().join("shelf");
    let (store, _) = open("fixture-cache", "rust-cache", &[("RUST_CACHE", &shelf)]);
    let mut store = store.unwrap();
    works(&mut *store, &shelf);
    assert_eq!(store.stats().unwrap(), CacheStats::default());
    let mut visit = |_| panic!("it cannot list");
    assert_eq!(store.scan(&mut visit).unwrap(), ScanSupport::Unsupported);
    assert!(store.clear().unwrap());
    assert_eq!(store.get(&"0a".repeat(32)).unwrap(), None);
}

#[test]
fn a_cache_that_cannot_be_opened_says_why() {
    for (plugin, name, why) in [
        ("c-cache", "c-cache", "C_CACHE is not set"),
        ("fixture-cache", "rust-cache", "RUST_CACHE is not set"),
    ] {
        assert_eq!(open(plugin, name, &[]).0.err().unwrap().message, why);
    }
}

#[test]
fn a_chart_has_the_same_bytes_in_c_and_in_rust() {
    let chart = Chart {
        title: "burkeblack".to_owned(),
        buffers: vec![
            Buffer::F64(vec![1.5, 2.25].into()),
            Buffer::F32(vec![0.5].into()),
            Buffer::U8(vec![1, 255].into()),
            Buffer::Text("ä\n".into()),
            Buffer::F64(vec![].into()),
            Buffer::U32(vec![1, u32::MAX].into()),
        ],
        ..Chart::default()
    };
    let expected = "title \"burkeblack\"\n\
                    width 2160\n\
                    buffer 0 kind 1 length 2 sum 3.750\n\
                    buffer 1 kind 2 length 1 sum 0.500\n\
                    buffer 2 kind 3 length 2 sum 256.000\n\
                    buffer 3 kind 4 length 3 sum 369.000\n\
                    buffer 4 kind 1 length 0 sum 0.000\n\
                    buffer 5 kind 5 length 2 sum 4294967296.000\n";
    for (plugin, name) in [("c-renderer", "c-renderer"), ("fixture-renderer", "rust-renderer")] {
        let mut out = Vec::new();
        render(item(plugin, name), host().0, &chart, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{plugin}");
    }
}

#[test]
fn a_plugin_of_a_later_version_works_and_falls_back() {
    let library = load(&fixtures::plugin("newer")).unwrap();
    assert_eq!(library.abi(), (1, 1));
    let (host, _) = host();
    run(item("newer", "newer"), &host, json!({})).unwrap();
    assert_eq!(host.rows.lock().unwrap().as_str(), "[\"greeted by itself\"]\n");
}

#[test]
fn a_plugin_that_does_not_fit_is_refused_with_the_reason() {
    for (plugin, why) in [
        ("needs-newer", "it needs version 1.1 of the plugin boundary or later, and this itch has 1.0"),
        ("wrong-major", "it was built for version 2.0 of the plugin boundary, and this itch has 1.0"),
    ] {
        let error = load(&fixtures::plugin(plugin)).unwrap_err();
        assert_eq!(error.message, why, "{plugin}");
    }
}

/// The symbols that a library exports.
fn exported(library: &Path) -> Vec<String> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(library)
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    lines.lines().map(name).collect()
}

#[test]
fn a_library_exports_the_one_symbol() {
    for plugin in [
        "c-report",
        "c-cache",
        "c-renderer",
        "fixture-report",
        "fixture-cache",
        "fixture-renderer",
    ] {
        assert_eq!(exported(&fixtures::plugin(plugin)), [SYMBOL], "{plugin}");
    }
    assert_eq!(exported(&fixtures::plugin("other-major")), ["itch_plugin_v2"]);
}

/// The same crates that are linked into this program, also loaded as libraries.
#[test]
fn the_built_in_units_are_the_same_from_a_library() {
    itch_tests::build(
        &[
            "build",
            "--package",
            "itch-reports-shared",
            "--package",
            "itch-caches-shared",
            "--package",
            "itch-renderers-shared",
        ],
        "debug",
    );
    let linked = itch_plugin::Registry::linked_in();
    let mut found = 0;
    for pack in ["reports", "caches", "renderers"] {
        let file = format!("{}itch_{pack}_pack", std::env::consts::DLL_PREFIX);
        let path = itch_tests::target().join("debug").join(fixtures::file_name(&file));
        assert_eq!(exported(&path), [SYMBOL]);
        let (units, _) = load(&path).unwrap().units(&Origin::LinkedIn).unwrap();
        for unit in units {
            let same = linked.units().iter().find(|own| own.full_name() == unit.full_name());
            let same = same.unwrap_or_else(|| panic!("{} is not linked in", unit.full_name()));
            assert_eq!(unit.item.spec_json(), same.item.spec_json());
            assert!(unit.item.vtable != same.item.vtable, "it was not loaded");
            assert_eq!((&unit.version, unit.abi), (&same.version, same.abi));
            found += 1;
        }
    }
    assert_eq!(found, linked.units().len());
}
