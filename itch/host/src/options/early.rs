//! What is known of a command line before the commands are known.
//!
//! clap parses the options before the command, and then the options after it, which may name the plugin that has the
//! command.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::common::CommonOptions;
use super::report::ReportOptions;

/// A command line up to its command.
#[derive(Debug, Default)]
pub(crate) struct Early {
    /// The options before the command.
    pub(crate) common: CommonOptions,
    /// The command, if one could be found.
    pub(crate) command: Option<String>,
    /// The words after it.
    pub(crate) rest: Vec<OsString>,
    /// `--version` was given.
    pub(crate) version: bool,
    /// Something before the command is invalid, so that the command may not have been found.
    pub(crate) is_wrong: bool,
}

#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct BeforeCommand {
    #[command(flatten)]
    common: CommonOptions,
    #[command(flatten)]
    _report: ReportOptions,
    #[arg(short = 'h', long = "help")]
    _help: bool,
    #[arg(short = 'V', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<AnyCommand>,
}

#[derive(Debug, Subcommand)]
enum AnyCommand {
    #[command(external_subcommand)]
    Words(Vec<OsString>),
}

impl Early {
    /// Parses the arguments, the first of which is the program's name.
    pub(crate) fn parse(arguments: &[OsString]) -> Early {
        let Ok(before) = BeforeCommand::try_parse_from(arguments) else {
            let understood = BeforeCommand::command()
                .ignore_errors(true)
                .try_get_matches_from(arguments);
            return Early {
                common: understood.map(|matches| common(&matches)).unwrap_or_default(),
                is_wrong: true,
                ..Early::default()
            };
        };
        let AnyCommand::Words(mut words) = before.command.unwrap_or(AnyCommand::Words(Vec::new()));
        let rest = words.split_off(words.len().min(1));
        Early {
            common: before.common,
            command: words.pop().and_then(|name| name.into_string().ok()),
            rest,
            version: before.version,
            is_wrong: false,
        }
    }

    /// The common options before the command and, as far as they can be recognised, after it. Whether the word after an
    /// unknown option is its value cannot be known here: a word that looks like an option is taken as one.
    pub(crate) fn guessed(&self) -> CommonOptions {
        let mut common = self.common.clone();
        let behind = behind(&self.rest);
        common.plugin.extend(behind.plugin);
        common.prefer.extend(behind.prefer);
        common
    }
}

/// The common options among arguments that are not all known. clap stops at an unknown option; then that option is
/// added to the command and the arguments are parsed again.
fn behind(arguments: &[OsString]) -> CommonOptions {
    let mut command = CommonOptions::augment_args(Command::new("behind"))
        .no_binary_name(true)
        .disable_help_flag(true)
        .args(
            ReportOptions::augment_args(Command::default())
                .get_arguments()
                .map(without_check),
        )
        .arg(
            Arg::new("words")
                .action(ArgAction::Append)
                .value_parser(ValueParser::os_string()),
        );
    for _ in 0..=arguments.len() {
        match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => return common(&matches),
            Err(error) => match unknown_option(&error) {
                Some(option) => command = command.arg(option),
                None => break,
            },
        }
    }
    let understood = command.ignore_errors(true).try_get_matches_from(arguments);
    understood.map(|matches| common(&matches)).unwrap_or_default()
}

/// The common options, as far as they were understood.
fn common(matches: &ArgMatches) -> CommonOptions {
    let mut common = CommonOptions::default();
    match common.update_from_arg_matches(matches) {
        Ok(()) => common,
        Err(_) => CommonOptions::default(),
    }
}

/// The same option, but with any value.
fn without_check(option: &Arg) -> Arg {
    match option.get_action().takes_values() {
        true => option.clone().value_parser(ValueParser::os_string()),
        false => option.clone(),
    }
}

/// The option that clap does not know, as one that may have a value.
fn unknown_option(error: &clap::Error) -> Option<Arg> {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(name))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let option = Arg::new(name.clone())
        .action(ArgAction::Append)
        .num_args(0..=1)
        .value_parser(ValueParser::os_string());
    match name.strip_prefix("--") {
        Some(long) => {
            let is_name = !long.is_empty() && !long.starts_with('-');
            is_name.then(|| option.long(long.to_owned()))
        }
        None => Some(option.short(name.strip_prefix('-')?.chars().next()?)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn early(line: &str) -> Early {
        let words: Vec<OsString> = std::iter::once("itch")
            .chain(line.split(' '))
            .map(OsString::from)
            .collect();
        Early::parse(&words)
    }

    #[test]
    fn the_command_is_the_first_word_that_is_no_options_value() {
        for (line, command) in [
            ("followers burkeblack", Some("followers")),
            ("-l 10 -q followers x", Some("followers")),
            ("-l10 followers x", Some("followers")),
            ("-vvl 10 followers x", Some("followers")),
            ("--limit 10 --sandbox followers", Some("followers")),
            ("--limit=10 followers", Some("followers")),
            ("--plugin a.so hello", Some("hello")),
            ("-c file --help", None),
            ("--help", None),
        ] {
            assert_eq!(early(line).command.as_deref(), command, "{line}");
            assert!(!early(line).is_wrong, "{line}");
        }
        assert!(early("--no-such followers").is_wrong);
    }

    #[test]
    fn options_about_plugins_are_seen_before_and_behind_an_unknown_command() {
        let seen =
            early("--plugin=a.so --prefer x=y hello --unknown u --plugin b.so -zu --no-plugins -- --plugin c.so");
        let common = seen.guessed();
        assert_eq!(common.plugin, [PathBuf::from("a.so"), PathBuf::from("b.so")]);
        assert_eq!((&*common.prefer[0].name, &*common.prefer[0].plugin), ("x", "y"));
        // Only the whole line, parsed with the command's own options, tells whether it is the value of one.
        assert!(!common.no_plugins);
        for line in [
            "hello --limit many --plugin a.so",
            "hello --offline --refresh --flag --plugin=a.so",
        ] {
            assert_eq!(early(line).guessed().plugin, [PathBuf::from("a.so")], "{line}");
        }
        for line in [
            "hello --greeting --plugin",
            "hello ---x",
            "hello --=x",
            "hello -- --plugin a.so",
            "hello - -1 -\u{e9}",
        ] {
            assert!(early(line).guessed().plugin.is_empty(), "{line}");
        }
    }
}
