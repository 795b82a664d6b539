//! What units ask for beyond their connection to itch, what the user has allowed them, and the paths that this means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use itch_plugin::abi::CACHE;
use itch_plugin::spec::{Access, Variable};
use serde::{Deserialize, Serialize};

use crate::library::{Description, Unit};

/// How deep the default of a variable may refer to other variables.
const DEPTH: usize = 4;

/// The access of a unit, with the defaults of the variables in its paths. What is allowed is kept in this form: what the
/// plugin describes later does not change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitAccess {
    /// What is asked for or allowed.
    #[serde(flatten)]
    pub access: Access,
    /// The defaults of the variables, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    defaults: BTreeMap<String, String>,
    /// Whether the unit was built for the first version of the format and declares nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) implied: bool,
}

/// The members of a description that say what it asks for.
#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    access: Option<Access>,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    variables: Vec<Variable>,
}

/// What a unit asks for.
pub fn asked(unit: &Unit) -> UnitAccess {
    let Ok(declared) = serde_json::from_str::<Declared>(&unit.spec) else {
        return UnitAccess::default();
    };
    let implied = unit.kind == CACHE && declared.access.is_none();
    let access = match (unit.kind, declared.access) {
        (CACHE, Some(access)) => access,
        (CACHE, None) => Access {
            write: declared
                .variables
                .iter()
                .map(|variable| format!("${}", variable.name))
                .collect(),
            network: true,
            ..Access::default()
        },
        _ => Access {
            read: declared.reads,
            ..Access::default()
        },
    };
    if access.is_empty() {
        return UnitAccess::default();
    }
    let defaults = declared.variables.into_iter();
    UnitAccess {
        access,
        defaults: defaults
            .filter_map(|variable| Some((variable.name, variable.default?)))
            .collect(),
        implied,
    }
}

/// What the units of a plugin ask for, by [`label`]; those that ask for nothing are left out.
pub(crate) fn all_asked(plugin: &Description) -> BTreeMap<String, UnitAccess> {
    let units = plugin.units.iter().map(|unit| (label(unit), asked(unit)));
    units.filter(|(_, asked)| !asked.access.is_empty()).collect()
}

/// A unit in the lock file.
pub(crate) fn label(unit: &Unit) -> String {
    format!("{} {}", unit.kind, unit.name)
}

impl UnitAccess {
    /// The paths that are read.
    pub(crate) fn read(&self) -> Vec<OsString> {
        self.access.read.iter().filter_map(|path| self.path(path)).collect()
    }

    /// The paths that are written.
    pub(crate) fn write(&self) -> Vec<OsString> {
        self.access.write.iter().filter_map(|path| self.path(path)).collect()
    }

    /// The path that a declared one means; `None` if its variable is not set. The value of a variable may be relative to
    /// the working directory, but one that was not declared as a path must look like one.
    fn path(&self, declared: &str) -> Option<OsString> {
        let path = self.expanded(declared, DEPTH)?;
        let usable = path.is_absolute() || !self.implied && declared.starts_with('$');
        let path = usable.then(|| std::path::absolute(path).ok())?;
        path.map(PathBuf::into_os_string)
    }

    fn expanded(&self, declared: &str, depth: usize) -> Option<PathBuf> {
        let (name, rest) = match declared.strip_prefix('$') {
            Some(named) => named.split_once('/').unwrap_or((named, "")),
            None => match declared.strip_prefix("~/") {
                Some(rest) => ("HOME", rest),
                None => return Some(PathBuf::from(declared)),
            },
        };
        let set = std::env::var_os(name).filter(|value| !value.is_empty());
        let base = match set {
            Some(value) => PathBuf::from(value),
            None => self.expanded(self.defaults.get(name)?, depth.checked_sub(1)?)?,
        };
        Some(if rest.is_empty() { base } else { base.join(rest) })
    }

    /// Creates the directories that may be written and do not exist, since only what exists can be opened to a plugin.
    /// Errors are ignored: the plugin will say that it cannot write there. Returns those that were created.
    pub(crate) fn create_directories(&self) -> Vec<PathBuf> {
        let create = |path: &Path| {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path).is_ok()
        };
        let paths = self.write().into_iter().map(PathBuf::from);
        paths.filter(|path| !path.exists() && create(path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(spec: &str) -> UnitAccess {
        asked(&Unit {
            kind: CACHE,
            name: "x".to_owned(),
            spec: spec.to_owned(),
        })
    }

    #[test]
    fn a_path_may_begin_with_a_variable_or_its_default() {
        let access = cache(
            r#"{"access": {"write": ["$ITCH_NOT_SET/in", "/abs", "relative"]},
                "variables": [{"name": "ITCH_NOT_SET", "help": "", "default": "/default"}]}"#,
        );
        assert_eq!(access.write(), ["/default/in", "/abs"]);
        assert!(!access.access.network && !access.implied);
    }

    #[test]
    fn a_cache_of_the_first_version_asks_for_what_its_variables_name() {
        let access = cache(r#"{"variables": [{"name": "ITCH_NOT_SET", "help": ""}]}"#);
        assert_eq!(access.access.write, ["$ITCH_NOT_SET"]);
        assert!(access.access.network && access.implied);
        assert!(access.write().is_empty());
        assert!(cache(r#"{"access": {}}"#).access.is_empty());
        // A host is not a path.
        let host = cache(r#"{"variables": [{"name": "ITCH_NOT_SET", "help": "", "default": "localhost"}]}"#);
        assert!(host.write().is_empty());
    }
}
