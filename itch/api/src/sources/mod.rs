//! The sources: the requests for each query of the domain layer. They import the raw layer only.

mod endpoint;
mod legacy;
mod parameters;
mod seen;
mod source;
mod twitch;

pub use parameters::{ChatParameters, Direction, FollowersParameters, FollowingParameters, PastStreamsParameters};
pub use source::{ChannelLookup, FollowerTotal, Listing, Rows, Source, SourceName};

use crate::raw::{Policy, Request};

/// The source for a name.
pub(crate) fn source(name: SourceName) -> &'static dyn Source {
    match name {
        SourceName::Twitch => &twitch::Twitch,
        SourceName::Legacy => &legacy::Legacy,
    }
}

/// The policy for the answers to a request: its own, or else that of the known endpoint. `None` if there is neither:
/// the endpoint is then unknown to itch, and the most careful policy applies.
///
/// If the endpoint is known, an answer is never shared with more users than the endpoint's own policy allows.
pub fn policy_of(request: &Request) -> Option<Policy> {
    let mut endpoints = twitch::ENDPOINTS.iter().chain(legacy::ENDPOINTS);
    let known = endpoints
        .find(|endpoint| endpoint.is_asked_by(request))
        .map(|endpoint| &endpoint.policy);
    match (request.policy.clone(), known) {
        (Some(own), Some(known)) => Some(own.no_wider_than(known)),
        (own, known) => own.or_else(|| known.cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint::{DAY, HOUR, MINUTE};
    use super::*;
    use crate::raw::{GqlForm, Service};
    use serde_json::json;

    #[test]
    fn what_is_known_of_an_endpoint_holds_for_a_request_that_says_nothing() {
        let users = Request::helix("users").query("id", 1);
        let kraken = |path: &str| Request::get(Service::Kraken, path);
        for (request, expected) in [
            (users.clone(), Policy::user_with(DAY, "user:read:email")),
            (Request::helix("users"), Policy::user(DAY)),
            (Request::helix("channels/followers"), Policy::user(HOUR).rows_hidden()),
            (Request::helix("streams"), Policy::everybody(MINUTE)),
            (Request::helix("streams/followed"), Policy::user(MINUTE)),
            (Request::helix("chat/chatters"), Policy::user(MINUTE)),
            (Request::helix("games/top"), Policy::everybody(HOUR)),
            (Request::get(Service::Tmi, "group/user/burkeblack/chatters"), Policy::everybody(MINUTE)),
            (kraken("channels/burkeblack/follows"), Policy::everybody(HOUR)),
            (kraken("users/burkeblack"), Policy::everybody(DAY)),
            (kraken("streams/burkeblack"), Policy::everybody(MINUTE)),
            (Request::get(Service::Rechat, ""), Policy::everybody(HOUR).errors_are_data()),
        ] {
            assert_eq!(policy_of(&request), Some(expected), "{request}");
        }
        assert_eq!(policy_of(&Request::helix("some/new/thing")), None);
        assert_eq!(policy_of(&kraken("some/old/thing")), None);
        // The request's own policy comes first, but it cannot share an answer that is for one user only.
        let own = Policy::everybody(MINUTE);
        assert_eq!(policy_of(&Request::helix("some/new/thing").policy(own.clone())), Some(own.clone()));
        assert_eq!(policy_of(&users.policy(own.clone())), Some(Policy::user_with(MINUTE, "user:read:email")));
        let followers = Request::helix("channels/followers").policy(own);
        assert_eq!(policy_of(&followers), Some(Policy::user(MINUTE).rows_hidden()));
    }

    #[test]
    fn comments_are_known_by_their_operation() {
        let asked = |operation: &str| {
            let request = Request::gql(operation, GqlForm::Query, 0, json!({}));
            policy_of(&request).map(|policy| policy.page.is_some())
        };
        assert_eq!(asked("video-comments"), Some(true));
        assert_eq!(asked("video"), Some(false));
        assert_eq!(asked("something-else"), None);
        // A request with its own query text may ask for comments.
        let mut own = Request::get(Service::Gql, "");
        own.body = Some(json!({"query": "{ x }"}));
        assert!(policy_of(&own).unwrap().page.is_some());
    }

    /// An endpoint that is not listed still works, but requests of plugins to it get the most careful policy.
    #[test]
    fn every_endpoint_is_listed() {
        fn defined(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let count = |path: std::path::PathBuf| match path.is_dir() {
                true => defined(&path),
                false => std::fs::read_to_string(path).unwrap().matches(": Endpoint =").count(),
            };
            entries.map(count).sum()
        }
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sources");
        assert_eq!(defined(&sources.join("twitch")), twitch::ENDPOINTS.len());
        assert_eq!(defined(&sources.join("legacy")), legacy::ENDPOINTS.len());
    }

    #[test]
    fn no_endpoint_hides_another() {
        for endpoint in twitch::ENDPOINTS.iter().chain(legacy::ENDPOINTS) {
            let request = endpoint.example();
            assert_eq!(policy_of(&request).as_ref(), Some(&endpoint.policy), "{request}");
        }
    }
}
