//! Verdicts on runs with given counts and facts.

use itch_api::ErrorKind;

use super::*;

fn run(rows: u64) -> Run {
    Run {
        report: "followers".to_owned(),
        parameters: BTreeMap::from([("channel".to_owned(), json!("burkeblack"))]),
        version: "0.1.0".to_owned(),
        started: DateTime::from_timestamp(1_793_361_600, 0).unwrap(),
        elapsed: Duration::from_millis(6_420),
        rows,
        limit: None,
        requests: 129,
        cache_hits: 0,
        error: None,
        interrupted: false,
        reader_gone: false,
        tolerance: DEFAULT_TOLERANCE,
    }
}

fn expected(n: u64) -> Fact {
    Fact::Expected {
        what: "followers".to_owned(),
        n,
    }
}

fn gone(what: &str, n: u64) -> Fact {
    Fact::Missing {
        what: what.to_owned(),
        n,
        examples: vec!["deleted_1".to_owned(), "deleted_2".to_owned()],
        remark: None,
    }
}

fn created_empty(n: u64) -> Fact {
    Fact::Missing {
        what: "accounts".to_owned(),
        n,
        examples: Vec::new(),
        remark: Some("created empty".to_owned()),
    }
}

fn gap(reason: &str) -> Fact {
    Fact::Gap {
        from: None,
        to: None,
        reason: reason.to_owned(),
    }
}

#[test]
fn a_whole_list_is_complete() {
    let facts = [expected(12_851), created_empty(4), created_empty(7), expected(12_851)];
    let run = Run {
        cache_hits: 3,
        ..run(12_851)
    };
    let verdict = Verdict::new(run, &facts);
    assert!(verdict.complete());
    assert_eq!(verdict.exit_code(), 0);
    assert_eq!(
        verdict.line(),
        "followers: 12,851 of 12,851 rows, 11 accounts gone (created empty), 0 repeated, complete, \
         129 requests, 3 from cache, 6.4 s"
    );
}

#[test]
fn a_report_that_counts_nothing_says_little() {
    let run = Run { requests: 1, ..run(1) };
    assert_eq!(Verdict::new(run, &[]).line(), "followers: 1 row, complete, 1 request, 6.4 s");
}

#[test]
fn the_smaller_of_two_totals_counts() {
    let verdict = Verdict::new(run(950), &[expected(1_000), expected(951)]);
    assert!(verdict.complete());
    assert!(verdict.line().contains("950 of 951 rows"));
    let grown = Verdict::new(run(1_002), &[expected(1_000), expected(1_003)]);
    assert!(grown.complete());
    assert!(grown.line().contains("1,002 rows (1,000 expected)"));
}

#[test]
fn rows_short_by_more_than_the_tolerance_are_a_gap() {
    assert!(Verdict::new(run(990), &[expected(1_000)]).complete());
    let verdict = Verdict::new(run(989), &[expected(1_000)]);
    assert!(!verdict.complete());
    assert_eq!(verdict.exit_code(), 3);
    assert_eq!(
        verdict.line(),
        "followers: 989 of 1,000 rows, 0 repeated, 129 requests, 6.4 s, \
         INCOMPLETE: 11 of 1,000 followers did not come"
    );
    let strict = Run {
        tolerance: 0.0,
        ..run(999)
    };
    assert_eq!(Verdict::new(strict, &[expected(1_000)]).exit_code(), 3);
}

#[test]
fn a_reached_limit_is_not_compared() {
    let limited = Run {
        limit: Some(1_000),
        error: Some(Error::cancelled()),
        ..run(1_000)
    };
    let verdict = Verdict::new(limited, &[expected(12_851)]);
    assert_eq!(verdict.exit_code(), 0);
    assert_eq!(verdict.line(), "followers: 1,000 rows (limit reached), 0 repeated, complete, 129 requests, 6.4 s");
    let short = Run {
        limit: Some(1_000),
        ..run(900)
    };
    let verdict = Verdict::new(short, &[expected(12_851)]);
    assert_eq!(verdict.exit_code(), 3);
    assert_eq!(
        verdict.line(),
        "followers: 900 of 1,000 rows, 0 repeated, 129 requests, 6.4 s, \
         INCOMPLETE: 100 of 1,000 followers did not come"
    );
    let all = Run {
        limit: Some(1_000),
        ..run(951)
    };
    let verdict = Verdict::new(all, &[expected(951)]);
    assert!(verdict.line().starts_with("followers: 951 of 951 rows, "));
}

#[test]
fn what_is_gone_is_never_a_gap() {
    let verdict = Verdict::new(run(3), &[gone("accounts", 1), gone("videos", 2)]);
    assert!(verdict.complete());
    assert!(
        verdict
            .line()
            .contains("3 rows, 1 account gone, 2 videos missing, complete")
    );
}

#[test]
fn loops_and_gaps_are_gaps() {
    for fact in [Fact::Looped, gap("page 3 was empty")] {
        let verdict = Verdict::new(run(10), &[expected(10), fact]);
        assert!(!verdict.complete());
        assert_eq!(verdict.exit_code(), 3);
    }
    let chat = Fact::Gap {
        from: Some("1:00".to_owned()),
        to: Some("1:05".to_owned()),
        reason: "the service did not answer".to_owned(),
    };
    let facts = [chat, gap("a"), gap("b"), gap("c"), gap("d")];
    let line = Verdict::new(run(10), &facts).line();
    assert!(line.ends_with("INCOMPLETE: 1:00 to 1:05: the service did not answer; a; b; 2 more gaps"), "{line}");
}

#[test]
fn an_error_gives_its_own_exit_code() {
    let failed = Run {
        error: Some(Error::new(ErrorKind::Service, "Helix cannot be reached")),
        ..run(5_000)
    };
    let verdict = Verdict::new(failed, &[expected(12_851), Fact::Looped]);
    assert_eq!(verdict.exit_code(), 6);
    let line = verdict.line();
    assert!(line.starts_with("followers: 5,000 of 12,851 rows, "), "{line}");
    assert!(line.contains("INCOMPLETE: Helix cannot be reached; a list pointed back"), "{line}");
}

#[test]
fn an_interrupt_is_told_once() {
    let interrupted = Run {
        interrupted: true,
        ..run(100)
    };
    let cancelled = Run {
        error: Some(Error::cancelled()),
        ..interrupted.clone()
    };
    for run in [interrupted, cancelled] {
        let verdict = Verdict::new(run, &[expected(12_851)]);
        assert_eq!(verdict.exit_code(), 130);
        assert!(verdict.line().ends_with("INCOMPLETE: interrupted"));
    }
}

#[test]
fn recovered_faults_and_repeats_are_told() {
    let facts = [
        Fact::Repeated { n: 2 },
        Fact::Recovered { n: 1 },
        Fact::Repeated { n: 1 },
    ];
    let line = Verdict::new(run(10), &facts).line();
    assert!(line.contains("10 rows, 3 repeated, 1 fault made good, complete"), "{line}");
}

#[test]
fn a_strangers_words_are_harmless_in_the_line() {
    let line = Verdict::new(run(1), &[gap("\u{1b}]0;x\u{7}\nfollowers: complete")]).line();
    assert!(line.ends_with(r"INCOMPLETE: \u{1b}]0;x\u{7}\nfollowers: complete"), "{line}");
}

#[test]
fn the_json_form_holds_it_all() {
    let facts = [expected(12_851), gone("accounts", 1), gap("page 3 was empty")];
    let verdict = Verdict::new(run(12_851), &facts);
    assert_eq!(
        verdict.json(),
        json!({
            "verdict": 1,
            "itch": "0.1.0",
            "report": "followers",
            "parameters": {"channel": "burkeblack"},
            "started": "2026-10-30T12:00:00.000Z",
            "elapsed_s": 6.42,
            "complete": false,
            "exit_code": 3,
            "rows": 12_851,
            "limit": null,
            "limit_reached": false,
            "expected": {"followers": 12_851},
            "tolerance": 0.01,
            "moved": {},
            "missing": [{"what": "accounts", "n": 1, "examples": ["deleted_1", "deleted_2"]}],
            "unreadable": [],
            "repeated": 0,
            "searched_back": null,
            "recovered": 0,
            "gaps": [{"from": null, "to": null, "reason": "page 3 was empty"}],
            "interrupted": false,
            "stopped_by_reader": false,
            "reasons": ["page 3 was empty"],
            "error": null,
            "requests": 129,
            "cache_hits": 0,
        })
    );
}

#[test]
fn what_could_not_be_read_is_not_complete() {
    let unreadable = |what: &str, n, place: &str| Fact::Unreadable {
        what: what.to_owned(),
        n,
        examples: vec![place.to_owned()],
    };
    let facts = [
        expected(1_000),
        unreadable("`created`", 299, "`users` page 1, row 3, `created_at`: null"),
        unreadable("`created`", 1, "`users` page 2, row 7, `created_at`: \"\""),
        unreadable("rows", 1, "`channels/followers` page 2, row 5, `user_id`: null"),
    ];
    let verdict = Verdict::new(run(999), &facts);
    assert!(!verdict.complete());
    assert_eq!(verdict.exit_code(), 3);
    assert_eq!(
        verdict.line(),
        "followers: 999 of 1,000 rows, 0 repeated, 129 requests, 6.4 s, INCOMPLETE: \
         300 `created` unreadable (`users` page 1, row 3, `created_at`: null); \
         1 row unreadable (`channels/followers` page 2, row 5, `user_id`: null)"
    );
    assert_eq!(verdict.json()["unreadable"][0]["n"], 300);
}

#[test]
fn a_list_that_changes_may_be_short_by_as_much() {
    let moved = |by| Fact::Moved {
        what: "followers".to_owned(),
        by,
    };
    assert!(!Verdict::new(run(950), &[expected(1_000), moved(39)]).complete());
    assert!(Verdict::new(run(950), &[expected(1_000), moved(40)]).complete());
}

#[test]
fn how_far_back_repeats_were_looked_for_is_said() {
    let verdict = Verdict::new(run(3_000_000), &[expected(3_000_000), Fact::SearchedBack { rows: 2_000_000 }]);
    assert!(
        verdict
            .line()
            .contains("0 repeated (searched for among the last 2,000,000 rows), complete")
    );
}
