//! The proxy of the environment: which one is used for an address, and whether the variables that name it are valid.
//!
//! The HTTP library ignores a variable that it cannot read and connects directly, which is what the user of a proxy
//! must not get. So the variables are checked before the first request, with the parser of that library.

use hyper_util::client::proxy::matcher::Matcher;
use itch_api::{Error, ErrorKind};
use reqwest::Url;
use reqwest::header::HeaderValue;

/// The variables in the order in which they are read; each also in lower case.
const VARIABLES: [[&str; 2]; 3] = [
    ["HTTPS_PROXY", "https_proxy"],
    ["HTTP_PROXY", "http_proxy"],
    ["ALL_PROXY", "all_proxy"],
];

/// A proxy that a request is sent through.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Its address, without user name and password.
    pub address: Url,
    /// The value of `Proxy-Authorization`, if its URL has a password.
    pub authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy for an address outside this machine.
    pub fn of(url: &Url) -> Option<Proxy> {
        let intercepted = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
        Some(Proxy {
            address: Url::parse(&intercepted.uri().to_string()).ok()?,
            authorization: intercepted.basic_auth().cloned(),
        })
    }

    /// The proxy as it is shown: `http://proxy.example:3128`.
    pub fn shown(&self) -> &str {
        self.address.as_str().trim_end_matches('/')
    }

    /// Host and port.
    pub fn place(&self) -> Option<(&str, u16)> {
        let usual = match self.address.scheme() {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        };
        Some((self.address.host_str()?, self.address.port().unwrap_or(usual)))
    }

    /// The variable that names the proxy for an address, for a hint.
    pub fn variable(url: &Url) -> &'static str {
        let names = VARIABLES.iter().filter(|names| match names[0] {
            "HTTPS_PROXY" => url.scheme() == "https",
            "HTTP_PROXY" => url.scheme() == "http",
            _ => true,
        });
        let mut set = names
            .flatten()
            .filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        set.next().copied().unwrap_or("HTTPS_PROXY")
    }
}

/// An error if one of the variables is set, but is not the address of a proxy.
pub(crate) fn check_variables() -> Result<(), Error> {
    for name in VARIABLES.as_flattened() {
        let valid = match std::env::var(name) {
            Ok(value) => is_valid(&value),
            Err(std::env::VarError::NotPresent) => true,
            Err(std::env::VarError::NotUnicode(_)) => false,
        };
        if !valid {
            // The value is not shown: it may contain a password.
            return Err(Error::new(ErrorKind::Usage, format!("the variable `{name}` is not the address of a proxy"))
                .hint(format!("write `{name}=http://host:port`, with socks5:// or socks5h:// for a SOCKS proxy")));
        }
    }
    Ok(())
}

/// Whether the value of a variable is a proxy, or empty, which means none.
fn is_valid(value: &str) -> bool {
    if value.is_empty() {
        return true;
    }
    // A password with a slash that is not encoded: the host would be a part of it.
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    if rest
        .split_once(['/', '?', '#'])
        .is_some_and(|(_, path)| path.contains('@'))
    {
        return false;
    }
    let any = "https://api.twitch.tv/".parse().ok();
    let read = any.and_then(|any| Matcher::builder().all(value).build().intercept(&any));
    // The host and the port are only read when they are used.
    read.is_some_and(|read| {
        let url = Url::parse(&read.uri().to_string());
        url.is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()) && url.port() != Some(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proxy_is_seen() {
        for good in [
            "",
            "http://proxy:3128",
            "http://proxy:3128/",
            "https://proxy",
            "http://user:p%40ss@proxy:3128",
            "proxy:3128",
            "proxy",
            "127.0.0.1:8080",
            "http://[::1]:8080",
            "socks5://127.0.0.1:1080",
            "socks5h://user:pass@host:1080",
            "socks4a://host",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "http://",
            "://proxy",
            "ftp://proxy",
            "http//proxy:3128",
            "http://proxy:99999",
            "http://proxy:port",
            "http://proxy:0",
            "proxy server:3128",
            "/proxy",
            "http://:3128",
            "socks://proxy:1080",
            "http://user:p@ss/word@proxy:3128",
            " ",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
