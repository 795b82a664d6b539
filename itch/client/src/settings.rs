//! The settings of a client: addresses, identity, retries, caches, freshness.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use itch_api::{Error, Result, Service};
use itch_plugin::CacheStore;

use crate::address::Addresses;
use crate::{Account, Accounts, GqlFacts, Secret, Secrets, ServiceAddresses};

/// How often a failed request is repeated by default.
pub const DEFAULT_RETRIES: u32 = 4;
/// The default timeout of one try.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests may wait by default.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(15 * 60);
/// A function that takes one-line warnings for the user.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// The settings of a [`Client`](crate::Client). [`Settings::new`] uses the real services, without an identity and
/// without a cache.
pub struct Settings {
    /// Base URLs that replace the canonical ones, with or without a trailing slash. Plain http is allowed for loopback
    /// addresses only.
    pub base_urls: BTreeMap<Service, String>,
    /// Allows plain http to other machines.
    pub insecure_http: bool,
    /// The token or application to sign in with.
    pub identity: IdentitySettings,
    /// How often a request is sent before its failure is final; at least once.
    pub tries: u32,
    /// The timeout of one try, from connecting to the last byte of the body.
    pub timeout: Duration,
    /// How long requests to a service may wait: each time, and in all since its last successful answer. A wait is for a
    /// rate limit or before another try. If it would be longer, the request fails at once.
    pub max_wait: Duration,
    /// How many requests may be in flight at once, per service.
    pub connections: u32,
    /// The directory of the rate limits that this user's processes share, one file for each identity. It is made if it
    /// is missing. `None`: each client counts by itself.
    pub shared_limits: Option<PathBuf>,
    /// Open stores and their names, nearest first: the first one that has an answer is used.
    pub caches: Vec<(String, Box<dyn CacheStore>)>,
    /// Fails if a store fails, instead of continuing without it.
    pub cache_strict: bool,
    /// Never uses the network: a stored answer of any age is used.
    pub offline: bool,
    /// Does not use stored answers, but stores the new ones.
    pub refresh: bool,
    /// The largest age of a stored answer. Overrides the endpoint and the request.
    pub max_age: Option<Duration>,
    /// How much older a stored answer may be if the service fails. The counters say whether one was used; a program
    /// that shows such answers should say how old they are.
    pub stale_if_error: Option<Duration>,
    /// `<seed>,<data version>` of the simulated Twitch behind the base URLs. It separates simulated answers from real
    /// ones in the caches. It replaces the base URLs in cache keys, since these change with every port.
    pub sandbox: Option<String>,
    /// The facts about the private GQL service; `None` disables that service.
    pub gql: Option<GqlFacts>,
    /// The name of the running report, recorded with each stored answer.
    pub report: String,
    /// Takes one-line warnings for the user; the client itself never prints.
    pub warn: Warn,
    /// Takes a line about each wait of more than ten seconds.
    pub notice: Warn,
    /// The secrets that must not appear in errors, warnings, log lines or caches. The client adds its own.
    pub secrets: Secrets,
}

impl Settings {
    /// The real services, no identity, no cache, the default retries and timeout, and no warnings.
    pub fn new() -> Settings {
        Settings {
            base_urls: BTreeMap::new(),
            insecure_http: false,
            identity: IdentitySettings::default(),
            tries: DEFAULT_RETRIES + 1,
            timeout: DEFAULT_TIMEOUT,
            max_wait: DEFAULT_MAX_WAIT,
            connections: 32,
            shared_limits: None,
            caches: Vec::new(),
            cache_strict: false,
            offline: false,
            refresh: false,
            max_age: None,
            stale_if_error: None,
            sandbox: None,
            gql: Some(GqlFacts::built_in()),
            report: String::new(),
            warn: Arc::new(|_| {}),
            notice: Arc::new(|_| {}),
            secrets: Secrets::default(),
        }
    }

    /// The addresses that the tokens of an account must belong to. An invalid base URL is an error of kind
    /// [`ErrorKind::Usage`](itch_api::ErrorKind::Usage).
    pub fn service_addresses(&self) -> Result<ServiceAddresses> {
        Ok(ServiceAddresses::of(&Addresses::new(self)?))
    }

    /// [`Settings::new`] with base URLs and identity from the environment variables that docs/reference.md lists:
    /// `TWITCH_TOKEN`, `TWITCH_CLIENT_ID`, `TWITCH_CLIENT_SECRET`, `TWITCH_HELIX_URL` and so on.
    ///
    /// The function returns their values: `|name| std::env::var(name).ok()`, or those of a sandbox.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Settings {
        let base_url = |service: Service| Some((service, variable(service.url_variable())?));
        Settings {
            base_urls: Service::ALL.into_iter().filter_map(base_url).collect(),
            identity: IdentitySettings {
                client_id: variable("TWITCH_CLIENT_ID"),
                client_secret: variable("TWITCH_CLIENT_SECRET").map(Secret::from),
                token: variable("TWITCH_TOKEN").map(|text| Secret::new(bare_token(&text))),
                ..IdentitySettings::default()
            },
            ..Settings::new()
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caches: Vec<&String> = self.caches.iter().map(|(name, _)| name).collect();
        f.debug_struct("Settings")
            .field("base_urls", &self.base_urls)
            .field("insecure_http", &self.insecure_http)
            .field("identity", &self.identity)
            .field("tries", &self.tries)
            .field("timeout", &self.timeout)
            .field("max_wait", &self.max_wait)
            .field("connections", &self.connections)
            .field("shared_limits", &self.shared_limits)
            .field("caches", &caches)
            .field("cache_strict", &self.cache_strict)
            .field("offline", &self.offline)
            .field("refresh", &self.refresh)
            .field("max_age", &self.max_age)
            .field("stale_if_error", &self.stale_if_error)
            .field("sandbox", &self.sandbox)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

/// A token without what is often copied with it: quotes, and `oauth:`, `Bearer ` or `OAuth ` before it.
pub fn bare_token(text: &str) -> &str {
    let mut text = text.trim();
    for quote in ['"', '\''] {
        text = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote))
            .unwrap_or(text)
            .trim();
    }
    for scheme in ["oauth:", "oauth ", "bearer "] {
        if let Some((start, token)) = text.split_at_checked(scheme.len())
            && start.eq_ignore_ascii_case(scheme)
        {
            text = token.trim();
        }
    }
    text
}

/// The identity. A token is enough for all data; a client id with its secret is enough for public data.
#[derive(Clone, Debug, Default)]
pub struct IdentitySettings {
    /// The id of a registered application.
    pub client_id: Option<String>,
    /// The secret of that application.
    pub client_secret: Option<Secret>,
    /// A token. It takes precedence; Twitch knows which client and user it belongs to.
    pub token: Option<Secret>,
    /// The user in cache keys, if it is known beforehand; otherwise Twitch is asked.
    pub user: Option<String>,
    /// The file that remembers the user of each token. It never contains a token.
    pub file: Option<PathBuf>,
    /// An account that signed in, with the file that it is in. It takes precedence over the token.
    pub account: Option<(Accounts, Account)>,
    /// Where the token of the application is kept until it expires.
    pub accounts: Option<Accounts>,
    /// Why it is not known which account to use. It is the error of the first request that needs an identity, so that a
    /// run without such a request is not stopped; without it, the other fields count.
    pub unknown: Option<Error>,
}

impl IdentitySettings {
    /// Adds what must not be printed to the known secrets.
    pub(crate) fn register(&self, secrets: &Secrets) {
        let own = self.client_secret.iter().chain(&self.token);
        own.for_each(|secret| secrets.add_secret(secret));
        if let Some((_, account)) = &self.account {
            account.register(secrets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bare_token;

    #[test]
    fn what_is_copied_with_a_token_is_taken_off() {
        for text in [
            "abc",
            " abc\n",
            "oauth:abc",
            "OAuth:abc",
            "OAuth abc",
            "Bearer abc",
            "bearer  abc",
            "\"abc\"",
            "'oauth:abc'",
            "\"Bearer abc\"",
        ] {
            assert_eq!(bare_token(text), "abc", "{text}");
        }
        assert_eq!(bare_token("oauth"), "oauth");
        assert_eq!(bare_token("\u{e9}\u{e9}\u{e9}\u{e9}"), "\u{e9}\u{e9}\u{e9}\u{e9}");
    }
}
