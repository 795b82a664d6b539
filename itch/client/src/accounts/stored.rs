//! What the account file contains: accounts with their tokens, and app tokens. It is JSON.

use itch_api::Service;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::Addresses;
use crate::hash::sha256_hex;
use crate::{Secret, Secrets};

/// The version of the file's format.
const VERSION: u32 = 1;

/// A token is renewed this many seconds before it expires, so that it does not expire in flight.
pub(crate) const MARGIN: u64 = 60;

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stored {
    version: u32,
    #[serde(default)]
    pub accounts: Vec<Account>,
    #[serde(default)]
    pub apps: Vec<AppToken>,
}

/// Somebody who signed in with `itch login`. The tokens are private to this crate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Identifies the account in the file, also before its user is known.
    pub(crate) id: String,
    /// The login; `None` until the service has been asked whose the token is.
    #[serde(default)]
    pub login: Option<String>,
    /// The user id; `None` as for the login.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The application that the tokens belong to.
    pub client_id: String,
    /// The services that the tokens may be sent to.
    #[serde(flatten)]
    pub addresses: ServiceAddresses,
    /// The scopes that the user granted.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When the service was last asked about the token, in seconds since 1970; 0 for never.
    #[serde(default)]
    pub(crate) validated_at: u64,
    #[serde(flatten)]
    pub(crate) pair: Pair,
    /// The pair before this one, kept until the service has accepted the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Pair>,
    /// A renewal began at this time, in seconds since 1970, and its result has not been stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewing: Option<u64>,
    /// The service refused to renew the token: the user has to sign in again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
}

/// The addresses of the sign-in service and of Helix, without a slash at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAddresses {
    /// The sign-in service that gave the tokens.
    pub oauth2: String,
    /// The service that takes them.
    pub helix: String,
}

/// An access token with what renews it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    #[serde(rename = "access_token", serialize_with = "expose", deserialize_with = "hide")]
    pub access: Secret,
    #[serde(
        default,
        rename = "refresh_token",
        serialize_with = "expose_some",
        deserialize_with = "hide_some"
    )]
    pub refresh: Option<Secret>,
    /// Seconds since 1970; `None` for a token without expiry.
    pub expires_at: Option<u64>,
    /// How many seconds it was good for when it was issued.
    #[serde(default)]
    pub lifetime: Option<u64>,
}

/// An app token, which is kept until it expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AppToken {
    pub client_id: String,
    #[serde(flatten)]
    pub addresses: ServiceAddresses,
    #[serde(rename = "access_token", serialize_with = "expose", deserialize_with = "hide")]
    pub access: Secret,
    /// Seconds since 1970.
    pub expires_at: u64,
}

impl Stored {
    /// The content, if it has the format of this version.
    pub fn parse(bytes: &[u8]) -> Option<Stored> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        (stored.version == VERSION).then_some(stored)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            ..self.clone()
        };
        // Serializing a struct with text keys into memory does not fail.
        let mut bytes = serde_json::to_vec_pretty(&stored).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// An account, if it is still there.
    pub fn account(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.id == id)
    }
}

impl Account {
    /// An account with new tokens, whose user is not known yet.
    pub(crate) fn granted(client_id: &str, addresses: ServiceAddresses, pair: Pair) -> Account {
        Account {
            id: sha256_hex(pair.access.expose().as_bytes())[..16].to_owned(),
            login: None,
            user_id: None,
            client_id: client_id.to_owned(),
            addresses,
            scopes: Vec::new(),
            validated_at: 0,
            pair,
            previous: None,
            renewing: None,
            ended: false,
        }
    }

    /// The login, or what stands for it until it is known.
    pub fn name(&self) -> &str {
        self.login.as_deref().unwrap_or("(login unknown)")
    }

    /// When the access token expires, in seconds since 1970; it is renewed before. `None` if it does not expire.
    pub fn expires_at(&self) -> Option<u64> {
        self.pair.expires_at
    }

    /// The time at which the token is renewed, in seconds since 1970.
    pub(crate) fn due_at(&self) -> u64 {
        // A token that lives for seconds, as in tests, is not due at once.
        let margin = self.pair.lifetime.map_or(MARGIN, |lifetime| MARGIN.min(lifetime / 4));
        self.pair
            .expires_at
            .map_or(u64::MAX, |expiry| expiry.saturating_sub(margin))
    }

    /// Whether the token must be renewed before it is used.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.due_at() <= now
    }

    /// Adds the tokens to the known secrets.
    pub(crate) fn register(&self, secrets: &Secrets) {
        for pair in [Some(&self.pair), self.previous.as_ref()].into_iter().flatten() {
            secrets.add_secret(&pair.access);
            pair.refresh.iter().for_each(|token| secrets.add_secret(token));
        }
    }

    /// Whether the service refused to renew the token, so that the user has to sign in again.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether both are the same entry of the account file.
    pub fn is_same(&self, other: &Account) -> bool {
        self.id == other.id
    }

    /// Whether this is the account of a login; case does not matter.
    pub fn is_of(&self, login: &str) -> bool {
        let own = self.login.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(login.trim_start_matches('@')))
    }
}

impl ServiceAddresses {
    pub(crate) fn of(addresses: &Addresses) -> ServiceAddresses {
        ServiceAddresses {
            oauth2: addresses.base(Service::OAuth).to_owned(),
            helix: addresses.base(Service::Helix).to_owned(),
        }
    }
}

fn expose<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

fn expose_some<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(to)
}

fn hide<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::from)
}

fn hide_some<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.map(Secret::from))
}
