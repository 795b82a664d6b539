//! The options that every report has. They may stand before or after its name; behind it wins.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches};
use itch_api::{Direction, Result, SourceName};
use itch_client::{DEFAULT_RETRIES, DEFAULT_TIMEOUT};
use itch_output::{DEFAULT_TOLERANCE, Format};

use super::values::{byte_size, direction, duration, output_format, row_limit, share};
use crate::failure::usage;

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
}

/// Which rows are wanted, and where they go.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub(crate) struct RowOptions {
    /// Stop after so many rows
    #[arg(short, long, value_name = "ROWS", allow_negative_numbers = true, value_parser = row_limit)]
    pub(crate) limit: Option<u64>,
    /// asc: oldest first; desc: newest first
    #[arg(short, long, value_name = "ORDER", value_parser = direction)]
    pub(crate) direction: Option<Direction>,
    /// twitch: the services of today; legacy: kraken, tmi, rechat and loots.com as in 2016
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<SourceName>,
    /// Which columns, separated by commas, in this order
    #[arg(long, value_name = "NAMES", value_delimiter = ',', action = ArgAction::Set)]
    pub(crate) columns: Option<Vec<String>>,
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_parser = output_format,
        help = format!("{}; otherwise tsv on a pipe and a table on a terminal", Format::names(" or "))
    )]
    pub(crate) format: Option<Format>,
    /// Write to a file, which appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Draw the rows as well, as a picture in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) header: HeaderOptions,
    /// Write what is known about completeness as JSON
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) verdict: Option<PathBuf>,
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = share,
        hide_short_help = true,
        help = format!("How many rows may be missing from Twitch's own total, as a share of it [default: {DEFAULT_TOLERANCE}]")
    )]
    pub(crate) tolerance: Option<f64>,
}

/// Whether the columns' names come first.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(skip)]
pub(crate) struct HeaderOptions {
    /// Begin with the names of the columns
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// Do not begin with the names of the columns
    #[arg(long, overrides_with = "header")]
    no_header: bool,
}

/// Where answers may come from.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Cache")]
pub(crate) struct AnswerOptions {
    /// Keep answers in a cache, or several separated by commas; `none` for none
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', action = ArgAction::Set)]
    pub(crate) cache: Option<Vec<String>>,
    /// Accept stored answers up to this age
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,
    /// Accept no stored answer, but store the new ones
    #[arg(long, conflicts_with_all = ["max_age", "offline"])]
    pub(crate) refresh: bool,
    /// Use stored answers only, however old
    #[arg(long, conflicts_with = "max_age")]
    pub(crate) offline: bool,
    /// If Twitch gives out, accept stored answers that are older by so much
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "offline")]
    pub(crate) stale_if_error: Option<Duration>,
    /// How large the cache may grow, such as 512MB
    #[arg(long, value_name = "SIZE", value_parser = byte_size, hide_short_help = true)]
    pub(crate) cache_size: Option<u64>,
    /// A cache that fails ends the run
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
        help = format!("How often a failed request is sent again [default: {DEFAULT_RETRIES}]")
    )]
    pub(crate) retries: Option<u32>,
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration,
        hide_short_help = true,
        help = format!("How long one try may take [default: {}s]", DEFAULT_TIMEOUT.as_secs())
    )]
    pub(crate) timeout: Option<Duration>,
    /// Allow plain http to other machines
    #[arg(long, hide_short_help = true)]
    pub(crate) insecure_http: bool,
}

impl ReportOptions {
    /// Reads them from all levels of a command line, the outermost first.
    pub(super) fn merged(levels: &mut [ArgMatches]) -> Result<ReportOptions, clap::Error> {
        let mut options = ReportOptions::default();
        for level in levels {
            // The two flags are one choice: what stands behind replaces both.
            let before = std::mem::take(&mut options.rows.header);
            options.update_from_arg_matches_mut(level)?;
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

impl AnswerOptions {
    /// Refuses what contradicts itself. Beside one another the parser refuses these; one may also stand before the
    /// report's name and one behind.
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
