//! Scopes: which ones reports need, and which reports an account can run with those that it has.

use std::collections::BTreeSet;

use itch_api::Error;
use itch_plugin::{Origin, Registered, Registry, ReportSpec};

use crate::failure::usage;
use crate::nearest::suggest;

/// The scopes that a report needs, and those that it wants for some of its columns.
fn of_report(spec: &ReportSpec) -> impl Iterator<Item = &str> {
    let wanted = spec.wanted_scopes.iter().map(|wanted| wanted.scope.as_str());
    spec.scopes.iter().map(String::as_str).chain(wanted)
}

/// The scopes that these reports need or want.
pub(crate) fn of_reports(registry: &Registry, names: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut scopes = BTreeSet::new();
    for name in names {
        let Some((spec, _)) = registry.report(name) else {
            let error = usage(format!("there is no report `{}`", name.escape_debug())).hint("itch plugins list");
            return Err(suggest(error, name, registry.reports().map(|(spec, _)| spec.name.as_str())));
        };
        scopes.extend(of_report(spec).map(str::to_owned));
    }
    Ok(scopes)
}

/// The scopes that the built-in reports need or want; a host without any takes all of its plugins'.
pub(crate) fn of_built_in_reports(registry: &Registry) -> BTreeSet<String> {
    let is_built_in = |unit: &Registered| unit.origin == Origin::LinkedIn;
    let has_any = registry.reports().any(|(_, unit)| is_built_in(unit));
    let reports = registry.reports().filter(|(_, unit)| !has_any || is_built_in(unit));
    let scopes = reports.flat_map(|(spec, _)| of_report(spec));
    scopes.map(str::to_owned).collect()
}

/// A report, and what an identity lacks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) report: String,
    /// Without these it does not work.
    pub(crate) lacks: Vec<String>,
    /// Without these some columns stay empty.
    pub(crate) wants: Vec<String>,
}

/// Every report, and what a user with these scopes lacks for it.
pub(crate) fn standings(registry: &Registry, granted: &[String]) -> Vec<Standing> {
    let lacking = |scope: &&str| !granted.iter().any(|known| known == scope);
    let standings = registry.reports().map(|(spec, _)| Standing {
        report: spec.name.clone(),
        lacks: spec
            .scopes
            .iter()
            .map(String::as_str)
            .filter(lacking)
            .map(str::to_owned)
            .collect(),
        wants: spec
            .wanted_scopes
            .iter()
            .map(|wanted| wanted.scope.as_str())
            .filter(lacking)
            .map(str::to_owned)
            .collect(),
    });
    let mut standings: Vec<Standing> = standings.collect();
    standings.sort_by(|one, other| one.report.cmp(&other.report));
    standings
}

/// The reports that work, as a phrase: `all 8 reports work`, or their names.
pub(crate) fn working(standings: &[Standing]) -> String {
    let working: Vec<&str> = standings
        .iter()
        .filter(|standing| standing.lacks.is_empty())
        .map(|standing| standing.report.as_str())
        .collect();
    match working.as_slice() {
        all if all.len() == standings.len() => format!("all {} reports work", all.len()),
        [] => "no report works".to_owned(),
        [one] => format!("{one} works"),
        some => format!("{} work", some.join(", ")),
    }
}
