//! `itch following CHANNEL`: which channels an account follows, and since when.

use itch_plugin::prelude::*;

struct Following;

report!(Following);

impl Report for Following {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("following", "Channels that an account follows")
            .help(
                "Prints one row per followed channel, newest first. Twitch shows this list to the account itself only. \
                 `created` is when the following account was created, as itch printed it in 2016. The number of \
                 followers takes one request per row, so `followers` is empty unless it is in `--columns`.",
            )
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The account that follows").required())
            .column(Column::text("name", "The following account's login"))
            .column(Column::text("channel", "The followed channel's login").field("login"))
            .column(Column::time("created", "When the following account was created").field("created_at"))
            .column(Column::time("followed", "When the account followed the channel").field("followed_at"))
            .column(
                Column::duration("delta", "Age of the account at the follow: `followed` minus `created`")
                    .field("created_at")
                    .field("followed_at"),
            )
            .column(
                Column::int("followers", "How many followers the channel has; empty unless it is in `--columns`")
                    .field("followers"),
            )
            .column(Column::text("id", "The followed channel's user id").on_request())
            .column(
                Column::text("display_name", "The followed channel's display name")
                    .on_request()
                    .field("display_name"),
            )
            .scope("user:read:follows")
            .chart(ChartHint::new("followed", "followers").label("name"))
            .example("itch following -l 10 burkeblack", "The ten channels followed last")
            .example("itch following -l 5 --columns channel,followers burkeblack", "With the followers of each")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let user = call.api().user(&call.channel("channel")?)?;
        let mut query = call
            .api()
            .following(&user)
            .direction(call.direction())
            .limit(call.limit());
        if call.asked_for("followers") {
            query = query.with_followers();
        }
        for followed in call.in_order(query.start()?)? {
            let followed = followed?;
            let delta = followed.followed_at.zip(user.created_at);
            let delta = delta.map(|(followed, created)| followed - created);
            call.emit(row![
                user.login.as_str(),
                followed.channel.login,
                user.created_at,
                followed.followed_at,
                delta,
                followed.followers,
                followed.channel.id,
                followed.channel.display_name,
            ])?;
        }
        Ok(())
    }
}
