//! `itch streams CHANNEL`: when a channel was live.

use itch_plugin::prelude::*;

struct Streams;

report!(Streams);

impl Report for Streams {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("streams", "Past broadcasts of a channel, and the running one")
            .alias_form(
                "loots_streams",
                OutputForm {
                    columns: vec!["start".to_owned(), "end".to_owned()],
                    separator: "\t".to_owned(),
                    null: "None".to_owned(),
                    escape: Escape::LinesToSpaces,
                },
            )
            .help(
                "Prints one row per broadcast, newest first, from the recordings that Twitch still has: it keeps them \
                 for 7 to 60 days. A running broadcast has no end. Under its old name `loots_streams` it prints the \
                 two columns of 2016, with `None` for a missing end.",
            )
            .argument(Argument::positional(0, ArgumentKind::Channel, "channel", "The channel").required())
            .column(Column::time("start", "When the broadcast started").field("start"))
            .column(
                Column::time("end", "When the broadcast ended; empty while it is running")
                    .field("end")
                    .field("start"),
            )
            .column(Column::text("id", "The id of the recording, for `itch chat-replay`"))
            .column(Column::text("title", "Its title").field("title"))
            .column(Column::int("views", "How often the recording was watched").field("view_count"))
            .column(
                Column::duration("duration", "Length of the recording so far")
                    .on_request()
                    .field("duration"),
            )
            .column(
                Column::text("stream_id", "The id of the broadcast")
                    .on_request()
                    .field("stream_id"),
            )
            .column(Column::text("language", "Its language").on_request().field("language"))
            .column(Column::text("url", "Where to watch it").on_request().field("url"))
            .example("itch streams -l 10 burkeblack", "The ten newest broadcasts")
            .example("itch loots_streams burkeblack", "Start and end times, for `itch plot --streams`")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let channel = call.api().channel(&call.channel("channel")?)?;
        let query = call
            .api()
            .past_streams(&channel)
            .direction(call.direction())
            .limit(call.limit());
        for stream in call.in_order(query.start()?)? {
            let PastStream {
                start,
                end,
                video,
                live,
            } = stream?;
            let live_field = |name: &str| -> Option<String> {
                let live = live.as_ref()?;
                Some(live.extra.get(name)?.as_str()?.to_owned())
            };
            let row = match video {
                None => row![
                    start,
                    end,
                    Cell::Null,
                    live.as_ref().map(|stream| stream.title.as_str()),
                    Cell::Null,
                    Cell::Null,
                    live.as_ref().map(|stream| stream.id.as_str()),
                    live_field("language"),
                    Cell::Null,
                ],
                Some(video) => {
                    let field = |name: &str| Some(video.extra.get(name)?.as_str()?.to_owned());
                    row![
                        start,
                        end,
                        video.id.as_str(),
                        video.title.as_str(),
                        video.view_count,
                        video
                            .seconds()
                            .filter(|seconds| *seconds > 0)
                            .map(|seconds| Cell::Duration(seconds as f64)),
                        video.stream_id.clone(),
                        field("language"),
                        field("url"),
                    ]
                }
            };
            call.emit(row)?;
        }
        Ok(())
    }
}
