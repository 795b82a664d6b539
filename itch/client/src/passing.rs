//! Judges answers of GraphQL: which of them are faults that may pass, and which say something only when they come twice.
//!
//! GraphQL reports faults with a success status: as errors, as null data, or as null in the place of a list
//! (lay295/TwitchDownloader and xenova/chat-downloader retry these too). Unknown errors count as faults. Errors beside
//! good data do not matter here: what they name is null, and is counted where the data is read.

use itch_api::{GqlError, GqlErrorKind, PageShape, Policy, Request, Service, gql_errors, json_part};

use crate::retry::Trouble;
use crate::wire::Answer;

/// What to do with an answer.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// Use it.
    Final,
    /// Ask again until the tries are used up.
    Passing(Trouble),
    /// Ask again once for each kind of doubt: the same answer twice is true.
    Doubtful(Doubt, Trouble),
}

/// An answer that services also send by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// There is no query under a hash (DevilXD/TwitchDropsMiner issues 520 and 952).
    UnknownHash,
    /// What was asked for does not exist.
    NoSuchThing,
}

/// Judges an answer. `subject` is where an answer to this GQL operation has what was asked for, as a JSON Pointer.
pub(crate) fn judge(request: &Request, policy: &Policy, subject: Option<&str>, answer: &Answer) -> Judgement {
    match request.service {
        Service::Gql => judge_gql(policy, subject, answer),
        _ => Judgement::Final,
    }
}

fn judge_gql(policy: &Policy, subject: Option<&str>, answer: &Answer) -> Judgement {
    // Twitch's service sends its errors with 200; gateways and other versions of it with 400 and 403.
    if !answer.is_success() && !matches!(answer.status, 400 | 403) {
        return Judgement::Final;
    }
    // Without a subject, the request has its own query text, and the policy's page need not fit.
    let page = policy.page.as_ref().filter(|_| subject.is_some());
    if answer.is_success() && is_good(page, subject, answer) {
        return Judgement::Final;
    }
    let errors = gql_errors(&answer.body);
    let of = |kind: GqlErrorKind| errors.iter().find(|error| error.kind == kind);
    if of(GqlErrorKind::Integrity).or(of(GqlErrorKind::Client)).is_some() {
        return Judgement::Final;
    }
    if let Some(error) = of(GqlErrorKind::UnknownHash) {
        return Judgement::Doubtful(Doubt::UnknownHash, answered(answer, error));
    }
    if of(GqlErrorKind::Invalid).is_some() {
        return Judgement::Final;
    }
    if let Some(error) = errors.first() {
        return Judgement::Passing(answered(answer, error));
    }
    if !answer.is_success() {
        return Judgement::Passing(trouble(answer, format!("answered {}", answer.status)));
    }
    let what = trouble(answer, "answered without data".to_owned());
    match subject.is_some_and(|subject| starts_with(answer, subject, 'n')) {
        true => Judgement::Doubtful(Doubt::NoSuchThing, what),
        false => Judgement::Passing(what),
    }
}

/// Whether an answer has what was asked for.
fn is_good(page: Option<&PageShape>, subject: Option<&str>, answer: &Answer) -> bool {
    match (page, subject) {
        (Some(page), _) => starts_with(answer, &page.rows, '['),
        (None, Some(subject)) => starts_with(answer, subject, '{'),
        // A query of a plugin: something of its data is enough, and without errors also null.
        (None, None) => answer
            .shape
            .is_some_and(|shape| !shape.no_data && (!shape.errors || has_something(answer))),
    }
}

/// Whether any member of `data` is not null.
fn has_something(answer: &Answer) -> bool {
    let data = json_part(&answer.body, "/data").map_or("", |data| data.get());
    let members = serde_json::from_str::<std::collections::HashMap<String, &serde_json::value::RawValue>>(data);
    members.is_ok_and(|members| members.values().any(|member| member.get() != "null"))
}

/// Whether an answer may be stored. `null` in the place of what was asked for is not: it changes, or was a mistake.
pub(crate) fn may_be_stored(subject: Option<&str>, answer: &Answer) -> bool {
    subject.is_none_or(|subject| starts_with(answer, subject, '{'))
}

/// Whether a member is there and is of the type that begins with this character.
fn starts_with(answer: &Answer, pointer: &str, first: char) -> bool {
    json_part(&answer.body, pointer).is_some_and(|part| part.get().starts_with(first))
}

fn answered(answer: &Answer, error: &GqlError) -> Trouble {
    trouble(answer, format!("answered \"{}\"", error.message))
}

fn trouble(answer: &Answer, what: String) -> Trouble {
    Trouble {
        status: Some(answer.status),
        ..Trouble::new(what)
    }
}

#[cfg(test)]
mod tests {
    use itch_api::{GqlForm, policy_of};
    use serde_json::json;

    use super::*;
    use crate::body::Shape;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: body.into(),
            shape: Shape::of(body.as_bytes()),
        }
    }

    fn judged(operation: &str, status: u16, body: &str) -> &'static str {
        let mut request = Request::gql(operation, GqlForm::Persisted, 100, json!({}));
        let mut subject = Some("/data/video");
        if operation.is_empty() {
            request.body = Some(json!({"query": "{ a }"}));
            subject = None;
        }
        let policy = policy_of(&request).unwrap();
        match judge(&request, &policy, subject, &answer(status, body)) {
            Judgement::Final => "final",
            Judgement::Passing(_) => "passing",
            Judgement::Doubtful(Doubt::UnknownHash, _) => "hash",
            Judgement::Doubtful(Doubt::NoSuchThing, _) => "none",
        }
    }

    #[test]
    fn answers_about_comments_are_judged() {
        const PAGE: &str = r#""data":{"video":{"comments":{"edges":[{"node":null}]}}}"#;
        let with = |errors: &str| format!("{{{errors},{PAGE}}}");
        for (status, body, expected) in [
            (200, with(r#""a":1"#).as_str(), "final"),
            (
                200,
                &with(r#""errors":[{"message":"service error","path":["video","comments","edges",0]}]"#),
                "final",
            ),
            (200, r#"{"data":{"video":{"comments":{"edges":[]}}}}"#, "final"),
            (200, r#"{"data":{"video":{"comments":{}}}}"#, "passing"),
            (200, r#"{"data":{"video":{"comments":{"edges":null}}}}"#, "passing"),
            (200, r#"{"data":{"video":{"comments":{"edges":{}}}}}"#, "passing"),
            (200, r#"{"data":{"video":{"comments":null}}}"#, "passing"),
            (200, r#"{"data":{"video":{}}}"#, "passing"),
            (200, r#"{"data":{"video":7}}"#, "passing"),
            (200, r#"{"data":{"video":null}}"#, "none"),
            (200, r#"{"data":{"video":null},"errors":[{"message":"x","path":["video"]}]}"#, "passing"),
            (200, r#"{"data":{}}"#, "passing"),
            (200, r#"{"data":null}"#, "passing"),
            (200, "{}", "passing"),
            (200, "[]", "passing"),
            (200, r#"{"errors":[{"message":"service unavailable"}]}"#, "passing"),
            (200, r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#, "hash"),
            (200, r#"{"errors":[{"message":"Cannot query field"}]}"#, "final"),
            (
                200,
                r#"{"errors":[{"message":"failed integrity check"}],"data":{"video":{"comments":null}}}"#,
                "final",
            ),
            (400, r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#, "hash"),
            (400, r#"{"errors":[{"message":"service unavailable"}]}"#, "passing"),
            (
                400,
                r#"{"error":"Bad Request","status":400,"message":"The \"Client-ID\" header is invalid."}"#,
                "final",
            ),
            (403, r#"{"errors":[{"message":"failed integrity check"}]}"#, "final"),
            (403, "<html>", "passing"),
            (401, r#"{"error":"Unauthorized","status":401,"message":"no"}"#, "final"),
            (404, "<html>", "final"),
        ] {
            assert_eq!(judged("video-comments", status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn answers_to_other_queries_are_judged() {
        for (operation, body, expected) in [
            ("video", r#"{"data":{"user":null,"video":{"lengthSeconds":null}}}"#, "final"),
            ("video", r#"{"data":{"user":null,"video":null}}"#, "none"),
            ("video", r#"{"data":{"user":null}}"#, "passing"),
            ("", r#"{"data":{"a":null}}"#, "final"),
            ("", r#"{"data":{"a":1},"errors":[{"message":"x","path":["b"]}]}"#, "final"),
            ("", r#"{"data":{"a":null},"errors":[{"message":"x","path":["a"]}]}"#, "passing"),
            ("", r#"{"data":{},"errors":[{"message":"service timeout"}]}"#, "passing"),
            ("", r#"{"data":null}"#, "passing"),
        ] {
            assert_eq!(judged(operation, 200, body), expected, "{operation} {body}");
        }
    }

    #[test]
    fn what_does_not_exist_is_not_stored() {
        let stored = |body: &str| may_be_stored(Some("/data/video"), &answer(200, body));
        assert!(stored(r#"{"data":{"video":{}}}"#));
        assert!(!stored(r#"{"data":{"video":null}}"#) && !stored(r#"{"data":{}}"#));
        assert!(may_be_stored(None, &answer(200, "[]")));
    }
}
