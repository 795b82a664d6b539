//! Fetches an answer through the layers below the cache: sign-in, limiter, retry, wire, repeated as needed.

use std::sync::Arc;
use std::time::Instant;

use itch_api::{Error, ErrorKind, Policy, Request, Result, Service};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::gql::GqlFacts;
use crate::limiter::{Limiter, Pass};
use crate::passing::{Judgement, judge};
use crate::retry::{Fault, Trouble, pause, random_fraction};
use crate::sign_in::{Credentials, Identity, SignInContext};
use crate::waits::{TooLong, WaitReason, Waits};
use crate::wire::{Answer, Call};

/// How often a request that is refused for its token is sent again. The sign-in service is asked about the token each
/// time; a second refusal of a valid token may still be a fault.
const MOST_RENEWALS: u32 = 2;

/// The layers below the cache.
pub(crate) struct Fetcher {
    pub identity: Identity,
    pub limiter: Limiter,
    /// The layers below, which signing in needs, too.
    pub context: SignInContext,
    /// The GQL settings; `None` if the service is disabled.
    pub gql: Option<GqlFacts>,
    /// The client id for the old services.
    pub client_id: Option<HeaderValue>,
}

impl Fetcher {
    /// The final answer of a service, or the error after the last try.
    pub async fn fetch(&self, request: &Request, policy: &Policy) -> Result<Answer> {
        let mut call = self.call(request)?;
        let mut retry = self.context.patience.retry(request.service);
        let mut refused = Refused::default();
        let mut renewals = 0;
        let mut doubts = Vec::new();
        loop {
            let (pass, credentials) = self.admission(request).await?;
            if let Some(credentials) = &credentials {
                credentials.sign(&mut call.headers);
            }
            let answer = match self.context.wire.send(&call, retry.attempt()).await {
                Ok(answer) => answer,
                Err(fault) => {
                    drop(pass);
                    retry.after(fault).await?;
                    continue;
                }
            };
            if answer.status == 429 {
                pass.refused(&answer.headers);
                refused.again(request, &self.context.patience.waits).await?;
                continue;
            }
            pass.answered(&answer.headers);
            if let Some(trouble) = missing_list(request, &answer) {
                retry.after(Fault::Passing(trouble)).await?;
                continue;
            }
            match judge(request, policy, self.subject(request), &answer) {
                Judgement::Final => {}
                Judgement::Passing(trouble) => {
                    retry.after(Fault::Passing(trouble)).await?;
                    continue;
                }
                Judgement::Doubtful(doubt, trouble) => {
                    let first = !doubts.contains(&doubt);
                    doubts.push(doubt);
                    // Without another try, the answer must be taken as it is.
                    if first && retry.after(Fault::Passing(trouble)).await.is_ok() {
                        continue;
                    }
                }
            }
            if answer.is_success() {
                self.context.patience.waits.answered(request.service);
            }
            match credentials {
                // If the token is valid, the 401 is about this request, and the answer says why.
                Some(credentials) if answer.status == 401 && renewals < MOST_RENEWALS => {
                    renewals += 1;
                    self.identity.renew(&credentials, &self.context).await?;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Permission to send a request, and the credentials for it, if the service needs some.
    pub async fn admission(&self, request: &Request) -> Result<(Pass, Option<Credentials>)> {
        let in_walk = request.chain.is_some();
        let pass = match request.service {
            Service::Helix => {
                // They say whose limit it is.
                let credentials = self.identity.credentials(&self.context).await?;
                self.limiter.enter_as(credentials.owner(), in_walk).await
            }
            service => self.limiter.enter(service, in_walk).await,
        };
        let pass = pass.map_err(|too_long| limited(request, too_long))?;
        let credentials = match request.service {
            // Asked for again: the wait may have been longer than the token lived.
            Service::Helix => Some(self.identity.credentials(&self.context).await?),
            _ => None,
        };
        Ok((pass, credentials))
    }

    /// Where an answer has what was asked for.
    pub fn subject(&self, request: &Request) -> Option<&str> {
        let gql = self.gql.as_ref().filter(|_| request.service == Service::Gql)?;
        gql.subject(request)
    }

    pub fn call(&self, request: &Request) -> Result<Call> {
        let mut headers = HeaderMap::new();
        let accept = if request.service.is_legacy() {
            // Clients request the format of version 3 by media type (justintv/Twitch-API).
            "application/vnd.twitchtv.v3+json"
        } else {
            "application/json"
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(client_id) = self.client_id.as_ref().filter(|_| request.service.is_legacy()) {
            headers.insert(HeaderName::from_static("client-id"), client_id.clone());
        }
        let body = match &request.body {
            None => None,
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(match self.gql.as_ref().filter(|_| request.service == Service::Gql) {
                    Some(gql) => {
                        let client = HeaderValue::from_str(gql.client(request)?).map_err(|_| {
                            Error::new(ErrorKind::Usage, "a GQL client id in the configuration is not valid")
                        })?;
                        headers.insert(HeaderName::from_static("client-id"), client);
                        gql.body(body)?.to_string().into_bytes()
                    }
                    None => body.to_string().into_bytes(),
                })
            }
        };
        Ok(Call {
            service: request.service,
            method: if body.is_some() { Method::POST } else { Method::GET },
            url: self.context.addresses.url(request)?,
            headers,
            body,
        })
    }
}

/// An answer without the list that it should have, which is not an error either.
fn missing_list(request: &Request, answer: &Answer) -> Option<Trouble> {
    let list = request.list.as_deref().filter(|_| answer.is_success())?;
    let shape = answer.shape.as_ref()?;
    let found = match list {
        "data" => shape.rows.is_some(),
        _ => request.has_its_list(&answer.body),
    };
    let endpoint = match request.path.as_str() {
        "" => String::new(),
        path => format!(" `{path}`"),
    };
    (!found && !shape.error && !shape.errors).then(|| Trouble {
        kind: ErrorKind::BadData,
        status: Some(answer.status),
        ..Trouble::new(format!("answered{endpoint} without the list `{list}`"))
    })
}

/// The refusals of one request because of a limit. They are not failed tries, but their time is bounded, also if the
/// service answers other requests.
#[derive(Default)]
pub(crate) struct Refused {
    times: u32,
    first: Option<Instant>,
}

impl Refused {
    /// The request was refused: waits by itself from the second time on; the first time it waits with all others.
    pub async fn again(&mut self, request: &Request, waits: &Arc<Waits>) -> Result<()> {
        let first = *self.first.get_or_insert_with(Instant::now);
        self.times += 1;
        if self.times == 1 {
            return Ok(());
        }
        let wait = pause(self.times - 2, random_fraction());
        waits
            .bound(wait, first.elapsed())
            .map_err(|too_long| limited(request, too_long))?;
        let until = Instant::now() + wait;
        let waiting = waits.begin(request.service, WaitReason::RateLimit, until);
        tokio::time::sleep_until(until.into()).await;
        drop(waiting);
        Ok(())
    }
}

pub(crate) fn limited(request: &Request, too_long: TooLong) -> Error {
    let service = request.service;
    Error::new(
        ErrorKind::RateLimited,
        format!("the {service} service did not answer `{request}`: its rate limit is reached"),
    )
    .cause(too_long)
    .hint("run again later, or allow more with `--max-wait`; check whether another program uses the same identity")
    .at(service, Some(429))
}
