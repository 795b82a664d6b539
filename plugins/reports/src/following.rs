//! `itch following CHANNEL`: which channels an account follows, and since when.

use itch_plugin::prelude::*;

struct Following;

report!(Following);

impl Report for Following {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("following", "Channels that an account follows")
            .help(
                "One row a channel, newest first. Twitch shows whom an account follows to that account only. \
                 `created` is when the following account was made, as itch printed it in 2016. How many follow each \
                 channel costs a request a row, so `followers` is empty unless `--columns` names it.",
            )
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The account that follows").required())
            .column(Column::text("name", "The following account's login"))
            .column(Column::text("channel", "The followed channel's login"))
            .column(Column::time("created", "When the following account was made"))
            .column(Column::time("followed", "When the follow began"))
            .column(Column::duration("delta", "Age of the account at the follow: `followed` minus `created`"))
            .column(Column::int("followers", "How many follow the channel; empty unless asked for by name"))
            .column(Column::text("id", "The followed channel's user id").on_request())
            .column(Column::text("display_name", "The name as the followed channel writes it").on_request())
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
            let delta = user.created_at.map(|created| followed.followed_at - created);
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
