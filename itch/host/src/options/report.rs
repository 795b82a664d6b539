//! The options that every report has. They may be given before or after its name; after it, they take precedence.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches};
use itch_api::{Direction, Result, SourceName};
use itch_client::{DEFAULT_MAX_WAIT, DEFAULT_RETRIES, DEFAULT_TIMEOUT};
use itch_output::{DEFAULT_TOLERANCE, Format};

use super::account::AccountOptions;
use super::values::{byte_size, direction, duration, output_format, row_limit, share};
use crate::failure::usage;
use crate::outfile::Existing;

/// The options of every report.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub(crate) struct ReportOptions {
    #[command(flatten)]
    pub(crate) rows: RowOptions,
    #[command(flatten)]
    pub(crate) answers: AnswerOptions,
    #[command(flatten)]
    pub(crate) network: NetworkOptions,
    #[command(flatten)]
    pub(crate) account: AccountOptions,
}

/// Which rows are wanted, and where they go.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub(crate) struct RowOptions {
    /// Stop after this many rows
    #[arg(short, long, value_name = "ROWS", allow_negative_numbers = true, value_parser = row_limit)]
    pub(crate) limit: Option<u64>,
    /// Order of the rows: asc (oldest first) or desc (newest first)
    #[arg(short, long, value_name = "ORDER", value_parser = direction)]
    pub(crate) direction: Option<Direction>,
    /// Services to ask: twitch (of today) or legacy (kraken, tmi, rechat and loots.com, as in 2016)
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<SourceName>,
    /// Columns to print, in this order, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', action = ArgAction::Set)]
    pub(crate) columns: Option<Vec<String>>,
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_parser = output_format,
        help = format!("{} [default: table on a terminal, otherwise tsv]", Format::names(" or "))
    )]
    pub(crate) format: Option<Format>,
    /// Write the rows to this file; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) existing: ExistingOptions,
    /// Also draw the rows, as a picture in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) header: HeaderOptions,
    /// Write to this file, as JSON, whether the rows are complete
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) verdict: Option<PathBuf>,
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = share,
        hide_short_help = true,
        help = format!("Fraction of Twitch's own total that may be missing [default: {DEFAULT_TOLERANCE}]")
    )]
    pub(crate) tolerance: Option<f64>,
}

/// Whether the column names are printed first.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(skip)]
pub(crate) struct HeaderOptions {
    /// Print the column names first
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// Do not print the column names
    #[arg(long, overrides_with = "header")]
    no_header: bool,
}

/// What happens to files that are there already.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(skip)]
pub(crate) struct ExistingOptions {
    /// Fail if an output file exists
    #[arg(long, overrides_with = "overwrite", hide_short_help = true)]
    no_clobber: bool,
    /// Replace an output file that exists [default]
    #[arg(long, overrides_with = "no_clobber", hide_short_help = true)]
    overwrite: bool,
}

/// Where responses may come from.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Cache")]
pub(crate) struct AnswerOptions {
    /// Store responses in this cache, or in several separated by commas; `none` uses no cache
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', action = ArgAction::Set)]
    pub(crate) cache: Option<Vec<String>>,
    /// Use stored responses up to this age
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,
    /// Use no stored responses, but store the new ones
    #[arg(long, conflicts_with_all = ["max_age", "offline"])]
    pub(crate) refresh: bool,
    /// Use only stored responses, however old; send no requests
    #[arg(long, conflicts_with = "max_age")]
    pub(crate) offline: bool,
    /// If Twitch fails, use stored responses that are too old by up to this time
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "offline")]
    pub(crate) stale_if_error: Option<Duration>,
    /// Limit the size of the cache, such as 512MB
    #[arg(long, value_name = "SIZE", value_parser = byte_size, hide_short_help = true)]
    pub(crate) cache_size: Option<u64>,
    /// End the run if the cache fails
    #[arg(long, hide_short_help = true)]
    pub(crate) cache_strict: bool,
    /// Use a simulated Twitch inside itch: no account, no network
    #[arg(long, help_heading = "Network")]
    pub(crate) sandbox: bool,
}

/// How requests are sent.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkOptions {
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(0..=20),
        hide_short_help = true,
        help = format!("How many times a failed request is retried [default: {DEFAULT_RETRIES}]")
    )]
    pub(crate) retries: Option<u32>,
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration,
        hide_short_help = true,
        help = format!("Time limit of each try [default: {}s]", DEFAULT_TIMEOUT.as_secs())
    )]
    pub(crate) timeout: Option<Duration>,
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration,
        hide_short_help = true,
        help = format!(
            "Time limit of all waits for the rate limit and before retries, since rows last arrived [default: {}m]",
            DEFAULT_MAX_WAIT.as_secs() / 60
        )
    )]
    pub(crate) max_wait: Option<Duration>,
    /// Allow plain HTTP to other machines
    #[arg(long, hide_short_help = true)]
    pub(crate) insecure_http: bool,
}

impl ReportOptions {
    /// Reads them from all levels of a command line, outermost first.
    pub(super) fn merged(levels: &mut [ArgMatches]) -> Result<ReportOptions, clap::Error> {
        let mut options = ReportOptions::default();
        for level in levels {
            // `--header` and `--no-header` are one choice: the inner level replaces both. So are the next two.
            let before = std::mem::take(&mut options.rows.header);
            let existing = std::mem::take(&mut options.rows.existing);
            options.update_from_arg_matches_mut(level)?;
            if options.rows.existing.choice().is_none() {
                options.rows.existing = existing;
            }
            if options.rows.header.choice().is_none() {
                options.rows.header = before;
            }
        }
        Ok(options)
    }
}

impl HeaderOptions {
    /// What was chosen, if anything.
    pub(crate) fn choice(self) -> Option<bool> {
        match (self.header, self.no_header) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

impl ExistingOptions {
    /// What was chosen, if anything.
    pub(crate) fn choice(self) -> Option<Existing> {
        match (self.no_clobber, self.overwrite) {
            (true, _) => Some(Existing::Kept),
            (_, true) => Some(Existing::Replaced),
            _ => None,
        }
    }
}

impl AnswerOptions {
    /// Rejects options that contradict each other. clap rejects them at one level; this also rejects one before and one
    /// after the report's name.
    pub(crate) fn check(&self) -> Result<()> {
        let (refresh, offline, max_age) =
            (("refresh", self.refresh), ("offline", self.offline), ("max-age", self.max_age.is_some()));
        for ((one, first), (other, second)) in [(refresh, max_age), (offline, max_age), (refresh, offline)] {
            if first && second {
                return Err(usage(format!("`--{one}` and `--{other}` contradict each other")));
            }
        }
        Ok(())
    }
}
