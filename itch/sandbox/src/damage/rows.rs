//! Faults of single rows: odd fields, odd keys, blank accounts, invalid times, malformed texts.

use bytes::Bytes;
use serde_json::Value;

use super::{
    Scene,
    json::{self, Layout},
};
use crate::{faults::Fault, world::Seed};

/// The pointers of the keys in the rows of each service: those of the first line that a row has.
const KEYS: [&[&str]; 8] = [
    &["/node/id", "/node/contentOffsetSeconds"],
    &["/id", "/attributes/video-offset"],
    &["/id"],
    &["/_id"],
    &["/user_id"],
    &["/broadcaster_id"],
    &["/user/name"],
    &["/channel/name"],
];

/// The endpoint whose rows are found by id or by login.
const USERS: &str = "/helix/users";

pub(super) fn damage(scene: Scene<'_>, answer: &mut Value, layout: &Layout) {
    for pointer in layout.rows(answer) {
        if let Some(row) = answer.pointer_mut(&pointer) {
            damage_row(scene, row);
        }
    }
    for list in &layout.lists {
        if let Some(Value::Array(rows)) = answer.pointer_mut(list) {
            disorder(scene, rows);
        }
    }
}

/// The pointers of the keys of a row. A row that is a text is its own key.
fn keys(scene: Scene<'_>, row: &Value) -> Vec<&'static str> {
    if !row.is_object() {
        return vec![""];
    }
    let has_all = |keys: &&&[&str]| keys.iter().all(|key| row.pointer(key).is_some());
    let mut keys = KEYS.iter().find(has_all).map_or(Vec::new(), |keys| keys.to_vec());
    if scene.path == USERS {
        keys.push("/login");
    }
    keys
}

fn key_text(row: &Value, keys: &[&str]) -> String {
    let key = keys.first().and_then(|key| row.pointer(key)).unwrap_or(row);
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

fn damage_row(scene: Scene<'_>, row: &mut Value) {
    let keys = keys(scene, row);
    let seed = scene.row(&key_text(row, &keys));
    let strikes = |fault| scene.faults.strike(fault, seed, 0);
    let draws = |fault: Fault| seed.child("damage").child(fault.name());
    let is_key = |pointer: &String| keys.iter().any(|key| key.starts_with(pointer.as_str()));
    if strikes(Fault::OddField) {
        let places = json::pointers(row).into_iter().filter(|pointer| !is_key(pointer));
        replace_one(row, places, draws(Fault::OddField), json::unreadable);
    }
    if strikes(Fault::OddValue) {
        let is_readable = |row: &Value, pointer: &String| {
            let value = row.pointer(pointer);
            let is_time = value.is_some_and(is_time) || is_moment(pointer);
            !is_time && value.is_some_and(|value| !value.is_object() && !value.is_array())
        };
        let all = json::pointers(row).into_iter();
        let places: Vec<String> = all
            .filter(|pointer| !is_key(pointer) && is_readable(row, pointer))
            .collect();
        replace_one(row, places.into_iter(), draws(Fault::OddValue), json::other);
    }
    if strikes(Fault::ZeroTime) {
        zero_times(row, draws(Fault::ZeroTime));
    }
    if strikes(Fault::BadText) {
        spoil_text(row, &keys, draws(Fault::BadText));
    }
    if strikes(Fault::Blank) && scene.path != USERS {
        blank(row);
    }
    if strikes(Fault::OddKey) {
        let places = json::pointers(row).into_iter().filter(|pointer| is_key(pointer));
        replace_one(row, places, draws(Fault::OddKey), |old, seed| match json::unreadable(old, seed) {
            // A number as a text, or a text as a number, is readable.
            Some(Value::String(_) | Value::Number(_)) => None,
            value => value,
        });
    }
}

/// Replaces the value at one of some pointers.
fn replace_one(
    row: &mut Value,
    places: impl Iterator<Item = String>,
    seed: Seed,
    new: impl Fn(&Value, Seed) -> Option<Value>,
) {
    let places: Vec<String> = places.collect();
    let Some(place) = places.get(seed.below(1, places.len() as u64) as usize) else {
        return;
    };
    if let Some(old) = row.pointer(place) {
        let new = new(old, seed);
        json::replace(row, place, new);
    }
}

/// The names of the fields of an account, in lists and in comments.
const ACCOUNT: [&str; 6] = [
    "user_id",
    "user_login",
    "user_name",
    "broadcaster_id",
    "broadcaster_login",
    "broadcaster_name",
];
const AUTHOR: [&str; 5] = ["id", "login", "displayName", "name", "display_name"];

fn blank(row: &mut Value) {
    let empty = |value: Option<&mut Value>| {
        if let Some(Value::String(text)) = value {
            text.clear();
        }
    };
    if row.is_string() {
        return empty(Some(row));
    }
    ACCOUNT.iter().for_each(|name| empty(row.get_mut(*name)));
    for account in ["/node/commenter", "/user", "/channel"] {
        if let Some(account) = row.pointer_mut(account) {
            AUTHOR.iter().for_each(|name| empty(account.get_mut(*name)));
        }
    }
}

/// Whether a value is a time such as `2026-11-01T00:00:00Z`.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default().as_bytes();
    matches!(text, [year @ .., b'-', _, _, b'-', _, _, b'T'] if year.len() == 4)
        || (text.len() >= 20 && text[4] == b'-' && text[7] == b'-' && text[10] == b'T' && text[13] == b':')
}

/// Whether a value is a time as a number, by its name at loots and rechat.
fn is_moment(pointer: &str) -> bool {
    matches!(pointer.rsplit('/').next(), Some("t_start" | "t_end" | "_t" | "timestamp"))
}

fn zero_times(row: &mut Value, seed: Seed) {
    for (index, pointer) in json::pointers(row).into_iter().enumerate() {
        let seed = seed.of(index as u64);
        let Some(value) = row.pointer_mut(&pointer) else {
            continue;
        };
        match pointer.rsplit('/').next() {
            Some("duration") if value.is_string() => *value = "0s".into(),
            Some("length" | "lengthSeconds") if value.is_number() => *value = 0.into(),
            _ if is_moment(&pointer) && value.is_number() => *value = seed.choose(0, &["", "soon"]).into(),
            _ if is_time(value) => *value = seed.choose(0, &["0001-01-01T00:00:00Z", "", "soon"]).into(),
            _ => {}
        }
    }
}

/// The names of texts that people choose.
const TEXTS: [&str; 13] = [
    "user_login",
    "user_name",
    "broadcaster_login",
    "broadcaster_name",
    "login",
    "displayName",
    "display_name",
    "display-name",
    "title",
    "text",
    "message",
    "from",
    "game",
];

/// Stands for an escaped surrogate without its pair, and for bytes that are not UTF-8, until the answer is written.
const SPOILS: [(char, &[u8]); 3] = [
    ('\u{f0000}', br"\ud83d"),
    ('\u{f0001}', b"\xff"),
    ('\u{f0002}', b"\xc3"),
];

fn spoil_text(row: &mut Value, keys: &[&str], seed: Seed) {
    let mut places = json::pointers(row);
    places.retain(|pointer| {
        let named = pointer.rsplit('/').next().is_some_and(|name| TEXTS.contains(&name));
        named && !keys.contains(&pointer.as_str()) && row.pointer(pointer).is_some_and(Value::is_string)
    });
    let place = places.get(seed.below(1, places.len() as u64) as usize);
    if let Some(Value::String(text)) = place.and_then(|place| row.pointer_mut(place)) {
        text.push(seed.choose(2, &SPOILS).0);
    }
}

/// Writes the malformed parts of texts.
pub(super) fn with_bad_bytes(body: Bytes) -> Bytes {
    let is_spoil = |window: &[u8]| window.starts_with(b"\xf3\xb0\x80");
    if !body.windows(3).any(is_spoil) {
        return body;
    }
    let mut spoiled = Vec::with_capacity(body.len());
    let mut rest = &body[..];
    while let Some((first, after)) = rest.split_first() {
        let found = SPOILS.iter().find(|(stand_in, _)| {
            let mut utf8 = [0; 4];
            rest.starts_with(stand_in.encode_utf8(&mut utf8).as_bytes())
        });
        match found {
            Some((stand_in, bytes)) => {
                spoiled.extend_from_slice(bytes);
                rest = &rest[stand_in.len_utf8()..];
            }
            None => {
                spoiled.push(*first);
                rest = after;
            }
        }
    }
    spoiled.into()
}

/// Shuffles the rows of a page.
fn disorder(scene: Scene<'_>, rows: &mut [Value]) {
    let Some(first) = rows.first() else { return };
    let seed = scene.row(&key_text(first, &keys(scene, first)));
    if !scene.faults.strike(Fault::Disorder, seed, 0) {
        return;
    }
    let draws = seed.child("disorder");
    for last in (1..rows.len()).rev() {
        rows.swap(last, draws.below(last as u64, last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_told_from_other_texts() {
        for (value, is) in [
            (json!("2026-11-01T00:00:00Z"), true),
            (json!("2026-11-01T00:00:00.123Z"), true),
            (json!("2026-11-01"), false),
            (json!("a title that is quite long"), false),
            (json!(20261101), false),
        ] {
            assert_eq!(is_time(&value), is, "{value}");
        }
    }

    #[test]
    fn texts_become_malformed_when_they_are_written() {
        let body = Bytes::from("\"a\u{f0000}b\u{f0001}c\u{f0002}\"".to_owned());
        assert_eq!(&with_bad_bytes(body)[..], b"\"a\\ud83db\xffc\xc3\"");
        let plain = Bytes::from_static("\"ü\u{f0fff}\"".as_bytes());
        assert_eq!(with_bad_bytes(plain.clone()), plain);
    }
}
