//! Parses a GraphQL query, as far as clients for chat and videos need it.
//!
//! See <https://spec.graphql.org>. Variables, fragments, `@skip` and `@include` are resolved while parsing. The result
//! are fields, their arguments, and the fields inside them.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// A field that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    /// The key in the response: the alias, if there is one.
    pub(super) key: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) selection: Vec<Field>,
}

/// What is wrong with a query, as one sentence.
pub(super) type Refusal = String;

/// Deeper than any sensible query, and not deep enough to overflow the stack.
const MAXIMUM_DEPTH: usize = 24;

/// Nested fragments can multiply the number of fields.
const MAXIMUM_FIELDS: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    /// One of `{ } ( ) [ ] : ! = $ @ |`, or `.` for a spread.
    Sign(u8),
    Name(&'a str),
    Number(&'a str),
    /// Including its quotes; a string is written as in JSON.
    Text(&'a str),
    End,
}

/// A selection before its fragments are inserted.
enum Part {
    Field(Field, Vec<Part>),
    Spread(String),
    Inline(Vec<Part>),
}

struct Parser<'a> {
    rest: &'a str,
    token: Token<'a>,
    depth: usize,
    variables: Map<String, Value>,
}

/// The fields of the only operation, or of the one with this name.
pub(super) fn parse(
    query: &str,
    operation_name: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<Vec<Field>, Refusal> {
    let mut parser = Parser {
        rest: query,
        token: Token::End,
        depth: 0,
        variables: variables.clone(),
    };
    parser.advance()?;
    let mut operations: Vec<(Option<String>, Vec<Part>)> = Vec::new();
    let mut fragments = HashMap::new();
    while parser.token != Token::End {
        match parser.token {
            Token::Sign(b'{') => operations.push((None, parser.selection()?)),
            Token::Name("query") => {
                parser.advance()?;
                let name = parser.optional_name()?;
                parser.variable_definitions()?;
                parser.directives()?;
                operations.push((name, parser.selection()?));
            }
            Token::Name("fragment") => {
                parser.advance()?;
                let name = parser.name()?;
                parser.keyword("on")?;
                parser.name()?;
                parser.directives()?;
                fragments.insert(name, parser.selection()?);
            }
            Token::Name(kind @ ("mutation" | "subscription")) => {
                return Err(format!("The sandbox does not support operations of type {kind}."));
            }
            other => return Err(unexpected(other)),
        }
    }
    let one = operations.len() == 1;
    let chosen = operations
        .into_iter()
        .find(|(name, _)| one || name.as_deref() == operation_name)
        .ok_or("Must provide an operation.")?;
    let mut fields = Vec::new();
    let mut left = MAXIMUM_FIELDS;
    expand(chosen.1, &fragments, 0, &mut left, &mut fields)?;
    Ok(fields)
}

/// Replaces spreads by the fields of their fragments.
fn expand(
    parts: Vec<Part>,
    fragments: &HashMap<String, Vec<Part>>,
    depth: usize,
    left: &mut usize,
    into: &mut Vec<Field>,
) -> Result<(), Refusal> {
    if depth > MAXIMUM_DEPTH {
        return Err("The query is too deep, or a fragment contains itself.".to_owned());
    }
    for part in parts {
        *left = left.checked_sub(1).ok_or("The query is too large.")?;
        match part {
            Part::Field(mut field, parts) => {
                expand(parts, fragments, depth + 1, left, &mut field.selection)?;
                into.push(field);
            }
            Part::Inline(parts) => expand(parts, fragments, depth + 1, left, into)?,
            Part::Spread(name) => {
                let parts = fragments
                    .get(&name)
                    .ok_or_else(|| format!("Unknown fragment \"{name}\"."))?;
                expand(copy(parts), fragments, depth + 1, left, into)?;
            }
        }
    }
    Ok(())
}

fn copy(parts: &[Part]) -> Vec<Part> {
    parts
        .iter()
        .map(|part| match part {
            Part::Field(field, parts) => Part::Field(field.clone(), copy(parts)),
            Part::Spread(name) => Part::Spread(name.clone()),
            Part::Inline(parts) => Part::Inline(copy(parts)),
        })
        .collect()
}

fn unexpected(token: Token<'_>) -> Refusal {
    let what = match token {
        Token::Sign(sign) => char::from(sign).to_string(),
        Token::Name(text) | Token::Number(text) | Token::Text(text) => text.to_owned(),
        Token::End => "<EOF>".to_owned(),
    };
    format!("Syntax Error: Unexpected {what:?}.")
}

impl<'a> Parser<'a> {
    fn advance(&mut self) -> Result<Token<'a>, Refusal> {
        let before = self.token;
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '\u{feff}']);
            let Some(comment) = self.rest.strip_prefix('#') else {
                break;
            };
            self.rest = comment.find('\n').map_or("", |end| &comment[end..]);
        }
        let length = |more: fn(char) -> bool| {
            let end = self.rest.find(|letter: char| !more(letter));
            end.unwrap_or(self.rest.len())
        };
        let (token, length) = match self.rest.bytes().next() {
            None => (Token::End, 0),
            Some(b'.') if self.rest.starts_with("...") => (Token::Sign(b'.'), 3),
            Some(sign) if b"{}()[]:!=$@|".contains(&sign) => (Token::Sign(sign), 1),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let length = length(|letter| letter.is_ascii_alphanumeric() || letter == '_');
                (Token::Name(&self.rest[..length]), length)
            }
            Some(b'-' | b'0'..=b'9') => {
                let length = length(|c| c.is_ascii_digit() || "+-.eE".contains(c));
                (Token::Number(&self.rest[..length]), length)
            }
            Some(b'"') => {
                let mut escaped = false;
                let end = self.rest[1..].find(|letter| {
                    let ends = letter == '"' && !escaped;
                    escaped = letter == '\\' && !escaped;
                    ends
                });
                let length = end.ok_or("Syntax Error: Unterminated string.")? + 2;
                (Token::Text(&self.rest[..length]), length)
            }
            Some(_) => {
                let letter: String = self.rest.chars().take(1).collect();
                return Err(format!("Syntax Error: Unexpected character {letter:?}."));
            }
        };
        self.rest = &self.rest[length..];
        self.token = token;
        Ok(before)
    }

    fn sign(&mut self, sign: u8) -> Result<(), Refusal> {
        match self.advance()? {
            Token::Sign(found) if found == sign => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn skips(&mut self, sign: u8) -> Result<bool, Refusal> {
        let found = self.token == Token::Sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn name(&mut self) -> Result<String, Refusal> {
        match self.advance()? {
            Token::Name(name) => Ok(name.to_owned()),
            other => Err(unexpected(other)),
        }
    }

    fn optional_name(&mut self) -> Result<Option<String>, Refusal> {
        match self.token {
            Token::Name(_) => self.name().map(Some),
            _ => Ok(None),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Refusal> {
        match self.advance()? {
            Token::Name(name) if name == keyword => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// `($id: ID!, $first: Int = 100)`
    fn variable_definitions(&mut self) -> Result<(), Refusal> {
        if !self.skips(b'(')? {
            return Ok(());
        }
        while !self.skips(b')')? {
            self.sign(b'$')?;
            let name = self.name()?;
            self.sign(b':')?;
            let mut depth = 0;
            while self.skips(b'[')? {
                depth += 1;
            }
            let kind = self.name()?;
            let mut required = false;
            for closing in 0..=depth {
                if closing > 0 {
                    self.sign(b']')?;
                }
                required = self.skips(b'!')?;
            }
            if self.skips(b'=')? {
                let default = self.value()?;
                self.variables.entry(name.clone()).or_insert(default);
            }
            self.directives()?;
            if required && self.variables.get(&name).is_none_or(Value::is_null) {
                return Err(format!("Variable \"${name}\" of required type \"{kind}!\" was not provided."));
            }
            self.variables.entry(name).or_insert(Value::Null);
        }
        Ok(())
    }

    /// Parses `@skip` and `@include`: whether the field or fragment is included.
    fn directives(&mut self) -> Result<bool, Refusal> {
        let mut wanted = true;
        while self.skips(b'@')? {
            let name = self.name()?;
            let arguments = self.arguments()?;
            let is_true = arguments.get("if") == Some(&Value::Bool(true));
            match name.as_str() {
                "skip" => wanted &= !is_true,
                "include" => wanted &= is_true,
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn arguments(&mut self) -> Result<Map<String, Value>, Refusal> {
        let mut arguments = Map::new();
        if self.skips(b'(')? {
            while !self.skips(b')')? {
                let name = self.name()?;
                self.sign(b':')?;
                let value = self.value()?;
                arguments.insert(name, value);
            }
        }
        Ok(arguments)
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        self.deeper(|parser| {
            let invalid = |text: &str| format!("Syntax Error: Invalid value {text}.");
            Ok(match parser.advance()? {
                Token::Sign(b'$') => {
                    let name = parser.name()?;
                    let value = parser.variables.get(&name);
                    let missing = || format!("Variable \"${name}\" is not defined.");
                    value.cloned().ok_or_else(missing)?
                }
                Token::Number(text) | Token::Text(text) => serde_json::from_str(text).map_err(|_| invalid(text))?,
                Token::Name("true") => Value::Bool(true),
                Token::Name("false") => Value::Bool(false),
                Token::Name("null") => Value::Null,
                // A value of an enumeration.
                Token::Name(name) => Value::String(name.to_owned()),
                Token::Sign(b'[') => {
                    let mut values = Vec::new();
                    while !parser.skips(b']')? {
                        values.push(parser.value()?);
                    }
                    Value::Array(values)
                }
                Token::Sign(b'{') => {
                    let mut values = Map::new();
                    while !parser.skips(b'}')? {
                        let name = parser.name()?;
                        parser.sign(b':')?;
                        values.insert(name, parser.value()?);
                    }
                    Value::Object(values)
                }
                other => return Err(unexpected(other)),
            })
        })
    }

    fn selection(&mut self) -> Result<Vec<Part>, Refusal> {
        self.sign(b'{')?;
        self.deeper(|parser| {
            let mut parts = Vec::new();
            while !parser.skips(b'}')? {
                let (part, wanted) = parser.part()?;
                if wanted {
                    parts.push(part);
                }
            }
            Ok(parts)
        })
    }

    fn part(&mut self) -> Result<(Part, bool), Refusal> {
        if self.skips(b'.')? {
            return match self.token {
                Token::Name(name) if name != "on" => {
                    let name = self.name()?;
                    Ok((Part::Spread(name), self.directives()?))
                }
                _ => {
                    if self.token == Token::Name("on") {
                        self.advance()?;
                        self.name()?;
                    }
                    let wanted = self.directives()?;
                    Ok((Part::Inline(self.selection()?), wanted))
                }
            };
        }
        let key = self.name()?;
        let name = if self.skips(b':')? { self.name()? } else { key.clone() };
        let arguments = self.arguments()?;
        let wanted = self.directives()?;
        let parts = match self.token {
            Token::Sign(b'{') => self.selection()?,
            _ => Vec::new(),
        };
        let field = Field {
            name,
            key,
            arguments,
            selection: Vec::new(),
        };
        Ok((Part::Field(field, parts), wanted))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser<'a>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        if self.depth >= MAXIMUM_DEPTH {
            return Err("The query is too deep.".to_owned());
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(query: &str, variables: Value) -> Result<Vec<Field>, Refusal> {
        parse(query, None, variables.as_object().unwrap())
    }

    #[test]
    fn fields_have_their_arguments_and_their_own_fields() {
        let query = "query Chat($id: ID!, $first: Int = 100, $all: [ID!]!) { # a comment\n
            video(id: $id) { id length: lengthSeconds
              thumbnailURLs(height: 180, width: 320)
              comments(first: $first, contentOffsetSeconds: 0) { edges { ...Edge } }
              ... on Video @include(if: true) { title @skip(if: true), status }
              order(by: TIME, list: [\"a\", 1.5, null], more: {x: false}) } }
            fragment Edge on VideoCommentEdge { cursor }";
        let fields = with(query, json!({ "id": "7", "all": [] })).unwrap();
        let video = &fields[0];
        assert_eq!(Value::Object(video.arguments.clone()), json!({ "id": "7" }));
        let names: Vec<(&str, &str)> = video
            .selection
            .iter()
            .map(|field| (field.key.as_str(), field.name.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("id", "id"),
                ("length", "lengthSeconds"),
                ("thumbnailURLs", "thumbnailURLs"),
                ("comments", "comments"),
                ("status", "status"),
                ("order", "order"),
            ]
        );
        let comments = &video.selection[3];
        assert_eq!(comments.arguments["first"], 100);
        assert_eq!(comments.selection[0].selection[0].name, "cursor");
        let order = Value::Object(video.selection[5].arguments.clone());
        let expected = json!({ "by": "TIME", "list": ["a", 1.5, null], "more": { "x": false } });
        assert_eq!(order, expected);
    }

    #[test]
    fn an_operation_is_chosen_by_its_name() {
        let query = "query A { a } query B { b }";
        let named = |name| parse(query, name, &Map::new());
        assert_eq!(named(Some("B")).unwrap()[0].name, "b");
        assert_eq!(named(Some("C")).unwrap_err(), "Must provide an operation.");
        assert!(parse("", None, &Map::new()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = format!("{}a{}", "{ a ".repeat(100), " }".repeat(100));
        let brackets = format!("{{ a(x: {}", "[".repeat(10_000));
        let bomb: String = (0..20)
            .map(|n| format!("fragment F{n} on X {{ ...F{m} ...F{m} }} ", m = n + 1))
            .collect();
        let bomb = format!("{{ ...F0 }} {bomb} fragment F20 on X {{ a }}");
        for bad in [
            "{",
            "{ a",
            "{ a(x: ) }",
            "{ a(x: \"open) }",
            "{ a % }",
            "{ ...Missing }",
            "{ ...A } fragment A on X { ...A }",
            "mutation { a }",
            "query Q($a: Int!) { a }",
            "{ a(x: $undefined) }",
            "\u{e9}",
            &deep,
            &brackets,
            &bomb,
        ] {
            assert!(with(bad, json!({})).is_err(), "{bad}");
        }
    }
}
