//! The options of `itch cache`.

use std::time::Duration;

use clap::{ArgAction, Args, Subcommand};

use super::values::{byte_size, duration};
use crate::config::DEFAULT_CACHE;

/// What is done with the caches.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Count the entries by service and report: cache, service, report, entries, bytes, oldest
    Stats(CacheSelection),
    /// List the entries, oldest first: age, bytes, status, service, report, request
    List(CacheSelection),
    /// Remove old entries, or the oldest ones above a size, and those from the future; print what was removed and left
    Prune(PruneOptions),
    /// Remove all entries that itch stored; print how many, and their bytes
    Clear(ClearOptions),
    /// Read all entries and remove broken ones; print how many were read and how many were broken
    Verify(CacheSelection),
    /// Print the location of the cache
    Path(CacheSelection),
}

/// Which caches, and how the result is printed.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct CacheSelection {
    #[arg(
        short,
        long,
        value_name = "NAME",
        value_delimiter = ',',
        action = ArgAction::Set,
        help = format!(
            "The cache, or several separated by commas [default: the setting in config.toml, or {}]",
            DEFAULT_CACHE
        )
    )]
    pub(crate) cache: Option<Vec<String>>,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is pruned.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct PruneOptions {
    #[command(flatten)]
    pub(crate) selection: CacheSelection,
    /// Remove entries older than this, such as 30d
    #[arg(long, value_name = "TIME", value_parser = duration, required_unless_present = "max_size")]
    pub(crate) older_than: Option<Duration>,
    /// Remove the oldest entries until at most this much is left, such as 512MB
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub(crate) max_size: Option<u64>,
}

/// What is cleared.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct ClearOptions {
    #[command(flatten)]
    pub(crate) selection: CacheSelection,
    /// Also remove what the itch of 2016 stored, which cannot be fetched again
    #[arg(long)]
    pub(crate) all: bool,
}

impl CacheCommand {
    /// The selected caches.
    pub(crate) fn selection(&self) -> &CacheSelection {
        match self {
            CacheCommand::Stats(selection)
            | CacheCommand::List(selection)
            | CacheCommand::Verify(selection)
            | CacheCommand::Path(selection) => selection,
            CacheCommand::Prune(options) => &options.selection,
            CacheCommand::Clear(options) => &options.selection,
        }
    }
}
