//! The kinds of faults in the matrix: how often each occurs in a report, and what it may do besides what the rule says.

use super::cases::{Case, Service, Size};
use super::judge::Allowance;

/// What a kind depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Every answer, which can be read at once: a retry would hide a program that cannot.
    Always,
    /// Each request.
    Request,
    /// Each request; it takes a second or more.
    Slow,
    /// Each request to the sign-in service.
    SignIn,
    /// Each row.
    Row,
    /// Each account; every batch with it is refused.
    Batch,
    /// A position in a list.
    Place,
    /// A position in a list after more than a dozen pages.
    LatePlace,
}

/// The class of a kind and the services in which it occurs.
fn class(kind: &str) -> (Class, &'static [Service]) {
    use Service::{Gql, Helix, Legacy};
    const ALL: &[Service] = &[Helix, Gql, Legacy];
    match kind {
        "500" | "503" | "reset" | "cut" | "html" | "outage" | "false-429" | "null-list" | "early-end"
        | "empty-page" | "odd-envelope" => (Class::Request, ALL),
        "bom" | "gzip-members" | "media-type" => (Class::Always, ALL),
        "oauth-odd" => (Class::Always, &[Helix]),
        "429" | "stall" | "slow" => (Class::Slow, ALL),
        "expired" | "echo" | "echo-location" => (Class::Request, &[Helix]),
        "reset-ms" => (Class::Slow, &[Helix]),
        "total-drift" | "odd-total" => (Class::Request, &[Helix, Legacy]),
        "gql-null" | "gql-error" | "gql-timeout" | "gql-data-null" | "gql-unknown" | "gql-integrity"
        | "gql-integrity-all" | "gql-path" | "gql-unknown-text" | "gql-status" => (Class::Request, &[Gql]),
        "legacy-200-error" => (Class::Request, &[Legacy]),
        "oauth-500" | "oauth-outage" => (Class::SignIn, &[Helix]),
        // No report signs a user in or renews a token here.
        "oauth-lost" | "oauth-poll" | "oauth-device" | "oauth-scope" => (Class::SignIn, &[]),
        "odd-field" | "odd-value" | "odd-key" | "blank" | "zero-time" | "bad-text" => (Class::Row, ALL),
        "gone" => (Class::Row, &[Helix]),
        "refused-id" => (Class::Batch, &[Helix]),
        "disorder" => (Class::Place, ALL),
        "duplicate" | "loop" | "endless" | "short-page" | "long-page" => (Class::Place, &[Helix, Gql]),
        "shift" | "empty-last" | "no-rows" => (Class::Place, &[Helix]),
        "late-repeat" => (Class::LatePlace, &[Helix, Gql]),
        kind => panic!("give the fault `{kind}` a place in tests/src/matrix/kinds.rs"),
    }
}

/// Whether a kind can occur in a report.
pub fn occurs(kind: &str, case: &Case) -> bool {
    class(kind).1.contains(&case.service)
}

/// The rate of a kind in a report; `None` if it cannot occur there or adds nothing to a shorter list.
pub fn rate(kind: &str, case: &Case) -> Option<f64> {
    if !occurs(kind, case) {
        return None;
    }
    Some(match (class(kind).0, case.size) {
        (Class::Always, Size::Small | Size::List) => 1.0,
        (Class::Request, Size::Small) => 0.25,
        (Class::Request, Size::List) => 0.15,
        (Class::Slow, Size::Small) => 0.2,
        (Class::Slow, Size::List) => 0.05,
        (Class::SignIn, Size::Small | Size::List) => 0.5,
        (Class::Row, Size::Small) => 0.4,
        (Class::Row, Size::List) => 0.03,
        (Class::Batch, Size::Small) => 0.2,
        (Class::Batch, Size::List) => 0.01,
        (Class::Place, Size::List) => 0.4,
        (Class::Place, Size::Long) if kind != "disorder" => 0.1,
        (Class::LatePlace, Size::Long) => 0.3,
        _ => return None,
    })
}

/// Whether a kind is part of the mixture for a report. Those are not that take seconds, that end a run, or that may do so
/// much that the rows could no longer be compared.
pub fn may_be_mixed(kind: &str, case: &Case) -> bool {
    !matches!(kind, "429" | "stall" | "slow" | "gql-integrity-all") && allowance(kind, case).is_strict()
}

/// What a kind may do in a report besides what the rule says, and why.
pub fn allowance(kind: &str, case: &Case) -> Allowance {
    let none = Allowance {
        // The roles decide on the order of chatters.
        order: case.name == "chatters",
        ..Allowance::NONE
    };
    match kind {
        "odd-value" => Allowance {
            altered: true,
            emptied: true,
            because: "a value that can be read is printed as it is",
            ..none
        },
        "odd-field" if case.service == Service::Gql => Allowance {
            nullable: &["color", "emotes", "badges"],
            because: "null is how GQL says that there is none",
            ..none
        },
        "odd-field" if case.service == Service::Legacy => Allowance {
            nullable: &["color", "emotes", "badges", "end"],
            because: "null is how these services say that there is none",
            ..none
        },
        "odd-field" | "zero-time" if case.name == "followers --since" => Allowance {
            undated: Some("followed"),
            because: "an account whose time is unreadable may have followed since",
            ..none
        },
        "blank" if case.name == "chatters" => Allowance {
            nullable: &["role"],
            three: true,
            because: "a blank row of the VIPs or moderators is nobody's role",
            ..none
        },
        "disorder" => Allowance {
            order: true,
            because: "rows are printed in the order in which they come",
            ..none
        },
        "echo-location" => Allowance {
            exits: &[6],
            because: "a redirection is a final answer",
            ..none
        },
        "refused-id" | "gone" => Allowance {
            exits: &[2, 5, 6],
            because: "the channel itself is refused or gone",
            ..none
        },
        "odd-key" | "blank" => Allowance {
            three: true,
            channel: true,
            because: "a row that no printed row needs is counted too, and the row may be that of the channel",
            ..none
        },
        "bad-text" if case.service != Service::Helix => Allowance {
            nullable: &["emotes"],
            because: "the characters before an emote are counted",
            ..none
        },
        kind => of_page(kind, case, none),
    }
}

/// The same for the faults of pages.
fn of_page(kind: &str, case: &Case, none: Allowance) -> Allowance {
    let counts_only = case.name.contains("num-");
    // No total says how many rows there are.
    let has_no_total = case.name.contains("streams") || case.name == "legacy chat-replay";
    match kind {
        "total-drift" if counts_only => Allowance {
            altered: true,
            because: "the total is the value of the row",
            ..none
        },
        "total-drift" | "odd-total" | "odd-envelope" => Allowance {
            three: true,
            because: "the total says that rows are missing, or cannot be compared",
            ..none
        },
        "early-end" | "empty-page" if has_no_total => Allowance {
            short: true,
            because: "a list without a total ends where the service says so",
            ..none
        },
        "early-end" | "empty-page" if case.name == "chatters" => Allowance {
            emptied: true,
            because: "the lists of moderators and VIPs have no total",
            ..none
        },
        "legacy-200-error" => Allowance {
            exits: &[6],
            because: "an error with status 200 is final, as in tests/suite/legacy_faults.rs",
            ..none
        },
        "expired" => Allowance {
            exits: &[4],
            because: "a request that is refused twice although the token is valid is refused",
            ..none
        },
        "endless" | "loop" => Allowance {
            three: true,
            because: "the service never ends the list",
            ..none
        },
        "no-rows" => Allowance {
            three: true,
            because: "an empty page that names a next one may stand for rows",
            ..none
        },
        _ => none,
    }
}
