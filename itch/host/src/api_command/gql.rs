//! The query of `--gql`: exactly one, which reads; and its variables.

use apollo_parser::Parser;
use apollo_parser::cst::{CstNode, Definition, OperationDefinition, Type};
use itch_api::{Error, Result};
use serde_json::{Map, Value, json};

use super::template::pair;
use crate::failure::usage;
use crate::nearest::suggest;

/// How deep a query may be. Twitch's own are not nearly as deep.
const DEEPEST: usize = 100;
/// How many tokens a query may have.
const MOST_TOKENS: usize = 20_000;

/// A variable that a query declares.
#[derive(Debug)]
struct Variable {
    name: String,
    kind: String,
    required: bool,
}

/// The body for a query and its variables.
pub(super) fn body(text: &str, parameters: &[String]) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let declared = variables(&the_query(text)?)?;
    let mut variables = Map::new();
    for parameter in parameters {
        let (name, value) = pair(parameter)?;
        let variable = declared.iter().find(|variable| variable.name == name).ok_or_else(|| {
            let names: Vec<&str> = declared.iter().map(|variable| variable.name.as_str()).collect();
            let hint = match names.is_empty() {
                true => "it has none".to_owned(),
                false => format!("its variables are {}", names.join(", ")),
            };
            let error = usage(format!("the query has no variable `{}`", name.escape_debug())).hint(hint);
            suggest(error, name, names)
        })?;
        if variables.insert(name.to_owned(), variable.read(value)?).is_some() {
            return Err(usage(format!("the variable `{name}` is given twice")));
        }
    }
    let missing = declared
        .iter()
        .find(|variable| variable.required && !variables.contains_key(&variable.name));
    match missing {
        Some(variable) => Err(usage(format!("the query needs a value for `{}`", variable.name))
            .hint(format!("add `{}=VALUE`", variable.name))),
        None => Ok(json!({"query": text, "variables": variables})),
    }
}

/// The only operation of a document, if it is a query.
fn the_query(text: &str) -> Result<OperationDefinition> {
    let parsed = Parser::new(text)
        .recursion_limit(DEEPEST)
        .token_limit(MOST_TOKENS)
        .parse();
    if let Some(error) = parsed.errors().next() {
        let line = text.get(..error.index()).unwrap_or(text).split('\n').count();
        return Err(usage("the query cannot be parsed").cause(format!("line {line}: {}", error.message())));
    }
    let mut query = None;
    for definition in parsed.document().definitions() {
        let operation = match definition {
            Definition::OperationDefinition(operation) => operation,
            Definition::FragmentDefinition(_) => continue,
            _ => return Err(refused("it defines types")),
        };
        let kind = operation.operation_type();
        if let Some(kind) = kind.filter(|kind| kind.query_token().is_none()) {
            return Err(refused(&format!("it has a {}", kind.source_string().trim())));
        }
        if query.replace(operation).is_some() {
            return Err(refused("it has several queries"));
        }
    }
    query.ok_or_else(|| refused("it has no query"))
}

fn refused(why: &str) -> Error {
    usage("only a file with exactly one query can be sent to GQL")
        .cause(why.to_owned())
        .hint("itch reads from GQL, and never writes to it")
}

fn variables(query: &OperationDefinition) -> Result<Vec<Variable>> {
    let definitions = query.variable_definitions();
    let definitions = definitions.iter().flat_map(|all| all.variable_definitions());
    let read = definitions.map(|definition| {
        let name = definition.variable().and_then(|variable| variable.name());
        let (name, kind) = name.zip(definition.ty())?;
        Some(Variable {
            name: name.text().to_string(),
            required: matches!(kind, Type::NonNullType(_)) && definition.default_value().is_none(),
            kind: kind.source_string().trim().trim_end_matches('!').trim().to_owned(),
        })
    });
    let read: Option<Vec<Variable>> = read.collect();
    read.ok_or_else(|| refused("a variable has no name or no type"))
}

impl Variable {
    /// Reads a value by the type of the variable.
    fn read(&self, text: &str) -> Result<Value> {
        let wrong = |what: &str| usage(format!("`{}={}` is not {what}", self.name, text.escape_debug()));
        Ok(match self.kind.as_str() {
            "Int" => text.parse::<i32>().map_err(|_| wrong("a whole number"))?.into(),
            "Float" => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                number.ok_or_else(|| wrong("a number"))?.into()
            }
            "Boolean" => text.parse::<bool>().map_err(|_| wrong("true or false"))?.into(),
            kind if kind.starts_with('[') => {
                let list = serde_json::from_str::<Value>(text).ok().filter(Value::is_array);
                list.ok_or_else(|| wrong("a JSON list"))?
            }
            // The types of ids, texts and times are sent as text, names of an enumeration too; input objects are JSON.
            _ => match serde_json::from_str::<Value>(text) {
                Ok(value @ Value::Object(_)) => value,
                _ => text.into(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use itch_api::ErrorKind;

    use super::*;

    fn made(text: &str, parameters: &[&str]) -> Result<Value> {
        let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
        body(text, &parameters)
    }

    #[test]
    fn one_query_is_sent_as_it_is() {
        for text in [
            "{ user(login: \"a\") { id } }",
            "query { a }",
            "query Named { ...F } fragment F on X { y }",
            "# mutation { a }\nquery { a(x: \"mutation { b }\") }",
            "query { a(x: \"\"\"\n mutation { b } \"\"\") }",
            "\u{feff}query { a }",
            "query { mutation subscription }",
        ] {
            let body = made(text, &[]).unwrap();
            assert_eq!(body["query"], text.trim_start_matches('\u{feff}'));
            assert_eq!(body["variables"], json!({}));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!("query {}{}", "{ a ".repeat(5_000), "}".repeat(5_000));
        let long = format!("query {{ {} }}", "a ".repeat(50_000));
        for text in [
            "",
            "   # nothing\n",
            "mutation { a }",
            "subscription { a }",
            "query A { a } query B { b }",
            "{ a } { b }",
            "{ a } mutation { b }",
            "# x\rmutation { a }",
            "fragment F on X { y }",
            "type A { b: Int }",
            "query { a } type A { b: Int }",
            "extend type A { b: Int }",
            "query {",
            "query { a } }",
            "{}",
            "query { a(x: \"open) }",
            "{\"query\": \"{ a }\"}",
            "not a query",
            "query { a(x: \"\"\"\n \n\u{3000}x\n\"\"\" }",
            &deep,
            &long,
        ] {
            let error = made(text, &[]).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{text:.40}");
        }
    }

    #[test]
    fn variables_have_the_types_that_are_declared() {
        let text =
            "query($login: String!, $first: Int = 5, $wide: Float, $all: Boolean!, $ids: [ID!], $in: Filter) { a }";
        let body = made(
            text,
            &[
                "login=7",
                "first=10",
                "wide=1.5",
                "all=true",
                "ids=[\"1\"]",
                "in={\"a\":1}",
            ],
        )
        .unwrap();
        let expected = json!({"login":"7","first":10,"wide":1.5,"all":true,"ids":["1"],"in":{"a":1}});
        assert_eq!(body["variables"], expected);
        let expected = json!({"login":"x","all":false});
        assert_eq!(made(text, &["login=x", "all=false"]).unwrap()["variables"], expected);
        for parameters in [
            &["login=x"][..],
            &["login=x", "all=yes"],
            &["login=x", "all=true", "first=a"],
            &["login=x", "all=true", "ids=1"],
            &["login=x", "all=true", "other=1"],
            &["login=x", "login=y", "all=true"],
            &["login", "all=true"],
        ] {
            assert_eq!(made(text, parameters).unwrap_err().kind, ErrorKind::Usage, "{parameters:?}");
        }
        let near = made(text, &["login=x", "all=true", "frist=1"]).unwrap_err();
        assert!(near.hint.unwrap().starts_with("did you mean `first`?"));
    }
}
