//! Shell completions. The script of `itch completions` calls itch at each press of the Tab key, with the name of the
//! shell in [`COMPLETE`]: the answer is made from what is built in and from the plugin index, so that no plugin is
//! started.

use std::ffi::OsString;
use std::io::Write;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use itch_output::Format;
use itch_plugin::{NO_CACHE, Registry};
use itch_table::InputFormat;

use super::topics::Topic;
use crate::environment::{self, COMPLETE};
use crate::exit_codes::{DONE, USAGE};
use crate::options::OwnCommand;
use crate::options::early::Early;
use crate::options::help::CompletionsOptions;
use crate::plugins::discovery::{Discovery, Selection};
use crate::printer::Printer;
use crate::stdout::print;
use crate::tree::{self, Detail};

/// `itch completions`: prints a shell's script.
pub(crate) fn run(options: &CompletionsOptions) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(options.shell.name()) {
        shell.write_registration(COMPLETE, "itch", "itch", "itch", &mut script)?;
    }
    print(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

/// Answers a script: prints what could stand where the cursor is, and gives the exit code. Nothing is done where no
/// script calls.
pub(crate) fn answer(arguments: &[OsString]) -> Option<u8> {
    let shell = environment::read(COMPLETE)?;
    let start = arguments.iter().position(|argument| argument == "--")?;
    let words = arguments.get(start + 1..)?.to_vec();
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&shell) else {
        Printer::default().warning(&format!("{COMPLETE} names an unknown shell: `{}`", shell.escape_debug()));
        return Some(USAGE);
    };
    let registry = Discovery::new(false)
        .known(&Selection::of(&Default::default()))
        .registry;
    let early = Early::parse(&words);
    let detail = match early.is_wrong {
        true => Detail::All,
        false => Detail::Called(early.command.as_deref()),
    };
    let mut command = with_values(&registry, tree::command(&registry, detail));
    let mut answer = Vec::new();
    let current = std::env::current_dir().ok();
    let completed = shell.write_complete(&mut command, words, current.as_deref(), &mut answer);
    // An error has no place on a command line that is being typed: there is nothing to complete then.
    let _ = completed.and_then(|()| std::io::stdout().write_all(&answer));
    Some(DONE)
}

/// The tree of commands with the values that only the registry knows.
fn with_values(registry: &Registry, root: Command) -> Command {
    let root = root.mut_args(|argument| with_candidates(registry, "", argument));
    root.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let command = command.mut_args(|argument| with_candidates(registry, &name, argument));
        command.mut_subcommands(|inner| {
            let inner_name = format!("{name} {}", inner.get_name());
            inner.mut_args(|argument| with_candidates(registry, &inner_name, argument))
        })
    })
}

/// An argument of a command with the values that it may have.
fn with_candidates(registry: &Registry, command: &str, argument: Arg) -> Arg {
    match candidates(registry, command, &argument) {
        Some(names) => {
            argument.add(ArgValueCandidates::new(move || names.iter().map(CompletionCandidate::new).collect()))
        }
        None => argument,
    }
}

/// The values of an argument of a command, where clap does not know them.
fn candidates(registry: &Registry, command: &str, argument: &Arg) -> Option<Vec<String>> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(match (command, argument.get_long()) {
        ("help", None) => {
            let reports = registry.reports().map(|(spec, _)| spec.name.clone());
            let topics = Topic::ALL.map(|topic| topic.name().to_owned());
            topics.into_iter().chain(reports).chain(OwnCommand::names()).collect()
        }
        ("plugins info", None) => registry
            .units()
            .iter()
            .map(|unit| unit.spec.name().to_owned())
            .collect(),
        ("plugins remove" | "plugins enable" | "plugins disable" | "plugins trust", None) => {
            let mut plugins: Vec<String> = registry.units().iter().map(|unit| unit.plugin.clone()).collect();
            plugins.sort();
            plugins.dedup();
            plugins
        }
        (_, Some("cache")) => {
            let caches = registry.caches().map(|(spec, _)| spec.name.clone());
            caches.chain([NO_CACHE.to_owned()]).collect()
        }
        (_, Some("format")) => owned(&Format::ALL.map(Format::name)),
        (_, Some("input-format")) => owned(&InputFormat::ALL.map(|format| format.name)),
        (_, Some("renderer")) => registry.renderers().map(|(spec, _)| spec.name.clone()).collect(),
        (_, Some("direction")) => owned(&["asc", "desc"]),
        (_, Some("source")) => owned(&["twitch", "legacy"]),
        (_, Some("colormap")) => owned(&itch_chart::ColorMap::NAMES),
        (_, Some("density-scale")) => owned(&itch_chart::DensityScale::NAMES),
        (report, Some("columns")) => {
            let (spec, _) = registry.report(report)?;
            spec.columns.iter().map(|column| column.name.clone()).collect()
        }
        _ => return None,
    })
}
