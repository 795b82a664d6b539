//! The definition of an endpoint: its path, its page size and the policy for its answers.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use crate::raw::{GqlForm, PageStyle, Pages, Policy, RawApi, Request, Service};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One endpoint of a service.
#[derive(Debug)]
pub(crate) struct Endpoint {
    service: Service,
    /// The path below the service's base URL; `*` matches one segment.
    path: &'static str,
    /// The GQL operation, by its name in the table of GQL operations.
    operation: Option<&'static str>,
    /// Only requests without parameters match.
    without_parameters: bool,
    /// The largest page size.
    largest_page: u32,
    /// The member of its answers that is a list, for an endpoint that returns one.
    list: Option<&'static str>,
    /// The policy for its answers.
    pub policy: Policy,
}

impl Endpoint {
    /// An endpoint for GET requests.
    pub const fn get(service: Service, path: &'static str, policy: Policy) -> Endpoint {
        Endpoint {
            service,
            path,
            operation: None,
            without_parameters: false,
            largest_page: 100,
            list: None,
            policy,
        }
    }

    /// A list of Helix. Its largest page has 100 rows unless [`Endpoint::largest_page`] changes that.
    pub const fn helix(path: &'static str, policy: Policy) -> Endpoint {
        Endpoint::get(Service::Helix, path, policy).list("data")
    }

    /// A GQL operation.
    pub const fn gql(operation: &'static str, policy: Policy) -> Endpoint {
        let mut endpoint = Endpoint::get(Service::Gql, "", policy);
        endpoint.operation = Some(operation);
        endpoint
    }

    /// The endpoint without parameters, where that is a different query.
    pub const fn without_parameters(mut self) -> Endpoint {
        self.without_parameters = true;
        self
    }

    /// Sets the largest page size.
    pub const fn largest_page(mut self, rows: u32) -> Endpoint {
        self.largest_page = rows;
        self
    }

    /// Names the list of its answers.
    pub const fn list(mut self, member: &'static str) -> Endpoint {
        self.list = Some(member);
        self
    }

    /// Its path, for messages.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// A request to the endpoint.
    pub fn request(&self) -> Request {
        self.request_to(self.path.to_owned())
    }

    fn request_to(&self, path: String) -> Request {
        let mut request = Request::get(self.service, path).policy(self.policy.clone());
        request.list = self.list.map(Cow::Borrowed);
        request
    }

    /// A request to the endpoint, with a value for the `*` in its path.
    pub fn request_for(&self, segment: &str) -> Request {
        self.request_to(self.path.replace('*', segment))
    }

    /// A request for this GQL operation.
    pub fn operation(&self, form: GqlForm, variables: Value) -> Request {
        let operation = self.operation.unwrap_or_default();
        Request::gql(operation, form, self.largest_page, variables).policy(self.policy.clone())
    }

    /// A walk over the endpoint's pages, for an endpoint of Helix.
    pub fn pages(&self, api: &RawApi, request: Request) -> Pages {
        Pages::new(api.clone(), request, PageStyle::Helix, self.largest_page)
    }

    /// An example of a request to the endpoint.
    #[cfg(test)]
    pub fn example(&self) -> Request {
        let request = match self.operation {
            Some(operation) => Request::gql(operation, GqlForm::Query, 0, Value::Null),
            None => Request::get(self.service, self.path.replace('*', "x")),
        };
        match self.without_parameters {
            true => request,
            false => request.query("id", 1),
        }
    }

    /// Whether a request is for this endpoint.
    pub fn is_asked_by(&self, request: &Request) -> bool {
        self.service == request.service
            && fits(self.path, &request.path)
            && (!self.without_parameters || request.query.is_empty())
            && self.operation.is_none_or(|operation| asks(request, operation))
    }
}

/// Whether a path matches a pattern.
fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|wanted| {
        segments
            .next()
            .is_some_and(|segment| wanted == "*" || wanted == segment)
    }) && segments.next().is_none()
}

/// Whether a request is for a GQL operation. A request with its own query text can be for anything.
fn asks(request: &Request, operation: &str) -> bool {
    let named = request.body.as_ref().and_then(|body| body.get("operation")?.as_str());
    named.is_none_or(|named| named == operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment() {
        for (pattern, path, expected) in [
            ("users", "users", true),
            ("users", "users/follows", false),
            ("users/*", "users/a", true),
            ("users/*", "users", false),
            ("users/*/follows", "users/a/follows", true),
            ("users/*/follows", "users/a/b", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
