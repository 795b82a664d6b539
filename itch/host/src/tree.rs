//! clap's tree of commands: the reports of the registry, then the host's own.

use std::ffi::OsString;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command, Subcommand};
use itch_plugin::{Registry, ReportSpec};

use crate::options::api::MEANINGLESS;
use crate::options::common::CommonOptions;
use crate::options::report::ReportOptions;
use crate::options::{CommandLine, OwnCommand};
use crate::plugins::details::report_details;
use crate::{arguments, environment, exit_codes};

/// A command that needs no account, for the end of the help.
const TRY_IT: &str = "Try it without an account: itch --sandbox followers -l 10 burkeblack";

/// Which commands get all of their options. With many plugins, adding them to every command would take most of the
/// time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail<'a> {
    /// The command that is called, if there is one.
    Called(Option<&'a str>),
    /// All commands, since it is not known which one is called.
    All,
}

/// Parses a whole command line.
pub(crate) fn parse(
    registry: &Registry,
    detail: Detail<'_>,
    arguments: &[OsString],
) -> Result<CommandLine, clap::Error> {
    let mut command = command(registry, detail);
    match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => CommandLine::read(matches),
        Err(error) => Err(with_help(error, &mut command, detail, arguments)),
    }
}

/// The error for a command line that ends with a report's name, which lacks an argument: it says which one, and shows
/// the report's help.
fn with_help(error: clap::Error, root: &mut Command, detail: Detail<'_>, arguments: &[OsString]) -> clap::Error {
    let (ErrorKind::MissingRequiredArgument, Detail::Called(Some(name))) = (error.kind(), detail) else {
        return error;
    };
    let (Some(ContextValue::Strings(missing)), Some(report)) =
        (error.get(ContextKind::InvalidArg), root.find_subcommand_mut(name))
    else {
        return error;
    };
    if arguments.last().is_none_or(|last| last != name) || OwnCommand::has_subcommand(name) {
        return error;
    }
    let missing = missing.join(" ");
    let message = format!("`itch {name}` needs {missing}\n\n{}", report.render_help().ansi());
    clap::Error::raw(ErrorKind::MissingRequiredArgument, message)
}

/// The common options of an invalid command line, as far as clap understood them.
pub(crate) fn understood(registry: &Registry, detail: Detail<'_>, arguments: &[OsString]) -> CommonOptions {
    let command = command(registry, detail).ignore_errors(true);
    let matches = command.try_get_matches_from(arguments);
    matches
        .map(|matches| CommonOptions::understood(&matches))
        .unwrap_or_default()
}

/// The whole command.
pub(crate) fn command(registry: &Registry, detail: Detail<'_>) -> Command {
    let styles = Styles::styled()
        .header(AnsiColor::Yellow.on_default().bold())
        .usage(AnsiColor::Yellow.on_default().bold())
        .literal(AnsiColor::Green.on_default())
        .error(AnsiColor::Red.on_default().bold());
    let mut root = Command::new("itch")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(TRY_IT)
        .after_long_help(long_help())
        .styles(styles)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("COMMAND")
        .args(arguments_of::<CommonOptions>())
        .args(arguments_of::<ReportOptions>());
    let report = |spec: &ReportSpec, name: &str| match detail {
        Detail::Called(called) if called != Some(name) => Command::new(name.to_owned()).about(spec.summary.clone()),
        _ => report_command(spec, name),
    };
    for (spec, unit) in registry.reports() {
        root = root.subcommand(report(spec, &spec.name));
        let aliases = spec.aliases.iter().map(|alias| alias.name.as_str());
        for alias in aliases.filter(|alias| registry.means(alias, unit)) {
            let about = format!("The same as `{}`", spec.name);
            root = root.subcommand(report(spec, alias).about(about).hide(true));
        }
    }
    // The full name PLUGIN/NAME works even if NAME means another plugin's report.
    if let Detail::Called(Some(name)) = detail
        && name.contains('/')
        && let Some((spec, _)) = registry.report(name)
    {
        root = root.subcommand(report_command(spec, name).hide(true));
    }
    let mut root = OwnCommand::augment_subcommands(root).mut_subcommand("api", |api| {
        let hidden = MEANINGLESS
            .iter()
            .fold(api, |api, option| api.mut_arg(option, |arg| arg.hide(true)));
        hidden.override_usage(
            "itch api [OPTIONS] PATH [KEY=VALUE]...\n       itch api [OPTIONS] --gql FILE [KEY=VALUE]...",
        )
    });
    match detail {
        Detail::Called(Some(name)) if root.find_subcommand(name).is_some() => {
            root = root.mut_subcommand(name, with_common_options);
        }
        Detail::Called(_) => {}
        Detail::All => root = root.mut_subcommands(with_common_options),
    }
    root.about("Pull Twitch data as tables").long_about(
        "Pulls Twitch data as tables: rows on stdout, messages on stderr. Every report is a plugin; \
         `itch plugins list` shows them.",
    )
}

/// The options of a struct, without its doc comment, which would become a part of the command's help.
fn arguments_of<T: Args>() -> Vec<Arg> {
    T::augment_args(Command::default()).get_arguments().cloned().collect()
}

/// The same command with the common options at every level.
fn with_common_options(command: Command) -> Command {
    command
        .args(arguments_of::<CommonOptions>())
        .mut_subcommands(with_common_options)
}

/// A report's command, made from its description.
fn report_command(spec: &ReportSpec, name: &str) -> Command {
    let mut command = Command::new(name.to_owned())
        .about(spec.summary.clone())
        .args(arguments_of::<ReportOptions>())
        .after_long_help(report_details(spec));
    if !spec.help.is_empty() {
        command = command.long_about(format!("{}.\n\n{}", spec.summary, spec.help));
    }
    command.args(spec.arguments.iter().map(arguments::arg))
}

/// The end of `itch --help`, below the options: exit codes and environment variables.
fn long_help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in exit_codes::MEANINGS {
        text.push_str(&format!("  {code}  {meaning}\n"));
    }
    text.push_str("\nEnvironment:\n");
    for variable in environment::variables() {
        let default = variable.default.map(|default| format!(" [default: {default}]"));
        text.push_str(&format!("  {:<21} {}{}\n", variable.name, variable.help, default.unwrap_or_default()));
    }
    text.push('\n');
    text.push_str(TRY_IT);
    text
}

#[cfg(test)]
mod tests {
    use itch_plugin::spec::{RESERVED_COMMANDS, RESERVED_LETTERS, RESERVED_OPTIONS};

    use super::*;

    #[test]
    fn the_tree_is_well_formed() {
        command(&Registry::linked_in(), Detail::All).debug_assert();
    }

    #[test]
    fn no_report_can_hide_an_option_or_a_command() {
        for arg in [arguments_of::<CommonOptions>(), arguments_of::<ReportOptions>()].concat() {
            let name = arg.get_long().unwrap_or_default();
            assert!(RESERVED_OPTIONS.contains(&name), "--{name}");
            assert!(arg.get_short().is_none_or(|letter| RESERVED_LETTERS.contains(&letter)), "--{name}");
        }
        for command in OwnCommand::augment_subcommands(Command::default()).get_subcommands() {
            assert!(RESERVED_COMMANDS.contains(&command.get_name()), "{}", command.get_name());
        }
    }
}
