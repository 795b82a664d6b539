//! The command line as typed options: read once, checked, nothing resolved yet.
//!
//! Each struct here defines its options and is what they are read into: clap derives ids, names and help from its
//! fields. An option that every report has is one field of [`report::ReportOptions`]; one that every command has is
//! one field of [`common::CommonOptions`]. `plan.rs` and the commands make clients and writers from them.

pub(crate) mod account;
pub(crate) mod api;
pub(crate) mod cache;
pub(crate) mod common;
pub(crate) mod early;
pub(crate) mod help;
mod levels;
pub(crate) mod plot;
pub(crate) mod plugins;
pub(crate) mod report;
pub(crate) mod sandbox;
pub(crate) mod values;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use account::{DoctorOptions, LoginOptions, LogoutOptions, WhoamiOptions};
use api::ApiOptions;
use cache::CacheCommand;
use common::CommonOptions;
use help::{CompletionsOptions, HelpOptions, ManOptions};
use levels::levels;
use plot::PlotOptions;
use plugins::PluginsCommand;
use report::ReportOptions;
use sandbox::SandboxOptions;

/// A whole command line.
#[derive(Debug)]
pub(crate) struct CommandLine {
    /// The options of every command.
    pub(crate) common: CommonOptions,
    /// The command.
    pub(crate) invocation: Invocation,
}

/// The command that was given, with its options.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// A report, by the name that was typed.
    Report(Box<ReportInvocation>),
    /// One of the host's own commands.
    Own(OwnInvocation),
}

/// A call of a report.
#[derive(Debug)]
pub(crate) struct ReportInvocation {
    /// As it was typed: a name, an alias, or a full name.
    pub(crate) name: String,
    /// The options of every report.
    pub(crate) options: ReportOptions,
    /// The arguments that the report's description declares; `arguments.rs` reads them.
    pub(crate) arguments: ArgMatches,
}

/// A call of a command of the host's own.
#[derive(Debug)]
pub(crate) struct OwnInvocation {
    /// The command.
    pub(crate) command: OwnCommand,
    /// Its name.
    pub(crate) name: String,
    /// An option of reports before the command, where it has no meaning.
    pub(crate) misplaced: Option<String>,
}

/// The host's own commands.
#[derive(Debug, Subcommand)]
pub(crate) enum OwnCommand {
    #[command(about = api::ABOUT, long_about = api::LONG_ABOUT, after_help = api::EXAMPLES)]
    Api(Box<ApiOptions>),
    /// Show, check and remove what the caches store
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Print a script that completes command lines in a shell
    #[command(long_about = help::COMPLETIONS_LONG, after_help = help::COMPLETIONS_INSTALL)]
    Completions(CompletionsOptions),
    /// Check the services, the accounts and this installation
    #[command(long_about = account::DOCTOR_LONG)]
    Doctor(DoctorOptions),
    #[command(about = "Print help about a command, a report or a topic", after_help = help::HELP_EXAMPLES)]
    Help(HelpOptions),
    /// Sign in with Twitch
    #[command(long_about = account::LOGIN_LONG, after_help = account::LOGIN_EXAMPLES)]
    Login(LoginOptions),
    /// Sign out: revoke the token of an account, and remove it from this machine
    Logout(LogoutOptions),
    /// Write manual pages
    #[command(long_about = help::MAN_LONG)]
    Man(ManOptions),
    #[command(about = plot::ABOUT, long_about = plot::LONG_ABOUT, after_help = plot::EXAMPLE)]
    Plot(Box<PlotOptions>),
    /// Show, add and check reports, caches and renderers
    #[command(subcommand)]
    Plugins(PluginsCommand),
    #[command(about = sandbox::ABOUT, long_about = sandbox::LONG_ABOUT)]
    Sandbox(SandboxOptions),
    /// Show who is signed in, and which reports that account can run
    #[command(long_about = account::WHOAMI_LONG)]
    Whoami(WhoamiOptions),
}

impl OwnCommand {
    /// Whether this is the name of the command that manages plugins, which looks at all of them.
    pub(crate) fn manages_plugins(name: &str) -> bool {
        name == "plugins"
    }

    /// The names of all of them.
    pub(crate) fn names() -> Vec<String> {
        let command = OwnCommand::augment_subcommands(Command::default());
        command
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect()
    }
}

impl CommandLine {
    /// Reads what clap has parsed.
    pub(crate) fn read(matches: ArgMatches) -> Result<CommandLine, clap::Error> {
        let mut levels = levels(&matches);
        let common = CommonOptions::merged(&mut levels)?;
        let name = matches.subcommand_name().unwrap_or_default().to_owned();
        let invocation = if OwnCommand::has_subcommand(&name) {
            let mut command = OwnCommand::from_arg_matches(&matches)?;
            let misplaced = match &mut command {
                OwnCommand::Api(options) => {
                    options.report = ReportOptions::merged(&mut levels)?;
                    None
                }
                _ => given(&ReportOptions::augment_args(Command::default()), &matches),
            };
            Invocation::Own(OwnInvocation {
                command,
                misplaced,
                name,
            })
        } else {
            let options = ReportOptions::merged(&mut levels)?;
            let mut matches = matches;
            let arguments = matches
                .remove_subcommand()
                .map(|(_, arguments)| arguments)
                .unwrap_or_default();
            Invocation::Report(Box::new(ReportInvocation {
                name,
                options,
                arguments,
            }))
        };
        Ok(CommandLine { common, invocation })
    }
}

/// The long name of the first of a command's options that was given.
fn given(command: &Command, matches: &ArgMatches) -> Option<String> {
    let mut options = command.get_arguments();
    let first = options.find(|option| {
        let id = option.get_id().as_str();
        matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    first.and_then(|option| option.get_long()).map(str::to_owned)
}
