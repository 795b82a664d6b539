//! Tests of the repository itself: file names, descriptions, examples, documents, dependencies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use itch_plugin::Registry;
use itch_tests::{Folder, root};
use serde_json::Value;

use crate::pages_written::blessing;
use crate::plugins::units;

/// The start of the comment that every file begins with.
const OPENING: &str = "//! ";
/// A longer file is about more than one thing.
const MOST_LINES: usize = 600;

/// Every file of the repository with this extension.
pub(crate) fn files(extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), extension, &mut found);
    found
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The crates of the workspace.
fn members() -> Vec<String> {
    let workspace = read("Cargo.toml");
    let members = workspace
        .split("members = [")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    let members = members.split(',').map(|member| member.trim().trim_matches('"'));
    members.filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

/// The crates of built-in units, and the kinds of their units.
fn unit_crates() -> Vec<(String, &'static str)> {
    let kind = |name: &str| match name {
        "reports" => "report",
        "caches" => "cache",
        "plot" => "renderer",
        _ => panic!("of which kind are the units in plugins/{name}?"),
    };
    let crates = members()
        .into_iter()
        .filter_map(|member| Some(member.strip_prefix("plugins/")?.to_owned()))
        // The crate of the same units as a shared library.
        .filter(|name| !name.ends_with("/shared"));
    crates.map(|name| (name.clone(), kind(&name))).collect()
}

/// The units of those crates by the names of their files, and their kinds.
fn units_by_file() -> BTreeSet<(String, String)> {
    let mut units = BTreeSet::new();
    for (name, kind) in unit_crates() {
        for entry in std::fs::read_dir(root().join("plugins").join(&name).join("src")).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && stem != "lib" {
                units.insert((stem, kind.to_owned()));
            }
        }
    }
    units
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every file of a unit crate is registered, both in this test and in the program: a crate that is only a dependency
/// registers nothing.
#[test]
fn units_are_registered_under_the_names_of_their_files() {
    let registry = Registry::linked_in();
    let linked = registry.units().iter();
    let linked: BTreeSet<_> = linked
        .map(|unit| (unit.spec.name().to_owned(), unit.spec.kind().to_owned()))
        .collect();
    assert_eq!(linked, units_by_file());
    let program: BTreeSet<_> = units()
        .iter()
        .map(|unit| (text(unit, "name").to_owned(), text(unit, "kind").to_owned()))
        .collect();
    assert_eq!(program, units_by_file());
    assert!(units().iter().all(|unit| unit["status"] == "ok"), "{:?}", units());
}

#[test]
fn every_report_has_a_test_file() {
    let modules = read("tests/suite/reports/mod.rs");
    for (name, _) in units_by_file().into_iter().filter(|(_, kind)| kind == "report") {
        let module = name.replace('-', "_");
        let file = format!("tests/suite/reports/{module}.rs");
        assert!(root().join(&file).is_file(), "{name} has no {file}");
        assert!(modules.contains(&format!("mod {module};")), "{file} is not compiled");
    }
}

#[test]
fn every_unit_describes_itself() {
    for unit in units() {
        let (name, spec) = (text(&unit, "name"), &unit["spec"]);
        let sentence = text(spec, "summary");
        assert!(!sentence.is_empty() && !sentence.ends_with('.') && !sentence.contains('\n'), "{name}: {sentence}");
        assert!(!text(spec, "help").is_empty(), "{name} has no help");
        for part in ["arguments", "columns", "variables", "examples"] {
            for described in list(spec, part) {
                assert!(!text(described, "help").is_empty(), "{name}: {described} has no help");
            }
        }
        if unit["kind"] == "report" {
            assert!(!list(spec, "columns").is_empty(), "{name} has no columns");
            assert!(!list(spec, "examples").is_empty(), "{name} has no example");
        }
    }
}

/// Runs every example, with `--sandbox` added.
#[test]
fn every_example_runs_and_gives_rows() {
    let folder = Folder::new();
    folder.write("channels.txt", "burkeblack\nfollowers_3\n");
    for unit in units() {
        for example in list(&unit["spec"], "examples") {
            let command = text(example, "command");
            let (line, input) = command.split_once('<').unwrap_or((command, ""));
            let words = itch_tests::words(line);
            let (program, arguments) = words.split_first().unwrap();
            assert_eq!(program, "itch", "{command}");
            let mut all = vec!["--sandbox"];
            all.extend(arguments.iter().map(String::as_str));
            let input = match input.trim() {
                "" => String::new(),
                file => folder.read(file),
            };
            let ran = folder.itch_reading(&input, &all);
            let rows = ran.exits(0).rows().len();
            let written = all.iter().any(|word| ["-o", "--output"].contains(word));
            assert!(rows > 0 || written, "{command} gives no rows");
        }
    }
}

/// Every environment variable: those of the host, from its help, and those of the units.
fn variables() -> BTreeSet<String> {
    let help = Folder::new().itch(&["--help"]).succeeds().stdout.clone();
    let section = help
        .split("\nEnvironment:\n")
        .nth(1)
        .expect("help tells the environment");
    let lines = section.lines().take_while(|line| !line.is_empty());
    let is_name = |word: &&str| {
        word.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let names = lines.filter_map(|line| line.trim_start().split_once("  ").map(|(name, _)| name).filter(is_name));
    let mut found: BTreeSet<String> = names.map(str::to_owned).collect();
    for unit in units() {
        found.extend(
            list(&unit["spec"], "variables")
                .iter()
                .map(|variable| text(variable, "name").to_owned()),
        );
    }
    found
}

#[test]
fn the_pages_know_every_variable_unit_and_scope() {
    if blessing() {
        return; // Another test is writing them.
    }
    let variables = variables();
    assert!(variables.contains("TWITCH_TOKEN") && variables.contains("TWITCH_CACHE_TEMP"));
    let reference = read("docs/reference.md");
    for name in variables {
        assert!(reference.contains(&name), "docs/reference.md says nothing of {name}");
    }
    let readme = read("README.md");
    for unit in units() {
        let (name, kind) = (text(&unit, "name"), text(&unit, "kind"));
        let page = match kind {
            "report" => &readme,
            "cache" => &read("docs/caches.md"),
            _ => &read("docs/plotting.md"),
        };
        assert!(page.contains(&format!("`{name}`")), "no page says anything of the {kind} {name}");
        for scope in list(&unit["spec"], "scopes") {
            let scope = scope.as_str().unwrap();
            assert!(readme.contains(scope), "README.md does not say that {name} needs {scope}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for_and_is_short() {
    for path in files("rs") {
        let text = read(&path);
        assert!(text.starts_with(OPENING), "{} does not open with `{OPENING}`", path.display());
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_document_leads_out_of_the_repository() {
    for extension in ["rs", "md", "toml", "h"] {
        for path in files(extension) {
            let text = read(&path);
            for (start, _) in text.match_indices("](") {
                let target = text[start + 2..].split([')', '#', ' ']).next().unwrap();
                let local = extension == "md" && !target.is_empty() && !target.contains("://");
                let exists = path.parent().unwrap().join(target).exists();
                assert!(!local || exists, "{} points to {target}", path.display());
            }
        }
    }
}

/// A crate imports only crates of lower layers.
#[test]
fn crates_import_what_stands_below_them_only() {
    let floors: &[(&str, &[&str])] = &[
        ("itch/api", &[]),
        ("itch/sandbox", &[]),
        ("itch/plugin", &["itch-api"]),
        ("itch/client", &["itch-api", "itch-plugin"]),
        ("itch/output", &["itch-api", "itch-plugin"]),
        ("itch/loader", &["itch-api", "itch-plugin"]),
        ("itch/table", &["itch-api"]),
        ("itch/chart", &["itch-api", "itch-plugin", "itch-table"]),
        ("plugins/reports", &["itch-plugin"]),
        ("plugins/reports/shared", &["itch-plugin", "itch-reports"]),
        ("plugins/caches", &["itch-plugin"]),
        ("plugins/caches/shared", &["itch-plugin", "itch-caches"]),
        ("plugins/plot", &["itch-plugin"]),
        ("plugins/plot/shared", &["itch-plugin", "itch-renderers"]),
        // A plugin needs only the contract.
        ("tests/fixtures/report", &["itch-plugin"]),
        ("tests/fixtures/cache", &["itch-plugin"]),
        ("tests/fixtures/renderer", &["itch-plugin"]),
    ];
    for member in members() {
        let manifest = read(format!("{member}/Cargo.toml"));
        let dependencies = manifest.split("\n[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap().lines();
        let ours = dependencies.filter_map(|line| {
            line.split(['.', ' ', '='])
                .next()
                .filter(|name| name.starts_with("itch-"))
        });
        match floors.iter().find(|(name, _)| *name == member) {
            Some((_, below)) => {
                for name in ours {
                    assert!(below.contains(&name), "{member} imports {name}");
                }
            }
            None => assert!(["itch/host", "tests"].contains(&member.as_str()), "{member} is on no floor"),
        }
    }
}

/// The built-in crates are listed once, each behind a feature that is on by default.
#[test]
fn the_program_links_every_crate_of_units_by_default() {
    let manifest = read("itch/host/Cargo.toml");
    let default = manifest.lines().find(|line| line.starts_with("default = ")).unwrap();
    let source = read("itch/host/src/lib.rs");
    for (name, _) in unit_crates() {
        assert!(default.contains(&format!("\"{name}\"")), "{default} lacks {name}");
        let package = read(format!("plugins/{name}/Cargo.toml"));
        let package = package.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
        let unit = package.trim_end_matches('"').replace('-', "_");
        let import = format!("#[cfg(feature = \"{name}\")]\nuse {unit} as _;");
        assert!(source.contains(&import), "the host does not link {name}");
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = read("CHANGELOG.md");
    let version = format!("\n## {}", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains("\n## Unreleased\n") || changelog.contains(&version));
}

/// The lints are configured once, for every crate.
#[test]
fn every_crate_takes_part_in_the_workspace() {
    let workspace = read("Cargo.toml");
    for lint in [
        "unsafe_code",
        "unwrap_used",
        "expect_used",
        "panic",
        "print_stdout",
        "print_stderr",
    ] {
        assert!(workspace.contains(&format!("\n{lint} = \"deny\"\n")), "{lint} is not denied");
    }
    for member in members() {
        let manifest = read(format!("{member}/Cargo.toml"));
        for part in [
            "[lints]\nworkspace = true\n",
            "license.workspace = true\n",
            "version.workspace = true\n",
        ] {
            assert!(manifest.contains(part), "{member} lacks {part}");
        }
        // So are the versions.
        let own = manifest
            .lines()
            .find(|line| line.contains("version = \"") || line.contains(" = \"1"));
        assert_eq!(own, None, "{member}");
    }
    assert!(read("LICENSE").starts_with("MIT License"));
    assert!(root().join("Cargo.lock").is_file());
}

#[test]
fn there_is_a_recipe_for_each_kind_of_change() {
    let recipes = read("CONTRIBUTING.md");
    for recipe in [
        "a report",
        "a cache backend",
        "a renderer",
        "an endpoint",
        "an option",
        "an output format",
        "a key to config.toml",
        "an environment variable",
    ] {
        assert!(recipes.contains(&format!("\n## Add {recipe}\n")), "{recipe}");
    }
}
