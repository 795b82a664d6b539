//! Every command of every page is run.
//!
//! A section is one session: its blocks run one after the other in one shell, in an empty folder with an empty home.
//!
//! - ```` ```sh ````: commands, each of which must end with exit code 0; a line that ends with `\` continues
//! - ```` ```console ````: commands after `$ ` and their output; `...` matches any text in a line, and alone in a
//!   line any lines
//! - ```` ```python ````: a program; it can use the packages of the page's `pip install`
//!
//! A comment above a block changes how it is run: with `<!-- account -->` the simulated Twitch replaces the real one; a
//! block with `<!-- not run: … -->` is not run, for one of the reasons below.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use itch_tests::servers::Server;
use itch_tests::{Folder, Sandbox, binary, root, target};

use crate::pages::{Block, PAGES, blocks, read};
use crate::pages_written::blessing;

/// Matches any text in a line, and alone in a line any lines.
const ANYTHING: &str = "...";
/// A session prints this and the exit code after each command.
const MARK: char = '\u{1e}';
/// The examples of a unit's description, which `meta` runs.
pub(crate) const OF_DESCRIPTIONS: &str = "another test runs the examples of descriptions";
/// The allowed reasons for not running a command.
const REASONS: &[&str] = &[
    OF_DESCRIPTIONS,
    "installs",
    "compiles everything",
    "the tests themselves",
    "signs in",
    "serves until it is interrupted",
];

/// One command, and its output, if the page shows it.
#[derive(Debug)]
struct Step {
    command: String,
    prints: Option<Vec<String>>,
    account: bool,
}

/// The steps of a block.
fn steps(page: &str, block: &Block, python: Option<&Path>) -> Vec<Step> {
    let account = block.marker.as_deref() == Some("account");
    let step = |command: String, prints| Step {
        command,
        prints,
        account,
    };
    let mut steps = Vec::new();
    match block.language.as_str() {
        "sh" => {
            let mut command = String::new();
            for line in &block.lines {
                command.push_str(line);
                if line.ends_with('\\') {
                    command.push('\n');
                } else if !line.is_empty() && !line.starts_with('#') {
                    steps.push(step(std::mem::take(&mut command), None));
                } else {
                    command.clear();
                }
            }
        }
        "console" => {
            for line in &block.lines {
                match line.strip_prefix("$ ") {
                    Some(command) => steps.push(step(command.to_owned(), Some(Vec::new()))),
                    None => {
                        let last: Option<&mut Step> = steps.last_mut();
                        let prints = last.and_then(|step| step.prints.as_mut());
                        prints
                            .unwrap_or_else(|| panic!("{page}: `{line}` belongs to no command"))
                            .push(line.to_owned());
                    }
                }
            }
        }
        "python" => {
            if let Some(python) = python {
                let program = block.lines.join("\n");
                steps.push(step(format!("{} - <<'END'\n{program}\nEND", python.display()), None));
            }
        }
        language => assert!(
            ["", "c", "rust", "text", "toml"].contains(&language),
            "{page}: is a block of language `{language}` to be run?"
        ),
    }
    steps
}

/// A shell with `itch` in its search path, in an empty folder with an empty home.
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
        // The pages show the data of this day.
        .env("ITCH_SANDBOX_DAY", itch_sandbox::Day::default().to_string())
        // The dependencies of a plugin are compiled once, not at each run of this test.
        .env("CARGO_BUILD_BUILD_DIR", target().join("plugin-docs"))
        .current_dir(folder.path("work"));
    shell
}

/// Runs steps one after the other in one shell, and returns the output and the exit code of each.
fn run(folder: &Folder, steps: &[Step]) -> Vec<(String, String)> {
    let says = |word: &str| steps.iter().any(|step| step.command.contains(word));
    let redis = says("redis").then(|| Server::redis(&[]));
    let memcached = says("memcache").then(|| Server::memcached(&[]));
    let sandbox = steps.iter().any(|step| step.account).then(|| Sandbox::start(&[]));
    let account = sandbox.as_ref().map(Sandbox::variables).into_iter().flatten();
    let account: Vec<String> = account.map(|(name, value)| format!("{name}='{value}'")).collect();
    let mut script = String::from("exec 2>&1\n");
    for step in steps {
        let command = match step.account {
            // In a subshell, so that the variables apply only to it.
            true => format!("( export {}\n{}\n)", account.join(" "), step.command),
            false => step.command.clone(),
        };
        script.push_str(&format!("{command}\nprintf '\\036%s\\036' $?\n"));
        if command.starts_with("itch plugins new") {
            // The versions that the repository was tested with, not the newest ones.
            let lock = root().join("Cargo.lock");
            script.push_str(&format!("if test -f hello/Cargo.toml; then cp '{}' hello/; fi\n", lock.display()));
        }
    }
    std::fs::create_dir_all(folder.path("work")).unwrap();
    let mut shell = shell(folder);
    if let Some(server) = &redis {
        shell.env("REDIS_PORT", server.port().to_string());
    }
    if let Some(server) = &memcached {
        shell.env("MEMCACHE_SERVERS", server.address());
    }
    let output = shell.arg("-c").arg(script).output().unwrap();
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

/// Whether a line matches the page.
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

/// Whether lines match the page.
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

/// The reason why a block is not run.
fn not_run(block: &Block) -> Option<&str> {
    block.marker.as_deref()?.strip_prefix("not run: ")
}

/// Runs one section of a page, and returns its folder.
fn run_section(page: &str, blocks: &[&Block], python: Option<&Path>) -> Folder {
    let folder = Folder::new();
    let of_block = |block: &&&Block| not_run(block).is_none();
    let steps: Vec<Step> = blocks
        .iter()
        .filter(of_block)
        .flat_map(|block| steps(page, block, python))
        .collect();
    let ran = run(&folder, &steps);
    assert_eq!(ran.len(), steps.len(), "{page}: {ran:?}");
    for (step, (printed, code)) in steps.iter().zip(&ran) {
        assert_eq!(code, "0", "{page}: `{}` printed: {printed}", step.command);
        // A cache that cannot be used is a warning and does not change the exit code.
        assert!(!printed.contains("warning: "), "{page}: `{}` printed: {printed}", step.command);
        if let Some(expected) = &step.prints {
            let lines: Vec<&str> = printed.lines().collect();
            assert!(
                fits(expected, &lines),
                "{page}: `{}` should print\n{}\nand prints\n{printed}",
                step.command,
                expected.join("\n")
            );
        }
    }
    folder
}

/// Runs all sections of a page, and calls a function with the folder of each.
fn run_page(page: &str, mut look: impl FnMut(&str, &Folder)) {
    if blessing() {
        return; // Another test is writing it.
    }
    let blocks = blocks(&read(page));
    let python = python(page, &blocks);
    let mut sections: Vec<&str> = blocks.iter().map(|block| block.section.as_str()).collect();
    sections.dedup();
    for section in sections {
        let of_section: Vec<&Block> = blocks.iter().filter(|block| block.section == section).collect();
        look(section, &run_section(page, &of_section, python.as_deref()));
    }
}

/// A Python with the packages that the page installs, if it has Python programs. It is below the target folder, so that
/// the packages are downloaded once.
fn python(page: &str, blocks: &[Block]) -> Option<PathBuf> {
    blocks.iter().find(|block| block.language == "python")?;
    let lines = blocks.iter().flat_map(|block| &block.lines);
    let packages = lines.filter_map(|line| line.strip_prefix("pip install ")).next();
    let packages: Vec<&str> = packages.unwrap_or_default().split_whitespace().collect();
    let folder = target().join("pages-python");
    let (python, stamp) = (folder.join("bin/python"), folder.join("packages"));
    let wanted = packages.join(" ");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Some(python);
    }
    let run = |program: &Path, arguments: &[&str]| {
        let ran = Command::new(program).args(arguments).output();
        let ran = ran.unwrap_or_else(|error| panic!("{}: {error}; install it (tests/run does)", program.display()));
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let (made, why) = run(Path::new("python3"), &["-m", "venv", folder.to_str().unwrap()]);
    assert!(made, "python3 -m venv: {why}");
    let (installed, why) = run(&python, &[&["-m", "pip", "install", "--quiet"], &packages[..]].concat());
    if installed {
        std::fs::write(stamp, wanted).unwrap();
        return Some(python);
    }
    assert!(!is_reachable("pypi.org:443"), "pip install {wanted}: {why}");
    // Bypasses the capture of the test harness, so that skipped programs are always reported.
    let said = format!("\n*** not run: the Python programs of {page}, since pypi.org cannot be reached ***\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

fn is_reachable(host: &str) -> bool {
    let mut addresses = host.to_socket_addrs().into_iter().flatten();
    addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_ok())
}

/// One test for each page.
macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        $(#[test]
        fn $name() {
            run_page($page, |_, _| ());
        })*

        #[test]
        fn every_page_is_run() {
            let run: BTreeSet<&str> = [$($page,)* PLUGINS].into();
            assert_eq!(run, PAGES.iter().copied().collect());
        }
    };
}

const PLUGINS: &str = "docs/plugins.md";

pages! {
    readme: "README.md",
    contributing: "CONTRIBUTING.md",
    security: "SECURITY.md",
    account: "docs/account.md",
    api_command: "docs/api-command.md",
    architecture: "docs/architecture.md",
    caches: "docs/caches.md",
    completeness: "docs/completeness.md",
    library: "docs/library.md",
    plotting: "docs/plotting.md",
    recipes: "docs/recipes.md",
    reference: "docs/reference.md",
    reports: "docs/reports.md",
}

fn lines(path: PathBuf) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

/// The plugins that the page creates are as small as it says.
#[test]
fn plugins() {
    let mut made = Vec::new();
    run_page(PLUGINS, |section, folder| match section {
        "In C, from nothing" => {
            assert!(lines(folder.path("work/hello/plugin.c")) < 60);
            let header = std::fs::read(folder.path("work/hello/itch_plugin.h")).unwrap();
            let own = std::fs::read(root().join("itch/plugin/include/itch_plugin.h")).unwrap();
            assert!(header == own, "the plugin carries another header");
            made.push("c");
        }
        "In Rust, from nothing" => {
            assert!(lines(folder.path("work/hello/src/lib.rs")) < 40);
            made.push("rust");
        }
        _ => (),
    });
    assert!(blessing() || made == ["c", "rust"], "{made:?}");
}

/// A block that is not run has an allowed reason, and its itch commands are valid command lines.
#[test]
fn what_is_not_run_has_a_reason() {
    for page in PAGES {
        for block in blocks(&read(page)) {
            let Some(reason) = not_run(&block) else { continue };
            assert!(REASONS.contains(&reason), "{page}: `{reason}` is no reason");
            for step in steps(page, &block, None) {
                let command = step.command.split(['|', '>', '<', '&']).next().unwrap_or_default();
                if command.starts_with("itch ") {
                    Folder::new().line(&format!("{} --help", command.trim())).exits(0);
                }
            }
        }
    }
}

/// The commands that new users read first need only the program.
#[test]
fn the_readme_needs_no_account() {
    for block in blocks(&read("README.md")) {
        assert_ne!(block.marker.as_deref(), Some("account"), "{block:?}");
        let asks = ["signs in", "installs", "compiles everything"];
        assert!(not_run(&block).is_none_or(|reason| asks.contains(&reason)), "{block:?}");
    }
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

#[test]
fn commands_are_found_in_blocks() {
    let found = |text: &str| {
        let block = &blocks(text)[0];
        steps("a page", block, None)
            .into_iter()
            .map(|step| step.command)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("```sh\n# why\none \\\n  two\n\nthree  # so\n```\n"), ["one \\\n  two", "three  # so"]);
    assert_eq!(found("```console\n$ one\nprinted\n$ two\n```\n"), ["one", "two"]);
    assert_eq!(found("```toml\n[a]\n```\n").len(), 0);
}
