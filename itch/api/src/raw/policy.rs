//! Policies for the answers of an endpoint: how long they are fresh, who shares them, and which of them are stored.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which users get the same answer to the same request, so that a stored answer can be shared among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CacheScope {
    /// All users.
    Everybody,
    /// Only the user who sent the request, with any token.
    #[default]
    User,
    /// All users whose token lacks this scope. With the scope, an answer may contain data for that user only.
    UserWith(Cow<'static, str>),
}

/// How to store and share the answers of one endpoint. It is part of the [`Request`](crate::Request), as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// For how many seconds a stored answer is fresh (default: an hour).
    #[serde(default = "hour")]
    pub max_age: u64,
    /// Who shares a stored answer (default: only the user who sent the request).
    #[serde(default)]
    pub scope: CacheScope,
    /// Whether a `total` above zero without rows means that the token may not see the rows. Such an answer is not
    /// stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rows_hidden: bool,
    /// For how many seconds an answer is fresh that has fewer rows than its request has parameters: it says that
    /// something does not exist, which may change. `None`: as long as any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete_max_age: Option<u64>,
    /// Whether an answer with status 400 that contains `errors` is valid data, and is stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub errors_are_data: bool,
    /// Where to find the page data of a list that still grows; see [`Freshness::Growing`](crate::Freshness::Growing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageShape>,
}

/// Where a page says whether it is complete and whether it is the last, as JSON Pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageShape {
    /// The list. Null if the service temporarily could not return it; the request is then retried.
    pub list: Cow<'static, str>,
    /// The rows of the list.
    pub rows: Cow<'static, str>,
    /// `true` if there is a page after this one.
    pub more: Cow<'static, str>,
}

fn hour() -> u64 {
    60 * 60
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Policy {
    const fn new(max_age: Duration, scope: CacheScope) -> Policy {
        Policy {
            max_age: max_age.as_secs(),
            scope,
            rows_hidden: false,
            incomplete_max_age: None,
            errors_are_data: false,
            page: None,
        }
    }

    /// The same answer for all users, fresh for this long (in whole seconds).
    pub const fn everybody(max_age: Duration) -> Policy {
        Policy::new(max_age, CacheScope::Everybody)
    }

    /// An answer only for the user who sent the request.
    pub const fn user(max_age: Duration) -> Policy {
        Policy::new(max_age, CacheScope::User)
    }

    /// The same answer for all users, except those whose token has this scope.
    pub const fn user_with(max_age: Duration, scope: &'static str) -> Policy {
        Policy::new(max_age, CacheScope::UserWith(Cow::Borrowed(scope)))
    }

    /// Sets [`Policy::rows_hidden`].
    pub const fn rows_hidden(mut self) -> Policy {
        self.rows_hidden = true;
        self
    }

    /// Sets [`Policy::incomplete_max_age`].
    pub const fn incomplete_max_age(mut self, age: Duration) -> Policy {
        self.incomplete_max_age = Some(age.as_secs());
        self
    }

    /// Sets [`Policy::errors_are_data`].
    pub const fn errors_are_data(mut self) -> Policy {
        self.errors_are_data = true;
        self
    }

    /// Sets the shape of its pages.
    pub fn page(mut self, page: PageShape) -> Policy {
        self.page = Some(page);
        self
    }

    /// Limits the scope of this policy to that of another. Rows may be hidden if either policy says so.
    pub(crate) fn no_wider_than(mut self, other: &Policy) -> Policy {
        let wider = match (&self.scope, &other.scope) {
            (_, CacheScope::Everybody) | (CacheScope::User, _) => false,
            (own, known) => own != known,
        };
        if wider {
            self.scope = other.scope.clone();
        }
        self.rows_hidden |= other.rows_hidden;
        self
    }

    /// Whether an answer with this `total` and this many rows hides its rows from the token.
    pub fn hides_rows(&self, total: Option<u64>, rows: usize) -> bool {
        self.rows_hidden && rows == 0 && total.is_some_and(|total| total > 0)
    }
}

impl PageShape {
    /// Whether the list is null.
    pub fn is_missing(&self, body: &Value) -> bool {
        body.pointer(&self.list).is_some_and(Value::is_null)
    }

    /// Whether this page has rows and is not the last, so that no rows will be added to it.
    pub fn is_inner(&self, body: &Value) -> bool {
        let rows = body.pointer(&self.rows).and_then(Value::as_array);
        rows.is_some_and(|rows| !rows.is_empty()) && body.pointer(&self.more) == Some(&Value::Bool(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_a_policy_does_not_say_is_careful() {
        let read: Policy = serde_json::from_value(json!({})).unwrap();
        assert_eq!(read, Policy::user(Duration::from_secs(3600)));
        let read: Policy = serde_json::from_value(json!({"scope": {"user-with": "user:read:email"}})).unwrap();
        assert_eq!(read.scope, CacheScope::UserWith("user:read:email".into()));
        let written = serde_json::to_value(Policy::everybody(MINUTE)).unwrap();
        assert_eq!(written, json!({"max_age": 60, "scope": "everybody"}));
    }

    #[test]
    fn a_known_endpoint_stays_as_careful_as_it_is() {
        let (all, user) = (Policy::everybody(MINUTE), Policy::user(MINUTE));
        let email = Policy::user_with(MINUTE, "user:read:email");
        let other = Policy::user_with(MINUTE, "other");
        for (own, known, scope) in [
            (&all, &all, &all),
            (&all, &user, &user),
            (&all, &email, &email),
            (&email, &all, &email),
            (&email, &user, &user),
            (&user, &all, &user),
            (&user, &email, &user),
            (&other, &email, &email),
        ] {
            assert_eq!(own.clone().no_wider_than(known).scope, scope.scope, "{own:?} {known:?}");
        }
        assert!(all.no_wider_than(&user.rows_hidden()).rows_hidden);
    }
}
