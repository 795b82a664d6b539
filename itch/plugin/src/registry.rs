//! The shared registry: all units that are linked in or were found in a file, and which of them a name refers to.

mod open;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::abi::{self, Item};
use crate::{CacheSpec, Error, ErrorKind, RendererSpec, ReportSpec, Result};

/// The value that `report!`, `cache!` and `renderer!` submit.
pub struct Unit {
    /// Makes the item; it may be called several times and returns the same item each time.
    pub item: fn() -> &'static Item,
    /// The crate of the unit.
    pub plugin: &'static str,
    /// The version of that crate.
    pub version: &'static str,
}

inventory::collect!(Unit);

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// The description of a unit, by its kind.
#[derive(Clone, Debug)]
pub enum Spec {
    /// A report.
    Report(ReportSpec),
    /// A cache backend.
    Cache(CacheSpec),
    /// A renderer.
    Renderer(RendererSpec),
}

impl Spec {
    /// `report`, `cache` or `renderer`.
    pub fn kind(&self) -> &'static str {
        match self {
            Spec::Report(_) => "report",
            Spec::Cache(_) => "cache",
            Spec::Renderer(_) => "renderer",
        }
    }

    /// The unit's name.
    pub fn name(&self) -> &str {
        match self {
            Spec::Report(spec) => &spec.name,
            Spec::Cache(spec) => &spec.name,
            Spec::Renderer(spec) => &spec.name,
        }
    }

    /// The unit's summary.
    pub fn summary(&self) -> &str {
        match self {
            Spec::Report(spec) => &spec.summary,
            Spec::Cache(spec) => &spec.summary,
            Spec::Renderer(spec) => &spec.summary,
        }
    }
}

/// Where a unit comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    LinkedIn,
    /// A shared library.
    File {
        /// The file.
        path: PathBuf,
        /// The index of the directory in the search order. If two units have one name, the earlier directory wins.
        place: usize,
    },
}

impl Origin {
    /// The precedence: the lower one wins a name. Linked-in units come first.
    fn rank(&self) -> usize {
        match self {
            Origin::LinkedIn => 0,
            Origin::File { place, .. } => place.saturating_add(1),
        }
    }
}

/// A unit of the registry.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its description. If the description cannot be parsed, only kind and name are known.
    pub spec: Spec,
    /// The plugin of the unit.
    pub plugin: String,
    /// That plugin's version.
    pub version: String,
    /// The version of the boundary that it was built for.
    pub abi: (u16, u16),
    /// Where it comes from.
    pub origin: Origin,
    /// The reason if it cannot be used.
    pub refused: Option<Error>,
    /// The item through which it is called.
    pub item: &'static Item,
}

impl Registered {
    /// Reads and checks the description of an item; `None` for a kind that this version does not know. A unit that
    /// cannot be used is kept, with the reason.
    pub fn new(
        item: &'static Item,
        plugin: impl Into<String>,
        version: impl Into<String>,
        abi: (u16, u16),
        origin: Origin,
    ) -> Option<Registered> {
        let (spec, refused) = read_spec(item)?;
        Some(Registered {
            spec,
            plugin: plugin.into(),
            version: version.into(),
            abi,
            origin,
            refused,
            item,
        })
    }

    /// The full name, `plugin/unit`. It can be used even if the name refers to another unit.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.plugin, self.spec.name())
    }

    /// The unit's name and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = match &self.spec {
            Spec::Report(spec) => spec.aliases.as_slice(),
            Spec::Cache(_) | Spec::Renderer(_) => &[],
        };
        let aliases = aliases.iter().map(|alias| alias.name.as_str());
        std::iter::once(self.spec.name()).chain(aliases)
    }
}

/// Whether a unit's name refers to it.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    /// It does.
    Named,
    /// It cannot be used at all.
    Refused(&'a Error),
    /// The name refers to another unit; this one can be called by its full name.
    Shadowed {
        /// The other unit.
        by: &'a Registered,
    },
    /// The name is ambiguous: another unit with the same precedence has it too.
    Tied {
        /// The other unit.
        with: &'a Registered,
    },
}

/// What a name refers to: indexes into [`Registry::units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    One(usize),
    Tie(usize, usize),
}

/// Every unit, by kind and name.
///
/// A name refers to a linked-in unit first, then to the unit found in the earliest directory; a preference overrides
/// this order. If two units of one directory have the same name, the name is ambiguous and refers to neither. Each
/// unit can be called by its full name, `plugin/name`.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    units: Vec<Registered>,
    /// Names, and the plugin preferred for each.
    preferred: Vec<(String, String)>,
    names: BTreeMap<(&'static str, String), Meaning>,
}

impl Registry {
    /// The units that are linked into this program, sorted by kind and name.
    pub fn linked_in() -> Registry {
        let mut registry = Registry::default();
        let units = inventory::iter::<Unit>.into_iter();
        registry.units.extend(units.filter_map(|unit| {
            Registered::new(
                (unit.item)(),
                unit.plugin,
                unit.version,
                (abi::ABI_MAJOR, abi::ABI_MINOR),
                Origin::LinkedIn,
            )
        }));
        registry.resolve_names();
        registry
    }

    /// Adds units found in files.
    pub fn add(&mut self, units: impl IntoIterator<Item = Registered>) {
        self.units.extend(units);
        self.resolve_names();
    }

    /// Makes a name refer to the unit of this plugin, whatever other units have the name.
    pub fn prefer(&mut self, name: impl Into<String>, plugin: impl Into<String>) {
        self.preferred.push((name.into(), plugin.into()));
        self.resolve_names();
    }

    /// All units, including those that cannot be used, sorted by kind, name and precedence.
    pub fn units(&self) -> &[Registered] {
        &self.units
    }

    /// Whether the name of a unit of this registry refers to it, and if not, why.
    pub fn standing<'a>(&'a self, unit: &'a Registered) -> Standing<'a> {
        if let Some(why) = &unit.refused {
            return Standing::Refused(why);
        }
        let is_this = |place: &usize| {
            self.units
                .get(*place)
                .is_some_and(|other| std::ptr::eq(other.item, unit.item))
        };
        let other = |place: usize| self.units.get(place).unwrap_or(unit);
        match self.meaning(unit.spec.kind(), unit.spec.name()) {
            Some(Meaning::One(place)) if !is_this(&place) => Standing::Shadowed { by: other(place) },
            Some(Meaning::Tie(first, second)) if is_this(&first) => Standing::Tied { with: other(second) },
            Some(Meaning::Tie(first, _)) => Standing::Tied { with: other(first) },
            _ => Standing::Named,
        }
    }

    /// Whether a name, such as an alias, refers to this unit.
    pub fn means(&self, name: &str, unit: &Registered) -> bool {
        self.find(unit.spec.kind(), name)
            .is_some_and(|meant| std::ptr::eq(meant.item, unit.item))
    }

    /// The reports that can be called by their names, sorted by name.
    pub fn reports(&self) -> impl Iterator<Item = (&ReportSpec, &Registered)> {
        self.named().filter_map(as_report)
    }

    /// The cache backends that can be used by their names, sorted by name.
    pub fn caches(&self) -> impl Iterator<Item = (&CacheSpec, &Registered)> {
        self.named().filter_map(as_cache)
    }

    /// The renderers that can be used by their names, sorted by name.
    pub fn renderers(&self) -> impl Iterator<Item = (&RendererSpec, &Registered)> {
        self.named().filter_map(as_renderer)
    }

    /// The report with this name, alias or full name.
    pub fn report(&self, name: &str) -> Option<(&ReportSpec, &Registered)> {
        self.find("report", name).and_then(as_report)
    }

    /// The cache backend with this name or full name.
    pub fn cache(&self, name: &str) -> Option<(&CacheSpec, &Registered)> {
        self.find("cache", name).and_then(as_cache)
    }

    /// The renderer with this name or full name.
    pub fn renderer(&self, name: &str) -> Option<(&RendererSpec, &Registered)> {
        self.find("renderer", name).and_then(as_renderer)
    }

    /// The renderer for files with this extension. If there are several, the one whose origin comes first.
    pub fn renderer_by_extension(&self, extension: &str) -> Option<(&RendererSpec, &Registered)> {
        let draws = |spec: &RendererSpec| {
            let mut extensions = spec.extensions.iter();
            extensions.any(|known| known.eq_ignore_ascii_case(extension))
        };
        self.renderers()
            .filter(|(spec, _)| draws(spec))
            .min_by_key(|(_, unit)| unit.origin.rank())
    }

    /// The error for a name that is ambiguous, or whose only unit cannot be used. `None` if no unit has the name, or if
    /// it refers to a unit.
    pub fn conflict(&self, kind: &str, name: &str) -> Option<Error> {
        match self.meaning(kind, name) {
            Some(Meaning::One(_)) => None,
            Some(Meaning::Tie(first, second)) => {
                let (first, second) = (self.units.get(first)?, self.units.get(second)?);
                let bare = name.rsplit_once('/').map_or(name, |(_, bare)| bare);
                let message =
                    format!("two {kind}s are called `{bare}`: {} and {}", origin_text(first), origin_text(second));
                let hint = match first.plugin == second.plugin {
                    true => "itch plugins list".to_owned(),
                    false => format!("itch --prefer {bare}={}", first.plugin),
                };
                Some(Error::new(ErrorKind::Usage, message).hint(hint))
            }
            None => {
                let unit = self.units.iter().find(|unit| {
                    let bare = unit.names().any(|known| known == name);
                    unit.spec.kind() == kind && (bare || unit.full_name() == name)
                })?;
                let why = unit.refused.as_ref()?;
                let message = format!("the {kind} `{name}` of {} cannot be used", origin_text(unit));
                let hint = why.hint.as_deref().unwrap_or("itch plugins list");
                Some(why.clone().context(message).hint(hint))
            }
        }
    }

    /// Sorts the units, and determines again what each name refers to.
    fn resolve_names(&mut self) {
        // Neither `inventory` nor a directory guarantees an order.
        fn key(unit: &Registered) -> (&str, &str, usize, &str) {
            let (kind, name) = (unit.spec.kind(), unit.spec.name());
            (kind, name, unit.origin.rank(), &unit.plugin)
        }
        self.units.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut names: BTreeMap<(&'static str, String), Vec<usize>> = BTreeMap::new();
        for (place, unit) in self.units.iter().enumerate() {
            if unit.refused.is_some() {
                continue;
            }
            for name in unit.names() {
                let full = format!("{}/{name}", unit.plugin);
                for name in [name.to_owned(), full] {
                    names.entry((unit.spec.kind(), name)).or_default().push(place);
                }
            }
        }
        let names = names.into_iter().filter_map(|((kind, name), places)| {
            let meaning = self.decide(&name, &places)?;
            Some(((kind, name), meaning))
        });
        self.names = names.collect();
    }

    /// What a name of these units refers to.
    fn decide(&self, name: &str, places: &[usize]) -> Option<Meaning> {
        let claim = |place: &usize| {
            let unit = self.units.get(*place)?;
            let preferred = self
                .preferred
                .iter()
                .any(|(wanted, plugin)| wanted == name && *plugin == unit.plugin);
            // Within one directory a name takes precedence over another unit's alias.
            let other_name = unit.spec.name() != name && !name.contains('/');
            Some((!preferred, unit.origin.rank(), other_name))
        };
        let best = places.iter().filter_map(claim).min()?;
        let mut winners = places.iter().filter(|place| claim(place) == Some(best));
        let first = *winners.next()?;
        Some(match winners.next() {
            None => Meaning::One(first),
            Some(second) => Meaning::Tie(first, *second),
        })
    }

    fn meaning(&self, kind: &str, name: &str) -> Option<Meaning> {
        // The kinds in the keys are three static strings, so a key needs the static string for a lookup.
        let kind = ["report", "cache", "renderer"]
            .into_iter()
            .find(|known| *known == kind)?;
        self.names.get(&(kind, name.to_owned())).copied()
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Registered> {
        match self.meaning(kind, name)? {
            Meaning::One(place) => self.units.get(place),
            Meaning::Tie(..) => None,
        }
    }

    fn named(&self) -> impl Iterator<Item = &Registered> {
        self.units
            .iter()
            .filter(|unit| matches!(self.standing(unit), Standing::Named))
    }
}

fn as_report(unit: &Registered) -> Option<(&ReportSpec, &Registered)> {
    match &unit.spec {
        Spec::Report(spec) => Some((spec, unit)),
        _ => None,
    }
}

fn as_cache(unit: &Registered) -> Option<(&CacheSpec, &Registered)> {
    match &unit.spec {
        Spec::Cache(spec) => Some((spec, unit)),
        _ => None,
    }
}

fn as_renderer(unit: &Registered) -> Option<(&RendererSpec, &Registered)> {
    match &unit.spec {
        Spec::Renderer(spec) => Some((spec, unit)),
        _ => None,
    }
}

/// A unit's plugin and, if it has one, its file.
fn origin_text(unit: &Registered) -> String {
    match &unit.origin {
        Origin::LinkedIn => unit.plugin.clone(),
        Origin::File { path, .. } => format!("{} ({})", unit.plugin, path.display()),
    }
}

/// Parses and checks an item's description; `None` for a kind that this version does not know.
fn read_spec(item: &Item) -> Option<(Spec, Option<Error>)> {
    let name = String::from_utf8_lossy(item.name()).into_owned();
    let (spec, refused) = match item.kind {
        abi::REPORT => {
            let (spec, refused) = parse(item, ReportSpec::check);
            let unread = || ReportSpec::new(name.clone(), "");
            (Spec::Report(spec.unwrap_or_else(unread)), refused)
        }
        abi::CACHE => {
            let (spec, refused) = parse(item, CacheSpec::check);
            let unread = || CacheSpec::new(name.clone(), "");
            (Spec::Cache(spec.unwrap_or_else(unread)), refused)
        }
        abi::RENDERER => {
            let (spec, refused) = parse(item, RendererSpec::check);
            let unread = || RendererSpec::new(name.clone(), "", "");
            (Spec::Renderer(spec.unwrap_or_else(unread)), refused)
        }
        _ => return None,
    };
    let refused = refused.or_else(|| {
        let message = "the unit's name is not the name in its description";
        (spec.name() != name).then(|| Error::new(ErrorKind::Unsupported, message))
    });
    Some((spec, refused))
}

/// A description, as far as it can be parsed, and the error.
fn parse<T: DeserializeOwned>(item: &Item, check: impl FnOnce(&T) -> Result<()>) -> (Option<T>, Option<Error>) {
    match serde_json::from_slice(item.spec_json()) {
        Ok(spec) => {
            let refused = check(&spec).err();
            (Some(spec), refused)
        }
        Err(error) => {
            let message = "could not parse the unit's description";
            let error = Error::new(ErrorKind::Unsupported, message).source_chain(&error);
            (None, Some(error))
        }
    }
}

#[cfg(test)]
mod tests;
