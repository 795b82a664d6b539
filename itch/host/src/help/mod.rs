//! `itch help`, `itch completions` and `itch man`: all are made from the registry and the tree of commands.

pub(crate) mod completions;
pub(crate) mod man;
pub(crate) mod topics;

use itch_api::Error;
use itch_plugin::Registry;

use crate::exit_codes::DONE;
use crate::failure::usage;
use crate::nearest::nearest;
use crate::options::OwnCommand;
use crate::options::help::HelpOptions;
use crate::stdout::print;
use topics::Topic;

/// Prints a topic. Help about commands is clap's: `command_line.rs` turns it into the command with `--help`.
pub(crate) fn run(registry: &Registry, options: &HelpOptions) -> anyhow::Result<u8> {
    let name = options.names.first().map_or("", String::as_str);
    let topic = Topic::of(&options.names).ok_or_else(|| unknown(registry, name))?;
    print(&topic.text(registry))?;
    Ok(DONE)
}

/// Whether this is the name of a command or a report.
pub(crate) fn is_command(registry: &Registry, name: &str) -> bool {
    OwnCommand::names().iter().any(|known| known == name) || registry.report(name).is_some()
}

/// The error for a name that is neither a command nor a topic.
pub(crate) fn unknown(registry: &Registry, name: &str) -> Error {
    let commands = OwnCommand::names();
    let reports = registry.reports().map(|(spec, _)| spec.name.as_str());
    let known = Topic::ALL
        .iter()
        .map(|topic| topic.name())
        .chain(reports)
        .chain(commands.iter().map(String::as_str));
    let hint = match nearest(name, known) {
        Some(nearest) => format!("did you mean `itch help {nearest}`?"),
        None => {
            let topics = Topic::ALL.map(Topic::name).join(", ");
            format!("`itch help` lists the commands and reports; the topics are {topics}")
        }
    };
    usage(format!("there is no command, report or help topic `{}`", name.escape_debug())).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_topic_has_the_name_of_a_command_or_report() {
        let registry = Registry::linked_in();
        for topic in Topic::ALL {
            assert!(!is_command(&registry, topic.name()), "{}", topic.name());
            assert!(!itch_plugin::spec::RESERVED_COMMANDS.contains(&topic.name()), "{}", topic.name());
            assert_eq!(Topic::of(&[topic.name().to_owned()]), Some(topic));
        }
    }
}
