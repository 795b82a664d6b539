//! `config.toml`. Options take precedence over environment variables, and these over this file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use itch_api::{Error, ErrorKind};
use itch_client::GqlFacts;
use serde::Deserialize;

use crate::failure::usage;
use crate::options::values::byte_size;
use crate::paths::{config_directory, kind_name, not_a_directory};

/// The cache that `itch cache` uses if none is named.
pub(crate) const DEFAULT_CACHE: &str = "file";

/// The least memory that a plugin may be limited to, in bytes: itch's own code in its process needs some.
const LEAST_MEMORY: u64 = 32 << 20;

/// The whole file. An unknown name is an error, since it would be a setting without effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) services: Services,
    pub(crate) plugins: Plugins,
    pub(crate) cache: CacheChoice,
    pub(crate) account: AccountChoice,
    /// Facts about the private GQL service that replace the built-in ones.
    pub(crate) gql: GqlFacts,
}

/// Which account is used, and which application it signs in with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AccountChoice {
    /// The login of the account that is used without `--as`.
    #[serde(rename = "as")]
    pub(crate) login: Option<String>,
    /// The client id that `itch login` uses without `TWITCH_CLIENT_ID`.
    pub(crate) client_id: Option<String>,
}

/// The caches that are used without `-c`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CacheChoice {
    /// Names, as for `-c`; the first one is read first.
    #[serde(rename = "use")]
    pub(crate) names: Vec<String>,
}

/// Which services may be used.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Services {
    /// `"off"`: no request is sent to the private GQL service.
    gql: Switch,
}

/// Which plugins are used, and how.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Plugins {
    /// More directories to search. `~/` means the user's directory.
    path: Vec<String>,
    pub(crate) policy: Policy,
    /// Plugins that are loaded into itch itself instead of a separate process.
    pub(crate) in_process: Vec<String>,
    /// The most memory that the process of a plugin may use, such as `2GiB`.
    memory: Option<Memory>,
    /// Whether a plugin runs that this system cannot confine.
    pub(crate) unconfined: Unconfined,
    /// Names, and the plugins whose units they mean.
    pub(crate) prefer: BTreeMap<String, String>,
}

/// Which files may run.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// All; a message is printed when one is new or has changed.
    #[default]
    FirstUse,
    /// Only those that `itch plugins trust` or `itch plugins add` recorded, if they have not changed since.
    Pinned,
}

/// What happens with a plugin that this system cannot confine.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unconfined {
    /// It runs.
    #[default]
    Run,
    /// It does not run.
    Refuse,
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Size")]
struct Memory(u64);

/// A size as it is written: bytes, or text with a unit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Size> for Memory {
    type Error = Error;

    fn try_from(size: Size) -> Result<Memory, Error> {
        let bytes = match size {
            Size::Bytes(bytes) => bytes,
            Size::Text(text) => byte_size(&text)?,
        };
        match bytes >= LEAST_MEMORY {
            true => Ok(Memory(bytes)),
            false => Err(usage(format!("`memory` is at least {} MiB", LEAST_MEMORY >> 20))),
        }
    }
}

impl Plugins {
    /// The most memory that the process of a plugin may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.map_or(itch_loader::DEFAULT_MEMORY, |memory| memory.0)
    }

    pub(crate) fn directories(&self) -> Vec<PathBuf> {
        let home = etcetera::home_dir().ok();
        let expand = |text: &String| match (text.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        self.path.iter().map(expand).collect()
    }
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Switch {
    #[default]
    On,
    Off,
}

impl Config {
    /// Reads the file, if there is one.
    pub(crate) fn read() -> anyhow::Result<Config> {
        let Some(folder) = config_directory() else {
            return Ok(Config::default());
        };
        let path = folder.join("config.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Config::default());
            }
            Err(error) => {
                let message = format!("the configuration `{}` cannot be read", path.display());
                let failed = Error::new(ErrorKind::Failed, message);
                let found = path.symlink_metadata().map(|found| found.file_type());
                return Err(match (found, not_a_directory(&folder)) {
                    (Ok(kind), _) if !kind.is_file() && !kind.is_symlink() => {
                        failed.cause(format!("it is {}, not a file", kind_name(kind)))
                    }
                    (_, Some(obstacle)) => failed.cause(obstacle),
                    _ => failed.source_chain(&error),
                }
                .into());
            }
        };
        let refused =
            |cause: &str| usage(format!("could not parse the configuration `{}`", path.display())).cause(cause);
        let config: Config = toml::from_str(&text).map_err(|error| refused(error.message()))?;
        let relative = |path: &PathBuf| !path.is_absolute();
        if let Some(path) = config.plugins.directories().into_iter().find(relative) {
            let cause = format!("the plugin path `{}` is not absolute", path.display());
            return Err(refused(&cause).into());
        }
        Ok(config)
    }

    /// Facts about the GQL service; `None` if it must not be used.
    pub(crate) fn gql(&self) -> Option<GqlFacts> {
        (self.services.gql == Switch::On).then(|| GqlFacts::built_in().replaced_by(self.gql.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads() {
        let config: Config = toml::from_str("[services]\ngql = \"off\"\n[gql]\nclients = [\"a\"]\n").unwrap();
        assert!(config.gql().is_none());
        let config: Config = toml::from_str("[gql.operations.video-comments]\nhash = \"h\"\n").unwrap();
        assert_eq!(config.gql().unwrap().operations["video-comments"].hash.as_deref(), Some("h"));
        let config: Config = toml::from_str(
            "[plugins]\nmemory = \"2GiB\"\nunconfined = \"refuse\"\n\
             path = [\"/opt/itch\"]\npolicy = \"pinned\"\nin-process = [\"a\"]\nprefer = { b = \"c\" }\n",
        )
        .unwrap();
        assert_eq!(config.plugins.directories(), [PathBuf::from("/opt/itch")]);
        assert_eq!(config.plugins.policy, Policy::Pinned);
        assert_eq!(config.plugins.in_process, ["a"]);
        assert_eq!(config.plugins.prefer["b"], "c");
        assert_eq!((config.plugins.memory(), config.plugins.unconfined), (2 << 30, Unconfined::Refuse));
        assert!(toml::from_str::<Config>("[plugins]\nmemory = \"1MiB\"\n").is_err());
        let config: Config = toml::from_str("[cache]\nuse = [\"file\", \"redis\"]\n").unwrap();
        assert_eq!(config.cache.names, ["file", "redis"]);
        let config: Config = toml::from_str("[account]\nas = \"a\"\nclient-id = \"b\"\n").unwrap();
        assert_eq!((config.account.login.unwrap(), config.account.client_id.unwrap()), ("a".into(), "b".into()));
        assert!(toml::from_str::<Config>("[servces]\n").is_err());
        assert!(toml::from_str::<Config>("[cache]\nuses = []\n").is_err());
    }
}
