//! Faults of a page: lists that are null, ends that are none, odd totals, odd values around the rows.

use serde_json::{Value, json};

use super::{
    Scene,
    json::{self, Layout},
};
use crate::faults::Fault;

/// The totals of Helix, kraken and tmi.
const TOTALS: [&str; 3] = ["/total", "/_total", "/chatter_count"];

/// What leads to the next page.
const CURSOR: &str = "/pagination/cursor";
const NEXT: &str = "/data/video/comments/pageInfo/hasNextPage";
const LEGACY_CURSOR: &str = "/_cursor";

pub(super) fn damage(scene: Scene<'_>, answer: &mut Value, layout: &Layout) {
    // Never twice in a row: an account is gone if it is still missing when it is asked for again.
    let before = Scene {
        number: scene.number.wrapping_sub(1),
        ..scene
    };
    if scene.strikes(Fault::EmptyPage) && !before.strikes(Fault::EmptyPage) {
        empty(scene, answer, layout);
    }
    if scene.strikes(Fault::EarlyEnd) {
        end(answer, scene.draws(Fault::EarlyEnd).below(0, 3));
    }
    totals(scene, answer);
    if scene.strikes(Fault::OddEnvelope) {
        let seed = scene.draws(Fault::OddEnvelope);
        let places = layout.envelope(answer);
        if let Some(place) = places.get(seed.below(1, places.len() as u64) as usize)
            && let Some(old) = answer.pointer(place)
        {
            let new = match seed.below(2, 2) {
                0 => json::unreadable(old, seed),
                _ => json::other(old, seed),
            };
            json::replace(answer, place, new);
        }
    }
    if scene.strikes(Fault::NullList) {
        let seed = scene.draws(Fault::NullList);
        for (index, list) in layout.lists.iter().enumerate() {
            let new = [Some(Value::Null), None];
            let drawn = seed.below(index as u64, 2) as usize;
            json::replace(answer, list, new[drawn].clone());
        }
    }
}

/// Takes the rows of a page, and half of the time what leads to the next one.
fn empty(scene: Scene<'_>, answer: &mut Value, layout: &Layout) {
    for list in &layout.lists {
        json::replace(answer, list, Some(json!([])));
    }
    let seed = scene.draws(Fault::EmptyPage);
    if seed.below(0, 2) == 0 {
        end(answer, seed.below(1, 3));
    }
}

/// Makes a page the last one, in one of several ways.
fn end(answer: &mut Value, way: u64) {
    json::replace(answer, NEXT, Some(false.into()));
    match way {
        _ if answer.pointer(CURSOR).is_none() => {}
        0 => json::replace(answer, "/pagination", Some(json!({}))),
        1 => json::replace(answer, "/pagination", None),
        _ => json::replace(answer, CURSOR, Some("".into())),
    }
    json::replace(answer, LEGACY_CURSOR, None);
}

fn totals(scene: Scene<'_>, answer: &mut Value) {
    for pointer in TOTALS {
        let Some(total) = answer.pointer(pointer).and_then(Value::as_u64) else {
            continue;
        };
        if scene.strikes(Fault::TotalDrift) {
            // Up to three more or fewer.
            let drifted = (total + scene.draws(Fault::TotalDrift).below(0, 7)).saturating_sub(3);
            json::replace(answer, pointer, Some(drifted.into()));
        }
        if scene.strikes(Fault::OddTotal) {
            let odd = [
                Some(Value::Null),
                Some(total.to_string().into()),
                Some("many".into()),
                Some((-1).into()),
                None,
            ];
            let drawn = scene.draws(Fault::OddTotal).below(0, odd.len() as u64) as usize;
            json::replace(answer, pointer, odd[drawn].clone());
        }
    }
}
