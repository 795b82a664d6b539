//! Opening the cache backends that `-c` names, through the same boundary as a third party's.

use std::sync::Arc;

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::abi::Apart;
use itch_plugin::abi::drive::open_cache;
use itch_plugin::{CacheLog, CacheSettings, CacheSpec, CacheStore, LogLevel, NO_CACHE, Registered, Registry};

use crate::config::Config;
use crate::environment;
use crate::failure::usage;
use crate::talk::Talk;

/// The caches that the command line names, or else the configuration. A name that is none is a mistake, whatever
/// becomes of the others.
pub(crate) fn chosen(registry: &Registry, named: Option<Vec<String>>, config: &Config) -> Result<Vec<String>> {
    let configured = named.is_none();
    let names = named.unwrap_or_else(|| config.cache.names.clone());
    if names == [NO_CACHE] {
        return Ok(Vec::new());
    }
    for name in &names {
        if name == NO_CACHE {
            return Err(usage(format!("`{NO_CACHE}` stands for no cache, and not beside others")));
        }
        find(registry, name).map_err(|error| match configured {
            true => error.context("`[cache]` in config.toml cannot be used"),
            false => error,
        })?;
    }
    Ok(names)
}

/// Opens stores in the order named. One that cannot be opened is left out with a warning, unless `strict`.
pub(crate) fn open(
    registry: &Registry,
    names: &[String],
    max_bytes: Option<u64>,
    strict: bool,
    talk: &Talk,
) -> Result<Vec<(String, Box<dyn CacheStore>)>> {
    let mut stores = Vec::new();
    for name in names {
        match open_one(registry, name, max_bytes, strict, talk) {
            Ok(store) => stores.push((name.clone(), store)),
            Err(error) if strict => {
                let hint = "repair the cache, or run without `--cache-strict` to go on without it";
                return Err(Error {
                    kind: ErrorKind::Service,
                    hint: error.hint.or_else(|| Some(hint.to_owned())),
                    ..error
                }
                .context(format!("the cache `{name}` cannot be used")));
            }
            Err(error) => talk.warning(&format!("cache {name}: {error:#}; going on without it")),
        }
    }
    Ok(stores)
}

fn find<'a>(registry: &'a Registry, name: &str) -> Result<(&'a CacheSpec, &'a Registered)> {
    registry.cache(name).ok_or_else(|| {
        let known: Vec<&str> = registry.caches().map(|(spec, _)| spec.name.as_str()).collect();
        usage(format!("there is no cache `{}`; known: {}", name.escape_debug(), known.join(", ")))
            .hint("itch plugins list")
    })
}

/// Opens one store.
pub(crate) fn open_one(
    registry: &Registry,
    name: &str,
    max_bytes: Option<u64>,
    strict: bool,
    talk: &Talk,
) -> Result<Box<dyn CacheStore>> {
    let (spec, unit) = find(registry, name)?;
    let read = |name: &String| Some((name.clone(), environment::read(name)?));
    let settings = CacheSettings {
        variables: spec
            .variables
            .iter()
            .filter_map(|variable| read(&variable.name))
            .collect(),
        max_bytes,
        strict,
        log: CacheLog::default(),
    };
    let (called, talk) = (name.to_owned(), talk.clone());
    let host = Apart::new(move |level, message: &str| match level {
        // What a person should know although the store goes on.
        LogLevel::Warn => talk.warning(&format!("cache {called}: {message}")),
        level => crate::sink::log(level, message),
    });
    open_cache(unit.item, Arc::new(host), &settings)
}
