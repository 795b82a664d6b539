//! What a unit needs of the user's machine, beyond its connection to itch.

use serde::{Deserialize, Serialize};

/// Files and network that a unit declares. It only gets them where the user has allowed them; without, a confined plugin
/// can open none of the user's files and no connection.
///
/// A path is absolute, or begins with `~/`, or with `$NAME`, a variable that the unit declares: its value, or else its
/// default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// Files and directories that it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Files and directories that it reads and writes. A directory that does not exist is created, for the user only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Whether it uses the network. No system can limit this to some hosts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// The hosts that it says it connects to, for the user to read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl Access {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty() && !self.network
    }

    /// All paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.read.iter().chain(&self.write).map(String::as_str)
    }
}

/// Whether a path has one of the forms that [`Access`] describes.
pub(crate) fn is_valid_path(path: &str) -> bool {
    let rest = path.strip_prefix("~/").or_else(|| path.strip_prefix('$'));
    path.starts_with('/') || rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}
