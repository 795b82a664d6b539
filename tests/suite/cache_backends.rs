//! The same test for every backend, with real servers: a cache saves requests and never changes a row.

use std::process::Stdio;

use itch_tests::servers::{Server, free_port, redis_cluster};
use itch_tests::{Folder, RunResult, Sandbox, Signal, eventually, fixtures, same, signal, wait};

use crate::plugins_found::own;

/// A backend and its settings.
pub struct Setup {
    /// The argument of `-c`.
    pub cache: &'static str,
    /// The environment variables with its servers.
    pub variables: Vec<(&'static str, String)>,
    /// Whether it can list its entries.
    pub lists: bool,
    /// The third-party plugin that contains it, if any.
    plugin: Option<&'static str>,
    _servers: Vec<Server>,
}

impl Setup {
    fn new(cache: &'static str, lists: bool, servers: Vec<Server>, variables: Vec<(&'static str, String)>) -> Setup {
        Setup {
            cache,
            variables,
            lists,
            plugin: None,
            _servers: servers,
        }
    }

    pub fn file() -> Setup {
        Setup::new("file", true, vec![], vec![])
    }

    pub fn redis() -> Setup {
        let server = Server::redis(&[]);
        let port = server.port().to_string();
        Setup::new("redis", true, vec![server], vec![("REDIS_HOST", "127.0.0.1".into()), ("REDIS_PORT", port)])
    }

    fn redis_with_password() -> Setup {
        let server = Server::redis(&["--requirepass", PASSWORD]);
        let url = format!("redis://:{PASSWORD}@{}/3", server.address());
        Setup::new("redis", true, vec![server], vec![("REDIS_URL", url)])
    }

    fn redis_cluster() -> Setup {
        let nodes = redis_cluster();
        let url = format!("redis+cluster://{},{}", nodes[0].address(), nodes[2].address());
        Setup::new("redis", true, nodes, vec![("REDIS_URL", url)])
    }

    pub fn memcache() -> Setup {
        let server = Server::memcached(&[]);
        let address = server.address();
        Setup::new("memcache", false, vec![server], vec![("MEMCACHE_SERVERS", address)])
    }

    fn memcache_of_two() -> Setup {
        let servers = vec![Server::memcached(&[]), Server::memcached(&[])];
        let both = format!("{}, {}", servers[0].address(), servers[1].address());
        Setup::new("memcache", false, servers, vec![("MEMCACHE_SERVERS", both)])
    }

    fn layered() -> Setup {
        Setup {
            cache: "file,redis",
            ..Setup::redis()
        }
    }

    /// A backend of a third-party plugin, in a shared library.
    fn third_partys(cache: &'static str, plugin: &'static str, variable: &'static str) -> Setup {
        Setup {
            plugin: Some(plugin),
            ..Setup::new(cache, false, vec![], vec![(variable, "shelf".into())])
        }
    }

    pub fn folder(&self) -> Folder {
        let folder = self
            .variables
            .iter()
            .fold(Folder::new(), |folder, (name, value)| folder.variable(name, value));
        if let Some(plugin) = self.plugin {
            fixtures::install(&[plugin], &own(&folder));
            folder.itch(&["plugins", "trust", "--allow", plugin]).exits(0);
        }
        folder
    }

    /// Runs itch with this cache.
    pub fn itch(&self, folder: &Folder, arguments: &[&str]) -> RunResult {
        let arguments = [&["-c", self.cache], arguments].concat();
        folder.itch(&arguments)
    }
}

/// A password that must not be in the output of any run.
const PASSWORD: &str = "a-secret-of-the-tests";

/// Fails if the output contains the password.
fn quiet(ran: &RunResult) -> &RunResult {
    assert!(!ran.all().contains(PASSWORD), "{}", ran.all());
    ran
}

fn followers(limit: &str) -> [&str; 4] {
    ["followers", "-l", limit, "burkeblack"]
}

/// The test, which is the same for all backends.
fn body(setup: &Setup) {
    let sandbox = Sandbox::start(&[]);
    let folder = setup.folder().at(&sandbox);
    let plain = Folder::new().at(&sandbox);
    let itch = |arguments: &[&str]| setup.itch(&folder, arguments);

    // The second run sends no requests and prints the same rows as a run without a cache.
    let fresh = plain.itch(&followers("1000"));
    same(&itch(&followers("1000")).succeeds().stdout, &fresh.succeeds().stdout);
    let before = sandbox.requests();
    let warm = itch(&[&["-v"], &followers("1000")[..]].concat());
    same(&quiet(&warm).exits(0).stdout, &fresh.stdout);
    warm.says("complete, 0 requests, ")
        .says(&format!("cache {}: 21 hits, 0 stale, 0 misses, ", setup.cache));
    assert_eq!(sandbox.requests(), before);

    // A longer pull starts with the pages of the shorter one.
    let longer = itch(&followers("2000"));
    same(&longer.succeeds().stdout, &plain.itch(&followers("2000")).stdout);

    // `--refresh` fetches new answers, which replace the stored ones.
    let asked = |options: &[&str]| {
        let before = sandbox.requests().of("/helix/channels/followers");
        itch(&[options, &followers("300")].concat()).succeeds();
        sandbox.requests().of("/helix/channels/followers") - before
    };
    assert_eq!((asked(&[]), asked(&["--refresh"]), asked(&["--max-age", "1h"])), (0, 3, 0));
    assert_eq!((asked(&["--max-age", "0"]), asked(&[])), (3, 0));

    // After a kill at any time, the next run is complete and repeats no stored request.
    let limit = "6000";
    let expected = plain.itch(&followers(limit));
    let before = sandbox.requests();
    for pages in [25, 35, 45] {
        let arguments = [&["-c", setup.cache], &followers(limit)[..]].concat();
        // The output is discarded, since a full pipe would block the run.
        let mut command = folder.command(&arguments);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let asked = || sandbox.requests().of("/helix/channels/followers") - before.of("/helix/channels/followers");
        eventually("some pages", || asked() >= pages - 20 || child.try_wait().unwrap().is_some());
        signal(child.id(), Signal::KILL);
        wait(child);
    }
    same(&itch(&followers(limit)).succeeds().stdout, &expected.stdout);
    // 40 pages are new; each kill may lose one or two that were in flight.
    let asked = sandbox.requests().of("/helix/channels/followers") - before.of("/helix/channels/followers");
    assert!((40..=46).contains(&asked), "{asked} requests for 40 pages");

    // The `itch cache` commands that the backend supports.
    if setup.lists && !setup.cache.contains(',') {
        let stats = itch_cache(setup, &folder, &["stats"]);
        assert!(
            stats
                .succeeds()
                .stdout
                .starts_with(&format!("{}\tall\t\t12", setup.cache)),
            "{}",
            stats.stdout
        );
        assert_eq!(itch_cache(setup, &folder, &["verify"]).cells()[0][1], "0");
        itch_cache(setup, &folder, &["clear"]).succeeds();
        assert_eq!(itch_cache(setup, &folder, &["stats"]).cells()[0][3], "0");
    } else if !setup.lists {
        itch_cache(setup, &folder, &["list"])
            .exits(2)
            .says("cannot list its entries");
        itch_cache(setup, &folder, &["clear"])
            .exits(0)
            .says("they are no longer used");
    }
    quiet(&itch_cache(setup, &folder, &["path"])).exits(0);
    if !setup.cache.contains(',') {
        // Cleared entries are fetched and stored again.
        let before = sandbox.requests().of("/helix/channels/followers");
        itch(&followers("300")).succeeds();
        itch(&followers("300")).succeeds();
        assert_eq!(sandbox.requests().of("/helix/channels/followers") - before, 3);
    }

    // A cached answer needs no network.
    let online = itch(&followers("500"));
    drop(sandbox);
    let offline = itch(&[&["--offline"], &followers("500")[..]].concat());
    same(&offline.succeeds().stdout, &online.succeeds().stdout);
    itch(&["--offline", "followers", "followers_3"])
        .exits(6)
        .says("there is no stored answer to");
}

fn itch_cache(setup: &Setup, folder: &Folder, arguments: &[&str]) -> RunResult {
    let arguments = [&["cache"], arguments, &["-c", setup.cache]].concat();
    folder.itch(&arguments)
}

#[test]
fn file() {
    body(&Setup::file());
}

#[test]
fn redis() {
    body(&Setup::redis());
}

#[test]
fn redis_with_a_password() {
    body(&Setup::redis_with_password());
}

/// Certificates are verified: an impostor gets neither the answers nor the password over TLS.
#[test]
fn redis_over_tls() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    folder.write("certificate", &made.cert.pem());
    folder.write("key", &made.signing_key.serialize_pem());
    let [certificate, key] = ["certificate", "key"].map(|name| folder.path(name));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let port = free_port().to_string();
    let options = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key,
        "--tls-ca-cert-file",
        certificate,
        "--tls-auth-clients",
        "no",
    ];
    let _server = Server::redis(&[&options[..], &["--requirepass", PASSWORD]].concat());
    let url = format!("rediss://:{PASSWORD}@localhost:{port}/1");
    let folder = folder.variable("REDIS_URL", url);
    let report = [&["-c", "redis"], &followers("300")[..]].concat();
    let ran = folder.itch(&report);
    quiet(&ran).exits(0).says("warning: cache redis: rediss://");
    ran.says("certificate").says("; going on without it");
    let folder = folder.variable("SSL_CERT_FILE", certificate);
    let rows = quiet(&folder.itch(&report)).succeeds().stdout.clone();
    let before = sandbox.requests();
    folder.itch(&report).prints(&rows);
    assert_eq!(sandbox.requests(), before);
}

#[test]
fn redis_in_cluster_mode() {
    body(&Setup::redis_cluster());
}

#[test]
fn memcache() {
    body(&Setup::memcache());
}

#[test]
fn memcache_of_two_servers() {
    body(&Setup::memcache_of_two());
}

#[test]
fn file_over_redis() {
    body(&Setup::layered());
}

#[test]
fn a_third_partys_in_rust() {
    body(&Setup::third_partys("rust-cache", "fixture-cache", "RUST_CACHE"));
}

#[test]
fn a_third_partys_in_c() {
    let c = Setup::third_partys("c-cache", "c-cache", "C_CACHE");
    body(&Setup { lists: true, ..c });
}

/// A near layer is filled from a far one, and each works without the other.
#[test]
fn layers_fill_back() {
    let sandbox = Sandbox::start(&[]);
    let setup = Setup::redis();
    let first = setup.folder().at(&sandbox);
    let rows = first.itch(&[&["-c", "file,redis"], &followers("300")[..]].concat());
    // Another machine: an empty directory and the same redis. Its only request validates the token.
    let second = setup.folder().at(&sandbox);
    let asked = || sandbox.requests().total - sandbox.requests().of("/oauth2/validate");
    let before = asked();
    second
        .itch(&[&["-c", "file,redis"], &followers("300")[..]].concat())
        .prints(&rows.succeeds().stdout);
    second
        .itch(&[&["-c", "file"], &followers("300")[..]].concat())
        .prints(&rows.stdout);
    assert_eq!(asked(), before);
}
