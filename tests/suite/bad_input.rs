//! Invalid command lines and channels that do not exist: the message, the hint and the exit code of each.

use itch_tests::{Folder, Sandbox, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// The whole output of a run without a token.
#[track_caller]
pub(crate) fn shows(arguments: &[&str], expected: impl IntoData) {
    assert_data_eq!(Folder::new().itch(arguments).all(), expected.raw());
}

#[test]
fn no_arguments_at_all_show_the_help() {
    let folder = Folder::new();
    let bare = folder.itch(&[]);
    let help = folder.itch(&["-h"]);
    assert_eq!(bare.exits(2).stderr, help.succeeds().stdout);
    assert_eq!(bare.stdout, "");
}

#[test]
fn a_missing_channel_is_named_before_the_help_of_the_report() {
    let folder = Folder::new();
    for (report, missing) in [
        ("followers", "<CHANNEL>"),
        ("created", "<CHANNEL>..."),
        ("num-followers", "<CHANNEL>..."),
        ("num_followers", "<CHANNEL>..."),
    ] {
        let bare = folder.itch(&["--sandbox", report]);
        let help = folder.itch(&[report, "-h"]);
        let expected = format!("error: `itch {report}` needs {missing}\n\n{}", help.succeeds().stdout);
        assert_eq!(bare.exits(2).stderr, expected);
        assert_eq!(bare.stdout, "");
    }
    shows(
        &["--sandbox", "followers", "-l", "3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  <CHANNEL>

Usage: itch followers --limit <ROWS> <CHANNEL>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn an_unknown_command_is_answered_with_the_nearest() {
    shows(
        &["followres", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: unrecognized subcommand 'followres'

  tip: a similar subcommand exists: 'followers'

Usage: itch [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    shows(
        &["xyzzy"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: unrecognized subcommand 'xyzzy'

Usage: itch [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    shows(
        &["plugins", "lsit"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: unrecognized subcommand 'lsit'

  tip: a similar subcommand exists: 'list'

Usage: itch plugins [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbxo", "followers", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: unexpected argument '--sandbxo' found

  tip: a similar argument exists: '--sandbox'

Usage: itch --sandbox <COMMAND>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn a_limit_is_a_whole_number_of_rows() {
    shows(
        &["--sandbox", "followers", "-l", "0", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '0' for '--limit <ROWS>': a limit is a whole number of at least 1

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "-l", "-5", "followers", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '-5' for '--limit <ROWS>': a limit is a whole number of at least 1

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "-l", "x", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'x' for '--limit <ROWS>': a limit is a whole number of at least 1

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "burkeblack", "-l"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: a value is required for '--limit <ROWS>' but none was supplied

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "-l", "99999999999999999999", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '99999999999999999999' for '--limit <ROWS>': a limit is a whole number of at least 1

For more information, try '--help'.

"#]],
    );
}

#[test]
fn other_values_are_checked_too() {
    shows(
        &["--sandbox", "followers", "-d", "up", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'up' for '--direction <ORDER>': `up` is not a direction: use `asc` or `desc`

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "-f", "xml", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'xml' for '--format <FORMAT>': there is no format `xml`: the formats are tsv, csv, jsonl, table

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "--since", "yesterday", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `--since` cannot be read
  caused by: `yesterday` is not a time
hint: write a date (`2026-10-30`), a date and time (`2026-10-30T18:00:00Z`), epoch seconds, or a duration before now (`7d`)

"#]],
    );
    shows(
        &["--sandbox", "followers", "--until", "2026-13-01", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `--until` cannot be read
  caused by: `2026-13-01` is not a time
hint: write a date (`2026-10-30`), a date and time (`2026-10-30T18:00:00Z`), epoch seconds, or a duration before now (`7d`)

"#]],
    );
    shows(
        &["--sandbox", "followers", "--max-age", "soon", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'soon' for '--max-age <TIME>': `soon` is not a duration: write seconds (`90`) or numbers with units (`1h2m3s`, `7d`, `250ms`)

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "--cache-size", "big", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'big' for '--cache-size <SIZE>': `big` is not a size: write bytes with a unit, such as `512MB`

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "--tolerance", "2", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '2' for '--tolerance <SHARE>': `2` is not a number from 0 to 1

For more information, try '--help'.

"#]],
    );
}

#[test]
fn arguments_that_do_not_go_together() {
    shows(
        &["--sandbox", "followers", "--offline", "--refresh", "burkeblack"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: the argument '--offline' cannot be used with '--refresh'

Usage: itch followers --offline <CHANNEL>

For more information, try '--help'.

"#]],
    );
    shows(
        &["--sandbox", "followers", "burkeblack", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: unexpected argument 'followers_3' found

Usage: itch followers [OPTIONS] <CHANNEL>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn columns_that_no_report_has() {
    shows(
        &["--sandbox", "followers", "--columns", "nmae,id", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: there is no column `nmae`
hint: did you mean `name`? the columns are name, channel, created, followed, delta, followers, id, display_name

"#]],
    );
    shows(
        &["--sandbox", "followers", "--columns", "id,id", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: the column `id` is named twice
hint: the columns are name, channel, created, followed, delta, followers, id, display_name

"#]],
    );
    shows(
        &["--sandbox", "followers", "--columns", "", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: there is no column ``
hint: the columns are name, channel, created, followed, delta, followers, id, display_name

"#]],
    );
}

#[test]
fn a_cache_that_does_not_exist() {
    shows(
        &["--sandbox", "-c", "nope", "followers", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: there is no cache `nope`; known: file, memcache, redis
hint: itch plugins list

"#]],
    );
}

#[test]
fn an_option_of_reports_before_another_command() {
    shows(
        &["-l", "3", "plugins", "list"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `--limit` is an option of reports, not of `itch plugins`

"#]],
    );
}

#[test]
fn a_malformed_channel_is_refused_before_any_request() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for name in [
        "a b",
        "",
        "burke-black",
        "é",
        "id:x",
        "id:",
        "abcdefghijklmnopqrstuvwxyz",
        "\u{1b}[2J",
        "a,b",
    ] {
        folder
            .itch(&["followers", name])
            .exits(2)
            .says("is not a channel name")
            .says("hint: a channel is a login of");
        folder
            .itch(&["created", "burkeblack", name])
            .exits(2)
            .says("is not a channel name");
    }
    let ran = folder.itch_reading("burkeblack\nnot a name\n", &["created", "-"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: line 2 of standard input is not a channel
  caused by: `not a name` is not a channel name
hint: a channel is a login of 1 to 25 letters, digits and `_`, or `id:` and a number

"#]]
        .raw()
    );
    assert_data_eq!(
        folder.itch_reading("\n \n", &["created", "-"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: the list on standard input is empty

"#]]
        .raw()
    );
    assert_data_eq!(
        folder.itch_reading("burkeblack\n", &["followers", "-"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `channel` takes one channel, not a list

"#]]
        .raw()
    );
    // Untrusted text is sanitised in errors too.
    assert!(!folder.itch(&["followers", "\u{1b}[2J"]).stderr.contains('\u{1b}'));
    assert_eq!(sandbox.requests().total, 0);
}

#[test]
fn a_list_that_is_no_text_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path("list"), b"burkeblack\n\xff\xfe\n").unwrap();
    let arguments = ["--sandbox", "created", "-"];
    let list = std::fs::File::open(folder.path("list")).unwrap();
    let child = folder.command(&arguments).stdin(list).spawn().unwrap();
    assert_data_eq!(
        folder.ran(wait(child), &arguments).all(),
        str![[r#"
exit code: 1
--- stdout
--- stderr
error: the list on standard input cannot be read
  caused by: stream did not contain valid UTF-8

"#]]
        .raw()
    );
}

#[test]
fn an_unknown_channel() {
    shows(
        &["--sandbox", "followers", "no_such_channel"],
        str![[r#"
exit code: 5
--- stdout
--- stderr
error: there is no channel `no_such_channel`
hint: check the spelling; a renamed, banned or deleted account is not found either

"#]],
    );
    shows(
        &["--sandbox", "followers", "id:1"],
        str![[r#"
exit code: 5
--- stdout
--- stderr
error: there is no channel `id:1`
hint: check the spelling; a renamed, banned or deleted account is not found either

"#]],
    );
    shows(
        &["--sandbox", "created", "no_such_channel"],
        str![[r#"
exit code: 5
--- stdout
--- stderr
error: there is no channel `no_such_channel`
hint: check the spelling; a renamed, banned or deleted account is not found either

"#]],
    );
}
