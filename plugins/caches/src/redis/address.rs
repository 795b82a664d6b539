//! The address of the redis server from the environment variables, and its errors, which never contain a password.

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError};
use itch_plugin::prelude::*;

use super::failed;

const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 6379;
const DEFAULT_DATABASE: i64 = 1;

/// One server, or the nodes of a cluster from which the others are discovered.
pub(super) struct Address {
    nodes: Vec<ConnectionInfo>,
    cluster: bool,
    shown: String,
    /// Secrets that must never be shown.
    password: Option<String>,
}

impl Address {
    pub(super) fn of(settings: &CacheSettings) -> Result<Address> {
        let database = settings
            .variable("REDIS_DB")
            .map(|text| number(text, "REDIS_DB", "database"))
            .transpose()?
            .map(i64::from);
        let password = settings.variable("REDIS_PASSWORD");
        let mut address = match settings.variable("REDIS_URL") {
            Some(url) => Address::of_url(url)?,
            None => Address::of_host(settings)?,
        };
        let url_names_database = settings.variable("REDIS_URL").is_some_and(names_database);
        for node in &mut address.nodes {
            let mut redis = node.redis_settings().clone();
            if address.cluster {
                // A cluster has only database 0.
                redis = redis.set_db(0);
            } else if !url_names_database {
                redis = redis.set_db(database.unwrap_or(DEFAULT_DATABASE));
            }
            if let (None, Some(password)) = (redis.password(), password) {
                redis = redis.set_password(password);
            }
            address.password = redis.password().map(str::to_owned);
            *node = node.clone().set_redis_settings(redis);
        }
        address.shown = address.show();
        Ok(address)
    }

    fn of_host(settings: &CacheSettings) -> Result<Address> {
        let host = settings.variable("REDIS_HOST").unwrap_or(DEFAULT_HOST);
        let port = match settings.variable("REDIS_PORT") {
            Some(text) => u16::try_from(number(text, "REDIS_PORT", "port")?)
                .map_err(|_| failed("REDIS_PORT is too large for a port"))?,
            None => DEFAULT_PORT,
        };
        let address = ConnectionAddr::Tcp(host.to_owned(), port);
        let node = address.into_connection_info();
        let node = node.map_err(|_| failed("REDIS_HOST is not a valid host name"))?;
        Ok(Address::new(vec![node], false))
    }

    fn of_url(url: &str) -> Result<Address> {
        let (scheme, rest) = url.split_once("://").ok_or_else(unusable)?;
        let (scheme, cluster) = match scheme.strip_suffix("+cluster") {
            Some(scheme) => (scheme, true),
            None => (scheme, false),
        };
        let urls: Vec<String> = if cluster {
            // Several hosts share the user, password and path of the URL.
            let (authority, path) = match rest.find(['/', '?']) {
                Some(end) => rest.split_at(end),
                None => (rest, ""),
            };
            let (user, hosts) = match authority.rsplit_once('@') {
                Some((user, hosts)) => (format!("{user}@"), hosts),
                None => (String::new(), authority),
            };
            let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
            hosts.map(|host| format!("{scheme}://{user}{host}{path}")).collect()
        } else {
            vec![url.to_owned()]
        };
        let nodes = urls.iter().map(|url| {
            // The parser's error may contain the URL, and with it the password.
            let node = url.as_str().into_connection_info();
            let node = node.map_err(|_| unusable())?;
            match node.addr() {
                ConnectionAddr::TcpTls { insecure: true, .. } => {
                    Err(failed("REDIS_URL turns off the verification of certificates, which itch does not allow"))
                }
                _ => Ok(node),
            }
        });
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        match nodes.is_empty() {
            true => Err(unusable()),
            false => Ok(Address::new(nodes, cluster)),
        }
    }

    fn new(nodes: Vec<ConnectionInfo>, cluster: bool) -> Address {
        Address {
            nodes,
            cluster,
            shown: String::new(),
            password: None,
        }
    }

    pub(super) fn nodes(&self) -> &[ConnectionInfo] {
        &self.nodes
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.cluster
    }

    /// The URL without a password, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    fn show(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| node.addr().to_string()).collect();
        let first = self.nodes.first();
        let tls = first.is_some_and(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. }));
        let scheme = if tls { "rediss" } else { "redis" };
        let database = first.map_or(0, |node| node.redis_settings().db());
        match self.cluster {
            true => format!("{scheme}+cluster://{}", hosts.join(",")),
            false => format!("{scheme}://{}/{database}", hosts.join(",")),
        }
    }

    /// The node of a cluster at an address, with the same settings as the others.
    pub(super) fn node_at(&self, address: &str) -> Result<ConnectionInfo> {
        let unknown = || failed(format!("{} has a node without an address", self.shown));
        let (host, port) = address.rsplit_once(':').ok_or_else(unknown)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = port.parse().map_err(|_| unknown())?;
        let node = self.nodes.first().cloned().ok_or_else(unknown)?;
        let address = match node.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure, tls_params, ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Ok(node.set_addr(address))
    }

    /// Converts an error of the client crate.
    pub(super) fn failure(&self, error: &RedisError) -> Error {
        let address = &self.shown;
        if error.is_timeout() {
            return failed(format!("{address} did not answer in time"));
        }
        let what = match error.kind() {
            ::redis::ErrorKind::AuthenticationFailed => "refuses the password",
            ::redis::ErrorKind::Server(_) | ::redis::ErrorKind::Extension => "refuses",
            ::redis::ErrorKind::Io if error.is_connection_refusal() => "cannot be reached",
            ::redis::ErrorKind::Io => "failed",
            _ => "is not a redis server",
        };
        if wants_password(error) {
            return failed(format!("{address} requires a password"))
                .hint("set `REDIS_PASSWORD`, or write `redis://:password@host` in `REDIS_URL`");
        }
        // A server without passwords repeats the given one in its error.
        let mut said = error.to_string();
        if let Some(password) = self.password.as_deref().filter(|text| !text.is_empty()) {
            said = said.replace(password, "[redacted]");
        }
        let said = said.trim_end_matches('.').chars().take(200);
        failed(format!("{address} {what}")).cause(said.collect::<String>())
    }
}

/// Whether the server requires a password and got none. The client crate hides the error code when it selects the
/// database.
fn wants_password(error: &RedisError) -> bool {
    error.code() == Some("NOAUTH")
        || error
            .detail()
            .is_some_and(|detail| detail.contains("Authentication required"))
}

/// Whether a URL contains a database.
fn names_database(url: &str) -> bool {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    let unix = url.starts_with("redis+unix") || url.starts_with("unix");
    match unix {
        true => behind.contains("db="),
        false => behind
            .split_once('/')
            .is_some_and(|(_, path)| path.starts_with(|c: char| c.is_ascii_digit())),
    }
}

fn number(text: &str, variable: &str, what: &str) -> Result<u32> {
    text.trim()
        .parse()
        .map_err(|_| failed(format!("{variable} is `{}`, which is not a {what} number", text.escape_debug())))
}

fn unusable() -> Error {
    failed("REDIS_URL is not a redis URL")
        .hint("write `redis://host:6379/1`, `rediss://…` for TLS or `redis+cluster://host:7000` for a cluster")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn address(variables: &[(&str, &str)]) -> Result<Address> {
        let variables = variables.iter();
        Address::of(&CacheSettings {
            variables: variables
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..CacheSettings::default()
        })
    }

    #[test]
    fn the_variables_say_where() {
        for (variables, shown) in [
            (&[][..], "redis://localhost:6379/1"),
            (&[("REDIS_HOST", "r"), ("REDIS_PORT", "7"), ("REDIS_DB", "3")], "redis://r:7/3"),
            (&[("REDIS_URL", "redis://r:7"), ("REDIS_HOST", "other")], "redis://r:7/1"),
            (&[("REDIS_URL", "redis://r:7/0"), ("REDIS_DB", "3")], "redis://r:7/0"),
            (&[("REDIS_URL", "redis://r:7/"), ("REDIS_DB", "3")], "redis://r:7/3"),
            (&[("REDIS_URL", "rediss://u:secret@r:7/2")], "rediss://r:7/2"),
            (&[("REDIS_URL", "redis+cluster://u:secret@a:1,b:2, c")], "redis+cluster://a:1,b:2,c:6379"),
            (&[("REDIS_URL", "rediss+cluster://a:1")], "rediss+cluster://a:1"),
        ] {
            assert_eq!(address(variables).unwrap().shown(), shown, "{variables:?}");
        }
    }

    #[test]
    fn a_password_holds_for_every_node() {
        for (variables, expected) in [
            (&[("REDIS_PASSWORD", "secret")][..], "secret"),
            (&[("REDIS_URL", "redis://:inner@r"), ("REDIS_PASSWORD", "outer")], "inner"),
            (&[("REDIS_URL", "redis+cluster://a,b"), ("REDIS_PASSWORD", "outer")], "outer"),
            (&[("REDIS_URL", "redis+cluster://u:p%40ss@a,b")], "p@ss"),
        ] {
            for node in address(variables).unwrap().nodes() {
                assert_eq!(node.redis_settings().password(), Some(expected));
            }
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_the_password() {
        for (name, value) in [
            ("REDIS_URL", "http://u:secret@host"),
            ("REDIS_URL", "secret"),
            ("REDIS_URL", "redis+cluster://u:secret@"),
            ("REDIS_URL", "redis://u:secret@host:port"),
            ("REDIS_URL", "rediss://u:secret@host:1/0#insecure"),
            ("REDIS_PORT", "many"),
            ("REDIS_PORT", "70000"),
            ("REDIS_DB", "-1"),
        ] {
            let error = address(&[(name, value)]).err().unwrap();
            assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        }
    }
}
