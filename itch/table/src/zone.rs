//! Time zones: from the time of a local clock to seconds since 1970, and back.
//!
//! The rules of zones come from jiff, which has the zone database built in (chrono has none). This is the only file of the
//! crate that uses it; what crosses its boundary are timestamps.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use itch_api::{Error, ErrorKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time zone, UTC unless another was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Zone {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// Its name in the zone database: nothing for UTC.
    pub fn name(&self) -> String {
        match self.0 == TimeZone::UTC {
            true => String::new(),
            false => self.to_string(),
        }
    }

    /// The zone for calculations with a calendar.
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    /// The time at which this zone's clock shows `local`, both in seconds since 1970: the first of two where a clock is
    /// put back. Where it is put forward, a time that it leaves out is moved on by as much as the clock is.
    pub fn instant(&self, local: f64) -> f64 {
        let found = timestamp(local).and_then(|local| {
            let local = TimeZone::UTC.to_datetime(local);
            self.0.to_ambiguous_timestamp(local).compatible().ok()
        });
        // The database has the years from -9999 to 9999; beyond them every clock is that of UTC.
        found.map_or(local, |found| found.as_microsecond() as f64 / 1e6)
    }

    /// What this zone's clock shows at a time, both in seconds since 1970.
    pub fn local(&self, seconds: f64) -> f64 {
        let offset = timestamp(seconds.floor()).map_or(0, |time| self.0.to_offset(time).seconds());
        seconds + f64::from(offset)
    }

    /// Day and clock of this zone at a time in seconds since 1970, as `2016-07-25 18:00:00`; nothing for a time that no
    /// calendar has.
    pub fn text(&self, seconds: f64) -> Option<String> {
        let local = DateTime::from_timestamp(self.local(seconds.floor()) as i64, 0)?;
        Some(local.format("%Y-%m-%d %H:%M:%S").to_string())
    }
}

/// A time to the microsecond, of the years that jiff has.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    // What is no whole number of 64 bits lies far outside of these years.
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
            let message = format!("`{}` is no time zone", text.escape_debug());
            Error::new(ErrorKind::Usage, message).hint("write a name such as `Europe/Berlin` or `UTC`")
        })
    }
}
