//! A unit of a third-party plugin in the registry: it is described by the index, and its file is opened only when the
//! unit is called.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Reason, Result, Transport};
use itch_plugin::abi::{CACHE, Item, LogHost, RENDERER, REPORT, RunHost, drive, items};
use itch_plugin::{
    Cache, CacheSettings, CacheSpec, CacheStore, Call, Chart, LogLevel, Renderer, RendererSpec, Report, ReportSpec,
    Variable,
};
use serde::Deserialize;

use crate::access::{UnitAccess, asked};
use crate::index::Index;
use crate::job::Launch;
use crate::library::{Description, Library, Unit};
use crate::process::died;
use crate::trust::TrustRecord;
use crate::{Settings, isolated_cache, isolated_renderer, isolated_report, serve};

/// A unit and its file.
#[derive(Debug)]
pub(crate) struct ExternalUnit {
    file: PathBuf,
    sha256: String,
    plugin: String,
    version: String,
    unit: String,
    spec: String,
    in_process: bool,
    /// What it asks for, and what the user has allowed it.
    asked: UnitAccess,
    allowed: UnitAccess,
    /// The hash that the lock file has for the file.
    recorded: Option<String>,
    /// Whether the notice that the file is new or changed was printed; all units of a file share it.
    announced: Arc<AtomicBool>,
    settings: Arc<Settings>,
}

/// The environment variables that a unit declares.
#[derive(Deserialize)]
struct DeclaredVariables {
    #[serde(default)]
    variables: Vec<Variable>,
}

/// The libraries that are loaded into this process.
static LOADED: Mutex<BTreeMap<PathBuf, Arc<Library>>> = Mutex::new(BTreeMap::new());

impl ExternalUnit {
    /// Creates the item of a unit. It lives as long as the process, like every item.
    pub(crate) fn item(
        settings: &Arc<Settings>,
        file: PathBuf,
        sha256: &str,
        (recorded, announced): (Option<String>, Arc<AtomicBool>),
        plugin: &Description,
        unit: &Unit,
        allowed: UnitAccess,
    ) -> Option<&'static Item> {
        let this: &'static ExternalUnit = Box::leak(Box::new(ExternalUnit {
            file,
            sha256: sha256.to_owned(),
            plugin: plugin.name.clone(),
            version: plugin.version.clone(),
            unit: unit.name.clone(),
            spec: unit.spec.clone(),
            // A file chooses its own name, so only a file that was used or trusted before is loaded into this process.
            in_process: settings.in_process.contains(&plugin.name) && recorded.as_deref() == Some(sha256),
            asked: asked(unit),
            allowed,
            recorded,
            announced,
            settings: Arc::clone(settings),
        }));
        let spec = unit.spec.clone().into_bytes();
        match unit.kind {
            REPORT => Some(items::described_report(this, &unit.name, spec)),
            CACHE => Some(items::described_cache(this, &unit.name, spec)),
            RENDERER => Some(items::described_renderer(this, &unit.name, spec)),
            _ => None,
        }
    }

    /// Prints a notice, once, if the file is new or changed, and records its hash.
    fn announce(&self) {
        let known = self.recorded.as_ref() == Some(&self.sha256);
        if known || self.announced.swap(true, Ordering::Relaxed) {
            return;
        }
        let what = match self.recorded {
            None => "is new",
            Some(_) => "has changed",
        };
        let hash = self.sha256.get(..16).unwrap_or(&self.sha256);
        self.settings.notice.line(
            LogLevel::Info,
            &format!("plugin {} {} from {} (sha256:{hash}…) {what}", self.plugin, self.version, self.file.display()),
        );
        let lock = self.settings.trust_file.as_deref();
        if let Err(error) = TrustRecord::record(lock, &self.file, &self.plugin, &self.sha256) {
            self.settings.notice.line(LogLevel::Warn, &format!("{error:#}"));
        }
    }

    fn launch(&self) -> Launch {
        let declared = serde_json::from_str(&self.spec).unwrap_or(DeclaredVariables { variables: Vec::new() });
        Launch {
            program: self.settings.program.clone(),
            file: self.file.clone(),
            sha256: self.sha256.clone(),
            plugin: self.plugin.clone(),
            unit: self.unit.clone(),
            variables: declared.variables.into_iter().map(|variable| variable.name).collect(),
            confinement: self.settings.confinement(&self.allowed),
            access: self.allowed.clone(),
        }
    }

    /// The command that allows what it asks for.
    fn allowing(&self) -> String {
        match self.settings.trust_file {
            Some(_) => format!("itch plugins trust --allow {}", self.plugin),
            // It is only checked.
            None => format!("itch plugins check --allow {}", self.file.display()),
        }
    }

    /// Adds to an error of a unit that may not use all it asks for how to allow that.
    fn helped(&self, error: Error) -> Error {
        let forbidden = self.asked != self.allowed && !self.in_process;
        match forbidden && error.hint.is_none() && error.kind == ErrorKind::Failed {
            true => error.hint(self.allowing()),
            false => error,
        }
    }

    /// The error of a cache that may not use what it needs.
    fn refusal(&self) -> Option<Error> {
        let refused = self.asked != self.allowed && !self.asked.implied && !self.in_process;
        refused.then(|| {
            let needs = "needs files or the network, which it is not allowed to use";
            Error::of_plugin(ErrorKind::Failed, Some(&self.plugin), needs).hint(self.allowing())
        })
    }

    /// The unit itself, loaded into this process.
    fn loaded(&self, kind: u32) -> Result<&'static Item> {
        let mut all = lock(&LOADED);
        let library = match all.get(&self.file) {
            Some(library) => Arc::clone(library),
            None => {
                let library = Arc::new(serve::load(&self.file, &self.sha256, &self.plugin)?);
                all.insert(self.file.clone(), Arc::clone(&library));
                library
            }
        };
        library.item(kind, &self.unit).ok_or_else(|| {
            let message = format!("`{}` has no `{}`", self.file.display(), self.unit);
            Error::new(ErrorKind::Failed, message)
        })
    }

    /// Adds the plugin's name to a failure in the plugin. Errors of the service, the arguments or the configuration are
    /// not changed: most often they only passed through the plugin.
    fn named(&self, error: Error, rows: Option<u64>) -> Error {
        let error = self.called(error, rows);
        if error.kind != ErrorKind::Failed || error.plugin() == Some(&self.plugin) {
            return error;
        }
        let message = format!("the plugin `{}` failed: {}", self.plugin, error.message);
        Error { message, ..error }.detail(|details| details.plugin = Some(self.plugin.clone()))
    }

    /// Adds the plugin's name to the error of a panic, which is caught where the name is not known.
    fn called(&self, error: Error, rows: Option<u64>) -> Error {
        if error.reason() == Some(Reason::FileChanged) {
            // The next run inspects the file again.
            Index::forget(self.settings.index.as_deref(), &self.file);
        }
        if error.kind != ErrorKind::Panic {
            return error;
        }
        // What the plugin itself said about it stays, as the first cause.
        let own_words = error.plugin().is_none() && error.message != items::PANICKED;
        let said = own_words.then(|| error.message.clone());
        let Error { message, details, .. } = died(&self.plugin, ErrorKind::Panic, "panicked", rows);
        let causes = said.into_iter().chain(error.causes).collect();
        Error {
            message,
            details,
            causes,
            ..error
        }
    }
}

impl Report for ExternalUnit {
    fn describe(&self) -> ReportSpec {
        serde_json::from_str(&self.spec).unwrap_or_default()
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        self.announce();
        let rows = Arc::new(AtomicU64::new(0));
        let ended = match self.in_process {
            true => {
                let host = CountingHost {
                    host: call.host(),
                    plugin: self.plugin.clone(),
                    rows: Arc::clone(&rows),
                };
                drive::run_report(self.loaded(REPORT)?, Arc::new(host), call.input())
            }
            false => isolated_report::report(&self.launch(), call.host(), call.input(), &rows, &self.settings.log),
        };
        ended.map_err(|error| self.helped(self.named(error, Some(rows.load(Ordering::Relaxed)))))
    }
}

impl Cache for ExternalUnit {
    fn describe(&self) -> CacheSpec {
        serde_json::from_str(&self.spec).unwrap_or_default()
    }

    fn open(&self, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        self.announce();
        if let Some(refused) = self.refusal() {
            return Err(refused);
        }
        let opened = match self.in_process {
            true => {
                let log = settings.log.clone();
                let host = LogHost::new(move |level, message: &str| log.line(level, message)).of_plugin(&self.plugin);
                self.loaded(CACHE)
                    .and_then(|item| drive::open_cache(item, Arc::new(host), settings))
            }
            false => isolated_cache::open(&self.launch(), settings, &self.settings.log)
                .map(|store| Box::new(store) as Box<dyn CacheStore>),
        };
        // The caller adds the name of the cache.
        opened.map_err(|error| self.helped(self.called(error, None)))
    }
}

impl Renderer for ExternalUnit {
    fn describe(&self) -> RendererSpec {
        serde_json::from_str(&self.spec).unwrap_or_else(|_| RendererSpec::new(&self.unit, "", ""))
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        self.announce();
        let drawn = match self.in_process {
            true => {
                let log = self.settings.log.clone();
                let host = LogHost::new(move |level, message: &str| log.line(level, message)).of_plugin(&self.plugin);
                self.loaded(RENDERER)
                    .and_then(|item| drive::render(item, Arc::new(host), chart, out))
            }
            false => isolated_renderer::render(&self.launch(), chart, out, &self.settings.log),
        };
        drawn.map_err(|error| self.helped(self.named(error, None)))
    }
}

/// The host of a call, which counts rows.
struct CountingHost {
    host: Arc<dyn RunHost>,
    plugin: String,
    rows: Arc<AtomicU64>,
}

impl RunHost for CountingHost {
    fn transport(&self) -> &Arc<dyn Transport> {
        self.host.transport()
    }

    fn emit(&self, rows: &[u8], n: u32) -> Result<()> {
        self.rows.fetch_add(u64::from(n), Ordering::Relaxed);
        self.host.emit(rows, n)
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.host.progress(done, total);
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.host.log(level, message);
    }

    fn plugin(&self) -> Option<&str> {
        Some(&self.plugin)
    }
}
