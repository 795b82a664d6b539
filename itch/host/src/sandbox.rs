//! `itch sandbox`: the simulated Twitch as a server for any client; and the one that `--sandbox` starts in process.

use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use itch_sandbox::{Faults, Options, Sandbox};

use crate::failure::usage;
use crate::printer::{self, Printer};
use crate::{cli, times};

/// The command.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("sandbox")
        .about("Serve the simulated Twitch on a port of this machine")
        .long_about(
            "Serves the simulated Twitch on 127.0.0.1 until it is interrupted. It prints first, as shell lines, the \
             variables that point itch, or any other client, at it:\n\n  \
             itch sandbox > sandbox.env & sleep 1\n  \
             env $(cat sandbox.env) itch followers -l 10 burkeblack",
        )
        .arg(
            option("port", "PORT", "The port; 0 takes any free one")
                .default_value("0")
                .value_parser(clap::value_parser!(u16)),
        )
        .arg(
            option("seed", "SEED", "Another number is another Twitch")
                .default_value("1")
                .value_parser(clap::value_parser!(u64)),
        )
        .arg(
            option("latency", "TIME", "How long every answer takes, such as 50ms")
                .default_value("0")
                .value_parser(|text: &str| cli::hinted(times::duration(text))),
        )
        .arg(
            option("jitter", "TIME", "How much longer or shorter it may take")
                .default_value("0")
                .value_parser(|text: &str| cli::hinted(times::duration(text))),
        )
        .arg(option("faults", "FAULTS", "Faults and how often they happen, such as 429=0.02,reset=0.01"))
        .arg(option("rate-limit", "POINTS", "Points a minute, or `off`").default_value("800"))
}

/// Serves until interrupted.
pub(crate) fn serve(matches: &ArgMatches, printer: &Printer) -> anyhow::Result<u8> {
    let faults = match matches.get_one::<String>("faults") {
        Some(text) => text.parse::<Faults>().map_err(|error| usage(error.to_string()))?,
        None => Faults::default(),
    };
    let rate_limit = match matches.get_one::<String>("rate-limit").map(String::as_str) {
        None | Some("off") => None,
        Some(points) => Some(points.parse().ok().filter(|points| *points > 0).ok_or_else(|| {
            usage(format!("`{points}` is not a rate limit")).hint("write points a minute (`800`), or `off`")
        })?),
    };
    let span = |name: &str| matches.get_one::<Duration>(name).copied().unwrap_or_default();
    let sandbox = Sandbox::start(Options {
        port: matches.get_one("port").copied().unwrap_or(0),
        seed: matches.get_one("seed").copied().unwrap_or(1),
        latency: span("latency"),
        jitter: span("jitter"),
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

/// The sandbox behind `--sandbox`: no latency, no faults, no limit.
pub(crate) fn in_process() -> anyhow::Result<Sandbox> {
    Sandbox::start(Options {
        rate_limit: None,
        ..Options::default()
    })
    .context("the sandbox could not be started")
}
