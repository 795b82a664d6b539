//! Every element of every kind of answer is deleted, nulled, emptied, retyped or reordered, one at a time, for each
//! report: an unreadable row loses that row only, an unreadable page is requested again, and a result with lost rows is
//! never reported as complete.
//!
//! The answers are those of the simulated Twitch; `tests/src/damage.rs` is the proxy in between. What a change may do
//! besides is listed in [`allowance`], each with its reason.

use std::collections::BTreeSet;

use itch_tests::damage::{Damage, Key, Operation, Proxy, Recording, pointers, shape};
use itch_tests::matrix::cases::{CASES, Case, Service, Size};
use itch_tests::matrix::judge::{Allowance, judge};
use itch_tests::matrix::{Outcome, Patience, in_parallel, run, sandbox, undisturbed};
use serde_json::Value;

/// Runs wait for the pauses between retries most of the time.
const THREADS: usize = 12;
const SEED: u64 = 3;

/// The damage to one answer of one report.
struct Run {
    case: &'static Case,
    endpoint: String,
    shape: String,
    old: Value,
    damage: Damage,
}

/// A report without damage.
struct Whole {
    case: &'static Case,
    outcome: Outcome,
    recording: Recording,
}

fn wholes(service: Service) -> Vec<Whole> {
    let cases = CASES
        .iter()
        .filter(|case| case.service == service && case.size != Size::Long);
    let cases: Vec<&'static Case> = cases.collect();
    in_parallel(&cases, THREADS, |case| {
        let sandbox = sandbox(SEED, "");
        let proxy = Proxy::start(&sandbox, Recording::default(), None);
        let outcome = run(proxy.environment(), Patience::SHORT, case.arguments);
        assert_eq!(outcome.code, 0, "{}\n{}", outcome.line, outcome.stderr);
        Whole {
            case,
            outcome: undisturbed(&sandbox, case),
            recording: proxy.recording(),
        }
    })
}

/// One pointer of each shape, with a value that is not null if there is one. Which, depends on the shape alone.
fn samples(answer: &Value) -> Vec<(String, String)> {
    let all: Vec<(String, String)> = pointers(answer)
        .into_iter()
        .map(|pointer| (shape(&pointer), pointer))
        .collect();
    let shapes: BTreeSet<&String> = all.iter().map(|(shape, _)| shape).collect();
    let sample = |wanted: &String| {
        let of_shape = |full: bool| {
            let is_full = move |pointer: &str| !full || answer.pointer(pointer).is_some_and(|value| !value.is_null());
            let found = all
                .iter()
                .filter(move |(shape, pointer)| shape == wanted && is_full(pointer));
            found.map(|(_, pointer)| pointer.clone()).collect::<Vec<_>>()
        };
        let found = Some(of_shape(true))
            .filter(|found| !found.is_empty())
            .unwrap_or_else(|| of_shape(false));
        (wanted.clone(), found[wanted.len() * 7 % found.len()].clone())
    };
    shapes.into_iter().map(sample).collect()
}

/// Every operation on every shape of every endpoint. An answer that several reports read is damaged for the first of
/// them with every operation, and for the others with a third of them.
fn runs(wholes: &[Whole]) -> Vec<Run> {
    let (mut runs, mut known) = (Vec::new(), BTreeSet::new());
    for whole in wholes {
        let mut own = BTreeSet::new();
        for (endpoint, key, answer) in whole.recording.endpoints() {
            if !own.insert(endpoint.clone()) {
                continue;
            }
            let is_new = known.insert(endpoint.clone());
            for (place, (shape, pointer)) in samples(&answer).into_iter().enumerate() {
                for (index, operation) in Operation::ALL.into_iter().enumerate() {
                    let is_stable = (place + index) % 2 == 0;
                    if !is_new && (place + index) % 3 > 0 {
                        continue;
                    }
                    runs.extend(changed(
                        whole.case,
                        &endpoint,
                        &key,
                        (&shape, &pointer),
                        &answer,
                        operation,
                        is_stable,
                    ));
                    // What the program asks for again is damaged in both ways.
                    if is_new && !within_row(&shape) {
                        let stable = !is_stable;
                        runs.extend(changed(
                            whole.case,
                            &endpoint,
                            &key,
                            (&shape, &pointer),
                            &answer,
                            operation,
                            stable,
                        ));
                    }
                }
            }
        }
    }
    runs
}

fn changed(
    case: &'static Case,
    endpoint: &str,
    key: &Key,
    (shape, pointer): (&str, &str),
    answer: &Value,
    operation: Operation,
    is_stable: bool,
) -> Option<Run> {
    let damage = Damage {
        key: key.clone(),
        pointer: pointer.to_owned(),
        operation,
        is_stable,
    };
    damage.apply(answer)?;
    Some(Run {
        case,
        endpoint: endpoint.to_owned(),
        shape: shape.to_owned(),
        old: answer.pointer(pointer)?.clone(),
        damage,
    })
}

fn within_row(shape: &str) -> bool {
    shape.contains("/*")
}

/// The lists of all services, and the object in the answer about a video.
const LISTS: [&str; 6] = [
    "/data",
    "/data/video/comments/edges",
    "/follows",
    "/videos",
    "/chatters/moderators",
    "/chatters/viewers",
];

/// What a change may do besides what the rule says, and why.
fn allowance(run: &Run) -> Allowance {
    use Operation::{EmptyText, MinusOne, Retype, Reverse, Text};
    let Run {
        case,
        endpoint,
        shape,
        old,
        damage,
    } = run;
    let name = shape.rsplit('/').next().unwrap_or_default();
    let operation = damage.operation;
    // A value of the same type, or one that is read as if it were.
    let is_readable = match operation {
        EmptyText | Text => old.is_string(),
        MinusOne => old.is_string() || old.is_number(),
        Retype | Reverse => true,
        _ => false,
    };
    let none = Allowance {
        // The roles decide on the order of chatters.
        order: case.name == "chatters" || operation == Reverse,
        ..Allowance::NONE
    };
    let exits = |exits: &'static [i32], because: &'static str| Allowance { exits, because, ..none };
    if endpoint.starts_with("/oauth2/") {
        return exits(&[4, 6], "without a readable answer of the sign-in service nobody is signed in");
    }
    if endpoint == "/helix/users?" {
        return exits(&[3, 4, 5, 6], "without the user of the token nobody can be asked for chatters");
    }
    if shape.starts_with("/extensions") || name == "__typename" {
        return none;
    }
    // An object of kraken about one account or video.
    let is_single = endpoint.starts_with("/kraken/") && !endpoint.contains("/follows");
    if within_row(shape) || (is_single && !shape.is_empty()) {
        return in_row(run, name, is_readable, none);
    }
    around_rows(run, name, none)
}

/// The same for what is around the rows.
fn around_rows(run: &Run, name: &str, none: Allowance) -> Allowance {
    use Operation::{Delete, EmptyText, List, MinusOne, Object, Retype, Text};
    let Run {
        case,
        endpoint,
        shape,
        old,
        damage,
    } = run;
    let operation = damage.operation;
    let exits = |exits: &'static [i32], because: &'static str| Allowance { exits, because, ..none };
    let has_no_total = case.name.contains("streams") || case.name == "legacy chat-replay";
    let is_list = old.is_array();
    let leads_to_rows = LISTS.iter().any(|list| list.starts_with(shape.as_str()));
    if case.name == "legacy chatters" && name == "moderators" && is_list && damage.operation == List {
        return Allowance {
            short: damage.is_stable,
            because: "nine chatters of 2,322 are within the tolerance of the count",
            ..none
        };
    }
    match name {
        "total" | "_total" | "chatter_count" => Allowance {
            altered: case.name.contains("num-"),
            three: true,
            because: "the total is the value of the row, or cannot be compared",
            ..none
        },
        "cursor" | "pagination" | "_cursor" if matches!(operation, MinusOne | Text | Retype) => Allowance {
            short: has_no_total,
            exits: &[3, 6],
            because: "Twitch refuses a cursor that it did not make",
            ..none
        },
        "cursor" | "pagination" | "_cursor" => Allowance {
            three: true,
            short: has_no_total && matches!(operation, Delete | Operation::Null | EmptyText | Object),
            exits: if damage.is_stable { &[6] } else { &[] },
            because: "a page without a cursor is the last of a list without a total",
            ..none
        },
        "_links" | "next" | "self" => exits(&[3, 6], "the old services are read by these links"),
        _ if is_list && operation == List && endpoint.starts_with("/helix/users") => {
            exits(&[5], "an account that is missing twice does not exist")
        }
        _ if is_list && operation == List && case.name == "chatters" => Allowance {
            emptied: true,
            three: true,
            because: "the lists of moderators and VIPs have no total",
            ..none
        },
        _ if is_list && operation == List => Allowance {
            short: has_no_total,
            emptied: case.name == "streams",
            exits: if endpoint.starts_with("/helix/channels/followers") {
                &[4]
            } else {
                &[]
            },
            because: "an empty list ends where the service says so",
            ..none
        },
        "video" if operation == Operation::Null => exits(&[5], "null is how GQL says that there is no such video"),
        "hasNextPage" | "pageInfo" => Allowance {
            three: true,
            because: "whether comments follow is not known",
            ..none
        },
        _ if damage.is_stable && leads_to_rows => {
            exits(&[6], "an answer that stays unreadable is a service that does not answer")
        }
        _ => none,
    }
}

/// The same for a row and what is in it.
fn in_row(run: &Run, name: &str, is_readable: bool, none: Allowance) -> Allowance {
    let Run {
        case, endpoint, old, ..
    } = run;
    let operation = run.damage.operation;
    let is_time = old
        .as_str()
        .is_some_and(|text| text.len() >= 20 && text.as_bytes()[10] == b'T');
    let composite: &[&str] = &["message", "badges", "emotes", "role", "color", "end"];
    if name == "*" && operation == Operation::Delete {
        return Allowance {
            short: true,
            emptied: true,
            nullable: composite,
            exits: if endpoint.starts_with("/helix/users") {
                &[5]
            } else {
                &[]
            },
            because: "one row of a list, within the tolerance of its total or without one, or an item of a message",
            ..none
        };
    }
    if case.name == "legacy chat-replay" && name == "emotes" {
        return Allowance {
            nullable: &["emotes"],
            because: "an empty text or object says that a message has no emotes",
            ..none
        };
    }
    if case.name == "legacy chat-replay" && name == "attributes" {
        return Allowance {
            altered: true,
            three: true,
            because: "without an offset and a time, the offset is that of the window",
            ..none
        };
    }
    let is_channel = endpoint.starts_with("/helix/users") && !case.name.contains("created");
    let is_key = is_channel && matches!(name, "*" | "id" | "login");
    if is_key || (!within_row(&run.shape) && matches!(name, "_id" | "name")) {
        return Allowance {
            altered: is_readable,
            emptied: is_readable,
            rekeyed: is_readable,
            short: is_readable,
            exits: &[3, 5, 6],
            because: "the channel itself cannot be looked up",
            ..none
        };
    }
    if is_readable && !is_time {
        return Allowance {
            altered: true,
            emptied: true,
            rekeyed: true,
            short: false,
            three: true,
            nullable: composite,
            because: "a value that can be read is printed as it is",
            ..none
        };
    }
    Allowance {
        fewer: is_channel || !within_row(&run.shape),
        nullable: match operation {
            Operation::Null | Operation::Delete => &["badges", "emotes", "color", "end"],
            // An empty list of badges or fragments.
            Operation::List if old.is_array() => composite,
            _ => &[],
        },
        because: "null and missing are how the services say that there is none",
        ..none
    }
}

/// Damages the answers of a service for its reports, and fails with every run that breaks the rule.
fn bear(service: Service) {
    let wholes = wholes(service);
    let runs = runs(&wholes);
    assert!(runs.len() > 100, "{}", runs.len());
    let sandbox = sandbox(SEED, "");
    let wrong = in_parallel(&runs, THREADS, |run| {
        let whole = wholes.iter().find(|whole| whole.case.name == run.case.name).unwrap();
        let proxy = Proxy::start(&sandbox, whole.recording.clone(), Some(run.damage.clone()));
        let outcome = itch_tests::matrix::run(proxy.environment(), Patience::SHORT, run.case.arguments);
        let allowed = allowance(run);
        let mut wrong = judge(&whole.outcome, &outcome, run.case, &allowed);
        if proxy.struck() == 0 {
            wrong.push("the answer was not requested".to_owned());
        }
        (!wrong.is_empty()).then(|| told(run, &outcome, &wrong))
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {} runs break the rule\n{}", wrong.len(), runs.len(), wrong.join("\n"));
}

fn told(run: &Run, outcome: &Outcome, wrong: &[String]) -> String {
    let Damage {
        pointer,
        operation,
        is_stable,
        ..
    } = &run.damage;
    let mode = if *is_stable { "every time" } else { "once" };
    let said: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| !line.contains(" debug: "))
        .collect();
    format!(
        "{} × {operation:?} {mode} at {} {pointer}: exit code {}\n  {}\n  - {}\n  | {}\n",
        run.case.name,
        run.endpoint,
        outcome.code,
        outcome.line,
        wrong.join("\n  - "),
        said.join("\n  | ")
    )
}

#[test]
fn damaged_answers_of_helix() {
    bear(Service::Helix);
}

#[test]
fn damaged_answers_of_gql() {
    bear(Service::Gql);
}

#[test]
fn damaged_answers_of_the_old_services() {
    bear(Service::Legacy);
}
