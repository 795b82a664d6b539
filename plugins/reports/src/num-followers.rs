//! `itch num-followers CHANNEL…`: how many followers channels have.

use itch_plugin::prelude::*;

use crate::support::{MissingChannels, look_up_in_chunks};

struct NumFollowers;

report!(NumFollowers);

impl Report for NumFollowers {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("num-followers", "How many followers channels have")
            .alias("num_followers")
            .help(
                "Prints one row per channel, in the order given. Any token works for any channel. Channels that do not \
                 exist are listed at the end, and the exit code is 5.",
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
            .column(Column::int("followers", "How many followers the channel has").field("followers"))
            .column(Column::text("id", "The channel's user id").on_request().field("id"))
            .example("itch num-followers burkeblack", "One channel's followers, counted by Twitch")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let mut missing = MissingChannels::default();
        let api = call.api().clone();
        for total in look_up_in_chunks(call, 1, |names| api.follower_totals(names))? {
            let total = total?;
            match total.found {
                Some((channel, followers)) => call.emit(row![channel.login, followers, channel.id])?,
                None => missing.add(&total.name),
            }
        }
        missing.into_result()
    }
}
