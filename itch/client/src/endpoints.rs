//! The one table of endpoints: how fresh their answers are by themselves, and whether a user decides them.
//!
//! An endpoint that is not listed keeps its answers for an hour. On Helix the asking user then counts as part of
//! the question: at worst a public answer is fetched twice, never is one person's view shown to another.

use std::time::Duration;

use itch_api::{Request, Service};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who sees the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Everybody.
    Everybody,
    /// The tokens of one user.
    Asker,
    /// Everybody, but for those whose token has this scope: they find something in it that is for them alone. Nobody
    /// is asked who they are before a stored answer for everybody will do.
    AskerWith(&'static str),
}

/// What holds for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// How long an answer stays good.
    pub max_age: Duration,
    /// Whether two users may get different answers.
    pub view: View,
    /// Whether a total above zero without a row only means that this token may not see the rows.
    pub rows_hidden: bool,
}

/// The same for everyone.
const fn public(max_age: Duration) -> Rule {
    Rule {
        max_age,
        view: View::Everybody,
        rows_hidden: false,
    }
}

/// Depends on who asks.
const fn personal(max_age: Duration) -> Rule {
    Rule {
        view: View::Asker,
        ..public(max_age)
    }
}

/// Service, path (`*` stands for one segment), rule. Facts about Helix are from
/// dev.twitch.tv/docs/api/reference, those about the old services from justintv/Twitch-API, `v3_resources`.
const TABLE: &[(Service, &str, Rule)] = &[
    // The row of whoever asks has the email, if the token may see it.
    (
        Service::Helix,
        "users",
        Rule {
            view: View::AskerWith("user:read:email"),
            ..public(DAY)
        },
    ),
    (Service::Helix, "channels", public(HOUR)),
    (
        Service::Helix,
        "channels/followers",
        Rule {
            rows_hidden: true,
            ..personal(HOUR)
        },
    ),
    (Service::Helix, "streams", public(MINUTE)),
    (Service::Helix, "streams/followed", personal(MINUTE)),
    (Service::Helix, "chat/chatters", personal(MINUTE)),
    (Service::Helix, "chat/emotes", public(HOUR)),
    (Service::Helix, "chat/emotes/global", public(HOUR)),
    (Service::Helix, "chat/badges", public(HOUR)),
    (Service::Helix, "chat/badges/global", public(HOUR)),
    (Service::Helix, "videos", public(HOUR)),
    (Service::Helix, "clips", public(HOUR)),
    (Service::Helix, "games", public(HOUR)),
    (Service::Helix, "games/top", public(HOUR)),
    (Service::Helix, "search/categories", public(HOUR)),
    (Service::Helix, "search/channels", public(HOUR)),
    (Service::Kraken, "streams/*", public(MINUTE)),
    (Service::Tmi, "group/user/*/chatters", public(MINUTE)),
    (Service::Kraken, "users/*", public(DAY)),
];

/// The rule for a request.
pub(crate) fn rule(request: &Request) -> Rule {
    let listed = TABLE
        .iter()
        .find(|(service, pattern, _)| *service == request.service && fits(pattern, &request.path));
    match listed {
        // Without a name `users` means whoever asks.
        Some((Service::Helix, "users", rule)) if request.query.is_empty() => personal(rule.max_age),
        Some((_, _, rule)) => *rule,
        None if request.service == Service::Helix => personal(HOUR),
        None => public(HOUR),
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern
        .split('/')
        .all(|wanted| segments.next().is_some_and(|s| wanted == "*" || wanted == s))
        && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found() {
        let users = Request::helix("users").query("id", 1);
        assert_eq!(rule(&users).max_age, DAY);
        assert_eq!(rule(&users).view, View::AskerWith("user:read:email"));
        assert_eq!(rule(&Request::helix("users")), personal(DAY));
        let followers = rule(&Request::helix("channels/followers"));
        assert!(followers.view == View::Asker && followers.rows_hidden);
        assert_eq!(rule(&Request::helix("streams")), public(MINUTE));
        assert_eq!(rule(&Request::helix("some/new/thing")), personal(HOUR));
        let chatters = Request::get(Service::Tmi, "group/user/burkeblack/chatters");
        assert_eq!(rule(&chatters), public(MINUTE));
        let follows = Request::get(Service::Kraken, "channels/burkeblack/follows");
        assert_eq!(rule(&follows), public(HOUR));
    }
}
