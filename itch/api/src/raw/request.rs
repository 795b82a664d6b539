//! Requests: a service, a path, a query or a body, and how fresh the answer must be.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Policy;
use super::members::members;

/// A service that itch sends requests to. Each has a canonical address and a setting for its base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Service {
    /// The current official API (dev.twitch.tv/docs/api).
    Helix,
    /// Twitch's private GraphQL service, the only source of VOD chat.
    Gql,
    /// Sign-in (dev.twitch.tv/docs/authentication).
    OAuth,
    /// The API of 2011 to 2022, with the data format of version 3 (justintv/Twitch-API).
    Kraken,
    /// The chat host that listed chatters until April 2023.
    Tmi,
    /// The chat replay service of 2016 and 2017.
    Rechat,
    /// loots.com, which listed past broadcasts.
    Loots,
}

impl Service {
    /// Every service.
    pub const ALL: [Service; 7] = [
        Service::Helix,
        Service::Gql,
        Service::OAuth,
        Service::Kraken,
        Service::Tmi,
        Service::Rechat,
        Service::Loots,
    ];

    /// The address of the service on the internet, without a trailing slash.
    pub const fn canonical(self) -> &'static str {
        match self {
            Service::Helix => "https://api.twitch.tv/helix",
            Service::Gql => "https://gql.twitch.tv/gql",
            Service::OAuth => "https://id.twitch.tv/oauth2",
            Service::Kraken => "https://api.twitch.tv/kraken",
            Service::Tmi => "https://tmi.twitch.tv",
            Service::Rechat => "https://rechat.twitch.tv/rechat-messages",
            Service::Loots => "https://loots.com/api/v1/",
        }
    }

    /// The environment variable that replaces [`Service::canonical`].
    pub const fn url_variable(self) -> &'static str {
        match self {
            Service::Helix => "TWITCH_HELIX_URL",
            Service::Gql => "TWITCH_GQL_URL",
            Service::OAuth => "TWITCH_OAUTH2_URL",
            Service::Kraken => "TWITCH_KRAKEN_URL",
            Service::Tmi => "TWITCH_TMI_URL",
            Service::Rechat => "TWITCH_RECHAT_URL",
            Service::Loots => "TWITCH_LOOTS_URL",
        }
    }

    /// Whether it is one of the services of the original itch (2016).
    pub fn is_legacy(self) -> bool {
        matches!(self, Service::Kraken | Service::Tmi | Service::Rechat | Service::Loots)
    }

    /// The name in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Service::Helix => "helix",
            Service::Gql => "gql",
            Service::OAuth => "oauth",
            Service::Kraken => "kraken",
            Service::Tmi => "tmi",
            Service::Rechat => "rechat",
            Service::Loots => "loots",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How old a stored answer may be. The options on the command line take precedence, except over [`Freshness::Fresh`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Freshness {
    /// As defined by the [`Policy`] of the endpoint.
    #[default]
    Endpoint,
    /// Never use a stored answer. The new answer is still stored.
    Fresh,
    /// At most this many seconds old.
    MaxAge(u64),
    /// The answer never changes: any age is accepted.
    Immutable,
    /// A list that still grows at its end: every page except the last may be stored.
    Growing,
}

/// How a GQL query is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GqlForm {
    /// As its text.
    #[default]
    Query,
    /// As the hash of a query that the service has stored.
    Persisted,
}

fn is_first(client: &usize) -> bool {
    *client == 0
}

/// The position of a request in a walk over pages.
///
/// The first page decides for the whole walk: if it came from a cache, later pages may too, whatever their age; if it
/// was fetched, all pages are fetched. So a walk never mixes two states of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Identifies the walk within this process.
    pub id: u64,
    /// The index of the page, from 0.
    pub page: u64,
}

impl Chain {
    /// The first page of a new walk.
    pub fn start() -> Chain {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Chain {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            page: 0,
        }
    }

    /// The page after this one.
    pub fn next(self) -> Chain {
        Chain {
            id: self.id,
            page: self.page + 1,
        }
    }
}

/// A request as plain data: it can be compared, stored, and sent across the plugin boundary as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The service.
    pub service: Service,
    /// The path below the service's base URL, without a leading slash.
    #[serde(default)]
    pub path: String,
    /// Query text that is put into the URL unchanged, before [`Request::query`]: percent-encoded, without `?`. The
    /// original itch wrote some of its URLs this way, and its cache keys contain them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inline_query: String,
    /// Query parameters, in the order in which they are sent. A name may occur more than once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// A JSON body. A request with a body is a POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The index of the known GQL client id to use, from 0. It affects access, never the content of the answer.
    #[serde(default, skip_serializing_if = "is_first")]
    pub gql_client: usize,
    /// How old a stored answer may be.
    #[serde(default)]
    pub freshness: Freshness,
    /// The position in a walk over pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// The member of a good answer that is a list, such as `data`. An answer without it is a temporary fault of the
    /// service: the request is retried, and the answer is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Cow<'static, str>>,
    /// The policy for the answers. `None`: use what itch knows about the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

impl Request {
    /// A GET request for a path below the service's base URL.
    pub fn get(service: Service, path: impl Into<String>) -> Request {
        Request {
            service,
            path: path.into(),
            inline_query: String::new(),
            query: Vec::new(),
            body: None,
            gql_client: 0,
            freshness: Freshness::Endpoint,
            chain: None,
            list: None,
            policy: None,
        }
    }

    /// A GQL query, by its name in the host's table of GQL operations, with its variables and, for lists, the page
    /// size. `form` says whether to send the text of the query or the hash of a stored one.
    pub fn gql(operation: &str, form: GqlForm, page_size: u32, variables: Value) -> Request {
        let body = serde_json::json!({
            "operation": operation,
            "form": form,
            "page_size": page_size,
            "variables": variables,
        });
        Request {
            body: Some(body),
            ..Request::get(Service::Gql, "")
        }
    }

    /// A GET request for a Helix endpoint, such as `channels/followers`.
    pub fn helix(path: impl Into<String>) -> Request {
        Request::get(Service::Helix, path)
    }

    /// Adds a query parameter. If the name exists, this adds a second value.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Request {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets a query parameter and replaces its previous values.
    pub fn set_query(&mut self, name: &str, value: impl fmt::Display) {
        let value = value.to_string();
        match self.query.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => pair.1 = value,
            None => self.query.push((name.to_owned(), value)),
        }
    }

    /// Do not accept a stored answer.
    pub fn fresh(mut self) -> Request {
        self.freshness = Freshness::Fresh;
        self
    }

    /// Accept a stored answer of at most this age.
    pub fn max_age(mut self, age: Duration) -> Request {
        self.freshness = Freshness::MaxAge(age.as_secs());
        self
    }

    /// Sets how old a stored answer may be.
    pub fn freshness(mut self, freshness: Freshness) -> Request {
        self.freshness = freshness;
        self
    }

    /// Sets the policy for the answers, for an endpoint that itch does not know. If itch knows the endpoint, answers
    /// are never shared with more users than the policy of itch allows.
    pub fn policy(mut self, policy: Policy) -> Request {
        self.policy = Some(policy);
        self
    }

    /// Names the list of a good answer.
    pub fn list(mut self, member: impl Into<Cow<'static, str>>) -> Request {
        self.list = Some(member.into());
        self
    }

    /// Whether the body of an answer has the list that was named; true if none was.
    pub fn has_its_list(&self, body: &[u8]) -> bool {
        let Some(list) = &self.list else { return true };
        matches!(members(body, [&**list]), Ok([Some(found)]) if found.get().starts_with('['))
    }

    /// Makes the request part of a walk over pages.
    pub fn chain(mut self, chain: Chain) -> Request {
        self.chain = Some(chain);
        self
    }
}

impl fmt::Display for Request {
    /// For logs: `helix channels/followers?broadcaster_id=1&first=100`. A request contains no secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.path)?;
        let mut mark = '?';
        if !self.inline_query.is_empty() {
            write!(f, "{mark}{}", self.inline_query)?;
            mark = '&';
        }
        for (name, value) in &self.query {
            write!(f, "{mark}{name}={value}")?;
            mark = '&';
        }
        if let Some(body) = &self.body {
            write!(f, "{body}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The members are those of the C header. Plugins that were built before `policy` existed do not send it.
    #[test]
    fn a_request_is_read_with_and_without_what_came_later() {
        let text = json!({"service": "helix", "path": "x", "query": [["id", "1"]], "freshness": {"max-age": 60}});
        let read: Request = serde_json::from_value(text.clone()).unwrap();
        let expected = Request::helix("x").query("id", 1).max_age(Duration::from_secs(60));
        assert_eq!(read, expected);
        assert_eq!(serde_json::to_value(&expected).unwrap(), text);
        let mut text = text;
        text["policy"] = json!({"max_age": 60, "scope": "everybody"});
        let read: Request = serde_json::from_value(text.clone()).unwrap();
        let expected = expected.policy(Policy::everybody(Duration::from_secs(60)));
        assert_eq!(read, expected);
        assert_eq!(serde_json::to_value(&expected).unwrap(), text);
    }
}
