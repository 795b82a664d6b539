//! The error of a report at its end if some of its channels do not exist.

use itch_plugin::prelude::*;

/// The channels that do not exist.
#[derive(Default)]
pub(crate) struct MissingChannels {
    names: Vec<String>,
    count: usize,
}

/// How many channels the error names; the others are counted.
const EXAMPLES: usize = 5;

impl MissingChannels {
    pub(crate) fn add(&mut self, name: &ChannelName) {
        self.count += 1;
        if self.names.len() < EXAMPLES {
            self.names.push(format!("`{}`", name.typed()));
        }
    }

    /// An error if there are any. Call it after the rows of the existing channels.
    pub(crate) fn into_result(self) -> Result<()> {
        let more = self.count - self.names.len();
        let names = self.names.join(", ");
        let message = match (self.count, more) {
            (0, _) => return Ok(()),
            (1, _) => format!("there is no channel {names}"),
            (n, 0) => format!("{n} channels do not exist: {names}"),
            (n, more) => format!("{n} channels do not exist: {names} and {more} more"),
        };
        Err(Error::new(ErrorKind::NotFound, message)
            .hint("check the spelling; a renamed, banned or deleted account is not found either"))
    }
}
