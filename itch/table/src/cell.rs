//! One cell: a number or a time out of a few bytes, and what is wrong with it otherwise.

use std::borrow::Cow;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use itch_api::{Error, ErrorKind, Result};

use crate::ColumnKind;

/// The times that are drawn: the years 1 to 9999. What lies beyond is a number in another unit.
const FIRST_TIME: f64 = -62_135_596_800.0;
const AFTER_LAST_TIME: f64 = 253_402_300_800.0;

/// What is wrong with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Missing,
    Empty,
    NoNumber,
    NoTime,
    NotFinite,
    TooLarge,
    Years,
    Backwards,
}

/// A cell that cannot be used: which of the two, what is wrong, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) axis: Axis,
    pub(crate) wrong: Wrong,
    pub(crate) text: Cow<'a, [u8]>,
}

/// The two wanted columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    X,
    Y,
}

impl Fault<'_> {
    /// The reason as a person reads it, given the name of the column.
    pub(crate) fn reason(&self, column: &str) -> String {
        let text = excerpt(&self.text);
        match self.wrong {
            Wrong::Missing => format!("there is no {column}"),
            Wrong::Empty => format!("{column} is empty"),
            Wrong::NoNumber => format!("{column} is no number: {text:?}"),
            Wrong::NoTime => format!("{column} is no time: {text:?}"),
            Wrong::NotFinite => format!("{column} is not finite: {text:?}"),
            Wrong::TooLarge => format!("{column} is too large: {text:?}"),
            Wrong::Backwards => format!("{column} lies before the other end: {text:?}"),
            Wrong::Years => format!("{column} lies outside the years 1 to 9999: {text:?}"),
        }
    }
}

/// The beginning of a cell, for a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    // Four bytes a character at most: what is cut here is not shown anyway.
    let bytes = bytes.get(..SHOWN * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.chars().count() <= SHOWN {
        return text.into_owned();
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

/// How dates may be written beside the notations that are always understood.
#[derive(Clone, Debug)]
pub(crate) struct DateFormat(Vec<Item<'static>>);

impl DateFormat {
    pub(crate) fn new(text: &str) -> Result<DateFormat> {
        let items = StrftimeItems::new(text).parse_to_owned();
        items.map(DateFormat).map_err(|_| {
            let message = format!("{text:?} is no date format: its notation is that of strftime");
            Error::new(ErrorKind::Usage, message).hint("--date-format '%d.%m.%Y %H:%M'")
        })
    }

    /// The time in UTC if no other offset is written; what is left out of day and clock is the first or zero.
    fn seconds(&self, text: &str) -> Option<f64> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        if let Ok(time) = parsed.to_datetime() {
            return Some(with_fraction(time.timestamp(), time.timestamp_subsec_nanos()));
        }
        // A field that is already there refuses another value, and that is just what is wanted: only gaps are filled.
        if parsed.minute().is_none() {
            let _ = parsed.set_minute(0);
        }
        if parsed.hour_mod_12().is_none() {
            let _ = parsed.set_hour(0);
        }
        if parsed.to_naive_date().is_err() {
            if parsed.month().is_none() {
                let _ = parsed.set_month(1);
            }
            if parsed.day().is_none() {
                let _ = parsed.set_day(1);
            }
        }
        let time = parsed.to_naive_datetime_with_offset(0).ok()?.and_utc();
        Some(with_fraction(time.timestamp(), time.timestamp_subsec_nanos()))
    }
}

fn with_fraction(seconds: i64, nanoseconds: u32) -> f64 {
    seconds as f64 + f64::from(nanoseconds) / 1e9
}

/// A cell as a value of its column.
pub(crate) fn value(bytes: &[u8], kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, Wrong> {
    match kind {
        ColumnKind::Number => number(bytes),
        ColumnKind::Time => time(bytes, format),
    }
}

/// White space and one pair of quotes off.
fn bare(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii();
    match bytes {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => bytes,
    }
}

/// Whether a cell says that there is nothing: programs have several words for it.
pub(crate) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bare(bytes), b"" | b"None" | b"null" | b"NULL")
}

/// No larger number is drawn: the length of an axis around it would not be finite.
pub(crate) const LARGEST: f64 = 1e300;

/// A decimal number with sign, fraction and exponent.
pub(crate) fn number(bytes: &[u8]) -> Result<f64, Wrong> {
    let text = bare(bytes);
    if let Some(value) = decimal(text) {
        return if value.abs() <= LARGEST {
            Ok(value)
        } else {
            Err(Wrong::TooLarge)
        };
    }
    if is_nothing(text) {
        return Err(Wrong::Empty);
    }
    let word = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let not_finite = ["nan", "inf", "infinity"];
    if not_finite
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    {
        return Err(Wrong::NotFinite);
    }
    Err(Wrong::NoNumber)
}

/// A well-formed decimal number, infinite if it is out of range.
fn decimal(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut exact, mut digits, mut decimals, mut at) = (0_u64, true, 0, 0_i32, 0);
    let mut after_point = false;
    while let Some(&byte) = unsigned.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // Beyond 2^53 the fast way is not exact any more, and the sum could overflow.
            exact &= mantissa < (1 << 49);
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
            decimals += i32::from(after_point);
        } else if byte == b'.' && !after_point {
            after_point = true;
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    let mut exponent = 0_i32;
    if let Some(b'e' | b'E') = unsigned.get(at) {
        let written = unsigned.get(at + 1..)?;
        let unsigned = written.strip_prefix(b"-").or(written.strip_prefix(b"+"));
        let all_digits = unsigned.unwrap_or(written);
        if all_digits.is_empty() || !all_digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // An exponent that does not fit has the library decide between nothing and too much.
        match std::str::from_utf8(written).ok()?.parse() {
            Ok(value) => exponent = value,
            Err(_) => exact = false,
        }
    } else if at < unsigned.len() {
        return None;
    }
    let shift = exponent.saturating_sub(decimals);
    let value = match exact {
        // Both factors are exact, so that the one rounding is the right one.
        true if (0..=22).contains(&shift) => mantissa as f64 * POWERS[shift as usize],
        true if (-22..0).contains(&shift) => mantissa as f64 / POWERS[-shift as usize],
        _ => std::str::from_utf8(unsigned).ok()?.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A time: by the format if there is one, then as a date, then as seconds since 1970.
pub(crate) fn time(bytes: &[u8], format: Option<&DateFormat>) -> Result<f64, Wrong> {
    let text = bare(bytes);
    let found = format.and_then(|format| format.seconds(std::str::from_utf8(text).ok()?));
    match found.or_else(|| date(text)) {
        Some(value) => in_years(value),
        None => match number(text) {
            Ok(value) => in_years(value),
            Err(Wrong::NoNumber) => Err(Wrong::NoTime),
            Err(Wrong::TooLarge) => Err(Wrong::Years),
            Err(wrong) => Err(wrong),
        },
    }
}

pub(crate) fn in_years(value: f64) -> Result<f64, Wrong> {
    if (FIRST_TIME..AFTER_LAST_TIME).contains(&value) {
        Ok(value)
    } else {
        Err(Wrong::Years)
    }
}

/// A date with or without a clock, by the calendar that is used today: `2016-07-25`, `2016-07-25 18:00`,
/// `2016-07-25T18:00:00.5Z`, `2016-7-25 18:00:00+02:00`. Without an offset it is UTC.
pub(crate) fn date(text: &[u8]) -> Option<f64> {
    let mut rest = text;
    let year = digits(&mut rest, 4, 6)?;
    take(&mut rest, b"-")?;
    let month = digits(&mut rest, 1, 2)?;
    take(&mut rest, b"-")?;
    let day = digits(&mut rest, 1, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 86_400;
    if rest.is_empty() {
        return Some(midnight as f64);
    }
    take(&mut rest, b"Tt ")?;
    let hour = digits(&mut rest, 1, 2)?;
    take(&mut rest, b":")?;
    let minute = digits(&mut rest, 2, 2)?;
    let mut second = 0;
    let mut fraction = 0.0;
    if take(&mut rest, b":").is_some() {
        second = digits(&mut rest, 2, 2)?;
        if take(&mut rest, b".,").is_some() {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            // Nanoseconds are more than a double keeps beside a date.
            let mut kept = rest.get(..length.min(9))?;
            let count = kept.len();
            fraction = digits(&mut kept, count, count)? as f64 / POWERS[count];
            rest = rest.get(length..)?;
        }
    }
    // Second 60 is a leap second; Unix time counts it as the next one.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = offset(rest)?;
    Some((midnight + hour * 3600 + minute * 60 + second - offset) as f64 + fraction)
}

/// Seconds east of UTC: nothing, `Z`, `UTC`, `+02`, `+0200`, `+02:00`, after a space or not.
fn offset(text: &[u8]) -> Option<i64> {
    let mut rest = text.trim_ascii();
    if matches!(rest, b"" | b"Z" | b"z" | b"UTC" | b"GMT") {
        return Some(0);
    }
    let sign = if *rest.first()? == b'-' { -1 } else { 1 };
    take(&mut rest, b"+-")?;
    let hours = digits(&mut rest, 2, 2)?;
    let _ = take(&mut rest, b":");
    let minutes = if rest.is_empty() { 0 } else { digits(&mut rest, 2, 2)? };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Takes one of some bytes off the front.
fn take(rest: &mut &[u8], wanted: &[u8]) -> Option<()> {
    let (first, after) = rest.split_first()?;
    wanted.contains(first).then(|| *rest = after)
}

/// Takes a number of so many digits off the front.
fn digits(rest: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let (mut value, mut count) = (0, 0);
    while let Some(byte) = rest.get(count).filter(|byte| count < most && byte.is_ascii_digit()) {
        value = value * 10 + i64::from(byte - b'0');
        count += 1;
    }
    *rest = rest.get(count..)?;
    (count >= least).then_some(value)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day number of a date of the Gregorian calendar; the year begins in March, so that the leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// What a cell looks like before the kind of its column is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Nothing,
    Number,
    Time,
    Word,
}

pub(crate) fn look(bytes: &[u8], format: Option<&DateFormat>) -> Look {
    let text = bare(bytes);
    let formatted = || format.and_then(|format| format.seconds(std::str::from_utf8(text).ok()?));
    if is_nothing(text) {
        Look::Nothing
    } else if date(text).is_some() || formatted().is_some() {
        Look::Time
    } else if decimal(text).is_some() {
        Look::Number
    } else {
        Look::Word
    }
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
