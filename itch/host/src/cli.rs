//! The command line: a tree made of the registry, and options that may stand before or after a report's name.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::builder::styling::AnsiColor;
use clap::builder::{PossibleValue, PossibleValuesParser, Styles, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use itch_api::{Direction, SourceName};
use itch_output::Format;
use itch_plugin::spec::RESERVED_COMMANDS;
use itch_plugin::{Registry, ReportSpec};

use crate::failure::{Failure, usage};
use crate::plugins::discovery::{self, Plugins};
use crate::plugins::trial;
use crate::printer::Printer;
use crate::{arguments, cache_command, environment, log, plot, plugins, run, sandbox, times};

/// When colour or progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

/// Reads it, with its values named in help.
fn when() -> impl TypedValueParser<Value = When> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|text| match text.as_str() {
        "always" => When::Always,
        "never" => When::Never,
        _ => When::Auto,
    })
}

/// The whole command. Of the reports only the one that is `called` gets its arguments and options: with many plugins
/// the others' would be most of the work.
pub(crate) fn command(registry: &Registry, called: Option<&str>) -> Command {
    let styles = Styles::styled()
        .header(AnsiColor::Yellow.on_default().bold())
        .usage(AnsiColor::Yellow.on_default().bold())
        .literal(AnsiColor::Green.on_default())
        .error(AnsiColor::Red.on_default().bold());
    let mut root = Command::new("itch")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Pull Twitch data as tables")
        .long_about(
            "Pulls Twitch data as tables: rows on stdout, printer on stderr. Every report is a plugin; \
             `itch plugins list` shows them.",
        )
        .after_help("Try it without an account: itch --sandbox followers -l 10 burkeblack")
        .after_long_help(long_help())
        .styles(styles)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("COMMAND")
        .args(common_options())
        .args(plugin_options())
        .args(run_options());
    // A name that means nothing was misread, or will be refused: then nothing is left out.
    let misread = called.is_some_and(|name| !is_own(name) && registry.report(name).is_none());
    let report = |spec: &ReportSpec, name: &str| match misread || called == Some(name) {
        true => report_command(spec, name),
        false => Command::new(name.to_owned()).about(spec.summary.clone()),
    };
    for (spec, unit) in registry.reports() {
        root = root.subcommand(report(spec, &spec.name));
        let aliases = spec.aliases.iter().map(|alias| alias.name.as_str());
        for alias in aliases.filter(|alias| registry.means(alias, unit)) {
            let about = format!("The same as `{}`", spec.name);
            root = root.subcommand(report(spec, alias).about(about).hide(true));
        }
    }
    // By its full name a report can be called whatever its own name means.
    if let Some(name) = called.filter(|name| name.contains('/'))
        && let Some((spec, _)) = registry.report(name)
    {
        root = root.subcommand(report_command(spec, name).hide(true));
    }
    root.subcommand(cache_command::command())
        .subcommand(plot::command())
        .subcommand(plugins::command())
        .subcommand(sandbox::command())
}

/// Every option that may stand before the command.
pub(crate) fn options_before_command() -> Vec<Arg> {
    let mut options = common_options();
    options.extend(discovery::options());
    options.extend(run_options());
    options
}

/// Every option of `itch plot`, where those of reports mean other things.
pub(crate) fn options_of_plot() -> Vec<Arg> {
    let mut options = common_options();
    options.extend(discovery::options());
    options.extend(plot::command().get_arguments().cloned());
    options
}

/// Whether a command is one of the host's own.
pub(crate) fn is_own(name: &str) -> bool {
    RESERVED_COMMANDS.contains(&name)
}

/// Options about what is said; every command has them.
fn common_options() -> Vec<Arg> {
    vec![
        Arg::new("quiet")
            .short('q')
            .long("quiet")
            .action(ArgAction::SetTrue)
            .help("Say nothing but warnings and errors"),
        Arg::new("verbose")
            .short('v')
            .long("verbose")
            .action(ArgAction::Count)
            .help("Show requests, cache hits and times; twice for more"),
        Arg::new("color")
            .long("color")
            .value_name("WHEN")
            .value_parser(when())
            .help("Colour on terminals"),
        Arg::new("progress")
            .long("progress")
            .value_name("WHEN")
            .value_parser(when())
            .help("Progress on stderr"),
    ]
    .into_iter()
    .map(|arg| arg.global(true).help_heading("Talk"))
    .collect()
}

/// Options about which plugins take part; every command has them.
fn plugin_options() -> impl Iterator<Item = Arg> {
    let options = discovery::options().into_iter();
    options.map(|arg| arg.global(true).help_heading("Plugins").hide_short_help(true))
}

/// Options that every report has. They may stand before or after its name; behind it wins.
fn run_options() -> Vec<Arg> {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let direction = |text: &str| hinted(text.parse::<Direction>());
    let format = |text: &str| hinted(text.parse::<Format>());
    let duration = |text: &str| hinted(times::duration(text));
    let rows = vec![
        option("limit", "ROWS", "Stop after so many rows")
            .short('l')
            .allow_negative_numbers(true)
            .value_parser(row_limit),
        option("direction", "ORDER", "asc: oldest first; desc: newest first")
            .short('d')
            .value_parser(direction),
        option(
            "source",
            "SOURCE",
            "twitch: the services of today; legacy: kraken, tmi, rechat and loots.com as in 2016",
        )
        .value_parser(|text: &str| text.parse::<SourceName>()),
        option("columns", "NAMES", "Which columns, separated by commas, in this order").value_delimiter(','),
        option("format", "FORMAT", "tsv, csv, jsonl or table; otherwise tsv on a pipe and a table on a terminal")
            .short('f')
            .value_parser(format),
        option("output", "FILE", "Write to a file, which appears when it is complete")
            .short('o')
            .value_parser(value_parser!(PathBuf)),
        option("plot", "FILE", "Draw the rows as well, as a picture in this file").value_parser(value_parser!(PathBuf)),
        flag("header", "Begin with the names of the columns").overrides_with("no-header"),
        flag("no-header", "Do not begin with the names of the columns").overrides_with("header"),
        option("verdict", "FILE", "Write what is known about completeness as JSON")
            .value_parser(value_parser!(PathBuf))
            .hide_short_help(true),
        option(
            "tolerance",
            "SHARE",
            "How many rows may be missing from Twitch's own total, as a share of it [default: 0.01]",
        )
        .value_parser(share)
        .hide_short_help(true),
    ];
    let answers = vec![
        flag("sandbox", "Ask an embedded simulated Twitch: no account, no network"),
        option("cache", "NAME", "Keep answers in a cache, or several separated by commas; `none` for none")
            .short('c')
            .value_delimiter(','),
        option("max-age", "TIME", "Accept stored answers up to this age").value_parser(duration),
        flag("refresh", "Accept no stored answer, but store the new ones").conflicts_with_all(["max-age", "offline"]),
        flag("offline", "Use stored answers only, however old").conflicts_with("max-age"),
        option("stale-if-error", "TIME", "If Twitch gives out, accept stored answers that are older by so much")
            .value_parser(duration)
            .conflicts_with("offline"),
        option("cache-size", "SIZE", "How large the cache may grow, such as 512MB")
            .value_parser(|text: &str| hinted(size(text)))
            .hide_short_help(true),
        flag("cache-strict", "A cache that fails ends the run").hide_short_help(true),
    ];
    let network = vec![
        option("retries", "N", "How often a failed request is sent again [default: 4]")
            .value_parser(value_parser!(u32).range(0..=20))
            .hide_short_help(true),
        option("timeout", "TIME", "How long one try may take [default: 30s]")
            .value_parser(duration)
            .hide_short_help(true),
        flag("insecure-http", "Allow plain http to other machines").hide_short_help(true),
    ];
    let headed = |heading: &'static str, args: Vec<Arg>| args.into_iter().map(move |arg| arg.help_heading(heading));
    headed("Rows", rows)
        .chain(headed("Answers", answers))
        .chain(headed("Network", network))
        .collect()
}

/// A report's command, made of its description.
fn report_command(spec: &ReportSpec, name: &str) -> Command {
    let mut command = Command::new(name.to_owned())
        .about(spec.summary.clone())
        .args(run_options())
        .after_long_help(plugins::report_details(spec))
        .arg_required_else_help(spec.arguments.iter().any(|argument| argument.required));
    if !spec.help.is_empty() {
        command = command.long_about(format!("{}.\n\n{}", spec.summary, spec.help));
    }
    command.args(spec.arguments.iter().map(arguments::arg))
}

/// What `--help` says below the options: exit codes and environment variables.
fn long_help() -> String {
    let mut text = String::from(
        "Exit codes:\n  \
         0  done, also for nothing found and for a reader that closed the pipe\n  \
         1  failed: a full disk, a broken plugin\n  \
         2  wrong usage\n  \
         3  done, but a part is known to be missing\n  \
         4  sign-in, scope or role missing\n  \
         5  not found\n  \
         6  the service or the rate limit gave out, or the cache lacks an answer while offline\n  \
         130  interrupted\n\nEnvironment:\n",
    );
    for variable in environment::variables() {
        let default = variable
            .default
            .map(|default| format!(" [default: {default}]"))
            .unwrap_or_default();
        text.push_str(&format!("  {:<21} {}{default}\n", variable.name, variable.help));
    }
    text.push_str("\nTry it without an account: itch --sandbox followers -l 10 burkeblack");
    text
}

/// clap shows what an error says and knows no hints: this puts the hint behind the sentence.
pub(crate) fn hinted<T>(read: Result<T, itch_api::Error>) -> Result<T, itch_api::Error> {
    read.map_err(|error| match &error.hint {
        Some(hint) => usage(format!("{error}: {hint}")),
        None => error,
    })
}

/// A number of rows.
fn row_limit(text: &str) -> Result<u64, itch_api::Error> {
    let limit = text.parse::<u64>().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| usage("a limit is a whole number of rows, at least 1"))
}

/// A share of one.
fn share(text: &str) -> Result<f64, itch_api::Error> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| usage(format!("`{}` is no share: a number from 0 to 1", text.escape_debug())))
}

/// A number of bytes: `1000000`, `512MB`, `2GiB`.
pub(crate) fn size(text: &str) -> Result<u64, itch_api::Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" => Some(1_000),
        "m" | "mb" => Some(1_000_000),
        "g" | "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| {
            usage(format!("`{}` is not a size", text.escape_debug())).hint("write bytes with a unit, such as `512MB`")
        })
}

/// Options as given, wherever they stand: behind the command's name first, then before it.
#[derive(Clone, Debug)]
pub(crate) struct Options<'a> {
    levels: Vec<&'a ArgMatches>,
}

impl<'a> Options<'a> {
    /// The options of a parsed command line.
    pub(crate) fn of(matches: &'a ArgMatches) -> Options<'a> {
        let mut levels = vec![matches];
        if let Some((_, behind)) = matches.subcommand() {
            levels.insert(0, behind);
        }
        Options { levels }
    }

    fn given(&self, name: &str) -> Option<&'a ArgMatches> {
        self.levels.iter().copied().find(|level| {
            let known = level.try_contains_id(name).unwrap_or(false);
            known && level.value_source(name) == Some(ValueSource::CommandLine)
        })
    }

    /// Whether an option was given at all.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// An option's value.
    pub(crate) fn get<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<T> {
        self.given(name)?.get_one::<T>(name).cloned()
    }

    /// The values of an option that takes several.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        Some(self.given(name)?.get_many::<String>(name)?.cloned().collect())
    }

    /// Whether a flag was given.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.given(name).is_some_and(|level| level.get_flag(name))
    }

    /// How often a flag was given.
    pub(crate) fn count(&self, name: &str) -> u8 {
        self.given(name).map_or(0, |level| level.get_count(name))
    }

    /// `--header` or `--no-header`, whichever stands nearer.
    pub(crate) fn header(&self) -> Option<bool> {
        self.levels.iter().find_map(|level| {
            let given = |name| level.value_source(name) == Some(ValueSource::CommandLine) && level.get_flag(name);
            match (given("header"), given("no-header")) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        })
    }

    /// A span of time.
    pub(crate) fn span(&self, name: &str) -> Option<Duration> {
        self.get::<Duration>(name)
    }
}

/// Runs the command that was given and says the exit code.
pub(crate) fn dispatch(plugins: &Plugins, matches: &ArgMatches, printer: &Printer) -> anyhow::Result<u8> {
    log::start(printer);
    let registry = &plugins.registry;
    let Some((name, behind)) = matches.subcommand() else {
        return Err(usage("no command is given").hint("itch --help").into());
    };
    if let Some((spec, unit)) = registry.report(name) {
        return run::report(registry, spec, unit, name, matches, printer);
    }
    let before = run_options()
        .into_iter()
        .find(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine));
    if let Some(arg) = before {
        return Err(usage(format!("`--{}` is an option of reports, not of `itch {name}`", arg.get_id())).into());
    }
    match name {
        "cache" => cache_command::run(registry, behind, printer),
        "plot" => plot::run(registry, behind, printer),
        "plugins" => plugins::run(plugins, behind, printer),
        "sandbox" => sandbox::serve(behind, printer),
        _ => Err(usage(format!("there is no command `{name}`"))
            .hint("itch --help")
            .into()),
    }
}

/// Prints what clap has to say, help, the version, or what is wrong with the command line, and says the exit code.
pub(crate) fn refuse(mut error: clap::Error) -> anyhow::Result<u8> {
    // The best of several near misses stands last, and old names are among them: one is enough.
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::SuggestedSubcommand)
        && let Some(best) = names.last().cloned()
    {
        let best = ContextValue::Strings(vec![best]);
        error.insert(ContextKind::SuggestedSubcommand, best);
    }
    if error.use_stderr() {
        trial::tell_error(&Failure::from(&error));
    }
    match error.print() {
        // Help that did not reach the disk is no success; that a complaint reached nobody changes nothing.
        Err(cause) if !error.use_stderr() && cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(cause).context("the help could not be written")
        }
        _ => Ok(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

/// A choice among texts, for an argument of that kind.
pub(crate) fn choices(names: &[String]) -> Vec<PossibleValue> {
    names.iter().map(|name| PossibleValue::new(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use itch_plugin::spec::{RESERVED_LETTERS, RESERVED_OPTIONS};

    use super::*;

    #[test]
    fn no_report_can_hide_an_option_or_a_command() {
        for arg in options_before_command() {
            let name = arg.get_long().unwrap_or_default();
            assert!(RESERVED_OPTIONS.contains(&name), "--{name}");
            assert!(arg.get_short().is_none_or(|letter| RESERVED_LETTERS.contains(&letter)), "--{name}");
        }
        for command in [
            cache_command::command(),
            plot::command(),
            plugins::command(),
            sandbox::command(),
        ] {
            assert!(RESERVED_COMMANDS.contains(&command.get_name()), "{}", command.get_name());
        }
    }
}
