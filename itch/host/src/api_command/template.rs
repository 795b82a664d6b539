//! The request that the options describe, with places for the lines of `--each`.

use std::io::Read;

use itch_api::{Error, ErrorKind, Result, Service};
use itch_client::{DirectRequest, Method};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fields::{self, Field};
use super::path::{Path, filled};
use super::pattern::{PLACE, Pattern};
use crate::failure::usage;
use crate::options::api::{ApiOptions, is_stdin};

/// A request with places for a line.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) method: Method,
    segments: Vec<Pattern>,
    query: Vec<(String, Pattern)>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    /// Sent byte by byte.
    File(Vec<u8>),
    Fields(Vec<Field>),
}

impl Template {
    /// Reads the options. `stdin` is read if a file is `-`.
    pub(super) fn read(options: &ApiOptions, stdin: &mut dyn Read) -> Result<Template> {
        let path = Path::read(options.path.as_deref().unwrap_or_default())?;
        let mut query = path.query;
        for text in &options.parameters {
            let (key, value) = pair(text)?;
            query.push((key.to_owned(), Pattern::of(value)));
        }
        let typed = options.field.iter().map(|text| Field::typed(text, stdin));
        let mut fields = typed.collect::<Result<Vec<Field>>>()?;
        for text in &options.raw_field {
            fields.push(Field::raw(text)?);
        }
        let body = match &options.input {
            Some(file) => Body::File(input(file, stdin)?),
            None if fields.is_empty() => Body::None,
            None => Body::Fields(fields),
        };
        let template = Template {
            method: options.method.unwrap_or_default(),
            segments: path.segments,
            query,
            body,
        };
        template.check_places(options.each.is_some())?;
        // What is wrong with the fields is wrong for each line.
        template.fill(None)?;
        Ok(template)
    }

    /// With a list there has to be a place for its lines, and without one the path cannot have any.
    fn check_places(&self, has_list: bool) -> Result<()> {
        let in_path = self.segments.iter().any(Pattern::takes_line);
        let in_query = self.query.iter().any(|(_, value)| value.takes_line());
        let in_fields = matches!(&self.body, Body::Fields(fields) if fields.iter().any(Field::takes_line));
        match has_list {
            true if !in_path && !in_query && !in_fields => {
                Err(usage(format!("`{PLACE}` is missing: each line would send the same request"))
                    .hint("write `{}` in PATH or in a value, where the line belongs"))
            }
            false if in_path => Err(usage(format!("`{PLACE}` in PATH takes a line of a list, and no list is given"))
                .hint("name the list with `--each FILE`")),
            _ => Ok(()),
        }
    }

    /// The request for a line.
    pub(super) fn fill(&self, line: Option<&str>) -> Result<DirectRequest> {
        let path = self.segments.iter().map(|segment| filled(segment, line));
        let query = self.query.iter().map(|(key, value)| (key.clone(), value.fill(line)));
        Ok(DirectRequest {
            service: Service::Helix,
            method: self.method,
            path: path.collect::<Result<_>>()?,
            query: query.collect(),
            body: match &self.body {
                Body::None => None,
                Body::File(bytes) => Some(bytes.clone()),
                Body::Fields(fields) => Some(fields::body(fields, line)?.to_string().into_bytes()),
            },
        })
    }

    /// The path as it was typed, for messages and the journal.
    pub(super) fn path(&self) -> String {
        let segments: Vec<String> = self.segments.iter().map(|segment| segment.fill(None)).collect();
        segments.join("/")
    }

    /// A hash of the query and the body before lines are put in: it changes when one of them does, and says nothing of
    /// them.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let query: Vec<Value> = self
            .query
            .iter()
            .map(|(key, value)| json!([key, value.fill(None), value.takes_line()]))
            .collect();
        let body = self.fill(None)?.body;
        let kind = match &self.body {
            Body::None => "none",
            Body::File(_) => "file",
            Body::Fields(_) => "fields",
        };
        let mut hash = Sha256::new();
        hash.update(json!([query, kind]).to_string());
        hash.update(body.unwrap_or_default());
        Ok(hex(&hash.finalize()))
    }
}

/// The key and the value in `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(&str, &str)> {
    let split = text.split_once('=').filter(|(key, _)| !key.is_empty());
    split.ok_or_else(|| {
        usage(format!("`{}` is not KEY=VALUE", text.escape_debug()))
            .hint("a query parameter is written as `login=burkeblack`")
    })
}

/// The bytes of a file, or of standard input.
pub(super) fn bytes_of(file: &std::path::Path, stdin: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match is_stdin(file) {
        true => stdin.read_to_end(&mut bytes).map(|_| ()),
        false => std::fs::read(file).map(|read| bytes = read),
    };
    read.map_err(|error| {
        let (kind, name) = match error.kind() {
            std::io::ErrorKind::NotFound => (ErrorKind::Usage, format!("`{}`", file.display())),
            _ if is_stdin(file) => (ErrorKind::Failed, "standard input".to_owned()),
            _ => (ErrorKind::Failed, format!("`{}`", file.display())),
        };
        Error::new(kind, format!("{name} cannot be read")).source_chain(&error)
    })?;
    Ok(bytes)
}

fn input(file: &std::path::Path, stdin: &mut dyn Read) -> Result<Vec<u8>> {
    let bytes = bytes_of(file, stdin)?;
    match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(usage(format!("`{}` is not JSON", file.display())).source_chain(&error)),
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(options: ApiOptions) -> Result<Template> {
        Template::read(&options, &mut std::io::empty())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn bans() -> ApiOptions {
        ApiOptions {
            path: Some("moderation/bans?broadcaster_id=1".to_owned()),
            parameters: texts(&["moderator_id=1", "moderator_id=2"]),
            method: Some(Method::Post),
            field: texts(&["data[user_id]={}"]),
            each: Some("list".into()),
            ..ApiOptions::default()
        }
    }

    #[test]
    fn a_line_becomes_a_request() {
        let request = template(bans()).unwrap().fill(Some("7")).unwrap();
        assert_eq!(request.path, ["moderation", "bans"]);
        let query = [("broadcaster_id", "1"), ("moderator_id", "1"), ("moderator_id", "2")];
        assert_eq!(request.query, query.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(request.body.unwrap(), br#"{"data":{"user_id":"7"}}"#);
    }

    #[test]
    fn a_place_and_a_list_belong_together() {
        let without = ApiOptions {
            field: texts(&["data[user_id]=7"]),
            ..bans()
        };
        assert_eq!(template(without).unwrap_err().kind, ErrorKind::Usage);
        let alone = ApiOptions {
            path: Some("users/{}".to_owned()),
            ..ApiOptions::default()
        };
        assert_eq!(template(alone).unwrap_err().kind, ErrorKind::Usage);
    }

    #[test]
    fn another_request_has_another_fingerprint() {
        let of = |options| template(options).unwrap().fingerprint().unwrap();
        let other_query = ApiOptions {
            parameters: texts(&["moderator_id=1", "moderator_id=3"]),
            ..bans()
        };
        let other_body = ApiOptions {
            field: texts(&["data[user_id]={}", "data[duration]=1"]),
            ..bans()
        };
        assert_eq!(of(bans()), of(bans()));
        assert_ne!(of(bans()), of(other_query));
        assert_ne!(of(bans()), of(other_body));
    }
}
