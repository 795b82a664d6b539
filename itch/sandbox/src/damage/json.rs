//! Where the rows of an answer are, and replacing a value at a JSON pointer (RFC 6901).

use serde_json::{Map, Value, json};

use crate::world::Seed;

/// Where the rows of an answer are.
#[derive(Debug)]
pub(super) struct Layout {
    /// The pointers of the lists of rows.
    pub(super) lists: Vec<String>,
    /// The pointer of the only row, in an answer without lists.
    single: Option<String>,
}

impl Layout {
    pub(super) fn of(answer: &Value) -> Layout {
        // An object of kraken, whose own lists are not rows.
        if answer.get("_id").is_some() {
            return Layout::single("");
        }
        let mut lists = Vec::new();
        find_lists(answer, &mut String::new(), &mut lists);
        let video = "/data/video";
        if lists.is_empty() && answer.pointer(video).is_some_and(Value::is_object) {
            return Layout::single(video);
        }
        Layout { lists, single: None }
    }

    fn single(pointer: &str) -> Layout {
        Layout {
            lists: Vec::new(),
            single: Some(pointer.to_owned()),
        }
    }

    /// The pointers of all rows.
    pub(super) fn rows(&self, answer: &Value) -> Vec<String> {
        let of_list = |list: &String| {
            let length = answer.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
            (0..length).map(|index| format!("{list}/{index}")).collect::<Vec<_>>()
        };
        let single = self.single.iter().cloned();
        single.chain(self.lists.iter().flat_map(of_list)).collect()
    }

    /// The pointers of all values outside the rows, the lists included.
    pub(super) fn envelope(&self, answer: &Value) -> Vec<String> {
        let within_rows = |pointer: &String| {
            let inside = |list: &String| pointer.strip_prefix(list).is_some_and(|rest| rest.starts_with('/'));
            self.lists.iter().any(inside) || self.single.iter().any(|row| pointer == row || inside(row))
        };
        let mut all = pointers(answer);
        all.retain(|pointer| !pointer.is_empty() && !pointer.starts_with("/extensions") && !within_rows(pointer));
        all
    }
}

/// The lists that are nearest to the root.
fn find_lists(value: &Value, pointer: &mut String, lists: &mut Vec<String>) {
    match value {
        Value::Array(_) => lists.push(pointer.clone()),
        Value::Object(members) => descend(members, pointer, &mut |member, pointer| find_lists(member, pointer, lists)),
        _ => {}
    }
}

/// Calls a function for each member of an object, with its pointer.
fn descend(members: &Map<String, Value>, pointer: &mut String, visit: &mut dyn FnMut(&Value, &mut String)) {
    for (name, member) in members {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        visit(member, pointer);
        pointer.truncate(length);
    }
}

/// The pointers of a value and of all values in it; its own is empty.
pub(super) fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
        found.push(pointer.clone());
        match value {
            Value::Object(members) => descend(members, pointer, &mut |member, pointer| collect(member, pointer, found)),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, &mut format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, &mut String::new(), &mut found);
    found
}

/// Replaces the value at a pointer; `None` removes it, and puts null in the place of the root or of an item.
pub(super) fn replace(answer: &mut Value, pointer: &str, new: Option<Value>) {
    if new.is_none()
        && let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = answer.pointer_mut(parent)
    {
        members.shift_remove(&name.replace("~1", "/").replace("~0", "~"));
        return;
    }
    if let Some(value) = answer.pointer_mut(pointer) {
        *value = new.unwrap_or(Value::Null);
    }
}

/// A value that cannot be read in the place of another, or the same one as a number or text. `None`: it is left out.
pub(super) fn unreadable(old: &Value, seed: Seed) -> Option<Value> {
    let number = |text: &String| text.parse::<u64>().ok().map(Value::from);
    let swapped = match old {
        Value::Number(number) => Some(Value::from(number.to_string())),
        Value::String(text) => number(text),
        _ => None,
    };
    let choices = [
        Some(Value::Null),
        Some(json!([])),
        Some(json!({})),
        Some(json!([old])),
        swapped,
        None,
    ];
    other_than(old, seed, choices)
}

/// A value that can be read in the place of another: empty, -1, 0 or another text.
pub(super) fn other(old: &Value, seed: Seed) -> Option<Value> {
    other_than(old, seed, ["".into(), (-1).into(), 0.into(), "odd".into()].map(Some))
}

fn other_than<const N: usize>(old: &Value, seed: Seed, mut choices: [Option<Value>; N]) -> Option<Value> {
    let drawn = seed.below(0, N as u64) as usize;
    match &choices[drawn] {
        Some(value) if value == old => choices[(drawn + 1) % N].take(),
        _ => choices[drawn].take(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_from_what_is_around_them() {
        let answer = json!({"total": 2, "data": [{"id": "1", "tags": ["a"]}], "pagination": {"cursor": "x"}});
        let layout = Layout::of(&answer);
        assert_eq!(layout.rows(&answer), ["/data/0"]);
        assert_eq!(layout.envelope(&answer), ["/total", "/data", "/pagination", "/pagination/cursor"]);
        let user = json!({"_id": 1, "name": "x", "lists": [1]});
        let layout = Layout::of(&user);
        assert_eq!((layout.rows(&user), layout.envelope(&user).len()), (vec![String::new()], 0));
        let looked_up = json!({"data": {"video": {"id": "1"}}, "extensions": {}});
        let layout = Layout::of(&looked_up);
        assert_eq!(layout.rows(&looked_up), ["/data/video"]);
        assert_eq!(layout.envelope(&looked_up), ["/data"]);
    }

    #[test]
    fn values_are_replaced_and_removed() {
        let mut answer = json!({"a/b": {"c": [1, 2]}});
        assert_eq!(pointers(&answer), ["", "/a~1b", "/a~1b/c", "/a~1b/c/0", "/a~1b/c/1"]);
        replace(&mut answer, "/a~1b/c/1", Some("x".into()));
        replace(&mut answer, "/a~1b/c/0", None);
        assert_eq!(answer, json!({"a/b": {"c": [null, "x"]}}));
        replace(&mut answer, "/a~1b", None);
        assert_eq!(answer, json!({}));
    }

    #[test]
    fn a_value_is_never_replaced_by_itself() {
        for old in [
            json!(null),
            json!([]),
            json!({}),
            json!("7"),
            json!(7),
            json!(""),
            json!(-1),
            json!("odd"),
        ] {
            for index in 0..50 {
                assert_ne!(unreadable(&old, Seed::new(index)).as_ref(), Some(&old));
                assert_ne!(other(&old, Seed::new(index)).as_ref(), Some(&old));
            }
        }
    }
}
