//! A small HTTP client that accepts every response.

use std::time::Duration;

use itch_sandbox::{CLIENT_ID, Options, Sandbox, TOKEN};
use serde_json::{Value, json};

pub(crate) const BURKEBLACK: &str = "76725499";

/// Client ids of Twitch's own apps.
pub(crate) const MOBILE: &str = "kd1unb4b3q4t58fwlpcbzcbnm76a8fp";
pub(crate) const WEB: &str = "kimne78kx3ncx6brgo4mv6wki5h1ko";
pub(crate) const OTHER: &str = "ue6666qo983tsx6so1t0vnawi233wa";

const HASH: &str = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";

/// The web player's query for comments.
pub(crate) fn persisted(variables: Value) -> Value {
    json!({
        "operationName": "VideoCommentsByOffsetOrCursor",
        "variables": variables,
        "extensions": { "persistedQuery": { "version": 1, "sha256Hash": HASH } },
    })
}

/// The same as a query in full.
pub(crate) fn raw(variables: Value) -> Value {
    let query = "query Chat($id: ID!, $offset: Int, $after: Cursor, $first: Int = 100) {
        video(id: $id) { id createdAt comments(first: $first, contentOffsetSeconds: $offset, after: $after) {
          edges { cursor node { id contentOffsetSeconds createdAt commenter { id login displayName }
            message { userColor userBadges { id setID version }
              fragments { text emote { id emoteID from } } } } }
          pageInfo { hasNextPage hasPreviousPage } } } }";
    json!({ "operationName": "Chat", "query": query, "variables": variables })
}

/// The comments, the cursor of the next page, and whether there are more.
pub(crate) struct Page {
    pub(crate) nodes: Vec<Value>,
    pub(crate) cursor: Option<String>,
    pub(crate) has_next: bool,
}

impl Page {
    pub(crate) fn of(mut body: Value) -> Page {
        let mut comments = body["data"]["video"]["comments"].take();
        let Value::Array(mut edges) = comments["edges"].take() else {
            panic!("{body}")
        };
        let cursors: Vec<_> = edges.iter().map(|edge| edge["cursor"].clone()).collect();
        assert!(cursors.windows(2).all(|pair| pair[0] == pair[1]));
        Page {
            nodes: edges.iter_mut().map(|edge| edge["node"].take()).collect(),
            cursor: cursors.first().map(|cursor| cursor.as_str().unwrap().to_owned()),
            has_next: comments["pageInfo"]["hasNextPage"].as_bool().unwrap(),
        }
    }
}

pub(crate) struct Client {
    pub(crate) sandbox: Sandbox,
    pub(crate) agent: ureq::Agent,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].as_array().unwrap().clone()
    }

    pub(crate) fn cursor(&self) -> Option<String> {
        self.json()["pagination"]["cursor"].as_str().map(str::to_owned)
    }

    pub(crate) fn header(&self, name: &str) -> Option<u64> {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap().parse().unwrap())
    }
}

impl Client {
    pub(crate) fn new() -> Client {
        Client::with(Options {
            rate_limit: None,
            ..Options::default()
        })
    }

    pub(crate) fn with_faults(faults: &str) -> Client {
        let faults = faults.parse().unwrap();
        Client::with(Options {
            rate_limit: None,
            faults,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        Client {
            sandbox: Sandbox::start(options).unwrap(),
            agent: config.new_agent(),
        }
    }

    /// With exactly these headers.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.sandbox.base_url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match method {
            "POST" => self.agent.run(request.body(body.to_owned()).unwrap())?,
            _ => self.agent.run(request.body(()).unwrap())?,
        };
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string()?,
        })
    }

    /// From any path, without a token.
    pub(crate) fn open(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").unwrap()
    }

    /// From GQL, with a client id.
    pub(crate) fn gql_as(&self, client_id: &str, body: &Value) -> Answer {
        self.try_gql_as(client_id, body).unwrap()
    }

    pub(crate) fn try_gql_as(&self, client_id: &str, body: &Value) -> Result<Answer, ureq::Error> {
        let headers = [("Client-ID", client_id), ("Content-Type", "application/json")];
        self.send("POST", "/gql", &headers, &body.to_string())
    }

    /// From GQL, as most tools do.
    pub(crate) fn gql(&self, body: &Value) -> Value {
        let answer = self.gql_as(MOBILE, body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// From Helix, with a token.
    pub(crate) fn get_as(&self, token: &str, path: &str) -> Answer {
        self.try_get_as(token, path).unwrap()
    }

    pub(crate) fn try_get_as(&self, token: &str, path: &str) -> Result<Answer, ureq::Error> {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Client-Id", CLIENT_ID)];
        self.send("GET", &format!("/helix/{path}"), &headers, "")
    }

    /// From Helix, as `burkeblack` with every scope.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_as(TOKEN, path)
    }

    /// All pages of a list, until there is no cursor.
    pub(crate) fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut after = String::new();
        loop {
            let answer = self.get(&format!("{path}{after}"));
            assert_eq!(answer.status, 200, "{}", answer.text);
            let mut body = answer.json();
            let Value::Array(rows) = body["data"].take() else {
                panic!("{}", answer.text)
            };
            pages.push(rows);
            let Some(cursor) = body["pagination"]["cursor"].as_str() else {
                return pages;
            };
            after = format!("&after={cursor}");
            assert!(pages.len() < 100_000, "the list has no end");
        }
    }

    pub(crate) fn rows(&self, path: &str) -> Vec<Value> {
        self.pages(path).concat()
    }

    /// Asserts an error in the format of Helix.
    #[track_caller]
    pub(crate) fn refuses(&self, token: &str, path: &str, status: u16, message: &str) {
        assert_refused(&self.get_as(token, path), status, message);
    }
}

#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, message: &str) {
    let reason = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => panic!("{answer:?}"),
    };
    assert_eq!(answer.status, status, "{}", answer.text);
    let body = serde_json::json!({ "error": reason, "status": status, "message": message });
    assert_eq!(answer.text, body.to_string());
}
