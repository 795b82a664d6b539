//! Signing in on a terminal: the guided registration, the wait, and a terminal that is closed meanwhile.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use itch_tests::accounts::{address_in, confirm, folder};
use itch_tests::{Folder, Sandbox, binary};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// A program on a terminal, which a test talks with.
struct Dialogue {
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    seen: String,
    writer: Box<dyn Write + Send>,
    master: Option<Box<dyn MasterPty + Send>>,
}

impl Dialogue {
    fn start(folder: &Folder, arguments: &[&str]) -> Dialogue {
        let size = PtySize {
            rows: 50,
            cols: 200,
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
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Dialogue {
            child,
            output,
            seen: String::new(),
            writer: pair.master.take_writer().unwrap(),
            master: Some(pair.master),
        }
    }

    /// Waits for a text, and returns everything up to the line that has it.
    fn waits_for(&mut self, text: &str) -> String {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.seen.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no `{text}` in:\n{}", self.seen),
            }
        }
        self.seen.clone()
    }

    fn types(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
    }

    fn ends_with(&mut self, code: u32) -> String {
        let ended = self.child.wait().unwrap().exit_code();
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert_eq!(ended, code, "{}", self.seen);
        self.seen.clone()
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start(&["--device-interval", "0s"])
}

#[test]
fn the_first_sign_in_guides_through_the_registration() {
    let sandbox = sandbox();
    let folder = folder(&sandbox).variable("TWITCH_CLIENT_ID", "");
    std::fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "# mine\n[account]\nas = \"burkeblack\" # the channel\n");
    let mut dialogue = Dialogue::start(&folder, &["login"]);
    let steps = dialogue.waits_for("Client ID: ");
    for words in [
        "dev.twitch.tv/console/apps/create",
        "http://localhost",
        "Application Integration",
        "Public",
    ] {
        assert!(steps.contains(words), "{steps}");
    }
    dialogue.types("mistyped\n");
    dialogue.waits_for("`mistyped` is not a client id");
    dialogue.types(&format!("{}\n", "0".repeat(30)));
    dialogue.waits_for("Twitch refused to begin a sign-in");
    dialogue.types(&format!("  {}\n", Sandbox::PUBLIC_CLIENT_ID));
    let said = dialogue.waits_for("left");
    confirm(&address_in(&said[said.find("open  ").unwrap()..]).unwrap(), "login=burkeblack");
    dialogue.waits_for("signed in as burkeblack");
    dialogue.ends_with(0);
    assert_eq!(
        folder.read("config/itch/config.toml"),
        format!(
            "# mine\n[account]\nas = \"burkeblack\" # the channel\nclient-id = \"{}\"\n",
            Sandbox::PUBLIC_CLIENT_ID
        )
    );
    // It is known from now on.
    let mut dialogue = Dialogue::start(&folder, &["login"]);
    let said = dialogue.waits_for("left");
    assert!(!said.contains("Client ID"), "{said}");
    dialogue.types("\x03");
    let said = dialogue.ends_with(130);
    assert!(said.contains("interrupted: nobody was signed in"), "{said}");
}

#[test]
fn a_terminal_that_is_closed_ends_the_wait() {
    let sandbox = sandbox();
    let folder = folder(&sandbox);
    let mut dialogue = Dialogue::start(&folder, &["login"]);
    dialogue.waits_for("left");
    let Dialogue {
        mut child,
        writer,
        master,
        output,
        ..
    } = dialogue;
    drop((writer, output));
    drop(master);
    let started = Instant::now();
    child.wait().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    folder.itch(&["whoami"]).exits(0).says("nobody is signed in\n");
}

#[test]
fn followers_and_logout_after_a_sign_in_on_a_terminal() {
    let sandbox = sandbox();
    let folder = folder(&sandbox);
    let mut dialogue = Dialogue::start(&folder, &["login", "--for", "followers"]);
    let said = dialogue.waits_for("left");
    confirm(&address_in(&said).unwrap(), "login=burkeblack");
    dialogue.ends_with(0);
    let mut dialogue = Dialogue::start(&folder, &["followers", "-l", "3", "burkeblack"]);
    let rows = dialogue.ends_with(0);
    assert!(rows.contains("followers: 3 rows"), "{rows}");
    let mut dialogue = Dialogue::start(&folder, &["logout"]);
    let said = dialogue.ends_with(0);
    assert!(said.contains("signed out burkeblack"), "{said}");
}
