//! `itch sandbox`: the simulated Twitch as a server for any client; and `--sandbox`, which starts it in this process.

use std::time::SystemTime;

use anyhow::Context;
use itch_api::{Error, ErrorKind};
use itch_sandbox::{Day, Faults, Options, ParseDayError, Sandbox};

use crate::environment::{self, SANDBOX_DAY};
use crate::failure::usage;
use crate::options::sandbox::SandboxOptions;
use crate::printer::Printer;
use crate::stdout::print;

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
    let sandbox = start(Options {
        port: options.port,
        seed: options.seed,
        day: options.day.map_or_else(day, Ok)?,
        latency: options.latency,
        jitter: options.jitter,
        faults,
        rate_limit,
        token_life: options.token_life,
        device_life: options.device_life,
        device_interval: options.device_interval,
    })?;
    let lines: String = sandbox
        .environment()
        .iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(value)))
        .collect();
    print(&lines)?;
    printer.note(&format!("serving on {}; interrupt to stop", sandbox.base_url()));
    sandbox.wait();
    Ok(0)
}

/// A value as one word of a POSIX shell, whatever is in it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The sandbox of `--sandbox`: without latency, faults and a rate limit.
pub(crate) fn in_process() -> anyhow::Result<Sandbox> {
    start(Options {
        day: day()?,
        rate_limit: None,
        ..Options::default()
    })
}

/// The day of the variable, or today.
fn day() -> anyhow::Result<Day> {
    let Some(text) = environment::read(SANDBOX_DAY) else {
        return Ok(Day::today());
    };
    let day = text.parse();
    Ok(day.map_err(|error: ParseDayError| {
        usage(format!("{SANDBOX_DAY}: {error}")).hint("set a day such as `2026-11-01`, or unset it")
    })?)
}

fn start(options: Options) -> anyhow::Result<Sandbox> {
    let failed = "the sandbox could not be started";
    // The HTTP library that it is made with panics at the first answer then.
    if SystemTime::now() < SystemTime::UNIX_EPOCH {
        let error = Error::new(ErrorKind::Failed, failed).cause("the clock of this machine is before 1970");
        return Err(error.hint("set the clock").into());
    }
    Sandbox::start(options).context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word() {
        assert_eq!(quoted("http://127.0.0.1:1/a?b&c"), "'http://127.0.0.1:1/a?b&c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
