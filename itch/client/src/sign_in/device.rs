//! Signing in with a device code: the user opens an address in any browser and confirms a code, and the program polls
//! (dev.twitch.tv/docs/authentication/getting-tokens-oauth, "device code grant flow"; RFC 8628).

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use itch_api::{Error, ErrorKind, Request, Result, Service};
use reqwest::Method;
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use tokio::runtime::Runtime;

use super::service::{Question, SignInContext, read, read_record, refused, whole_seconds};
use super::{Who, WhoSource, renewal};
use crate::accounts::{Account, Accounts, Pair, ServiceAddresses};
use crate::address::Addresses;
use crate::retry::{Fault, Patience};
use crate::waits::Waits;
use crate::wire::{Answer, Call, Wire, error_texts};
use crate::{Secret, Settings};

/// The grant type of RFC 8628.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the service answers while the user has not confirmed the code.
const PENDING: &str = "authorization_pending";

/// What it answers to a code that it does not know, and sometimes to one that it has just given (twitchdev/issues#971).
const UNKNOWN_CODE: &str = "invalid device code";

/// How often an unknown code is not final before the first pending answer.
const UNKNOWN_AT_FIRST: u32 = 3;

/// Added to the interval between two polls: polling too fast is said to block the sign-in.
const SLACK: Duration = Duration::from_secs(1);

/// The longest pause after a fault.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often the caller is told how much time is left.
const TICK: Duration = Duration::from_millis(200);

/// A sign-in that has begun.
#[derive(Debug)]
pub struct DeviceCode {
    /// The address that the user opens.
    pub verification_uri: String,
    /// The code that the page shows or asks for.
    pub user_code: String,
    code: Secret,
    client_id: String,
    scopes: String,
    interval: Duration,
    until: Instant,
}

impl DeviceCode {
    /// How long the code can still be confirmed.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// A service that answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// The HTTP status, which may be a refusal.
    pub status: u16,
    /// How long the answer took.
    pub took: Duration,
    /// By how many seconds the clock of this machine is ahead of the service's (negative: behind), if it sent its time.
    pub clock: Option<i64>,
}

/// Signs accounts in and out. Its calls block.
pub struct SignIn {
    runtime: Runtime,
    context: SignInContext,
    accounts: Accounts,
    secret: Option<(String, Secret)>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl SignIn {
    /// Uses the addresses, the identity (client id and secret), the timeout and the secrets of the settings.
    pub fn new(settings: &Settings, accounts: Accounts) -> Result<SignIn> {
        let tally = Arc::default();
        let identity = &settings.identity;
        identity.register(&settings.secrets);
        let context = SignInContext {
            wire: Arc::new(Wire::new(
                settings.timeout,
                settings.connections,
                Arc::clone(&tally),
                settings.secrets.clone(),
                settings.insecure_http,
            )),
            patience: Patience {
                tries: settings.tries.max(1),
                hint: ", or run again",
                tally,
                waits: Waits::new(settings.max_wait, Arc::clone(&settings.notice)),
            },
            addresses: Arc::new(Addresses::new(settings)?),
            secrets: settings.secrets.clone(),
            closing: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("itch-sign-in")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Failed, "could not start the thread that signs in").source_chain(&error)
            })?;
        Ok(SignIn {
            runtime,
            context,
            accounts,
            secret: identity.client_id.clone().zip(identity.client_secret.clone()),
        })
    }

    /// The account file.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Asks a service once, without an identity, whether it answers at all. A refusal is an answer.
    pub fn reach(&self, service: Service) -> Result<Reached> {
        let path = match service {
            Service::OAuth => "validate",
            Service::Helix => "users",
            _ => "",
        };
        let call = Call {
            service,
            method: Method::GET,
            url: self.context.addresses.url(&Request::get(service, path))?,
            headers: HeaderMap::new(),
            body: None,
        };
        let asked = Instant::now();
        let sent = SystemTime::now();
        let outcome = self.block(async { Ok(self.context.wire.send(&call, 1).await) })?;
        match outcome {
            Ok(answer) => {
                let took = asked.elapsed();
                let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
                let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
                Ok(Reached {
                    status: answer.status,
                    took,
                    clock: date.map(|date| seconds_apart(sent + took / 2, date)),
                })
            }
            Err(fault) => {
                let mut once = self.context.patience.clone();
                once.tries = 1;
                let error = once.retry(service).after_last::<Reached>(fault);
                self.block(async { error })
            }
        }
    }

    /// The accounts whose tokens may be sent to these addresses.
    pub fn usable(&self) -> Result<Vec<Account>> {
        let own = ServiceAddresses::of(&self.context.addresses);
        let accounts = self.accounts.list()?.into_iter();
        let accounts: Vec<Account> = accounts.filter(|account| account.addresses == own).collect();
        accounts
            .iter()
            .for_each(|account| account.register(&self.context.secrets));
        Ok(accounts)
    }

    /// Requests a code. A client id that the service does not know is an error of kind [`ErrorKind::SignIn`].
    pub fn begin(&self, client_id: &str, scopes: &[String]) -> Result<DeviceCode> {
        #[derive(Deserialize)]
        struct Given {
            device_code: String,
            user_code: String,
            verification_uri: String,
            #[serde(default, deserialize_with = "whole_seconds")]
            expires_in: Option<u64>,
            #[serde(default, deserialize_with = "whole_seconds")]
            interval: Option<u64>,
        }
        let scopes = scopes.join(" ");
        let pairs = [("client_id", client_id), ("scopes", scopes.as_str())];
        let asked = Instant::now();
        let answer = self.block(self.context.ask(&Question::Form {
            path: "device",
            pairs: &pairs,
        }))?;
        if !answer.is_success() {
            let message = format!("Twitch refused to begin a sign-in with the client id `{client_id}`");
            return Err(refused(Error::new(ErrorKind::SignIn, message), &answer));
        }
        let given: Given = read(&answer, "Twitch's answer with the code")?;
        self.context.secrets.add(&given.device_code);
        Ok(DeviceCode {
            verification_uri: given.verification_uri,
            user_code: given.user_code,
            code: Secret::new(given.device_code),
            client_id: client_id.to_owned(),
            scopes,
            interval: Duration::from_secs(given.interval.unwrap_or(5)),
            until: asked + Duration::from_secs(given.expires_in.unwrap_or(1800).min(24 * 60 * 60)),
        })
    }

    /// Waits until the user has confirmed the code. The tokens are stored before this returns the new account, whose
    /// user is not known yet. `tick` is called several times a second; if it returns false, the wait ends with an error
    /// of kind [`ErrorKind::Cancelled`].
    pub fn wait(&self, device: &DeviceCode, tick: &mut dyn FnMut(Duration) -> bool) -> Result<Account> {
        let pair = self.block(self.poll(device, tick))?;
        let addresses = ServiceAddresses::of(&self.context.addresses);
        let account = Account::granted(&device.client_id, addresses, pair);
        let kept = self.accounts.lock().and_then(|held| {
            self.accounts
                .change(&held, |stored| stored.accounts.push(account.clone()))
        });
        if let Err(error) = kept {
            // Nobody could use the tokens any more.
            let _ = self.revoke(&account);
            return Err(error);
        }
        Ok(account)
    }

    async fn poll(&self, device: &DeviceCode, tick: &mut dyn FnMut(Duration) -> bool) -> Result<Pair> {
        let pairs = [
            ("client_id", device.client_id.as_str()),
            ("scopes", device.scopes.as_str()),
            ("device_code", device.code.expose()),
            ("grant_type", DEVICE_CODE),
        ];
        let question = Question::Form {
            path: "token",
            pairs: &pairs,
        };
        let usual = device.interval + SLACK;
        let mut pause = usual;
        let (mut accepted, mut unknown, mut attempt) = (false, 0, 0);
        let mut trouble = None;
        loop {
            let until = Instant::now() + pause;
            let asleep = tokio::time::sleep_until(until.min(device.until).into());
            watched(asleep, device, tick).await?;
            if device.left().is_zero() {
                return Err(expired(trouble));
            }
            attempt += 1;
            let asked = self.context.ask_once(&question, attempt);
            let fault = match watched(asked, device, tick).await? {
                Ok(answer) if answer.is_success() => match self.context.granted(&answer) {
                    Ok(pair) => return Ok(pair),
                    // The code may be used up by now; then the next answer says so.
                    Err(error) => Fault::Final(error),
                },
                Ok(answer) => {
                    let text = error_texts(&answer.body).pop().unwrap_or_default();
                    match text.as_str() {
                        PENDING => accepted = true,
                        UNKNOWN_CODE if !accepted && unknown < UNKNOWN_AT_FIRST => unknown += 1,
                        _ => return Err(not_confirmed(&answer, accepted)),
                    }
                    pause = usual;
                    continue;
                }
                Err(fault) => fault,
            };
            pause = (pause * 2).min(LONGEST_PAUSE.max(usual));
            trouble = Some(match fault {
                Fault::Passing(trouble) => format!("the oauth service {}", trouble.what),
                Fault::Final(error) => error.message,
            });
        }
    }

    /// Asks whose an account's token is, and stores the answer.
    pub fn identify(&self, account: &Account) -> Result<Account> {
        self.block(async {
            let answer = self.context.ask(&Question::Validate(&account.pair.access)).await?;
            if !answer.is_success() {
                let error = Error::new(ErrorKind::SignIn, "Twitch refused the token that it had just given");
                return Err(refused(error, &answer).hint("itch login"));
            }
            renewal::validated(&self.accounts, account, read_record(&answer)?).await
        })
    }

    /// Whose a token is that is not an account's.
    pub fn identify_token(&self, token: &Secret) -> Result<Who> {
        self.block(async {
            let answer = self.context.ask(&Question::Validate(token)).await?;
            if !answer.is_success() {
                return Err(super::token_refused(&answer, None, 0));
            }
            let record = read_record(&answer)?;
            Ok(Who {
                source: match record.user_id {
                    Some(_) => WhoSource::Token,
                    None => WhoSource::App,
                },
                login: record.login,
                scopes: Some(record.scopes),
                expires_at: record.expires_at,
            })
        })
    }

    /// Renews an account's tokens now.
    pub fn renew(&self, account: &Account) -> Result<Account> {
        let secret = self
            .secret
            .as_ref()
            .filter(|(client_id, _)| *client_id == account.client_id);
        let secret = secret.map(|(_, secret)| secret);
        self.block(renewal::renew(&self.accounts, account, secret, &self.context))
    }

    /// Joins a new account with an earlier one of the same user: the new one takes its place.
    pub fn settle(&self, account: &Account) -> Result<()> {
        let held = self.accounts.lock()?;
        self.accounts.change(&held, |stored| {
            let place = |stored: &[Account], is: &dyn Fn(&Account) -> bool| stored.iter().position(is);
            let same = |known: &Account| {
                known.id != account.id && known.user_id == account.user_id && known.addresses == account.addresses
            };
            let new = place(&stored.accounts, &|known| known.id == account.id);
            if let (Some(old), Some(new)) = (place(&stored.accounts, &same), new) {
                stored.accounts.swap(old, new);
                stored.accounts.remove(old.max(new));
            }
        })
    }

    /// Tells the service that an account's token is no longer used. A token that has ended already is no error.
    pub fn revoke(&self, account: &Account) -> Result<()> {
        self.block(self.context.revoke(&account.client_id, &account.pair.access))
    }

    /// Removes an account from the file.
    pub fn forget(&self, account: &Account) -> Result<()> {
        let held = self.accounts.lock()?;
        self.accounts
            .change(&held, |stored| stored.accounts.retain(|known| known.id != account.id))
    }

    fn block<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let outcome = self.runtime.block_on(work);
        outcome.map_err(|error| self.context.secrets.redact_error(error))
    }
}

/// Waits for something, and calls `tick` meanwhile.
async fn watched<T>(
    work: impl Future<Output = T>,
    device: &DeviceCode,
    tick: &mut dyn FnMut(Duration) -> bool,
) -> Result<T> {
    let mut work = pin!(work);
    loop {
        if !tick(device.left()) {
            return Err(Error::new(ErrorKind::Cancelled, "the sign-in was interrupted"));
        }
        if let Ok(done) = tokio::time::timeout(TICK, &mut work).await {
            return Ok(done);
        }
    }
}

/// How many seconds the first time is after the second.
fn seconds_apart(one: SystemTime, other: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match one.duration_since(other) {
        Ok(later) => seconds(later),
        Err(earlier) => -seconds(earlier.duration()),
    }
}

/// The code's time is over.
fn expired(trouble: Option<String>) -> Error {
    let error = Error::new(ErrorKind::SignIn, "the code has expired before it was confirmed").hint("itch login");
    trouble.into_iter().fold(error, Error::cause)
}

/// The service says that this code will not be confirmed any more.
fn not_confirmed(answer: &Answer, accepted: bool) -> Error {
    let error = refused(Error::new(ErrorKind::SignIn, "the sign-in was not confirmed"), answer).hint("itch login");
    match accepted {
        true => error.cause("it was denied on the page, or the code has expired"),
        false => error,
    }
}

/// Whether an error of [`SignIn::renew`] says that the application needs its secret to renew tokens: it is of the
/// client type Confidential, and has to be of the type Public.
pub fn needs_secret(error: &Error) -> bool {
    let named = error.causes.iter().any(|cause| cause.contains("client secret"));
    error.service == Some(Service::OAuth) && (error.http == Some(403) || error.http == Some(400) && named)
}
