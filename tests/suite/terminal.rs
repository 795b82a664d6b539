//! What a terminal shows: tables, relative times, colour, progress. Output and talk share one screen there.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, binary};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// What a run on a terminal left.
struct Screen {
    code: u32,
    /// Every byte that the terminal got.
    bytes: String,
    /// The screen at the end, line by line, without blank ones.
    lines: Vec<String>,
    /// How long it ran.
    elapsed: Duration,
    /// When something first appeared, and what that was.
    first: Option<(Duration, String)>,
}

impl Screen {
    fn all(&self) -> String {
        format!("exit code: {}\n{}", self.code, self.lines.join("\n"))
    }
}

/// Runs itch on a terminal of this width, which answers no questions.
fn on_terminal(folder: &Folder, width: u16, arguments: &[&str]) -> Screen {
    on_answering_terminal(folder, width, arguments, "")
}

/// Runs itch on a terminal that says this when it is asked for its attributes.
fn on_answering_terminal(
    folder: &Folder,
    width: u16,
    arguments: &[&str],
    answer: &'static str,
) -> Screen {
    let size = PtySize {
        rows: 200,
        cols: width,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(binary());
    command.args(arguments);
    command.env_clear();
    for (name, value) in folder.variables() {
        command.env(name, value);
    }
    command.env("TERM", "xterm-256color");
    command.cwd(folder.path(""));
    let start = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut writer = pair.master.take_writer().unwrap();
    let reading = std::thread::spawn(move || {
        let (mut bytes, mut first) = (Vec::new(), None);
        let mut buffer = [0; 4096];
        // A terminal whose program has ended is read to its end, and then fails.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let part = &buffer[..count];
            first.get_or_insert_with(|| {
                (start.elapsed(), String::from_utf8_lossy(part).into_owned())
            });
            let before = bytes.len();
            bytes.extend_from_slice(part);
            let asked = |bytes: &[u8]| bytes.windows(3).any(|part| part == b"\x1b[c");
            if !answer.is_empty() && asked(&bytes) && !asked(&bytes[..before]) {
                writer.write_all(answer.as_bytes()).unwrap();
            }
        }
        (bytes, first)
    });
    let code = child.wait().unwrap().exit_code();
    let elapsed = start.elapsed();
    let (bytes, first) = reading.join().unwrap();
    drop(pair.master);
    let mut screen = vt100::Parser::new(200, width, 0);
    screen.process(&bytes);
    let lines = screen
        .screen()
        .rows(0, width)
        .map(|line| line.trim_end().to_owned());
    Screen {
        code,
        elapsed,
        lines: lines.filter(|line| !line.is_empty()).collect(),
        bytes: String::from_utf8(bytes).unwrap(),
        first,
    }
}

#[test]
fn rows_are_an_aligned_table_and_a_verdict() {
    let screen = on_terminal(
        &Folder::new(),
        120,
        &["--sandbox", "followers", "followers_3"],
    );
    assert_eq!(screen.code, 0);
    let [header, rows @ .., verdict] = &screen.lines[..] else {
        panic!("{}", screen.all())
    };
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        [
            "name",
            "channel",
            "created",
            "followed",
            "delta",
            "followers"
        ]
    );
    assert_eq!(rows.len(), 3);
    for name in ["channel", "created", "followed"] {
        let at = header.find(name).unwrap();
        for row in rows {
            assert!(
                row[..at].ends_with("  ") && !row[at..].starts_with(' '),
                "{}",
                screen.all()
            );
        }
    }
    assert!(
        rows[0].contains(" ago ") && rows[0].contains("followers_3"),
        "{}",
        screen.all()
    );
    assert!(
        verdict.starts_with("followers: 3 of 3 rows, 0 repeated, complete, "),
        "{verdict}"
    );
}

#[test]
fn a_narrow_terminal_cuts_texts_and_no_number() {
    let wide = on_terminal(
        &Folder::new(),
        200,
        &["--sandbox", "followers", "-l", "50", "burkeblack"],
    );
    let narrow = on_terminal(
        &Folder::new(),
        62,
        &[
            "--sandbox",
            "followers",
            "-l",
            "50",
            "--columns",
            "name,channel,display_name,followed",
            "burkeblack",
        ],
    );
    assert_eq!(wide.lines.len(), 52);
    assert_eq!(narrow.lines[..51].len(), 51);
    assert!(
        narrow.lines[..51].iter().any(|line| line.contains('…')),
        "{}",
        narrow.all()
    );
    // Nothing was wrapped: each row is one line.
    for line in &narrow.lines[1..51] {
        assert!(
            line.ends_with(" ago") || line.ends_with("just now"),
            "{}",
            narrow.all()
        );
    }
}

#[test]
fn colour_is_for_terminals_and_can_be_refused() {
    let coloured = |folder: Folder, options: &[&str]| {
        on_terminal(
            &folder,
            120,
            &[&["--sandbox", "followers", "followers_3"], options].concat(),
        )
        .bytes
        .contains("\x1b[1;4m")
    };
    assert!(coloured(Folder::new(), &[]));
    assert!(!coloured(Folder::new().variable("NO_COLOR", "1"), &[]));
    assert!(coloured(Folder::new().variable("NO_COLOR", ""), &[]));
    assert!(!coloured(Folder::new(), &["--color", "never"]));
    assert!(coloured(
        Folder::new().variable("NO_COLOR", "1"),
        &["--color", "always"]
    ));
    let pipe = Folder::new().itch(&["--sandbox", "followers", "-f", "table", "followers_3"]);
    assert!(!pipe.stdout.contains('\x1b'));
    let error = on_terminal(
        &Folder::new(),
        120,
        &["--sandbox", "followers", "no_such_channel"],
    );
    assert_eq!(error.code, 5);
    assert!(
        error
            .bytes
            .contains("\x1b[1;31merror:\x1b[0m there is no channel"),
        "{}",
        error.bytes
    );
    let plain = on_terminal(
        &Folder::new().variable("NO_COLOR", "1"),
        120,
        &["--sandbox", "followers", "no_such_channel"],
    );
    assert!(!plain.bytes.contains("\x1b[1;31m"), "{}", plain.bytes);
}

/// What strangers wrote is printed in every script and can do nothing to the terminal.
#[test]
fn text_from_strangers_is_harmless() {
    let chat = [
        "--sandbox",
        "--color",
        "never",
        "chat-replay",
        "-l",
        "3000",
        "--columns",
        "display_name,message",
        "2700000060",
    ];
    // A program reads what was written.
    let pipe = Folder::new().itch(&chat);
    assert!(pipe.succeeds().stdout.contains('\x1b'));
    for format in ["table", "tsv", "csv", "jsonl"] {
        let screen = on_terminal(
            &Folder::new(),
            120,
            &[&chat[..], &["-f", format, "--progress", "never"]].concat(),
        );
        assert_eq!(screen.code, 0);
        assert!(screen.bytes.lines().count() > 3_000);
        let harmful = screen
            .bytes
            .chars()
            .find(|c| c.is_control() && !['\r', '\n', '\t'].contains(c));
        assert_eq!(harmful, None, "{format}");
    }
    let typed = on_terminal(
        &Folder::new(),
        120,
        &[
            "--sandbox",
            "--color",
            "never",
            "followers",
            "\x1b]0;title\x07",
        ],
    );
    assert_eq!(typed.code, 2);
    assert!(
        !typed.bytes.contains('\x1b') && typed.bytes.contains("is not a channel name"),
        "{:?}",
        typed.bytes
    );
}

#[test]
fn short_work_shows_no_progress() {
    let screen = on_terminal(
        &Folder::new(),
        120,
        &[
            "--sandbox",
            "--color",
            "never",
            "followers",
            "-l",
            "100",
            "burkeblack",
        ],
    );
    if screen.elapsed > Duration::from_millis(500) {
        return; // A busy machine made it long work.
    }
    assert!(
        !screen.bytes.contains("rows/s") && !screen.bytes.contains('\x1b'),
        "{:?}",
        screen.bytes
    );
}

#[test]
fn long_work_shows_progress_and_clears_it() {
    let sandbox = Sandbox::start(&["--latency", "200ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["followers", "-l", "700", "-o", "rows.tsv", "burkeblack"];
    let screen = on_terminal(&folder, 120, &arguments);
    assert_eq!(screen.code, 0, "{}", screen.all());
    let (when, what) = screen.first.as_ref().unwrap();
    assert!(*when >= Duration::from_millis(500), "{when:?}: {what:?}");
    assert!(
        what.contains("followers: 0 of ") || what.contains("followers: 0 rows"),
        "{what:?}"
    );
    for part in [" of 700 rows, ", " rows/s, ", " s left, ", " requests"] {
        assert!(screen.bytes.contains(part), "{part}: {:?}", screen.bytes);
    }
    // In the end the verdict stands there alone.
    assert_eq!(screen.lines.len(), 1, "{}", screen.all());
    assert!(
        screen.lines[0].starts_with("followers: 700 rows (limit reached), "),
        "{}",
        screen.all()
    );
}

#[test]
fn progress_stands_below_the_rows() {
    let sandbox = Sandbox::start(&["--latency", "200ms"]);
    let screen = on_terminal(
        &Folder::new().at(&sandbox),
        120,
        &[
            "followers",
            "-l",
            "150",
            "--columns",
            "name,id",
            "burkeblack",
        ],
    );
    assert!(screen.bytes.contains(" requests"), "{:?}", screen.bytes);
    assert_eq!(screen.lines.len(), 152, "{}", screen.all());
    assert!(
        screen.lines.iter().all(|line| !line.contains("rows/s")),
        "{}",
        screen.all()
    );
}

#[test]
fn progress_can_be_refused() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    for options in [&["-q"][..], &["--progress", "never"]] {
        let screen = on_terminal(
            &folder,
            120,
            &[&["--color", "never", "followers", "followers_3"], options].concat(),
        );
        assert!(
            !screen.bytes.contains("followers: 0 ") && !screen.bytes.contains('\x1b'),
            "{:?}",
            screen.bytes
        );
        let verdict = screen
            .lines
            .last()
            .unwrap()
            .starts_with("followers: 3 of 3 rows");
        assert_eq!(verdict, !options.contains(&"-q"), "{}", screen.all());
    }
}

#[test]
fn waiting_for_the_rate_limit_is_said() {
    let sandbox = Sandbox::start(&["--rate-limit", "60"]);
    let folder = Folder::new().at(&sandbox);
    let screen = on_terminal(
        &folder,
        140,
        &["followers", "-l", "3100", "-o", "rows.tsv", "burkeblack"],
    );
    assert_eq!(screen.code, 0, "{}", screen.all());
    assert!(
        screen.bytes.contains("for the rate limit"),
        "{:?}",
        screen.bytes
    );
}

#[test]
fn an_empty_list_is_told_by_the_verdict_alone() {
    let screen = on_terminal(
        &Folder::new(),
        120,
        &["--sandbox", "followers", "followers_0"],
    );
    assert_eq!(screen.lines.len(), 1, "{}", screen.all());
    assert!(
        screen.lines[0].starts_with("followers: 0 of 0 rows, "),
        "{}",
        screen.all()
    );
}

#[test]
fn the_list_of_units_is_a_table_with_a_header() {
    let screen = on_terminal(&Folder::new(), 160, &["plugins", "list"]);
    let units = crate::plugins::units();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let head = [
        "NAME", "KIND", "PLUGIN", "VERSION", "ABI", "STATUS", "FROM", "SUMMARY",
    ];
    assert_eq!(words(&screen.lines[0]), head);
    assert_eq!(screen.lines.len(), 1 + units.len());
    for (line, unit) in screen.lines[1..].iter().zip(&units) {
        assert_eq!(
            words(line)[..2],
            [
                unit["name"].as_str().unwrap(),
                unit["kind"].as_str().unwrap()
            ]
        );
    }
}

#[test]
fn a_chart_is_drawn_where_no_file_is_named() {
    let folder = crate::plot::folder();
    let arguments = [
        "plot",
        "-D",
        "-S",
        "streams.csv",
        "-T",
        "BurkeBlack",
        "followers.csv",
    ];
    let screen = on_terminal(&folder, 100, &arguments);
    assert_eq!(screen.code, 0, "{}", screen.all());
    let title = screen.lines.iter().find(|line| line.contains("BurkeBlack"));
    assert!(
        title.is_some_and(|title| title.trim() == "BurkeBlack"),
        "{}",
        screen.all()
    );
    let page = screen.lines.join("\n");
    for part in [
        "running count",
        "streams",
        "created",
        "Jul 26",
        "followed (UTC)",
        "100%",
    ] {
        assert!(page.contains(part), "{part}: {}", screen.all());
    }
    let braille = page
        .chars()
        .filter(|c| ('\u{2801}'..='\u{28ff}').contains(c));
    assert!(braille.count() > 50, "{}", screen.all());
    assert!(screen.bytes.contains("\u{1b}[38;2;"));

    // Who wants no colours is asked nothing either.
    let plain = on_terminal(
        &folder,
        100,
        &[&["--color", "never"], &arguments[..]].concat(),
    );
    assert!(!plain.bytes.contains('\u{1b}'), "{:?}", plain.bytes);
    assert!(plain.lines.iter().any(|line| line.contains("BurkeBlack")));
}

#[test]
fn a_terminal_that_shows_pictures_gets_one() {
    let folder = crate::plot::folder();
    for (answer, picture) in [
        ("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;c", "\u{1b}_G"),
        ("\u{1b}[?62;4;22c", "\u{1b}P"),
        (
            "\u{1b}P>|iTerm2 3.5\u{1b}\\\u{1b}[?62;4c",
            "\u{1b}]1337;File=",
        ),
    ] {
        let arguments = ["plot", "followers.csv"];
        let screen = on_answering_terminal(&folder, 100, &arguments, answer);
        assert_eq!(screen.code, 0, "{}", screen.all());
        // The question itself is in the way of kitty, too.
        let drawn = screen.bytes.rsplit("\u{1b}[c").next().unwrap();
        assert!(drawn.contains(picture), "{answer:?}: {:.300?}", drawn);
    }
}
