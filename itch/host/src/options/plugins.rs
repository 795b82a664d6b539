//! The options of `itch plugins`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::values::duration;

/// How long a trial of `itch plugins check` may take, if nothing is said.
pub(crate) const TRIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How many times longer the whole check may take.
pub(crate) const CHECK_TIMEOUT_FACTOR: u32 = 6;

const LIST: &str =
    "Lists what is registered: name, kind, plugin, version, ABI, status, from, summary. A file that cannot \
be used is listed by its name.

Status:
  ok              it can be used
  new, changed    it can be used, which will be said at its first use
  disabled        `itch plugins enable` takes that back
  shadowed by X   the name means X's; PLUGIN/NAME means this one
  tied with X     the name means neither; PLUGIN/NAME or --prefer decides
  refused: WHY    it cannot be used
  crashed: HOW    it ended the process that looked at it";

const ADD: &str =
    "Copies a plugin into your own directory, and trusts it. It is loaded first, in a process of its own: \
what cannot be used is not added. The same plugin that is there already is replaced, another one never.

Try it before with `itch plugins check FILE`.";

const TRUST: &str = "Trusts a plugin as it is now: its hash is kept. Where the configuration says `policy = \"pinned\"`, a \
file that is new or has changed is not used before.";

const CHECK: &str = "Loads a plugin in a process of its own, reads what it says of itself, and tries each unit: a report runs \
its own examples against the simulated Twitch, a cache keeps a value and forgets it, a renderer draws an \
empty chart. Each step is a line; the exit code is 0 if all went well. Nothing is added or trusted.";

/// What is done with plugins.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// List what is registered: name, kind, plugin, version, ABI, status, from, summary
    #[command(long_about = LIST)]
    List(ListOptions),
    /// Show a unit's arguments, columns, scopes, environment and examples, or a plugin's file
    Info(InfoOptions),
    /// Copy a plugin into your own directory, and trust it
    #[command(long_about = ADD)]
    Add(AddOptions),
    /// Remove a plugin from your own directory
    Remove(PluginName),
    /// Use a plugin again
    Enable(PluginName),
    /// Do not use a plugin, but leave it where it is
    Disable(PluginName),
    /// Trust a plugin as it is now
    #[command(long_about = TRUST)]
    Trust(PluginName),
    /// Load a plugin in a process of its own, read what it says of itself, and try each unit
    #[command(long_about = CHECK)]
    Check(CheckOptions),
    /// Write a new plugin in Rust or C, that builds and passes its own test
    New(NewOptions),
    /// Print your own directory of plugins, and make it if it is missing
    Path,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct ListOptions {
    /// Print everything that is known as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct InfoOptions {
    /// A name or alias, or a plugin
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Print everything that is known as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct AddOptions {
    /// A shared library
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct PluginName {
    /// The plugin, or its file
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct CheckOptions {
    /// A shared library
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration,
        help = format!(
            "How long each trial may take; all together {CHECK_TIMEOUT_FACTOR} times as long [default: {}s]",
            TRIAL_TIMEOUT.as_secs()
        )
    )]
    pub(crate) timeout: Option<Duration>,
    // Set by the check itself, in the processes that it starts.
    #[arg(long, hide = true)]
    pub(crate) unit: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct NewOptions {
    /// The name of its report, of the plugin and of the folder
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub(crate) lang: Language,
    /// The source tree of itch that a plugin in Rust is built with [default: the one itch was built from]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) sdk: Option<PathBuf>,
}

/// What a new plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
}
