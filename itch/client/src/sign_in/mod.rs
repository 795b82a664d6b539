//! The identity: tokens, their users, and when they must be requested or validated again.
//!
//! A token is validated before its first use and then hourly, as Twitch requires
//! (dev.twitch.tv/docs/authentication/validate-tokens). An app token is requested when it is needed and kept in memory
//! only. All requests share one sign-in: the first one performs it, the others wait for the result.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use itch_api::sync::lock;
use itch_api::{CacheScope, Error, ErrorKind, Result, Service};
use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer};

use crate::address::{Addresses, QUERY};
use crate::identity_file::{IdentityFile, Record};
use crate::retry::{Fault, Patience, Trouble, retry_after};
use crate::settings::Warn;
use crate::wire::{Answer, Call, Wire, error_texts};
use crate::{IdentitySettings, Secret, Secrets};

/// How long a validation is valid.
const HOUR: u64 = 60 * 60;

/// An app token is renewed this many seconds before it expires, so that it does not expire in flight.
const MARGIN: u64 = 60;

const CLIENT_ID: HeaderName = HeaderName::from_static("client-id");

/// The lower layers that signing in needs.
#[derive(Clone, Copy)]
pub(crate) struct SignInContext<'a> {
    pub wire: &'a Wire,
    pub patience: &'a Patience,
    pub addresses: &'a Addresses,
}

/// The headers that authenticate a request.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    authorization: HeaderValue,
    client_id: HeaderValue,
    /// The number of the sign-in that created them.
    round: u64,
}

impl Credentials {
    pub fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CLIENT_ID, self.client_id.clone());
    }
}

/// The identity of a client.
pub(crate) struct Identity {
    method: SignIn,
    /// Set by the settings; Twitch is not asked then.
    known_user: Option<String>,
    file: Option<IdentityFile>,
    warn: Warn,
    secrets: Secrets,
    record: Mutex<Option<Record>>,
    session: tokio::sync::Mutex<Session>,
    /// How many sign-ins have finished, successfully or not.
    rounds: AtomicU64,
}

enum SignIn {
    Nobody,
    Token { token: Secret, fingerprint: String },
    App { client_id: String, secret: Secret },
}

#[derive(Default)]
struct Session {
    /// With the time until which they are valid, in seconds since 1970.
    valid: Option<(Credentials, u64)>,
    /// The error of the last sign-in.
    failed: Option<Error>,
    /// Twitch rejected the credentials: a retry would have the same result.
    refused: bool,
}

impl Identity {
    /// Reads the identity file, if the settings contain both a token and a file.
    pub fn new(settings: IdentitySettings, warn: Warn, secrets: Secrets) -> Identity {
        let file = settings.file.map(IdentityFile::new);
        let known_user = settings.user;
        let method = match settings {
            IdentitySettings { token: Some(token), .. } => SignIn::Token {
                fingerprint: token.fingerprint(),
                token,
            },
            IdentitySettings {
                client_id: Some(client_id),
                client_secret: Some(secret),
                ..
            } => SignIn::App { client_id, secret },
            _ => SignIn::Nobody,
        };
        let record = match (&method, &file) {
            (SignIn::Token { fingerprint, .. }, Some(file)) => file.find(fingerprint),
            _ => None,
        };
        Identity {
            method,
            known_user,
            file,
            warn,
            secrets,
            record: Mutex::new(record),
            session: tokio::sync::Mutex::default(),
            rounds: AtomicU64::new(0),
        }
    }

    /// The user that an answer is for, as far as it is known without asking Twitch; `None` if it is shared, or unknown.
    pub fn asker(&self, scope: &CacheScope) -> Option<String> {
        match scope {
            CacheScope::Everybody => None,
            CacheScope::UserWith(scope) => self.user().filter(|_| self.may_have(scope)),
            // Also for a scope of a newer version of `itch-api` that this client does not know.
            _ => self.user(),
        }
    }

    /// Whether the token has a scope. A user set in the settings is assumed to have granted all scopes.
    fn may_have(&self, scope: &str) -> bool {
        let known = || {
            let record = lock(&self.record);
            let mut scopes = record.iter().flat_map(|record| &record.scopes);
            scopes.any(|known| known == scope)
        };
        matches!(self.method, SignIn::Token { .. }) && (self.known_user.is_some() || known())
    }

    /// The identity, as far as it is known without asking Twitch: a user id, or `app`.
    fn user(&self) -> Option<String> {
        match &self.method {
            SignIn::Nobody => None,
            SignIn::App { .. } => Some("app".to_owned()),
            SignIn::Token { .. } => self
                .known_user
                .clone()
                .or_else(|| Some(lock(&self.record).as_ref()?.user().to_owned())),
        }
    }

    /// Whether Twitch can be asked for the user of the token.
    pub fn can_learn_user(&self) -> bool {
        matches!(self.method, SignIn::Token { .. }) && self.user().is_none()
    }

    /// Valid credentials. Signs in if there are none.
    pub async fn credentials(&self, context: SignInContext<'_>) -> Result<Credentials> {
        let seen = self.rounds.load(Ordering::Acquire);
        let mut session = self.session.lock().await;
        let now = seconds(SystemTime::now());
        if let Some((credentials, _)) = session.valid.as_ref().filter(|(_, until)| *until > now) {
            return Ok(credentials.clone());
        }
        // If a sign-in failed meanwhile, fail with the same error instead of repeating all its tries.
        let another_failed = self.rounds.load(Ordering::Acquire) != seen || session.refused;
        if let Some(error) = session.failed.as_ref().filter(|_| another_failed) {
            return Err(error.clone());
        }
        self.sign_in(&mut session, context, false).await
    }

    /// After a 401: new credentials, unless another request has already renewed these.
    pub async fn renew(&self, refused: &Credentials, context: SignInContext<'_>) -> Result<Credentials> {
        let mut session = self.session.lock().await;
        if let Some((credentials, _)) = &session.valid
            && credentials.round != refused.round
        {
            return Ok(credentials.clone());
        }
        if self.rounds.load(Ordering::Acquire) != refused.round
            && let Some(error) = &session.failed
        {
            return Err(error.clone());
        }
        self.sign_in(&mut session, context, true).await
    }

    async fn sign_in(&self, session: &mut Session, context: SignInContext<'_>, again: bool) -> Result<Credentials> {
        let round = self.rounds.load(Ordering::Acquire) + 1;
        let outcome = match &self.method {
            SignIn::Nobody => Err(nobody()),
            SignIn::Token { token, fingerprint } => self.validate(token, fingerprint, context, again, round).await,
            SignIn::App { client_id, secret } => app_token(client_id, secret, context, &self.secrets, round).await,
        };
        self.rounds.store(round, Ordering::Release);
        *session = Session {
            valid: outcome.clone().ok(),
            failed: outcome.as_ref().err().cloned(),
            refused: matches!(&outcome, Err(error) if error.kind == ErrorKind::SignIn),
        };
        outcome.map(|(credentials, _)| credentials)
    }

    /// Asks Twitch for the user of the token, unless that was done within the last hour.
    async fn validate(
        &self,
        token: &Secret,
        fingerprint: &str,
        context: SignInContext<'_>,
        again: bool,
        round: u64,
    ) -> Result<(Credentials, u64)> {
        let now = seconds(SystemTime::now());
        let known = lock(&self.record).clone();
        let known = known.filter(|record| !again && holds_until(record, now) > now);
        let record = match known {
            Some(record) => record,
            None => {
                let answer = ask_whose(token, context).await?;
                if !answer.is_success() {
                    self.forget(fingerprint);
                    return Err(token_refused(&answer));
                }
                let record = read_record(&answer, now)?;
                self.remember(fingerprint, &record);
                record
            }
        };
        let credentials = Credentials {
            authorization: token.header("Bearer")?,
            client_id: header(&record.client_id)?,
            round,
        };
        Ok((credentials, holds_until(&record, now)))
    }

    fn remember(&self, fingerprint: &str, record: &Record) {
        *lock(&self.record) = Some(record.clone());
        if let Some(file) = &self.file
            && let Err(error) = file.remember(fingerprint, record)
        {
            (self.warn)(&format!(
                "could not write the identity file: {error}; the token will be validated again in each run"
            ));
        }
    }

    fn forget(&self, fingerprint: &str) {
        *lock(&self.record) = None;
        if let Some(file) = &self.file {
            // If the record stays in the file, it is validated again before it is used.
            let _ = file.forget(fingerprint);
        }
    }
}

/// The time until which a record can be used without validation, in seconds since 1970.
fn holds_until(record: &Record, now: u64) -> u64 {
    // A time in the future comes from a wrong clock, so it is ignored.
    if record.validated_at > now {
        return 0;
    }
    let hour = record.validated_at.saturating_add(HOUR);
    record.expires_at.map_or(hour, |expiry| expiry.min(hour))
}

fn nobody() -> Error {
    Error::new(ErrorKind::SignIn, "no Twitch identity is set").hint(
        "set `TWITCH_TOKEN`, or `TWITCH_CLIENT_ID` with `TWITCH_CLIENT_SECRET`, \
         or try it without an account: `--sandbox`",
    )
}

fn token_refused(answer: &Answer) -> Error {
    let error = Error::new(ErrorKind::SignIn, "Twitch refused the token")
        .hint("the token in `TWITCH_TOKEN` has expired or was revoked: get a new one")
        .at(Service::OAuth, Some(answer.status));
    error_texts(&answer.body).into_iter().fold(error, Error::cause)
}

async fn ask_whose(token: &Secret, context: SignInContext<'_>) -> Result<Answer> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, token.header("OAuth")?);
    ask(context, Method::GET, "validate", headers, None).await
}

fn read_record(answer: &Answer, now: u64) -> Result<Record> {
    /// The answer of `validate`. For an app token there is no user, and the scopes can be null.
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
    Ok(Record {
        user_id: filled(read.user_id),
        login: filled(read.login),
        client_id: read.client_id,
        scopes: read.scopes.unwrap_or_default(),
        // 0 means that the token does not expire.
        expires_at: read
            .expires_in
            .filter(|seconds| *seconds > 0)
            .map(|seconds| now.saturating_add(seconds)),
        validated_at: now,
    })
}

/// Requests an app token with client credentials (dev.twitch.tv/docs/authentication/getting-tokens-oauth).
async fn app_token(
    client_id: &str,
    secret: &Secret,
    context: SignInContext<'_>,
    secrets: &Secrets,
    round: u64,
) -> Result<(Credentials, u64)> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        #[serde(default, deserialize_with = "whole_seconds")]
        expires_in: Option<u64>,
    }
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
    // In the body, since URLs are written to logs.
    let body = form_body(&[
        ("client_id", client_id),
        ("client_secret", secret.expose()),
        ("grant_type", "client_credentials"),
    ]);
    let answer = ask(context, Method::POST, "token", headers, Some(body)).await?;
    if !answer.is_success() {
        let error = Error::new(ErrorKind::SignIn, "Twitch refused the client id or its secret")
            .hint("check `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET` at dev.twitch.tv/console")
            .at(Service::OAuth, Some(answer.status));
        return Err(error_texts(&answer.body).into_iter().fold(error, Error::cause));
    }
    let granted: Granted = read(&answer, "Twitch's answer with the app token")?;
    let lasts = granted.expires_in.filter(|seconds| *seconds > 0);
    let lasts = lasts.unwrap_or(HOUR).saturating_sub(MARGIN).max(1);
    secrets.add(&granted.access_token);
    let credentials = Credentials {
        authorization: Secret::new(granted.access_token).header("Bearer")?,
        client_id: header(client_id)?,
        round,
    };
    Ok((credentials, seconds(SystemTime::now()).saturating_add(lasts)))
}

/// Sends one request to the sign-in service, with its own retries.
async fn ask(
    context: SignInContext<'_>,
    method: Method,
    path: &str,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
) -> Result<Answer> {
    let call = Call {
        service: Service::OAuth,
        method,
        url: context.addresses.url(&itch_api::Request::get(Service::OAuth, path))?,
        headers,
        body,
    };
    let mut retry = context.patience.retry(Service::OAuth);
    loop {
        match context.wire.send(&call, retry.attempt()).await {
            Ok(answer) if answer.is_success() || is_refusal(&answer) => return Ok(answer),
            Ok(answer) => retry.after(Fault::Passing(unexpected(&answer))).await?,
            Err(fault) => retry.after(fault).await?,
        }
    }
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

fn read<T: serde::de::DeserializeOwned>(answer: &Answer, what: &str) -> Result<T> {
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
fn whole_seconds<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<u64>, D::Error> {
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

fn header(client_id: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(client_id)
        .map_err(|_| Error::new(ErrorKind::Usage, "the Twitch client id contains invalid characters"))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(expires_at: Option<u64>) -> Record {
        Record {
            user_id: None,
            login: None,
            client_id: "c".to_owned(),
            scopes: Vec::new(),
            expires_at,
            validated_at: 10_000,
        }
    }

    #[test]
    fn a_validation_holds_for_an_hour_or_until_the_token_ends() {
        assert_eq!(holds_until(&record(None), 10_000), 13_600);
        assert_eq!(holds_until(&record(Some(10_100)), 10_000), 10_100);
        assert_eq!(holds_until(&record(Some(99_999)), 10_000), 13_600);
        assert_eq!(holds_until(&record(None), 9_999), 0);
    }

    #[test]
    fn a_form_is_encoded() {
        let body = form_body(&[("a_b", "c d&e=f%"), ("g", "1")]);
        assert_eq!(body, b"a_b=c%20d%26e%3Df%25&g=1");
    }

    #[test]
    fn the_token_takes_precedence_and_half_a_pair_is_nobody() {
        let identity = |token: Option<&str>, secret: Option<&str>| {
            let settings = IdentitySettings {
                client_id: Some("c".to_owned()),
                client_secret: secret.map(Secret::new),
                token: token.map(Secret::new),
                user: None,
                file: None,
            };
            Identity::new(settings, std::sync::Arc::new(|_| {}), Secrets::default())
        };
        assert_eq!(identity(None, None).user(), None);
        assert!(!identity(None, None).can_learn_user());
        assert_eq!(identity(None, Some("s")).user().as_deref(), Some("app"));
        assert!(identity(Some("t"), Some("s")).can_learn_user());
    }
}
