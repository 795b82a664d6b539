//! What a failure of the network was: its causes, which address it is about, whether another try can help, and what to
//! do about it.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use itch_api::{Error, ErrorKind, Service};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::proxy::Proxy;
use crate::retry::{Fault, Trouble};

/// How long a question about a failure may take.
const LONGEST_QUESTION: Duration = Duration::from_secs(2);

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
}

impl Place {
    fn of(url: &Url) -> Place {
        Place {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        }
    }

    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether the name of the host has an address.
    async fn resolves(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(LONGEST_QUESTION, tokio::net::lookup_host((host, self.port))).await;
        found.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()))
    }
}

/// The failure of a request that got no answer.
pub(crate) async fn unreachable(service: Service, url: &Url, proxy: Option<&Proxy>, error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let target = Place::of(url);
    if find::<NotLoopback>(&error).is_some() {
        return Fault::Final(not_loopback(service, &target.host));
    }
    if let Some(rustls::Error::InvalidCertificate(why)) = find::<rustls::Error>(&error) {
        return Fault::Final(certificate(service, &target, why));
    }
    let (what, place) = match proxy.and_then(|proxy| Some((proxy, proxy.place()?))) {
        Some((proxy, (host, port))) => {
            let place = Place {
                host: host.to_owned(),
                port,
            };
            (format!("could not be reached through the proxy {}", proxy.shown()), place)
        }
        None => ("could not be reached".to_owned(), target.clone()),
    };
    let mut trouble = Trouble {
        causes: causes(&error),
        ..Trouble::new(what)
    };
    let kind = find::<io::Error>(&error).map(io::Error::kind);
    let timed_out = error.is_timeout() || kind == Some(io::ErrorKind::TimedOut);
    if !error.is_connect() && !timed_out {
        return Fault::Passing(trouble);
    }
    let variable = match proxy {
        Some(_) => Proxy::variable(url),
        None => service.url_variable(),
    };
    // The address of Twitch itself needs no check.
    let own = proxy.is_some() || !is_canonical(service, url);
    let check = |otherwise: &str| match own {
        true => format!("check `{variable}`"),
        false => otherwise.to_owned(),
    };
    let shown = place.shown();
    let check = match kind {
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("nothing listens at {shown}: {}", check("check the network"))
        }
        _ if timed_out => format!("{shown} does not answer: check the network"),
        _ if !place.resolves().await => {
            format!("the name `{}` has no address: {}", place.host, check("check the network and its name server"))
        }
        _ if find::<rustls::Error>(&error).is_some() => {
            format!("{shown} does not speak TLS as expected: {}", check("check the network"))
        }
        kind => {
            let refused = match proxy.filter(|_| kind.is_none()) {
                Some(proxy) => refused_by_proxy(proxy, &target).await,
                None => None,
            };
            match refused {
                Some((407, _)) => return Fault::Final(wants_password(service, url, proxy)),
                Some((status, line)) => {
                    trouble.causes = vec![format!("the proxy answered {line}")];
                    trouble.status = Some(status);
                    format!("ask who runs the proxy, or {}", check(""))
                }
                None => "check the network".to_owned(),
            }
        }
    };
    if let (None, Some(nearest)) = (trouble.status, trouble.causes.first_mut()) {
        *nearest = format!("{shown}: {nearest}");
    }
    trouble.check = Some(check);
    Fault::Passing(trouble)
}

/// The failure of a request whose answer could not be read to its end.
pub(crate) fn broken_off(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let kind = find::<io::Error>(&error).map(io::Error::kind);
    let what = match kind {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other) if error.is_decode() => {
            "answered with a body that is not compressed as it says"
        }
        _ => "stopped in the middle of its answer",
    };
    Fault::Passing(Trouble {
        causes: causes(&error),
        ..Trouble::new(what)
    })
}

/// The error for a proxy that wants a user name and a password.
pub(crate) fn wants_password(service: Service, url: &Url, proxy: Option<&Proxy>) -> Error {
    let variable = Proxy::variable(url);
    let (shown, scheme) = proxy.map_or(("", "http"), |proxy| (proxy.shown(), proxy.address.scheme()));
    Error::new(ErrorKind::Service, format!("the {service} service could not be reached through the proxy {shown}"))
        .cause("the proxy answered 407 Proxy Authentication Required")
        .hint(format!("set `{variable}` with a user name and a password: `{scheme}://user:password@host:port`"))
        .at(service, Some(407))
}

/// The causes, without the text that the libraries add: that a request failed, and its address, are already known.
fn causes(error: &reqwest::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        next = cause.source();
        if next.is_none() || !text.starts_with("client error (") {
            causes.push(text);
        }
    }
    if causes.is_empty() {
        causes.push(error.to_string());
    }
    causes
}

/// The first error of a type in a chain, also inside an I/O error.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(inner) = inner {
            let inner: &(dyn StdError + 'static) = inner;
            if let Some(found) = find::<E>(inner) {
                return Some(found);
            }
        }
        next = error.source();
    }
    None
}

fn is_canonical(service: Service, url: &Url) -> bool {
    Url::parse(service.canonical()).is_ok_and(|canonical| canonical.host_str() == url.host_str())
}

/// The error for a certificate that is not accepted. Another try would get the same one.
fn certificate(service: Service, place: &Place, why: &CertificateError) -> Error {
    let (what, hint) = match why {
        // A wrong signature: it names an authority that is trusted, but another key signed it.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "is not from an authority that this machine trusts",
            "if your network or proxy has a certificate authority of its own, set `SSL_CERT_FILE` to a file with its \
             certificate",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired", "check the clock of this machine; otherwise the server needs a new certificate")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet", "check the clock of this machine")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "is for another host",
            "check the base URL, and whether the network requires a login or a proxy answers instead",
        ),
        CertificateError::Revoked => ("has been revoked", "the server needs a new certificate"),
        _ => ("is not valid", "check the base URL, and which certificates `SSL_CERT_FILE` and this machine trust"),
    };
    Error::new(
        ErrorKind::Service,
        format!("the {service} service could not be reached: the certificate of {} {what}", place.shown()),
    )
    .cause(rustls::Error::InvalidCertificate(why.clone()))
    .hint(hint)
    .at(service, None)
}

/// Asks an HTTP proxy for a tunnel once more, only to read the status with which it refuses: the HTTP library does not
/// tell it.
async fn refused_by_proxy(proxy: &Proxy, target: &Place) -> Option<(u16, String)> {
    let (host, port) = proxy.place().filter(|_| proxy.address.scheme() == "http")?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let ask = async {
        let mut stream = TcpStream::connect((host, port)).await.ok()?;
        let target = target.shown();
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(authorization) = &proxy.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.ok()?;
        let mut answer = Vec::new();
        let mut part = [0; 512];
        while !answer.contains(&b'\n') && answer.len() < 4096 {
            match stream.read(&mut part).await.ok()? {
                0 => break,
                n => answer.extend_from_slice(part.get(..n)?),
            }
        }
        status_line(&answer)
    };
    let (status, line) = tokio::time::timeout(LONGEST_QUESTION, ask).await.ok()??;
    (!(200..300).contains(&status)).then_some((status, line))
}

/// The status in the first line of an answer, and what follows the version in it (RFC 9112, section 4).
fn status_line(answer: &[u8]) -> Option<(u16, String)> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let (version, rest) = line.split_once(' ')?;
    let status = rest.get(..3)?.parse().ok()?;
    let shown: String = rest.chars().take(100).collect();
    version.starts_with("HTTP/").then_some((status, shown))
}

fn not_loopback(service: Service, host: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("the base URL of the {service} service uses plain http, and `{host}` is not this machine"),
    )
    .hint("use https, or pass `--insecure-http`: others on the network can then read your tokens")
}

/// A resolver for names that mean this machine: a name with any other address is an error, since plain http may be used
/// to loopback addresses only.
#[derive(Debug)]
pub(crate) struct LoopbackOnly;

/// A name that should mean this machine has another address.
#[derive(Debug)]
struct NotLoopback;

impl std::fmt::Display for NotLoopback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name is not one of this machine")
    }
}

impl StdError for NotLoopback {}

impl Resolve for LoopbackOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(all_loopback(found)?.into_iter()) as Addrs)
        })
    }
}

fn all_loopback(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotLoopback> {
    match addresses
        .iter()
        .all(|address| address.ip().to_canonical().is_loopback())
    {
        true => Ok(addresses),
        false => Err(NotLoopback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_this_machine_has_only_its_addresses() {
        let addresses = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<SocketAddr>>()
        };
        for good in [
            &["127.0.0.1:0"][..],
            &["127.0.0.1:0", "[::1]:0"],
            &["[::ffff:127.0.0.1]:0"],
        ] {
            assert!(all_loopback(addresses(good)).is_ok(), "{good:?}");
        }
        for bad in [
            &["192.0.2.1:0"][..],
            &["127.0.0.1:0", "192.0.2.1:0"],
            &["[2001:db8::1]:0"],
        ] {
            assert!(all_loopback(addresses(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_is_found_inside_of_others() {
        let inner = io::Error::other(NotLoopback);
        let outer = io::Error::new(io::ErrorKind::ConnectionAborted, inner);
        assert!(find::<NotLoopback>(&outer).is_some());
        assert!(find::<rustls::Error>(&outer).is_none());
    }

    #[test]
    fn a_status_line_is_read() {
        let read = |text: &str| status_line(text.as_bytes());
        assert_eq!(read("HTTP/1.1 407 Authenticate\r\nA: b"), Some((407, "407 Authenticate".to_owned())));
        assert_eq!(read("HTTP/1.0 200"), Some((200, "200".to_owned())));
        for bad in ["", "HTTP/1.1", "SSH-2.0 407", "HTTP/1.1 x", "\u{e9} 407"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_hint() {
        let place = Place {
            host: "api.twitch.tv".to_owned(),
            port: 443,
        };
        for (why, what, hint) in [
            (CertificateError::UnknownIssuer, "trusts", "SSL_CERT_FILE"),
            (CertificateError::Expired, "expired", "clock"),
            (CertificateError::NotValidForName, "another host", "base URL"),
            (CertificateError::BadEncoding, "not valid", "base URL"),
        ] {
            let error = certificate(Service::Helix, &place, &why);
            assert!(error.message.contains("api.twitch.tv:443") && error.message.contains(what), "{error:#}");
            assert!(error.hint.unwrap().contains(hint), "{what}");
        }
    }
}
