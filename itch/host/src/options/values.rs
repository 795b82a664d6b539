//! Values of options, read from text and checked.

use std::str::FromStr;
use std::time::Duration;

use itch_api::{Direction, Error};
use itch_output::Format;

use crate::failure::usage;
use crate::nearest::suggest;
use crate::times;

/// clap prints an error's message but not its hint: this appends the hint to the message.
pub(crate) fn hinted<T>(read: Result<T, Error>) -> Result<T, Error> {
    read.map_err(|error| match &error.hint {
        Some(hint) => usage(format!("{error}: {hint}")),
        None => error,
    })
}

/// A span of time.
pub(crate) fn duration(text: &str) -> Result<Duration, Error> {
    hinted(times::duration(text))
}

/// Which rows come first.
pub(crate) fn direction(text: &str) -> Result<Direction, Error> {
    hinted(text.parse())
}

/// How rows are written.
pub(crate) fn output_format(text: &str) -> Result<Format, Error> {
    among(text, Format::ALL.map(Format::name))
}

/// A value that has one of these names.
pub(crate) fn among<T: FromStr<Err = Error>>(
    text: &str,
    names: impl IntoIterator<Item = &'static str>,
) -> Result<T, Error> {
    let read = text.parse();
    hinted(read.map_err(|error| suggest(error, text, names)))
}

/// A number of rows.
pub(crate) fn row_limit(text: &str) -> Result<u64, Error> {
    let limit = text.parse::<u64>().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| usage("a limit is a whole number of at least 1"))
}

/// A fraction of 1.
pub(crate) fn share(text: &str) -> Result<f64, Error> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| usage(format!("`{}` is not a number from 0 to 1", text.escape_debug())))
}

/// A number of bytes: `1000000`, `512MB`, `2GiB`.
pub(crate) fn byte_size(text: &str) -> Result<u64, Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" => Some(1_000),
        "m" | "mb" => Some(1_000_000),
        "g" | "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(factor);
    let bytes = bytes.and_then(|(number, factor)| number.checked_mul(factor));
    hinted(bytes.ok_or_else(|| {
        usage(format!("`{}` is not a size", text.escape_debug())).hint("write bytes with a unit, such as `512MB`")
    }))
}
