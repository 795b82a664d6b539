//! `itch num-followers CHANNEL…`.

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn rows_are_those_of_the_old_program_under_both_names() {
    let folder = Folder::new();
    for name in ["num-followers", "num_followers"] {
        let ran = folder.itch(&[
            "--sandbox",
            name,
            "burkeblack",
            "followers_10m",
            "followers_0",
            "not_moderated",
        ]);
        assert_data_eq!(
            &ran.succeeds().stdout,
            str![[r#"
burkeblack	250000
followers_10m	10000000
followers_0	0
not_moderated	4321

"#]]
            .raw()
        );
    }
}

#[test]
fn every_column_comes_on_request() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "num-followers",
        "--columns",
        "id,followers,name",
        "--header",
        "BurkeBlack",
        "id:100000003",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
id	followers	name
76725499	250000	burkeblack
100000003	3	followers_3

"#]]
        .raw()
    );
}

#[test]
fn any_token_may_ask() {
    let sandbox = Sandbox::start(&[]);
    for token in [Sandbox::TOKEN_WITHOUT_SCOPES, Sandbox::TOKEN_VIEWER] {
        let folder = Folder::new().at(&sandbox).variable("TWITCH_TOKEN", token);
        let ran = folder.itch(&["num-followers", "burkeblack", "not_moderated"]);
        assert_eq!(ran.succeeds().stdout, "burkeblack\t250000\nnot_moderated\t4321\n");
    }
    let app = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", "")
        .variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    let ran = app.itch(&["num-followers", "burkeblack"]);
    assert_eq!(ran.succeeds().stdout, "burkeblack\t250000\n");
}

#[test]
fn a_list_is_looked_up_in_batches_and_counted_one_by_one() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let followers = folder.itch(&["followers", "burkeblack", "-l", "150", "--columns", "name"]);
    let list = format!("no_such_a\n{}no_such_b\nburkeblack\n", followers.stdout);
    let before = sandbox.requests();
    let ran = folder.itch_reading(&list, &["num-followers", "-"]);
    let after = sandbox.requests();
    let of = |path: &str| after.of(path) - before.of(path);
    ran.exits(5).says("`no_such_a`").says("`no_such_b`");
    assert_eq!(of("/helix/users"), 2);
    assert_eq!(of("/helix/channels/followers"), ran.rows().len() as u64);
    let cells = ran.cells();
    let found: Vec<&str> = cells.iter().map(|row| row[0]).collect();
    let asked: Vec<&str> = list.lines().filter(|name| found.contains(name)).collect();
    assert_eq!(found, asked);
    assert_eq!(cells.last().unwrap()[..], ["burkeblack", "250000"]);
}

#[test]
fn the_same_channel_many_times_is_counted_once() {
    let sandbox = Sandbox::start(&["--latency", "200ms"]);
    let folder = Folder::new().at(&sandbox);
    let ran = folder.itch(&["num-followers", "burkeblack", "BurkeBlack", "id:76725499"]);
    assert_eq!(ran.succeeds().stdout, "burkeblack\t250000\n".repeat(3));
    // Equal requests in flight at the same time are sent once.
    assert_eq!(sandbox.requests().of("/helix/channels/followers"), 1);
}

#[test]
fn unknown_channels_are_named_after_the_rows_of_the_others() {
    let ran = Folder::new().itch(&["--sandbox", "num-followers", "no_such_a", "burkeblack"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 5
--- stdout
burkeblack	250000
--- stderr
error: there is no channel `no_such_a`
hint: check the spelling; a renamed, banned or deleted account is not found either
1 row had been written before the error

"#]]
        .raw()
    );
}
