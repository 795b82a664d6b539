//! The facts about Twitch's private GQL service, in one place.
//!
//! Client ids, hashes and field names are not documented and change without notice. `gql.json` has them, with the
//! month in which they were last checked, and the configuration can replace any of them without a new release. The
//! client ids are those of Twitch's own applications that other programs use (lay295/TwitchDownloader; yt-dlp,
//! Brisppy/twitch-archiver); the comments query follows the schema that crackededed/Xtra uses.

use std::collections::BTreeMap;

use itch_api::{Error, ErrorKind, GqlForm, Request, Result, Service};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The facts of a release, or replacements for some of them from the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GqlFacts {
    /// When they were last checked: year and month.
    pub checked: String,
    /// Client ids, in the order in which they are tried.
    pub clients: Vec<String>,
    /// The operations, by the name that [`Request::gql`] uses.
    pub operations: BTreeMap<String, GqlOperation>,
}

/// How to send one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GqlOperation {
    /// The name under which the service has stored it.
    pub name: String,
    /// The SHA-256 under which the service has stored it.
    pub hash: Option<String>,
    /// Variables that the stored query needs in addition.
    pub hash_variables: Map<String, Value>,
    /// The text of the query.
    pub query: Option<String>,
    /// Where an answer has what was asked for, as a JSON Pointer (RFC 6901); null there means that it does not exist.
    pub subject: Option<String>,
}

impl GqlFacts {
    /// The facts that are built into this release.
    pub fn built_in() -> GqlFacts {
        // A test checks that the file can be parsed.
        serde_json::from_str(include_str!("gql.json")).unwrap_or_default()
    }

    /// These facts, with the replacements from another value.
    pub fn replaced_by(mut self, other: GqlFacts) -> GqlFacts {
        if !other.checked.is_empty() {
            self.checked = other.checked;
        }
        if !other.clients.is_empty() {
            self.clients = other.clients;
        }
        for (operation, new) in other.operations {
            let known = self.operations.entry(operation).or_default();
            if !new.name.is_empty() {
                known.name = new.name;
            }
            if !new.hash_variables.is_empty() {
                known.hash_variables = new.hash_variables;
            }
            known.hash = new.hash.or(known.hash.take());
            known.query = new.query.or(known.query.take());
            known.subject = new.subject.or(known.subject.take());
        }
        self
    }

    /// The client id to use for a request.
    pub(crate) fn client(&self, request: &Request) -> Result<&str> {
        self.clients.get(request.gql_client).map(String::as_str).ok_or_else(|| {
            // A walk recognises that it has tried all client ids by this kind of error without an HTTP status.
            Error::new(ErrorKind::SignIn, "no other GQL client id is known")
                .hint("set one as `clients` in the table `[gql]` of itch's config.toml")
                .at(Service::Gql, None)
        })
    }

    /// Where an answer to a request has what was asked for; `None` for a request with its own query text.
    pub(crate) fn subject(&self, request: &Request) -> Option<&str> {
        let operation = request.body.as_ref()?.get("operation")?.as_str()?;
        self.operations.get(operation)?.subject.as_deref()
    }

    /// The body to send: a known operation becomes its text or its hash, anything else is sent unchanged.
    pub(crate) fn body(&self, body: &Value) -> Result<Value> {
        let Some(operation) = body.get("operation").and_then(Value::as_str) else {
            return Ok(body.clone());
        };
        let unknown = || {
            Error::new(ErrorKind::Unsupported, format!("there is no known GQL operation `{operation}` in this form"))
                .at(Service::Gql, None)
        };
        let known = self.operations.get(operation).ok_or_else(unknown)?;
        let mut variables = body.get("variables").cloned().unwrap_or_else(|| json!({}));
        let persisted = body.get("form") == Some(&json!(GqlForm::Persisted));
        if persisted {
            let hash = known.hash.as_ref().ok_or_else(unknown)?;
            for (name, value) in &known.hash_variables {
                variables[name] = value.clone();
            }
            return Ok(json!({
                "operationName": known.name,
                "variables": variables,
                "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}},
            }));
        }
        if let Some(size) = body.get("page_size").and_then(Value::as_u64).filter(|size| *size > 0) {
            variables["first"] = size.into();
        }
        let query = known.query.as_ref().ok_or_else(unknown)?;
        // No other program sends its own text under the name of Twitch's query (crackededed/Xtra sends null).
        Ok(json!({"operationName": null, "query": query, "variables": variables}))
    }
}

/// The same request in the other form. Its answers have the same data, so a stored one serves as well.
pub(crate) fn other_form(request: &Request) -> Option<Request> {
    let body = request.body.as_ref().filter(|_| request.service == Service::Gql)?;
    body.get("operation")?.as_str()?;
    let other = match serde_json::from_value(body.get("form")?.clone()).ok()? {
        GqlForm::Query => GqlForm::Persisted,
        GqlForm::Persisted => GqlForm::Query,
    };
    let mut request = request.clone();
    request.body.as_mut()?["form"] = json!(other);
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_and_knows_what_reports_ask() {
        let facts = GqlFacts::built_in();
        assert_eq!(facts.clients.len(), 2);
        assert!(facts.operations["video-comments"].hash.is_some());
        for operation in facts.operations.values() {
            assert!(operation.hash.is_some() && operation.query.is_some() && operation.subject.is_some());
        }
    }

    #[test]
    fn a_known_operation_is_sent_in_either_form() {
        let facts = GqlFacts::built_in();
        let variables = json!({"videoID": "1", "contentOffsetSeconds": 0});
        let query = Request::gql("video-comments", GqlForm::Query, 100, variables.clone());
        let sent = facts.body(query.body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["variables"], json!({"videoID": "1", "contentOffsetSeconds": 0, "first": 100}));
        assert!(sent["query"].as_str().unwrap().contains("comments("));
        assert_eq!(sent["operationName"], Value::Null);
        let persisted = Request::gql("video-comments", GqlForm::Persisted, 100, variables.clone());
        let sent = facts.body(persisted.body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["variables"], variables);
        assert!(
            sent["extensions"]["persistedQuery"]["sha256Hash"]
                .as_str()
                .unwrap()
                .starts_with("b70a")
        );
        let video = Request::gql("video", GqlForm::Persisted, 0, json!({"videoID": "1"}));
        let sent = facts.body(video.body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["variables"], json!({"videoID": "1", "channelLogin": ""}));
        let unknown = Request::gql("nothing", GqlForm::Query, 0, json!({}));
        assert!(facts.body(unknown.body.as_ref().unwrap()).is_err());
        let raw = json!({"query": "{ x }"});
        assert_eq!(facts.body(&raw).unwrap(), raw);
    }

    #[test]
    fn the_other_form_differs_in_the_form_alone() {
        let query = Request::gql("video", GqlForm::Query, 0, json!({"videoID": "1"}));
        let persisted = Request::gql("video", GqlForm::Persisted, 0, json!({"videoID": "1"}));
        assert_eq!(other_form(&query), Some(persisted.clone()));
        assert_eq!(other_form(&persisted), Some(query));
        let mut raw = Request::get(Service::Gql, "");
        raw.body = Some(json!({"query": "{ x }", "form": "query"}));
        assert_eq!(other_form(&raw), None);
        assert_eq!(other_form(&Request::helix("users")), None);
    }

    #[test]
    fn a_configuration_replaces_what_it_names() {
        let other: GqlFacts = serde_json::from_value(json!({
            "clients": ["x"], "operations": {"video-comments": {"hash": "h"}}
        }))
        .unwrap();
        let facts = GqlFacts::built_in().replaced_by(other);
        assert_eq!(facts.clients, ["x"]);
        let comments = &facts.operations["video-comments"];
        assert_eq!((comments.hash.as_deref(), comments.name.as_str()), (Some("h"), "VideoCommentsByOffsetOrCursor"));
        assert!(comments.query.is_some());
    }
}
