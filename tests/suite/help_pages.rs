//! `itch help`, `itch completions` and `itch man`, and the nearest name where one is unknown.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use itch_tests::{Folder, binary, opened_during, units_of};
use serde_json::Value;

use crate::plugins::units;
use crate::plugins_found::with;

const TOPICS: [&str; 5] = ["exit-codes", "environment", "formats", "caches", "plugin-files"];
/// How long the shell may wait for an answer to the Tab key.
const MOST: Duration = Duration::from_millis(20);

fn name(unit: &Value) -> &str {
    unit["name"].as_str().unwrap()
}

fn names(kind: &str) -> Vec<String> {
    let units = units().into_iter().filter(|unit| unit["kind"] == kind);
    units.map(|unit| name(&unit).to_owned()).collect()
}

#[test]
fn help_of_a_command_is_the_help_that_the_command_prints() {
    let folder = Folder::new();
    for words in [
        "",
        "followers",
        "num_followers",
        "plot",
        "plugins",
        "plugins check",
        "cache prune",
        "help",
        "man",
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        let help = folder.itch(&[&["help"], &words[..]].concat());
        let expected = folder.itch(&[&words[..], &["--help"]].concat());
        help.prints(&expected.succeeds().stdout);
    }
    folder.itch(&["help", "-h"]).exits(0);
    folder
        .itch(&["-l", "1", "help", "followers"])
        .exits(2)
        .says("`--limit` is an option of reports");
}

#[test]
fn help_of_a_plugins_report_is_found() {
    let folder = with(&["hello"]);
    let help = folder.itch(&["help", "hello"]);
    help.prints(&folder.itch(&["hello", "--help"]).succeeds().stdout);
    folder
        .itch(&["help", "hello", "--no-plugins"])
        .exits(2)
        .says("there is no command, report or help topic `hello`");
}

#[test]
fn topics_are_made_of_what_the_program_knows() {
    let folder = Folder::new();
    let page = |topic: &str| folder.itch(&["help", topic]).succeeds().stdout.clone();
    for topic in TOPICS {
        let page = page(topic);
        assert!(page.lines().all(|line| line.chars().count() <= 130), "{topic}:\n{page}");
        assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{topic}:\n{page}");
        assert!(!names("report").iter().any(|report| report == topic), "{topic} is a report");
    }
    let help = folder.itch(&["--help"]).succeeds().stdout.clone();
    let section = |title: &str| {
        help.split(&format!("\n{title}:\n"))
            .nth(1)
            .unwrap()
            .split("\n\n")
            .next()
            .unwrap()
    };
    for line in section("Exit codes").lines() {
        let code = line.split_whitespace().next().unwrap();
        let listed = page("exit-codes");
        assert!(listed.lines().any(|line| line.split_whitespace().next() == Some(code)), "{code}:\n{listed}");
    }
    let environment = page("environment");
    for variable in [
        "TWITCH_TOKEN",
        "ITCH_PLUGIN_PATH",
        "ITCH_COMPLETE",
        "NO_COLOR",
        "TWITCH_CACHE_TEMP",
    ] {
        assert!(environment.contains(variable), "{variable}:\n{environment}");
    }
    let formats = page("formats");
    for format in ["tsv", "csv", "jsonl", "table", "parquet"]
        .map(str::to_owned)
        .into_iter()
        .chain(names("renderer"))
    {
        assert!(formats.contains(&format), "{format}:\n{formats}");
    }
    let caches = page("caches");
    for cache in names("cache")
        .into_iter()
        .chain(["--max-age".to_owned(), "config.toml".to_owned()])
    {
        assert!(caches.contains(&cache), "{cache}:\n{caches}");
    }
    assert!(page("plugin-files").contains("ITCH_PLUGIN_PATH"));
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let folder = Folder::new();
    for (line, said) in [
        ("help exit-code", "did you mean `itch help exit-codes`?"),
        ("help followrs", "did you mean `itch help followers`?"),
        ("help plgins", "did you mean `itch help plugins`?"),
        ("help nonsense!", "the topics are exit-codes, environment, formats, caches, plugin-files"),
        ("help plugins lst", "a similar subcommand exists: 'list'"),
        ("exit-codes", "hint: itch help exit-codes"),
        ("followres x", "a similar subcommand exists: 'followers'"),
        ("--sandbox followers --columns creatd x", "did you mean `created`?"),
        ("--sandbox followers -c fiel x", "did you mean `file`?"),
        ("cache stats -c fiel", "did you mean `file`?"),
        ("--sandbox followers -f jsnl x", "did you mean `jsonl`?"),
        ("plot --renderer pgn a b", "did you mean `png`?"),
        ("plot --colormap plsma a b.png", "did you mean `plasma`?"),
        ("plot --input-format parqet a b.png", "did you mean `parquet`?"),
        ("plot --theme drk a b.png", "a similar value exists: 'dark'"),
        ("completions bsh", "a similar value exists: 'bash'"),
        ("plugins info folowers", "did you mean `followers`?"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = folder.itch(&words);
        ran.exits(2).says(said);
        assert_eq!(ran.stdout, "", "itch {line}");
    }
}

/// What a real bash offers for each of these command lines, whose last word is being typed.
fn offered(folder: &Folder, lines: &[&[&str]]) -> Vec<BTreeSet<String>> {
    let mut script = "source <(itch completions bash)\n\
         function=$(complete -p itch | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
         offer() {\n\
           COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMP_TYPE=9 COMPREPLY=()\n\
           $function itch \"${COMP_WORDS[COMP_CWORD]}\"\n\
           printf '%s ' \"${COMPREPLY[@]}\"\n\
           echo\n\
         }\n"
    .to_owned();
    for words in lines {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        script.push_str(&format!("offer itch {}\n", quoted.join(" ")));
    }
    let directory = binary().parent().unwrap().display();
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .envs(folder.variables())
        .env("PATH", format!("{directory}:{}", std::env::var("PATH").unwrap()))
        .current_dir(folder.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let offers = printed
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect());
    offers.collect()
}

fn set<T: Into<String>>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

#[test]
fn a_bash_completes_commands_and_values() {
    let folder = Folder::new();
    let lines: &[&[&str]] = &[
        &["foll"],
        &["followers", "--columns", ""],
        &["followers", "--columns", "name,fol"],
        &["followers", "--columns=cr"],
        &["streams", "-c", ""],
        &["followers", "-f", ""],
        &["plot", "--renderer", "p"],
        &["plot", "--colormap", "p"],
        &["followers", "--sinc"],
        &["help", "exit"],
        &["help", "foll"],
        &["completions", "b"],
        &["plugins", "inf"],
        &["plugins", "info", "num-followe"],
        &["cache", "stats", "--cache", "f"],
        &["--limit", "5", "chatt"],
    ];
    let spec = units().into_iter().find(|unit| name(unit) == "followers").unwrap();
    let columns = spec["spec"]["columns"].as_array().unwrap();
    let expected = [
        set(["followers", "following"]),
        set(columns.iter().map(name)),
        set(["name,followed", "name,followers"]),
        set(["--columns=created"]),
        set(names("cache").into_iter().chain(["none".to_owned()])),
        set(["tsv", "csv", "jsonl", "table"]),
        set(["pdf", "png"]),
        set(["plasma"]),
        set(["--since"]),
        set(["exit-codes"]),
        set(["followers", "following"]),
        set(["bash"]),
        set(["info"]),
        set(["num-followers"]),
        set(["file"]),
        set(["chatters"]),
    ];
    for ((words, offered), expected) in lines.iter().zip(offered(&folder, lines)).zip(expected) {
        assert_eq!(offered, expected, "{words:?}");
    }
}

#[test]
fn completions_know_a_plugin_from_the_index_and_do_not_open_it() {
    let folder = with(&["hello"]);
    let lines: &[&[&str]] = &[&["hell"], &["hello", "--greet"], &["hello", "--columns", ""]];
    let own = folder.path("data/itch/plugins");
    let mut offers = Vec::new();
    assert_eq!(opened_during(&own, || offers = offered(&folder, lines)), Vec::<String>::new());
    assert!(offers[0].is_empty(), "nothing is known of it yet: {offers:?}");
    assert_eq!(units_of(&folder).iter().filter(|unit| name(unit) == "hello").count(), 1);
    assert_eq!(opened_during(&own, || offers = offered(&folder, lines)), Vec::<String>::new());
    assert_eq!(offers[0], set(["hello"]));
    assert_eq!(offers[1], set(["--greeting"]));
    assert!(!offers[2].is_empty());
}

#[test]
fn every_shell_has_a_script_and_an_answer_is_quick() {
    let folder = with(&["hello"]);
    folder.itch(&["plugins", "list"]).exits(0);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = folder.itch(&["completions", shell]);
        assert!(script.succeeds().stdout.contains("ITCH_COMPLETE"), "{shell}");
    }
    folder.itch(&["completions"]).exits(2).says("<SHELL>");
    let best = (0..20).map(|_| {
        let mut command = folder.command(&["--", "itch", "followers", "--columns", ""]);
        command.env("ITCH_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "3");
        let start = Instant::now();
        let output = command.output().unwrap();
        let elapsed = start.elapsed();
        assert!(String::from_utf8_lossy(&output.stdout).contains("display_name"));
        elapsed
    });
    let best = best.min().unwrap();
    assert!(best <= MOST, "the quickest of 20 answers took {best:?}");
}

#[test]
fn manual_pages_are_written_for_every_command_and_report() {
    let folder = with(&["hello"]);
    folder
        .itch(&["man", "--dir", "deep/man"])
        .exits(0)
        .says("wrote the manual pages to deep/man");
    let pages = std::fs::read_dir(folder.path("deep/man")).unwrap();
    let pages: BTreeSet<String> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    let own = [
        "cache",
        "completions",
        "help",
        "man",
        "plot",
        "plugins",
        "sandbox",
        "plugins-check",
        "cache-stats",
    ];
    let commands = own
        .map(str::to_owned)
        .into_iter()
        .chain(names("report"))
        .chain(["hello".to_owned()]);
    assert!(pages.contains("itch.1"));
    for command in commands {
        assert!(pages.contains(&format!("itch-{command}.1")), "{command}: {pages:?}");
    }
    let page = folder.read("deep/man/itch-followers.1");
    for part in [
        ".TH itch-followers 1",
        "SYNOPSIS",
        "\\-\\-since",
        "display_name",
        "Also use the plugin in this file",
        "moderator:read:followers",
    ] {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    let root = folder.read("deep/man/itch.1");
    for part in ["itch\\-followers(1)", "TWITCH_TOKEN", "130  interrupted"] {
        assert!(root.contains(part), "{part}:\n{root}");
    }
    folder.write("file", "");
    folder
        .itch(&["man", "--dir", "file/man"])
        .exits(1)
        .says("could not write the manual pages to `file/man`");
    folder.itch(&["man"]).exits(2).says("--dir <DIRECTORY>");
}
