//! The levels of a command line: the command, its subcommand, and so on. The same option may be given at each.

use clap::ArgMatches;
use clap::parser::ValueSource;

/// The arguments of the command and of each subcommand in it, outermost first. Options that were not given are removed,
/// so that an inner level changes only what was given there.
pub(super) fn levels(matches: &ArgMatches) -> Vec<ArgMatches> {
    let mut levels = Vec::new();
    let mut next = Some(matches);
    while let Some(level) = next {
        let mut given = level.clone();
        let is_default = |id: &&str| level.value_source(id) == Some(ValueSource::DefaultValue);
        for id in level.ids().map(clap::Id::as_str).filter(is_default) {
            let _ = given.try_clear_id(id);
        }
        levels.push(given);
        next = level.subcommand().map(|(_, inner)| inner);
    }
    levels
}
