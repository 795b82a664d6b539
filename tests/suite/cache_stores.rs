//! The backends, called through the plugin ABI with real servers: the operations of the contract, key by key.

#[path = "../../plugins/caches/tests/support/mod.rs"]
#[allow(dead_code, reason = "the backends' own tests use the rest")]
mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use itch_plugin::{CacheSettings, CacheStore, Put};
use itch_tests::servers::{Server, redis_cluster};
use support::{key, keys, open_backend, value};

fn settings(variables: &[(&str, &str)]) -> CacheSettings {
    let variables = variables.iter();
    CacheSettings {
        variables: variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..CacheSettings::default()
    }
}

fn redis(server: &Server) -> Box<dyn CacheStore> {
    let url = format!("redis://{}/0", server.address());
    open_backend("redis", &settings(&[("REDIS_URL", &url)])).unwrap()
}

fn memcache(servers: &[&Server]) -> Box<dyn CacheStore> {
    let servers: Vec<String> = servers.iter().map(|server| server.address()).collect();
    open_backend("memcache", &settings(&[("MEMCACHE_SERVERS", &servers.join(","))])).unwrap()
}

/// The guarantees of every backend.
fn promises(store: &mut dyn CacheStore, again: &mut dyn CacheStore) {
    let (a, b, c) = (key("aa"), key("bb"), key("cc"));
    assert_eq!(store.get(&a).unwrap(), None);
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    assert_eq!(store.put(&a, &bytes, None).unwrap(), Put::Stored);
    assert_eq!(
        store
            .put(&b, b"one \0 value\r\nEN\r\n", Some(Duration::from_secs(2)))
            .unwrap(),
        Put::Stored
    );
    // 31 days: memcached would take this number of seconds for a date in 1970.
    assert_eq!(store.put(&c, b"long", Some(Duration::from_secs(31 * 86_400))).unwrap(), Put::Stored);
    // Another process sees the same values.
    assert_eq!(value(again, &a), Some(bytes));
    assert_eq!(value(again, &b).as_deref(), Some(&b"one \0 value\r\nEN\r\n"[..]));
    assert_eq!(value(again, &c).as_deref(), Some(&b"long"[..]));
    store.put(&a, b"other", None).unwrap();
    assert_eq!(value(again, &a).as_deref(), Some(&b"other"[..]));
    itch_tests::eventually("the end of a value by itself", || value(again, &b).is_none());
    assert_eq!(value(again, &c).as_deref(), Some(&b"long"[..]));
    again.remove(&a).unwrap();
    again.remove(&a).unwrap();
    assert_eq!(value(store, &a), None);
}

#[test]
fn redis_keeps_its_promises() {
    let server = Server::redis(&[]);
    promises(&mut *redis(&server), &mut *redis(&server));
    assert_eq!(keys(&mut *redis(&server)), BTreeSet::from([key("cc")]));
}

#[test]
fn a_redis_cluster_keeps_its_promises_and_lists_every_node() {
    let nodes = redis_cluster();
    let open = |place: usize| {
        let url = format!("redis+cluster://{}", nodes[place].address());
        open_backend("redis", &settings(&[("REDIS_URL", &url)])).unwrap()
    };
    promises(&mut *open(0), &mut *open(1));
    let mut store = open(2);
    let stored: BTreeSet<String> = (0..200).map(|n| format!("{n:064x}")).collect();
    for key in &stored {
        store.put(key, b"x", None).unwrap();
    }
    store.remove(&key("cc")).unwrap();
    assert_eq!(keys(&mut *store), stored);
    assert_eq!(store.stats().unwrap().entries, Some(200));
}

#[test]
fn memcache_keeps_its_promises() {
    let (one, other) = (Server::memcached(&[]), Server::memcached(&[]));
    promises(&mut *memcache(&[&one]), &mut *memcache(&[&one]));
    promises(&mut *memcache(&[&one, &other]), &mut *memcache(&[&other, &one]));
}

#[test]
fn a_value_beyond_the_limit_is_left_out() {
    let server = Server::memcached(&[]);
    let mut store = memcache(&[&server]);
    store.put(&key("aa"), b"before", None).unwrap();
    assert_eq!(store.put(&key("aa"), &vec![7; 1_000_001], None).unwrap(), Put::TooLarge);
    assert_eq!(value(&mut *store, &key("aa")), None);
    assert_eq!(store.put(&key("bb"), &vec![7; 1_000_000], None).unwrap(), Put::Stored);
    assert_eq!(value(&mut *store, &key("bb")).unwrap().len(), 1_000_000);
    // A server with a lower limit refuses the value, and is still used.
    let small = Server::memcached(&["-I", "64k", "-o", "slab_chunk_max=16384"]);
    let mut store = memcache(&[&small]);
    assert_eq!(store.put(&key("aa"), &vec![7; 500_000], None).unwrap(), Put::TooLarge);
    assert_eq!(store.put(&key("bb"), b"small", None).unwrap(), Put::Stored);
    assert_eq!(value(&mut *store, &key("bb")).as_deref(), Some(&b"small"[..]));
    // redis has no limit below that of itch.
    let mut store = redis(&Server::redis(&[]));
    assert!(store.put(&key("aa"), &[], None).is_err(), "that server has gone");
    let server = Server::redis(&[]);
    let mut store = redis(&server);
    assert_eq!(store.put(&key("aa"), &vec![7; 5 << 20], None).unwrap(), Put::Stored);
}

/// The itch of 2016 used no prefix. Its values are read, and never written.
#[test]
fn values_under_the_bare_key_are_read() {
    let server = Server::redis(&[]);
    let bare = key("ab");
    server.ask(&["SET", &bare, "old"]);
    let mut store = redis(&server);
    assert_eq!(value(&mut *store, &bare).as_deref(), Some(&b"old"[..]));
    store.put(&bare, b"new", None).unwrap();
    assert_eq!(value(&mut *store, &bare).as_deref(), Some(&b"new"[..]));
    store.remove(&bare).unwrap();
    assert_eq!(value(&mut *store, &bare).as_deref(), Some(&b"old"[..]));
    assert!(keys(&mut *store).is_empty());
    // With memcached, it may be on any of the servers.
    let (one, other) = (Server::memcached(&[]), Server::memcached(&[]));
    for server in [&one, &other] {
        let bare = key(if server.port() == one.port() { "01" } else { "02" });
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
        write!(stream, "set {bare} 0 0 3\r\nold\r\n").unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"STORED\r\n");
    }
    let mut store = memcache(&[&one, &other]);
    for bare in [key("01"), key("02")] {
        assert_eq!(value(&mut *store, &bare).as_deref(), Some(&b"old"[..]));
    }
}

#[test]
fn a_cleared_memcached_never_shows_what_was_before() {
    let (one, other) = (Server::memcached(&[]), Server::memcached(&[]));
    let mut store = memcache(&[&one, &other]);
    let stored: Vec<String> = (0..20).map(|n| format!("{n:064x}")).collect();
    for key in &stored {
        store.put(key, b"x", None).unwrap();
    }
    assert!(store.clear().unwrap());
    let mut again = memcache(&[&one, &other]);
    for key in &stored {
        assert_eq!(value(&mut *store, key), None);
        assert_eq!(value(&mut *again, key), None);
    }
    again.put(&stored[0], b"y", None).unwrap();
    assert_eq!(value(&mut *store, &stored[0]).as_deref(), Some(&b"y"[..]));
    // If a server cannot be reached, it is not cleared, which is an error.
    other.kill();
    assert!(memcache(&[&one, &other]).clear().is_err());
}

/// Servers close idle connections, which is not a failure.
#[test]
fn a_connection_that_the_server_ended_is_made_anew() {
    let server = Server::redis(&[]);
    let mut store = redis(&server);
    store.put(&key("aa"), b"x", None).unwrap();
    server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(value(&mut *store, &key("aa")).as_deref(), Some(&b"x"[..]));
}

#[test]
fn opening_contacts_nobody_and_shows_no_password() {
    let nowhere = "redis://someone:secret-password@127.0.0.1:1/4";
    let store = open_backend("redis", &settings(&[("REDIS_URL", nowhere)])).unwrap();
    assert_eq!(store.location(), "redis://127.0.0.1:1/4");
    let store = open_backend("memcache", &settings(&[("MEMCACHE_SERVERS", "127.0.0.1:1, [::1]:2")])).unwrap();
    assert_eq!(store.location(), "127.0.0.1:1, [::1]:2");
}
