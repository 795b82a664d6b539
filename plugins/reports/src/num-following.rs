//! `itch num-following CHANNEL`: how many channels an account follows.

use itch_plugin::prelude::*;

struct NumFollowing;

report!(NumFollowing);

impl Report for NumFollowing {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("num-following", "How many channels an account follows")
            .alias("num_following")
            .help("Prints one row. Twitch shows the number of followed channels to the account itself only.")
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The account that follows").required())
            .column(Column::text("name", "The account, as typed"))
            .column(Column::int("following", "How many channels the account follows").field("following"))
            .scope("user:read:follows")
            .example("itch num-following burkeblack", "How many channels your own account follows")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let name = call.channel("channel")?;
        let total = call.api().following_total(&name)?;
        call.emit(row![name.typed(), total])
    }
}
