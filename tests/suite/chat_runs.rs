//! The chat of past broadcasts: whole, in parts, over many connections, and from a cache.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, Signal, eventually, same, signal, wait};

use crate::chat_faults::{DENSE, GROWING, LONG, SHORT, column, faultless, long, offset};

#[test]
fn the_long_one_is_whole() {
    let rows = long();
    assert!(
        column(rows, 0)
            .iter()
            .map(|second| second.parse::<u64>().unwrap())
            .is_sorted()
    );
    let times: Vec<f64> = column(rows, 1).iter().map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted());
    let ids: HashSet<&str> = column(rows, 7).into_iter().collect();
    assert_eq!((rows.lines().count(), ids.len()), (60_000, 60_000));
}

#[test]
fn a_part_is_that_part_of_the_whole() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let whole = faultless(GROWING);
    for (from, to) in [
        (None, Some(100)),
        (Some(1), Some(2)),
        (Some(599), Some(601)),
        (Some(1_000), Some(5_000)),
        // After the known length, where the chat continues.
        (Some(10_000), None),
        (Some(10_600), Some(10_700)),
        (Some(10_799), Some(99_999)),
        (Some(20_000), None),
    ] {
        let wanted = |row: &&str| from.is_none_or(|from| offset(row) >= from) && to.is_none_or(|to| offset(row) < to);
        let wanted: String = whole.lines().filter(wanted).map(|row| format!("{row}\n")).collect();
        let (from, to) = (from.map(|second| format!("{second}s")), to.map(|second| second.to_string()));
        let mut arguments = vec!["chat-replay", GROWING];
        arguments.extend(from.iter().flat_map(|second| ["--from", second]));
        arguments.extend(to.iter().flat_map(|second| ["--to", second]));
        let ran = folder.itch(&arguments);
        same(&ran.succeeds().stdout, &wanted);
    }
    for to in ["700", "600"] {
        let backwards = folder.itch(&["chat-replay", GROWING, "--from", "700", "--to", to]);
        backwards.exits(2).says("`--from` must be before `--to`");
    }
    let named = folder.itch(&["chat-replay", GROWING, "--from", "1h1m5s", "--to", "62m"]);
    let numbers = folder.itch(&["chat-replay", GROWING, "--from", "3665", "--to", "3720"]);
    assert!(!numbers.stdout.is_empty());
    named.prints(&numbers.stdout);
}

#[test]
fn the_number_of_connections_changes_no_byte() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let expected = faultless(GROWING);
    for connections in ["1", "2", "4", "16"] {
        let ran = folder.itch(&["chat-replay", "--connections", connections, GROWING]);
        same(&ran.succeeds().stdout, &expected);
    }
}

/// The wall time shows how many answers were waited for at once.
#[test]
fn connections_are_used() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    let time = |connections: &str| {
        let ran = folder.itch(&["chat-replay", "--connections", connections, DENSE]);
        assert_eq!(ran.succeeds().rows().len(), 1_000);
        ran.elapsed
    };
    let (one, four, sixteen) = (time("1"), time("4"), time("16"));
    assert!(one > four && four > sixteen, "{one:?} {four:?} {sixteen:?}");
}

#[test]
fn the_first_row_takes_few_round_trips() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    let start = Instant::now();
    let mut child = folder.command(&["chat-replay", LONG]).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let elapsed = start.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.starts_with("0\t"), "{first}");
    assert!(elapsed < Duration::from_millis(4 * 300), "{elapsed:?}");
}

#[test]
fn requests_are_as_few_as_can_be() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    // One request for the recording, and one per page of 59.
    for (arguments, requests) in [
        (&["-l", "1", LONG][..], 2),
        (&["-l", "50", LONG], 2),
        (&["-l", "250", LONG], 6),
        (&["-l", "1000", "--from", "1h", LONG], 19),
        (&["-l", "20", "--connections", "16", LONG], 2),
        (&["--from", "1h", "--to", "1h10s", LONG], 2),
    ] {
        let before = sandbox.requests().total;
        folder.itch(&[&["chat-replay"], arguments].concat()).succeeds();
        let asked = sandbox.requests().total - before;
        assert!(asked <= requests, "{arguments:?}: {asked}");
    }
}

#[test]
fn authors_that_are_gone_are_counted_among_the_rows_that_came() {
    let whole = faultless(GROWING);
    let gone = |count: usize| {
        let logins = column(&whole, 3);
        logins.iter().take(count).filter(|login| login.is_empty()).count()
    };
    // A limit in the middle of a page.
    let limit = (1..7_000)
        .find(|limit| gone(*limit) == 1 && gone(limit + 50) > 1)
        .unwrap();
    for (options, gone) in [(vec![], gone(7_200)), (vec!["-l".to_owned(), limit.to_string()], 1)] {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let ran = Folder::new().itch(&[&["--sandbox", "-v", "chat-replay", GROWING], &options[..]].concat());
        ran.exits(0);
        assert_eq!(column(&ran.stdout, 3).iter().filter(|login| login.is_empty()).count(), gone);
        ran.says(&format!(", {gone} authors missing (name empty), "));
    }
}

#[test]
fn a_finished_recording_is_fetched_once() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let run = |options: &[&str]| folder.itch(&[options, &["-c", "file", "chat-replay", DENSE]].concat());
    let first = run(&[]);
    assert_eq!(first.succeeds().rows().len(), 1_000);
    let asked = sandbox.requests().total;
    run(&[]).prints(&first.stdout);
    // With the report's other name too.
    assert_eq!(folder.itch(&["-c", "file", "chatlog", DENSE]).succeeds().rows().len(), 1_000);
    assert_eq!(sandbox.requests().total, asked);
    drop(sandbox);
    run(&["--offline"]).prints(&first.stdout);
    let ran = folder.itch(&["-c", "file", "--offline", "chat-replay", SHORT]);
    assert_eq!(ran.exits(6).stdout, "");
}

/// A second run also prints the messages that were written since the first one.
#[test]
fn only_the_last_page_of_a_growing_recording_is_not_stored() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let expected = faultless(GROWING);
    let mut asked = 0;
    for run in 0..3 {
        let ran = folder.itch(&["-v", "-c", "file", "chat-replay", GROWING]);
        same(&ran.exits(0).stdout, &expected);
        let now = sandbox.requests().total;
        match run {
            0 => assert!(now > 72, "{now}"),
            _ => {
                // The last page, and whether there is anything after it.
                assert_eq!(now - asked, 2);
                ran.says("complete, 2 requests, ");
            }
        }
        asked = now;
    }
    // By offset, the last page is not marked as the last, so the end is always requested.
    let sandbox = Sandbox::start(&["--faults", "gql-integrity-all=1"]);
    let folder = Folder::new().at(&sandbox);
    for _ in 0..2 {
        let before = sandbox.requests().total;
        let ran = folder.itch(&["-c", "file", "chat-replay", GROWING]);
        same(&ran.succeeds().stdout, &expected);
        assert!(sandbox.requests().total > before + 2);
    }
}

#[test]
fn refused_pages_are_never_stored() {
    let sandbox = Sandbox::start(&["--faults", "gql-integrity=0.5,gql-null=0.1,gql-error=0.1"]);
    let folder = Folder::new().at(&sandbox);
    let first = folder.itch(&["-c", "file", "chat-replay", DENSE]);
    same(&first.succeeds().stdout, &faultless(DENSE));
    drop(sandbox);
    folder
        .itch(&["-c", "file", "--offline", "chat-replay", DENSE])
        .prints(&first.stdout);
}

#[test]
fn an_interrupted_run_is_taken_up_again() {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["-c", "file", "chat-replay", GROWING];
    let mut child = folder.command(&arguments).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut rows = String::new();
    for _ in 0..300 {
        out.read_line(&mut rows).unwrap();
    }
    signal(child.id(), Signal::INT);
    out.read_to_string(&mut rows).unwrap();
    let ran = folder.ran(wait(child), &arguments);
    ran.exits(130)
        .says("complete rows were written")
        .says("hint: run the same command again");
    let expected = faultless(GROWING);
    assert!(expected.starts_with(&rows) && rows.len() < expected.len());
    let mut before = 0;
    eventually("the sandbox is left alone", || {
        let now = sandbox.requests().total;
        std::mem::replace(&mut before, now) == now
    });
    let again = folder.itch(&arguments);
    same(&again.succeeds().stdout, &expected);
    // In total no more requests than a run from the start, plus those that were interrupted: one per connection.
    let both = sandbox.requests().total;
    let fresh = Folder::new().at(&sandbox);
    fresh.itch(&["chat-replay", GROWING]).succeeds();
    let one = sandbox.requests().total - both;
    assert!(both <= one + 4, "{both} {one}");
}

/// The output does not depend on the order of the answers.
#[test]
fn rows_come_in_order_while_answers_do_not() {
    let expected = faultless(GROWING);
    let sandbox = Sandbox::start(&["--latency", "1ms", "--jitter", "40ms"]);
    let ran = Folder::new().at(&sandbox).itch(&["chat-replay", GROWING]);
    same(&ran.succeeds().stdout, &expected);
}

#[test]
fn everything_that_chat_holds_is_printed() {
    let rows = long();
    let mut sorts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.lines().take(20_000) {
        let cells: Vec<&str> = row.split('\t').collect();
        assert_eq!(cells.len(), 10, "{row}");
        let mut count = |sort, is: bool| *sorts.entry(sort).or_default() += usize::from(is);
        count("no author", cells[2].is_empty() && cells[3].is_empty() && cells[4].is_empty());
        count("no colour", cells[5].is_empty());
        count("no badge", cells[6].is_empty());
        count("two badges", cells[6].contains(','));
        count("empty badge", cells[6].contains(",/") || cells[6].starts_with('/'));
        count("empty message", cells[8].is_empty());
        count("beyond the basic plane", cells[8].contains('😂'));
        count("a tab", cells[8].contains("\\t"));
        count("a line end", cells[8].contains("\\n"));
        count("an emote twice", cells[9].contains(','));
        for emote in cells[9].split('/').filter(|emote| !emote.is_empty()) {
            let (_, places) = emote.split_once(':').unwrap();
            for place in places.split(',') {
                let (from, to) = place.split_once('-').unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                // An emote's position is counted in code points.
                let text = cells[8]
                    .replace("\\t", "\t")
                    .replace("\\n", "\n")
                    .replace("\\r", "\r")
                    .replace("\\\\", "\\");
                let word: String = text.chars().skip(from).take(to + 1 - from).collect();
                assert!(!word.is_empty() && !word.contains(' ') || word.contains(':'), "{row}: {word:?}");
            }
        }
    }
    assert_eq!(sorts.remove("empty badge"), Some(0));
    assert!(sorts.values().all(|count| *count > 0), "{sorts:?}");
}
