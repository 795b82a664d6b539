//! What holds for the answers of an endpoint: how long they are fresh, who shares them, and which of them are stored.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who gets the same answer to the same request, and may so be given the stored one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CacheScope {
    /// Everybody.
    Everybody,
    /// The user who asks, with any token.
    #[default]
    User,
    /// Everybody, but for those whose token has this scope: their answers may hold something that is for them alone.
    UserWith(Cow<'static, str>),
}

/// What holds for the answers of one endpoint. It travels with the [`Request`](crate::Request) as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// For how many seconds a stored answer is fresh; an hour unless it is set.
    #[serde(default = "hour")]
    pub max_age: u64,
    /// Who shares a stored answer; nobody but the asking user unless it is set.
    #[serde(default)]
    pub scope: CacheScope,
    /// Whether a `total` above zero without a row means that this token may not see the rows. Such an answer is not
    /// stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rows_hidden: bool,
    /// Whether an answer with status 400 that holds `errors` is data, and stored as such.
    #[serde(default, skip_serializing_if = "is_false")]
    pub errors_are_data: bool,
    /// Where a page of a list that still grows says what it is; see [`Freshness::Growing`](crate::Freshness::Growing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageShape>,
}

/// Where a page has what tells whether it is whole and whether it is the last, as JSON Pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageShape {
    /// The list. Null where the service could not give it for the moment: then it is asked again.
    pub list: Cow<'static, str>,
    /// Its rows.
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
            errors_are_data: false,
            page: None,
        }
    }

    /// The same answer for everybody, fresh for so long (whole seconds count).
    pub const fn everybody(max_age: Duration) -> Policy {
        Policy::new(max_age, CacheScope::Everybody)
    }

    /// An answer for the asking user alone.
    pub const fn user(max_age: Duration) -> Policy {
        Policy::new(max_age, CacheScope::User)
    }

    /// The same answer for everybody but the users whose token has this scope.
    pub const fn user_with(max_age: Duration, scope: &'static str) -> Policy {
        Policy::new(max_age, CacheScope::UserWith(Cow::Borrowed(scope)))
    }

    /// With [`Policy::rows_hidden`].
    pub const fn rows_hidden(mut self) -> Policy {
        self.rows_hidden = true;
        self
    }

    /// With [`Policy::errors_are_data`].
    pub const fn errors_are_data(mut self) -> Policy {
        self.errors_are_data = true;
        self
    }

    /// With the shape of its pages.
    pub fn page(mut self, page: PageShape) -> Policy {
        self.page = Some(page);
        self
    }

    /// This policy where it is as careful as another, and the other where it is not.
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

    /// Whether an answer with this `total` and so many rows hides its rows from the token that asked.
    pub fn hides_rows(&self, total: Option<u64>, rows: usize) -> bool {
        self.rows_hidden && rows == 0 && total.is_some_and(|total| total > 0)
    }
}

impl PageShape {
    /// Whether the list is null where it should be.
    pub fn is_missing(&self, body: &Value) -> bool {
        body.pointer(&self.list).is_some_and(Value::is_null)
    }

    /// Whether this page has rows and is not the last: nothing will be added to it.
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
