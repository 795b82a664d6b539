//! Benchmarks of the caches: `cargo bench -p itch-tests --bench caches`.
//!
//! Compares a cold pull at 50 ms latency with warm pulls from each backend, and measures the time of a hit per page and
//! the time that a dead or silent server adds. Exits with a failure if a bound is missed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    reason = "a panic is how a benchmark fails, and stdout is its report"
)]

use std::path::PathBuf;
use std::time::Duration;

use itch_tests::servers::{FakeServer, Server, free_port};
use itch_tests::{Folder, RunResult, Sandbox, build, same, use_binary};

const REPORT: [&str; 4] = ["followers", "-l", "100000", "burkeblack"];
/// The number of requests of the report: pages, look-ups and the channel.
const ANSWERS: u32 = 2001;

fn run(folder: &Folder, cache: &[&str]) -> RunResult {
    let ran = folder.itch(&[cache, &REPORT[..]].concat());
    ran.exits(0);
    ran
}

/// The fastest of several runs.
fn best(n: usize, mut run: impl FnMut() -> RunResult) -> RunResult {
    let runs = (0..n).map(|_| run());
    runs.min_by_key(|ran| ran.elapsed).unwrap()
}

fn main() {
    // Measures `ITCH_BIN`, or a release build if it is not set.
    use_binary(match std::env::var_os("ITCH_BIN") {
        Some(path) => PathBuf::from(path),
        None => build(&["build", "--release", "--package", "itch"], "release"),
    });
    let mut missed = false;
    let mut figure = |what: &str, measured: f64, unit: &str, limit: f64, at_least: bool| {
        let good = if at_least { measured >= limit } else { measured <= limit };
        missed |= !good;
        let sign = if at_least { "at least" } else { "at most" };
        let verdict = if good { "" } else { "  MISSED" };
        println!("{what:58} {measured:9.3} {unit} ({sign} {limit}){verdict}");
    };

    let slow = Sandbox::start(&["--latency", "50ms"]);
    let cold = run(&Folder::new().at(&slow), &["-c", "file"]);
    println!("cold, 50 ms latency: {:.2} s", cold.elapsed.as_secs_f64());

    let (redis, memcached) = (Server::redis(&[]), Server::memcached(&["-m", "256"]));
    let folder = Folder::new()
        .at(&slow)
        .variable("REDIS_HOST", "127.0.0.1")
        .variable("REDIS_PORT", redis.port().to_string())
        .variable("MEMCACHE_SERVERS", memcached.address());
    for cache in ["file", "redis", "memcache"] {
        // The answers in the cache must be those of the slow sandbox, so the report runs against it once more.
        let filled = run(&folder, &["-c", cache]);
        same(&filled.stdout, &cold.stdout);
        let before = slow.requests();
        let warm = best(3, || run(&folder, &["-c", cache]));
        assert_eq!(slow.requests(), before, "a warm run sends no requests");
        same(&warm.stdout, &cold.stdout);
        let times = cold.elapsed.as_secs_f64() / warm.elapsed.as_secs_f64();
        println!("warm, {cache}: {:.3} s", warm.elapsed.as_secs_f64());
        figure(&format!("warm over cold, {cache}"), times, "x ", 20.0, true);
        if cache == "file" {
            // The whole time of a warm run, including parsing and printing, is an upper bound for the hits.
            let each = warm.elapsed.as_secs_f64() * 1000.0 / f64::from(ANSWERS);
            figure("a hit, per page, file", each, "ms", 1.0, false);
        }
    }

    let quick = Sandbox::start(&[]);
    let none = Folder::new().at(&quick);
    let short = |folder: &Folder, cache: &[&str]| {
        folder.itch(&[cache, &["followers", "-l", "1000", "burkeblack"][..]].concat())
    };
    let plain = best(5, || short(&none, &[])).elapsed;
    let silent = FakeServer::start(b"");
    for (what, port) in [("dead", free_port()), ("silent", silent.port())] {
        let folder = Folder::new()
            .at(&quick)
            .variable("REDIS_HOST", "127.0.0.1")
            .variable("REDIS_PORT", port.to_string())
            .variable("MEMCACHE_SERVERS", format!("127.0.0.1:{port}"));
        for cache in ["redis", "memcache"] {
            let ran = short(&folder, &["-c", cache]);
            ran.exits(0).says("warning: cache ");
            let added: Duration = ran.elapsed.saturating_sub(plain);
            figure(&format!("a {what} {cache} adds"), added.as_secs_f64(), "s ", 1.0, false);
        }
    }
    if missed {
        std::process::exit(1);
    }
}
