//! The JSON body of `--field` and `--raw-field`: as `gh api` makes it (cli/cli, `pkg/cmd/api/fields.go`).

use std::io::Read;

use itch_api::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::pattern::Pattern;
use crate::failure::usage;

/// A member of the body.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// As it was typed, for messages.
    typed: String,
    /// The name of the member, and the steps into it.
    name: String,
    steps: Vec<Step>,
    value: FieldValue,
}

/// `[name]` or `[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    /// A new element at the end of a list.
    Element,
}

#[derive(Clone, Debug)]
enum FieldValue {
    /// `true`, `false`, `null` and whole numbers are such values. A text with a line in it is a text: ids are.
    Typed(Pattern),
    Text(Pattern),
    /// `name[]` without a value: a list without elements.
    Nothing,
}

impl Field {
    /// Reads `--field KEY=VALUE`. `@FILE` is the text of a file, and `@-` that of standard input.
    pub(super) fn typed(text: &str, stdin: &mut dyn Read) -> Result<Field> {
        Field::read("--field", text, |value| match value.strip_prefix('@') {
            Some(file) => Ok(FieldValue::Text(Pattern::literal(contents(file, stdin)?))),
            None => Ok(FieldValue::Typed(Pattern::of(value))),
        })
    }

    /// Reads `--raw-field KEY=VALUE`.
    pub(super) fn raw(text: &str) -> Result<Field> {
        Field::read("--raw-field", text, |value| Ok(FieldValue::Text(Pattern::of(value))))
    }

    fn read(option: &str, text: &str, read: impl FnOnce(&str) -> Result<FieldValue>) -> Result<Field> {
        let refuse = |why: &str| {
            usage(format!("`{option} {}` cannot be read: {why}", text.escape_debug()))
                .hint("write `name=value`, `name[member]=value` or `name[]=value`")
        };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, read(value)?),
            None if text.ends_with("[]") => (text, FieldValue::Nothing),
            None => return Err(refuse("it has no `=`")),
        };
        let (name, rest) = key.split_at(key.find('[').unwrap_or(key.len()));
        if name.is_empty() || name.contains(']') {
            return Err(refuse("the name is missing"));
        }
        let mut steps = Vec::new();
        let mut rest = rest;
        while !rest.is_empty() {
            let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (step, behind) = inner.ok_or_else(|| refuse("the brackets do not match"))?;
            if step.contains('[') {
                return Err(refuse("the brackets do not match"));
            }
            steps.push(match step {
                "" => Step::Element,
                name => Step::Member(name.to_owned()),
            });
            rest = behind;
        }
        Ok(Field {
            typed: key.to_owned(),
            name: name.to_owned(),
            steps,
            value,
        })
    }

    /// Whether there is a place for a line.
    pub(super) fn takes_line(&self) -> bool {
        match &self.value {
            FieldValue::Typed(pattern) | FieldValue::Text(pattern) => pattern.takes_line(),
            FieldValue::Nothing => false,
        }
    }

    fn value(&self, line: Option<&str>) -> Option<Value> {
        match &self.value {
            FieldValue::Typed(pattern) if !pattern.takes_line() => Some(typed(pattern.fill(None))),
            FieldValue::Typed(pattern) | FieldValue::Text(pattern) => Some(pattern.fill(line).into()),
            FieldValue::Nothing => None,
        }
    }
}

/// The body with a line in its places.
pub(super) fn body(fields: &[Field], line: Option<&str>) -> Result<Value> {
    let mut body = Map::new();
    for field in fields {
        let twice = || usage(format!("the field `{}` contradicts one before it", field.typed.escape_debug()));
        match field.steps.first() {
            None if body.contains_key(&field.name) => return Err(twice()),
            _ => {}
        }
        let place = body.entry(field.name.as_str()).or_insert(Value::Null);
        set(place, &field.steps, field.value(line)).ok_or_else(twice)?;
    }
    Ok(Value::Object(body))
}

/// Sets the value behind some steps; `None` if something else is there already. A null is a place that was just made.
fn set(place: &mut Value, steps: &[Step], value: Option<Value>) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        *place = value.unwrap_or_default();
        return Some(());
    };
    match step {
        Step::Member(name) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            let members = place.as_object_mut()?;
            if rest.is_empty() && members.contains_key(name) {
                return None;
            }
            set(members.entry(name.as_str()).or_insert(Value::Null), rest, value)
        }
        Step::Element => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let elements = place.as_array_mut()?;
            if rest.is_empty() {
                elements.extend(value);
                return Some(());
            }
            // `a[][b]=1 a[][c]=2` is one object, and `a[][b]=1 a[][b]=2` are two.
            let goes_on = match (rest.first(), elements.last()) {
                (Some(Step::Member(name)), Some(Value::Object(last))) => rest.len() > 1 || !last.contains_key(name),
                _ => false,
            };
            if !goes_on {
                elements.push(Value::Null);
            }
            set(elements.last_mut()?, rest, value)
        }
    }
}

fn typed(text: String) -> Value {
    match text.as_str() {
        "true" => true.into(),
        "false" => false.into(),
        "null" => Value::Null,
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    }
}

fn contents(file: &str, stdin: &mut dyn Read) -> Result<String> {
    let mut text = String::new();
    let read = match file {
        "-" => stdin.read_to_string(&mut text).map(|_| ()),
        file => std::fs::read_to_string(file).map(|read| text = read),
    };
    match read {
        Ok(()) => Ok(text),
        Err(error) => {
            let what = if file == "-" { "standard input" } else { file };
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData => ErrorKind::Usage,
                _ => ErrorKind::Failed,
            };
            Err(Error::new(kind, format!("`{what}` cannot be read")).source_chain(&error))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(fields: &[&str]) -> Result<Value> {
        let fields: Vec<Field> = fields
            .iter()
            .map(|text| Field::typed(text, &mut std::io::empty()))
            .collect::<Result<_>>()?;
        body(&fields, None)
    }

    #[test]
    fn values_have_types_and_names_have_members() {
        for (fields, expected) in [
            (
                &["a=true", "b=null", "c=-7", "d=7.5", "e=", "f=x=y"][..],
                json!({"a":true,"b":null,"c":-7,"d":"7.5","e":"","f":"x=y"}),
            ),
            (&["a[b]=1", "a[c][d]=x"], json!({"a":{"b":1,"c":{"d":"x"}}})),
            (&["a[]=1", "a[]=x"], json!({"a":[1,"x"]})),
            (&["a[]"], json!({"a":[]})),
            (&["a[][b]=1", "a[][c]=2", "a[][b]=3"], json!({"a":[{"b":1,"c":2},{"b":3}]})),
            (&["a[b][]=1", "a[b][]=2"], json!({"a":{"b":[1,2]}})),
            (&["a=99999999999999999999"], json!({"a":"99999999999999999999"})),
        ] {
            assert_eq!(made(fields).unwrap(), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for fields in [
            &["a=1", "a=2"][..],
            &["a=1", "a[b]=2"],
            &["a[b]=1", "a=2"],
            &["a[b]=1", "a[b]=2"],
            &["a[]=1", "a[b]=2"],
            &["a"],
            &["=1"],
            &["[a]=1"],
            &["a[b=1"],
            &["a]b=1"],
            &["a[b]c=1"],
            &["a[[b]]=1"],
            &["a=@/no/such/file"],
        ] {
            assert_eq!(made(fields).unwrap_err().kind, ErrorKind::Usage, "{fields:?}");
        }
    }

    #[test]
    fn a_line_is_a_text() {
        let fields = [
            Field::typed("data[user_id]={}", &mut std::io::empty()).unwrap(),
            Field::typed("data[duration]=60", &mut std::io::empty()).unwrap(),
            Field::raw("data[reason]=no {}").unwrap(),
            Field::raw("data[id]=5").unwrap(),
        ];
        let expected = json!({"data":{"user_id":"12","duration":60,"reason":"no 12","id":"5"}});
        assert_eq!(body(&fields, Some("12")).unwrap(), expected);
        assert!(fields[0].takes_line() && !fields[1].takes_line());
        let file = Field::typed("a=@-", &mut &b"true {}\n"[..]).unwrap();
        assert_eq!(body(&[file], Some("12")).unwrap(), json!({"a":"true {}\n"}));
    }
}
