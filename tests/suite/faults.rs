//! Faults of the service: they are retried, counted or reported. A fault in the middle never looks like the end.

use std::time::Duration;

use itch_tests::{Folder, RunResult, Sandbox, same};

/// The first rows of a list, without any fault.
fn faultless(limit: &str) -> RunResult {
    let ran = Folder::new().itch(&["--sandbox", "followers", "-l", limit, "burkeblack"]);
    ran.succeeds();
    ran
}

/// The same from a sandbox with faults.
fn with_faults(faults: &str, limit: &str, options: &[&str]) -> RunResult {
    let sandbox = Sandbox::start(&["--faults", faults]);
    let arguments = [&["-v", "followers", "-l", limit, "burkeblack"], options].concat();
    Folder::new().at(&sandbox).itch(&arguments)
}

/// A number below a million, as the verdict writes it.
fn human(n: usize) -> String {
    match (n / 1000, n % 1000) {
        (0, n) => n.to_string(),
        (thousands, n) => format!("{thousands},{n:03}"),
    }
}

/// Temporary faults change no row; `seen` is their message in the log.
#[track_caller]
fn pass(faults: &[(&str, &str)], timeout: &str) {
    let expected = faultless("2500");
    for (fault, seen) in faults {
        let ran = with_faults(fault, "2500", &["--timeout", timeout]);
        same(&ran.exits(0).stdout, &expected.stdout);
        ran.says("followers: 2,500 rows (limit reached), ")
            .says(", complete, ")
            .says(seen);
    }
}

#[test]
fn server_errors_pass() {
    pass(
        &[
            ("500=0.1", "500 Internal Server Error"),
            ("503=0.1", "503 Service Unavailable"),
        ],
        "5s",
    );
}

#[test]
fn broken_connections_pass() {
    pass(
        &[
            ("reset=0.1", "could not be reached"),
            ("cut=0.1", "stopped in the middle of its answer"),
        ],
        "5s",
    );
}

#[test]
fn answers_that_are_no_json_pass() {
    pass(
        &[
            ("html=0.1", "answered HTML"),
            ("500=0.02,503=0.02,reset=0.02,cut=0.02,html=0.02", "try 2"),
        ],
        "5s",
    );
}

#[test]
fn refusals_by_the_rate_limit_pass() {
    pass(&[("429=0.02", ": 429, ")], "5s");
}

#[test]
fn silence_passes() {
    pass(&[("stall=0.02", "did not send a complete answer within 0.5 s")], "500ms");
}

#[test]
fn slow_answers_pass() {
    pass(&[("slow=0.01", "")], "5s");
}

/// The token is validated once per request: if it is valid, the request itself is refused.
#[test]
fn a_token_that_expires_on_the_way_is_looked_at_again() {
    // With this seed, one of these requests gets the fault.
    let arguments = ["-v", "followers", "-l", "2500", "--columns", "name", "burkeblack"];
    let whole = Sandbox::start(&["--seed", "4"]);
    let struck = Sandbox::start(&["--seed", "4", "--faults", "expired=0.01"]);
    let expected = Folder::new().at(&whole).itch(&arguments);
    let ran = Folder::new().at(&struck).itch(&arguments);
    same(&ran.exits(0).stdout, &expected.exits(0).stdout);
    ran.says(": 401, ");
    assert_eq!(struck.requests().of("/oauth2/validate"), 2);
}

#[test]
fn rows_that_come_again_are_left_out_and_counted() {
    let expected = faultless("2500");
    for fault in ["duplicate=0.3", "shift=0.3", "duplicate=0.3,shift=0.3"] {
        let ran = with_faults(fault, "2500", &[]);
        same(&ran.exits(0).stdout, &expected.stdout);
        ran.says(", complete, ");
        let repeated = ran
            .stderr
            .split(" repeated, ")
            .next()
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap();
        assert!(repeated.parse::<u64>().unwrap() > 0, "{fault}: {repeated}");
    }
}

#[test]
fn an_empty_page_at_the_end_is_the_end() {
    for channel in ["followers_3", "followers_100", "followers_200"] {
        let expected = Folder::new().itch(&["--sandbox", "followers", channel]);
        let sandbox = Sandbox::start(&["--faults", "empty-last=1"]);
        let ran = Folder::new().at(&sandbox).itch(&["followers", channel]);
        ran.prints(&expected.stdout);
    }
}

#[test]
fn a_list_that_leads_back_is_not_complete() {
    let ran = with_faults("loop=0.05", "10000", &[]);
    ran.exits(3)
        .says("INCOMPLETE: a list pointed back to a page that was read before; ");
    assert!((100..10_000).contains(&ran.rows().len()));
    ran.says(&format!("{} of 10,000 followers did not come\n", human(10_000 - ran.rows().len())));
    let expected = faultless("10000");
    assert!(expected.stdout.starts_with(&ran.stdout));
}

#[test]
fn an_empty_page_that_names_a_next_one_is_not_the_end() {
    let expected = faultless("10000");
    for rate in ["no-rows=0.05", "no-rows=1"] {
        same(&with_faults(rate, "10000", &[]).exits(0).stdout, &expected.stdout);
    }
    // No row is lost, but nobody can know: where an older row ends the list, there is no total to compare with.
    let ran = with_faults("no-rows=1", "10000", &["--since", "2026-10-20"]);
    ran.exits(3).says(" was empty, in the middle of the list\n");
}

/// Missing rows are always reported, also with `-q` and on a pipe.
#[test]
fn what_is_missing_is_said_whatever_is_asked() {
    let sandbox = Sandbox::start(&["--faults", "loop=0.2"]);
    let folder = Folder::new().at(&sandbox);
    for options in [&[][..], &["-q"], &["-f", "csv"], &["-d", "asc"], &["-o", "rows.tsv"]] {
        let ran = folder.itch(&[&["followers", "burkeblack"], options].concat());
        ran.exits(3).says("INCOMPLETE: ");
        if options.contains(&"-o") {
            assert!(!folder.path("rows.tsv").exists());
            ran.says("hint: the rows that were written are in `rows.tsv.part`");
        }
    }
}

#[test]
fn accounts_that_are_gone_are_counted_and_keep_their_rows() {
    let expected = faultless("1000");
    let ran = with_faults("gone=0.1", "1000", &[]);
    let (found, expected) = (ran.exits(0).cells(), expected.cells());
    assert_eq!(found.len(), expected.len());
    let gone = found.iter().filter(|row| row[2].is_empty()).count();
    assert!((60..140).contains(&gone), "{gone}");
    for (row, whole) in found.iter().zip(&expected) {
        assert_eq!((row[0], row[1], row[3], row[5]), (whole[0], whole[1], whole[3], whole[5]));
        if row[2].is_empty() {
            assert_eq!(row[4], "");
        } else {
            assert_eq!(row, whole);
        }
    }
    ran.says(&format!("{gone} accounts gone (created empty), "));
}

#[test]
fn look_ups_of_many_channels_survive_faults_too() {
    let names = Folder::new().itch(&["--sandbox", "followers", "burkeblack", "-l", "150", "--columns", "name"]);
    let run = |folder: Folder, report: &str, first: &[&str]| {
        folder.itch_reading(&names.stdout, &[first, &[report, "-"]].concat())
    };
    for report in ["created", "num-followers"] {
        let expected = run(Folder::new(), report, &["--sandbox"]);
        let sandbox = Sandbox::start(&["--faults", "500=0.1,reset=0.05,html=0.05"]);
        // Of 150 requests one would fail five times now and then.
        let ran = run(Folder::new().at(&sandbox), report, &["--retries", "10"]);
        assert_eq!(ran.code, expected.code, "{}", ran.stderr);
        same(&ran.stdout, &expected.stdout);
    }
}

#[test]
fn how_often_it_is_tried_is_the_persons_to_say() {
    let sandbox = Sandbox::start(&["--faults", "500=1"]);
    let folder = Folder::new().at(&sandbox);
    for retries in [0, 1, 2] {
        let before = sandbox.requests().of("/helix/users");
        let ran = folder.itch(&["created", "burkeblack", "--retries", &retries.to_string()]);
        ran.exits(6)
            .says("error: the helix service answered 500 Internal Server Error");
        assert_eq!(sandbox.requests().of("/helix/users") - before, retries + 1);
    }
}

/// itch waits before it exceeds the rate limit, so no request is refused.
#[test]
fn a_rate_limit_is_waited_for() {
    let sandbox = Sandbox::start(&["--rate-limit", "240"]);
    let folder = Folder::new().at(&sandbox);
    let ran = folder.itch(&["-v", "followers", "-l", "12300", "burkeblack"]);
    same(&ran.exits(0).stdout, &faultless("12300").stdout);
    // 123 pages, as many look-ups and the channel are 7 requests more than the bucket holds, which refills by 4 a
    // second.
    assert!(ran.elapsed > Duration::from_millis(1_000), "{:?}", ran.elapsed);
    assert!(!ran.stderr.contains(": 429, "), "{}", ran.stderr);
    assert_eq!(sandbox.requests().total, 248);
}
