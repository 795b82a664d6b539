//! The chat of past broadcasts with every fault that the service is known for: every message is printed exactly once
//! and in order, or a message says what is missing.

use std::collections::HashSet;
use std::sync::OnceLock;

use itch_tests::{Folder, RunResult, Sandbox, same};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// Six hours, 60,000 comments.
pub(crate) const LONG: &str = "2700000060";
/// 500 comments.
pub(crate) const SHORT: &str = "2700000005";
/// 1,000 comments, 180 of them in one second.
pub(crate) const DENSE: &str = "2700000180";
/// 7,200 comments; the broadcast is still running, and the known length is too short.
pub(crate) const GROWING: &str = "2700000001";

/// The client id that is refused cursors.
const WEB: &str = "kimne78kx3ncx6brgo4mv6wki5h1ko";
const MOBILE: &str = "kd1unb4b3q4t58fwlpcbzcbnm76a8fp";

/// The rows of a video without any fault.
pub(crate) fn faultless(video: &str) -> String {
    let ran = Folder::new().itch(&["--sandbox", "chat-replay", video]);
    ran.succeeds();
    ran.stdout
}

/// All rows of the long video, pulled once for all tests.
pub(crate) fn long() -> &'static str {
    static ROWS: OnceLock<String> = OnceLock::new();
    ROWS.get_or_init(|| faultless(LONG))
}

/// The rows of a video with faults, and the stderr of the run.
pub(crate) fn with_faults(faults: &str, arguments: &[&str]) -> RunResult {
    let sandbox = Sandbox::start(&["--faults", faults]);
    Folder::new()
        .at(&sandbox)
        .itch(&[&["-v", "chat-replay"], arguments].concat())
}

/// A folder with a configuration file, whose commands use a sandbox.
fn configured(sandbox: &Sandbox, config: &str) -> Folder {
    let folder = Folder::new().at(sandbox);
    std::fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", config);
    folder
}

pub(crate) fn offset(row: &str) -> u64 {
    row.split('\t').next().unwrap().parse().unwrap()
}

pub(crate) fn column(rows: &str, place: usize) -> Vec<&str> {
    rows.lines().map(|row| row.split('\t').nth(place).unwrap()).collect()
}

/// One answer in twenty is a fault.
#[test]
fn five_faults_in_a_hundred_change_nothing() {
    let kinds = [
        "gql-null",
        "gql-error",
        "gql-timeout",
        "gql-data-null",
        "reset",
        "500",
        "cut",
        "duplicate",
    ];
    let faults: Vec<String> = kinds.iter().map(|kind| format!("{kind}=0.00625")).collect();
    let ran = with_faults(&faults.join(","), &[LONG]);
    same(&ran.exits(0).stdout, long());
    ran.says("chat-replay: 60,000 rows, ")
        .says(" authors missing (name empty), ")
        .says(" repeated, ")
        .says(" faults made good, complete, ");
    let gone = column(long(), 3).iter().filter(|login| login.is_empty()).count();
    assert!(gone > 100);
    ran.says(&format!("60,000 rows, {gone} authors missing"));
}

#[test]
fn each_kind_of_fault_passes() {
    let expected = faultless(SHORT);
    for fault in ["gql-null", "gql-error", "gql-timeout", "gql-data-null", "503", "html"] {
        let ran = with_faults(&format!("{fault}=0.3"), &["--retries", "12", SHORT]);
        same(&ran.exits(0).stdout, &expected);
        ran.says(" made good, complete, ");
    }
}

/// Other programs have mistaken each of these faults for the end.
#[test]
fn faults_that_do_not_pass_are_no_end() {
    for (fault, said) in [
        ("gql-null=1", "error: the gql service answered without data (1 try)"),
        ("gql-error=1", "error: the gql service answered \"service error\" (1 try)"),
        ("gql-timeout=1", "error: the gql service answered \"service timeout\" (1 try)"),
        ("gql-data-null=1", "error: the gql service answered without data (1 try)"),
    ] {
        let ran = with_faults(fault, &["--retries", "0", SHORT]);
        assert_eq!(ran.exits(6).stdout, "", "{fault}");
        ran.says(said).says("INCOMPLETE: ");
    }
    // In the middle: the rows before it are printed, and the error names what is missing.
    let ran = with_faults("gql-null=0.2", &["--retries", "0", DENSE]);
    let expected = faultless(DENSE);
    assert!(expected.starts_with(&ran.exits(6).stdout));
    ran.says("INCOMPLETE: the gql service answered without data");
}

#[test]
fn a_cursor_that_leads_back_is_a_gap() {
    let ran = with_faults("loop=0.2", &[GROWING]);
    ran.exits(3).says("INCOMPLETE: ");
    let ids = column(&ran.stdout, 7);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[test]
fn the_other_client_id_goes_on_where_one_is_refused() {
    for video in [SHORT, GROWING] {
        let expected = faultless(video);
        for faults in ["gql-integrity=1", "gql-integrity=0.1"] {
            let ran = with_faults(faults, &[video]);
            same(&ran.exits(0).stdout, &expected);
            ran.says(", complete, ");
        }
    }
}

#[test]
pub(crate) fn offsets_go_on_where_every_client_id_is_refused() {
    for video in [SHORT, GROWING, "2700000009", "80935574"] {
        let expected = faultless(video);
        for faults in ["gql-integrity-all=1", "gql-integrity-all=0.3"] {
            let ran = with_faults(faults, &[video]);
            same(&ran.exits(0).stdout, &expected);
            ran.says(", complete, ");
        }
    }
    // With one connection, and with a part of the video.
    let expected = faultless(GROWING);
    let ran = with_faults("gql-integrity-all=1", &["--connections", "1", GROWING]);
    same(&ran.exits(0).stdout, &expected);
    let ran = with_faults("gql-integrity-all=1", &["--from", "500", "--to", "1500", GROWING]);
    let part = expected.lines().filter(|row| (500..1500).contains(&offset(row)));
    let part: String = part.map(|row| format!("{row}\n")).collect();
    same(&ran.exits(0).stdout, &part);
}

/// By offset, only one page of each second can be fetched.
#[test]
fn a_second_that_is_cut_off_is_named() {
    let whole = faultless(DENSE);
    let ran = with_faults("gql-integrity-all=1", &[DENSE]);
    ran.exits(3)
        .says("INCOMPLETE: 1234 to 1235: more comments in one second than a page holds, and Twitch refused to page on");
    let got: HashSet<&str> = ran.stdout.lines().collect();
    assert_eq!(got.len(), ran.rows().len());
    let mut rest = whole.lines();
    assert!(ran.stdout.lines().all(|row| rest.any(|other| other == row)), "in order");
    let missing: Vec<&str> = whole.lines().filter(|row| !got.contains(row)).collect();
    assert!(!missing.is_empty() && missing.iter().all(|row| offset(row) == 1234), "{missing:?}");
    // Also on a pipe and without -v.
    let sandbox = Sandbox::start(&["--faults", "gql-integrity-all=1"]);
    let ran = Folder::new().at(&sandbox).itch(&["chatlog", DENSE]);
    ran.exits(3).says("chatlog: ").says("INCOMPLETE: 1234 to 1235: ");
}

#[test]
fn the_two_forms_of_the_question_stand_in_for_each_other() {
    let sandbox = Sandbox::start(&[]);
    let expected = faultless(SHORT);
    let hash = "[gql.operations.video-comments]\nhash = \"00\"\n";
    let query = "[gql.operations.video-comments]\nquery = \"query Nothing { nothing }\"\n";
    let both = "[gql.operations.video-comments]\nhash = \"00\"\nquery = \"query Nothing { nothing }\"\n";
    // If the hash is unknown, the query's text is sent. The hash comes first, so a wrong text does not matter.
    for config in [hash, query] {
        let ran = configured(&sandbox, config).itch(&["chat-replay", SHORT]);
        same(&ran.succeeds().stdout, &expected);
    }
    let ran = configured(&sandbox, both).itch(&["chat-replay", SHORT]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 6
--- stdout
--- stderr
error: Twitch's GQL service no longer understands the query
  caused by: Cannot query field "nothing" on type "Query".
hint: update itch, or set the current query in the table `[gql]` of its configuration

"#]]
        .raw()
    );
    // The hash is unknown only at times.
    let forgetful = Sandbox::start(&["--faults", "gql-unknown=1"]);
    let ran = configured(&forgetful, query).itch(&["chat-replay", SHORT]);
    ran.exits(6).says("no longer understands the query");
    let ran = Folder::new().at(&forgetful).itch(&["chat-replay", SHORT]);
    same(&ran.succeeds().stdout, &expected);
}

#[test]
fn client_ids_of_the_configuration_replace_the_known_ones() {
    let sandbox = Sandbox::start(&[]);
    let expected = faultless(SHORT);
    for clients in [
        format!("\"{MOBILE}\""),
        // This client id is refused cursors: the next one is used, or offsets.
        format!("\"{WEB}\", \"{MOBILE}\""),
        format!("\"{WEB}\""),
        // Unknown client ids are skipped, whatever their position.
        format!("\"nobody\", \"{WEB}\", \"nothing\", \"{MOBILE}\""),
        format!("\"nobody\", \"{WEB}\", \"nothing\""),
    ] {
        let ran = configured(&sandbox, &format!("[gql]\nclients = [{clients}]\n")).itch(&["chat-replay", SHORT]);
        same(&ran.succeeds().stdout, &expected);
    }
    for clients in ["\"nobody\"", "\"nobody\", \"nothing\", \"none\""] {
        let ran = configured(&sandbox, &format!("[gql]\nclients = [{clients}]\n")).itch(&["chat-replay", SHORT]);
        assert_data_eq!(
            ran.all(),
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: Twitch's GQL service rejected every client id that itch knows
hint: update itch, or set an accepted client id in the table `[gql]` of its configuration

"#]]
            .raw()
        );
    }
}

#[test]
fn the_private_service_is_left_alone_on_request() {
    let sandbox = Sandbox::start(&[]);
    let folder = configured(&sandbox, "[services]\ngql = \"off\"\n");
    for report in ["chat-replay", "chatlog"] {
        assert_data_eq!(
            folder.itch(&[report, SHORT]).all(),
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: the undocumented GQL service is disabled in the configuration
hint: remove `gql = "off"` from `[services]` in itch's config.toml

"#]]
            .raw()
        );
    }
    assert_eq!(sandbox.requests().total, 0);
    // The old source uses another service.
    folder
        .itch(&["--source", "legacy", "-l", "1", "chatlog", "v80935574"])
        .succeeds();
    configured(&sandbox, "[services]\ngql = \"on\"\n")
        .itch(&["chat-replay", "-l", "1", SHORT])
        .succeeds();
    let help = Folder::new().itch(&["chat-replay", "--help"]);
    assert!(help.succeeds().stdout.contains("undocumented"));
    assert!(help.stdout.contains("`[services] gql = \"off\"`"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_said_before_anything_is_asked() {
    let sandbox = Sandbox::start(&[]);
    for config in [
        "[services]\ngql = \"maybe\"\n",
        "[services]\nkraken = \"off\"\n",
        "[servces]\n",
        "[gql]\nclients = \"one\"\n",
        "[gql.operations.video-comments]\nhas = \"00\"\n",
        "gql",
    ] {
        let ran = configured(&sandbox, config).itch(&["chat-replay", SHORT]);
        assert_eq!(ran.exits(2).stdout, "", "{config}");
        ran.says("could not parse the configuration `");
    }
    assert_eq!(sandbox.requests().total, 0);
}

#[test]
fn malformed_missing_and_silent_videos() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for video in [
        "abc",
        "v",
        "12x",
        "-1",
        "https://www.twitch.tv/burkeblack",
        "https://example.org/videos/1",
        "",
    ] {
        let ran = folder.itch(&["chat-replay", "--", video]);
        assert_eq!(ran.exits(2).stdout, "", "{video}");
    }
    for options in [
        ["--from", "x"],
        ["--to", "-5"],
        ["--from", "1x"],
        ["--connections", "0"],
        ["--connections", "17"],
        ["-l", "0"],
    ] {
        folder.itch(&[&["chat-replay", SHORT], &options[..]].concat()).exits(2);
    }
    assert_eq!(sandbox.requests().total, 0);
    // A private one, a deleted one, and an id that does not exist.
    for video in ["2700000404", "v1", "99999999999999999999"] {
        let ran = folder.itch(&["chat-replay", video]);
        assert_eq!(ran.exits(5).stdout, "", "{video}");
        ran.says("there is no video").says("hint: ");
    }
    folder.itch(&["chat-replay", "2700000000"]).prints("");
    folder.itch(&["chatlog", "2700000000"]).prints("");
}
