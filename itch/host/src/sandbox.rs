//! `itch sandbox`: the simulated Twitch as a server for any client; and `--sandbox`, which starts it in this process.

use anyhow::Context;
use itch_sandbox::{Faults, Options, Sandbox};

use crate::failure::usage;
use crate::options::sandbox::SandboxOptions;
use crate::printer::{self, Printer};

/// Serves until interrupted.
pub(crate) fn serve(options: &SandboxOptions, printer: &Printer) -> anyhow::Result<u8> {
    let faults = match &options.faults {
        Some(text) => text.parse::<Faults>().map_err(|error| usage(error.to_string()))?,
        None => Faults::default(),
    };
    let rate_limit = match options.rate_limit.as_str() {
        "off" => None,
        points => Some(points.parse().ok().filter(|points| *points > 0).ok_or_else(|| {
            usage(format!("`{points}` is not a rate limit")).hint("write points per minute (`800`), or `off`")
        })?),
    };
    let sandbox = Sandbox::start(Options {
        port: options.port,
        seed: options.seed,
        latency: options.latency,
        jitter: options.jitter,
        faults,
        rate_limit,
    })
    .context("the sandbox could not be started")?;
    let lines: String = sandbox
        .environment()
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    printer::print(&lines)?;
    printer.note(&format!("serving on {}; interrupt to stop", sandbox.base_url()));
    sandbox.wait();
    Ok(0)
}

/// The sandbox of `--sandbox`: without latency, faults and a rate limit.
pub(crate) fn in_process() -> anyhow::Result<Sandbox> {
    Sandbox::start(Options {
        rate_limit: None,
        ..Options::default()
    })
    .context("the sandbox could not be started")
}
