//! Dates: parses a calendar day with or without a clock time, for cells and for options of a command.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use itch_api::{Error, ErrorKind, Result};

use crate::zone::Zone;

/// The range of times that are read, in seconds since 1970: the years 1 to 9999. A number outside has another unit.
const FIRST_TIME: f64 = -62_135_596_800.0;
const AFTER_LAST_TIME: f64 = 253_402_300_800.0;

/// Whether a time, in seconds since 1970, lies in the years 1 to 9999.
pub fn is_in_range(seconds: f64) -> bool {
    (FIRST_TIME..AFTER_LAST_TIME).contains(&seconds)
}

/// A date as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    /// Seconds since 1970: in UTC, or on the local clock if no offset is written.
    seconds: f64,
    has_offset: bool,
}

impl Written {
    /// Seconds since 1970. A date without an offset is taken as UTC.
    pub(crate) fn in_utc(self) -> f64 {
        self.seconds
    }

    fn in_zone(self, zone: &Zone) -> f64 {
        match self.has_offset {
            true => self.seconds,
            false => zone.instant(self.seconds),
        }
    }
}

/// Parses a date with or without a clock time in the Gregorian calendar: `2016-07-25`, `2016-07-25 18:00`,
/// `2016-07-25T18:00:00.5Z`, `2016-7-25 18:00:00+02:00`. A date without an offset is in the time zone `zone`. The
/// result is in seconds since 1970; it is `None` for any other text and for dates outside the years 1 to 9999.
pub fn read(text: &str, zone: &Zone) -> Option<f64> {
    let seconds = date(text.trim().as_bytes())?.in_zone(zone);
    is_in_range(seconds).then_some(seconds)
}

/// A date format that is tried before the formats of [`read`].
#[derive(Clone, Debug)]
pub struct DateFormat(Vec<Item<'static>>);

impl DateFormat {
    /// Parses a format in the notation of `strftime`: `%d.%m.%Y %H:%M`.
    ///
    /// # Errors
    ///
    /// When the text has an unknown specifier.
    pub fn new(text: &str) -> Result<DateFormat> {
        let items = StrftimeItems::new(text).parse_to_owned();
        items.map(DateFormat).map_err(|_| {
            let message = format!("{text:?} is not a valid date format: use the notation of strftime");
            Error::new(ErrorKind::Usage, message).hint("for example --date-format '%d.%m.%Y %H:%M'")
        })
    }

    /// Parses a date in this format into seconds since 1970. A date without an offset is in the time zone `zone`. A
    /// month or day that is not written is 1, a clock time that is not written is 00:00:00.
    pub fn read(&self, text: &str, zone: &Zone) -> Option<f64> {
        Some(self.written(text)?.in_zone(zone))
    }

    pub(crate) fn written(&self, text: &str) -> Option<Written> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        if let Ok(time) = parsed.to_datetime() {
            return Some(Written {
                seconds: with_fraction(time.timestamp(), time.timestamp_subsec_nanos()),
                has_offset: true,
            });
        }
        // `set_*` refuses to overwrite a field with another value. That is intended: only missing fields are filled in.
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
        Some(Written {
            seconds: with_fraction(time.timestamp(), time.timestamp_subsec_nanos()),
            // Seconds since 1970 do not depend on the zone.
            has_offset: parsed.timestamp().is_some(),
        })
    }
}

fn with_fraction(seconds: i64, nanoseconds: u32) -> f64 {
    seconds as f64 + f64::from(nanoseconds) / 1e9
}

/// Like [`read`], but for any year.
pub(crate) fn date(text: &[u8]) -> Option<Written> {
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
        return Some(Written {
            seconds: midnight as f64,
            has_offset: false,
        });
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
            // A double cannot hold nanoseconds together with a date.
            let mut kept = rest.get(..length.min(9))?;
            let count = kept.len();
            fraction = digits(&mut kept, count, count)? as f64 / 10_f64.powi(count as i32);
            rest = rest.get(length..)?;
        }
    }
    // Second 60 is a leap second; Unix time counts it as the first second of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = offset(rest)?;
    Some(Written {
        seconds: (midnight + hour * 3600 + minute * 60 + second - offset.unwrap_or(0)) as f64 + fraction,
        has_offset: offset.is_some(),
    })
}

/// Parses an offset in seconds east of UTC: nothing, `Z`, `UTC`, `+02`, `+0200`, `+02:00`, with or without a leading
/// space. `None` for any other text.
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let mut rest = text.trim_ascii();
    match rest {
        b"" => return Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(Some(0)),
        _ => {}
    }
    let sign = if *rest.first()? == b'-' { -1 } else { 1 };
    take(&mut rest, b"+-")?;
    let hours = digits(&mut rest, 2, 2)?;
    let _ = take(&mut rest, b":");
    let minutes = if rest.is_empty() { 0 } else { digits(&mut rest, 2, 2)? };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
}

/// Removes the first byte if it is one of `wanted`.
fn take(rest: &mut &[u8], wanted: &[u8]) -> Option<()> {
    let (first, after) = rest.split_first()?;
    wanted.contains(first).then(|| *rest = after)
}

/// Parses a number of so many digits at the front.
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

/// The day number of a date in the Gregorian calendar. The year starts in March, so that the leap day is its last day.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_without_an_offset_is_one_of_the_zone() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        for text in [
            "2016-07-25",
            " 2016-07-25 00:00:00 ",
            "2016-07-24T22:00:00Z",
            "2016-07-25 01:00 +03:00",
        ] {
            assert_eq!(read(text, &berlin), Some(1_469_397_600.0), "{text}");
        }
        assert_eq!(read("2016-07-25", &Zone::default()), Some(1_469_404_800.0));
        for text in [
            "",
            "2016",
            "20160725",
            "1469404800",
            "soon",
            "26-10-30",
            "0000-01-01",
            "10000-01-01",
        ] {
            assert_eq!(read(text, &berlin), None, "{text}");
        }
    }

    #[test]
    fn a_notation_knows_the_zone_unless_it_has_an_offset_or_counts_seconds() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        for (format, text) in [
            ("%d.%m.%Y", "25.07.2016"),
            ("%d.%m.%Y %H:%M %z", "24.07.2016 22:00 +0000"),
            ("%s", "1469397600"),
        ] {
            let format = DateFormat::new(format).unwrap();
            assert_eq!(format.read(text, &berlin), Some(1_469_397_600.0), "{text}");
        }
    }

    #[test]
    fn a_zone_shows_the_clock_and_reads_it_back() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let night = read("2016-10-30T00:30:00Z", &berlin).unwrap();
        assert_eq!(berlin.text(night).unwrap(), "2016-10-30 02:30:00");
        // The clock is put back: the first of the two times. It is put forward: as much later.
        assert_eq!(read("2016-10-30 02:30", &berlin), Some(night));
        assert_eq!(read("2016-03-27 02:30", &berlin), read("2016-03-27 03:30", &berlin));
        assert_eq!(Zone::default().text(-62_135_596_800.5).unwrap(), "0000-12-31 23:59:59");
        assert_eq!(Zone::default().text(253_402_300_799.0).unwrap(), "9999-12-31 23:59:59");
        assert_eq!((berlin.name(), Zone::default().name()), ("Europe/Berlin".to_owned(), String::new()));
    }
}
