//! Help, options before and after the command, formats, output files, verdicts, logs.

use std::path::Path;

use itch_tests::{Folder, RunResult, Sandbox, same, wait};
use serde_json::Value;
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn options_stand_before_the_command_and_after_it() {
    let folder = Folder::new();
    let run = |line: &str| folder.itch(&line.split(' ').collect::<Vec<&str>>());
    let rows = run("--sandbox followers burkeblack -l 3 -d desc --header -f csv");
    let expected = rows.succeeds().stdout.clone();
    for line in [
        "--sandbox -l 3 -d desc --header -f csv followers burkeblack",
        "followers -l3 burkeblack --sandbox --direction=desc --format=csv --header",
        "-l 3 followers --sandbox burkeblack -fcsv",
        // The option after the command overrides the one before it.
        "-l 99 -f tsv followers --sandbox burkeblack -f csv -l 3",
        "--no-header followers --sandbox burkeblack -fcsv -l3 --header",
        "followers --sandbox burkeblack -fcsv -l3 --no-header --header",
    ] {
        run(line).prints(&expected);
    }
    // A flag may be in both places, but two names of the column option conflict.
    run("--sandbox -q followers --sandbox -q -fcsv -l3 burkeblack").prints(&expected);
}

#[test]
fn every_command_has_help() {
    let folder = Folder::new();
    let units = crate::plugins::units();
    let reports = units.iter().filter(|unit| unit["kind"] == "report");
    let mut commands: Vec<Vec<&str>> = reports.map(|unit| vec![unit["name"].as_str().unwrap()]).collect();
    commands.extend(
        [
            "",
            "num_followers",
            "plugins",
            "plugins list",
            "plugins info",
            "sandbox",
            "help",
            "completions",
            "man",
        ]
        .map(|words| words.split_whitespace().collect()),
    );
    for command in commands {
        let help = |option: &'static str| folder.itch(&[&command[..], &[option]].concat());
        let (short, long) = (help("-h"), help("--help"));
        for ran in [&short, &long] {
            assert!(ran.succeeds().stdout.contains("Usage: itch"), "{}", ran.all());
            assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
        }
        assert!(long.stdout.len() >= short.stdout.len());
    }
    let help = folder.itch(&["--help"]).stdout;
    for part in [
        "Exit codes:",
        "Environment:",
        "TWITCH_TOKEN",
        "--verdict",
        "Try it without an account: ",
    ] {
        assert!(help.contains(part), "{part}");
    }
    let help = folder.itch(&["followers", "--help"]).stdout;
    for part in [
        "Columns:",
        "display_name",
        "moderator:read:followers",
        "Examples:",
        "--since",
        "--retries",
    ] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    let version = format!("itch {}\n", env!("CARGO_PKG_VERSION"));
    Folder::new().itch(&["--version"]).prints(&version);
    Folder::new().itch(&["-V"]).prints(&version);
}

/// The same rows in every format, with and without a header.
#[test]
fn formats() {
    let folder = Folder::new();
    let run = |format: &str, options: &[&str]| {
        let start = ["--sandbox", "created", "-f", format, "followers_3", "burkeblack"];
        folder.itch(&[&start, options].concat()).succeeds().stdout.clone()
    };
    assert_data_eq!(
        run("tsv", &[]),
        str![[r#"
followers_3	1424260810
burkeblack	1351971249

"#]]
        .raw()
    );
    assert_data_eq!(
        run("csv", &[]),
        str![[r#"
name,created
followers_3,2015-02-18T12:00:10Z
burkeblack,2012-11-03T19:34:09Z

"#]]
        .raw()
    );
    assert_data_eq!(
        run("jsonl", &[]),
        str![[r#"
{"name":"followers_3","created":"2015-02-18T12:00:10Z"}
{"name":"burkeblack","created":"2012-11-03T19:34:09Z"}

"#]]
        .raw()
    );
    assert_data_eq!(
        run("table", &[]),
        str![[r#"
name         created
followers_3  2015-02-18T12:00:10Z
burkeblack   2012-11-03T19:34:09Z

"#]]
        .raw()
    );
    for (format, header) in [("tsv", false), ("csv", true), ("table", true)] {
        let (with, without) = (run(format, &["--header"]), run(format, &["--no-header"]));
        let (first, rest) = with.split_once('\n').unwrap();
        assert!(first.starts_with("name"), "{format}");
        assert_eq!(rest.lines().count(), 2);
        assert_eq!(without.lines().count(), 2);
        assert_eq!(run(format, &[]), if header { with } else { without }, "{format}");
    }
    assert_eq!(run("jsonl", &["--header"]), run("jsonl", &["--no-header"]));
    for line in run("jsonl", &["--columns", "id,created,name"]).lines() {
        let row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), ["id", "created", "name"]);
    }
}

#[test]
fn an_empty_list_has_a_header_all_the_same() {
    let folder = Folder::new();
    folder.itch(&["--sandbox", "followers", "followers_0"]).prints("");
    folder
        .itch(&[
            "--sandbox",
            "followers",
            "--header",
            "--columns",
            "id,name",
            "followers_0",
        ])
        .prints("id\tname\n");
    folder
        .itch(&[
            "--sandbox",
            "followers",
            "-f",
            "csv",
            "--columns",
            "id,name",
            "followers_0",
        ])
        .prints("id,name\n");
    folder
        .itch(&["--sandbox", "followers", "-f", "jsonl", "followers_0"])
        .prints("");
}

#[test]
fn an_output_file_appears_when_it_is_complete() {
    let folder = Folder::new();
    let rows = folder.itch(&["--sandbox", "followers", "followers_3"]).stdout;
    folder
        .itch(&["--sandbox", "followers", "-o", "rows.tsv", "followers_3"])
        .prints("");
    same(&folder.read("rows.tsv"), &rows);
    assert!(!folder.path("rows.tsv.part").exists());
    // The file's extension selects the format, unless the option does.
    folder
        .itch(&["--sandbox", "followers", "-o", "rows.csv", "followers_3"])
        .prints("");
    assert!(folder.read("rows.csv").starts_with("name,channel,"));
    folder
        .itch(&["--sandbox", "followers", "-o", "rows.csv", "-f", "jsonl", "followers_3"])
        .prints("");
    assert!(folder.read("rows.csv").starts_with("{\"name\":"));
    // A failure keeps the existing file, and names the file with the partial output.
    let ran = folder.itch(&[
        "--sandbox",
        "created",
        "-o",
        "rows.tsv",
        "burkeblack",
        "no_such_channel",
    ]);
    ran.exits(5)
        .says("hint: the rows that were written are in `rows.tsv.part`\n");
    same(&folder.read("rows.tsv"), &rows);
    assert!(folder.read("rows.tsv.part").starts_with("burkeblack\t"));
    // A device is written to, not replaced.
    folder
        .itch(&["--sandbox", "followers", "-o", "/dev/null", "followers_3"])
        .prints("");
    assert!(!Path::new("/dev/null").is_file() && !Path::new("/dev/null.part").exists());
}

#[test]
fn an_output_file_is_not_there_before_it_is_complete() {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["followers", "-l", "1000", "-o", "rows.tsv", "burkeblack"];
    let child = folder.command(&arguments).spawn().unwrap();
    let (part, whole) = (folder.path("rows.tsv.part"), folder.path("rows.tsv"));
    itch_tests::eventually("the first page", || part.metadata().is_ok_and(|found| found.len() > 0));
    assert!(!whole.exists());
    folder.ran(wait(child), &arguments).succeeds();
    assert!(whole.exists() && !part.exists());
}

#[test]
fn the_verdict_as_data() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| -> Value {
        folder.itch(&[&["--sandbox", "--verdict", "verdict.json"], arguments].concat());
        serde_json::from_str(&folder.read("verdict.json")).unwrap()
    };
    let verdict = run(&["followers", "followers_100", "--until", "2100-01-01"]);
    assert_eq!(verdict["report"], "followers");
    assert_eq!(verdict["itch"], env!("CARGO_PKG_VERSION"));
    assert_eq!(verdict["parameters"]["channel"], "followers_100");
    assert_eq!(
        (&verdict["complete"], &verdict["exit_code"], &verdict["rows"]),
        (&true.into(), &0.into(), &100.into())
    );
    let verdict = run(&["followers", "followers_100"]);
    assert_eq!(verdict["expected"], serde_json::json!({"followers": 100}));
    assert_eq!(verdict["missing"][0]["what"], "accounts (created empty)");
    let verdict = run(&["created", "burkeblack", "no_such_channel"]);
    assert_eq!(
        (&verdict["complete"], &verdict["exit_code"], &verdict["rows"]),
        (&false.into(), &5.into(), &1.into())
    );
    assert_eq!(verdict["error"]["message"], "there is no channel `no_such_channel`");
    // The value of `started` is a time that other programs can parse.
    assert!(verdict["started"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_verdict_is_quiet_on_a_pipe_and_said_with_verbose() {
    let folder = Folder::new();
    folder.itch(&["--sandbox", "followers", "followers_3"]).succeeds();
    let ran = folder.itch(&["--sandbox", "-v", "followers", "followers_3"]);
    assert_data_eq!(
        ran.told().lines().last().unwrap(),
        str!["followers: 3 of 3 rows, 0 repeated, complete, 4 requests, [TIME] s"].raw()
    );
    let ran = folder.itch(&["--sandbox", "-v", "created", "followers_3"]);
    assert_data_eq!(ran.told().lines().last().unwrap(), str!["created: 1 row, complete, 2 requests, [TIME] s"].raw());
    let ran = folder.itch(&["--sandbox", "-v", "followers", "-l", "1", "followers_3"]);
    assert_data_eq!(
        ran.told().lines().last().unwrap(),
        str!["followers: 1 row (limit reached), 0 repeated, complete, 4 requests, [TIME] s"].raw()
    );
}

#[test]
fn requests_cache_hits_and_times_are_logged_on_demand() {
    let folder = Folder::new();
    let seen = |ran: &RunResult| {
        let lines = ran.exits(0).stderr.lines();
        lines.filter(|line| line.contains(" debug: GET helix /helix/")).count()
    };
    let run =
        |folder: &Folder, options: &[&str]| folder.itch(&[&["--sandbox", "created", "burkeblack"], options].concat());
    assert_eq!(seen(&run(&folder, &[])), 0);
    assert_eq!(seen(&run(&folder, &["-v"])), 1);
    assert_eq!(seen(&run(&folder, &["-vv"])), 1);
    run(&folder, &["-v"])
        .says("GET helix /helix/users?login=burkeblack: 200, ")
        .says(" ms, try 1\n");
    assert!(
        run(&folder, &["-v", "-c", "file"])
            .exits(0)
            .stderr
            .contains(" debug: miss: helix users?")
    );
    run(&folder, &["-v", "-c", "file"])
        .exits(0)
        .says(" debug: file: hit, ")
        .says(" s old: helix users?");
    for level in ["DEBUG", "debug"] {
        let folder = Folder::new().variable("LOG_LEVEL", level);
        assert_eq!(seen(&run(&folder, &[])), 1);
    }
    for level in ["INFO", "WARNING", "ERROR", "CRITICAL", ""] {
        run(&Folder::new().variable("LOG_LEVEL", level), &[]).succeeds();
    }
    let wrong = run(&Folder::new().variable("LOG_LEVEL", "LOUD"), &[]);
    assert_data_eq!(
        wrong.all(),
        str![[r#"
exit code: 0
--- stdout
burkeblack	1351971249
--- stderr
warning: `LOUD` in LOG_LEVEL is not a level: use DEBUG, INFO, WARNING, ERROR or CRITICAL

"#]]
        .raw()
    );
}

#[test]
fn quiet_is_quiet_and_still_says_what_is_wrong() {
    let folder = Folder::new();
    folder.itch(&["-q", "--sandbox", "followers", "followers_3"]).succeeds();
    folder
        .itch(&["-q", "--sandbox", "followers", "no_such_channel"])
        .exits(5)
        .says("error: there is no channel");
}

#[test]
fn nothing_but_the_report_is_written_to_the_disk() {
    let folder = Folder::new();
    folder.itch(&["--sandbox", "followers", "followers_3"]).succeeds();
    folder.itch(&["--help"]).succeeds();
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Commands without requests use no network and no second thread.
#[test]
fn help_and_version_start_nothing() {
    let folder = Folder::new()
        .variable("TWITCH_HELIX_URL", "nonsense")
        .variable("TWITCH_TOKEN", "nonsense")
        .variable("TWITCH_CACHE_TEMP", "nonsense");
    for arguments in [
        &["--version"][..],
        &["--help"],
        &["followers", "--help"],
        &["plugins", "list"],
    ] {
        folder.itch(arguments).succeeds();
    }
}
