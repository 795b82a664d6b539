//! `video-comments`: one page of a recording's comments over GQL.
//!
//! The data formats are those that lay295/TwitchDownloader and xenova/chat-downloader read.

use std::borrow::Cow;

use serde_json::json;
use serde_json::value::RawValue;

use super::answer::{Refusal, find, named_value};
use crate::raw::{
    CacheScope, Error, ErrorKind, GqlForm, PageShape, Policy, Request, Response, Result, Service, gql_errors, json_part,
};
use crate::sources::endpoint::{Endpoint, HOUR};

const EDGES: &str = "/data/video/comments/edges";
const HAS_NEXT: &str = "/data/video/comments/pageInfo/hasNextPage";

/// A page has at most 100 comments, the largest size known to work in a query's text (crackededed/Xtra). The stored
/// query has no size: its pages have 50 to 60.
pub(in crate::sources::twitch) static COMMENTS: Endpoint = Endpoint::gql(
    "video-comments",
    Policy {
        max_age: HOUR.as_secs(),
        scope: CacheScope::Everybody,
        rows_hidden: false,
        incomplete_max_age: None,
        errors_are_data: false,
        page: Some(PageShape {
            list: Cow::Borrowed("/data/video/comments"),
            rows: Cow::Borrowed(EDGES),
            more: Cow::Borrowed(HAS_NEXT),
        }),
    },
);

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a second of the recording.
    Offset(i64),
    /// After a page.
    Cursor(String),
}

/// The request for a page of a recording's comments.
pub(super) fn request(video: &str, place: &Place, form: GqlForm) -> Request {
    let variables = match place {
        Place::Offset(seconds) => json!({"videoID": video, "contentOffsetSeconds": seconds}),
        Place::Cursor(cursor) => json!({"videoID": video, "cursor": cursor}),
    };
    COMMENTS.operation(form, variables)
}

/// A page of comments, whose rows are not parsed yet: together they would take many times the memory of their text.
#[derive(Debug)]
pub(super) struct CommentPage<'a> {
    pub edges: Vec<&'a RawValue>,
    /// The cursor for the next page. All comments of a page have the same one.
    pub cursor: Option<String>,
    /// Whether there is a next page; `None` if the answer does not say. Mostly correct for pages after a cursor. For
    /// pages at an offset it can be true although there is no next page.
    pub has_next: Option<bool>,
    /// What the errors beside the data name: the index of a row, and the name of one of its values.
    pub named: Vec<(u64, String)>,
}

/// Parses an answer to a request for comments.
pub(super) fn read_comments<'a>(response: &'a Response, video: &str) -> Result<Result<CommentPage<'a>, Refusal>> {
    let edges = match find(response, video, EDGES, '[')? {
        Ok(edges) => edges,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let edges: Vec<&RawValue> = serde_json::from_str(edges.get()).map_err(|error| {
        Error::new(ErrorKind::BadData, "could not parse the list of comments in Twitch's answer")
            .source_chain(&error)
            .at(Service::Gql, Some(response.status))
    })?;
    let has_next = match json_part(&response.body, HAS_NEXT).map(RawValue::get) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let mut cursors = edges.iter().rev().filter_map(|edge| cursor(edge));
    let errors = gql_errors(&response.body);
    let named = errors.iter().filter_map(named_value);
    Ok(Ok(CommentPage {
        cursor: cursors.next(),
        has_next,
        named: named.map(|(row, name)| (row, name.to_owned())).collect(),
        edges,
    }))
}

/// The cursor of a row.
fn cursor(edge: &RawValue) -> Option<String> {
    let cursor = json_part(edge.get().as_bytes(), "/cursor")?;
    let cursor: String = serde_json::from_str(cursor.get()).ok()?;
    (!cursor.is_empty()).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn page(comments: Value) -> Value {
        json!({"data": {"video": {"comments": comments}}})
    }

    fn response(body: &Value) -> Response {
        Response {
            status: 200,
            age: None,
            body: body.to_string().into_bytes(),
        }
    }

    /// The cursor, whether there is a next page, and the number of rows.
    fn read(body: Value) -> (Option<String>, Option<bool>, usize) {
        let response = response(&body);
        let page = read_comments(&response, "1").unwrap().unwrap();
        (page.cursor, page.has_next, page.edges.len())
    }

    #[test]
    fn any_row_has_the_cursor() {
        for cursors in [["c", "c"], ["c", ""], ["", "c"]] {
            let edges = cursors.map(|cursor| json!({"cursor": cursor}));
            let comments = json!({"edges": edges, "pageInfo": {"hasNextPage": true}});
            assert_eq!(read(page(comments)), (Some("c".to_owned()), Some(true), 2));
        }
        let odd = json!({"edges": [null, {"cursor": null}, {"cursor": 7}, {}], "pageInfo": {"hasNextPage": null}});
        assert_eq!(read(page(odd)), (None, None, 4));
        assert_eq!(read(page(json!({"edges": []}))), (None, None, 0));
    }

    #[test]
    fn data_counts_before_errors() {
        let mut body = page(json!({"edges": [null], "pageInfo": {"hasNextPage": false}}));
        let path = json!(["video", "comments", "edges", 0, "node", "message", "userColor"]);
        body["errors"] = json!([{"message": "failed integrity check", "path": path}]);
        let response = response(&body);
        let read = read_comments(&response, "1").unwrap().unwrap();
        assert_eq!(read.named, [(0, "userColor".to_owned())]);
        assert_eq!(read.has_next, Some(false));
    }

    #[test]
    fn refusals_are_told_from_faults() {
        let read = |status: u16, body: Value| {
            let mut response = response(&body);
            response.status = status;
            read_comments(&response, "1").map(|read| read.map(|page| page.edges.len()))
        };
        let with = |message: &str| json!({"errors": [{"message": message}], "data": {"video": {"comments": null}}});
        for status in [200, 400, 403] {
            let refused = read(status, with("failed integrity check"));
            assert!(matches!(refused, Ok(Err(Refusal::Integrity))), "{refused:?}");
            let unknown = read(status, with("PersistedQueryNotFound"));
            assert!(matches!(unknown, Ok(Err(Refusal::NotUnderstood(_)))), "{unknown:?}");
            assert_eq!(read(status, with("service unavailable")).unwrap_err().kind, ErrorKind::Service);
        }
        for comments in [
            json!(null),
            json!({}),
            json!({"edges": null}),
            json!({"edges": {}}),
            json!("x"),
        ] {
            let error = read(200, page(comments.clone())).unwrap_err();
            assert!(error.kind == ErrorKind::Service && error.http == Some(200), "{comments}");
        }
        assert_eq!(read(200, json!({"data": {"video": null}})).unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(read(200, json!({"data": null})).unwrap_err().kind, ErrorKind::Service);
    }

    /// The pointers of the policy name the members that are read here.
    #[test]
    fn the_policy_knows_the_shape_of_a_page() {
        let shape = COMMENTS.policy.page.as_ref().unwrap();
        let mut body = page(json!({"edges": [{}], "pageInfo": {"hasNextPage": true}}));
        assert!(shape.is_inner(&body) && !shape.is_missing(&body));
        assert_eq!(read(body.clone()), (None, Some(true), 1));
        body["data"]["video"]["comments"]["pageInfo"]["hasNextPage"] = json!(false);
        assert!(!shape.is_inner(&body));
        assert!(shape.is_missing(&page(json!(null))));
    }
}
