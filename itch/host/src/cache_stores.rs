//! The caches of a run: opens those that `-c` names, built-in ones in the same way as those of plugins, and prints
//! their counters at the end.

use std::time::Duration;

use itch_api::{Error, ErrorKind, Result};
use itch_client::Counters;
use itch_plugin::{CacheLog, CacheSettings, CacheStore, LogLevel, NO_CACHE, Registry};

use crate::config::Config;
use crate::failure::usage;
use crate::nearest::suggest;
use crate::printer::Printer;
use crate::{environment, secrets};

/// The caches that the command line names, or else the configuration. An unknown name is an error, even if the others
/// are known.
pub(crate) fn chosen(registry: &Registry, named: Option<Vec<String>>, config: &Config) -> Result<Vec<String>> {
    let configured = named.is_none();
    let names = named.unwrap_or_else(|| config.cache.names.clone());
    if names == [NO_CACHE] {
        return Ok(Vec::new());
    }
    for name in &names {
        if name == NO_CACHE {
            return Err(usage(format!("`{NO_CACHE}` means no cache: it cannot be combined with others")));
        }
        registry.known_cache(name).map_err(|error| {
            let known = registry.caches().map(|(spec, _)| spec.name.as_str());
            let error = suggest(error, name, known);
            match configured {
                true => error.context("`[cache]` in config.toml cannot be used"),
                false => error,
            }
        })?;
    }
    Ok(names)
}

/// Opens stores in this order. One that cannot be opened is left out with a warning, or is an error if `strict`.
pub(crate) fn open(
    registry: &Registry,
    names: &[String],
    max_bytes: Option<u64>,
    strict: bool,
    printer: &Printer,
) -> Result<Vec<(String, Box<dyn CacheStore>)>> {
    let mut stores = Vec::new();
    for name in names {
        match open_one(registry, name, max_bytes, strict, printer) {
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
            Err(error) => printer.warning(&format!("cache {name}: {error:#}; going on without it")),
        }
    }
    Ok(stores)
}

/// Opens one store.
pub(crate) fn open_one(
    registry: &Registry,
    name: &str,
    max_bytes: Option<u64>,
    strict: bool,
    printer: &Printer,
) -> Result<Box<dyn CacheStore>> {
    let (spec, _) = registry.known_cache(name)?;
    secrets::add_those_of(spec);
    let (called, printer) = (name.to_owned(), printer.clone());
    let settings = CacheSettings {
        max_bytes,
        strict,
        log: CacheLog::new(move |level, message| match level {
            // The store continues, but the user should know.
            LogLevel::Warn => printer.warning(&format!("cache {called}: {message}")),
            level => crate::log::plugin_line(level, message),
        }),
        ..CacheSettings::read(spec, environment::read)
    };
    registry.open_cache(name, &settings)
}

/// Prints after a run that old responses were used; with `-v`, also the counters.
pub(crate) fn report_counters(counters: &Counters, names: &[String], printer: &Printer) {
    if counters.cache_stale > 0 {
        let age = in_largest_unit(Duration::from_millis(counters.cache_stale_age_ms));
        printer.warning(&match counters.cache_stale {
            1 => format!("a service failed: used a stored response, {age} old"),
            n => format!("a service failed: used {n} stored responses, the oldest {age} old"),
        });
    }
    if printer.verbose > 0 && !names.is_empty() {
        printer.say(&format!(
            "cache {}: {} hits, {} stale, {} misses, {} too old, {} corrupt, {} too large, {} errors, {} of requests \
             saved",
            names.join(","),
            counters.cache_hits,
            counters.cache_stale,
            counters.cache_misses,
            counters.cache_expired,
            counters.cache_corrupt,
            counters.cache_too_large,
            counters.cache_errors,
            in_largest_unit(Duration::from_millis(counters.cache_saved_ms)),
        ));
    }
}

/// A duration in its largest unit.
fn in_largest_unit(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match span.as_secs() {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{seconds:.0} s"),
        120..7_200 => format!("{:.0} min", seconds / 60.0),
        7_200..172_800 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}
