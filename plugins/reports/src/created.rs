//! `itch created CHANNEL…`: when channels were created.

use itch_plugin::prelude::*;

use crate::support::{MissingChannels, look_up_in_chunks};

struct Created;

report!(Created);

impl Report for Created {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("created", "When channels were created")
            .help(
                "Prints one row per channel, in the order given. Channels are looked up in batches of a hundred, \
                 several at once. Channels that do not exist are listed at the end, and the exit code is 5.",
            )
            .argument(
                Argument::positional(
                    0,
                    ArgumentKind::Channel,
                    "channel",
                    "The channels, or `-` for a list on standard input",
                )
                .required()
                .repeat(),
            )
            .column(Column::text("name", "The channel's login").field("login"))
            .column(Column::time("created", "When the account was created").field("created_at"))
            .column(Column::text("id", "The channel's user id").on_request().field("id"))
            .column(
                Column::text("display_name", "The channel's display name")
                    .on_request()
                    .field("display_name"),
            )
            .example("itch created burkeblack", "When one channel was created")
            .example("itch created - < channels.txt", "When each channel of a list was created")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let mut missing = MissingChannels::default();
        let api = call.api().clone();
        for lookup in look_up_in_chunks(call, 100, |names| api.channels(names))? {
            let lookup = lookup?;
            match lookup.channel {
                Some(channel) => {
                    call.emit(row![channel.login, channel.created_at, channel.id, channel.display_name])?
                }
                None => missing.add(&lookup.name),
            }
        }
        missing.into_result()
    }
}
