//! Says why a service refused an identity, by what is known of it: three causes, three sentences.

use itch_api::{Error, ErrorKind, Service};
use itch_client::{Who, WhoSource};
use itch_plugin::ReportSpec;

/// The error of a report that Twitch refused, with the reason that is known: an app token, a missing scope, or a user who
/// is not a moderator of the channel, or not its owner.
pub(crate) fn explain(error: Error, spec: &ReportSpec, channel: Option<&str>, who: &Who) -> Error {
    // An error of the sign-in service says by itself why.
    let refused = error.kind == ErrorKind::SignIn && error.service == Some(Service::Helix);
    let Some(first) = spec.scopes.first().filter(|_| refused) else {
        return error;
    };
    let report = &spec.name;
    if who.source == WhoSource::App {
        return error
            .context(format!("`{report}` needs the token of a user, and this is an app token"))
            .hint(format!("itch login --for {report}"));
    }
    let whose = match &who.login {
        Some(login) => format!("the token of `{login}`"),
        None => "the token".to_owned(),
    };
    let again = match (&who.login, who.source) {
        (Some(login), WhoSource::Account) => format!("itch login --for {report} --as {login}"),
        _ => format!("itch login --for {report}"),
    };
    let Some(granted) = &who.scopes else {
        return error;
    };
    let lacks: Vec<String> = spec
        .scopes
        .iter()
        .filter(|scope| !granted.contains(scope))
        .map(|scope| format!("`{scope}`"))
        .collect();
    if !lacks.is_empty() {
        let scopes = match lacks.len() {
            1 => "the scope",
            _ => "the scopes",
        };
        return error
            .context(format!("{whose} lacks {scopes} {}, which `{report}` needs", lacks.join(" and ")))
            .hint(again);
    }
    let (Some(login), Some(channel)) = (&who.login, channel) else {
        return error;
    };
    if first.starts_with("moderator:") {
        return error
            .context(format!("`{login}` is not a moderator of `{channel}`"))
            .hint(format!("`itch login --for {report}`, and sign in as `{channel}` or as one of its moderators"));
    }
    error
        .context(format!("`{login}` is not `{channel}`, who alone may see this"))
        .hint(format!("`itch login --for {report}`, and sign in as `{channel}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(scope: &str, who: &Who, channel: Option<&str>) -> (String, Option<String>) {
        let error = Error::new(ErrorKind::SignIn, "refused").at(Service::Helix, Some(401));
        let mut spec = ReportSpec::new("followers", "x");
        spec.scopes = vec![scope.to_owned()];
        let error = explain(error, &spec, channel, who);
        (error.message, error.hint)
    }

    fn who(source: WhoSource, scopes: &[&str]) -> Who {
        let mut who = Who::default();
        who.source = source;
        who.login = (source != WhoSource::App).then(|| "seven".to_owned());
        who.scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
        who
    }

    #[test]
    fn each_cause_has_its_sentence_and_command() {
        let scope = "moderator:read:followers";
        let (text, hint) = sentence(scope, &who(WhoSource::App, &[]), Some("x"));
        assert_eq!(text, "`followers` needs the token of a user, and this is an app token");
        assert_eq!(hint.unwrap(), "itch login --for followers");
        let (text, hint) = sentence(scope, &who(WhoSource::Account, &["other"]), Some("x"));
        assert_eq!(text, format!("the token of `seven` lacks the scope `{scope}`, which `followers` needs"));
        assert_eq!(hint.unwrap(), "itch login --for followers --as seven");
        let (text, _) = sentence(scope, &who(WhoSource::Token, &[scope]), Some("x"));
        assert_eq!(text, "`seven` is not a moderator of `x`");
        let (text, _) = sentence("user:read:follows", &who(WhoSource::Token, &["user:read:follows"]), Some("x"));
        assert_eq!(text, "`seven` is not `x`, who alone may see this");
        assert_eq!(sentence(scope, &Who::default(), None).0, "refused");
    }
}
