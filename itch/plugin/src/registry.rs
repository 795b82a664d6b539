//! The shared registry: every unit that is linked in or was found in a file, and which of them a name means.

mod open;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::abi::{self, Item};
use crate::{CacheSpec, Error, ErrorKind, RendererSpec, ReportSpec, Result};

/// What `report!`, `cache!` and `renderer!` submit.
pub struct Unit {
    /// Makes the item; called at most a few times, gives the same item each time.
    pub item: fn() -> &'static Item,
    /// The crate that it is in.
    pub plugin: &'static str,
    /// That crate's version.
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

/// What a unit says of itself, by its kind.
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

    /// The unit's one line.
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
        /// Which of the searched directories it lies in, in their order. An earlier one wins a name.
        place: usize,
    },
}

impl Origin {
    /// The lower one wins a name; what is linked in comes first.
    fn rank(&self) -> usize {
        match self {
            Origin::LinkedIn => 0,
            Origin::File { place, .. } => place.saturating_add(1),
        }
    }
}

/// A unit that was found.
#[derive(Clone, Debug)]
pub struct Registered {
    /// What it says of itself. Of one whose description cannot be read only kind and name are known.
    pub spec: Spec,
    /// The plugin that it belongs to.
    pub plugin: String,
    /// That plugin's version.
    pub version: String,
    /// The boundary's version that it was built for.
    pub abi: (u16, u16),
    /// Where it comes from.
    pub origin: Origin,
    /// Why it cannot be used, if it cannot.
    pub refused: Option<Error>,
    /// How it is called.
    pub item: &'static Item,
}

impl Registered {
    /// Reads and checks what an item says of itself; `None` for a kind that this version does not know. One that
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

    /// The name that always works: the plugin's, a slash and the unit's.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.plugin, self.spec.name())
    }

    /// The unit's name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = match &self.spec {
            Spec::Report(spec) => spec.aliases.as_slice(),
            Spec::Cache(_) | Spec::Renderer(_) => &[],
        };
        let aliases = aliases.iter().map(|alias| alias.name.as_str());
        std::iter::once(self.spec.name()).chain(aliases)
    }
}

/// Whether a unit is what its name means.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    /// It is.
    Named,
    /// It cannot be used at all.
    Refused(&'a Error),
    /// The name means another one; this one is reached by its full name.
    Shadowed {
        /// What the name means.
        by: &'a Registered,
    },
    /// The name means nothing, since another unit beside it has the same.
    Tied {
        /// The other one.
        with: &'a Registered,
    },
}

/// What a bare name means: places in [`Registry::units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    One(usize),
    Tie(usize, usize),
}

/// Every unit, by kind and name.
///
/// A name means what is linked in before what was found in a file, and what was found in an earlier directory before
/// what lies in a later one; a preference turns that round. Two units of one directory with one name tie: the name
/// means neither. By plugin and name, `plugin/name`, each can be reached.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    units: Vec<Registered>,
    /// A name, and the plugin that is to give it.
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

    /// Adds units that were found elsewhere.
    pub fn add(&mut self, units: impl IntoIterator<Item = Registered>) {
        self.units.extend(units);
        self.resolve_names();
    }

    /// Lets a name mean the unit of this plugin, whatever else is called so.
    pub fn prefer(&mut self, name: impl Into<String>, plugin: impl Into<String>) {
        self.preferred.push((name.into(), plugin.into()));
        self.resolve_names();
    }

    /// Every unit, also those that cannot be used, sorted by kind, name and precedence.
    pub fn units(&self) -> &[Registered] {
        &self.units
    }

    /// Whether a unit of this registry is what its name means, and if not, why.
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

    /// Whether a name, such as one of its other names, means this unit.
    pub fn means(&self, name: &str, unit: &Registered) -> bool {
        self.find(unit.spec.kind(), name)
            .is_some_and(|meant| std::ptr::eq(meant.item, unit.item))
    }

    /// The reports that their names mean, by name.
    pub fn reports(&self) -> impl Iterator<Item = (&ReportSpec, &Registered)> {
        self.named().filter_map(as_report)
    }

    /// The cache backends that their names mean, by name.
    pub fn caches(&self) -> impl Iterator<Item = (&CacheSpec, &Registered)> {
        self.named().filter_map(as_cache)
    }

    /// The renderers that their names mean, by name.
    pub fn renderers(&self) -> impl Iterator<Item = (&RendererSpec, &Registered)> {
        self.named().filter_map(as_renderer)
    }

    /// The report of this name, other name or full name.
    pub fn report(&self, name: &str) -> Option<(&ReportSpec, &Registered)> {
        self.find("report", name).and_then(as_report)
    }

    /// The cache backend of this name or full name.
    pub fn cache(&self, name: &str) -> Option<(&CacheSpec, &Registered)> {
        self.find("cache", name).and_then(as_cache)
    }

    /// The renderer of this name or full name.
    pub fn renderer(&self, name: &str) -> Option<(&RendererSpec, &Registered)> {
        self.find("renderer", name).and_then(as_renderer)
    }

    /// The renderer that draws files with this extension, of several the one whose origin comes first.
    pub fn renderer_by_extension(&self, extension: &str) -> Option<(&RendererSpec, &Registered)> {
        let draws = |spec: &RendererSpec| {
            let mut extensions = spec.extensions.iter();
            extensions.any(|known| known.eq_ignore_ascii_case(extension))
        };
        self.renderers()
            .filter(|(spec, _)| draws(spec))
            .min_by_key(|(_, unit)| unit.origin.rank())
    }

    /// The error of a name that means nothing because two units of this kind have it equally, or because the one that
    /// has it is refused; `None` where no unit has the name, or one means it.
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

    /// Sorts, and decides anew what each name means.
    fn resolve_names(&mut self) {
        // Neither `inventory` nor a directory promises an order.
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

    /// What a name means that these units have.
    fn decide(&self, name: &str, places: &[usize]) -> Option<Meaning> {
        let claim = |place: &usize| {
            let unit = self.units.get(*place)?;
            let preferred = self
                .preferred
                .iter()
                .any(|(wanted, plugin)| wanted == name && *plugin == unit.plugin);
            // Within one directory a name goes before another unit's other name.
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
        // The keys' kinds are the three static ones; a map is not asked by a shorter-lived one.
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

/// A unit's plugin and, if it was found in one, its file.
fn origin_text(unit: &Registered) -> String {
    match &unit.origin {
        Origin::LinkedIn => unit.plugin.clone(),
        Origin::File { path, .. } => format!("{} ({})", unit.plugin, path.display()),
    }
}

/// Reads an item's description and checks it; `None` for a kind that this version does not know.
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
        let message = "the unit's name and its description's differ";
        (spec.name() != name).then(|| Error::new(ErrorKind::Unsupported, message))
    });
    Some((spec, refused))
}

/// A description, as far as it can be read, and what is wrong with it.
fn parse<T: DeserializeOwned>(item: &Item, check: impl FnOnce(&T) -> Result<()>) -> (Option<T>, Option<Error>) {
    match serde_json::from_slice(item.spec_json()) {
        Ok(spec) => {
            let refused = check(&spec).err();
            (Some(spec), refused)
        }
        Err(error) => {
            let message = "the unit's description cannot be read";
            let error = Error::new(ErrorKind::Unsupported, message).source_chain(&error);
            (None, Some(error))
        }
    }
}

#[cfg(test)]
mod tests;
