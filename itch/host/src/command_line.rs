//! From arguments to a typed command line and the plugins that take part in it.
//!
//! Commands come from plugins, and options of the command line select the plugins. So it is parsed in two steps. First,
//! clap parses what comes before the command ([`Early`]). Then the tree of commands is made from the built-in units or,
//! where these are not enough, also from the plugin index, and the whole line is parsed with it. Where the two steps
//! disagree about plugins, the second one counts. A built-in command needs no plugin, so no directory is read for it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Subcommand;
use itch_plugin::{NO_CACHE, Registry};

use crate::config::{Config, DEFAULT_CACHE};
use crate::help::topics::Topic;
use crate::options::early::Early;
use crate::options::{CommandLine, Invocation, OwnCommand};
use crate::plugins::discovery::{Discovery, Plugins, Selection};
use crate::printer::DeferredPrinter;
use crate::tree::{self, Detail};

/// The parsed arguments.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The plugins that are used.
    pub(crate) plugins: Plugins,
    /// The command line, or what is wrong with it.
    pub(crate) line: Result<CommandLine, clap::Error>,
    /// The command as it was typed, if one was found.
    pub(crate) command: Option<String>,
    /// The command line was `itch help` of this command.
    pub(crate) for_help: bool,
}

/// Reads the arguments, the first of which is the program's name. `itch help COMMAND` is read as `itch COMMAND --help`.
pub(crate) fn parse(arguments: &[OsString], printer: &DeferredPrinter) -> Parsed {
    let parsed = parse_as_given(arguments, printer);
    match parsed.line.as_ref().ok().and_then(help_wanted) {
        None => parsed,
        Some(arguments) => Parsed {
            for_help: true,
            ..parse_as_given(&arguments, printer)
        },
    }
}

/// The arguments that print the help that `itch help` was asked for, unless that is about a topic.
fn help_wanted(line: &CommandLine) -> Option<Vec<OsString>> {
    let Invocation::Own(own) = &line.invocation else {
        return None;
    };
    let OwnCommand::Help(options) = &own.command else {
        return None;
    };
    if own.misplaced.is_some() || Topic::of(&options.names).is_some() {
        return None;
    }
    let common = &line.common;
    let mut arguments = vec![OsString::from("itch")];
    for file in &common.plugin {
        arguments.extend([OsString::from("--plugin"), file.clone().into_os_string()]);
    }
    for preference in &common.prefer {
        arguments.push(format!("--prefer={}={}", preference.name, preference.plugin).into());
    }
    if common.no_plugins {
        arguments.push("--no-plugins".into());
    }
    arguments.extend(options.names.iter().map(OsString::from));
    arguments.push("--help".into());
    Some(arguments)
}

fn parse_as_given(arguments: &[OsString], printer: &DeferredPrinter) -> Parsed {
    let early = Early::parse(arguments);
    let command = early.command.clone();
    let name = command.as_deref();
    let manages = name.is_some_and(OwnCommand::manages_plugins);
    let discovery = Discovery::new(manages);
    let linked_in = Registry::linked_in();
    let detail = if early.is_wrong {
        Detail::All
    } else {
        Detail::Called(name)
    };

    let mut selection = Selection::of(&early.common);
    selection.none |= early.version;
    let is_known = name.is_some_and(|name| is_built_in(&linked_in, &discovery.config, name));
    let mut line = None;
    let mut needs_plugins = true;
    if is_known || selection.none {
        let parsed = tree::parse(&linked_in, detail, arguments);
        (selection, needs_plugins) = match &parsed {
            Ok(parsed) => {
                let common = Selection::of(&parsed.common);
                let needs = common.names_any() || needs_more(parsed, &linked_in, &discovery.config);
                (common, needs)
            }
            // It may be valid for a plugin that `--prefer` names.
            Err(_) => {
                let guessed = Selection::of(&early.guessed());
                let needs = guessed.names_any();
                (guessed, needs)
            }
        };
        selection.none |= early.version;
        line = Some(parsed);
    } else {
        let guessed = early.guessed();
        selection.files = guessed.plugin;
        selection.preferred = guessed.prefer;
    }
    if let Some(line) = line
        && !manages
        && (selection.none || !needs_plugins)
    {
        return Parsed {
            plugins: Plugins::linked_in(linked_in, selection),
            line,
            command,
            for_help: false,
        };
    }
    let (plugins, line) = with_plugins(&discovery, selection, detail, arguments, printer);
    Parsed {
        plugins,
        line,
        command,
        for_help: false,
    }
}

/// Finds plugins and parses the whole line with their commands. If the parsed line selects other plugins, both are
/// done once more.
fn with_plugins(
    discovery: &Discovery,
    selection: Selection,
    detail: Detail<'_>,
    arguments: &[OsString],
    printer: &DeferredPrinter,
) -> (Plugins, Result<CommandLine, clap::Error>) {
    let plugins = discovery.find(&selection, printer);
    let line = tree::parse(&plugins.registry, detail, arguments);
    let asked = match &line {
        Ok(line) => Selection::of(&line.common),
        // The command is unknown or the line is invalid. Of the options that clap understood, only `--no-plugins`
        // counts.
        Err(_) => {
            let understood = Selection::of(&tree::understood(&plugins.registry, detail, arguments));
            Selection {
                none: selection.none || understood.none,
                ..selection.clone()
            }
        }
    };
    if asked == selection {
        return (plugins, line);
    }
    let plugins = match asked.none && !discovery.manages() {
        true => Plugins::linked_in(Registry::linked_in(), asked),
        false => discovery.find(&asked, printer),
    };
    let line = tree::parse(&plugins.registry, detail, arguments);
    (plugins, line)
}

/// Whether a command means something built in, no matter which plugins there are.
fn is_built_in(linked_in: &Registry, config: &Config, name: &str) -> bool {
    let is_report = linked_in.report(name).is_some() && !config.plugins.prefer.contains_key(name);
    OwnCommand::has_subcommand(name) || is_report
}

/// Whether a built-in command needs more than the built-in units.
fn needs_more(line: &CommandLine, linked_in: &Registry, config: &Config) -> bool {
    let (mut caches, mut renderer, mut picture, mut draws) = (None, None, None, false);
    let mut usual_cache = false;
    match &line.invocation {
        Invocation::Report(report) => {
            caches = report.options.answers.cache.as_ref();
            picture = report.options.rows.plot.as_deref();
            draws = picture.is_some();
        }
        Invocation::Own(own) => match &own.command {
            OwnCommand::Api(options) => caches = options.report.answers.cache.as_ref(),
            OwnCommand::Cache(command) => {
                caches = command.selection().cache.as_ref();
                usual_cache = true;
            }
            OwnCommand::Plot(options) => {
                renderer = options.renderer.as_deref();
                picture = options.picture();
                draws = true;
            }
            // They show every plugin's units, or the scopes of every report.
            OwnCommand::Doctor(_)
            | OwnCommand::Help(_)
            | OwnCommand::Login(_)
            | OwnCommand::Man(_)
            | OwnCommand::Whoami(_) => return true,
            OwnCommand::Completions(_) | OwnCommand::Logout(_) | OwnCommand::Plugins(_) | OwnCommand::Sandbox(_) => {}
        },
    }
    let caches = caches.unwrap_or(&config.cache.names);
    let cache_is_known = |name: &String| name == NO_CACHE || linked_in.cache(name).is_some();
    // Without a name, `itch cache` means the default cache.
    let usual_cache = usual_cache && caches.is_empty();
    let caches_known = caches.iter().all(cache_is_known) && (!usual_cache || linked_in.cache(DEFAULT_CACHE).is_some());
    // Without a picture's name, a renderer for terminals may be needed.
    let terminal_known = || linked_in.renderers().any(|(spec, _)| spec.terminal);
    let renderers_known = renderer.is_none_or(|name| linked_in.renderer(name).is_some())
        && picture.is_none_or(|picture| is_drawn(linked_in, picture))
        && (!draws || terminal_known());
    // The configuration can give a built-in name to a plugin.
    let is_preferred = |name: &String| caches.contains(name) || (draws && linked_in.renderer(name).is_some());
    !caches_known || !renderers_known || config.plugins.prefer.keys().any(is_preferred)
}

/// Whether a built-in renderer draws pictures with this name.
fn is_drawn(linked_in: &Registry, picture: &Path) -> bool {
    let extension = picture.extension().and_then(OsStr::to_str);
    picture.as_os_str() == "-" || linked_in.renderer_by_extension(extension.unwrap_or_default()).is_some()
}
