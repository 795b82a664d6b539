//! `itch plugins check FILE`: whether a file can be loaded, what it says of itself, and whether its units work.
//!
//! Everything happens in processes of their own: a report runs its own examples against the sandbox, a cache keeps a
//! value, a renderer draws an empty chart.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use itch_api::{Error, ErrorKind};
use itch_loader::{Log, Outcome, Places, Settings, discover};
use itch_plugin::abi::{Apart, drive};
use itch_plugin::{Chart, Put, Rect, Registered, Registry, ReportSpec, Spec};

use crate::caches;
use crate::failure::usage;
use crate::plugins::discovery::Plugins;
use crate::talk::{Talk, print};

/// How long one example may run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of one step: what it found, or what is wrong.
type Step = Result<String, String>;

/// Runs it.
pub(crate) fn run(plugins: &Plugins, matches: &ArgMatches, talk: &Talk) -> anyhow::Result<u8> {
    let file: &PathBuf = matches
        .get_one("file")
        .ok_or_else(|| usage("no file is given"))?;
    let Some(found) = &plugins.found else {
        return Err(usage("no plugins take part").into());
    };
    let mut told = Told::default();
    // As if the file were the only one, and nobody had ever seen it.
    let settings = Settings {
        places: Places {
            files: vec![std::path::absolute(file)?],
            directories: Vec::new(),
        },
        index: None,
        lock: None,
        pinned: false,
        notice: Log::new(|_, _| {}),
        ..found.settings().clone()
    };
    if let Some(real) = told.step("file", look_at_file(file)) {
        look_inside(&settings, file, &real, &mut told, talk);
    }
    print(&told.text)?;
    Ok(u8::from(told.failed))
}

#[derive(Default)]
struct Told {
    text: String,
    failed: bool,
}

impl Told {
    /// Tells a step, and gives what it found if it went well.
    fn step(&mut self, what: &str, step: Step) -> Option<String> {
        let (word, detail) = match &step {
            Ok(detail) => ("ok", detail),
            Err(detail) => ("failed", detail),
        };
        self.failed |= step.is_err();
        let detail = itch_output::sanitize(detail);
        self.text.push_str(&format!("{what}: {word}: {detail}\n"));
        step.ok()
    }
}

fn look_at_file(file: &Path) -> Step {
    let real = itch_loader::check(file)?;
    Ok(real.display().to_string())
}

fn look_inside(settings: &Settings, file: &Path, real: &str, told: &mut Told, talk: &Talk) {
    let inspected = match itch_loader::inspect(settings, Path::new(real), None) {
        Ok(inspected) => inspected,
        Err(why) => {
            told.step("load", Err(why));
            return;
        }
    };
    let hash = format!("sha256:{}", inspected.sha256);
    let plugin = match inspected.outcome {
        Outcome::Plugin(plugin) => plugin,
        Outcome::Refused(why) => return drop(told.step("load", Err(why))),
        Outcome::Crashed(how) => return drop(told.step("load", Err(format!("it crashed: {how}")))),
        Outcome::Untrusted => return drop(told.step("load", Err("it was not loaded".to_owned()))),
    };
    told.step("load", Ok(hash));
    let (major, minor) = plugin.abi;
    let name = format!("{} {}, ABI {major}.{minor}", plugin.name, plugin.version);
    told.step("plugin", Ok(name));
    for note in &plugin.notes {
        told.step("note", Ok(note.clone()));
    }
    let mut registry = Registry::linked_in();
    registry.add(discover(settings.clone()).units());
    let units: Vec<Registered> = registry
        .units()
        .iter()
        .filter(|unit| matches!(unit.origin, itch_plugin::Origin::File { .. }))
        .cloned()
        .collect();
    if units.is_empty() {
        told.step("units", Err("it has none that this itch knows".to_owned()));
    }
    for unit in units {
        let what = format!("{} {}", unit.spec.kind(), unit.spec.name());
        let step = match (&unit.refused, &unit.spec) {
            (Some(why), _) => Err(format!("{why:#}")),
            (None, Spec::Report(spec)) => try_report(settings, file, &unit, spec),
            (None, Spec::Cache(_)) => try_cache(&registry, &unit, talk),
            (None, Spec::Renderer(_)) => try_renderer(&unit),
        };
        told.step(&what, step);
    }
}

/// The examples of a report that need nothing but itch, as arguments; without one, what it needs to be called.
fn examples(unit: &Registered, spec: &ReportSpec) -> Vec<Vec<String>> {
    let aliases = spec.aliases.iter().map(|alias| alias.name.as_str());
    let names: Vec<&str> = std::iter::once(spec.name.as_str()).chain(aliases).collect();
    let full = unit.full_name();
    let alone = |command: &&str| !command.contains(['<', '>', '|', '&', ';', '$', '`']);
    let commands = spec.examples.iter().map(|example| example.command.as_str());
    let mut all: Vec<Vec<String>> = commands
        .filter(alone)
        .filter_map(|command| {
            let mut words = words(command);
            let place = words
                .iter()
                .position(|word| names.contains(&word.as_str()))?;
            words.get_mut(place)?.clone_from(&full);
            Some(words.into_iter().skip(1).collect())
        })
        .collect();
    if all.is_empty() && !spec.arguments.iter().any(|argument| argument.required) {
        all.push(vec![full]);
    }
    all
}

/// The words of a simple command line; quotes keep spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (None, ' ') => words.push(String::new()),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            _ => words
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|word| word.push(character)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn try_report(settings: &Settings, file: &Path, unit: &Registered, spec: &ReportSpec) -> Step {
    let mut rows = 0;
    let examples = examples(unit, spec);
    if examples.is_empty() {
        return Err("it has no example that could be run".to_owned());
    }
    for example in &examples {
        rows += run_example(settings, file, example)
            .map_err(|error| format!("`itch {}`: {error:#}", example.join(" ")))?;
    }
    let (n, s) = (examples.len(), if examples.len() == 1 { "" } else { "s" });
    Ok(format!("{n} example{s} against the sandbox, {rows} rows"))
}

/// Runs an example with a home of its own, and counts its rows.
fn run_example(settings: &Settings, file: &Path, example: &[String]) -> anyhow::Result<usize> {
    let home = tempfile::tempdir()?;
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut command = Command::new(&settings.program);
    command
        .args(["--sandbox", "--plugin"])
        .arg(std::path::absolute(file)?)
        .args(example)
        .env_remove("ITCH_PLUGIN_PATH")
        .env_remove("ITCH_NO_PLUGINS")
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?);
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env(name, home.path());
    }
    let mut child = command.current_dir(home.path()).spawn()?;
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            anyhow::bail!("no end within {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (mut rows, mut said) = (Vec::new(), String::new());
    stdout.rewind()?;
    stdout.read_to_end(&mut rows)?;
    stderr.rewind()?;
    stderr.read_to_string(&mut said)?;
    if !status.success() {
        let why = said.lines().find_map(|line| line.strip_prefix("error: "));
        anyhow::bail!("{}", why.unwrap_or(said.trim()));
    }
    Ok(rows.iter().filter(|byte| **byte == b'\n').count())
}

fn try_cache(registry: &Registry, unit: &Registered, talk: &Talk) -> Step {
    const VALUE: &[u8] = b"itch plugins check";
    let words = |error: Error| format!("{error:#}");
    let key = "0".repeat(64);
    let key = key.as_str();
    let mut store =
        caches::open_one(registry, &unit.full_name(), None, true, talk).map_err(words)?;
    let mut keep = || -> Result<(), Error> {
        let odd = |what: &str| Err(Error::new(ErrorKind::BadData, what));
        if store.put(key, VALUE, Some(Duration::from_secs(60)))? != Put::Stored {
            return odd("it does not store a value of 18 bytes");
        }
        match store.get(key)? {
            Some(stored) if stored.bytes == VALUE => {}
            Some(_) => return odd("it gives another value than was put"),
            None => return odd("it does not give what was put"),
        }
        store.remove(key)?;
        match store.get(key)? {
            Some(_) => odd("it gives what was removed"),
            None => Ok(()),
        }
    };
    keep().map_err(words)?;
    Ok(format!("kept a value at {}", store.location()))
}

fn try_renderer(unit: &Registered) -> Step {
    let mut chart = Chart {
        title: "itch plugins check".to_owned(),
        ..Chart::default()
    };
    (chart.target.width, chart.target.height) = (320, 240);
    chart.area = Rect {
        left: 40.0,
        top: 20.0,
        width: 260.0,
        height: 180.0,
    };
    let mut picture = Vec::new();
    let host = Arc::new(Apart::new(crate::sink::log));
    drive::render(unit.item, host, &chart, &mut picture).map_err(|error| format!("{error:#}"))?;
    match picture.len() {
        0 => Err("it drew nothing".to_owned()),
        bytes => Ok(format!("drew an empty chart of {bytes} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_has_words() {
        assert_eq!(
            words("itch  a 'b c' --d=\"e f\""),
            ["itch", "a", "b c", "--d=e f"]
        );
    }
}
