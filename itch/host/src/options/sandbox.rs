//! The options of `itch sandbox`.

use std::time::Duration;

use clap::Args;
use itch_sandbox::Day;

use super::values::duration;

pub(crate) const ABOUT: &str = "Serve the simulated Twitch on a port of this machine";

pub(crate) const LONG_ABOUT: &str = "\
     Serves the simulated Twitch on 127.0.0.1 until it is interrupted. First it prints, as \
     shell lines, the variables that make itch, or any other client, use it:\n\n  \
     itch sandbox > sandbox.env & sleep 1\n  \
     . ./sandbox.env\n  \
     itch followers -l 10 burkeblack";

/// How the simulated Twitch is served.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct SandboxOptions {
    /// The port; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = itch_sandbox::Options::default().port)]
    pub(crate) port: u16,
    /// The seed of the data: another number gives other channels and accounts
    #[arg(long, value_name = "SEED", default_value_t = itch_sandbox::Options::default().seed)]
    pub(crate) seed: u64,
    /// The day at whose start (UTC) the data end, such as 2026-11-01 [default: $ITCH_SANDBOX_DAY, or today]
    #[arg(long, value_name = "DAY")]
    pub(crate) day: Option<Day>,
    /// The delay before each response, such as 50ms
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0")]
    pub(crate) latency: Duration,
    /// A random part of the delay: up to this much more or less
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0")]
    pub(crate) jitter: Duration,
    /// Faults and their rates, such as 429=0.02,reset=0.01
    #[arg(long, value_name = "FAULTS", long_help = faults_help())]
    pub(crate) faults: Option<String>,
    /// The rate limit in points per minute, or `off`
    #[arg(long, value_name = "POINTS", default_value_t = default_rate_limit())]
    pub(crate) rate_limit: String,
    /// How long a user token is valid that a sign-in issues, such as 5s
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "3h55m24s")]
    pub(crate) token_life: Duration,
    /// How long the code of a sign-in is valid
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30m")]
    pub(crate) device_life: Duration,
    /// How long a device waits between two polls; one that asks earlier gets no token
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(crate) device_interval: Duration,
}

fn faults_help() -> String {
    format!("Faults and their rates, such as 429=0.02,reset=0.01\n\n{}", itch_sandbox::Faults::help())
}

fn default_rate_limit() -> String {
    let limit = itch_sandbox::Options::default().rate_limit;
    limit.map_or_else(|| "off".to_owned(), |points| points.to_string())
}
