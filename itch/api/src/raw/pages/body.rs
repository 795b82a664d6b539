//! The body of a page: its rows, parsed one at a time, its total, and where the next page is.

use serde_json::Value;
use serde_json::value::RawValue;

use super::page::PageStyle;
use crate::raw::members::{item_spans, members, span_within};
use crate::raw::reader::{excerpt, whole_number};
use crate::raw::{Error, ErrorKind, Request, Response, Result};

/// A page as it arrived.
#[derive(Debug)]
pub(super) struct Body {
    pub rows: Rows,
    pub total: Total,
    pub next: Cursor,
}

/// The size of the whole list, as the service sends it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Total {
    Known(u64),
    Absent,
    /// What was found in its place.
    Unreadable(String),
}

/// Where the next page is.
#[derive(Debug, PartialEq)]
pub(super) enum Cursor {
    End,
    Next(Next),
    /// What was found in its place.
    Unreadable(String),
}

/// Where the next page is.
#[derive(Debug, Hash, PartialEq)]
pub(super) enum Next {
    /// At the same address, with this parameter.
    Parameter(&'static str, String),
    /// At another address.
    Address { path: String, inline_query: String },
}

/// The rows of a page, parsed when they are taken: parsed rows take many times the memory of their text.
#[derive(Debug)]
pub(super) struct Rows {
    body: Vec<u8>,
    /// Where the list begins in the body.
    list: usize,
    spans: Vec<(u32, u32)>,
    taken: usize,
}

impl Rows {
    /// The next row and its place, counted from 1. A row whose text is not valid is null.
    pub fn next_row(&mut self) -> Option<(u64, Value)> {
        let (start, end) = *self.spans.get(self.taken)?;
        self.taken += 1;
        let text = self.body.get(self.list + start as usize..self.list + end as usize);
        let row = text.and_then(|text| serde_json::from_slice(text).ok());
        Some((self.taken as u64, row.unwrap_or_default()))
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn are_taken(&self) -> bool {
        self.taken >= self.spans.len()
    }
}

impl Body {
    /// Reads a successful answer.
    pub fn read(style: PageStyle, request: &Request, page: u64, response: Response) -> Result<Body> {
        let body = response.body;
        let bad = |cause: String| {
            let message = format!("could not read page {} of `{}`", page + 1, request.path);
            Error::new(ErrorKind::BadData, message)
                .cause(cause)
                .at(request.service, Some(response.status))
        };
        let (list, total, next) = match style {
            PageStyle::Helix => {
                let found = members(&body, ["data", "total", "pagination"]).map_err(|error| bad(error.to_string()))?;
                let [list, total, pagination] = found;
                (("data", list), read_total(total), helix_cursor(pagination))
            }
            PageStyle::Kraken { rows } => {
                let found = members(&body, [rows, "_total", "_cursor", "_links"]);
                let [list, total, cursor, links] = found.map_err(|error| bad(error.to_string()))?;
                ((rows, list), read_total(total), kraken_cursor(cursor, links))
            }
        };
        let (name, list) = list;
        let spans = list.map(item_spans);
        let (Some(list), Some(Ok(spans))) = (list, spans) else {
            let found = list.map_or("absent".to_owned(), |list| excerpt(&parse(list)));
            return Err(bad(format!("the list `{name}` is {found}")));
        };
        let whole = std::str::from_utf8(&body).map_err(|error| bad(error.to_string()))?;
        let (list, _) = span_within(whole, list.get());
        let next = match (style, next) {
            // An empty page ends a list of kraken, whatever it links to.
            (PageStyle::Kraken { .. }, _) if spans.is_empty() => Cursor::End,
            (_, next) => next,
        };
        Ok(Body {
            rows: Rows {
                body,
                list,
                spans,
                taken: 0,
            },
            total,
            next,
        })
    }
}

/// A member that is expected to be small.
fn parse(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_default()
}

fn read_total(total: Option<&RawValue>) -> Total {
    let Some(total) = total.map(parse) else {
        return Total::Absent;
    };
    whole_number(&total).map_or_else(|| Total::Unreadable(excerpt(&total)), Total::Known)
}

/// `pagination` may be absent, null or `{}`, and the cursor may be empty or null (twurple/twurple handles the same
/// cases). Some endpoints send the cursor itself.
fn helix_cursor(pagination: Option<&RawValue>) -> Cursor {
    let pagination = pagination.map(parse).unwrap_or_default();
    let cursor = match &pagination {
        Value::Null => return Cursor::End,
        Value::Object(fields) => match fields.get("cursor") {
            None | Some(Value::Null) => return Cursor::End,
            Some(cursor) => cursor,
        },
        Value::String(_) => &pagination,
        odd => return Cursor::Unreadable(format!("`pagination` is {}", excerpt(odd))),
    };
    match cursor {
        Value::String(cursor) if cursor.is_empty() => Cursor::End,
        Value::String(cursor) => Cursor::Next(Next::Parameter("after", cursor.clone())),
        Value::Number(cursor) => Cursor::Next(Next::Parameter("after", cursor.to_string())),
        odd => Cursor::Unreadable(format!("its cursor is {}", excerpt(odd))),
    }
}

fn kraken_cursor(cursor: Option<&RawValue>, links: Option<&RawValue>) -> Cursor {
    match cursor.map(parse) {
        Some(Value::String(cursor)) if !cursor.is_empty() => Cursor::Next(Next::Parameter("cursor", cursor)),
        Some(Value::Number(cursor)) => Cursor::Next(Next::Parameter("cursor", cursor.to_string())),
        None | Some(Value::Null | Value::String(_)) => kraken_link(links),
        Some(odd) => match kraken_link(links) {
            Cursor::End => Cursor::Unreadable(format!("its cursor is {}", excerpt(&odd))),
            link => link,
        },
    }
}

fn kraken_link(links: Option<&RawValue>) -> Cursor {
    let links = links.map(parse).unwrap_or_default();
    match links.get("next") {
        None | Some(Value::Null) if links.is_object() || links.is_null() => Cursor::End,
        Some(Value::String(link)) if link.is_empty() => Cursor::End,
        Some(Value::String(link)) => match kraken_address(link) {
            Some(next) => Cursor::Next(next),
            None => Cursor::Unreadable(format!("its next link is {}", excerpt(&Value::from(link.as_str())))),
        },
        odd => Cursor::Unreadable(format!("its next link is {}", excerpt(odd.unwrap_or(&links)))),
    }
}

/// The part of a linked URL after the service's base URL, whatever the base URL is.
fn kraken_address(link: &str) -> Option<Next> {
    // For a base that does not end in `kraken` the whole path is used. If that is wrong, the service returns an error.
    let (_, after_scheme) = link.split_once("://").unwrap_or(("", link));
    let below = after_scheme
        .split_once("/kraken/")
        .or_else(|| after_scheme.split_once('/'))?
        .1;
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    Some(Next::Address {
        path: path.to_owned(),
        inline_query: query.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Body> {
        let response = Response {
            status: 200,
            age: None,
            body: text.as_bytes().to_vec(),
        };
        Body::read(PageStyle::Helix, &Request::helix("x"), 1, response)
    }

    #[test]
    fn rows_are_parsed_in_order_with_their_places() {
        let mut body =
            read(r#"{"total": "2", "data": [{"id": "a"}, {"id": "\ud83d"}], "pagination": {"cursor": 5}}"#).unwrap();
        assert_eq!(body.rows.next_row().unwrap(), (1, serde_json::json!({"id": "a"})));
        assert_eq!(body.rows.next_row().unwrap(), (2, Value::Null));
        assert!(body.rows.next_row().is_none() && body.rows.are_taken());
        assert_eq!(body.total, Total::Known(2));
        assert_eq!(body.next, Cursor::Next(Next::Parameter("after", "5".to_owned())));
    }

    #[test]
    fn what_is_absent_is_not_empty() {
        for (text, found) in [
            (r#"{"data": null}"#, "null"),
            (r#"{"total": 5}"#, "absent"),
            (r#"{"data": {"a": 1}}"#, "{…}"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(format!("{error:#}"), format!("could not read page 2 of `x`: the list `data` is {found}"));
        }
        assert!(read(r#"{"data": []}"#).unwrap().rows.is_empty());
    }

    #[test]
    fn a_cursor_is_there_or_not_or_cannot_be_read() {
        for end in ["{}", "null", r#"{"cursor": ""}"#, r#"{"cursor": null}"#] {
            let body = read(&format!(r#"{{"data": [], "pagination": {end}}}"#)).unwrap();
            assert_eq!(body.next, Cursor::End, "{end}");
        }
        for odd in ["[]", "7", "true", r#"{"cursor": []}"#, r#"{"cursor": {"a": 1}}"#] {
            let body = read(&format!(r#"{{"data": [], "total": [], "pagination": {odd}}}"#)).unwrap();
            assert!(matches!(body.next, Cursor::Unreadable(_)), "{odd}");
            assert_eq!(body.total, Total::Unreadable("[]".to_owned()));
        }
    }
}
