//! Errors of GraphQL: beside good data, with the path of what is null; and with texts that no client knows.

use serde_json::{Value, json};

use super::{Scene, json};
use crate::{faults::Fault, world::Seed};

const EDGES: &str = "/data/video/comments/edges";

/// Texts that were seen, and some that were not.
const TEXTS: [&str; 5] = [
    "service unavailable",
    "server error",
    "context deadline exceeded",
    "internal server error",
    "upstream request failed",
];

pub(super) fn damage(scene: Scene<'_>, answer: &mut Value) {
    if scene.strikes(Fault::GqlUnknownText) {
        let seed = scene.draws(Fault::GqlUnknownText);
        let error = json!({ "message": seed.choose(0, &TEXTS) });
        let located = json!({ "message": seed.choose(0, &TEXTS), "path": ["video"] });
        let whole = [
            json!({ "errors": [error] }),
            json!({ "errors": [error], "data": null }),
            json!({ "errors": [located], "data": { "video": null } }),
        ];
        *answer = whole[seed.below(1, whole.len() as u64) as usize].clone();
    } else if scene.strikes(Fault::GqlPath) {
        beside_data(answer, scene.draws(Fault::GqlPath));
    }
}

/// Makes values null and adds an error for each, as GraphQL does for a field that failed (October 2021, 7.1.2).
fn beside_data(answer: &mut Value, seed: Seed) {
    let comments = answer.pointer(EDGES).and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let places: Vec<String> = match seed.below(0, 8) {
        _ if comments == 0 => vec!["/data/video/creator".to_owned()],
        0 => vec!["/data/video/comments".to_owned()],
        1 => vec![format!("{EDGES}/{}/node", seed.below(1, comments))],
        2 => vec![format!("{EDGES}/{}/node/message/userBadges", seed.below(1, comments))],
        _ => (1..=1 + seed.below(9, 3))
            .map(|index| format!("{EDGES}/{}/node/commenter", seed.below(index, comments)))
            .collect(),
    };
    let mut errors = Vec::new();
    for place in places {
        let steps = place.split('/').skip(2);
        let path = steps.map(|step| step.parse::<u64>().map_or_else(|_| Value::from(step), Value::from));
        errors.push(json!({ "message": seed.choose(3, &TEXTS), "path": path.collect::<Vec<Value>>() }));
        json::replace(answer, &place, Some(Value::Null));
    }
    if let Value::Object(members) = answer {
        members.insert("errors".to_owned(), errors.into());
    }
}
