//! Checks that `itch_plugin.h` matches the Rust structs: each size, offset and constant, with C compilers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use itch_plugin::ErrorKind;
use itch_plugin::abi::{self, Buf, Cache, Host, Item, Plugin, Renderer, Report, Response, Stats, Str, Values};

/// Lines of a C program that print offsets, and the offsets in Rust.
#[derive(Default)]
struct Places {
    program: String,
    expected: String,
}

impl Places {
    fn add(&mut self, what: String, ours: usize) {
        self.program
            .push_str(&format!("  printf(\"{what} %zu\\n\", (size_t){what});\n"));
        self.expected.push_str(&format!("{what} {ours}\n"));
    }
}

/// The size of a struct and the offset of each of its fields. The pattern does not compile if a field is missing.
macro_rules! structs {
    ($places:ident, $($rust:ident is $c:literal { $($field:ident $(as $name:literal)?),* })*) => {$(
        let _ = |value: $rust| {
            let $rust { $($field: _),* } = value;
        };
        $places.add(format!("sizeof({})", $c), size_of::<$rust>());
        $(
            #[allow(unused_mut, unused_assignments)]
            let mut name = stringify!($field);
            $(name = $name;)?
            $places.add(format!("offsetof({}, {name})", $c), offset_of!($rust, $field));
        )*
    )*};
}

fn places() -> Places {
    let mut places = Places::default();
    structs!(places,
        Str is "itch_str" { ptr, len }
        Buf is "itch_buf" { ptr, len, owner }
        Values is "itch_values" { kind, ptr, len }
        Response is "itch_response" { size, http_status, flags, age_ms, body }
        Host is "itch_host" {
            size, abi_major, abi_minor, get, fetch, wait, wait_any, ticket_drop, pages_open, pages_next, pages_close,
            emit, note, progress, log, cancelled, set_error, buf_free
        }
        Report is "itch_report" { size, run }
        Stats is "itch_stats" { size, entries, bytes }
        Cache is "itch_cache" { size, open, get, put, remove, stats, location, scan, close, clear }
        Renderer is "itch_renderer" { size, render }
        Item is "itch_item" { size, kind, this as "self", name, spec_json, vtable }
        Plugin is "itch_plugin" {
            magic, size, abi_major, abi_minor, min_host_minor, flags, name, version, about_json, items
        }
    );
    places
}

/// Every constant of the header, with its value in Rust.
fn constants() -> BTreeMap<&'static str, i128> {
    let kinds = [
        ("ITCH_CANCELLED", ErrorKind::Cancelled),
        ("ITCH_E_FAILED", ErrorKind::Failed),
        ("ITCH_E_USAGE", ErrorKind::Usage),
        ("ITCH_E_NOT_FOUND", ErrorKind::NotFound),
        ("ITCH_E_SIGN_IN", ErrorKind::SignIn),
        ("ITCH_E_SERVICE", ErrorKind::Service),
        ("ITCH_E_RATE_LIMITED", ErrorKind::RateLimited),
        ("ITCH_E_UNSUPPORTED", ErrorKind::Unsupported),
        ("ITCH_E_PANIC", ErrorKind::Panic),
        ("ITCH_E_BAD_DATA", ErrorKind::BadData),
        ("ITCH_E_OFFLINE_MISS", ErrorKind::OfflineMiss),
    ];
    let levels = [
        ("ITCH_LOG_ERROR", itch_plugin::LogLevel::Error),
        ("ITCH_LOG_WARNING", itch_plugin::LogLevel::Warn),
        ("ITCH_LOG_INFORMATION", itch_plugin::LogLevel::Info),
        ("ITCH_LOG_DEBUG", itch_plugin::LogLevel::Debug),
    ];
    let numbers = [
        ("ITCH_MAGIC", i128::from(abi::MAGIC)),
        ("ITCH_ABI_MAJOR", abi::ABI_MAJOR.into()),
        ("ITCH_ABI_MINOR", abi::ABI_MINOR.into()),
        ("ITCH_OK", abi::OK.into()),
        ("ITCH_DONE", abi::DONE.into()),
        ("ITCH_MISS", abi::MISS.into()),
        ("ITCH_TOO_LARGE", abi::TOO_LARGE.into()),
        ("ITCH_FROM_CACHE", abi::FROM_CACHE.into()),
        ("ITCH_UNKNOWN", abi::UNKNOWN.into()),
        ("ITCH_F64", abi::F64.into()),
        ("ITCH_F32", abi::F32.into()),
        ("ITCH_U8", abi::U8.into()),
        ("ITCH_TEXT", abi::TEXT.into()),
        ("ITCH_U32", abi::U32.into()),
        ("ITCH_REPORT", abi::REPORT.into()),
        ("ITCH_CACHE", abi::CACHE.into()),
        ("ITCH_RENDERER", abi::RENDERER.into()),
    ];
    let kinds = kinds.map(|(name, kind)| (name, i128::from(kind.status())));
    let levels = levels.map(|(name, level)| (name, level as i128));
    numbers.into_iter().chain(kinds).chain(levels).collect()
}

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// The header must compile with both compilers, whichever of them is `cc`.
fn compilers() -> [&'static str; 3] {
    let compilers = ["cc", "gcc", "clang"];
    for compiler in compilers {
        let there = Command::new(compiler).arg("--version").output().is_ok();
        assert!(
            there,
            "{compiler} is missing: the header is tested with gcc, g++ and clang; install them, or run tests/run, which does"
        );
    }
    compilers
}

/// Compiles a file with all warnings as errors.
fn compile(compiler: &str, source: &Path, arguments: &[&str]) {
    let output = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-I"])
        .arg(include())
        .args(arguments)
        .arg(source)
        .output()
        .unwrap();
    said_nothing(compiler, arguments, &output);
}

fn said_nothing(compiler: &str, arguments: &[&str], output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{compiler} {arguments:?}: {said}");
}

/// A plugin of each kind without bodies, so that the compiler checks the types of all entries.
const USES_EVERYTHING: &str = r#"
#include "itch_plugin.h"
static itch_status run(void *self, const itch_host *host, itch_run *run_, itch_str call_json) {
  itch_buf buf;
  itch_pages *pages;
  (void)self;
  if (!ITCH_HAS(host, itch_host, buf_free)) return ITCH_E_UNSUPPORTED;
  if (host->get(run_, itch_text("{}"), &buf) != ITCH_OK) host->buf_free(buf);
  if (host->pages_open(run_, call_json, &pages, NULL) == ITCH_OK) host->pages_close(pages);
  return host->emit(run_, itch_text("[1]\n"), 1);
}
static const itch_report report = { sizeof(itch_report), run };
static const itch_item item = { sizeof(itch_item), ITCH_REPORT, NULL, ITCH_STR("x"), ITCH_STR("{}"), &report };
static const itch_item *const all[] = { &item };
static itch_status items(const itch_item *const **out, size_t *n) {
  *out = all;
  *n = sizeof(all) / sizeof(all[0]);
  return ITCH_OK;
}
const itch_plugin itch_plugin_v1 = {
  ITCH_MAGIC, sizeof(itch_plugin), ITCH_ABI_MAJOR, ITCH_ABI_MINOR, 0, 0,
  ITCH_STR("x"), ITCH_STR("1.0.0"), ITCH_STR(""), items
};
"#;

#[test]
fn the_header_is_clean_as_c_and_as_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("all.c");
    std::fs::write(&source, USES_EVERYTHING).unwrap();
    let object = folder.path().join("all.o");
    let object = object.to_str().unwrap();
    for compiler in compilers() {
        for standard in [&["-std=c11"][..], &["-x", "c++", "-std=c++17"]] {
            let arguments = [standard, &["-c", "-o", object]].concat();
            compile(compiler, &source, &arguments);
        }
    }
}

#[test]
fn sizes_places_and_constants_are_those_of_rust() {
    let mut places = places();
    for (name, value) in constants() {
        places.program.push_str(&format!(
            "  if ({name} < 0) printf(\"{name} %lld\\n\", (long long){name});\n  \
             else printf(\"{name} %llu\\n\", (unsigned long long){name});\n"
        ));
        places.expected.push_str(&format!("{name} {value}\n"));
    }
    let text = format!(
        "#include <stdio.h>\n#include \"itch_plugin.h\"\nint main(void) {{\n{}  return 0;\n}}\n",
        places.program
    );
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("places.c");
    std::fs::write(&source, text).unwrap();
    for compiler in compilers() {
        let program = folder.path().join(compiler);
        // A constant is compared with zero whatever its type: that warning is about this program, not the header.
        let output = Command::new(compiler)
            .args(["-std=c11", "-w", "-I"])
            .arg(include())
            .arg("-o")
            .args([&program, &source])
            .output()
            .unwrap();
        said_nothing(compiler, &[], &output);
        let printed = Command::new(&program).output().unwrap().stdout;
        assert_eq!(String::from_utf8(printed).unwrap(), places.expected);
    }
}

#[test]
fn no_constant_is_on_one_side_only() {
    let header = std::fs::read_to_string(include().join("itch_plugin.h")).unwrap();
    let names = |line: &str| -> Vec<String> {
        let mut words = line.split_whitespace();
        if words.next() == Some("#define") {
            let name = words.next().unwrap_or_default();
            let value = words.next().is_some_and(|value| !value.starts_with("__"));
            return (value && !name.contains('('))
                .then(|| name.to_owned())
                .into_iter()
                .collect();
        }
        let members = line.split(['{', ',', '}']).filter_map(|member| {
            let (name, value) = member.split_once(" = ")?;
            let value = value.split_whitespace().next()?;
            value.parse::<i32>().ok()?;
            let name = name.trim();
            name.starts_with("ITCH_").then(|| name.to_owned())
        });
        members.collect()
    };
    let mut in_header: Vec<String> = header.lines().flat_map(names).collect();
    in_header.sort();
    let ours: Vec<&str> = constants().into_keys().collect();
    assert_eq!(in_header, ours);
    // Every error kind in Rust has a constant in C.
    let statuses: Vec<i128> = constants().into_values().collect();
    for status in -1000..0 {
        let known = ErrorKind::from_status(status).status() == status;
        assert!(!known || statuses.contains(&status.into()), "{status}");
    }
}
