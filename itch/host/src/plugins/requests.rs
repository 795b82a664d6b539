//! What a plugin asks for, as short lines: scopes, environment variables, files and the network.

use itch_loader::{Description, Unit, asked};
use itch_plugin::spec::{Variable, WantedScope};
use serde::Deserialize;

use super::manage::unit;

/// The members of a description that say what it asks for, in addition to files and the network.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Requests {
    scopes: Vec<String>,
    wanted_scopes: Vec<WantedScope>,
    variables: Vec<Variable>,
}

/// What each unit asks for, one line each; units that ask for nothing have none.
pub(super) fn lines(plugin: &Description) -> Vec<String> {
    let line = |of: &Unit| {
        let requests: Requests = serde_json::from_str(&of.spec).unwrap_or_default();
        let wanted = requests.wanted_scopes.iter().map(|wanted| wanted.scope.as_str());
        let scopes = requests.scopes.iter().map(String::as_str).chain(wanted);
        let variables = requests.variables.iter().map(|variable| variable.name.as_str());
        let parts = [named("scopes", scopes), named("variables", variables), access_of(of)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} asks for {}", unit(of), parts.join("; ")))
    };
    plugin.units.iter().filter_map(line).collect()
}

/// The files and the network that each unit asks for, one line each.
pub(super) fn access(plugin: &Description) -> Vec<String> {
    let units = plugin.units.iter();
    units
        .filter_map(|of| Some(format!("{}: {}", unit(of), access_of(of)?)))
        .collect()
}

/// Whether a unit asks for files or the network.
pub(super) fn asks_for_access(plugin: &Description) -> bool {
    plugin.units.iter().any(|unit| !asked(unit).access.is_empty())
}

/// The files and the network that a unit asks for.
pub(super) fn access_of(unit: &Unit) -> Option<String> {
    let access = asked(unit).access;
    let network = access.network.then(|| match access.hosts.as_slice() {
        [] => "the network".to_owned(),
        hosts => format!("the network, for {}", hosts.join(", ")),
    });
    let read = named("reading", access.read.iter().map(String::as_str));
    let write = named("writing", access.write.iter().map(String::as_str));
    let parts: Vec<String> = [read, write, network].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A word and names, if there are any.
fn named<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
}
