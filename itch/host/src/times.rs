//! Times and durations, as they are typed on a command line.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use itch_api::Error;
use itch_table::{Zone, dates};

use crate::failure::usage;

/// The time of the clock. `Utc::now()` panics if the clock is before 1970, as that of a board without a battery may be.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// A time in seconds since 1970, in UTC, for people: `2026-12-28 14:05 UTC`.
pub(crate) fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| seconds.to_string(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// The day on which it will be this much later.
pub(crate) fn date_of(later: Duration) -> String {
    let time: DateTime<Utc> = (SystemTime::now() + later).into();
    time.format("%Y-%m-%d").to_string()
}

/// Reads a duration: seconds (`90`, `1.5`), or numbers with units (`1h2m3s`, `7d`, `250ms`).
pub(crate) fn duration(text: &str) -> Result<Duration, Error> {
    seconds(text)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            usage(format!("`{}` is not a duration", text.escape_debug()))
                .hint("write seconds (`90`) or numbers with units (`1h2m3s`, `7d`, `250ms`)")
        })
}

fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(number) = number(text) {
        return Some(number);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(letters);
        total += number(value)? * unit_seconds(unit)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Plain decimal digits: no sign, no exponent, no `inf`.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && !text.is_empty()).then(|| text.parse().ok()).flatten()
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        "y" => 31_556_952.0, // The mean Gregorian year.
        _ => return None,
    })
}

/// Reads a point in time, UTC: a date with or without a clock and an offset, epoch seconds, or a duration before `now`.
pub(crate) fn time(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    time_in(text, now, &Zone::default())
}

/// Reads a point in time as [`time()`] does; a date without an offset is one of this zone.
pub(crate) fn time_in(text: &str, now: DateTime<Utc>, zone: &Zone) -> Result<DateTime<Utc>, Error> {
    let text = text.trim();
    let read = if let Ok(epoch) = text.parse::<i64>() {
        // `2026` and `20261030` are rejected: they look like dates, and as seconds they would be in 1970.
        let like_a_date = (1..100_000_000).contains(&epoch);
        DateTime::from_timestamp(epoch, 0).filter(|_| !like_a_date)
    } else if let Some(seconds) = dates::read(text, zone) {
        DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
    } else {
        duration(text)
            .ok()
            .and_then(|span| now.checked_sub_signed(chrono::TimeDelta::from_std(span).ok()?))
    };
    read.ok_or_else(|| {
        usage(format!("`{}` is not a time", text.escape_debug())).hint(
            "write a date (`2026-10-30`), a date and time (`2026-10-30T18:00:00Z`), epoch seconds, or a duration \
             before now (`7d`)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_every_form() {
        for (text, milliseconds) in [
            ("90", 90_000),
            ("1h2m3s", 3_723_000),
            ("7d", 604_800_000),
            ("250ms", 250),
            ("1.5", 1500),
            ("0", 0),
            ("26h", 93_600_000),
        ] {
            assert_eq!(duration(text).unwrap().as_millis(), milliseconds, "{text}");
        }
        for text in [
            "",
            "x",
            "1x",
            "-5",
            "1h-2m",
            "h",
            "inf",
            "1e3",
            "..",
            "1e400s",
            "99999999999999999999999999y",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_in_every_form() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        for (text, epoch) in [
            ("2026-10-30", 1_793_318_400),
            ("2026-10-30T18:00:00Z", 1_793_383_200),
            ("2026-10-30T19:00:00+01:00", 1_793_383_200),
            ("2026-10-30 18:00", 1_793_383_200),
            ("0", 0),
            ("-1", -1),
            ("1d", 913_600),
        ] {
            assert_eq!(time(text, now).unwrap().timestamp(), epoch, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026",
            "20261030",
            "2026-13-01",
            "9223372036854775807",
            "99999999999999y",
        ] {
            assert!(time(text, now).is_err(), "{text}");
        }
    }
}
