//! The day on which the simulated Twitch plays.

use itch_tests::{Folder, RunResult, Sandbox, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

const DAY: i64 = 86_400;
const ROWS: &[&str] = &[
    "followers",
    "-l",
    "200",
    "--columns",
    "name,created,followed",
    "burkeblack",
];

fn on(day: &str) -> Folder {
    Folder::new().variable("ITCH_SANDBOX_DAY", day)
}

/// The rows as they would be so many days later.
fn later(ran: &RunResult, days: i64) -> Vec<Vec<String>> {
    let moved = |cell: &str| match cell.parse::<i64>() {
        Ok(moment) => (moment + days * DAY).to_string(),
        Err(_) => cell.to_owned(),
    };
    let rows = ran.succeeds().cells().into_iter();
    rows.map(|row| vec![row[0].to_owned(), moved(row[1]), moved(row[2])])
        .collect()
}

#[test]
fn another_day_moves_all_times_and_changes_nothing_else() {
    let arguments = [&["--sandbox"], ROWS].concat();
    let first = Folder::new().itch(&arguments);
    on("2026-11-01").itch(&arguments).prints(&first.succeeds().stdout);
    for (day, days) in [("2026-11-02", 1), ("2028-02-29", 485), ("2020-11-01", -2_191)] {
        let rows = on(day).itch(&arguments);
        assert_eq!(later(&rows, 0), later(&first, days), "{day}");
        let sandbox = Sandbox::start(&["--day", day]);
        Folder::new().at(&sandbox).itch(ROWS).prints(&rows.stdout);
    }
}

#[test]
fn without_a_day_it_plays_today() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.env_remove("ITCH_SANDBOX_DAY");
        folder.ran(wait(command.spawn().unwrap()), arguments)
    };
    let recent = run(&["--sandbox", "followers", "--since", "7d", "burkeblack"]);
    assert!(!recent.succeeds().stdout.is_empty());
    let newest = run(&[
        "--sandbox",
        "followers",
        "-l",
        "1",
        "--columns",
        "followed",
        "burkeblack",
    ]);
    let newest: i64 = newest.succeeds().stdout.trim().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    assert!((now - 3 * DAY..=now).contains(&newest), "{newest} {now}");
}

/// Old services are asked by time.
#[test]
fn the_old_services_play_on_the_same_day() {
    let arguments = [
        "--sandbox",
        "--source",
        "legacy",
        "chat-replay",
        "--to",
        "5m",
        "--columns",
        "offset,message",
        "v80935574",
    ];
    let first = Folder::new().itch(&arguments);
    assert!(!first.succeeds().stdout.is_empty());
    on("2027-01-31").itch(&arguments).prints(&first.stdout);
}

#[test]
fn what_is_no_day_is_refused() {
    let run = |day: &str| on(day).itch(&[&["--sandbox"], ROWS].concat());
    assert_data_eq!(
        run("soon").all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: ITCH_SANDBOX_DAY: `soon` is not a day such as 2026-11-01
hint: set a day such as `2026-11-01`, or unset it

"#]]
        .raw()
    );
    assert_data_eq!(
        run("1989-12-31").all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: ITCH_SANDBOX_DAY: the sandbox plays on days from 1990-01-01 to 9999-12-31, not on 1989-12-31
hint: set a day such as `2026-11-01`, or unset it

"#]]
        .raw()
    );
    assert_data_eq!(
        Folder::new().itch(&["sandbox", "--day", "2026-02-30"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '2026-02-30' for '--day <DAY>': `2026-02-30` is not a day such as 2026-11-01

For more information, try '--help'.

"#]]
        .raw()
    );
}

/// A cache may serve several days.
#[test]
fn the_days_share_no_stored_answers() {
    let folder = Folder::new();
    let run = |day: &str, more: &[&str]| {
        let arguments = [&["--sandbox", "-c", "file"], more, ROWS].concat();
        let mut command = folder.command(&arguments);
        command.env("ITCH_SANDBOX_DAY", day);
        folder.ran(wait(command.spawn().unwrap()), &arguments)
    };
    let first = run("2026-11-01", &[]);
    first.succeeds();
    run("2026-11-01", &["--offline"]).prints(&first.stdout);
    assert_ne!(run("2026-11-02", &["--offline"]).code, 0);
}
