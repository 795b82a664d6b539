//! The policy for the answers to a request, with a default if none is known.
//!
//! A request to an endpoint of itch has a [`Policy`], and a request of a plugin may have one; `itch-api` knows the
//! policies of its other endpoints. For the rest, answers are fresh for an hour, and on Helix the user is part of the
//! cache key: at worst a public answer is fetched twice, but one user's answer is never shown to another.

use std::time::Duration;

use itch_api::{Policy, Request, Service};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The policy for the answers to a request.
pub(crate) fn policy(request: &Request) -> Policy {
    itch_api::policy_of(request).unwrap_or_else(|| match request.service {
        Service::Helix => Policy::user(HOUR),
        _ => Policy::everybody(HOUR),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_endpoint_of_helix_depends_on_who_asks() {
        assert_eq!(policy(&Request::helix("some/new/thing")), Policy::user(HOUR));
        assert_eq!(policy(&Request::get(Service::Kraken, "some/old/thing")), Policy::everybody(HOUR));
        // A plugin may set a policy, but not for an endpoint that itch knows.
        let own = Policy::everybody(HOUR);
        assert_eq!(policy(&Request::helix("some/new/thing").policy(own.clone())), own);
        assert_eq!(policy(&Request::helix("channels/followed").policy(own)), Policy::user(HOUR));
    }
}
