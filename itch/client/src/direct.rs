//! Single requests, sent as they are: any method, no cache, and failures that say whether anything may have been done.
//!
//! A request that may be repeated without harm (GET, PUT, DELETE: RFC 9110, section 9.2.2; a query to GQL) is retried
//! like any other. POST and PATCH are sent once: again only if the connection could not be opened, or if the answer was
//! 401 or 429, which means that nothing was done.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::str::FromStr;
use std::task::Poll;

use itch_api::{CacheScope, Error, ErrorKind, Request, Result, Service};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use tokio::sync::watch;

use crate::fetch::{Fetcher, Refused};
use crate::retry::{Fault, Trouble};
use crate::wire::{Call, Failed, Received, is_passing};

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Writes; twice is not the same as once.
    Post,
    /// Writes; twice is the same as once.
    Put,
    /// Writes; twice is not the same as once.
    Patch,
    /// Writes; twice is the same as once.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether it changes something.
    pub fn writes(self) -> bool {
        self != Method::Get
    }

    /// Whether sending the request twice is the same as sending it once (RFC 9110, section 9.2.2).
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }

    fn on_the_wire(self) -> reqwest::Method {
        match self {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = Error;

    /// Reads a name in upper or lower case.
    fn from_str(text: &str) -> Result<Method> {
        let known = Method::ALL
            .into_iter()
            .find(|method| method.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            let names = Method::ALL.map(Method::name).join(", ");
            Error::new(ErrorKind::Usage, format!("there is no method `{}`", text.escape_debug()))
                .hint(format!("the methods are {names}"))
        })
    }
}

/// A request that is sent as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectRequest {
    /// Helix, or GQL for a query. Other services are refused.
    pub service: Service,
    /// The method. A request to GQL is sent with POST, whatever this says.
    pub method: Method,
    /// The parts of the path below the service's base URL, not encoded: each is encoded whole, so that none can leave
    /// its place.
    pub path: Vec<String>,
    /// Query parameters, not encoded, in the order in which they are sent.
    pub query: Vec<(String, String)>,
    /// A JSON body, sent byte by byte.
    pub body: Option<Vec<u8>>,
}

impl DirectRequest {
    /// Whether sending it twice is the same as sending it once.
    pub fn is_idempotent(&self) -> bool {
        self.service == Service::Gql || self.method.is_idempotent()
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.service != Service::Gql && self.method.writes()
    }

    /// The same as a request of the API, for messages.
    fn shown(&self) -> Request {
        let mut request = Request::get(self.service, self.path.join("/"));
        request.query.clone_from(&self.query);
        request
    }
}

/// What a service answered, whatever the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectAnswer {
    /// The HTTP version, the status and its phrase: `HTTP/1.1 204 No Content`.
    pub status_line: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers, in the order in which they came, without cookies and without secrets.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked and without secrets. Empty if it was lost on the way.
    pub body: Vec<u8>,
    /// Whether the whole answer arrived. If not, the status is nevertheless that of the service.
    pub complete: bool,
}

impl DirectAnswer {
    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the status says what the service did: success, or a refusal of this request. The others come from
    /// gateways as well, and say nothing about it.
    pub fn is_decided(&self) -> bool {
        !is_passing(self.status)
    }
}

/// Whether a request without an answer may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was done: it was not sent, or the answer was a refusal that has nothing to do with it.
    NotSent,
    /// It may have reached the service.
    Unknown,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectFailure {
    /// The error.
    pub error: Error,
    /// Whether anything may have been done.
    pub outcome: Outcome,
}

impl DirectFailure {
    /// A failure before the request was sent.
    pub(crate) fn not_sent(error: Error) -> DirectFailure {
        DirectFailure {
            error,
            outcome: Outcome::NotSent,
        }
    }
}

/// The account that requests are sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user's id, or `app` for a token of the application.
    pub id: String,
    /// The user's login, where it is known.
    pub login: Option<String>,
}

impl fmt::Display for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Some(login) => write!(f, "{login} (user {})", self.id),
            None if self.id == "app" => f.write_str("the application"),
            None => write!(f, "user {}", self.id),
        }
    }
}

/// Whether the client was stopped.
pub(crate) type Stop = watch::Sender<bool>;

/// Waits for a future; `Err` if the client is stopped first.
async fn unless_stopped<T>(stop: &Stop, future: impl Future<Output = T>) -> Result<T> {
    let mut seen = stop.subscribe();
    let mut stopped = pin!(async move { seen.wait_for(|stopped| *stopped).await.is_ok() });
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => stopped.as_mut().poll(context).map(|_| Err(Error::cancelled())),
    })
    .await
}

impl Fetcher {
    /// Signs in, and says for whom.
    pub async fn account(&self) -> Result<SignedIn> {
        self.identity.credentials(&self.context).await?;
        Ok(SignedIn {
            id: self
                .identity
                .asker(&CacheScope::User)
                .unwrap_or_else(|| "unknown".to_owned()),
            login: self.identity.who().login,
        })
    }

    /// The URL of a request.
    pub fn direct_url(&self, request: &DirectRequest) -> Result<reqwest::Url> {
        self.context
            .addresses
            .url_of(request.service, &request.path, &request.query)
    }

    /// Sends a request. `sending` is called once, immediately before its first bytes may leave; if it fails, nothing is
    /// sent. A write that is on its way when the client is stopped is waited for.
    pub async fn send(
        &self,
        request: &DirectRequest,
        stop: &Stop,
        sending: impl FnOnce() -> Result<()>,
    ) -> Result<DirectAnswer, DirectFailure> {
        let mut reached = false;
        let sent = self.send_until_answered(request, stop, sending, &mut reached).await;
        sent.map(|received| self.shown(received))
            .map_err(|error| DirectFailure {
                outcome: match reached {
                    true => Outcome::Unknown,
                    false => Outcome::NotSent,
                },
                error,
            })
    }

    /// `reached` is set once a try may have reached the service without having been refused.
    async fn send_until_answered(
        &self,
        request: &DirectRequest,
        stop: &Stop,
        sending: impl FnOnce() -> Result<()>,
        reached: &mut bool,
    ) -> Result<Received> {
        let mut call = self.direct_call(request)?;
        let (service, shown) = (request.service, request.shown());
        let mut patience = self.context.patience.clone();
        if request.writes() {
            // What it says about answers that were fetched has no meaning here.
            patience.hint = "";
        }
        let mut retry = patience.retry(service);
        let mut refused = Refused::default();
        let (mut sending, mut renewed) = (Some(sending), false);
        loop {
            let (pass, credentials) = unless_stopped(stop, self.admission(&shown)).await??;
            if let Some(credentials) = &credentials {
                credentials.sign(&mut call.headers);
            }
            if let Some(sending) = sending.take() {
                sending()?;
            }
            let on_its_way = self.context.wire.send_raw(&call, retry.attempt());
            let outcome = match request.writes() {
                true => on_its_way.await,
                false => unless_stopped(stop, on_its_way).await?,
            };
            let received = match outcome {
                Ok(received) => received,
                Err(failed) => {
                    drop(pass);
                    *reached |= failed.reached;
                    match lost(request, failed)? {
                        Lost::Again(fault) => unless_stopped(stop, retry.after(fault)).await??,
                        Lost::Answered(received) => return Ok(received),
                    }
                    continue;
                }
            };
            let status = received.answer.status;
            if status == 429 {
                pass.refused(&received.answer.headers);
                unless_stopped(stop, refused.again(&shown, &self.context.patience.waits)).await??;
                continue;
            }
            pass.answered(&received.answer.headers);
            if let Some(trouble) = trouble(request, &received) {
                *reached = true;
                unless_stopped(stop, retry.after(Fault::Passing(trouble))).await??;
                continue;
            }
            if received.answer.is_success() {
                self.context.patience.waits.answered(service);
            }
            match credentials {
                // Only once: if the new token is valid, the 401 is about this request, and the answer says why.
                Some(credentials) if status == 401 && !renewed => {
                    renewed = true;
                    let renewal = self.identity.renew(&credentials, &self.context);
                    unless_stopped(stop, renewal).await??;
                }
                _ => return Ok(received),
            }
        }
    }

    fn direct_call(&self, request: &DirectRequest) -> Result<Call> {
        if request.service == Service::Gql {
            let mut query = request.shown();
            query.body = request
                .body
                .as_deref()
                .and_then(|body| serde_json::from_slice(body).ok());
            return self.call(&query);
        }
        if request.service != Service::Helix {
            let what = format!("requests to the {} service cannot be sent directly", request.service);
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match &request.body {
            Some(_) => headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json")),
            // Servers may refuse a write that does not say how long its body is (RFC 9110, section 8.6).
            None if matches!(request.method, Method::Post | Method::Put | Method::Patch) => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"))
            }
            None => None,
        };
        Ok(Call {
            service: request.service,
            method: request.method.on_the_wire(),
            url: self.direct_url(request)?,
            headers,
            body: request.body.clone(),
        })
    }

    /// The answer as it may be shown.
    fn shown(&self, received: Received) -> DirectAnswer {
        let secrets = &self.context.wire.secrets;
        let Received {
            answer,
            version,
            phrase,
            complete,
        } = received;
        let hidden = |name: &HeaderName| name == SET_COOKIE || name.as_str().contains("auth");
        let headers = answer
            .headers
            .iter()
            .filter(|(name, _)| !hidden(name))
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), secrets.redact(&value).into_owned())
            });
        let body = match secrets.found_in(&answer.body) {
            true => secrets
                .redact(&String::from_utf8_lossy(&answer.body))
                .into_owned()
                .into_bytes(),
            false => answer.body,
        };
        DirectAnswer {
            status_line: format!("{version:?} {} {phrase}", answer.status).trim_end().to_owned(),
            status: answer.status,
            headers: headers.collect(),
            body,
            complete,
        }
    }
}

/// What to do about a try without a whole answer.
enum Lost {
    /// Try again.
    Again(Fault),
    /// The status arrived, and is all that matters of an answer to a write.
    Answered(Received),
}

fn lost(request: &DirectRequest, failed: Failed) -> Result<Lost> {
    if request.writes()
        && let Some(received) = failed.received.filter(|received| received.answer.is_success())
    {
        return Ok(Lost::Answered(*received));
    }
    if request.is_idempotent() || !failed.reached {
        return Ok(Lost::Again(failed.fault));
    }
    Err(match failed.fault {
        Fault::Final(error) => error,
        Fault::Passing(trouble) => unknown(request, trouble),
    })
}

/// The error for a write that must not be sent again.
fn unknown(request: &DirectRequest, trouble: Trouble) -> Error {
    let message = format!("the {} service {}: whether this was done is unknown", request.service, trouble.what);
    let error = Error::new(trouble.kind, message)
        .hint(format!("look whether it was done before you send it again: a {} is never repeated", request.method))
        .at(request.service, trouble.status);
    trouble.causes.into_iter().fold(error, Error::cause)
}

/// Why an answer to a request that may be repeated is a fault that may pass. To a write that must not be, every answer
/// is final.
fn trouble(request: &DirectRequest, received: &Received) -> Option<Trouble> {
    if !request.is_idempotent() {
        return None;
    }
    received.passing_fault().or_else(|| received.not_json(request.writes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_names_and_properties() {
        for method in Method::ALL {
            assert_eq!(method.name().parse::<Method>().unwrap(), method);
            assert_eq!(method.name().to_lowercase().parse::<Method>().unwrap(), method);
        }
        assert!(!Method::Get.writes() && Method::Delete.writes());
        assert!(Method::Put.is_idempotent() && Method::Delete.is_idempotent());
        assert!(!Method::Post.is_idempotent() && !Method::Patch.is_idempotent());
        assert_eq!("TRACE".parse::<Method>().unwrap_err().kind, ErrorKind::Usage);
    }

    #[test]
    fn an_account_is_named_by_what_is_known() {
        let account = |id: &str, login: Option<&str>| {
            SignedIn {
                id: id.to_owned(),
                login: login.map(str::to_owned),
            }
            .to_string()
        };
        assert_eq!(account("7", Some("a")), "a (user 7)");
        assert_eq!(account("7", None), "user 7");
        assert_eq!(account("app", None), "the application");
    }
}
