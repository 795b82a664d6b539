//! The lowest layer: one try of one request over HTTP, and the check of its answer.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Service};
use reqwest::header::{ACCEPT_ENCODING, ETAG, HeaderMap, LOCATION};
use reqwest::{Method, Url};
use tracing::debug;

use crate::Secrets;
use crate::address::is_loopback;
use crate::body::Shape;
use crate::counters::Tally;
use crate::entry::MOST_BYTES;
use crate::network::{LoopbackOnly, broken_off, unreachable, wants_password};
use crate::outline::outline;
use crate::proxy::{self, Proxy};
use crate::repair::repair;
use crate::retry::{Fault, Trouble, retry_after};
use crate::unpack::{TooLarge, unpack};

/// A request that can be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub service: Service,
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
}

/// A final answer of a service: 2xx with a body that parses, or 4xx except 408 and 425, which ask for another try.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The parsed body, if it is JSON.
    pub shape: Option<Shape>,
}

impl Answer {
    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The service's ETag for this version of the answer.
    pub fn etag(&self) -> Option<String> {
        Some(self.headers.get(ETAG)?.to_str().ok()?.to_owned())
    }
}

/// How to connect to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// This machine, without TLS: no proxy, and no need to read certificates from disk.
    Loopback,
    /// This machine, with TLS: no proxy.
    LoopbackTls,
    /// Any other machine, through the proxy of the environment if there is one.
    Outside,
}

/// Sends requests. The HTTP clients are created with the first request.
pub(crate) struct Wire {
    timeout: Duration,
    connections: usize,
    tally: Arc<Tally>,
    secrets: Secrets,
    /// Plain http may be used to other machines, too.
    insecure_http: bool,
    clients: Mutex<Vec<(Route, reqwest::Client)>>,
}

impl Wire {
    pub fn new(timeout: Duration, connections: u32, tally: Arc<Tally>, secrets: Secrets, insecure_http: bool) -> Wire {
        Wire {
            timeout,
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            tally,
            secrets,
            insecure_http,
            clients: Mutex::new(Vec::new()),
        }
    }

    /// Sends a request once.
    pub async fn send(&self, call: &Call, attempt: u32) -> Result<Answer, Fault> {
        let started = Instant::now();
        self.tally.requests.one();
        let exchange = pin!(self.exchange(call));
        let outcome = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Passing(Trouble::new(format!(
                "did not send a complete answer within {} s",
                self.timeout.as_secs_f64()
            )))),
        };
        let what = match &outcome {
            Ok(answer) => answer.status.to_string(),
            Err(Fault::Passing(trouble)) => trouble.what.clone(),
            Err(Fault::Final(error)) => error.message.clone(),
        };
        let line = || {
            format!(
                "{} {} {}{}{}: {what}, {} ms, try {attempt}",
                call.method,
                call.service,
                call.url.path(),
                call.url.query().map_or("", |_| "?"),
                call.url.query().unwrap_or_default(),
                started.elapsed().as_millis(),
            )
        };
        debug!(target: "itch::http", "{}", self.secrets.redact(&line()));
        outcome
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Fault> {
        let (route, client) = self.client(&call.url)?;
        let proxy = match route {
            Route::Outside => Proxy::of(&call.url),
            _ => None,
        };
        let mut request = client
            .request(call.method.clone(), call.url.clone())
            .header(ACCEPT_ENCODING, "gzip, br, zstd")
            .headers(call.headers.clone());
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(unreachable(call.service, &call.url, proxy.as_ref(), error).await),
        };
        let status = response.status();
        if proxy.is_some() && status.as_u16() == 407 {
            return Err(Fault::Final(wants_password(call.service, &call.url, proxy.as_ref())));
        }
        if status.is_redirection() {
            return Err(Fault::Final(redirected(call, &response)));
        }
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(broken_off)? {
                None => break,
                Some(chunk) if body.len() + chunk.len() > MOST_BYTES => {
                    return Err(Fault::Final(too_large(call, status.as_u16())));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
        self.tally.bytes.add(body.len() as u64);
        let headers = std::mem::take(response.headers_mut());
        let body = unpack(body).map_err(|TooLarge| Fault::Final(too_large(call, status.as_u16())))?;
        let (body, shape) = match Shape::of(&body) {
            None => repaired(body),
            shape => (body, shape),
        };
        if status.is_server_error() || matches!(status.as_u16(), 408 | 425) {
            return Err(Fault::Passing(Trouble {
                causes: error_texts(&body),
                status: Some(status.as_u16()),
                retry_after: retry_after(&headers, SystemTime::now()),
                ..Trouble::new(format!("answered {status}"))
            }));
        }
        // 204 is the only success without a body (RFC 9110, section 15.3.5); the sign-in service answers `revoke` with 200.
        let is_empty = status.as_u16() == 204 || body.is_empty() && call.url.path().ends_with("/revoke");
        if status.is_success() && shape.is_none() && !is_empty {
            return Err(Fault::Passing(Trouble {
                kind: ErrorKind::BadData,
                status: Some(status.as_u16()),
                ..Trouble::new(format!("answered {}, not JSON", kind_of_body(&body)))
            }));
        }
        Ok(Answer {
            status: status.as_u16(),
            headers,
            body,
            shape,
        })
    }

    fn client(&self, url: &Url) -> Result<(Route, reqwest::Client), Fault> {
        let route = match (is_loopback(url), url.scheme()) {
            (true, "http") => Route::Loopback,
            (true, _) => Route::LoopbackTls,
            (false, _) => Route::Outside,
        };
        let mut clients = lock(&self.clients);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == route) {
            return Ok((route, client.clone()));
        }
        if route == Route::Outside {
            proxy::check_variables().map_err(Fault::Final)?;
        }
        let client = self.build(route).map_err(|error| {
            let hint = match std::env::var_os("SSL_CERT_FILE") {
                Some(_) => "https needs certificates: check that the file in `SSL_CERT_FILE` has some",
                None => "https needs the system's certificates: install `ca-certificates`, or set `SSL_CERT_FILE`",
            };
            Fault::Final(
                Error::new(ErrorKind::Failed, "could not set up the HTTP client")
                    .source_chain(&error)
                    .hint(hint),
            )
        })?;
        clients.push((route, client.clone()));
        Ok((route, client))
    }

    fn build(&self, route: Route) -> reqwest::Result<reqwest::Client> {
        // This fails only if another provider is already installed, which works too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("itch/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // Only `Retry` repeats requests; it also counts them.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .connect_timeout(self.timeout)
            .pool_max_idle_per_host(self.connections);
        match route {
            Route::Loopback => {
                let builder = builder.no_proxy().tls_certs_only([]);
                match self.insecure_http {
                    true => builder,
                    false => builder.dns_resolver(LoopbackOnly),
                }
            }
            Route::LoopbackTls => builder.no_proxy(),
            Route::Outside => builder,
        }
        .build()
    }
}

/// The body as it parses after a repair, if it does.
fn repaired(body: Vec<u8>) -> (Vec<u8>, Option<Shape>) {
    let repaired = repair(&body).and_then(|repaired| Some((Shape::of(&repaired)?, repaired)));
    match repaired {
        Some((shape, repaired)) => {
            debug!(target: "itch::http", "repaired an answer that was not valid JSON");
            (repaired, Some(shape))
        }
        None => (body, None),
    }
}

fn redirected(call: &Call, response: &reqwest::Response) -> Error {
    let status = response.status().as_u16();
    let target = response.headers().get(LOCATION);
    let target = target.and_then(|target| target.to_str().ok());
    Error::new(ErrorKind::Service, format!("the {} service answered with a redirect", call.service))
        .cause(format!("{status} to {}", target.unwrap_or("an unknown address")))
        .hint("an API does not redirect: check the base URL, and whether the network requires a login")
        .at(call.service, Some(status))
}

fn too_large(call: &Call, status: u16) -> Error {
    Error::new(
        ErrorKind::BadData,
        format!(
            "an answer of the {} service to `{}` is, unpacked, larger than {} MiB",
            call.service,
            call.url.path(),
            MOST_BYTES >> 20
        ),
    )
    .hint("no answer of Twitch is so large: check the base URL, and whether something else answers in its place")
    .at(call.service, Some(status))
}

/// The service's own texts about an error.
pub(crate) fn error_texts(body: &[u8]) -> Vec<String> {
    let body = outline(body, &["/message", "/error"]);
    ["message", "error"]
        .into_iter()
        .filter_map(|key| body.get(key)?.as_str())
        .find(|text| !text.is_empty())
        .map(str::to_owned)
        .into_iter()
        .collect()
}

fn kind_of_body(body: &[u8]) -> &'static str {
    match body.trim_ascii_start().first() {
        None => "nothing",
        Some(b'<') => "HTML",
        Some(0x1f) => "broken gzip",
        Some(b'{' | b'[') => "broken JSON",
        Some(_) => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_named() {
        assert_eq!(kind_of_body(b" \n<!doctype html>"), "HTML");
        assert_eq!(kind_of_body(b""), "nothing");
        assert_eq!(kind_of_body(b"\x1f\x8b"), "broken gzip");
        assert_eq!(kind_of_body(b"{\"a\""), "broken JSON");
        assert_eq!(kind_of_body(b"upstream error"), "text");
    }

    #[test]
    fn the_texts_of_an_error() {
        assert_eq!(error_texts(br#"{"error":"Bad Request","status":400,"message":"no"}"#), ["no"]);
        assert_eq!(error_texts(br#"{"error":"Bad Request","message":""}"#), ["Bad Request"]);
        assert!(error_texts(b"<html>").is_empty());
    }
}
