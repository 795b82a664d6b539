//! Times, durations and counts as text for people.

use std::time::Duration;

use itch_api::chrono::{DateTime, Utc};

use crate::plain;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// A twelfth of the mean Gregorian year, in seconds.
const MONTH: u64 = YEAR / 12;
/// The mean Gregorian year, in seconds.
const YEAR: u64 = 31_556_952;

/// How long ago a time was: `3 days ago`, `just now`, `in 2 hours`. It is rounded down: a little less than two years is
/// `23 months ago`.
pub(crate) fn relative(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - time).num_seconds();
    let distance = seconds.unsigned_abs();
    let (count, unit) = match distance {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (distance / MINUTE, "minute"),
        HOUR..DAY => (distance / HOUR, "hour"),
        // `1 month` and `1 year` are too coarse, so the next unit starts at two of it.
        _ if distance < 2 * MONTH => (distance / DAY, "day"),
        _ if distance < 2 * YEAR => (distance / MONTH, "month"),
        _ => (distance / YEAR, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    match seconds < 0 {
        true => format!("in {count} {unit}{plural}"),
        false => format!("{count} {unit}{plural} ago"),
    }
}

/// A duration by its two largest units: `3 y 41 d`, `2 h 3 m`, `4.2 s`. A year has 365 days here.
pub(crate) fn span(seconds: f64, precision: u8) -> String {
    let mut out = String::new();
    if seconds.abs() < MINUTE as f64 {
        plain::push_seconds(&mut out, seconds, precision);
        out.push_str(" s");
        return out;
    }
    let units = [("y", 365 * DAY), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)];
    let mut left = seconds.abs() as u64;
    let counts = units.map(|(unit, size)| {
        let count = left / size;
        left %= size;
        (count, unit)
    });
    let largest = counts.iter().skip_while(|(count, _)| *count == 0).take(2);
    let words: Vec<String> = largest
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    let sign = if seconds < 0.0 { "-" } else { "" };
    format!("{sign}{}", words.join(" "))
}

/// How long a run took.
pub(crate) fn elapsed(time: Duration) -> String {
    span(time.as_secs_f64(), 1)
}

/// A number with a comma between groups of three digits.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and a noun, which gets an `s` unless the number is 1.
pub(crate) fn count_of(n: u64, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(n))
}

#[cfg(test)]
mod tests {
    use itch_api::chrono::TimeDelta;

    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let now = DateTime::from_timestamp(1_793_361_600, 0).unwrap();
        let ago = |seconds| relative(now - TimeDelta::seconds(seconds), now);
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (-59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (3 * 86_400, "3 days ago"),
            (59 * 86_400, "59 days ago"),
            (62 * 86_400, "2 months ago"),
            (729 * 86_400, "23 months ago"),
            (731 * 86_400, "2 years ago"),
            (3_652 * 86_400, "9 years ago"),
            (-7_200, "in 2 hours"),
            (-90, "in 1 minute"),
        ] {
            assert_eq!(ago(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_told_too() {
        let words = relative(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(words.ends_with(" years ago"), "{words}");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, precision, words) in [
            (0.0, 0, "0 s"),
            (4.25, 1, "4.2 s"),
            (-0.4, 0, "0 s"),
            (60.0, 0, "1 m"),
            (7_380.0, 0, "2 h 3 m"),
            (7_203.0, 0, "2 h"),
            (-7_380.0, 0, "-2 h 3 m"),
            (((3 * 365 + 41) * 86_400 + 5) as f64, 0, "3 y 41 d"),
            (365.0 * 86_400.0, 0, "1 y"),
        ] {
            assert_eq!(span(seconds, precision), words, "{seconds}");
        }
        assert!(span(f64::MAX, 0).starts_with("584942417355 y"));
    }

    #[test]
    fn counts_have_commas() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_851, "12,851"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(n), text);
        }
        assert_eq!(count_of(1, "request"), "1 request");
        assert_eq!(count_of(2_000, "row"), "2,000 rows");
    }
}
