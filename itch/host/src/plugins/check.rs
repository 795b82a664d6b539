//! `itch plugins check FILE`: loads a file, reads its description, and tests its units.
//!
//! Each test runs in a separate process, with limited time and output: a report runs its own examples against the
//! sandbox, a cache stores a value, a renderer draws an empty chart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use itch_api::{Error, ErrorKind};
use itch_loader::{DEFAULT_MEMORY, Found, Log, Places, Settings, Status, discover};
use itch_plugin::abi::{LogHost, drive};
use itch_plugin::{Chart, Put, Rect, Registered, Registry, ReportSpec, Spec};
use itch_sandbox::Day;

use super::discovery::{homes, private_paths};
use super::trial::{self, Ended, Interrupted, Limits, Trial, seconds};
use crate::cache_stores;
use crate::environment::SANDBOX_DAY;
use crate::exit_codes::{DONE, EXIT_INTERRUPTED};
use crate::failure::usage;
use crate::options::plugins::{CHECK_TIMEOUT_FACTOR, CheckOptions, TRIAL_TIMEOUT};
use crate::printer::Printer;
use crate::stdout::{print, stdout};

/// The limit of rows of an example that sets none itself.
const ROWS: u64 = 1000;

/// Runs the command and returns the exit code.
pub(super) fn run(options: &CheckOptions, printer: &Printer) -> anyhow::Result<u8> {
    let file = &options.file;
    if let Some(unit) = &options.unit {
        return try_unit(file, unit, options.allow, printer);
    }
    let each = options.timeout.unwrap_or(TRIAL_TIMEOUT);
    let mut check = Check {
        file: std::path::absolute(file)?,
        limits: Limits::new(each, each.saturating_mul(CHECK_TIMEOUT_FACTOR)),
        verbose: printer.verbose > 0,
        allow: options.allow,
        printer,
        failed: false,
    };
    trial::catch_interrupts()?;
    match check.everything() {
        Err(error) if error.is::<Interrupted>() => Ok(EXIT_INTERRUPTED),
        Err(error) => Err(error),
        Ok(()) => Ok(u8::from(check.failed)),
    }
}

/// Settings of the loader, as if this were the only file and it had never been used. With `allow`, its units may use what
/// they ask for.
fn settings(file: &Path, allow: bool) -> Settings {
    Settings {
        places: Places {
            files: vec![file.to_owned()],
            directories: Vec::new(),
        },
        index: None,
        trust_file: None,
        pinned: false,
        again: false,
        only_known: false,
        in_process: Vec::new(),
        memory: DEFAULT_MEMORY,
        strict: false,
        allow,
        private: private_paths(),
        homes: homes(),
        program: program(),
        log: Log::new(crate::log::plugin_line),
        notice: Log::new(|_, _| {}),
    }
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("itch"))
}

/// All units, and those of the file.
fn registry(found: &Found) -> (Registry, Vec<Registered>) {
    let mut registry = Registry::linked_in();
    registry.add(found.units());
    let is_foreign = |unit: &&Registered| unit.origin != itch_plugin::Origin::LinkedIn;
    let units = registry.units().iter().filter(is_foreign).cloned().collect();
    (registry, units)
}

/// A unit as text; it is passed to the process of its trial.
fn label(unit: &Registered) -> String {
    format!("{} {}", unit.spec.kind(), unit.spec.name())
}

struct Check<'a> {
    file: PathBuf,
    limits: Limits,
    verbose: bool,
    allow: bool,
    printer: &'a Printer,
    failed: bool,
}

impl Check<'_> {
    /// Prints a step before and after it runs; returns its result if it succeeded.
    fn step(
        &mut self,
        what: &str,
        step: impl FnOnce(&Self) -> anyhow::Result<String>,
    ) -> anyhow::Result<Option<String>> {
        // Printed first, so that a step that hangs can be seen.
        print(&format!("{}: ", itch_output::sanitize(what)))?;
        let (word, detail, found) = match step(self) {
            Ok(found) => ("ok: ", found.clone(), Ok(Some(found))),
            Err(error) if error.is::<Interrupted>() => ("", error.to_string(), Err(error)),
            Err(error) => {
                self.failed = true;
                ("failed: ", format!("{error:#}"), Ok(None))
            }
        };
        print(&format!("{word}{}\n", itch_output::sanitize(&detail)))?;
        found
    }

    fn everything(&mut self) -> anyhow::Result<()> {
        let is_safe = |check: &Self| match itch_loader::check(&check.file) {
            Ok(real) => Ok(real.display().to_string()),
            Err(why) => Err(anyhow::anyhow!(why)),
        };
        if self.step("file", is_safe)?.is_none() {
            return Ok(());
        }
        let mut found = None;
        let load = |check: &Self| load(&check.file, check.allow, &mut found);
        if self.step("load", load)?.is_none() {
            return Ok(());
        }
        match found {
            Some(found) => self.inside(&found),
            None => Ok(()),
        }
    }

    fn inside(&mut self, found: &Found) -> anyhow::Result<()> {
        let descriptions = found.files.iter().filter_map(|file| file.description.as_ref());
        for plugin in descriptions {
            let (major, minor) = plugin.abi;
            let name = format!("{} {}, ABI {major}.{minor}", plugin.name, plugin.version);
            self.step("plugin", |_| Ok(name))?;
            for note in &plugin.notes {
                self.step("note", |_| Ok(note.clone()))?;
            }
        }
        let (_, units) = registry(found);
        if units.is_empty() {
            self.step("units", |_| anyhow::bail!("there are none that this version of itch knows"))?;
        }
        for (tried, unit) in units.iter().enumerate() {
            if self.limits.are_over() {
                let all = seconds(self.limits.all);
                let why = format!("{tried} of {} were tested within {all}", units.len());
                self.step("units", |_| anyhow::bail!(why))?;
                break;
            }
            self.step(&label(unit), |check| match (&unit.refused, &unit.spec) {
                (Some(why), _) => anyhow::bail!("{why:#}"),
                (None, Spec::Report(spec)) => check.try_report(unit, spec),
                (None, Spec::Cache(_)) => check.try_cache(unit),
                (None, Spec::Renderer(_)) => check.try_renderer(unit),
            })?;
        }
        Ok(())
    }

    /// A trial, which runs this program again.
    fn trial(&self) -> anyhow::Result<Trial> {
        let mut trial = Trial::new(&program())?;
        if self.verbose {
            trial.command.arg("-v");
        }
        Ok(trial)
    }

    /// Runs a trial; fails if it fails.
    fn run(&self, trial: Trial, says_what: bool) -> anyhow::Result<Ended> {
        let ended = trial::run(trial, &self.limits, says_what)?;
        if self.verbose {
            ended.stderr.text().lines().for_each(|line| self.printer.say(line));
        }
        match ended.status.success() {
            true => Ok(ended),
            false => Err(anyhow::anyhow!(ended.why())),
        }
    }

    fn try_report(&self, unit: &Registered, spec: &ReportSpec) -> anyhow::Result<String> {
        let examples = examples(unit, spec);
        if examples.is_empty() {
            anyhow::bail!("it has no example that can be run");
        }
        let mut rows = 0;
        for example in &examples {
            rows += self
                .run_example(example)
                .map_err(|error| match error.is::<Interrupted>() {
                    true => error,
                    false => error.context(format!("`itch {}`", example.join(" "))),
                })?;
        }
        let plural = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let examples = plural(examples.len() as u64, "example");
        Ok(format!("{examples} against the sandbox, {}", plural(rows, "row")))
    }

    /// Runs an example with an empty home directory, and counts its rows.
    fn run_example(&self, example: &[String]) -> anyhow::Result<u64> {
        let mut trial = self.trial()?;
        let home = trial.home()?;
        trial
            .command
            .args(["--sandbox", "--limit", &ROWS.to_string(), "--plugin"])
            .arg(&self.file)
            .args(example)
            .env_remove("ITCH_PLUGIN_PATH")
            .env_remove("ITCH_NO_PLUGINS")
            // An example with a date has the same rows whenever it is tried.
            .env(SANDBOX_DAY, Day::default().to_string())
            .current_dir(&home);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            trial.command.env(name, &home);
        }
        Ok(self.run(trial, false)?.stdout.lines)
    }

    /// A trial of one unit.
    fn unit(&self, unit: &Registered, says_what: bool) -> anyhow::Result<Ended> {
        let mut trial = self.trial()?;
        trial
            .command
            .args(["--no-plugins", "plugins", "check", "--unit", &label(unit)])
            .args(self.allow.then_some("--allow"))
            .arg(&self.file);
        self.run(trial, says_what)
    }

    fn try_cache(&self, unit: &Registered) -> anyhow::Result<String> {
        let ended = self.unit(unit, true)?;
        Ok(ended.stdout.last_line().unwrap_or_default())
    }

    fn try_renderer(&self, unit: &Registered) -> anyhow::Result<String> {
        match self.unit(unit, false)?.stdout.bytes {
            0 => anyhow::bail!("it drew nothing"),
            bytes => Ok(format!("drew an empty chart of {bytes} bytes")),
        }
    }
}

/// Inspects the file and returns its hash.
fn load(file: &Path, allow: bool, found: &mut Option<Found>) -> anyhow::Result<String> {
    let settings = settings(file, allow);
    let looked = trial::unless_interrupted(|| discover(settings))?;
    let Some(file) = looked.files.first() else {
        anyhow::bail!("it was not inspected");
    };
    match &file.status {
        Status::Refused(why) => anyhow::bail!("{why}"),
        Status::Crashed(how) => anyhow::bail!("it crashed: {how}"),
        Status::Disabled | Status::Untrusted => anyhow::bail!("it was not loaded"),
        Status::Ok | Status::New | Status::Changed => {}
    }
    let hash = format!("sha256:{}", file.sha256.as_deref().unwrap_or_default());
    *found = Some(looked);
    Ok(hash)
}

/// The examples of a report that need nothing but itch, as arguments. If there is none, the report without arguments,
/// unless it requires some.
fn examples(unit: &Registered, spec: &ReportSpec) -> Vec<Vec<String>> {
    let aliases = spec.aliases.iter().map(|alias| alias.name.as_str());
    let names: Vec<&str> = std::iter::once(spec.name.as_str()).chain(aliases).collect();
    let full = unit.full_name();
    let alone = |command: &&str| {
        let reads = command.split(' ').any(|word| word == "-");
        !reads && !command.contains(['<', '>', '|', '&', ';', '$', '`'])
    };
    let commands = spec.examples.iter().map(|example| example.command.as_str());
    let mut all: Vec<Vec<String>> = commands
        .filter(alone)
        .filter_map(|command| {
            let mut words = words(command);
            let place = words.iter().position(|word| names.contains(&word.as_str()))?;
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

/// In the process of a trial: tests one unit. The check reads what is printed.
fn try_unit(file: &Path, wanted: &str, allow: bool, printer: &Printer) -> anyhow::Result<u8> {
    let found = discover(settings(file, allow));
    let (registry, units) = registry(&found);
    let unit = units.iter().find(|unit| label(unit) == wanted);
    let unit = unit.ok_or_else(|| usage(format!("the file has no {wanted}")))?;
    match &unit.spec {
        Spec::Report(_) => return Err(usage("a report is tested by its examples").into()),
        Spec::Cache(_) => keep_a_value(&registry, unit, printer)?,
        Spec::Renderer(_) => draw(unit)?,
    }
    Ok(DONE)
}

/// Stores, reads and removes a value; prints each step, and where the value was.
fn keep_a_value(registry: &Registry, unit: &Registered, printer: &Printer) -> anyhow::Result<()> {
    const VALUE: &[u8] = b"itch plugins check";
    let odd = |what: &str| Error::new(ErrorKind::BadData, what);
    let key = "0".repeat(64);
    let key = key.as_str();
    print("open\n")?;
    let mut store = cache_stores::open_one(registry, &unit.full_name(), None, true, printer)?;
    print("put\n")?;
    if store.put(key, VALUE, Some(Duration::from_secs(60)))? != Put::Stored {
        return Err(odd("it did not store a value of 18 bytes").into());
    }
    print("get\n")?;
    match store.get(key)? {
        Some(stored) if stored.bytes == VALUE => {}
        Some(_) => return Err(odd("it returned another value than was stored").into()),
        None => return Err(odd("it did not return the stored value").into()),
    }
    print("remove\n")?;
    store.remove(key)?;
    print("get\n")?;
    if store.get(key)?.is_some() {
        return Err(odd("it returned a value that was removed").into());
    }
    let location = store.location();
    print("close\n")?;
    drop(store);
    print(&format!("kept a value at {}\n", location.replace('\n', " ")))
}

/// Draws an empty chart to stdout.
fn draw(unit: &Registered) -> anyhow::Result<()> {
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
    let host = Arc::new(LogHost::new(crate::log::plugin_line));
    Ok(drive::render(unit.item, host, &chart, &mut stdout()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_has_words() {
        assert_eq!(words("itch  a 'b c' --d=\"e f\""), ["itch", "a", "b c", "--d=e f"]);
    }
}
