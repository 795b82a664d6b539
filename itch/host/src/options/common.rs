//! The options of every command: what is printed on stderr, and which plugins are used.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches, ValueEnum};
use itch_api::Error;

use super::levels::levels;
use crate::failure::usage;

/// They may be given anywhere on a command line. If two contradict each other, the last one counts.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Logging")]
pub(crate) struct CommonOptions {
    /// Print nothing on stderr but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Log requests, cache hits and times; -vv logs more
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, value_name = "WHEN")]
    pub(crate) color: Option<When>,
    /// When to show progress on stderr
    #[arg(long, value_name = "WHEN")]
    pub(crate) progress: Option<When>,
    /// Also use the plugin in this file
    #[arg(long, value_name = "FILE", help_heading = "Plugins", hide_short_help = true)]
    pub(crate) plugin: Vec<PathBuf>,
    /// Use only what is built in
    #[arg(long, help_heading = "Plugins", hide_short_help = true)]
    pub(crate) no_plugins: bool,
    /// Use this plugin's report, cache or renderer for a name that several have
    #[arg(long, value_name = "NAME=PLUGIN", help_heading = "Plugins", hide_short_help = true)]
    pub(crate) prefer: Vec<Preference>,
}

/// When colour or progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    // Only on a terminal. A doc comment here would become a part of the help.
    Auto,
    Always,
    Never,
}

/// A name, and the plugin whose report, cache or renderer is used for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preference {
    pub(crate) name: String,
    pub(crate) plugin: String,
}

impl FromStr for Preference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Preference, Error> {
        match text.split_once('=') {
            Some((name, plugin)) if !name.is_empty() && !plugin.is_empty() => Ok(Preference {
                name: name.to_owned(),
                plugin: plugin.to_owned(),
            }),
            _ => Err(usage(format!("`{}` is not a valid preference: write NAME=PLUGIN", text.escape_debug()))),
        }
    }
}

impl CommonOptions {
    /// The options of an invalid command line, as far as clap understood them.
    pub(crate) fn understood(matches: &ArgMatches) -> CommonOptions {
        CommonOptions::merged(&mut levels(matches)).unwrap_or_default()
    }

    /// Reads them from all levels of a command line, outermost first. Options that may be repeated are added up.
    pub(super) fn merged(levels: &mut [ArgMatches]) -> Result<CommonOptions, clap::Error> {
        let mut options = CommonOptions::default();
        for level in levels {
            let mut plugin = std::mem::take(&mut options.plugin);
            let mut prefer = std::mem::take(&mut options.prefer);
            options.update_from_arg_matches_mut(level)?;
            plugin.append(&mut options.plugin);
            prefer.append(&mut options.prefer);
            (options.plugin, options.prefer) = (plugin, prefer);
        }
        Ok(options)
    }
}
