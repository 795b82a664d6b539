//! `itch -c redis`: responses in a redis server, shared by several machines.
//!
//! Each response is a string under `itch:1:` and its key, with an expiry time in redis. Nothing else in the database is
//! read, counted or removed. The connection is opened at the first use. The time limits are set here, since the client
//! crate has none and would wait forever.

mod address;

use std::collections::HashSet;
use std::time::Duration;

use ::redis::cluster::{ClusterClientBuilder, ClusterConnection};
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use ::redis::{Cmd, ConnectionInfo, ConnectionLike, FromRedisValue, RedisError, RedisResult, cmd};
use itch_plugin::prelude::*;

use address::Address;

const CONNECT: Duration = Duration::from_millis(250);
const OPERATION: Duration = Duration::from_millis(500);
/// The prefix of every key.
const PREFIX: &str = "itch:1:";
/// How many keys redis examines in one step of a scan.
const STEP: usize = 1000;

struct Redis;

cache!(Redis);

impl Cache for Redis {
    fn describe(&self) -> CacheSpec {
        CacheSpec::new("redis", "A redis server, or a cluster, for several machines")
            .help(
                "Responses expire after 30 days, except those that never change. On a server that only itch uses, set \
                 `maxmemory` and `maxmemory-policy allkeys-lru` to limit its memory.\n\n\
                 REDIS_URL replaces host and port: `redis://user:password@host:6379/1`, `rediss://…` for TLS (the \
                 certificate is verified), `redis+cluster://host:7000,host:7001` and `rediss+cluster://…` for a \
                 cluster. REDIS_PASSWORD and REDIS_DB apply if the URL has no password or database.",
            )
            .variable("REDIS_HOST", "The server", Some("localhost"))
            .variable("REDIS_PORT", "Its port", Some("6379"))
            .variable("REDIS_PASSWORD", "The password, if the server needs one", None)
            .variable("REDIS_DB", "The database number", Some("1"))
            .variable("REDIS_URL", "All of these as one URL; also for TLS and clusters", None)
            .variable("SSL_CERT_FILE", "A file of certificates to trust for TLS, instead of the system's", None)
            .variable("SSL_CERT_DIR", "A directory of certificates to trust for TLS", None)
            .access(Access {
                read: vec!["$SSL_CERT_FILE".to_owned(), "$SSL_CERT_DIR".to_owned()],
                network: true,
                hosts: vec!["$REDIS_HOST".to_owned(), "$REDIS_URL".to_owned()],
                ..Access::default()
            })
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        Ok(Box::new(RedisStore {
            address: Address::of(settings)?,
            open: None,
        }))
    }
}

struct RedisStore {
    address: Address,
    open: Option<Connection>,
}

enum Connection {
    One(::redis::Connection),
    Cluster(Box<ClusterConnection>),
}

impl Connection {
    fn to(address: &Address) -> RedisResult<Connection> {
        if address.is_cluster() {
            let cluster = ClusterClientBuilder::new(address.nodes().iter().cloned())
                .connection_timeout(CONNECT)
                .response_timeout(OPERATION)
                // One retry is enough for a node that redirects to another one; more would only take longer.
                .retries(2)
                .min_retry_wait(10)
                .max_retry_wait(50)
                .build()?;
            return Ok(Connection::Cluster(Box::new(cluster.get_connection()?)));
        }
        let node = address.nodes().first().cloned();
        let none = RedisError::from((::redis::ErrorKind::InvalidClientConfig, "no server"));
        Ok(Connection::One(connect(node.ok_or(none)?)?))
    }

    fn asks(&mut self) -> &mut dyn ConnectionLike {
        match self {
            Connection::One(connection) => connection,
            Connection::Cluster(connection) => connection.as_mut(),
        }
    }
}

/// Connects to one server. The time limit for connecting includes authentication. The limit for operations is set
/// afterwards, since the client crate removes its own.
fn connect(node: ConnectionInfo) -> RedisResult<::redis::Connection> {
    let connection = ::redis::Client::open(node)?.get_connection_with_timeout(CONNECT)?;
    connection.set_read_timeout(Some(OPERATION))?;
    connection.set_write_timeout(Some(OPERATION))?;
    Ok(connection)
}

fn name(key: &str) -> String {
    format!("{PREFIX}{key}")
}

impl RedisStore {
    /// Sends one command. If the server has closed the connection, as servers do with idle ones, it is opened again,
    /// once.
    fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T> {
        let asked = self.ask_once(command);
        let asked = match asked {
            Err((error, true)) if error.is_connection_dropped() => {
                self.open = None;
                self.ask_once(command)
            }
            asked => asked,
        };
        asked.map_err(|(error, _)| self.address.failure(&error))
    }

    /// The error says whether the connection was an old one.
    fn ask_once<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult2<T> {
        let old = self.open.is_some();
        let connection = match &mut self.open {
            Some(connection) => connection,
            none => none.insert(Connection::to(&self.address).map_err(|error| (error, old))?),
        };
        command.query(connection.asks()).map_err(|error| (error, old))
    }

    fn value(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        self.ask(cmd("GET").arg(name))
    }

    /// The servers that hold keys, each with its own connection, since a scan is for one server.
    fn holders(&mut self) -> Result<Vec<ConnectionInfo>> {
        let _: String = self.ask(&cmd("PING"))?;
        let Some(Connection::Cluster(cluster)) = &mut self.open else {
            return Ok(self.address.nodes().to_vec());
        };
        // A command that is sent to all nodes returns a map from address to answer.
        let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answers = cluster.route_command(&cmd("PING"), all);
        let answers: Vec<(String, String)> = answers
            .and_then(|value| Ok(::redis::from_redis_value(value)?))
            .map_err(|error| self.address.failure(&error))?;
        let addresses = answers.iter().map(|(address, _)| address.as_str());
        addresses.map(|address| self.address.node_at(address)).collect()
    }

    /// Visits the keys of one server; `seen` are the keys visited before, since a scan may return a key twice.
    fn scan_one(
        &self,
        node: ConnectionInfo,
        seen: &mut HashSet<String>,
        visit: &mut dyn FnMut(ScanEntry) -> Scan,
    ) -> RedisResult<Scan> {
        let mut connection = connect(node)?;
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{PREFIX}*"));
            let (next, names): (u64, Vec<Vec<u8>>) = scan.arg("COUNT").arg(STEP).query(&mut connection)?;
            let keys = names.iter().filter_map(|name| key_of(name));
            let keys: Vec<&str> = keys.filter(|key| !seen.contains(*key)).collect();
            let mut sizes = ::redis::pipe();
            for key in &keys {
                sizes.cmd("STRLEN").arg(name(key));
            }
            let sizes: Vec<u64> = match keys.is_empty() {
                true => Vec::new(),
                false => sizes.query(&mut connection)?,
            };
            for (key, bytes) in keys.into_iter().zip(sizes) {
                let entry = ScanEntry {
                    key: key.to_owned(),
                    bytes,
                    modified_ms: None,
                };
                // The key has expired, or is not a string.
                if bytes == 0 || !seen.insert(key.to_owned()) {
                    continue;
                }
                if visit(entry) == Scan::Stop {
                    return Ok(Scan::Stop);
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(Scan::Continue);
            }
        }
    }
}

/// An error, and whether it occurred on a connection that had worked before.
type RedisResult2<T> = std::result::Result<T, (RedisError, bool)>;

/// The key after the prefix, if it is valid.
fn key_of(name: &[u8]) -> Option<&str> {
    let key = std::str::from_utf8(name).ok()?.strip_prefix(PREFIX)?;
    let digits = key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && key.len() == 64).then_some(key)
}

impl CacheStore for RedisStore {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let bytes = match self.value(&name(key))? {
            Some(bytes) => Some(bytes),
            // The itch of 2016 stored values under the key without a prefix.
            None => self.value(key)?,
        };
        Ok(bytes.map(|bytes| StoredValue { bytes, modified: None }))
    }

    fn put(&mut self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<Put> {
        let mut set = cmd("SET");
        set.arg(name(key)).arg(value);
        if let Some(ttl) = ttl {
            let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
            // A longer time would overflow the server's number.
            set.arg("PX").arg(milliseconds.clamp(1, u64::MAX / 4));
        }
        self.ask::<()>(&set).map(|()| Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.ask(cmd("DEL").arg(name(key)))
    }

    fn stats(&mut self) -> Result<CacheStats> {
        let (mut entries, mut bytes) = (0, 0);
        self.scan(&mut |entry| {
            entries += 1;
            bytes += entry.bytes;
            Scan::Continue
        })?;
        Ok(CacheStats {
            entries: Some(entries),
            bytes: Some(bytes),
        })
    }

    fn location(&self) -> String {
        self.address.shown().to_owned()
    }

    fn scan(&mut self, visit: &mut dyn FnMut(ScanEntry) -> Scan) -> Result<ScanSupport> {
        let mut seen = HashSet::new();
        for node in self.holders()? {
            let scanned = self.scan_one(node, &mut seen, visit);
            match scanned.map_err(|error| self.address.failure(&error))? {
                Scan::Continue => {}
                Scan::Stop => break,
            }
        }
        Ok(ScanSupport::Listed)
    }
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Failed, message)
}
