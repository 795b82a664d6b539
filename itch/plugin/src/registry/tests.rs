//! What names refer to if several units have them, and how unusable units are handled.

use super::*;
use crate::abi::Str;

fn item(kind: u32, name: &str, spec: &str) -> &'static Item {
    let text = |text: &str| Str::new(text.to_owned().leak().as_bytes());
    Box::leak(Box::new(Item {
        size: size_of::<Item>() as u32,
        kind,
        this: std::ptr::null_mut(),
        name: text(name),
        spec_json: text(spec),
        vtable: std::ptr::null(),
    }))
}

/// A report `name` with aliases, in `<plugin>.so` of a directory.
fn found(plugin: &str, name: &str, aliases: &[&str], place: usize) -> Registered {
    let mut spec = ReportSpec::new(name, "A report").column(crate::Column::int("n", "A number"));
    for alias in aliases {
        spec = spec.alias(*alias);
    }
    let item = item(abi::REPORT, name, &serde_json::to_string(&spec).unwrap());
    let path = format!("/{place}/{plugin}.so").into();
    Registered::new(item, plugin, "1.0", (1, 0), Origin::File { path, place }).unwrap()
}

fn linked(plugin: &str, name: &str, aliases: &[&str]) -> Registered {
    Registered {
        origin: Origin::LinkedIn,
        ..found(plugin, name, aliases, 0)
    }
}

fn registry(units: impl IntoIterator<Item = Registered>) -> Registry {
    let mut registry = Registry::default();
    registry.add(units);
    registry
}

/// The plugin of the unit that a name refers to.
fn giver<'a>(registry: &'a Registry, name: &str) -> Option<&'a str> {
    registry.report(name).map(|(_, unit)| unit.plugin.as_str())
}

#[test]
fn what_is_linked_in_wins_then_the_earlier_directory() {
    let registry = registry([
        found("late", "x", &[], 1),
        found("early", "x", &[], 0),
        found("late", "y", &[], 1),
        found("early", "y", &[], 0),
        linked("own", "x", &[]),
    ]);
    assert_eq!(giver(&registry, "x"), Some("own"));
    assert_eq!(giver(&registry, "y"), Some("early"));
    let names: Vec<_> = registry.reports().map(|(spec, _)| &spec.name).collect();
    assert_eq!(names, ["x", "y"]);
    for name in ["own/x", "early/x", "late/x", "late/y"] {
        let plugin = name.split('/').next();
        assert_eq!(giver(&registry, name), plugin, "{name}");
    }
    assert_eq!(giver(&registry, "own/y"), None);
    let late = registry.report("late/x").unwrap().1;
    assert!(matches!(registry.standing(late), Standing::Shadowed { by } if by.plugin == "own"));
    assert!(registry.conflict("report", "x").is_none());
    assert!(registry.conflict("report", "z").is_none());
}

#[test]
fn two_of_one_directory_tie_and_the_error_names_both() {
    let mut registry = registry([found("b", "x", &[], 2), found("a", "x", &[], 2)]);
    assert_eq!(giver(&registry, "x"), None);
    assert_eq!(registry.reports().count(), 0);
    let error = registry.conflict("report", "x").unwrap();
    assert_eq!(error.message, "two reports are called `x`: a (/2/a.so) and b (/2/b.so)");
    assert_eq!(error.hint.as_deref(), Some("itch --prefer x=a"));
    assert_eq!(giver(&registry, "b/x"), Some("b"));
    let (a, b) = (&registry.units()[0], &registry.units()[1]);
    assert!(matches!(registry.standing(a), Standing::Tied { with } if with.plugin == "b"));
    assert!(matches!(registry.standing(b), Standing::Tied { with } if with.plugin == "a"));
    registry.prefer("x", "b");
    assert_eq!(giver(&registry, "x"), Some("b"));
    assert!(registry.conflict("report", "x").is_none());
}

#[test]
fn a_preference_turns_the_order_round_whenever_it_is_said() {
    let mut registry = Registry::default();
    registry.prefer("x", "late");
    registry.add([linked("own", "x", &[]), found("late", "x", &[], 1)]);
    assert_eq!(giver(&registry, "x"), Some("late"));
    let own = registry.report("own/x").unwrap().1;
    assert!(matches!(registry.standing(own), Standing::Shadowed { by } if by.plugin == "late"));
    registry.prefer("x", "nobody");
    assert_eq!(giver(&registry, "x"), Some("late"));
}

#[test]
fn two_files_of_one_plugin_with_one_name_tie_by_full_name_too() {
    let twin = Registered {
        origin: Origin::File {
            path: "/0/copy.so".into(),
            place: 0,
        },
        ..found("a", "x", &[], 0)
    };
    let registry = registry([found("a", "x", &[], 0), twin]);
    assert_eq!(giver(&registry, "a/x"), None);
    let error = registry.conflict("report", "a/x").unwrap();
    assert_eq!(error.message, "two reports are called `x`: a (/0/a.so) and a (/0/copy.so)");
    assert_eq!(error.hint.as_deref(), Some("itch plugins list"));
}

#[test]
fn other_names_are_names_but_give_way_to_a_name_beside_them() {
    let registry = registry([
        linked("own", "streams", &["past"]),
        found("a", "past", &["broadcasts"], 0),
        found("b", "broadcasts", &["clips"], 0),
    ]);
    assert_eq!(giver(&registry, "past"), Some("own"));
    assert_eq!(giver(&registry, "broadcasts"), Some("b"));
    assert_eq!(giver(&registry, "clips"), Some("b"));
    assert_eq!(giver(&registry, "a/broadcasts"), Some("a"));
    assert!(registry.means("past", registry.report("streams").unwrap().1));
    assert!(!registry.means("broadcasts", registry.report("a/past").unwrap().1));
}

#[test]
fn a_unit_that_cannot_be_used_is_kept_with_the_reason_and_takes_no_name() {
    let from = || Origin::File {
        path: "/0/bad.so".into(),
        place: 0,
    };
    let new = |item| Registered::new(item, "bad", "1.0", (1, 0), from());
    let unread = new(item(abi::REPORT, "x", "{\"columns\": 7}")).unwrap();
    let other = new(item(abi::CACHE, "shelf", "{\"name\":\"file\"}")).unwrap();
    let reserved = new(item(
        abi::REPORT,
        "plugins",
        r#"{"name":"plugins","columns":[{"name":"n","type":"int","help":""}]}"#,
    ))
    .unwrap();
    assert!(new(item(99, "future", "")).is_none());
    let reason = |unit: &Registered| unit.refused.as_ref().unwrap().message.clone();
    assert_eq!(reason(&unread), "could not parse the unit's description");
    assert_eq!(reason(&other), "the unit's name is not the name in its description");
    assert_eq!(reason(&reserved), "`plugins` is a built-in command of itch");

    let registry = registry([unread, other, reserved, found("good", "x", &[], 5)]);
    assert_eq!(registry.units().len(), 4);
    assert_eq!(giver(&registry, "x"), Some("good"));
    assert!(registry.report("bad/x").is_none());
    let error = registry.conflict("report", "bad/x").unwrap();
    assert_eq!(
        (error.message.as_str(), error.causes.first().map(String::as_str)),
        (
            "the report `bad/x` of bad (/0/bad.so) cannot be used",
            Some("could not parse the unit's description")
        )
    );
    assert!(registry.cache("file").is_none());
}
