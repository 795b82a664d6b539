//! `itch sandbox`: the simulated Twitch as a server.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, Signal, signal, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn it_prints_shell_lines_that_point_any_client_at_it() {
    let sandbox = Sandbox::start(&[]);
    for line in sandbox.stdout.lines() {
        let quoted = line
            .strip_prefix("export TWITCH_")
            .and_then(|rest| rest.split_once("='"));
        let (name, value) = quoted.unwrap_or_else(|| panic!("{line}"));
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || b"_2".contains(&byte)),
            "{line}"
        );
        let value = value.strip_suffix('\'').unwrap_or_else(|| panic!("{line}"));
        assert!(!value.is_empty() && !value.contains('\''), "{line}");
    }
    for name in [
        "TWITCH_HELIX_URL",
        "TWITCH_OAUTH2_URL",
        "TWITCH_CLIENT_ID",
        "TWITCH_TOKEN",
    ] {
        assert!(sandbox.variables().contains_key(name), "{name}");
    }
    let folder = Folder::new();
    folder.write("sandbox.env", &sandbox.stdout);
    let expected = folder.itch(&["--sandbox", "followers", "followers_3"]);
    // As its help suggests, and as other programs are used.
    for load in [". ./sandbox.env", "eval \"$(cat sandbox.env)\""] {
        let ran = Command::new("sh")
            .args(["-c", &format!("{load}\nexec \"$0\" followers followers_3")])
            .arg(itch_tests::binary())
            .current_dir(folder.path(""))
            .env_remove("TWITCH_TOKEN")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), expected.succeeds().stdout, "{load}");
    }
}

#[test]
fn data_depend_on_the_seed_alone() {
    let rows = |seed: &str| {
        let sandbox = Sandbox::start(&["--seed", seed]);
        let ran = Folder::new()
            .at(&sandbox)
            .itch(&["followers", "-l", "50", "burkeblack"]);
        ran.succeeds().stdout.clone()
    };
    let (one, two) = (rows("1"), rows("2"));
    assert_eq!(one, rows("1"));
    assert_ne!(one, two);
    Folder::new()
        .itch(&["--sandbox", "followers", "-l", "50", "burkeblack"])
        .prints(&one);
}

#[test]
fn channels_that_always_exist() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "num-followers",
        "--columns",
        "name,id,followers",
        "burkeblack",
        "followers_0",
        "followers_3",
        "followers_100",
        "followers_200",
        "followers_10m",
        "not_moderated",
        "just_a_viewer",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
burkeblack	76725499	250000
followers_0	100000000	0
followers_3	100000003	3
followers_100	100000100	100
followers_200	100000200	200
followers_10m	30000000	10000000
not_moderated	110000000	4321
just_a_viewer	130000000	12

"#]]
        .raw()
    );
}

/// Accounts made within days of each other, following within minutes.
#[test]
fn burkeblack_has_one_follow_bot_wave() {
    let ran = Folder::new().itch(&[
        "--sandbox",
        "followers",
        "--since",
        "2026-07-19T21:04:00Z",
        "--until",
        "2026-07-19T21:38:00Z",
        "--columns",
        "created,followed",
        "burkeblack",
    ]);
    let day = 86_400;
    let start = 1_784_495_040;
    let young = ran.succeeds().cells().into_iter().filter(|row| {
        let (Ok(created), Ok(followed)) = (row[0].parse::<i64>(), row[1].parse::<i64>()) else {
            return false;
        };
        assert!((start..start + 34 * 60).contains(&followed), "{followed}");
        (start - 11 * day..=start - 8 * day).contains(&created)
    });
    assert!((3_200..3_260).contains(&young.count()));
}

#[test]
fn latency_is_what_was_asked_for() {
    let sandbox = Sandbox::start(&["--latency", "150ms"]);
    let ran = Folder::new().at(&sandbox).itch(&["created", "burkeblack"]);
    // Sign-in and one look-up.
    ran.succeeds();
    assert!(ran.elapsed >= Duration::from_millis(300), "{:?}", ran.elapsed);
}

#[test]
fn it_serves_several_clients_at_once() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    // One after the other, they would take twice 300 ms each.
    let start = Instant::now();
    let children: Vec<_> = (0..8)
        .map(|_| folder.command(&["created", "burkeblack"]).spawn().unwrap())
        .collect();
    for child in children {
        folder.ran(wait(child), &["created", "burkeblack"]).succeeds();
    }
    assert!(start.elapsed() < Duration::from_millis(3_000), "{:?}", start.elapsed());
    assert_eq!(sandbox.requests().of("/helix/users"), 8);
}

#[test]
fn options_that_cannot_be_meant() {
    let folder = Folder::new();
    for (arguments, expected) in [
        (
            ["--port", "99999"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value '99999' for '--port <PORT>': 99999 is not in 0..=65535

For more information, try '--help'.

"#]],
        ),
        (
            ["--seed", "x"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'x' for '--seed <SEED>': invalid digit found in string

For more information, try '--help'.

"#]],
        ),
        (
            ["--latency", "soon"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: invalid value 'soon' for '--latency <TIME>': `soon` is not a duration: write seconds (`90`) or numbers with units (`1h2m3s`, `7d`, `250ms`)

For more information, try '--help'.

"#]],
        ),
        (
            ["--rate-limit", "0"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: `0` is not a rate limit
hint: write points per minute (`800`), or `off`

"#]],
        ),
        (
            ["--faults", "500"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: fault `500` has no rate: write `500=0.01` for a chance of 1 in 100

"#]],
        ),
        (
            ["--faults", "500=2"],
            str![[r#"
exit code: 2
--- stdout
--- stderr
error: the rate of fault `500` must be a number from 0 to 1, not `2`

"#]],
        ),
    ] {
        assert_data_eq!(folder.itch(&[&["sandbox"], &arguments[..]].concat()).all(), expected.raw());
    }
}

#[test]
fn an_unknown_fault_is_answered_with_the_known_ones() {
    let ran = Folder::new().itch(&["sandbox", "--faults", "404=0.1"]);
    ran.exits(2)
        .says("error: unknown fault `404`, the known ones are 429, 500, 503, reset, ");
}

#[test]
fn a_port_that_is_taken() {
    let sandbox = Sandbox::start(&[]);
    let (_, port) = sandbox.address().split_once(':').unwrap();
    let ran = Folder::new().itch(&["sandbox", "--port", port]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 1
--- stdout
--- stderr
error: the sandbox could not be started
  caused by: Address already in use (os error 98)

"#]]
        .raw()
    );
}

#[test]
fn a_port_can_be_chosen() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    let sandbox = Sandbox::start(&["--port", &free]);
    assert_eq!(sandbox.address(), format!("127.0.0.1:{free}"));
    Folder::new().at(&sandbox).itch(&["created", "burkeblack"]).succeeds();
}

#[test]
fn it_ends_when_told() {
    let folder = Folder::new();
    for (kind, number) in [(Signal::INT, 2), (Signal::TERM, 15)] {
        let mut child = folder.command(&["sandbox"]).spawn().unwrap();
        let mut said = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut said).unwrap();
        assert!(
            said.starts_with("serving on http://127.0.0.1:") && said.ends_with("; interrupt to stop\n"),
            "{said}"
        );
        signal(child.id(), kind);
        let output = wait(child);
        let ended = std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(number);
        assert!(ended || matches!(output.status.code(), Some(0 | 130)), "{:?}", output.status);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}
