//! Missing permissions, failing services, full disks: the message, the hint and the exit code of each.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use itch_tests::{Folder, Sandbox, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

use crate::bad_input::shows;

#[test]
fn no_identity() {
    shows(
        &["followers", "burkeblack"],
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: nobody is signed in
hint: `itch login`, or set `TWITCH_TOKEN` (or `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET`), or try `--sandbox`

"#]],
    );
    for report in ["created", "num-followers"] {
        Folder::new()
            .itch(&[report, "burkeblack"])
            .exits(4)
            .says("error: nobody is signed in\n");
    }
    let half = Folder::new().variable("TWITCH_CLIENT_ID", "abc");
    assert_data_eq!(
        half.itch(&["created", "burkeblack"]).all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: nobody is signed in
  caused by: `TWITCH_CLIENT_ID` names an application, which alone is no identity
hint: `itch login`, or set `TWITCH_TOKEN` (or `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET`), or try `--sandbox`

"#]]
        .raw()
    );
}

#[test]
fn an_identity_that_twitch_refuses() {
    let sandbox = Sandbox::start(&[]);
    let with = |token: &str| Folder::new().at(&sandbox).variable("TWITCH_TOKEN", token);
    let ran = with(Sandbox::TOKEN_EXPIRED).itch(&["followers", "burkeblack"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: Twitch refused the token in `TWITCH_TOKEN`: it is unknown, has expired or was revoked
  caused by: invalid access token
hint: `itch login`, and unset `TWITCH_TOKEN`; or set it to a new token

"#]]
        .raw()
    );
    with("nonsense")
        .itch(&["created", "burkeblack"])
        .exits(4)
        .says("Twitch refused the token");
    let folder = with("").variable("TWITCH_CLIENT_SECRET", "nonsense");
    assert_data_eq!(
        folder.itch(&["created", "burkeblack"]).all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: Twitch refused the client id or its secret
  caused by: invalid client secret
hint: check `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET` at dev.twitch.tv/console

"#]]
        .raw()
    );
    assert_eq!(sandbox.requests().of("/helix/users"), 0);
}

#[test]
fn an_identity_without_the_right_to_list_followers() {
    let sandbox = Sandbox::start(&[]);
    let with = |token: &str| Folder::new().at(&sandbox).variable("TWITCH_TOKEN", token);
    let without_scope = with(Sandbox::TOKEN_WITHOUT_SCOPES).itch(&["followers", "burkeblack"]);
    assert_data_eq!(
        without_scope.all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: the token of `burkeblack` lacks the scope `moderator:read:followers`, which `followers` needs
  caused by: this token may not list the followers of `burkeblack`
  caused by: Twitch returned their number (250000) but no rows
hint: itch login --for followers

"#]]
        .raw()
    );
    let viewer = with(Sandbox::TOKEN_VIEWER).itch(&["followers", "burkeblack"]);
    viewer
        .exits(4)
        .says("error: `just_a_viewer` is not a moderator of `burkeblack`\n");
    let app = with("").variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    app.itch(&["followers", "burkeblack"])
        .exits(4)
        .says("error: `followers` needs the token of a user, and this is an app token\n");
    shows(
        &["--sandbox", "followers", "not_moderated"],
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: `burkeblack` is not a moderator of `not_moderated`
  caused by: this token may not list the followers of `not_moderated`
  caused by: Twitch returned their number (4321) but no rows
hint: `itch login --for followers`, and sign in as `not_moderated` or as one of its moderators

"#]],
    );
    // No report ends with an empty success.
    for options in [
        &["-d", "asc"][..],
        &["-l", "1"],
        &["--since", "2026-01-01"],
        &["--columns", "name"],
    ] {
        let ran = Folder::new().itch(&[&["--sandbox", "followers", "not_moderated"], options].concat());
        ran.exits(4).says("may not list the followers of `not_moderated`");
    }
    // A channel without followers is not a refusal.
    with(Sandbox::TOKEN_VIEWER)
        .itch(&["followers", "followers_0"])
        .succeeds();
}

#[test]
fn addresses_that_cannot_be_meant() {
    for (url, expected) in [
        (
            "not a url",
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: `not a url` is not a valid base URL for the helix service
  caused by: relative URL without a base

"#]],
        ),
        (
            "ftp://127.0.0.1/helix",
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: `ftp://127.0.0.1/helix` is not a valid base URL for the helix service

"#]],
        ),
        (
            "http://api.twitch.tv/helix",
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: the base URL of the helix service, `http://api.twitch.tv/helix`, uses plain http to another machine
hint: use https, or pass `--insecure-http`: others on the network can then read your tokens

"#]],
        ),
        (
            "http://127.0.0.1.evil.example/helix",
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: the base URL of the helix service, `http://127.0.0.1.evil.example/helix`, uses plain http to another machine
hint: use https, or pass `--insecure-http`: others on the network can then read your tokens

"#]],
        ),
        (
            "https://user:secret@127.0.0.1/helix",
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: the base URL of the helix service must not contain a user name or password

"#]],
        ),
    ] {
        let folder = Folder::new()
            .variable("TWITCH_HELIX_URL", url)
            .variable("TWITCH_TOKEN", "abc");
        assert_data_eq!(folder.itch(&["created", "burkeblack"]).all(), expected.raw());
    }
    let folder = Folder::new()
        .variable("TWITCH_OAUTH2_URL", "http://id.twitch.tv/")
        .variable("TWITCH_TOKEN", "abc");
    folder
        .itch(&["created", "burkeblack"])
        .exits(2)
        .says("`http://id.twitch.tv`");
}

#[test]
fn a_sandbox_ignores_every_identity_and_address() {
    let folder = Folder::new()
        .variable("TWITCH_HELIX_URL", "http://api.twitch.tv/")
        .variable("TWITCH_OAUTH2_URL", "nonsense")
        .variable("TWITCH_TOKEN", "nonsense")
        .variable("TWITCH_CLIENT_ID", "nonsense");
    folder.itch(&["--sandbox", "followers", "followers_3"]).succeeds();
}

/// A configuration with few retries and short delays.
const HASTE: &[&str] = &["--retries", "1", "--timeout", "500ms"];

#[test]
fn a_server_that_is_down() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::new()
        .variable("TWITCH_HELIX_URL", format!("http://{free}/helix"))
        .variable("TWITCH_OAUTH2_URL", format!("http://{free}/oauth2"))
        .variable("TWITCH_TOKEN", "abc");
    let ran = folder.itch(&[&["followers", "burkeblack"], HASTE].concat());
    let expected = [
        "exit code: 6\n--- stdout\n--- stderr\n",
        "error: the oauth service could not be reached (2 tries)\n",
        "  caused by: 127.0.0.1:[PORT]: tcp connect error\n",
        "  caused by: Connection refused (os error 111)\n",
        "hint: nothing listens at 127.0.0.1:[PORT]: check `TWITCH_OAUTH2_URL`, or run again with `-c file` ",
        "to keep the answers between runs\n",
    ];
    assert_eq!(ran.all(), expected.concat());
}

#[test]
fn a_server_that_misbehaves() {
    for (fault, expected) in [
        (
            "html",
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: the helix service answered HTML, not JSON (2 tries)
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]],
        ),
        (
            "cut",
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: the helix service stopped in the middle of its answer (2 tries)
  caused by: error reading a body from connection
  caused by: end of file before message length reached
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]],
        ),
        (
            "stall",
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: the helix service did not send a complete answer within 0.5 s (2 tries)
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]],
        ),
        (
            "500",
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: the helix service answered 500 Internal Server Error (2 tries)
  caused by: Internal Server Error
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]],
        ),
        (
            "503",
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: the helix service answered 503 Service Unavailable (2 tries)
  caused by: Service Unavailable
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]],
        ),
    ] {
        let sandbox = Sandbox::start(&["--faults", &format!("{fault}=1")]);
        let ran = Folder::new()
            .at(&sandbox)
            .itch(&[&["created", "burkeblack"], HASTE].concat());
        assert_data_eq!(ran.all(), expected.raw());
        assert_eq!(sandbox.requests().of("/helix/users"), 2, "{fault}: {:?}", sandbox.requests());
    }
}

#[test]
fn a_connection_that_is_reset_and_a_sign_in_that_fails() {
    // The system's message varies.
    let sandbox = Sandbox::start(&["--faults", "reset=1"]);
    let ran = Folder::new()
        .at(&sandbox)
        .itch(&[&["created", "burkeblack"], HASTE].concat());
    ran.exits(6)
        .says("error: the helix service could not be reached (2 tries)\n")
        .says("hint: check the network");
    let sandbox = Sandbox::start(&["--faults", "oauth-500=1"]);
    let ran = Folder::new()
        .at(&sandbox)
        .itch(&[&["created", "burkeblack"], HASTE].concat());
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 6
--- stdout
--- stderr
error: the oauth service answered 500 Internal Server Error (2 tries)
hint: check the network, or run again with `-c file` to keep the answers between runs

"#]]
        .raw()
    );
}

#[test]
fn a_service_that_gives_out_on_the_way_keeps_what_was_printed() {
    // So many faults that the list of pages is cut off somewhere.
    let sandbox = Sandbox::start(&["--faults", "500=0.2"]);
    let ran = Folder::new()
        .at(&sandbox)
        .itch(&["followers", "burkeblack", "--retries", "0"]);
    ran.exits(6).says("error: ");
    let whole = Folder::new().itch(&["--sandbox", "followers", "burkeblack", "-l", "5000"]);
    assert!(
        whole.stdout.starts_with(&ran.stdout) && ran.rows().len().is_multiple_of(100),
        "{}",
        ran.rows().len()
    );
    if !ran.rows().is_empty() {
        ran.says(&format!("{} rows had been written before the error", ran.rows().len()));
    }
}

#[test]
fn a_full_disk() {
    let folder = Folder::new();
    for format in ["tsv", "csv", "jsonl", "table"] {
        let arguments = ["--sandbox", "followers", "-l", "1000", "-f", format, "burkeblack"];
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = folder.command(&arguments).stdout(full).spawn().unwrap();
        assert_data_eq!(
            folder.ran(wait(child), &arguments).all(),
            str![[r#"
exit code: 1
--- stdout
--- stderr
error: the rows could not be written
  caused by: No space left on device (os error 28)
0 rows had been written before the error

"#]]
            .raw()
        );
    }
    for arguments in [
        &["--help"][..],
        &["plugins", "list"],
        &["plugins", "info", "file"],
        &["sandbox"],
        &["help", "formats"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = folder.command(arguments).stdout(full).spawn().unwrap();
        folder
            .ran(wait(child), arguments)
            .exits(1)
            .says("No space left on device");
    }
}

/// A disk that becomes full during the run: only the rows that were certainly written are counted.
#[test]
fn a_disk_that_fills_up() {
    let folder = Folder::new();
    let shell = "trap '' XFSZ; ulimit -f 32; exec \"$0\" --sandbox followers -l 5000 burkeblack > rows.tsv";
    let output = Command::new("sh")
        .args(["-c", shell])
        .arg(itch_tests::binary())
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let ran = folder.ran(output, &["followers", "-l", "5000", "burkeblack"]);
    ran.exits(1)
        .says("error: the rows could not be written\n  caused by: File too large");
    let counted = ran.stderr.lines().last().unwrap();
    let counted = counted.strip_suffix(" rows had been written before the error").unwrap();
    let whole = folder.read("rows.tsv").matches('\n').count();
    let counted: usize = counted.parse().unwrap();
    assert!(counted >= 100 && counted <= whole && whole < counted + 100, "{counted}, {whole}");
}

#[test]
fn a_reader_that_closes_early() {
    let folder = Folder::new();
    for format in ["tsv", "csv", "jsonl", "table"] {
        for direction in ["desc", "asc"] {
            let arguments = [
                "--sandbox",
                "followers",
                "--since",
                "2026-09-01",
                "-d",
                direction,
                "-f",
                format,
                "burkeblack",
            ];
            let mut child = folder.command(&arguments).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            assert!(line.ends_with('\n'));
            folder.ran(wait(child), &arguments).succeeds();
        }
    }
    for arguments in [
        &["--help"][..],
        &["plugins", "list"],
        &["plugins", "list", "--json"],
        &["plugins", "info", "file"],
    ] {
        let mut child = folder.command(arguments).spawn().unwrap();
        drop(child.stdout.take());
        folder.ran(wait(child), arguments).succeeds();
    }
    // Standard output is closed.
    let arguments = ["--sandbox", "followers", "followers_3"];
    let child = folder
        .command(&arguments)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    folder.ran(wait(child), &arguments).succeeds();
}

#[test]
fn an_output_file_that_cannot_be_made() {
    shows(
        &["--sandbox", "followers", "-o", "no/such/folder.tsv", "followers_3"],
        str![[r#"
exit code: 1
--- stdout
--- stderr
error: `no/such/folder.tsv` cannot be written
  caused by: there is no directory `no/such`
hint: mkdir -p no/such

"#]],
    );
    shows(
        &["--sandbox", "followers", "-o", "/", "followers_3"],
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `/` does not name a file
  caused by: it is a directory

"#]],
    );
    let folder = Folder::new();
    std::fs::create_dir(folder.path("taken")).unwrap();
    assert_data_eq!(
        folder
            .itch(&["--sandbox", "followers", "-o", "taken", "followers_3"])
            .all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `taken` does not name a file
  caused by: it is a directory

"#]]
        .raw()
    );
    folder
        .itch(&["--sandbox", "followers", "--verdict", "no/such.json", "followers_3"])
        .exits(1)
        .says("no/such.json");
}
