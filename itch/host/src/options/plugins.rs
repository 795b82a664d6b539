//! The options of `itch plugins`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::values::duration;

/// How long a trial of `itch plugins check` may take by default.
pub(crate) const TRIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How many times longer the whole check may take.
pub(crate) const CHECK_TIMEOUT_FACTOR: u32 = 6;

const LIST: &str =
    "Lists all reports, caches and renderers: name, kind, plugin, version, ABI, status, from, summary. A file \
that cannot be used is listed by its file name.

Status:
  ok              it can be used
  new, changed    it can be used, which will be said at its first use
  disabled        `itch plugins enable` takes that back
  not allowed     it asks for files or the network; `itch plugins trust --allow` allows that
  network open    it may use the network, whatever the host
  unconfined: X   this system cannot keep X from it
  shadowed by X   the name means X's; PLUGIN/NAME means this one
  tied with X     the name means neither; PLUGIN/NAME or --prefer decides
  refused: WHY    it cannot be used
  crashed: HOW    it ended the process that looked at it";

const ADD: &str =
    "Copies a plugin into your own directory, and trusts it. It is loaded first, in a process of its own: \
what cannot be used is not added. The same plugin that is there already is replaced, another one never.

What the plugin asks for is listed. It gets the files and the network that it asks for only with `--allow`, and only \
until its file changes.

Try it before with `itch plugins check FILE`.";

const TRUST: &str = "Trusts a plugin as it is now: its hash is recorded. With `policy = \"pinned\"` in \
config.toml, a file that is new or has changed is not used until it is trusted.

With `--allow` it may also use the files and the network that it asks for, until its file changes: `itch plugins \
info NAME` lists them.";

const CHECK: &str = "Loads a plugin in a separate process, reads its description, and tests each unit: a report \
runs its own examples against the simulated Twitch, a cache stores and removes a value, a renderer draws an \
empty chart. Each step is printed on a line; the exit code is 0 if none failed. Nothing is added or trusted.";

/// What is done with plugins.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// List reports, caches and renderers: name, kind, plugin, version, ABI, status, from, summary
    #[command(long_about = LIST)]
    List(ListOptions),
    /// Show the description of a report, cache or renderer, or a plugin's file
    Info(InfoOptions),
    /// Copy a plugin into your plugin directory, and trust it
    #[command(long_about = ADD)]
    Add(AddOptions),
    /// Remove a plugin from your plugin directory
    Remove(PluginName),
    /// Use a disabled plugin again
    Enable(PluginName),
    /// Leave a plugin where it is, but do not use it
    Disable(PluginName),
    /// Trust a plugin as it is now
    #[command(long_about = TRUST)]
    Trust(TrustOptions),
    /// Load a plugin in a separate process, and test each of its units
    #[command(long_about = CHECK)]
    Check(CheckOptions),
    /// Create a new plugin in Rust or C, which builds and passes its own test
    New(NewOptions),
    /// Print your plugin directory; create it if it does not exist
    Path,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct ListOptions {
    /// Print all details as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct InfoOptions {
    /// A report, cache, renderer or plugin
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Print all details as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct AddOptions {
    /// A shared library
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Allow it the files and the network that it asks for
    #[arg(long)]
    pub(crate) allow: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct PluginName {
    /// The plugin, or its file name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct TrustOptions {
    /// The plugin, or its file name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Allow it the files and the network that it asks for
    #[arg(long)]
    pub(crate) allow: bool,
}

#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct CheckOptions {
    /// A shared library
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Try it with the files and the network that it asks for
    #[arg(long)]
    pub(crate) allow: bool,
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration,
        help = format!(
            "Time limit of each test; {CHECK_TIMEOUT_FACTOR} times as much for all together [default: {}s]",
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
    /// The name of the report, the plugin and the directory
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The programming language
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub(crate) lang: Language,
    /// The source tree of itch for a plugin in Rust [default: the one that itch was built from]
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) sdk: Option<PathBuf>,
}

/// The programming language of a new plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
}
