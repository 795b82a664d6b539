//! A report's declared arguments: as options of its command, and as checked values for its call.

use std::collections::BTreeMap;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};
use itch_api::{ChannelName, Error, ErrorKind, Result};
use itch_plugin::{Argument, ArgumentKind, ReportSpec};
use serde_json::Value;

use crate::failure::usage;
use crate::times;

/// An argument for clap. Its values stay texts: [`read`] reads them.
pub(crate) fn arg(argument: &Argument) -> Arg {
    let mut arg = Arg::new(argument.name.clone())
        .help(argument.help.clone())
        .required(argument.required);
    if argument.kind == ArgumentKind::Flag {
        arg = arg.action(ArgAction::SetTrue);
    } else {
        let value = match argument.kind {
            ArgumentKind::Duration | ArgumentKind::Offset | ArgumentKind::Time => "TIME".to_owned(),
            ArgumentKind::Int | ArgumentKind::Float => "N".to_owned(),
            ArgumentKind::Path => "FILE".to_owned(),
            _ => argument.name.to_uppercase(),
        };
        arg = arg.value_name(value).allow_hyphen_values(argument.position.is_none());
        arg = arg.action(if argument.repeat {
            ArgAction::Append
        } else {
            ArgAction::Set
        });
        if argument.kind == ArgumentKind::Choice {
            arg = arg.value_parser(PossibleValuesParser::new(argument.choices.clone()));
        }
        if let Some(default) = &argument.default {
            let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            arg = arg.default_value(text);
        }
    }
    match argument.position {
        Some(position) => {
            let arg = arg.index(position as usize + 1);
            if argument.repeat { arg.num_args(1..) } else { arg }
        }
        None => {
            let arg = arg.long(argument.name.clone());
            if let Some(letter) = argument.short {
                arg.short(letter)
            } else {
                arg
            }
        }
    }
}

/// Reads the values of a call. Spans of time count back from `now`; `-` reads a list from `stdin`.
pub(crate) fn read(
    spec: &ReportSpec,
    matches: &ArgMatches,
    now: DateTime<Utc>,
    stdin: &mut dyn BufRead,
) -> Result<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    for argument in &spec.arguments {
        let name = argument.name.as_str();
        if argument.kind == ArgumentKind::Flag {
            values.insert(name.to_owned(), Value::Bool(matches.get_flag(name)));
            continue;
        }
        let mut given = Vec::new();
        for text in matches.get_many::<String>(name).into_iter().flatten() {
            if argument.kind == ArgumentKind::Channel && text == "-" {
                read_list(argument, stdin, &mut given)?;
            } else {
                given.push(value(argument.kind, text, now).map_err(|error| named(argument, error))?);
            }
        }
        if argument.repeat {
            if !given.is_empty() {
                values.insert(name.to_owned(), Value::Array(given));
            }
        } else if let Some(value) = given.pop() {
            values.insert(name.to_owned(), value);
        }
    }
    Ok(values)
}

/// Adds the name of the option to an error, unless the argument has a position.
fn named(argument: &Argument, error: Error) -> Error {
    if argument.position.is_some() {
        error
    } else {
        error.context(format!("`--{}` cannot be read", argument.name))
    }
}

fn read_list(argument: &Argument, stdin: &mut dyn BufRead, given: &mut Vec<Value>) -> Result<()> {
    if !argument.repeat {
        return Err(usage(format!("`{}` takes one channel, not a list", argument.name)));
    }
    for (number, line) in stdin.lines().enumerate() {
        let line = line.map_err(|error| {
            Error::new(ErrorKind::Failed, "the list on standard input cannot be read").source_chain(&error)
        })?;
        // Only the first cell of a TSV row is used, so that the output of one report can be the input of another.
        let name = line.split('\t').next().unwrap_or_default().trim();
        if !name.is_empty() {
            let name: ChannelName = name.parse().map_err(|error: Error| {
                error.context(format!("line {} of standard input is not a channel", number + 1))
            })?;
            given.push(Value::String(name.into()));
        }
    }
    if given.is_empty() {
        return Err(usage("the list on standard input is empty"));
    }
    Ok(())
}

fn value(kind: ArgumentKind, text: &str, now: DateTime<Utc>) -> Result<Value> {
    let refuse = |what: &str| usage(format!("`{}` is not {what}", text.escape_debug()));
    Ok(match kind {
        ArgumentKind::Int => text.trim().parse::<i64>().map_err(|_| refuse("a whole number"))?.into(),
        ArgumentKind::Float => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| refuse("a number"))?.into()
        }
        ArgumentKind::Duration | ArgumentKind::Offset => times::duration(text)?.as_secs_f64().into(),
        ArgumentKind::Time => times::time(text, now)?.timestamp_millis().into(),
        ArgumentKind::Channel => String::from(text.parse::<ChannelName>()?).into(),
        ArgumentKind::Video => video(text).ok_or_else(|| {
            refuse("a video")
                .hint("a video is an id, `v` and an id, or a URL like https://www.twitch.tv/videos/2345678901")
        })?,
        _ => text.into(),
    })
}

/// The id in an id, `v` and an id, or the URL of a video.
fn video(text: &str) -> Option<Value> {
    let text = text.trim();
    let bare = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text);
    let id = match bare.split_once("twitch.tv/videos/") {
        Some(("" | "www." | "m.", id)) => id.split(['?', '#', '/']).next().unwrap_or_default(),
        Some(_) => return None,
        None => bare,
    };
    let id = id.strip_prefix('v').unwrap_or(id);
    let decimal = !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    decimal.then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_named_in_many_ways() {
        for text in [
            "80935574",
            "v80935574",
            "https://www.twitch.tv/videos/80935574?t=1h",
            "twitch.tv/videos/80935574",
            "http://m.twitch.tv/videos/v80935574/",
        ] {
            assert_eq!(video(text), Some("80935574".into()), "{text}");
        }
        for text in [
            "",
            "v",
            "x1",
            "https://www.twitch.tv/burkeblack",
            "https://evil.example/twitch.tv/videos/1",
            "111111111111111111111",
        ] {
            assert_eq!(video(text), None, "{text}");
        }
    }
}
