//! `itch -c memcache`: responses in one or more memcached servers, shared by several machines; they may be dropped.
//!
//! With several servers, rendezvous hashing chooses the server of a key: every server gets a score for the key, and the
//! highest wins. When a server is removed, its keys go to the next best and no other key moves. All servers are tried
//! at the same time at the first use; one that fails is dropped, and the others are kept.
//!
//! memcached can neither list keys nor remove by prefix, so a generation number is part of every key. Increasing it
//! hides everything that was stored before, which memcached drops when it needs the memory. The number is stored on
//! each server and never assumed: a server that has lost it starts a new generation, so that no old value reappears.

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::memcache::exp;
use itch_plugin::prelude::*;
use sha2::{Digest, Sha256};

const DEFAULT_SERVER: &str = "127.0.0.1:11211";
const DEFAULT_PORT: &str = "11211";
const CONNECT: Duration = Duration::from_millis(250);
const OPERATION: Duration = Duration::from_millis(500);
/// A server that stops answering costs the time limit of one operation, and the others are still used. A second one
/// closes the store, since all of them together may not cost more than a second.
const MOST_WASTED: Duration = Duration::from_millis(700);
/// memcached refuses items above 1 MiB by default, including the key and its own metadata.
const MOST_BYTES: usize = 1_000_000;
/// The prefix of every key; the generation and the key follow.
const PREFIX: &str = "itch:1:";
const GENERATION: &str = "itch:1:generation";

struct Memcache;

cache!(Memcache);

impl Cache for Memcache {
    fn describe(&self) -> CacheSpec {
        CacheSpec::new("memcache", "memcached, one server or several that share the keys")
            .help(
                "Needs memcached 1.6 or later. With several servers, each key is stored on one of them; if one fails, \
                 the others are used. memcached drops the oldest responses when it is full, and all of them when it \
                 exits. A response of more than 1 MB is not stored, and is counted as too large.\n\n\
                 memcached cannot list its keys: `itch cache clear` works, but `list`, `prune` and `verify` do not.",
            )
            .variable("MEMCACHE_SERVERS", "Servers as host:port, separated by commas", Some(DEFAULT_SERVER))
            .access(Access {
                network: true,
                hosts: vec!["$MEMCACHE_SERVERS".to_owned()],
                ..Access::default()
            })
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        let named = settings.variable("MEMCACHE_SERVERS").unwrap_or(DEFAULT_SERVER);
        let mut servers: Vec<Server> = Vec::new();
        for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let address = address(name)?;
            if servers.iter().all(|server| server.address != address) {
                servers.push(Server { address, open: None });
            }
        }
        if servers.is_empty() {
            return Err(failed("MEMCACHE_SERVERS contains no server: write `host:port`"));
        }
        Ok(Box::new(MemcacheStore {
            servers,
            lost: Vec::new(),
            contacted: false,
            wasted: Duration::ZERO,
            settings: settings.clone(),
        }))
    }
}

/// Parses `host`, `host:port` or `[IPv6 address]:port`; the port is optional.
fn address(name: &str) -> Result<String> {
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (name, DEFAULT_PORT),
    };
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/@?#".contains(c);
    if host.is_empty() || host.contains(strange) || port.parse::<u16>().is_err() {
        return Err(failed(format!(
            "`{}` in MEMCACHE_SERVERS is not a server: write `host:port`",
            name.escape_debug()
        )));
    }
    Ok(format!("{host}:{port}"))
}

struct MemcacheStore {
    /// The servers that have not failed.
    servers: Vec<Server>,
    /// The addresses of the servers that were dropped.
    lost: Vec<String>,
    contacted: bool,
    /// The total time spent waiting for servers that then failed.
    wasted: Duration,
    settings: CacheSettings,
}

struct Server {
    address: String,
    open: Option<Open>,
}

/// A connected server.
struct Open {
    client: exp::MetaClient,
    generation: u64,
}

impl Server {
    /// Connects and reads the generation.
    fn contact(&mut self) -> Result<()> {
        let client = exp::MetaClient::builder()
            .connect_timeout(Some(CONNECT))
            .io_timeout(Some(OPERATION))
            .max_idle(1)
            .connect(self.address.as_str())
            .map_err(|error| self.failure(&error))?;
        let generation = generation(&client).map_err(|error| self.failure(&error))?;
        self.open = Some(Open { client, generation });
        Ok(())
    }

    /// Runs one operation on the server, which is connected: the others are not in the list.
    fn with<T>(&self, work: impl FnOnce(&Open) -> exp::Result<T>) -> Result<T> {
        let open = self.open.as_ref();
        let open = open.ok_or_else(|| failed(format!("{} is not connected", self.address)))?;
        work(open).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &exp::Error) -> Error {
        let address = &self.address;
        match bare(error) {
            exp::Error::Timeout { .. } => failed(format!("{address} did not answer in time")),
            exp::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                failed(format!("{address} did not answer in time"))
            }
            error @ exp::Error::Io(_) => failed(format!("{address} cannot be reached")).source_chain(error),
            exp::Error::Server(text) | exp::Error::Rejected(text) => {
                failed(format!("{address} refuses")).cause(shortened(text))
            }
            error => failed(format!("{address} is not a memcached server")).cause(shortened(&error.to_string())),
        }
    }

    /// The score of this server for a key. It is the same on every machine and in every version.
    fn score(&self, key: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.address.as_bytes());
        hash.update([0]);
        hash.update(key.as_bytes());
        hash.finalize().into()
    }
}

/// The error without the wrapper which says that the outcome is unknown: for a cache, that is the same as not stored.
fn bare(error: &exp::Error) -> &exp::Error {
    match error {
        exp::Error::Ambiguous { source, .. } => bare(source),
        error => error,
    }
}

/// The beginning of a server's message, for an error.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The generation of a server; a server without one gets a new one.
fn generation(client: &exp::MetaClient) -> exp::Result<u64> {
    let read = || -> exp::Result<Option<u64>> {
        let value = client.get(GENERATION).send()?.value;
        Ok(value.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()))
    };
    if let Some(known) = read()? {
        return Ok(known);
    }
    let own = now_ms();
    // If two processes start one at the same time, both use the one that was stored first.
    client.set(GENERATION, own.to_string()).add().send()?;
    match read()? {
        Some(known) => Ok(known),
        None => {
            client.set(GENERATION, own.to_string()).send()?;
            Ok(own)
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Open {
    fn name(&self, key: &str) -> String {
        format!("{PREFIX}{}:{key}", self.generation)
    }
}

impl MemcacheStore {
    /// Connects to all servers at the same time, once, so that several dead ones cost no more time than one.
    fn contact(&mut self) -> Result<()> {
        if self.contacted {
            return Ok(());
        }
        self.contacted = true;
        let start = Instant::now();
        let outcomes: Vec<Result<()>> = std::thread::scope(|scope| {
            let tries = self.servers.iter_mut();
            let tries: Vec<_> = tries.map(|server| scope.spawn(|| server.contact())).collect();
            let outcomes = tries.into_iter().map(|tried| tried.join());
            outcomes
                .map(|outcome| outcome.unwrap_or_else(|_| Err(failed("the client crate panicked"))))
                .collect()
        });
        self.wasted += start.elapsed();
        let addresses = self.servers.iter().map(|server| server.address.clone());
        let failures = addresses.zip(outcomes);
        let failures = failures.filter_map(|(address, outcome)| Some((address, outcome.err()?)));
        self.drop_servers(failures.collect())
    }

    /// Drops servers, with one warning. It is an error, which closes the store, if no server is left or too much time
    /// was spent waiting for failed servers.
    fn drop_servers(&mut self, failures: Vec<(String, Error)>) -> Result<()> {
        let mut failures = failures.into_iter();
        let Some((address, mut error)) = failures.next() else {
            return Ok(());
        };
        self.lost.push(address);
        for (address, another) in failures {
            self.lost.push(address);
            error.message = format!("{}, {}", error.message, another.message);
            error.causes.extend(another.causes);
        }
        self.servers.retain(|server| !self.lost.contains(&server.address));
        if self.servers.is_empty() || self.settings.strict || self.wasted > MOST_WASTED {
            return Err(error);
        }
        self.settings
            .log
            .warning(&format!("{error:#}; using the other servers"));
        Ok(())
    }

    /// Runs one operation on the server of a key; if that fails, on the next best.
    fn at<T>(&mut self, key: &str, work: impl Fn(&Open) -> exp::Result<T>) -> Result<T> {
        self.contact()?;
        loop {
            let best = self.servers.iter().max_by_key(|server| server.score(key));
            let best = best.ok_or_else(|| failed("no server is left"))?;
            let address = best.address.clone();
            let start = Instant::now();
            match best.with(&work) {
                Ok(done) => return Ok(done),
                Err(error) => {
                    self.wasted += start.elapsed();
                    self.drop_servers(vec![(address, error)])?;
                }
            }
        }
    }

    /// Reads a value that the itch of 2016 stored: under the key without a prefix, on any of the servers.
    fn bare_value(&mut self, key: &str) -> Result<Option<Vec<u8>>> {
        let addresses: Vec<String> = self.servers.iter().map(|s| s.address.clone()).collect();
        for address in addresses {
            let server = self.servers.iter().find(|s| s.address == address);
            let Some(server) = server else { continue };
            let start = Instant::now();
            match server.with(|open| Ok(open.client.get(key).send()?.value)) {
                Ok(Some(value)) => return Ok(Some(value)),
                Ok(None) => {}
                Err(error) => {
                    self.wasted += start.elapsed();
                    self.drop_servers(vec![(address, error)])?;
                }
            }
        }
        Ok(None)
    }
}

impl CacheStore for MemcacheStore {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let found = self.at(key, |open| Ok(open.client.get(open.name(key)).send()?.value))?;
        let bytes = match found {
            Some(bytes) => Some(bytes),
            None => self.bare_value(key)?,
        };
        Ok(bytes.map(|bytes| StoredValue { bytes, modified: None }))
    }

    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put> {
        if value.len() > MOST_BYTES {
            // A value that is too large must not leave the older one behind.
            self.remove(key)?;
            return Ok(Put::TooLarge);
        }
        self.at(key, |open| {
            let set = open.client.set(open.name(key), value);
            // memcached takes a number above 30 days for a date, which the client crate then sends.
            let set = match ttl {
                Some(ttl) => set.ttl(exp::Ttl::secs(whole_seconds(ttl))),
                None => set.ttl(exp::Ttl::NEVER),
            };
            match set.send() {
                Ok(_) => Ok(Put::Stored),
                Err(error) => match bare(&error) {
                    exp::Error::Server(text) if text.contains("too large") => Ok(Put::TooLarge),
                    _ => Err(error),
                },
            }
        })
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.at(key, |open| open.client.delete(open.name(key)).send().map(drop))
    }

    /// memcached counts the items of all its users, not only those of itch.
    fn stats(&mut self) -> Result<CacheStats> {
        Ok(CacheStats::default())
    }

    fn location(&self) -> String {
        let names: Vec<&str> = self.servers.iter().map(|s| s.address.as_str()).collect();
        names.join(", ")
    }

    /// Increases the generation on every server.
    fn clear(&mut self) -> Result<bool> {
        self.contact()?;
        for server in &mut self.servers {
            let next = server.with(|open| {
                let next = now_ms().max(open.generation + 1);
                open.client.set(GENERATION, next.to_string()).send()?;
                Ok(next)
            })?;
            if let Some(open) = &mut server.open {
                open.generation = next;
            }
        }
        match self.lost.as_slice() {
            [] => Ok(true),
            lost => Err(failed(format!("{} was not cleared, since it did not answer", lost.join(", ")))),
        }
    }
}

/// A duration in whole seconds, rounded up, and one more: memcached has no smaller unit, counts by a clock that ticks once
/// a second, and so ends a value of one second at the next tick. 0 would mean forever. The maximum still gives a date
/// that fits into 32 bits.
fn whole_seconds(span: Duration) -> u32 {
    const LONGEST: u64 = 10 * 365 * 24 * 60 * 60;
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    seconds.saturating_add(1).min(LONGEST) as u32
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Failed, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn servers(names: &[&str]) -> Vec<Server> {
        let server = |name: &&str| Server {
            address: address(name).unwrap(),
            open: None,
        };
        names.iter().map(server).collect()
    }

    fn best<'a>(servers: &'a [Server], key: &str) -> &'a str {
        let best = servers.iter().max_by_key(|server| server.score(key));
        &best.unwrap().address
    }

    #[test]
    fn a_removed_server_moves_its_own_keys_only() {
        let all = servers(&["a", "b", "c:1"]);
        let fewer = servers(&["c:1", "a"]);
        let keys: Vec<String> = (0..3000).map(|n| format!("{n:064x}")).collect();
        let mut of_each = [0; 3];
        for key in &keys {
            let before = best(&all, key);
            let place = all.iter().position(|server| server.address == before);
            of_each[place.unwrap()] += 1;
            if before != "b:11211" {
                assert_eq!(best(&fewer, key), before);
            }
        }
        assert!(of_each.iter().all(|n| (850..1150).contains(n)), "{of_each:?}");
    }

    #[test]
    fn the_servers_of_a_key_never_change() {
        let all = servers(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        let chosen: Vec<&str> = (0..6)
            .map(|n| best(&all, &format!("{n:064x}")))
            .map(|name| name.strip_suffix(":11211").unwrap())
            .collect();
        let hosts = [2, 1, 3, 3, 2, 2].map(|n| format!("10.0.0.{n}"));
        assert_eq!(chosen, hosts);
    }

    #[test]
    fn servers_are_read_as_written() {
        for (text, expected) in [
            ("a", "a:11211"),
            ("a:1", "a:1"),
            ("[::1]:5", "[::1]:5"),
            ("10.0.0.1:11212", "10.0.0.1:11212"),
        ] {
            assert_eq!(address(text).unwrap(), expected);
        }
        for text in ["a:x", ":1", "a b", "a:70000", "user:secret@host:1", "http://a"] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_end_is_in_whole_seconds() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(1500)), 3);
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::MAX), 315_360_000);
    }
}
