//! The output on a terminal: tables, relative times, colour, progress. Rows and messages share one screen.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use itch_tests::{Folder, Sandbox, binary};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// The result of a run on a terminal.
pub(crate) struct Screen {
    pub(crate) code: u32,
    /// Every byte that was written to the terminal.
    pub(crate) bytes: String,
    /// The lines of the screen at the end, without blank ones.
    pub(crate) lines: Vec<String>,
    /// How long it ran.
    elapsed: Duration,
    /// The first output, and its time.
    first: Option<(Duration, String)>,
}

impl Screen {
    pub(crate) fn all(&self) -> String {
        format!("exit code: {}\n{}", self.code, self.lines.join("\n"))
    }
}

/// Every byte that was written to a terminal, and the first output with its time.
type Received = (Vec<u8>, Option<(Duration, String)>);

/// A simulated terminal and its behaviour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    /// The value of `TERM` and other variables.
    pub(crate) name: &'static str,
    /// Its answer to the query for attributes; if it is empty, no query is answered.
    pub(crate) answer: &'static str,
    /// The delay of this answer.
    pub(crate) delay: Duration,
}

impl Default for Device {
    fn default() -> Device {
        Device {
            rows: 200,
            columns: 100,
            name: "xterm-256color",
            answer: "",
            delay: Duration::ZERO,
        }
    }
}

/// Runs itch on a terminal of this width, which answers no queries.
fn on_terminal(folder: &Folder, width: u16, arguments: &[&str]) -> Screen {
    let device = Device {
        columns: width,
        ..Device::default()
    };
    device.run(folder, arguments)
}

impl Device {
    /// Runs itch on it.
    pub(crate) fn run(self, folder: &Folder, arguments: &[&str]) -> Screen {
        let mut command = CommandBuilder::new(binary());
        command.args(arguments);
        self.show(folder, command)
    }

    /// Runs a shell script on it, in which `"$0"` is itch.
    #[cfg(unix)]
    pub(crate) fn script(self, folder: &Folder, script: &str) -> Screen {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", script]);
        command.arg(binary());
        self.show(folder, command)
    }

    fn show(self, folder: &Folder, mut command: CommandBuilder) -> Screen {
        let size = PtySize {
            rows: self.rows,
            cols: self.columns,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env_clear();
        for (name, value) in folder.variables() {
            command.env(name, value);
        }
        command.env("TERM", self.name);
        command.cwd(folder.path(""));
        let start = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let reading = std::thread::spawn(move || self.read(start, reader, writer));
        let screen = self.wait(start, child, reading);
        drop(pair.master);
        screen
    }

    /// Reads all output to the terminal, and answers queries.
    fn read(self, start: Instant, mut reader: Box<dyn Read + Send>, mut writer: Box<dyn Write + Send>) -> Received {
        let (mut bytes, mut first) = (Vec::new(), None);
        let mut buffer = [0; 4096];
        // After the program has ended, reading returns the rest of the output and then an error.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let part = &buffer[..count];
            first.get_or_insert_with(|| (start.elapsed(), String::from_utf8_lossy(part).into_owned()));
            let before = bytes.len();
            bytes.extend_from_slice(part);
            let asked = |bytes: &[u8]| bytes.windows(3).any(|part| part == b"\x1b[c");
            if !self.answer.is_empty() && asked(&bytes) && !asked(&bytes[..before]) {
                std::thread::sleep(self.delay);
                writer.write_all(self.answer.as_bytes()).unwrap();
            }
        }
        (bytes, first)
    }

    fn wait(
        self,
        start: Instant,
        mut child: Box<dyn portable_pty::Child + Send + Sync>,
        reading: std::thread::JoinHandle<Received>,
    ) -> Screen {
        let code = child.wait().unwrap().exit_code();
        let elapsed = start.elapsed();
        let (bytes, first) = reading.join().unwrap();
        let mut screen = vt100::Parser::new(self.rows, self.columns, 0);
        screen.process(&bytes);
        let lines = screen
            .screen()
            .rows(0, self.columns)
            .map(|line| line.trim_end().to_owned());
        Screen {
            code,
            elapsed,
            lines: lines.filter(|line| !line.is_empty()).collect(),
            bytes: String::from_utf8(bytes).unwrap(),
            first,
        }
    }
}

#[test]
fn rows_are_an_aligned_table_and_a_verdict() {
    let screen = on_terminal(&Folder::new(), 120, &["--sandbox", "followers", "followers_3"]);
    assert_eq!(screen.code, 0);
    let [header, rows @ .., verdict] = &screen.lines[..] else {
        panic!("{}", screen.all())
    };
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        ["name", "channel", "created", "followed", "delta", "followers"]
    );
    assert_eq!(rows.len(), 3);
    for name in ["channel", "created", "followed"] {
        let at = header.find(name).unwrap();
        for row in rows {
            assert!(row[..at].ends_with("  ") && !row[at..].starts_with(' '), "{}", screen.all());
        }
    }
    assert!(rows[0].contains(" ago ") && rows[0].contains("followers_3"), "{}", screen.all());
    assert!(verdict.starts_with("followers: 3 of 3 rows, 0 repeated, complete, "), "{verdict}");
}

#[test]
fn a_narrow_terminal_cuts_texts_and_no_number() {
    let wide = on_terminal(&Folder::new(), 200, &["--sandbox", "followers", "-l", "50", "burkeblack"]);
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
    assert!(narrow.lines[..51].iter().any(|line| line.contains('…')), "{}", narrow.all());
    // No line is wrapped: each row is one line.
    for line in &narrow.lines[1..51] {
        assert!(line.ends_with(" ago") || line.ends_with("just now"), "{}", narrow.all());
    }
}

#[test]
fn colour_is_for_terminals_and_can_be_refused() {
    let coloured = |folder: Folder, options: &[&str]| {
        on_terminal(&folder, 120, &[&["--sandbox", "followers", "followers_3"], options].concat())
            .bytes
            .contains("\x1b[1;4m")
    };
    assert!(coloured(Folder::new(), &[]));
    assert!(!coloured(Folder::new().variable("NO_COLOR", "1"), &[]));
    assert!(coloured(Folder::new().variable("NO_COLOR", ""), &[]));
    assert!(!coloured(Folder::new(), &["--color", "never"]));
    assert!(coloured(Folder::new().variable("NO_COLOR", "1"), &["--color", "always"]));
    let pipe = Folder::new().itch(&["--sandbox", "followers", "-f", "table", "followers_3"]);
    assert!(!pipe.stdout.contains('\x1b'));
    let error = on_terminal(&Folder::new(), 120, &["--sandbox", "followers", "no_such_channel"]);
    assert_eq!(error.code, 5);
    assert!(error.bytes.contains("\x1b[1;31merror:\x1b[0m there is no channel"), "{}", error.bytes);
    let plain =
        on_terminal(&Folder::new().variable("NO_COLOR", "1"), 120, &["--sandbox", "followers", "no_such_channel"]);
    assert!(!plain.bytes.contains("\x1b[1;31m"), "{}", plain.bytes);
}

/// Untrusted text is printed in every script and cannot control the terminal.
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
    // On a pipe, the text is unchanged.
    let pipe = Folder::new().itch(&chat);
    assert!(pipe.succeeds().stdout.contains('\x1b'));
    for format in ["table", "tsv", "csv", "jsonl"] {
        let screen = on_terminal(&Folder::new(), 120, &[&chat[..], &["-f", format, "--progress", "never"]].concat());
        assert_eq!(screen.code, 0);
        assert!(screen.bytes.lines().count() > 3_000);
        let harmful = screen
            .bytes
            .chars()
            .find(|c| c.is_control() && !['\r', '\n', '\t'].contains(c));
        assert_eq!(harmful, None, "{format}");
    }
    let typed = on_terminal(&Folder::new(), 120, &["--sandbox", "--color", "never", "followers", "\x1b]0;title\x07"]);
    assert_eq!(typed.code, 2);
    assert!(!typed.bytes.contains('\x1b') && typed.bytes.contains("is not a channel name"), "{:?}", typed.bytes);
}

#[test]
fn short_work_shows_no_progress() {
    let screen =
        on_terminal(&Folder::new(), 120, &["--sandbox", "--color", "never", "followers", "-l", "100", "burkeblack"]);
    if screen.elapsed > Duration::from_millis(500) {
        return; // On a busy machine the run was slow enough for a progress line.
    }
    assert!(!screen.bytes.contains("rows/s") && !screen.bytes.contains('\x1b'), "{:?}", screen.bytes);
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
    assert!(what.contains("followers: 0 of ") || what.contains("followers: 0 rows"), "{what:?}");
    for part in [" of 700 rows, ", " rows/s, ", " s left, ", " requests"] {
        assert!(screen.bytes.contains(part), "{part}: {:?}", screen.bytes);
    }
    // At the end only the verdict is left.
    assert_eq!(screen.lines.len(), 1, "{}", screen.all());
    assert!(screen.lines[0].starts_with("followers: 700 rows (limit reached), "), "{}", screen.all());
}

#[test]
fn progress_stands_below_the_rows() {
    let sandbox = Sandbox::start(&["--latency", "200ms"]);
    let screen = on_terminal(
        &Folder::new().at(&sandbox),
        120,
        &["followers", "-l", "150", "--columns", "name,id", "burkeblack"],
    );
    assert!(screen.bytes.contains(" requests"), "{:?}", screen.bytes);
    assert_eq!(screen.lines.len(), 152, "{}", screen.all());
    assert!(screen.lines.iter().all(|line| !line.contains("rows/s")), "{}", screen.all());
}

#[test]
fn progress_can_be_refused() {
    let sandbox = Sandbox::start(&["--latency", "300ms"]);
    let folder = Folder::new().at(&sandbox);
    for options in [&["-q"][..], &["--progress", "never"]] {
        let screen = on_terminal(&folder, 120, &[&["--color", "never", "followers", "followers_3"], options].concat());
        assert!(!screen.bytes.contains("followers: 0 ") && !screen.bytes.contains('\x1b'), "{:?}", screen.bytes);
        let verdict = screen.lines.last().unwrap().starts_with("followers: 3 of 3 rows");
        assert_eq!(verdict, !options.contains(&"-q"), "{}", screen.all());
    }
}

#[test]
fn waiting_for_the_rate_limit_is_said() {
    let sandbox = Sandbox::start(&["--rate-limit", "60"]);
    let folder = Folder::new().at(&sandbox);
    let screen = on_terminal(&folder, 140, &["followers", "-l", "3100", "-o", "rows.tsv", "burkeblack"]);
    assert_eq!(screen.code, 0, "{}", screen.all());
    assert!(screen.bytes.contains("for the rate limit"), "{:?}", screen.bytes);
}

#[test]
fn an_empty_list_is_told_by_the_verdict_alone() {
    let screen = on_terminal(&Folder::new(), 120, &["--sandbox", "followers", "followers_0"]);
    assert_eq!(screen.lines.len(), 1, "{}", screen.all());
    assert!(screen.lines[0].starts_with("followers: 0 of 0 rows, "), "{}", screen.all());
}

#[test]
fn the_list_of_units_is_a_table_with_a_header() {
    let screen = on_terminal(&Folder::new(), 160, &["plugins", "list"]);
    let units = crate::plugins::units();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let head = ["NAME", "KIND", "PLUGIN", "VERSION", "ABI", "STATUS", "FROM", "SUMMARY"];
    assert_eq!(words(&screen.lines[0]), head);
    assert_eq!(screen.lines.len(), 1 + units.len());
    for (line, unit) in screen.lines[1..].iter().zip(&units) {
        assert_eq!(words(line)[..2], [unit["name"].as_str().unwrap(), unit["kind"].as_str().unwrap()]);
    }
}
