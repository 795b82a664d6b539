//! The levels of a command line: the command, its subcommand, and so on. The same option may stand at each.

use clap::ArgMatches;
use clap::parser::ValueSource;

/// What was given to the command and to each subcommand in it, from the outside in. Flags that were not given are not
/// there, so that an inner level changes only what it says.
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
