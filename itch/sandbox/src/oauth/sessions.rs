//! The device codes and tokens that were issued, and what becomes of them.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    app_token,
    apps::{App, USUAL},
    bounded::Bounded,
    grant::Grant,
    log::{Event, Log, Receipt},
    random,
};
use crate::{limit::unix_now, world::UserId};

/// How many codes, and how many tokens of each kind, are remembered.
const MAXIMUM: usize = 20_000;

/// A lifetime is not longer than this, so that its end can be computed.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A client is to bear so many refusals of a valid code.
const MOST_FALSE_REFUSALS: u8 = 3;

/// A poll may be so much too early: the time on the way varies.
const SLACK: Duration = Duration::from_millis(20);

/// Lifetimes, and where the service is.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) token_life: Duration,
    pub(crate) device_life: Duration,
    pub(crate) device_interval: Duration,
}

/// Who allowed an app what.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) app: &'static App,
    pub(super) user: UserId,
    pub(super) login: String,
    pub(super) scopes: Vec<&'static str>,
}

/// The tokens that an app gets.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) authorization: Arc<Authorization>,
    pub(super) receipt: Receipt,
}

#[derive(Debug)]
struct Access {
    authorization: Arc<Authorization>,
    expires: Instant,
}

/// A device that waits for its user.
#[derive(Debug)]
struct Device {
    app: &'static App,
    scopes: Vec<&'static str>,
    user_code: String,
    expires: Instant,
    polled: Option<Instant>,
    /// Whether a poll was answered by what is true.
    known: bool,
    false_refusals: u8,
    blocked: bool,
    decision: Decision,
}

/// What the user decided about a device.
#[derive(Debug)]
enum Decision {
    Open,
    Denied,
    Approved { user: UserId, login: String },
}

/// The state of a user code, for the page where it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeState {
    Unknown,
    Open,
    Decided,
}

/// The answer to a poll.
#[derive(Debug)]
pub(super) enum Poll {
    /// Unknown, expired, denied or already exchanged.
    Invalid,
    OtherClient,
    Pending,
    Done(Box<Pair>),
}

/// Everything that was issued.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(super) settings: Settings,
    devices: Bounded<Device>,
    access: Bounded<Access>,
    refresh: Bounded<Arc<Authorization>>,
    revoked_app_tokens: Bounded<()>,
    log: Log,
}

impl Sessions {
    pub(crate) fn new(settings: Settings) -> Sessions {
        Sessions {
            settings,
            devices: Bounded::new(MAXIMUM),
            access: Bounded::new(MAXIMUM),
            refresh: Bounded::new(MAXIMUM),
            revoked_app_tokens: Bounded::new(MAXIMUM),
            log: Log::default(),
        }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Notes whether an answer with tokens was written to the last byte.
    pub(crate) fn note_answer(&mut self, receipt: Receipt, sent: bool) {
        let event = if sent { Event::AnswerSent } else { Event::AnswerBroken };
        self.log.add(event, receipt);
    }

    /// The grant of a token; `None` if the token is unknown, expired or revoked.
    pub(crate) fn grant(&self, token: &str) -> Option<Grant> {
        if let Some(grant) = Grant::fixed(token) {
            return Some(grant);
        }
        if let Some(access) = self.access.get(token) {
            let left = access.expires.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            return Some(Grant {
                client: access.authorization.app.id,
                user: Some(access.authorization.user),
                scopes: Cow::Owned(access.authorization.scopes.clone()),
                expires_in: whole_seconds(left),
            });
        }
        let expires_in = app_token::expiry(token)?.checked_sub(unix_now().as_secs())?;
        self.revoked_app_tokens.get(token).is_none().then_some(Grant {
            client: USUAL.id,
            user: None,
            scopes: Cow::Borrowed(&[]),
            expires_in,
        })
    }

    /// Issues an app token. `number` makes each unique.
    pub(super) fn app_token(&mut self, app: &'static App, number: u64) -> String {
        self.log.add(Event::Issued, Receipt::new(app.id, None, None, None));
        app_token::make((unix_now() + app_token::LIFETIME).as_secs(), number)
    }

    /// A new device code and its user code.
    pub(super) fn start_device(&mut self, app: &'static App, scopes: Vec<&'static str>) -> (String, String) {
        let (device_code, user_code) = (random::device_code(), random::user_code());
        let device = Device {
            app,
            scopes,
            user_code: user_code.clone(),
            expires: end_of(self.settings.device_life),
            polled: None,
            known: false,
            false_refusals: 0,
            blocked: false,
            decision: Decision::Open,
        };
        self.devices.insert(device_code.clone(), device);
        self.log.add(Event::Device, Receipt::new(app.id, None, None, None));
        (device_code, user_code)
    }

    pub(super) fn code_state(&mut self, user_code: &str) -> CodeState {
        match self.device(user_code) {
            None => CodeState::Unknown,
            Some(device) if matches!(device.decision, Decision::Open) => CodeState::Open,
            Some(_) => CodeState::Decided,
        }
    }

    fn device(&mut self, user_code: &str) -> Option<&mut Device> {
        let now = Instant::now();
        let mut devices = self.devices.values_mut();
        devices.find(|device| device.user_code == user_code && device.expires > now)
    }

    /// Signs a user in on the device with an open code; `None` is the user's refusal.
    pub(super) fn decide(&mut self, user_code: &str, user: Option<(UserId, String)>) {
        let Some(device) = self.device(user_code) else { return };
        let client = device.app.id;
        let login = user.as_ref().map(|(_, login)| login.clone());
        device.decision = match user {
            Some((user, login)) => Decision::Approved { user, login },
            None => Decision::Denied,
        };
        let event = if login.is_some() {
            Event::Approved
        } else {
            Event::Denied
        };
        self.log.add(event, Receipt::new(client, login.as_deref(), None, None));
    }

    /// Whether a valid code may be refused once more: at most three times, and not after it was once found valid.
    pub(super) fn refuses_falsely(&mut self, device_code: &str) -> bool {
        let Some(device) = self.devices.get_mut(device_code) else {
            return false;
        };
        let refuses = !device.known && device.false_refusals < MOST_FALSE_REFUSALS;
        if refuses {
            device.false_refusals += 1;
            device.polled = Some(Instant::now());
        }
        refuses
    }

    /// Exchanges a device code for tokens, once the user has signed in. A client that asks more often than it was told
    /// never gets them.
    pub(super) fn poll(&mut self, app: &'static App, device_code: &str) -> Poll {
        let now = Instant::now();
        let interval = self.settings.device_interval.saturating_sub(SLACK);
        let Some(device) = self.devices.get_mut(device_code) else {
            return Poll::Invalid;
        };
        if device.app != app {
            return Poll::OtherClient;
        }
        if device.expires <= now {
            return Poll::Invalid;
        }
        let before = device.polled.replace(now);
        device.known = true;
        if !device.blocked && before.is_some_and(|before| now.duration_since(before) < interval) {
            device.blocked = true;
            self.log.add(Event::Blocked, Receipt::new(app.id, None, None, None));
        }
        match device.decision {
            Decision::Denied => Poll::Invalid,
            Decision::Approved { .. } if !device.blocked => self.exchange(device_code),
            Decision::Open | Decision::Approved { .. } => Poll::Pending,
        }
    }

    fn exchange(&mut self, device_code: &str) -> Poll {
        let Some(Device {
            app,
            scopes,
            decision: Decision::Approved { user, login },
            ..
        }) = self.devices.remove(device_code)
        else {
            return Poll::Invalid;
        };
        let authorization = Authorization {
            app,
            user,
            login,
            scopes,
        };
        let refresh = self.new_refresh(Arc::new(authorization));
        let Some(pair) = self.new_pair(None, refresh) else {
            return Poll::Invalid;
        };
        self.log.add(Event::Issued, pair.receipt.clone());
        Poll::Done(Box::new(pair))
    }

    /// Renews a pair; `None` if the refresh token is not valid for this app. That of a public app is replaced, and the
    /// old one is void at once.
    pub(super) fn renew(&mut self, app: &'static App, refresh: &str) -> Option<Pair> {
        let authorization = self.refresh.get(refresh).filter(|known| known.app == app).cloned();
        let Some(authorization) = authorization else {
            let receipt = Receipt::new(app.id, None, Some(refresh), None);
            self.log.add(Event::InvalidRefresh, receipt);
            return None;
        };
        let new = if app.is_public() {
            self.refresh.remove(refresh);
            self.new_refresh(authorization)
        } else {
            refresh.to_owned()
        };
        let pair = self.new_pair(Some(refresh), new)?;
        self.log.add(Event::Refreshed, pair.receipt.clone());
        Some(pair)
    }

    fn new_refresh(&mut self, authorization: Arc<Authorization>) -> String {
        let refresh = random::token(50);
        self.refresh.insert(refresh.clone(), authorization);
        refresh
    }

    /// A new access token beside a valid refresh token.
    fn new_pair(&mut self, old: Option<&str>, refresh: String) -> Option<Pair> {
        let authorization = Arc::clone(self.refresh.get(&refresh)?);
        let access = random::token(30);
        self.access.insert(
            access.clone(),
            Access {
                authorization: Arc::clone(&authorization),
                expires: end_of(self.settings.token_life),
            },
        );
        let receipt = Receipt::new(authorization.app.id, Some(&authorization.login), old, Some(&refresh));
        Some(Pair {
            access,
            refresh,
            authorization,
            receipt,
        })
    }

    /// Revokes an access token and the refresh token that belongs to it; false if it is not a valid token of this app.
    /// The fixed tokens stay valid.
    pub(super) fn revoke(&mut self, app: &'static App, token: &str) -> bool {
        if self.grant(token).is_none_or(|grant| grant.client != app.id) {
            return false;
        }
        let Some(Access { authorization, .. }) = self.access.remove(token) else {
            if app_token::expiry(token).is_some() {
                self.revoked_app_tokens.insert(token.to_owned(), ());
            }
            self.log.add(Event::Revoked, Receipt::new(app.id, None, None, None));
            return true;
        };
        let refresh = self.refresh.take_key(|known| Arc::ptr_eq(known, &authorization));
        let receipt = Receipt::new(app.id, Some(&authorization.login), refresh.as_deref(), None);
        self.log.add(Event::Revoked, receipt);
        true
    }
}

fn end_of(life: Duration) -> Instant {
    Instant::now() + life.min(LONGEST)
}

/// Rounded up, because zero means that a token never expires.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
