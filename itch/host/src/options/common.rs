//! The options of every command: what is said on stderr, and which plugins take part.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches, ValueEnum};
use itch_api::Error;

use super::levels::levels;
use crate::failure::usage;

/// They may stand at any place of a command line; of two that contradict one another the later word counts.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Logging")]
pub(crate) struct CommonOptions {
    /// Say nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Show requests, cache hits and times; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Colour on terminals
    #[arg(long, value_name = "WHEN")]
    pub(crate) color: Option<When>,
    /// Progress on stderr
    #[arg(long, value_name = "WHEN")]
    pub(crate) progress: Option<When>,
    /// Use the plugin in this file, too
    #[arg(long, value_name = "FILE", help_heading = "Plugins", hide_short_help = true)]
    pub(crate) plugin: Vec<PathBuf>,
    /// Use nothing but what is built in
    #[arg(long, help_heading = "Plugins", hide_short_help = true)]
    pub(crate) no_plugins: bool,
    /// Let a name mean what this plugin calls so
    #[arg(long, value_name = "NAME=PLUGIN", help_heading = "Plugins", hide_short_help = true)]
    pub(crate) prefer: Vec<Preference>,
}

/// When colour or progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    // On a terminal. Comments for rustdoc would become a part of the help.
    Auto,
    Always,
    Never,
}

/// A name, and the plugin whose unit it is to mean.
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
            _ => Err(usage(format!("`{}` is no preference: write NAME=PLUGIN", text.escape_debug()))),
        }
    }
}

impl CommonOptions {
    /// What of them was understood of a command line that is wrong.
    pub(crate) fn understood(matches: &ArgMatches) -> CommonOptions {
        CommonOptions::merged(&mut levels(matches)).unwrap_or_default()
    }

    /// Reads them from all levels of a command line, the outermost first. What may be given several times adds up.
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
