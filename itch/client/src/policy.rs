//! What holds for a request's answers, also where nobody has said it.
//!
//! A request to an endpoint of itch's own brings its [`Policy`], and so may one of a plugin's; `itch-api` knows what
//! holds for the others that it has a file for. What is left is asked for anew after an hour. On Helix the asking user
//! then counts as part of the question: at worst a public answer is fetched twice, never is one person's view shown to
//! another.

use std::time::Duration;

use itch_api::{Policy, Request, Service};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What holds for the answers to a request.
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
        // A plugin may know better, but not about what itch knows.
        let own = Policy::everybody(HOUR);
        assert_eq!(policy(&Request::helix("some/new/thing").policy(own.clone())), own);
        assert_eq!(policy(&Request::helix("channels/followed").policy(own)), Policy::user(HOUR));
    }
}
