//! Which plugins take part in a run: decided before the command line can be parsed, since its commands come from them.
//!
//! A command that is linked in needs none, so it looks for none: no directory is read for it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use clap::{Arg, ArgAction};
use etcetera::BaseStrategy;
use itch_loader::{Found, Log, Places, Settings, discover};
use itch_plugin::{LogLevel, NO_CACHE, Registry};

use crate::config::{Config, Policy};
use crate::failure::usage;
use crate::printer::Printer;
use crate::{cache_stores, cli, environment};

/// Every unit that takes part, and the files in which some were found.
#[derive(Debug)]
pub(crate) struct Plugins {
    pub(crate) registry: Registry,
    /// `None` where nobody looked.
    pub(crate) found: Option<Found>,
    /// What `--prefer` says.
    preferred: Preferences,
    /// What the configuration says, where plugins take part.
    configured: Preferences,
}

/// Names, and the plugins that they are to mean.
type Preferences = Vec<(String, String)>;

/// The options about plugins; every command has them.
pub(crate) fn options() -> Vec<Arg> {
    vec![
        Arg::new("plugin")
            .long("plugin")
            .value_name("FILE")
            .action(ArgAction::Append)
            .value_parser(clap::value_parser!(PathBuf))
            .help("Use the plugin in this file, too"),
        Arg::new("no-plugins")
            .long("no-plugins")
            .action(ArgAction::SetTrue)
            .help("Use nothing but what is built in"),
        Arg::new("prefer")
            .long("prefer")
            .value_name("NAME=PLUGIN")
            .action(ArgAction::Append)
            .value_parser(|text: &str| preference(text).map(|_| text.to_owned()))
            .help("Let a name mean what this plugin calls so"),
    ]
}

fn preference(text: &str) -> Result<(String, String), itch_api::Error> {
    match text.split_once('=') {
        Some((name, plugin)) if !name.is_empty() && !plugin.is_empty() => Ok((name.to_owned(), plugin.to_owned())),
        _ => Err(usage(format!("`{}` is no preference: write NAME=PLUGIN", text.escape_debug()))),
    }
}

/// What a command line says, as far as it can be understood without knowing its commands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    /// The command.
    pub(crate) command: Option<String>,
    files: Vec<PathBuf>,
    none: bool,
    /// Only the program's version is asked for.
    version: bool,
    preferred: Preferences,
    caches: Vec<String>,
    renderers: Vec<String>,
    /// Files to draw.
    pictures: Vec<PathBuf>,
}

impl Glance {
    /// Looks at the arguments behind the program's name.
    pub(crate) fn at(arguments: &[OsString]) -> Glance {
        let mut known = cli::options_before_command();
        let takes_value = |arg: &Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
        let mut glance = Glance::default();
        let mut plots = false;
        // What stands behind `plot` and is no option: the rows, then the picture.
        let mut operands = 0;
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(text) = argument.to_str() else {
                continue;
            };
            if text == "--" {
                break;
            }
            let (arg, value) = if let Some(long) = text.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let arg = known.iter().find(|arg| arg.get_long() == Some(name));
                (arg, value.map(OsStr::new))
            } else if let Some(letters) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                // Of several letters behind one hyphen, the first that takes a value takes the rest.
                let by = |letter| known.iter().find(|arg| arg.get_short() == Some(letter));
                let mut places = letters.char_indices();
                let taking = places.find_map(|(place, letter)| {
                    let arg = by(letter).filter(|arg| takes_value(arg))?;
                    Some((arg, letters.get(place + letter.len_utf8()..)?))
                });
                match taking {
                    Some((arg, "")) => (Some(arg), None),
                    Some((arg, rest)) => (Some(arg), Some(OsStr::new(rest.trim_start_matches('=')))),
                    None => (None, None),
                }
            } else {
                if glance.command.is_none() {
                    glance.command = Some(text.to_owned());
                    plots = text == "plot";
                    if plots {
                        known = cli::options_of_plot();
                    }
                } else if plots {
                    operands += 1;
                    if operands == 2 {
                        glance.pictures.push(PathBuf::from(text));
                    }
                }
                continue;
            };
            glance.version |= matches!(text, "--version" | "-V") && glance.command.is_none();
            let Some(arg) = arg else { continue };
            if arg.get_id() == "no-plugins" {
                glance.none = true;
            }
            if !takes_value(arg) {
                continue;
            }
            let Some(value) = value.or_else(|| arguments.next().map(OsString::as_os_str)) else {
                break;
            };
            match (arg.get_id().as_str(), value.to_str()) {
                ("plugin", _) => glance.files.push(PathBuf::from(value)),
                ("plot", _) => glance.pictures.push(PathBuf::from(value)),
                ("output", _) if plots => glance.pictures.push(PathBuf::from(value)),
                ("renderer", Some(name)) => glance.renderers.push(name.to_owned()),
                ("prefer", Some(text)) => glance.preferred.extend(preference(text)),
                ("cache", Some(names)) => {
                    glance.caches.extend(names.split(',').map(str::to_owned));
                }
                _ => {}
            }
        }
        glance
    }

    /// Whether what is linked in is not enough.
    fn needs_more(&self, linked_in: &Registry, config: &Config) -> bool {
        let caches = match self.caches.is_empty() {
            true => &config.cache.names,
            false => &self.caches,
        };
        let draws = self.command.as_deref() == Some("plot") || !self.pictures.is_empty();
        let turned_round = config.plugins.prefer.keys().any(|name| {
            self.command.as_ref() == Some(name) || caches.contains(name) || draws && linked_in.renderer(name).is_some()
        });
        let command_known = self.command.as_deref().is_some_and(|command| {
            linked_in.report(command).is_some() || (cli::is_own(command) && command != "plugins")
        });
        let known = |name: &String| name == NO_CACHE || linked_in.cache(name).is_some();
        // Where none is named, `itch cache` means the usual one.
        let usual = caches.is_empty() && self.command.as_deref() == Some("cache");
        let caches_known =
            caches.iter().all(known) && (!usual || linked_in.cache(cache_stores::DEFAULT_CACHE).is_some());
        let drawn = |picture: &PathBuf| {
            let extension = picture.extension().and_then(OsStr::to_str);
            let renderer = linked_in.renderer_by_extension(extension.unwrap_or_default());
            picture.as_os_str() == "-" || renderer.is_some()
        };
        let renderers_known = (self.renderers.iter())
            .all(|name| linked_in.renderer(name).is_some())
            && self.pictures.iter().all(drawn)
            // Where no picture is named, the terminal's may be meant.
            && (!draws || linked_in.renderers().any(|(spec, _)| spec.terminal));
        turned_round
            || !self.files.is_empty()
            // Whether there is such a plugin can only be known by looking.
            || !self.preferred.is_empty()
            || !command_known
            || !caches_known
            || !renderers_known
    }
}

/// Where words go before it is known how the program talks, and afterwards.
pub(crate) type DeferredPrinter = Arc<OnceLock<Printer>>;

/// Finds what takes part in a run with this command line.
pub(crate) fn find(glance: &Glance, printer: &DeferredPrinter) -> Plugins {
    let linked_in = Registry::linked_in();
    let (config, trusting) = match Config::read() {
        Ok(config) => (config, true),
        Err(error) => {
            // The run will say what is wrong with it; until then nothing is run that it might forbid.
            if glance.command.as_deref() == Some("plugins") {
                Printer::default().warning(&format!("{error:#}"));
            }
            (Config::default(), false)
        }
    };
    let mut registry = linked_in;
    let none = glance.none || glance.version || environment::read("ITCH_NO_PLUGINS").is_some();
    let manages = glance.command.as_deref() == Some("plugins");
    if !manages && (none || !glance.needs_more(&registry, &config)) {
        return Plugins {
            registry,
            found: None,
            preferred: glance.preferred.clone(),
            configured: Preferences::new(),
        };
    }
    let mut settings = settings(glance, &config, printer);
    settings.pinned |= !trusting;
    if none {
        settings.places = Places::default();
    }
    let found = discover(settings);
    registry.add(found.units());
    let configured: Preferences = config.plugins.prefer.into_iter().collect();
    for (name, plugin) in configured.iter().chain(&glance.preferred) {
        registry.prefer(name, plugin);
    }
    Plugins {
        registry,
        found: Some(found),
        preferred: glance.preferred.clone(),
        configured: if none { Preferences::new() } else { configured },
    }
}

/// The user's own directory of plugins.
pub(crate) fn own_directory() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.data_dir().join("itch").join("plugins"))
}

/// How the loader works here.
fn settings(glance: &Glance, config: &Config, printer: &DeferredPrinter) -> Settings {
    let base = etcetera::choose_base_strategy().ok();
    let environment = std::env::var_os("ITCH_PLUGIN_PATH");
    let printer = Arc::clone(printer);
    Settings {
        places: Places::usual(
            glance.files.clone(),
            environment.as_deref(),
            config.plugins.directories(),
            own_directory(),
        ),
        index: base
            .as_ref()
            .map(|base| base.cache_dir().join("itch").join("plugins.json")),
        trust_file: base
            .as_ref()
            .map(|base| base.data_dir().join("itch").join("plugins.lock")),
        pinned: config.plugins.policy == Policy::Pinned,
        again: glance.command.as_deref() == Some("plugins"),
        in_process: config.plugins.in_process.clone(),
        program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("itch")),
        log: Log::new(crate::log::plugin_line),
        notice: Log::new(move |level, line| {
            let printer = printer.get().cloned().unwrap_or_default();
            match level {
                LogLevel::Error | LogLevel::Warn => printer.warning(line),
                LogLevel::Info | LogLevel::Debug => printer.say(line),
            }
        }),
    }
}

impl Plugins {
    /// Why a file that the command line names cannot be used, if one cannot.
    pub(crate) fn refused_by_name(&self) -> Option<itch_api::Error> {
        let found = self.found.as_ref()?;
        let named = found.settings().places.files.len();
        let file = found
            .files
            .iter()
            .find(|file| file.place < named && !file.status.is_usable())?;
        let message = format!("the plugin `{}` cannot be used", file.path.display());
        Some(
            itch_api::Error::new(itch_api::ErrorKind::Failed, message)
                .cause(&file.status)
                .hint(format!("itch plugins check {}", file.path.display())),
        )
    }

    /// What is wrong with a preference of the command line, if one means nothing.
    pub(crate) fn refused_preference(&self) -> Option<itch_api::Error> {
        let mut preferred = self.preferred.iter();
        preferred.find_map(|(name, plugin)| self.pointless(name, plugin))
    }

    /// What is wrong with those preferences of the configuration that mean nothing.
    pub(crate) fn pointless_settings(&self) -> impl Iterator<Item = itch_api::Error> {
        let configured = self.configured.iter();
        configured.filter_map(|(name, plugin)| self.pointless(name, plugin))
    }

    /// Why a name cannot mean what this plugin calls so.
    fn pointless(&self, name: &str, plugin: &str) -> Option<itch_api::Error> {
        let (registry, full) = (&self.registry, format!("{plugin}/{name}"));
        let is_there =
            registry.report(&full).is_some() || registry.cache(&full).is_some() || registry.renderer(&full).is_some();
        if is_there {
            return None;
        }
        let mut kinds = ["report", "cache", "renderer"].into_iter();
        if let Some(conflict) = kinds.find_map(|kind| registry.conflict(kind, &full)) {
            return Some(conflict);
        }
        let units = registry.units().iter();
        let having: BTreeSet<&str> = units
            .filter(|unit| unit.names().any(|known| known == name))
            .map(|unit| unit.plugin.as_str())
            .collect();
        let having: Vec<&str> = having.into_iter().collect();
        let said =
            format!("`{}` cannot mean what the plugin `{}` calls so", name.escape_debug(), plugin.escape_debug());
        Some(match having.as_slice() {
            [] => usage(said)
                .cause("no plugin calls anything so")
                .hint("itch plugins list"),
            [first, ..] => usage(said)
                .cause(format!("these have it: {}", having.join(", ")))
                .hint(format!("itch --prefer {name}={first}")),
        })
    }

    /// How many files were found that cannot be used.
    pub(crate) fn unusable(&self) -> usize {
        let files = self.found.iter().flat_map(|found| &found.files);
        files.filter(|file| !file.status.is_usable()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(line: &str) -> Glance {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Glance::at(&words)
    }

    #[test]
    fn the_command_is_the_first_word_that_is_no_options_value() {
        for (line, command) in [
            ("followers burkeblack", Some("followers")),
            ("-l 10 -q followers x", Some("followers")),
            ("-l10 followers x", Some("followers")),
            ("-vvl 10 followers x", Some("followers")),
            ("--limit 10 --sandbox followers", Some("followers")),
            ("--limit=10 followers", Some("followers")),
            ("--plugin a.so hello", Some("hello")),
            ("-c file --help", None),
            ("--help", None),
            ("-- followers", None),
        ] {
            assert_eq!(glance(line).command.as_deref(), command, "{line}");
        }
    }

    #[test]
    fn options_about_plugins_are_seen_before_and_behind_the_command() {
        let seen =
            glance("--plugin=a.so --prefer x=y hello --plugin b.so -c file,shelf --no-plugins -cq -- --plugin c.so");
        assert_eq!(seen.files, [PathBuf::from("a.so"), PathBuf::from("b.so")]);
        assert_eq!(seen.preferred, [("x".to_owned(), "y".to_owned())]);
        assert_eq!(seen.caches, ["file", "shelf", "q"]);
        assert!(seen.none);
    }

    #[test]
    fn a_built_in_command_needs_nothing_more() {
        let linked_in = Registry::linked_in();
        let config = Config::default();
        let needs = |line: &str| glance(line).needs_more(&linked_in, &config);
        assert!(!needs("sandbox"));
        assert!(!needs("plot -l label -d , a.no-such b.png"));
        assert!(!needs("plot --renderer svg a.tsv -o -"));
        assert!(!needs("sandbox --plot b.html"));
        assert!(needs("plugins list"));
        assert!(needs("--help"));
        assert!(needs("no-such"));
        assert!(needs("--plugin a.so sandbox"));
        assert!(needs("-c no-such sandbox"));
        assert!(needs("plot a.tsv b.no-such"));
        assert!(needs("plot -l label -o b.no-such a.tsv"));
        assert!(needs("plot --renderer no-such a.tsv -o -"));
        assert!(needs("sandbox --plot b.no-such"));
    }
}
