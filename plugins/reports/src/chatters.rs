//! `itch chatters CHANNEL`: who is in a channel's chat right now.

use itch_plugin::prelude::*;

struct Chatters;

report!(Chatters);

impl Report for Chatters {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("chatters", "Who is in a channel's chat")
            .help(
                "Prints one row per chatter: moderators first, then viewers. Twitch shows the list to the broadcaster \
                 and the channel's moderators only, and roles to the broadcaster only; without roles the rows are in \
                 Twitch's order. Chatters appear and disappear with a delay of some minutes.",
            )
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The channel").required())
            .column(Column::text("name", "The chatter's login").field("login"))
            .column(
                Column::text("role", "broadcaster, moderator, vip or viewer; empty if the token may not see it")
                    .on_request()
                    .field("role"),
            )
            .column(Column::text("id", "The chatter's user id").on_request())
            .column(
                Column::text("display_name", "The chatter's display name")
                    .on_request()
                    .field("display_name"),
            )
            .scope("moderator:read:chatters")
            .wanted_scope("moderation:read", "role")
            .wanted_scope("channel:read:vips", "role")
            .example("itch chatters burkeblack", "Everyone in the chat")
            .example("itch chatters --columns role,name burkeblack", "With their roles")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let channel = call.api().channel(&call.channel("channel")?)?;
        for chatter in call.api().chatters(&channel)? {
            let chatter = chatter?;
            call.emit(row![
                chatter.login,
                chatter.role.map(Role::name),
                chatter.id,
                chatter.display_name
            ])?;
        }
        Ok(())
    }
}
