//! Searching the directories: which plugin files exist, their units, and why a file cannot be used.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use itch_api::{Error, ErrorKind};
use itch_plugin::{LogLevel, Origin, Registered};

use crate::access::{UnitAccess, all_asked, asked, label};
use crate::external_unit::ExternalUnit;
use crate::index::Index;
use crate::library::{Description, Unit};
use crate::probe::{Inspected, Outcome, probe_all};
use crate::safety::SafetyChecker;
use crate::trust::TrustRecord;
use crate::{FileIdentity, Settings};

/// Everything that was found.
#[derive(Debug)]
pub struct Found {
    /// The files, in the order of their places and names.
    pub files: Vec<FoundFile>,
    settings: Arc<Settings>,
}

/// A file that may be a plugin.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// The path at which it was found.
    pub path: PathBuf,
    /// Its real path, if it is safe to load.
    pub real: Option<PathBuf>,
    /// The index of its place.
    pub place: usize,
    /// Its hash, if it is known.
    pub sha256: Option<String>,
    /// The plugin's description, if it is known.
    pub description: Option<Description>,
    /// Whether it can be used.
    pub status: Status,
    recorded: Option<String>,
    /// What the user has allowed to its units, if the file has not changed since.
    allowed: BTreeMap<String, UnitAccess>,
    /// The name of the plugin in the lock file.
    recorded_plugin: Option<String>,
}

/// Whether a file can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It can be used, and was before.
    Ok,
    /// It can be used, and was not before.
    New,
    /// It can be used, and has changed since it was used last.
    Changed,
    /// It is disabled.
    Disabled,
    /// It cannot be used until it is trusted.
    Untrusted,
    /// It cannot be used, for this reason.
    Refused(String),
    /// The process that inspected it crashed: how.
    Crashed(String),
}

impl Status {
    /// Whether the file's units can be called.
    pub fn is_usable(&self) -> bool {
        matches!(self, Status::Ok | Status::New | Status::Changed)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Ok => f.write_str("ok"),
            Status::New => f.write_str("new"),
            Status::Changed => f.write_str("changed"),
            Status::Disabled => f.write_str("disabled"),
            Status::Untrusted => f.write_str("refused: it is not trusted"),
            Status::Refused(why) => write!(f, "refused: {why}"),
            Status::Crashed(how) => write!(f, "crashed: {how}"),
        }
    }
}

impl FoundFile {
    /// The plugin's name, or the file's name if the plugin's is not known.
    pub fn name(&self) -> String {
        self.plugin().map_or_else(|| self.file_name(), str::to_owned)
    }

    /// The plugin's name, if it is known: from its description, or from when it was last used or trusted.
    pub fn plugin(&self) -> Option<&str> {
        let described = self.description.as_ref();
        let described = described.map(|description| description.name.as_str());
        described.or(self.recorded_plugin.as_deref())
    }

    /// What the user has allowed a unit of it.
    pub fn allowed(&self, unit: &Unit) -> UnitAccess {
        self.allowed.get(&label(unit)).cloned().unwrap_or_default()
    }

    /// Whether the user has allowed this unit everything that it asks for.
    pub fn allows(&self, unit: &Unit) -> bool {
        let asked = asked(unit);
        asked.access.is_empty() || self.allowed(unit) == asked
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The error for calling its units, if they cannot be called.
    fn refusal(&self) -> Option<Error> {
        let refused = |why: String| Some(Error::new(ErrorKind::Failed, why));
        match &self.status {
            Status::Ok | Status::New | Status::Changed => None,
            Status::Disabled => refused("it is disabled".to_owned())
                .map(|error| error.hint(format!("itch plugins enable {}", self.name()))),
            Status::Untrusted => refused("it is not trusted".to_owned())
                .map(|error| error.hint(format!("itch plugins trust {}", self.name()))),
            Status::Refused(why) => refused(why.clone()),
            Status::Crashed(how) => refused(format!("it crashed: {how}")),
        }
    }
}

/// Searches all places. Unknown files are inspected in separate processes; no file is opened in this one.
pub fn discover(mut settings: Settings) -> Found {
    let mut index = Index::read(settings.index.as_deref());
    let lock = TrustRecord::read(settings.trust_file.as_deref()).unwrap_or_else(|error| {
        // A plugin that is disabled there must not run because the file cannot be read.
        settings.pinned = true;
        let message = format!("{error:#}; no plugin is trusted until this is fixed");
        settings.notice.line(LogLevel::Warn, &message);
        if let Some(hint) = &error.hint {
            settings.notice.line(LogLevel::Info, &format!("hint: {hint}"));
        }
        TrustRecord::default()
    });
    let settings = Arc::new(settings);
    let mut search = Search {
        settings: &settings,
        index: &mut index,
        lock: &lock,
        safety: SafetyChecker::default(),
        checked: HashMap::new(),
        probe_failures: BTreeMap::new(),
        index_changed: false,
    };
    let candidates = settings.places.candidates();
    if !settings.only_known {
        search.probe_unknown(&candidates);
    }
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for (place, path) in candidates {
        let file = search.file(place, path);
        let first = file.real.as_ref().is_none_or(|real| seen.insert(real.clone()));
        if first {
            files.push(file);
        }
    }
    if search.index_changed {
        index.write(settings.index.as_deref());
    }
    Found { files, settings }
}

/// The real path and the identity of a file, or why it must not be loaded.
type Checked = Result<(PathBuf, FileIdentity), String>;

struct Search<'a> {
    settings: &'a Settings,
    index: &'a mut Index,
    lock: &'a TrustRecord,
    safety: SafetyChecker,
    /// Files that need not be inspected, with the result of their check, so that it is not repeated.
    checked: HashMap<PathBuf, Checked>,
    /// The files that could not be inspected, for reasons outside the files.
    probe_failures: BTreeMap<PathBuf, String>,
    index_changed: bool,
}

impl Search<'_> {
    fn check(&mut self, path: &Path) -> Checked {
        let (real, found) = self.safety.check(path)?;
        Ok((real, FileIdentity::of(&found)))
    }

    /// Inspects all unknown files at the same time, since each may be slow.
    fn probe_unknown(&mut self, candidates: &[(usize, PathBuf)]) {
        let mut wanted = BTreeMap::new();
        for (_, path) in candidates {
            let checked = self.check(path);
            self.checked.insert(path.clone(), checked.clone());
            let Ok((real, identity)) = checked else {
                continue;
            };
            let entry = self.lock.get(&real);
            if entry.is_some_and(|entry| entry.disabled) {
                continue;
            }
            let recorded = entry.map(|entry| entry.sha256.as_str());
            let recorded = recorded.filter(|sha256| !sha256.is_empty());
            if self.needs_probe(&real, &identity, recorded) {
                self.checked.remove(path);
                let only = self.settings.pinned.then(|| recorded.unwrap_or("nothing"));
                wanted.insert(real, only.map(str::to_owned));
            }
        }
        for (real, inspected) in probe_all(self.settings, wanted.into_iter().collect()) {
            match inspected {
                Ok(inspected) => {
                    self.index.put(&real, inspected);
                    self.index_changed = true;
                }
                Err(why) => drop(self.probe_failures.insert(real, why)),
            }
        }
    }

    /// Whether a file has to be inspected: it is not in the index, or its entry may be outdated.
    fn needs_probe(&self, real: &Path, identity: &FileIdentity, recorded: Option<&str>) -> bool {
        let Some(known) = self.known(real, identity) else {
            return true;
        };
        // It may have been trusted since.
        let trusted = !self.settings.pinned || recorded == Some(&*known.sha256);
        known.outcome == Outcome::Untrusted && trusted || known.passing && self.settings.again
    }

    fn file(&mut self, place: usize, path: PathBuf) -> FoundFile {
        let mut file = FoundFile {
            path,
            real: None,
            place,
            sha256: None,
            description: None,
            status: Status::Ok,
            recorded: None,
            allowed: BTreeMap::new(),
            recorded_plugin: None,
        };
        let checked = match self.checked.remove(&file.path) {
            Some(checked) => checked,
            None => self.check(&file.path),
        };
        let (real, identity) = match checked {
            Ok(checked) => checked,
            Err(why) => {
                file.status = Status::Refused(why);
                return file;
            }
        };
        let entry = self.lock.get(&real);
        file.recorded = entry
            .map(|entry| entry.sha256.clone())
            .filter(|sha256| !sha256.is_empty());
        // For a file that was trusted before it was ever loaded, the lock file has the file's name.
        file.recorded_plugin = entry
            .map(|entry| entry.plugin.clone())
            .filter(|plugin| !plugin.is_empty() && *plugin != file.file_name());
        file.real = Some(real.clone());
        if entry.is_some_and(|entry| entry.disabled) {
            // A disabled file is not inspected, so only the index knows its description.
            let known = self.known(&real, &identity);
            if let Some(Outcome::Plugin(description)) = known.map(|known| &known.outcome) {
                file.description = Some((**description).clone());
            }
            file.status = Status::Disabled;
            return file;
        }
        let Some(inspected) = self.known(&real, &identity).cloned() else {
            let why = self.probe_failures.get(&real).cloned();
            let why = why.unwrap_or_else(|| "it is being changed".to_owned());
            file.status = Status::Refused(why);
            return file;
        };
        let is_recorded = file.recorded.as_ref() == Some(&inspected.sha256);
        file.status = match inspected.outcome {
            Outcome::Untrusted => Status::Untrusted,
            Outcome::Refused(why) => Status::Refused(why),
            Outcome::Crashed(how) => Status::Crashed(how),
            Outcome::Plugin(description) => {
                file.description = Some(*description);
                match (is_recorded, &file.recorded) {
                    (true, _) => Status::Ok,
                    (false, _) if self.settings.pinned => Status::Untrusted,
                    (false, None) => Status::New,
                    (false, Some(_)) => Status::Changed,
                }
            }
        };
        if let Some(description) = file.description.as_ref().filter(|_| self.settings.allow) {
            file.allowed = all_asked(description);
        } else if is_recorded {
            file.allowed = entry.map(|entry| entry.allowed.clone()).unwrap_or_default();
        }
        // A file that cannot be read has no hash.
        file.sha256 = Some(inspected.sha256).filter(|sha256| !sha256.is_empty());
        file
    }

    /// The index entry of a file, if the file has not changed.
    fn known(&self, real: &Path, identity: &FileIdentity) -> Option<&Inspected> {
        let known = self.index.get(real)?;
        (known.identity == *identity).then_some(known)
    }
}

impl Found {
    /// The units of all files, for the registry. Units that cannot be called are included, with the reason.
    pub fn units(&self) -> Vec<Registered> {
        let mut units = Vec::new();
        for file in &self.files {
            let (Some(plugin), Some(real)) = (&file.description, &file.real) else {
                continue;
            };
            let sha256 = file.sha256.as_deref().unwrap_or_default();
            let announced = Arc::new(AtomicBool::new(false));
            for unit in &plugin.units {
                let recorded = (file.recorded.clone(), Arc::clone(&announced));
                let allowed = file.allowed(unit);
                let item = ExternalUnit::item(&self.settings, real.clone(), sha256, recorded, plugin, unit, allowed);
                let origin = Origin::File {
                    path: file.path.clone(),
                    place: file.place,
                };
                let registered =
                    item.and_then(|item| Registered::new(item, &plugin.name, &plugin.version, plugin.abi, origin));
                units.extend(registered.map(|unit| Registered {
                    refused: file.refusal().or(unit.refused.clone()),
                    ..unit
                }));
            }
        }
        units
    }

    /// Whether the units of a file are loaded into this process.
    pub fn runs_in_process(&self, file: &FoundFile) -> bool {
        let named = file
            .plugin()
            .is_some_and(|plugin| self.settings.in_process.iter().any(|name| name == plugin));
        named && file.status == Status::Ok
    }

    /// The settings of the search.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The files with this plugin name or file name.
    pub fn named(&self, name: &str) -> Vec<&FoundFile> {
        let by = |file: &&FoundFile| file.name() == name || file.file_name() == name || file.path == Path::new(name);
        self.files.iter().filter(by).collect()
    }
}
