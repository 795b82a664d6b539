//! The requests to the sign-in service: whose a token is, new tokens, and their end.
//!
//! Parameters are sent in the body, since URLs are written to logs (dev.twitch.tv/docs/authentication).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use itch_api::{Error, ErrorKind, Request, Result, Service};
use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Deserializer};

use crate::accounts::{Pair, seconds_now};
use crate::address::{Addresses, QUERY};
use crate::retry::{Fault, Patience, Trouble, retry_after};
use crate::sign_in::identity_file::Record;
use crate::wire::{Answer, Call, Wire, error_texts};
use crate::{Secret, Secrets};

/// The lower layers that signing in needs.
#[derive(Clone)]
pub(crate) struct SignInContext {
    pub wire: Arc<Wire>,
    pub patience: Patience,
    pub addresses: Arc<Addresses>,
    pub secrets: Secrets,
    /// The client is ending: a renewal that failed is not tried again.
    pub closing: Arc<AtomicBool>,
}

/// A request to the sign-in service.
pub(crate) enum Question<'a> {
    /// Whose is this token?
    Validate(&'a Secret),
    /// A form for one of its endpoints.
    Form {
        path: &'static str,
        pairs: &'a [(&'static str, &'a str)],
    },
}

impl SignInContext {
    /// Asks, with the usual retries, until the service answers or refuses.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Answer> {
        let call = self.call(question)?;
        let mut retry = self.patience.retry(Service::OAuth);
        loop {
            match self.wire.send(&call, retry.attempt()).await {
                Ok(answer) if answer.is_success() || is_refusal(&answer) => return Ok(answer),
                Ok(answer) => retry.after(Fault::Passing(unexpected(&answer))).await?,
                Err(fault) => retry.after(fault).await?,
            }
        }
    }

    /// Asks once.
    pub async fn ask_once(&self, question: &Question<'_>, attempt: u32) -> std::result::Result<Answer, Fault> {
        let call = self.call(question).map_err(Fault::Final)?;
        match self.wire.send(&call, attempt).await {
            Ok(answer) if answer.is_success() || is_refusal(&answer) => Ok(answer),
            Ok(answer) => Err(Fault::Passing(unexpected(&answer))),
            Err(fault) => Err(fault),
        }
    }

    /// Tells the service that a token is no longer used. Its answer is empty, or says that the token has ended already.
    pub async fn revoke(&self, client_id: &str, token: &Secret) -> Result<()> {
        let pairs = [("client_id", client_id), ("token", token.expose())];
        let call = self.call(&Question::Form {
            path: "revoke",
            pairs: &pairs,
        })?;
        let mut retry = self.patience.retry(Service::OAuth);
        loop {
            let fault = match self.wire.send_raw(&call, retry.attempt()).await {
                Ok(received) if received.answer.is_success() || is_refusal(&received.answer) => return Ok(()),
                Ok(received) => Fault::Passing(unexpected(&received.answer)),
                Err(failed) => failed.fault,
            };
            retry.after(fault).await?;
        }
    }

    fn call(&self, question: &Question<'_>) -> Result<Call> {
        let mut headers = HeaderMap::new();
        let (method, path, body) = match question {
            Question::Validate(token) => {
                headers.insert(AUTHORIZATION, token.header("OAuth")?);
                (Method::GET, "validate", None)
            }
            Question::Form { path, pairs } => {
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                headers.insert(CONTENT_TYPE, form);
                (Method::POST, *path, Some(form_body(pairs)))
            }
        };
        Ok(Call {
            service: Service::OAuth,
            method,
            url: self.addresses.url(&Request::get(Service::OAuth, path))?,
            headers,
            body,
        })
    }

    /// Requests an app token with client credentials.
    pub async fn app_token(&self, client_id: &str, secret: &Secret) -> Result<Pair> {
        let pairs = [
            ("client_id", client_id),
            ("client_secret", secret.expose()),
            ("grant_type", "client_credentials"),
        ];
        let answer = self
            .ask(&Question::Form {
                path: "token",
                pairs: &pairs,
            })
            .await?;
        if !answer.is_success() {
            let error = Error::new(ErrorKind::SignIn, "Twitch refused the client id or its secret")
                .hint("check `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET` at dev.twitch.tv/console");
            return Err(refused(error, &answer));
        }
        self.granted(&answer)
    }

    /// The tokens in an answer; from now on they are known as secrets.
    pub fn granted(&self, answer: &Answer) -> Result<Pair> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            #[serde(default)]
            refresh_token: Option<String>,
            #[serde(default, deserialize_with = "whole_seconds")]
            expires_in: Option<u64>,
        }
        let granted: Granted = read(answer, "Twitch's answer with the token")?;
        for secret in [Some(&granted.access_token), granted.refresh_token.as_ref()]
            .into_iter()
            .flatten()
        {
            self.secrets.add(secret);
        }
        // 0 means that the token does not expire.
        let lifetime = granted.expires_in.filter(|seconds| *seconds > 0);
        Ok(Pair {
            access: Secret::new(granted.access_token),
            refresh: granted.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
            expires_at: lifetime.map(|seconds| seconds_now().saturating_add(seconds)),
            lifetime,
        })
    }
}

/// An error about a refusal, with the service's own words.
pub(crate) fn refused(error: Error, answer: &Answer) -> Error {
    let error = error.at(Service::OAuth, Some(answer.status));
    error_texts(&answer.body).into_iter().fold(error, Error::cause)
}

/// Twitch's data about a token, in its answer to [`Question::Validate`].
pub(crate) fn read_record(answer: &Answer) -> Result<Record> {
    /// For an app token there is no user, and the scopes can be null.
    #[derive(Deserialize)]
    struct Validation {
        client_id: String,
        login: Option<String>,
        #[serde(default, deserialize_with = "text_or_number")]
        user_id: Option<String>,
        scopes: Option<Vec<String>>,
        #[serde(default, deserialize_with = "whole_seconds")]
        expires_in: Option<u64>,
    }
    let read: Validation = read(answer, "Twitch's answer about the token")?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let now = seconds_now();
    let scopes = read.scopes.unwrap_or_default();
    Ok(Record {
        user_id: filled(read.user_id),
        login: filled(read.login),
        client_id: read.client_id,
        scopes: scopes.into_iter().filter(|scope| !scope.is_empty()).collect(),
        // 0 means that the token does not expire.
        expires_at: read
            .expires_in
            .filter(|seconds| *seconds > 0)
            .map(|seconds| now.saturating_add(seconds)),
        validated_at: now,
    })
}

/// Whether the service itself refuses a token or a client: 400, 401 or 403 with its own JSON, which has a `message`
/// (dev.twitch.tv/docs/authentication). Everything else says nothing about the token: in bad weather the service answers
/// 404, 408, 429 or 5xx, and proxies answer with pages of their own (twurple/twurple#390, twitchdev/issues#862).
fn is_refusal(answer: &Answer) -> bool {
    let message = || {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        body.get("message")?.as_str().map(|text| !text.is_empty())
    };
    matches!(answer.status, 400 | 401 | 403) && message().unwrap_or(false)
}

/// An answer of the sign-in service that neither grants nor refuses.
fn unexpected(answer: &Answer) -> Trouble {
    Trouble {
        causes: error_texts(&answer.body),
        status: Some(answer.status),
        retry_after: retry_after(&answer.headers, SystemTime::now()),
        ..Trouble::new(format!("answered {}", answer.status))
    }
}

/// Reads an answer of the service.
pub(crate) fn read<T: serde::de::DeserializeOwned>(answer: &Answer, what: &str) -> Result<T> {
    // The parser's message is left out: it may quote a token.
    serde_json::from_slice(&answer.body).map_err(|_| {
        Error::new(ErrorKind::BadData, format!("could not parse {what}")).at(Service::OAuth, Some(answer.status))
    })
}

/// A text, or a number as a text; anything else is `None`.
fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Seconds as a number, also with a fraction, or as a text; anything else is `None`.
pub(crate) fn whole_seconds<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<u64>, D::Error> {
    let text = text_or_number(from)?;
    let seconds = text.and_then(|text| text.trim().parse::<f64>().ok());
    // The conversion cuts off the fraction and stops at the bounds of the type.
    Ok(seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}

fn form_body(pairs: &[(&str, &str)]) -> Vec<u8> {
    // The names are constants that need no encoding.
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded() {
        let body = form_body(&[("a_b", "c d&e=f%"), ("g", "1")]);
        assert_eq!(body, b"a_b=c%20d%26e%3Df%25&g=1");
    }
}
