//! `itch chat-replay VIDEO`: the chat of a past broadcast.

use itch_plugin::prelude::*;

struct ChatReplay;

report!(ChatReplay);

impl Report for ChatReplay {
    fn describe(&self) -> ReportSpec {
        ReportSpec::new("chat-replay", "The chat of a past broadcast")
            .alias_form(
                "chatlog",
                OutputForm {
                    columns: vec!["login".to_owned(), "message".to_owned()],
                    separator: " : ".to_owned(),
                    null: String::new(),
                    escape: Escape::LinesToSpaces,
                },
            )
            .help(
                "Prints one row per message, in order. Messages whose author's account no longer exists have an empty \
                 name. Parts of the recording are fetched in parallel and printed in order while later parts load.\n\n\
                 Twitch has no official API for the chat of a past broadcast. This report uses the service behind \
                 twitch.tv (GQL), which is private, undocumented and may change at any time; it needs no account. \
                 `[services] gql = \"off\"` in itch's config.toml turns it off. If Twitch stops paging, messages may \
                 be missing: itch names those seconds, and the exit code is 3.",
            )
            .argument(
                Argument::positional(0, ArgumentKind::Video, "video", "An id, `v` and an id, or a URL of the video")
                    .required(),
            )
            .argument(Argument::option(
                ArgumentKind::Offset,
                "from",
                "Only messages from this offset into the recording: 90, 1h2m3s",
            ))
            .argument(Argument::option(
                ArgumentKind::Offset,
                "to",
                "Only messages before this offset into the recording",
            ))
            .argument(
                Argument::option(ArgumentKind::Int, "connections", "How many parts to fetch in parallel")
                    .default_value(4),
            )
            .column(Column::duration("offset", "Whole seconds since the start of the recording").field("offset"))
            .column(Column {
                precision: 3,
                ..Column::time("time", "When the message was written").field("created_at")
            })
            .column(
                Column::text("user_id", "The author's user id; empty if the account no longer exists").field("user_id"),
            )
            .column(Column::text("login", "The author's login; empty if the account no longer exists").field("login"))
            .column(Column::text("display_name", "The author's display name").field("display_name"))
            .column(Column::text("color", "The author's colour, #RRGGBB").field("color"))
            .column(Column::text("badges", "The author's badges: `subscriber/12,premium/1`").field("badges"))
            .column(Column::text("id", "The message's id"))
            .column(Column::text("message", "The text of the message").field("text"))
            .column(
                Column::text(
                    "emotes",
                    "The emotes, each with the positions of its first and last characters: `25:0-4,12-16/1902:6-10`",
                )
                .field("emotes"),
            )
            .chart(ChartHint::new("time", "offset").label("login"))
            .example("itch chat-replay -l 20 2700000060", "The first twenty messages")
            .example("itch chat-replay --from 1h --to 1h5m 2700000060", "Five minutes of the chat")
            .example("itch chatlog -l 20 2700000060", "Name and text only, as itch printed it in 2016")
    }

    fn run(&self, call: &mut Call) -> Result<()> {
        let video = call.text("video").unwrap_or_default();
        let from = offset(call, "from", f64::floor)?;
        let to = offset(call, "to", f64::ceil)?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Error::new(ErrorKind::Usage, "`--from` must be before `--to`"));
        }
        let connections = call.int("connections").unwrap_or(4);
        let connections = usize::try_from(connections)
            .ok()
            .filter(|n| (1..=16).contains(n))
            .ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("`--connections` must be between 1 and 16, not {connections}"))
            })?;
        let messages = call
            .api()
            .chat_replay(video)
            .from(from)
            .to(to)
            .limit(call.limit())
            .connections(connections);
        for message in messages.start()? {
            let message = message?;
            let (badges, emotes) = (badges(&message), emotes(&message));
            let author = message.commenter.unwrap_or_default();
            call.emit(row![
                Cell::Duration(message.offset as f64),
                message.created_at,
                Some(author.id).filter(|id| !id.is_empty()),
                Some(author.login).filter(|login| !login.is_empty()),
                Some(author.display_name).filter(|name| !name.is_empty()),
                message.color,
                badges,
                message.id,
                message.text,
                emotes,
            ])?;
        }
        Ok(())
    }
}

/// An offset option in whole seconds. The service uses 32-bit integers.
fn offset(call: &Call, name: &str, round: fn(f64) -> f64) -> Result<Option<i64>> {
    let Some(seconds) = call.float(name).map(round) else {
        return Ok(None);
    };
    match seconds <= f64::from(i32::MAX) {
        true => Ok(Some(seconds as i64)),
        false => Err(Error::new(ErrorKind::Usage, format!("`--{name}` is longer than any recording"))),
    }
}

/// The badges in the format of the tags of live chat (dev.twitch.tv/docs/chat/irc).
fn badges(message: &ChatMessage) -> String {
    let badges = message.badges.iter().map(|(set, version)| format!("{set}/{version}"));
    badges.collect::<Vec<_>>().join(",")
}

/// The emotes in the format of the tags of live chat: each emote once, with all its positions.
fn emotes(message: &ChatMessage) -> String {
    let mut by_id: Vec<(&str, Vec<String>)> = Vec::new();
    for emote in &message.emotes {
        let place = format!("{}-{}", emote.from, emote.to);
        match by_id.iter_mut().find(|(id, _)| *id == emote.id) {
            Some((_, places)) => places.push(place),
            None => by_id.push((&emote.id, vec![place])),
        }
    }
    let emotes = by_id
        .into_iter()
        .map(|(id, places)| format!("{id}:{}", places.join(",")));
    emotes.collect::<Vec<_>>().join("/")
}
