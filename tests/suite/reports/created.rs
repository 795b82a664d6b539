//! `itch created CHANNEL…`.

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// This many valid names of followers, one per line.
fn names(folder: &Folder, count: usize) -> String {
    let limit = count.to_string();
    let ran = folder.itch(&[
        "--sandbox",
        "followers",
        "burkeblack",
        "--columns",
        "name",
        "-l",
        &limit,
    ]);
    ran.succeeds();
    ran.stdout
}

#[test]
fn rows_are_those_of_the_old_program() {
    let ran = Folder::new().itch(&["--sandbox", "created", "burkeblack", "followers_3"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
burkeblack	1351971249
followers_3	1424260810

"#]]
        .raw()
    );
}

#[test]
fn every_column_comes_on_request_and_in_the_order_asked_for() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "created",
        "--columns",
        "display_name,id,created,name",
        "--header",
        "burkeblack",
        "id:100000003",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
display_name	id	created	name
BurkeBlack	76725499	1351971249	burkeblack
Followers_3	100000003	1424260810	followers_3

"#]]
        .raw()
    );
}

#[test]
fn rows_stand_in_the_order_asked_for_repeats_included() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "created",
        "followers_3",
        "BurkeBlack",
        "followers_0",
        "burkeblack",
        "followers_3",
        "id:76725499",
    ]);
    let cells = ran.succeeds().cells();
    let names: Vec<&str> = cells.iter().map(|row| row[0]).collect();
    assert_eq!(
        names,
        [
            "followers_3",
            "burkeblack",
            "followers_0",
            "burkeblack",
            "followers_3",
            "burkeblack"
        ]
    );
    assert_eq!(cells[0], cells[4]);
    assert_eq!(cells[1], cells[5]);
}

#[test]
fn a_list_is_read_from_standard_input() {
    let folder = Folder::new();
    let arguments = folder.itch(&["--sandbox", "created", "followers_3", "burkeblack", "followers_0"]);
    for list in [
        "followers_3\nburkeblack\nfollowers_0\n",
        // Rows of another report, Windows line ends, blank lines, no newline at the end.
        "followers_3\t1424260810\tx\r\n\r\n  burkeblack \r\n\n\nfollowers_0",
    ] {
        let ran = folder.itch_reading(list, &["--sandbox", "created", "-"]);
        ran.prints(&arguments.stdout);
    }
    let ran = folder.itch_reading("burkeblack\n", &["--sandbox", "created", "followers_3", "-", "followers_0"]);
    ran.prints(&arguments.stdout);
}

#[test]
fn many_channels_go_out_a_hundred_at_a_time() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let list = names(&Folder::new(), 250);
    let ran = folder.itch_reading(&list, &["created", "-"]);
    let requests = sandbox.requests();
    assert_eq!(requests.of("/helix/users"), 3, "{requests:?}");
    // The account of one in a thousand followers no longer exists.
    assert!([0, 5].contains(&ran.code), "{}", ran.all());
    let cells = ran.cells();
    let found: Vec<&str> = cells.iter().map(|row| row[0]).collect();
    let asked: Vec<&str> = list.lines().filter(|name| found.contains(name)).collect();
    assert_eq!(found, asked);
    assert!(found.len() >= 248, "{}", found.len());
}

#[test]
fn a_name_twice_in_a_batch_is_asked_for_once() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let list = "burkeblack\nBURKEBLACK\n".repeat(60);
    let ran = folder.itch_reading(&list, &["created", "-"]);
    assert_eq!(ran.succeeds().rows().len(), 120);
    assert!(sandbox.requests().of("/helix/users") <= 2, "{:?}", sandbox.requests());
}

#[test]
fn unknown_channels_are_named_after_the_rows_of_the_others() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "created",
        "no_such_a",
        "burkeblack",
        "no_such_b",
        "followers_0",
    ]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 5
--- stdout
burkeblack	1351971249
followers_0	1424260810
--- stderr
error: 2 channels do not exist: `no_such_a`, `no_such_b`
hint: check the spelling; a renamed, banned or deleted account is not found either
2 rows had been written before the error

"#]]
        .raw()
    );
    let list: String = (0..300).map(|n| format!("no_such_{n}\n")).collect();
    let ran = Folder::new().itch_reading(&list, &["--sandbox", "created", "-", "burkeblack"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 5
--- stdout
burkeblack	1351971249
--- stderr
error: 300 channels do not exist: `no_such_0`, `no_such_1`, `no_such_2`, `no_such_3`, `no_such_4` and 295 more
hint: check the spelling; a renamed, banned or deleted account is not found either
1 row had been written before the error

"#]]
        .raw()
    );
}

#[test]
fn a_limit_counts_rows() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "created",
        "-l",
        "2",
        "followers_3",
        "burkeblack",
        "followers_0",
    ]);
    assert_eq!(ran.succeeds().rows().len(), 2);
}

#[test]
fn an_app_may_ask_too() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", "")
        .variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    let ran = folder.itch(&["created", "burkeblack"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
burkeblack	1351971249

"#]]
        .raw()
    );
    assert_eq!(sandbox.requests().of("/oauth2/token"), 1);
}
