//! `docs/plugins.md`: every command in it is run, from nothing, and prints what the page says.

use std::path::{Path, PathBuf};
use std::process::Command;

use itch_tests::{Folder, binary, root, target};

/// Stands for any text in a line, and alone in a line for any lines.
const ANYTHING: &str = "...";
/// What a session prints behind each command: this and the exit code.
const MARK: char = '\u{1e}';

fn page() -> String {
    std::fs::read_to_string(root().join("docs/plugins.md")).unwrap()
}

/// The commands of a section's sessions, and the lines that each prints.
fn session(heading: &str) -> Vec<(String, Vec<String>)> {
    let page = page();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match (inside, line.strip_prefix("$ "), commands.last_mut()) {
            (false, ..) => inside = line == "```console",
            (true, ..) if line == "```" => inside = false,
            (true, Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (true, None, Some((_, lines))) => lines.push(line.to_owned()),
            (true, None, None) => panic!("{heading}: `{line}` belongs to no command"),
        }
    }
    assert!(commands.len() > 5, "{heading}: {commands:?}");
    commands
}

/// A shell in which `itch` is a command, in an empty folder and an empty home.
fn shell(folder: &Folder) -> Command {
    let bin = folder.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(folder.path("home")).unwrap();
    std::os::unix::fs::symlink(binary(), bin.join("itch")).unwrap();
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_default());
    let outer = std::env::var_os("PATH").unwrap_or_default();
    let path = [bin, cargo.parent().map(PathBuf::from).unwrap_or_default()]
        .into_iter()
        .chain(std::env::split_paths(&outer));
    let home = std::env::var_os("HOME").unwrap_or_default();
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| Path::new(&home).join(".cargo"), PathBuf::from);
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", folder.path("home"))
        .env("CARGO_HOME", cargo_home)
        // What the kit stands on is compiled once, not at each run of this test.
        .env("CARGO_BUILD_BUILD_DIR", target().join("plugin-docs"))
        .current_dir(folder.path("."));
    shell
}

/// Runs commands one after the other in one shell, and gives what each printed and its exit code.
fn run(folder: &Folder, commands: &[(String, Vec<String>)]) -> Vec<(String, String)> {
    let mut script = String::from("exec 2>&1\n");
    for (command, _) in commands {
        script.push_str(&format!("{command}\nprintf '\\036%s\\036' $?\n"));
        if command.starts_with("itch plugins new") {
            // The versions that the repository was tested with, not those of today.
            let lock = root().join("Cargo.lock");
            script.push_str(&format!("if test -f hello/Cargo.toml; then cp '{}' hello/; fi\n", lock.display()));
        }
    }
    let output = shell(folder).arg("-c").arg(script).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let home = folder.path("home").canonicalize().unwrap();
    let printed = printed.replace(home.to_str().unwrap(), "~");
    let mut parts = printed.split(MARK).map(str::to_owned);
    let mut ran = Vec::new();
    while let (Some(printed), Some(code)) = (parts.next(), parts.next()) {
        ran.push((printed, code));
    }
    ran
}

/// Whether a line is as the page says.
fn line_fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split(ANYTHING);
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines are as the page says.
fn fits(expected: &[String], lines: &[&str]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((any, expected)), _) if any == ANYTHING => {
            (0..=lines.len()).any(|skipped| fits(expected, &lines[skipped..]))
        }
        (Some((first, expected)), Some((line, lines))) => line_fits(first, line) && fits(expected, lines),
        _ => false,
    }
}

fn the_page_is_right(heading: &str) -> Folder {
    let folder = Folder::new();
    let commands = session(heading);
    let ran = run(&folder, &commands);
    assert_eq!(ran.len(), commands.len(), "{ran:?}");
    for ((command, expected), (printed, code)) in commands.iter().zip(&ran) {
        assert_eq!(code, "0", "`{command}` printed: {printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert!(fits(expected, &lines), "`{command}` should print\n{}\nand prints\n{printed}", expected.join("\n"));
    }
    folder
}

fn lines(path: PathBuf) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_plugin_in_c_is_made_from_nothing() {
    let folder = the_page_is_right("In C, from nothing");
    assert!(lines(folder.path("hello/plugin.c")) < 60);
    let header = std::fs::read(folder.path("hello/itch_plugin.h")).unwrap();
    let own = std::fs::read(root().join("itch/plugin/include/itch_plugin.h")).unwrap();
    assert!(header == own, "the plugin carries another header");
}

#[test]
fn a_plugin_in_rust_is_made_from_nothing() {
    let folder = the_page_is_right("In Rust, from nothing");
    assert!(lines(folder.path("hello/src/lib.rs")) < 40);
}

/// The page's first lines say what there is.
#[test]
fn every_command_of_the_overview_exists() {
    let page = page();
    let named = page.lines().filter_map(|line| line.strip_prefix("    itch "));
    let mut found = 0;
    for line in named {
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        let [command, sub] = words[..] else { panic!("{line}") };
        Folder::new().itch(&[command, sub, "--help"]).succeeds();
        found += 1;
    }
    assert!(found > 5, "{found}");
}

#[test]
fn a_line_may_leave_something_open() {
    assert!(line_fits("a ... b ... c", "a 1 b 2 c"));
    assert!(line_fits("sha256:...", "sha256:12"));
    assert!(line_fits("exact", "exact"));
    for line in ["a 1 b 2", "exact!", "x exact", ""] {
        assert!(!line_fits("a ... b ... c", line) && !line_fits("exact", line), "{line}");
    }
    let expected = ["...", "ok"].map(str::to_owned);
    assert!(fits(&expected, &["cc", "ok"]) && fits(&expected, &["ok"]));
    assert!(!fits(&expected, &["ok", "more"]) && !fits(&expected, &[]));
}
