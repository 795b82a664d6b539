//! Time zones: converts between the time of a local clock and seconds since 1970.
//!
//! The rules of zones come from jiff, which has the time zone database built in (chrono does not). Only this file of
//! the crate uses jiff; its functions take and return timestamps.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use itch_api::{Error, ErrorKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time zone; UTC by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Zone {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// Its name in the time zone database; empty for UTC.
    pub fn name(&self) -> String {
        match self.0 == TimeZone::UTC {
            true => String::new(),
            false => self.to_string(),
        }
    }

    /// The jiff zone, for calculations with a calendar.
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    /// The time at which the clock of this zone shows `local`, both in seconds since 1970. If a clock is put back and
    /// shows it twice, the first time counts. If a clock is put forward and never shows it, the result is later by the
    /// size of the gap.
    pub fn instant(&self, local: f64) -> f64 {
        let found = timestamp(local).and_then(|local| {
            let local = TimeZone::UTC.to_datetime(local);
            self.0.to_ambiguous_timestamp(local).compatible().ok()
        });
        // The database has the years -9999 to 9999; outside them every zone is treated as UTC.
        found.map_or(local, |found| found.as_microsecond() as f64 / 1e6)
    }

    /// What the clock of this zone shows at a time, both in seconds since 1970.
    pub fn local(&self, seconds: f64) -> f64 {
        let offset = timestamp(seconds.floor()).map_or(0, |time| self.0.to_offset(time).seconds());
        seconds + f64::from(offset)
    }

    /// Day and clock time of this zone at a time in seconds since 1970, as `2016-07-25 18:00:00`; `None` for a time
    /// outside the calendar of jiff.
    /// calendar has.
    pub fn text(&self, seconds: f64) -> Option<String> {
        let local = DateTime::from_timestamp(self.local(seconds.floor()) as i64, 0)?;
        Some(local.format("%Y-%m-%d %H:%M:%S").to_string())
    }
}

/// A time with microseconds, if it is in the years of jiff.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    // A number that does not fit in 64 bits is far outside these years.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Zone, Error> {
        TimeZone::get(text).map(Zone).map_err(|_| {
            let message = format!("`{}` is not a time zone", text.escape_debug());
            Error::new(ErrorKind::Usage, message).hint("use a name such as `Europe/Berlin` or `UTC`")
        })
    }
}
