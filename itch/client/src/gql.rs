//! The facts about Twitch's private GQL service, in one place.
//!
//! Client ids, hashes and field names are not documented and change without notice. `gql.json` has them, with the
//! month in which they were last checked, and the configuration can replace any of them without a new release. The
//! client ids are those of Twitch's own applications that other programs use (lay295/TwitchDownloader; yt-dlp,
//! Brisppy/twitch-archiver); the comments query follows the schema that crackededed/Xtra uses.

use std::collections::BTreeMap;

use itch_api::{Error, ErrorKind, GqlForm, Request, Result, Service};
use serde::Deserialize;
use serde_json::{Value, json};

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
    /// The name of the operation.
    pub name: String,
    /// The SHA-256 under which the service has stored it.
    pub hash: Option<String>,
    /// The text of the query.
    pub query: Option<String>,
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
            known.hash = new.hash.or(known.hash.take());
            known.query = new.query.or(known.query.take());
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
        Ok(json!({"operationName": known.name, "query": query, "variables": variables}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_and_knows_what_reports_ask() {
        let facts = GqlFacts::built_in();
        assert_eq!(facts.clients.len(), 2);
        assert!(facts.operations["video-comments"].hash.is_some());
        assert!(facts.operations["video"].query.is_some());
    }

    #[test]
    fn a_known_operation_is_sent_in_either_form() {
        let facts = GqlFacts::built_in();
        let variables = json!({"videoID": "1", "contentOffsetSeconds": 0});
        let query = Request::gql("video-comments", GqlForm::Query, 100, variables.clone());
        let sent = facts.body(query.body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["variables"], json!({"videoID": "1", "contentOffsetSeconds": 0, "first": 100}));
        assert!(sent["query"].as_str().unwrap().contains("comments("));
        let persisted = Request::gql("video-comments", GqlForm::Persisted, 100, variables.clone());
        let sent = facts.body(persisted.body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["variables"], variables);
        assert!(
            sent["extensions"]["persistedQuery"]["sha256Hash"]
                .as_str()
                .unwrap()
                .starts_with("b70a")
        );
        let unknown = Request::gql("nothing", GqlForm::Query, 0, json!({}));
        assert!(facts.body(unknown.body.as_ref().unwrap()).is_err());
        let raw = json!({"query": "{ x }"});
        assert_eq!(facts.body(&raw).unwrap(), raw);
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
