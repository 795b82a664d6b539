//! `itch followers CHANNEL`: who follows a channel, since when, and how old their accounts were.

use itch_plugin::prelude::*;

struct Followers;

report!(Followers);

impl Report for Followers {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("followers", "Followers of a channel, and when their accounts were created")
            .help(
                "Prints one row per follower, newest first. Twitch shows the list to the broadcaster and the channel's \
                 moderators only. The accounts' creation times are looked up a hundred at a time. If a follower's \
                 account no longer exists, the row is kept, with `created` and `delta` empty.\n\n\
                 Twitch lists newest first only, so `-d asc` reads the whole list before it prints the first row. With \
                 `--since`, only newer followers are fetched.",
            )
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The channel").required())
            .argument(Argument::option(
                ArgumentKind::Time,
                "since",
                "Only accounts that followed at or after this time",
            ))
            .argument(Argument::option(ArgumentKind::Time, "until", "Only accounts that followed before this time"))
            .column(Column::text("name", "The follower's login").field("login"))
            .column(Column::text("channel", "The channel, as typed"))
            .column(
                Column::time("created", "When the follower's account was created; empty if it no longer exists")
                    .field("created_at"),
            )
            .column(Column::time("followed", "When the account followed the channel").field("followed_at"))
            .column(
                Column::duration("delta", "Age of the account at the follow: `followed` minus `created`")
                    .field("created_at")
                    .field("followed_at"),
            )
            .column(Column::int("followers", "Always 0; keeps the sixth column of the rows that itch printed in 2016"))
            .column(Column::text("id", "The follower's user id").on_request())
            .column(
                Column::text("display_name", "The follower's display name")
                    .on_request()
                    .field("display_name"),
            )
            .scope("moderator:read:followers")
            .chart(ChartHint::new("followed", "created").label("name"))
            .example("itch followers -l 1000 burkeblack", "The thousand newest followers")
            .example("itch followers --since 2026-10-30 burkeblack", "The accounts that followed since a date")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let name = call.channel("channel")?;
        let (since, until) = (call.time("since"), call.time("until"));
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            return Err(Error::new(ErrorKind::Usage, "`--since` must be before `--until`"));
        }
        let channel = call.api().channel(&name)?;
        let mut query = call
            .api()
            .followers(&channel)
            .direction(call.direction())
            .limit(call.limit())
            .since(since)
            .until(until);
        if call.wants("created") || call.wants("delta") {
            query = query.with_created();
        }
        for follow in call.in_order(query.start()?)? {
            let follow = follow?;
            let delta = follow.followed_at.zip(follow.user.created_at);
            let delta = delta.map(|(followed, created)| followed - created);
            call.emit(row![
                follow.user.login,
                name.typed(),
                follow.user.created_at,
                follow.followed_at,
                delta,
                0,
                follow.user.id,
                follow.user.display_name,
            ])?;
        }
        Ok(())
    }
}
