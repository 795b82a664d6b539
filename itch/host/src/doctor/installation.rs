//! Checks this installation: the configuration, caches, plugins and fonts.

use super::{Check, Context, Result, Subject};
use crate::cache_stores;
use crate::config::{Config, DEFAULT_CACHE};
use crate::failure::Failure;

pub(super) fn check(context: &Context<'_>, config: std::result::Result<&Config, &anyhow::Error>) -> Vec<Check> {
    let mut checks = vec![check_config(config)];
    checks.extend(check_caches(context, config.ok()));
    checks.push(check_plugins(context));
    checks.push(check_fonts(context));
    checks
}

fn check_config(config: std::result::Result<&Config, &anyhow::Error>) -> Check {
    match config {
        Ok(_) => Check::new(Subject::Installation, "config", Result::Good, "config.toml is valid, or absent"),
        Err(error) => {
            let failure = Failure::of(error);
            let mut parts = vec![failure.message];
            parts.extend(failure.causes);
            let check = Check::new(Subject::Installation, "config", Result::Bad, parts.join(": "));
            match failure.hint {
                Some(hint) => check.hint(hint),
                None => check,
            }
        }
    }
}

/// The caches that are used without `-c`, else the default one: each must open and answer.
fn check_caches(context: &Context<'_>, config: Option<&Config>) -> Vec<Check> {
    let configured = config.map_or(&[] as &[String], |config| config.cache.names.as_slice());
    let usual = [DEFAULT_CACHE.to_owned()];
    let names = if configured.is_empty() {
        usual.as_slice()
    } else {
        configured
    };
    let registry = &context.plugins.registry;
    let checks = names.iter().map(|name| {
        let opened = cache_stores::open_one(registry, name, None, true, context.printer);
        let stats = opened.and_then(|mut store| store.stats());
        let label = format!("cache {name}");
        match stats {
            Ok(stats) => {
                let entries = stats
                    .entries
                    .map_or_else(|| "it opens".to_owned(), |n| format!("{n} entries"));
                Check::new(Subject::Installation, label, Result::Good, entries)
            }
            Err(error) => Check {
                result: Result::Warning,
                ..Check::failed(Subject::Installation, label, &error)
            },
        }
    });
    checks.collect()
}

fn check_plugins(context: &Context<'_>) -> Check {
    let plugins = context.plugins;
    let units = plugins.registry.units().len();
    match plugins.unusable() {
        0 => {
            Check::new(Subject::Installation, "plugins", Result::Good, format!("{units} reports, caches and renderers"))
        }
        n => Check::new(Subject::Installation, "plugins", Result::Warning, format!("{n} plugins cannot be used"))
            .hint("itch plugins list"),
    }
}

/// Pictures need no font of the machine: the program has its own. Without a renderer there is nothing to draw with.
fn check_fonts(context: &Context<'_>) -> Check {
    let renderers = context.plugins.registry.renderers().count();
    match renderers {
        0 => Check::new(Subject::Installation, "fonts", Result::Warning, "there is no renderer for pictures"),
        n => Check::new(
            Subject::Installation,
            "fonts",
            Result::Good,
            format!("built in (DejaVu), for {n} renderers; other scripts need a font of this machine"),
        ),
    }
}
