//! The identity: tokens, their users, and when they must be requested, validated or renewed.
//!
//! A token is validated before its first use and then hourly, as Twitch requires
//! (dev.twitch.tv/docs/authentication/validate-tokens). The token of an account is renewed when the service refuses it,
//! and shortly before it expires. All requests share one sign-in: the first one performs it, the others wait for the
//! result.

mod device;
mod identity_file;
mod renewal;
mod service;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use itch_api::sync::lock;
use itch_api::{CacheScope, Error, ErrorKind, Result, Service};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

pub use self::device::{DeviceCode, Reached, SignIn, needs_secret};
use self::identity_file::{IdentityFile, Record};
pub use self::renewal::finish_renewals;
pub(crate) use self::renewal::wait_for_renewals;
pub(crate) use self::service::SignInContext;
use self::service::{Question, read_record, refused};
use crate::accounts::{Accounts, AppToken, MARGIN, Pair, ServiceAddresses, seconds_now};
use crate::address::Addresses;
use crate::hash::sha256_hex;
use crate::settings::Warn;
use crate::wire::Answer;
use crate::{IdentitySettings, Secret};

/// How long a validation is valid.
const HOUR: u64 = 60 * 60;

const CLIENT_ID: HeaderName = HeaderName::from_static("client-id");

/// The headers that authenticate a request.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    authorization: HeaderValue,
    client_id: HeaderValue,
    /// The number of the sign-in that created them.
    round: u64,
    owner: String,
}

impl Credentials {
    /// `user`: that of the token, or `app`.
    fn new(context: &SignInContext, token: &Secret, client_id: &str, user: &str, round: u64) -> Result<Credentials> {
        Ok(Credentials {
            authorization: token.header("Bearer")?,
            client_id: header(client_id)?,
            round,
            owner: limit_owner(&context.addresses, client_id, user),
        })
    }

    /// The owner of the rate limit that requests with these credentials count against: 16 hexadecimal digits.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CLIENT_ID, self.client_id.clone());
    }
}

/// Who a client is, as far as it is known without asking Twitch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Who {
    /// Where the identity comes from.
    pub source: WhoSource,
    /// The user's login; `None` for an application, and if it is not known yet.
    pub login: Option<String>,
    /// The granted scopes; `None` if they are not known yet.
    pub scopes: Option<Vec<String>>,
    /// When the token expires, in seconds since 1970, if that is known.
    pub expires_at: Option<u64>,
}

/// Where an identity comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhoSource {
    /// There is none.
    #[default]
    Nobody,
    /// A token that was given, as in `TWITCH_TOKEN`; it can be that of a user or of an application.
    Token,
    /// An account that signed in with `itch login`.
    Account,
    /// An application, by its client id and secret.
    App,
}

/// The identity of a client.
pub(crate) struct Identity {
    method: Method,
    /// Set by the settings; Twitch is not asked then.
    known_user: Option<String>,
    file: Option<IdentityFile>,
    /// Where app tokens are kept.
    accounts: Option<Accounts>,
    warn: Warn,
    record: Mutex<Option<Record>>,
    session: tokio::sync::Mutex<Session>,
    /// How many sign-ins have finished, successfully or not.
    rounds: AtomicU64,
}

enum Method {
    Unknown(Box<Error>),
    Nobody {
        /// A client id was set, without anything else.
        client_id: bool,
    },
    Token {
        token: Secret,
        fingerprint: String,
    },
    Account {
        accounts: Accounts,
        id: String,
        /// The application's secret, if it was set and the account was made with that application.
        secret: Option<Secret>,
    },
    App {
        client_id: String,
        secret: Secret,
    },
}

#[derive(Default)]
struct Session {
    /// With the token itself and the time until which they are valid, in seconds since 1970.
    valid: Option<(Credentials, u64)>,
    /// The error of the last sign-in.
    failed: Option<Error>,
    /// Twitch rejected the credentials: a retry would have the same result.
    refused: bool,
}

impl Identity {
    /// Reads the identity file, if the settings contain both a token and a file. An account takes precedence over a
    /// token, and this over an application.
    pub fn new(settings: IdentitySettings, warn: Warn) -> Identity {
        let file = settings.file.map(IdentityFile::new);
        let known_user = settings.user;
        let mut record = None;
        let method = match (settings.unknown, settings.account, settings.token) {
            (Some(why), _, _) => Method::Unknown(Box::new(why)),
            (None, Some((accounts, account)), _) => {
                record = account.user_id.is_some().then(|| Record::of(&account));
                let own = settings.client_id.as_ref() == Some(&account.client_id);
                Method::Account {
                    accounts,
                    id: account.id,
                    secret: settings.client_secret.filter(|_| own),
                }
            }
            (None, None, Some(token)) => {
                let fingerprint = token.fingerprint();
                record = file.as_ref().and_then(|file| file.find(&fingerprint));
                Method::Token { token, fingerprint }
            }
            (None, None, None) => match (settings.client_id, settings.client_secret) {
                (Some(client_id), Some(secret)) => Method::App { client_id, secret },
                (client_id, _) => Method::Nobody {
                    client_id: client_id.is_some(),
                },
            },
        };
        Identity {
            method,
            known_user,
            file,
            accounts: settings.accounts,
            warn,
            record: Mutex::new(record),
            session: tokio::sync::Mutex::default(),
            rounds: AtomicU64::new(0),
        }
    }

    /// Who this is, as far as it is known without asking Twitch.
    pub fn who(&self) -> Who {
        let record = lock(&self.record).clone();
        let source = match &self.method {
            Method::Nobody { .. } | Method::Unknown(_) => WhoSource::Nobody,
            Method::Token { .. } => match record.as_ref().is_some_and(|record| record.user_id.is_none()) {
                true => WhoSource::App,
                false => WhoSource::Token,
            },
            Method::Account { .. } => WhoSource::Account,
            Method::App { .. } => WhoSource::App,
        };
        Who {
            source,
            login: record.as_ref().and_then(|record| record.login.clone()),
            expires_at: record.as_ref().and_then(|record| record.expires_at),
            scopes: record.map(|record| record.scopes),
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
        self.is_user() && (self.known_user.is_some() || known())
    }

    /// The identity, as far as it is known without asking Twitch: a user id, or `app`.
    fn user(&self) -> Option<String> {
        match &self.method {
            Method::Nobody { .. } | Method::Unknown(_) => None,
            Method::App { .. } => Some("app".to_owned()),
            Method::Token { .. } | Method::Account { .. } => self
                .known_user
                .clone()
                .or_else(|| Some(lock(&self.record).as_ref()?.user().to_owned())),
        }
    }

    /// Whether Twitch can be asked for the user of the token.
    pub fn can_learn_user(&self) -> bool {
        self.is_user() && self.user().is_none()
    }

    fn is_user(&self) -> bool {
        matches!(self.method, Method::Token { .. } | Method::Account { .. })
    }

    /// Valid credentials. Signs in if there are none.
    pub async fn credentials(&self, context: &SignInContext) -> Result<Credentials> {
        let seen = self.rounds.load(Ordering::Acquire);
        let mut session = self.session.lock().await;
        let now = seconds_now();
        if let Some((credentials, _)) = session.valid.as_ref().filter(|(_, until)| *until > now) {
            return Ok(credentials.clone());
        }
        // If a sign-in failed meanwhile, fail with the same error instead of repeating all its tries.
        let another_failed = self.rounds.load(Ordering::Acquire) != seen || session.refused;
        if let Some(error) = session.failed.as_ref().filter(|_| another_failed) {
            return Err(error.clone());
        }
        self.sign_in(&mut session, context, None).await
    }

    /// After a 401: new credentials, unless another request has already renewed these.
    pub async fn renew(&self, refused: &Credentials, context: &SignInContext) -> Result<Credentials> {
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
        self.sign_in(&mut session, context, Some(refused)).await
    }

    async fn sign_in(
        &self,
        session: &mut Session,
        context: &SignInContext,
        refused: Option<&Credentials>,
    ) -> Result<Credentials> {
        let round = self.rounds.load(Ordering::Acquire) + 1;
        let outcome = match &self.method {
            Method::Unknown(why) => Err(why.as_ref().clone()),
            Method::Nobody { client_id } => Err(nobody(*client_id)),
            Method::Token { token, fingerprint } => {
                self.validate(token, fingerprint, context, refused.is_some(), round)
                    .await
            }
            Method::Account { accounts, id, secret } => {
                self.account(accounts, id, secret.as_ref(), context, refused, round)
                    .await
            }
            Method::App { client_id, secret } => self.app(client_id, secret, context, refused, round).await,
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
        context: &SignInContext,
        again: bool,
        round: u64,
    ) -> Result<(Credentials, u64)> {
        let now = seconds_now();
        let known = lock(&self.record).clone();
        let fresh = known.clone().filter(|record| !again && record.holds_until(now) > now);
        let record = match fresh {
            Some(record) => record,
            None => {
                let answer = context.ask(&Question::Validate(token)).await?;
                if !answer.is_success() {
                    self.forget(fingerprint);
                    return Err(token_refused(&answer, known.as_ref(), now));
                }
                let record = read_record(&answer)?;
                self.remember(fingerprint, &record);
                record
            }
        };
        let credentials = Credentials::new(context, token, &record.client_id, record.user(), round)?;
        Ok((credentials, record.holds_until(now)))
    }

    /// The token of an account: as it is stored, validated if that was not done within the last hour, and renewed if it
    /// is near its end or refused.
    async fn account(
        &self,
        accounts: &Accounts,
        id: &str,
        secret: Option<&Secret>,
        context: &SignInContext,
        refused: Option<&Credentials>,
        round: u64,
    ) -> Result<(Credentials, u64)> {
        let mut account = accounts.find(id)?;
        let mut renewed = false;
        if account.is_due(seconds_now()) {
            account = renewal::renew(accounts, &account, secret, context).await?;
            renewed = true;
        }
        loop {
            account.register(&context.secrets);
            let header = account.pair.access.header("Bearer")?;
            let doubted = refused.is_some_and(|refused| refused.authorization == header);
            let now = seconds_now();
            if doubted || Record::of(&account).holds_until(now) <= now {
                let answer = context.ask(&Question::Validate(&account.pair.access)).await?;
                if !answer.is_success() {
                    if renewed {
                        return Err(renewal::ended(&account, &answer, false));
                    }
                    account = renewal::renew(accounts, &account, secret, context).await?;
                    renewed = true;
                    continue;
                }
                account = renewal::validated(accounts, &account, read_record(&answer)?).await?;
            }
            let record = Record::of(&account);
            let until = record.holds_until(now).min(account.due_at());
            let credentials = Credentials::new(context, &account.pair.access, &record.client_id, record.user(), round)?;
            *lock(&self.record) = Some(record);
            return Ok((credentials, until));
        }
    }

    /// An app token, which is kept in the account file until it is near its end.
    async fn app(
        &self,
        client_id: &str,
        secret: &Secret,
        context: &SignInContext,
        refused: Option<&Credentials>,
        round: u64,
    ) -> Result<(Credentials, u64)> {
        let addresses = ServiceAddresses::of(&context.addresses);
        let is_own = |token: &AppToken| token.client_id == client_id && token.addresses == addresses;
        let now = seconds_now();
        // A file that cannot be read costs a request for a new token.
        let stored = self.accounts.as_ref().and_then(|accounts| accounts.read().ok());
        let stored = stored.into_iter().flat_map(|stored| stored.apps).find(is_own);
        if let Some(token) = stored.filter(|token| token.expires_at > now + MARGIN) {
            let credentials = Credentials::new(context, &token.access, client_id, "app", round)?;
            context.secrets.add_secret(&token.access);
            if refused.is_none_or(|refused| refused.authorization != credentials.authorization) {
                return Ok((credentials, token.expires_at - MARGIN));
            }
        }
        let Pair { access, lifetime, .. } = context.app_token(client_id, secret).await?;
        let lifetime = lifetime.unwrap_or(HOUR);
        let token = AppToken {
            client_id: client_id.to_owned(),
            expires_at: seconds_now().saturating_add(lifetime),
            access,
            addresses,
        };
        let until = token.expires_at.saturating_sub(MARGIN.min(lifetime / 4));
        let credentials = Credentials::new(context, &token.access, client_id, "app", round)?;
        if let Some(accounts) = &self.accounts
            && let Err(error) = keep_app_token(accounts, token).await
        {
            (self.warn)(&format!("could not keep the app token: {error:#}; each run requests a new one"));
        }
        Ok((credentials, until))
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

/// Replaces the stored token of an application, and removes those that have expired.
async fn keep_app_token(accounts: &Accounts, token: AppToken) -> Result<()> {
    let lock = accounts.lock_soon().await?;
    let now = seconds_now();
    accounts.change(&lock, |stored| {
        stored.apps.retain(|known| {
            let same = known.client_id == token.client_id && known.addresses == token.addresses;
            !same && known.expires_at > now
        });
        stored.apps.push(token);
    })
}

fn nobody(client_id: bool) -> Error {
    let error = Error::new(ErrorKind::SignIn, "nobody is signed in");
    let error = match client_id {
        true => error.cause("`TWITCH_CLIENT_ID` names an application, which alone is no identity"),
        false => error,
    };
    error.hint(
        "`itch login`, or set `TWITCH_TOKEN` (or `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET`), or try `--sandbox`",
    )
}

/// The error about a token that Twitch refused: whose it was, and why, as far as that is known.
fn token_refused(answer: &Answer, known: Option<&Record>, now: u64) -> Error {
    let whose = match known {
        Some(Record { login: Some(login), .. }) => format!("the token of `{login}`"),
        Some(Record { user_id: None, .. }) => "the app token".to_owned(),
        _ => "the token".to_owned(),
    };
    let why = match known.map(|record| record.expires_at) {
        Some(Some(expiry)) if expiry <= now => "has expired",
        Some(_) => "was revoked",
        None => "is unknown, has expired or was revoked",
    };
    let error = Error::new(ErrorKind::SignIn, format!("Twitch refused {whose} in `TWITCH_TOKEN`: it {why}"))
        .hint("`itch login`, and unset `TWITCH_TOKEN`; or set it to a new token");
    refused(error, answer)
}

/// The owner of a rate limit: an application has one for its own tokens and one for each of its users
/// (dev.twitch.tv/docs/api/guide#twitch-rate-limits). Another address is another service, with limits of its own.
fn limit_owner(addresses: &Addresses, client_id: &str, user: &str) -> String {
    let base = addresses.place(Service::Helix).base.unwrap_or_default();
    let mut hash = sha256_hex(format!("{client_id}|{user}{base}").as_bytes());
    hash.truncate(16);
    hash
}

fn header(client_id: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(client_id)
        .map_err(|_| Error::new(ErrorKind::Usage, "the Twitch client id contains invalid characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_takes_precedence_and_half_a_pair_is_nobody() {
        let identity = |token: Option<&str>, secret: Option<&str>| {
            let settings = IdentitySettings {
                client_id: Some("c".to_owned()),
                client_secret: secret.map(Secret::new),
                token: token.map(Secret::new),
                ..IdentitySettings::default()
            };
            Identity::new(settings, std::sync::Arc::new(|_| {}))
        };
        assert_eq!(identity(None, None).user(), None);
        assert!(!identity(None, None).can_learn_user());
        assert_eq!(identity(None, Some("s")).user().as_deref(), Some("app"));
        assert!(identity(Some("t"), Some("s")).can_learn_user());
        assert_eq!(identity(Some("t"), None).who().source, WhoSource::Token);
        assert_eq!(identity(None, Some("s")).who().source, WhoSource::App);
    }
}
