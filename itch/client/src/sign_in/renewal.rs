//! Renews the tokens of an account with its refresh token.
//!
//! The refresh token of a public client works once (dev.twitch.tv/docs/authentication/refresh-tokens): if its answer is
//! lost, so is the sign-in. Therefore one process at a time renews, the new pair is on the disk before it is used, and
//! neither an interrupt nor the end of the client stops a renewal between its request and that.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use itch_api::sync::{ignore_poison, lock};
use itch_api::{Error, ErrorKind, Result, Service};
use tracing::debug;

use super::device::needs_secret;
use super::identity_file::Record;
use super::service::{Question, SignInContext, refused};
use crate::Secret;
use crate::accounts::{Account, Accounts, seconds_now};
use crate::wire::Answer;

/// The renewals of this process that must not be interrupted now.
static RENEWALS: (Mutex<Renewals>, Condvar) = (
    Mutex::new(Renewals {
        running: 0,
        ending: false,
    }),
    Condvar::new(),
);

struct Renewals {
    running: usize,
    /// The process is about to end: no other one begins.
    ending: bool,
}

/// Waits until no renewal of an account's tokens is between its request and the stored answer, at most this long; no
/// other one begins. A program that is about to end itself calls it, so that the sign-in is not lost.
pub fn finish_renewals(limit: Duration) {
    lock(&RENEWALS.0).ending = true;
    wait_for_renewals(limit);
}

/// Waits until no renewal is between its request and the stored answer, at most this long.
pub(crate) fn wait_for_renewals(limit: Duration) {
    let until = Instant::now() + limit;
    let mut renewals = lock(&RENEWALS.0);
    while renewals.running > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        renewals = ignore_poison(RENEWALS.1.wait_timeout(renewals, left)).0;
    }
}

/// A renewal that must not be interrupted, until it is dropped.
struct Running;

impl Running {
    /// `None` if the client or the process is ending. Both are looked at under the lock that is taken to end them.
    fn begin(context: &SignInContext) -> Option<Running> {
        let mut renewals = lock(&RENEWALS.0);
        if renewals.ending || context.closing.load(Ordering::Relaxed) {
            return None;
        }
        renewals.running += 1;
        Some(Running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&RENEWALS.0).running -= 1;
        RENEWALS.1.notify_all();
    }
}

/// Renews the tokens of an account, unless another process has done so since `known` was read. `secret` is that of the
/// account's application, if it has one.
pub(super) async fn renew(
    accounts: &Accounts,
    known: &Account,
    secret: Option<&Secret>,
    context: &SignInContext,
) -> Result<Account> {
    let (accounts, known, secret, context) = (accounts.clone(), known.clone(), secret.cloned(), context.clone());
    // A task of its own: the request that needs the token may be given up meanwhile.
    let task = tokio::spawn(async move { attempt(&accounts, &known, secret.as_ref(), &context).await });
    let outcome = task.await;
    outcome.unwrap_or_else(|_| Err(given_up()))
}

async fn attempt(
    accounts: &Accounts,
    known: &Account,
    secret: Option<&Secret>,
    context: &SignInContext,
) -> Result<Account> {
    let held = accounts.lock_soon().await?;
    let account = accounts.find(&known.id)?;
    if account.pair.access != known.pair.access {
        return Ok(account);
    }
    let Some(refresh) = account.pair.refresh.clone() else {
        let error = Error::new(ErrorKind::SignIn, format!("the token of `{}` has ended", account.name()));
        return Err(error.cause("it cannot be renewed").hint(login_again(&account)));
    };
    account.register(&context.secrets);
    let running = Running::begin(context).ok_or_else(given_up)?;
    accounts.change(&held, |stored| {
        if let Some(account) = stored.account(&known.id) {
            account.renewing.get_or_insert(seconds_now());
        }
    })?;
    let mut pairs = vec![
        ("client_id", account.client_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.expose()),
    ];
    pairs.extend(secret.map(|secret| ("client_secret", secret.expose())));
    let question = Question::Form {
        path: "token",
        pairs: &pairs,
    };
    let mut retry = context.patience.retry(Service::OAuth);
    let answer = loop {
        match context.ask_once(&question, retry.attempt()).await {
            Ok(answer) => break answer,
            Err(fault) if context.closing.load(Ordering::Relaxed) => return retry.after_last(fault),
            Err(fault) => retry.after(fault).await?,
        }
    };
    let retried = retry.attempt() > 1;
    if !answer.is_success() {
        let error = ended(&account, &answer, retried);
        accounts.change(&held, |stored| {
            if let Some(now) = stored.account(&known.id) {
                now.ended = true;
                now.renewing = account.renewing;
            }
        })?;
        return Err(error);
    }
    let answered = Instant::now();
    let mut pair = context.granted(&answer)?;
    pair.refresh.get_or_insert(refresh);
    let renewed = accounts.change(&held, |stored| {
        let account = stored.account(&known.id)?;
        account.previous = Some(std::mem::replace(&mut account.pair, pair));
        account.validated_at = 0;
        account.renewing = None;
        account.ended = false;
        Some(account.clone())
    })?;
    drop(running);
    let took = answered.elapsed().as_secs_f64() * 1000.0;
    debug!(target: "itch::sign_in", "renewed the token of {}: on the disk after {took:.1} ms", account.name());
    renewed.ok_or_else(|| accounts.find(&known.id).err().unwrap_or_else(gone))
}

fn given_up() -> Error {
    Error::new(ErrorKind::Cancelled, "the renewal of the token was given up")
}

fn gone() -> Error {
    Error::new(ErrorKind::SignIn, "the account was signed out meanwhile").hint("itch login")
}

/// Stores what the service says about an account's token, unless the token was replaced meanwhile.
pub(super) async fn validated(accounts: &Accounts, known: &Account, record: Record) -> Result<Account> {
    let held = accounts.lock_soon().await?;
    let stored = accounts.change(&held, |stored| {
        let account = stored.account(&known.id)?;
        if account.pair.access == known.pair.access {
            account.login = record.login;
            account.user_id = record.user_id;
            account.scopes = record.scopes;
            account.validated_at = record.validated_at;
            account.pair.expires_at = record.expires_at;
            account.previous = None;
            account.ended = false;
        }
        Some(account.clone())
    })?;
    stored.ok_or_else(gone)
}

/// The error after the service refused to renew an account's tokens, or refused the token that it had just given.
/// `retried`: an earlier request with the same refresh token had no answer.
pub(super) fn ended(account: &Account, answer: &Answer, retried: bool) -> Error {
    let message = format!("the sign-in of `{}` has ended: Twitch refused to renew its token", account.name());
    let error = refused(Error::new(ErrorKind::SignIn, message), answer).hint(login_again(account));
    if needs_secret(&error) {
        return error.cause(format!(
            "the application `{}` is of the client type Confidential: its tokens can only be renewed with \
             `TWITCH_CLIENT_SECRET`",
            account.client_id
        ));
    }
    if retried || account.renewing.is_some() {
        return error.cause(
            "an earlier request to renew it was accepted, but its answer was lost: the connection broke, or that run \
             was killed; a refresh token works once",
        );
    }
    error.cause("the refresh token was used elsewhere, is older than 30 days, or was revoked")
}

fn login_again(account: &Account) -> String {
    match &account.login {
        Some(login) => format!("itch login --as {login}"),
        None => "itch login".to_owned(),
    }
}
