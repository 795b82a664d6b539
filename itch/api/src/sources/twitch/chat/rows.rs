//! Reads the rows of a page of comments, one at a time. A row is left out only if its id or its second cannot be read;
//! other values that cannot be read leave their cells empty, and are counted.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::raw::reader::{PageReader, key_text, whole_number};
use crate::raw::{ChatMessage, Commenter, EmoteUse};

/// The longest plausible recording in seconds: a week. A broadcast ends after 48 hours.
pub(super) const LONGEST: i64 = 7 * 24 * 60 * 60;

const SECOND: &str = "contentOffsetSeconds";

/// Reads a row; `place` counts from 1. First only its id and its second are read, and `is_wanted` decides by them whether
/// the rest is. `None` if it is not wanted, or is left out.
pub(super) fn read_row(
    page: &mut PageReader,
    place: u64,
    edge: &RawValue,
    is_wanted: impl FnOnce(&str, i64) -> bool,
) -> Option<ChatMessage> {
    let Ok(edge) = serde_json::from_str::<Value>(edge.get()) else {
        page.lost(place, None, &Value::from(edge.get().chars().take(100).collect::<String>()));
        return None;
    };
    let mut node = page.row(place, edge)?.inner("node")?.rest();
    let id = node.shift_remove("id").unwrap_or_default();
    let Some(id) = key_text(&id).filter(|id| !id.is_empty()) else {
        page.lost(place, Some("id"), &id);
        return None;
    };
    let found = node.shift_remove(SECOND).unwrap_or_default();
    let Some(offset) = second(&found) else {
        page.lost(place, Some(SECOND), &found);
        return None;
    };
    is_wanted(&id, offset).then(|| message(page, place, id, offset, node))
}

/// A whole second from a number, also with a fraction or as a text; `None` if no recording has it.
fn second(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    (0.0..=LONGEST as f64)
        .contains(&number)
        .then_some(number.floor() as i64)
}

/// Counts the values of a row that cannot be read.
struct OddValues<'a> {
    page: &'a mut PageReader,
    place: u64,
}

impl OddValues<'_> {
    fn count(&mut self, name: &str, field: &str, found: Option<&Value>) {
        self.page.unreadable(name, self.place, field, found);
    }
}

fn message(page: &mut PageReader, place: u64, id: String, offset: i64, node: Map<String, Value>) -> ChatMessage {
    let (mut created_at, mut parts) = (None, (None, None));
    if let Some(mut row) = page.row(place, Value::Object(node)) {
        created_at = row.time("createdAt", "created_at");
        parts = (row.take("commenter"), row.take("message"));
    }
    let commenter = commenter(page, place, parts.0);
    let mut message = ChatMessage {
        id,
        offset,
        created_at,
        commenter,
        color: None,
        badges: Vec::new(),
        text: String::new(),
        emotes: Vec::new(),
    };
    let mut odd = OddValues { page, place };
    match parts.1 {
        Some(Value::Object(mut body)) => {
            let color = body.shift_remove("userColor");
            match color {
                None | Some(Value::Null) => {}
                Some(Value::String(color)) => message.color = Some(color).filter(|color| !color.is_empty()),
                Some(other) => odd.count("color", "userColor", Some(&other)),
            }
            message.badges = badges(&mut odd, body.shift_remove("userBadges"));
            fragments(&mut odd, body.shift_remove("fragments"), &mut message);
        }
        other => {
            for name in ["text", "badges", "emotes"] {
                odd.count(name, "message", other.as_ref());
            }
        }
    }
    message
}

/// The author. Null is an account that no longer exists, and so is one without a name and an id.
fn commenter(page: &mut PageReader, place: u64, found: Option<Value>) -> Option<Commenter> {
    match found {
        Some(Value::Null) => None,
        Some(Value::Object(fields))
            if ["id", "login"]
                .iter()
                .all(|field| fields.get(*field) == Some(&"".into())) =>
        {
            None
        }
        Some(fields @ Value::Object(_)) => page.row(place, fields).map(|mut row| Commenter {
            id: row.text("id", "user_id"),
            login: row.text("login", "login"),
            display_name: row.text("displayName", "display_name"),
        }),
        other => {
            for name in ["user_id", "login", "display_name"] {
                page.unreadable(name, place, "commenter", other.as_ref());
            }
            Some(Commenter::default())
        }
    }
}

fn badges(odd: &mut OddValues<'_>, found: Option<Value>) -> Vec<(String, String)> {
    const FIELD: &str = "userBadges";
    let Some(Value::Array(list)) = found else {
        odd.count("badges", FIELD, found.as_ref());
        return Vec::new();
    };
    let mut badges = Vec::with_capacity(list.len());
    for badge in list {
        let text = |field: &str| badge.get(field).and_then(key_text);
        match text("setID").zip(text("version")) {
            // An empty badge is left where a badge was removed.
            Some((set, _)) if set.is_empty() => {}
            Some(named) => badges.push(named),
            None => odd.count("badges", FIELD, Some(&badge)),
        }
    }
    badges
}

/// Joins the fragments to the text, and takes the emotes out of them.
fn fragments(odd: &mut OddValues<'_>, found: Option<Value>, message: &mut ChatMessage) {
    const FIELD: &str = "fragments";
    let Some(Value::Array(list)) = found else {
        odd.count("text", FIELD, found.as_ref());
        odd.count("emotes", FIELD, found.as_ref());
        return;
    };
    for fragment in list {
        if !fragment.is_object() {
            odd.count("text", FIELD, Some(&fragment));
            odd.count("emotes", FIELD, Some(&fragment));
            continue;
        }
        let text = fragment.get("text").and_then(key_text);
        if text.is_none() {
            odd.count("text", "text", fragment.get("text"));
        }
        let text = text.unwrap_or_default();
        match fragment.get("emote") {
            Some(Value::Null) => {}
            found => match found.and_then(|emote| emote_use(emote, &text)) {
                Some(emote) if emote.id.is_empty() => {}
                Some(emote) => message.emotes.push(emote),
                None => odd.count("emotes", "emote", found),
            },
        }
        message.text.push_str(&text);
    }
}

/// Positions count code points of the whole message, and the end is inclusive.
fn emote_use(emote: &Value, text: &str) -> Option<EmoteUse> {
    let id = emote.get("emoteID").and_then(key_text)?;
    let from = u32::try_from(emote.get("from").and_then(whole_number)?).ok()?;
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let to = from.saturating_add(length.saturating_sub(1));
    Some(EmoteUse { id, from, to })
}

/// The name in the models of a value that null does not mark as unreadable: it is also null where there is none.
pub(super) fn nullable(field: &str) -> Option<&'static str> {
    match field {
        "userColor" => Some("color"),
        "emote" => Some("emotes"),
        _ => None,
    }
}
