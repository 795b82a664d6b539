//! The shared registry: every unit that is linked in, found without anybody listing it by hand.

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

/// A unit that was found.
#[derive(Clone, Debug)]
pub struct Registered {
    /// What it says of itself.
    pub spec: Spec,
    /// The plugin that it belongs to.
    pub plugin: String,
    /// That plugin's version.
    pub version: String,
    /// The boundary's version that it was built for.
    pub abi: (u16, u16),
    /// Why it cannot be used, if it cannot.
    pub refused: Option<Error>,
    /// How it is called.
    pub item: &'static Item,
}

/// Every unit, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    units: Vec<Registered>,
}

impl Registry {
    /// The units that are linked into this program, sorted by kind and name.
    pub fn linked_in() -> Registry {
        let units = inventory::iter::<Unit>.into_iter().filter_map(|unit| {
            let item = (unit.item)();
            let spec = read_spec(item).ok()??;
            let refused = match &spec {
                Spec::Report(report) => report.check().err(),
                Spec::Cache(cache) => cache.check().err(),
                Spec::Renderer(_) => None,
            };
            Some(Registered {
                spec,
                plugin: unit.plugin.to_owned(),
                version: unit.version.to_owned(),
                abi: (abi::ABI_MAJOR, abi::ABI_MINOR),
                refused,
                item,
            })
        });
        let mut registry = Registry {
            units: units.collect(),
        };
        // `inventory` promises no order.
        registry
            .units
            .sort_by(|a, b| (a.spec.kind(), a.spec.name()).cmp(&(b.spec.kind(), b.spec.name())));
        registry
    }

    /// Every unit.
    pub fn units(&self) -> &[Registered] {
        &self.units
    }

    /// The reports that can be used.
    pub fn reports(&self) -> impl Iterator<Item = (&ReportSpec, &Registered)> {
        self.usable().filter_map(|unit| match &unit.spec {
            Spec::Report(spec) => Some((spec, unit)),
            _ => None,
        })
    }

    /// The cache backends that can be used.
    pub fn caches(&self) -> impl Iterator<Item = (&CacheSpec, &Registered)> {
        self.usable().filter_map(|unit| match &unit.spec {
            Spec::Cache(spec) => Some((spec, unit)),
            _ => None,
        })
    }

    /// The renderers that can be used.
    pub fn renderers(&self) -> impl Iterator<Item = (&RendererSpec, &Registered)> {
        self.usable().filter_map(|unit| match &unit.spec {
            Spec::Renderer(spec) => Some((spec, unit)),
            _ => None,
        })
    }

    /// The report of this name or alias.
    pub fn report(&self, name: &str) -> Option<(&ReportSpec, &Registered)> {
        self.reports().find(|(spec, _)| {
            spec.name == name || spec.aliases.iter().any(|alias| alias.name == name)
        })
    }

    /// The cache backend of this name.
    pub fn cache(&self, name: &str) -> Option<(&CacheSpec, &Registered)> {
        self.caches().find(|(spec, _)| spec.name == name)
    }

    /// The renderer of this name.
    pub fn renderer(&self, name: &str) -> Option<(&RendererSpec, &Registered)> {
        self.renderers().find(|(spec, _)| spec.name == name)
    }

    fn usable(&self) -> impl Iterator<Item = &Registered> {
        self.units.iter().filter(|unit| unit.refused.is_none())
    }
}

/// Reads an item's description; `None` for a kind that this version does not know.
fn read_spec(item: &Item) -> Result<Option<Spec>> {
    Ok(match item.kind {
        abi::REPORT => Some(Spec::Report(parse(item)?)),
        abi::CACHE => Some(Spec::Cache(parse(item)?)),
        abi::RENDERER => Some(Spec::Renderer(parse(item)?)),
        _ => None,
    })
}

fn parse<T: DeserializeOwned>(item: &Item) -> Result<T> {
    serde_json::from_slice(item.spec_json()).map_err(|error| {
        Error::new(
            ErrorKind::Unsupported,
            "the unit's description cannot be read",
        )
        .source_chain(&error)
    })
}
