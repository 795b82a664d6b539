//! Finds the plugins of a run, and reports those that were named but cannot be used.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use itch_api::{Error, ErrorKind};
use itch_loader::{Found, Log, Places, Settings, discover};
use itch_plugin::{LogLevel, Registry};

use crate::config::{Config, Policy, Unconfined};
use crate::environment;
use crate::failure::usage;
use crate::log::plugin_line;
use crate::options::common::{CommonOptions, Preference};
use crate::paths::{self, not_a_directory};
use crate::printer::{DeferredPrinter, Printer};

/// All units, and the plugin files that were found.
#[derive(Debug)]
pub(crate) struct Plugins {
    pub(crate) registry: Registry,
    /// `None` if no search was made.
    pub(crate) found: Option<Found>,
    /// The preferences of `--prefer`.
    preferred: Vec<Preference>,
    /// The preferences of the configuration, if plugins are used.
    configured: Vec<Preference>,
}

/// Which plugins a command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The files of `--plugin`.
    pub(crate) files: Vec<PathBuf>,
    /// The preferences of `--prefer`.
    pub(crate) preferred: Vec<Preference>,
    /// Only what is built in is used.
    pub(crate) none: bool,
}

impl Selection {
    /// The selection of the options and the environment.
    pub(crate) fn of(options: &CommonOptions) -> Selection {
        Selection {
            files: options.plugin.clone(),
            preferred: options.prefer.clone(),
            none: options.no_plugins || environment::read("ITCH_NO_PLUGINS").is_some(),
        }
    }

    /// Whether a plugin is named, so that a search is needed.
    pub(crate) fn names_any(&self) -> bool {
        !self.files.is_empty() || !self.preferred.is_empty()
    }
}

/// Settings of discovery other than the selection.
#[derive(Debug)]
pub(crate) struct Discovery {
    /// The configuration; the default if it could not be read.
    pub(crate) config: Config,
    /// Whether it could be read. If not, no plugin is run that it might forbid; the command reports the error.
    trusting: bool,
    /// Whether the command is `itch plugins`: then files that could not be loaded before are inspected again.
    manages: bool,
}

impl Discovery {
    /// Reads the configuration.
    pub(crate) fn new(manages: bool) -> Discovery {
        let (config, trusting) = match Config::read() {
            Ok(config) => (config, true),
            Err(error) => {
                if manages {
                    Printer::default().warning(&format!("{error:#}"));
                }
                (Config::default(), false)
            }
        };
        Discovery {
            config,
            trusting,
            manages,
        }
    }

    /// Whether plugins are searched for even if none is used.
    pub(crate) fn manages(&self) -> bool {
        self.manages
    }

    /// Finds the plugins of this selection.
    pub(crate) fn find(&self, selection: &Selection, printer: &DeferredPrinter) -> Plugins {
        let settings = self.settings(selection, printer);
        if !selection.none {
            report_obstacles(&settings.places, &printer.get().cloned().unwrap_or_default());
        }
        self.found(selection, settings)
    }

    /// Finds those plugins of this selection that the index knows. No process is started.
    pub(crate) fn known(&self, selection: &Selection) -> Plugins {
        let settings = Settings {
            only_known: true,
            notice: Log::new(|_, _| ()),
            ..self.settings(selection, &DeferredPrinter::default())
        };
        self.found(selection, settings)
    }

    fn found(&self, selection: &Selection, mut settings: Settings) -> Plugins {
        let mut registry = Registry::linked_in();
        if selection.none {
            settings.places = Places::default();
        }
        let found = discover(settings);
        registry.add(found.units());
        let prefer = self.config.plugins.prefer.iter().map(|(name, plugin)| Preference {
            name: name.clone(),
            plugin: plugin.clone(),
        });
        let configured: Vec<Preference> = prefer.collect();
        for Preference { name, plugin } in configured.iter().chain(&selection.preferred) {
            registry.prefer(name, plugin);
        }
        Plugins {
            registry,
            found: Some(found),
            preferred: selection.preferred.clone(),
            configured: if selection.none { Vec::new() } else { configured },
        }
    }

    /// The settings of the loader.
    fn settings(&self, selection: &Selection, printer: &DeferredPrinter) -> Settings {
        let environment = std::env::var_os("ITCH_PLUGIN_PATH");
        let printer = Arc::clone(printer);
        let config = &self.config.plugins;
        let directories = config.directories();
        Settings {
            places: Places::usual(selection.files.clone(), environment.as_deref(), directories, own_directory()),
            index: paths::cache_directory().map(|folder| folder.join("plugins.json")),
            trust_file: paths::data_directory().map(|folder| folder.join("plugins.lock")),
            pinned: config.policy == Policy::Pinned || !self.trusting,
            again: self.manages,
            only_known: false,
            in_process: config.in_process.clone(),
            memory: config.memory(),
            strict: config.unconfined == Unconfined::Refuse,
            allow: false,
            private: private_paths(),
            homes: homes(),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("itch")),
            log: Log::new(plugin_line),
            notice: Log::new(move |level, line| {
                let printer = printer.get().cloned().unwrap_or_default();
                match level {
                    LogLevel::Error | LogLevel::Warn => printer.warning(line),
                    LogLevel::Info | LogLevel::Debug => printer.say(line),
                }
            }),
        }
    }
}

/// The user's directories.
pub(crate) fn homes() -> Vec<PathBuf> {
    let home = etcetera::home_dir().ok();
    let own = [
        paths::data_directory(),
        paths::config_directory(),
        paths::cache_directory(),
    ];
    home.into_iter().chain(own.into_iter().flatten()).collect()
}

/// What of itch's own a plugin must not read or change, whatever it is allowed: accounts, trust, configuration.
pub(crate) fn private_paths() -> Vec<PathBuf> {
    const DATA: [&str; 5] = [
        "accounts.json",
        "accounts.lock",
        "identities.json",
        "plugins.lock",
        "plugins",
    ];
    let data = paths::data_directory();
    let data = data.iter().flat_map(|folder| DATA.map(|name| folder.join(name)));
    let config = paths::config_directory().map(|folder| folder.join("config.toml"));
    let index = paths::cache_directory().map(|folder| folder.join("plugins.json"));
    data.chain(config).chain(index).collect()
}

/// Says which of the directories cannot be searched because something else is in their place.
fn report_obstacles(places: &Places, printer: &Printer) {
    let directories = places.directories.iter();
    for obstacle in directories.filter_map(|directory| not_a_directory(directory)) {
        printer.warning(&format!("plugins are not searched there: {obstacle}"));
    }
}

/// The user's own directory of plugins.
pub(crate) fn own_directory() -> Option<PathBuf> {
    Some(paths::data_directory()?.join("plugins"))
}

impl Plugins {
    /// Only what is linked in.
    pub(crate) fn linked_in(registry: Registry, selection: Selection) -> Plugins {
        Plugins {
            registry,
            found: None,
            preferred: selection.preferred,
            configured: Vec::new(),
        }
    }

    /// The error about the first file of `--plugin` that cannot be used, if any.
    pub(crate) fn refused_by_name(&self) -> Option<Error> {
        let found = self.found.as_ref()?;
        let named = found.settings().places.files.len();
        let file = found
            .files
            .iter()
            .find(|file| file.place < named && !file.status.is_usable())?;
        let message = format!("the plugin `{}` cannot be used", file.path.display());
        Some(
            Error::new(ErrorKind::Failed, message)
                .cause(&file.status)
                .hint(format!("itch plugins check {}", file.path.display())),
        )
    }

    /// The error about the first preference of the command line that has no effect, if any.
    pub(crate) fn refused_preference(&self) -> Option<Error> {
        let mut preferred = self.preferred.iter();
        preferred.find_map(|preference| self.pointless(preference))
    }

    /// The errors about preferences of the configuration that have no effect.
    pub(crate) fn pointless_settings(&self) -> impl Iterator<Item = Error> {
        let configured = self.configured.iter();
        configured.filter_map(|preference| self.pointless(preference))
    }

    /// Why a preference has no effect, if it has none.
    fn pointless(&self, preference: &Preference) -> Option<Error> {
        let Preference { name, plugin } = preference;
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
        let message = format!("could not prefer `{}` of the plugin `{}`", name.escape_debug(), plugin.escape_debug());
        Some(match having.as_slice() {
            [] => usage(message)
                .cause("no plugin has a report, cache or renderer of this name")
                .hint("itch plugins list"),
            [first, ..] => usage(message)
                .cause(format!("only these plugins have it: {}", having.join(", ")))
                .hint(format!("itch --prefer {name}={first}")),
        })
    }

    /// The number of files that cannot be used.
    pub(crate) fn unusable(&self) -> usize {
        let files = self.found.iter().flat_map(|found| &found.files);
        files.filter(|file| !file.status.is_usable()).count()
    }
}
