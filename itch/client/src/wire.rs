//! The lowest layer: one try of one request over HTTP, and the check of its answer.

use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Service};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, LOCATION};
use reqwest::{Method, StatusCode, Url, Version};
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

/// An answer as it arrived: with any status, and any body.
#[derive(Debug)]
pub(crate) struct Received {
    pub answer: Answer,
    pub version: Version,
    /// The phrase of the status.
    pub phrase: &'static str,
    /// Whether the body arrived.
    pub complete: bool,
}

/// A try without a whole answer.
#[derive(Debug)]
pub(crate) struct Failed {
    pub fault: Fault,
    /// Whether the request may have reached the service.
    pub reached: bool,
    /// The status and the headers, if at least they arrived.
    pub received: Option<Box<Received>>,
}

impl Failed {
    /// The connection could not be opened.
    fn before(fault: Fault) -> Failed {
        Failed {
            fault,
            reached: false,
            received: None,
        }
    }

    /// It happened after the request was sent.
    fn after(fault: Fault) -> Failed {
        Failed {
            reached: true,
            ..Failed::before(fault)
        }
    }
}

/// How much longer the whole exchange may take than the opening of a connection, where it matters which of them failed.
const AFTER_CONNECTING: Duration = Duration::from_millis(500);

/// Whether a status says that another try may have another answer. Gateways send these as well as services.
pub(crate) fn is_passing(status: u16) -> bool {
    (500..600).contains(&status) || matches!(status, 408 | 425)
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
    pub secrets: Secrets,
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

    /// Sends a request once, and judges the answer.
    pub async fn send(&self, call: &Call, attempt: u32) -> Result<Answer, Fault> {
        let received = self.try_once(call, attempt, self.timeout, judged).await;
        received.map(|received| received.answer).map_err(|failed| failed.fault)
    }

    /// Sends a request once. Every answer is one, whatever its status and its body are.
    pub async fn send_raw(&self, call: &Call, attempt: u32) -> Result<Received, Failed> {
        let longest = self.timeout.saturating_add(AFTER_CONNECTING);
        self.try_once(call, attempt, longest, Ok).await
    }

    async fn try_once(
        &self,
        call: &Call,
        attempt: u32,
        longest: Duration,
        judge: fn(Received) -> Result<Received, Failed>,
    ) -> Result<Received, Failed> {
        let started = Instant::now();
        self.tally.requests.one();
        let head = OnceLock::new();
        let exchanged = {
            let exchange = pin!(self.exchange(call, &head));
            tokio::time::timeout(longest, exchange).await
        };
        let outcome = match exchanged {
            Ok(outcome) => outcome.and_then(judge),
            Err(_) => Err(Failed::after(Fault::Passing(Trouble::new(format!(
                "did not send a complete answer within {} s",
                self.timeout.as_secs_f64()
            ))))),
        };
        let what = match &outcome {
            Ok(received) => received.answer.status.to_string(),
            Err(failed) => match &failed.fault {
                Fault::Passing(trouble) => trouble.what.clone(),
                Fault::Final(error) => error.message.clone(),
            },
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
        outcome.map_err(|failed| Failed {
            received: head.into_inner().map(Box::new),
            ..failed
        })
    }

    /// `head` gets the status and the headers before the body is read.
    async fn exchange(&self, call: &Call, head: &OnceLock<Received>) -> Result<Received, Failed> {
        let (route, client) = self.client(&call.url).map_err(Failed::before)?;
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
            Err(error) => {
                let reached = !error.is_connect() && !error.is_builder();
                let fault = unreachable(call.service, &call.url, proxy.as_ref(), error).await;
                return Err(Failed {
                    reached,
                    ..Failed::before(fault)
                });
            }
        };
        let status = response.status();
        if proxy.is_some() && status.as_u16() == 407 {
            return Err(Failed::before(Fault::Final(wants_password(call.service, &call.url, proxy.as_ref()))));
        }
        if status.is_redirection() {
            return Err(Failed::after(Fault::Final(redirected(call, &response))));
        }
        let headers = std::mem::take(response.headers_mut());
        // It is empty: nothing was put into it before.
        let _ = head.set(Received::head(status, response.version(), headers.clone()));
        let too_large = || Failed::after(Fault::Final(too_large(call, status.as_u16())));
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| Failed::after(broken_off(error)))? {
                None => break,
                Some(chunk) if body.len() + chunk.len() > MOST_BYTES => return Err(too_large()),
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
        self.tally.bytes.add(body.len() as u64);
        let body = unpack(body).map_err(|TooLarge| too_large())?;
        let (body, shape) = match Shape::of(&body) {
            None => repaired(body),
            shape => (body, shape),
        };
        let mut received = Received::head(status, response.version(), headers);
        received.answer.body = body;
        received.answer.shape = shape;
        received.complete = true;
        Ok(received)
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

impl Received {
    /// An answer whose body has not arrived.
    fn head(status: StatusCode, version: Version, headers: HeaderMap) -> Received {
        Received {
            answer: Answer {
                status: status.as_u16(),
                headers,
                body: Vec::new(),
                shape: None,
            },
            version,
            phrase: status.canonical_reason().unwrap_or_default(),
            complete: false,
        }
    }

    /// The fault that the status is, if it asks for another try.
    pub fn passing_fault(&self) -> Option<Trouble> {
        let Answer {
            status, headers, body, ..
        } = &self.answer;
        is_passing(*status).then(|| Trouble {
            causes: error_texts(body),
            status: Some(*status),
            retry_after: retry_after(headers, SystemTime::now()),
            ..Trouble::new(format!("answered {status} {}", self.phrase).trim_end())
        })
    }

    /// The fault of a success that should be JSON and is not. `any`: it may be anything.
    pub fn not_json(&self, any: bool) -> Option<Trouble> {
        let answer = &self.answer;
        // 204 is the only success without a body (RFC 9110, section 15.3.5).
        if any || !answer.is_success() || answer.shape.is_some() || answer.status == 204 {
            return None;
        }
        let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // One endpoint of Helix does not answer with JSON: `schedule/icalendar` (RFC 5545).
        if kind.is_some_and(|kind| kind.starts_with("text/calendar")) {
            return None;
        }
        Some(Trouble {
            kind: ErrorKind::BadData,
            status: Some(answer.status),
            ..Trouble::new(format!("answered {}, not JSON", kind_of_body(&answer.body)))
        })
    }
}

/// Makes a fault of an answer that asks for another try.
fn judged(received: Received) -> Result<Received, Failed> {
    match received.passing_fault().or_else(|| received.not_json(false)) {
        Some(trouble) => Err(Failed::after(Fault::Passing(trouble))),
        None => Ok(received),
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
