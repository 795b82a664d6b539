//! The day on which a sandbox plays: its data end at the first moment of that day.

use std::{fmt, str::FromStr, time::SystemTime};

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::world::{DAY, PRESENT, Seconds};

/// A day, in UTC. The first one that a sandbox can play on is 1990-01-01 and the last one 9999-12-31, so that every time
/// in it is after 1970 and has a year of four digits.
///
/// ```
/// use itch_sandbox::Day;
///
/// let day: Day = "2027-02-28".parse()?;
/// assert!(day > Day::default());
/// assert_eq!(day.to_string(), "2027-02-28");
/// assert_eq!(Day::default().to_string(), "2026-11-01");
/// # Ok::<(), itch_sandbox::ParseDayError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    since_1970: i64,
}

const FIRST: Day = Day { since_1970: 7_305 };
const LAST: Day = Day { since_1970: 2_932_896 };

impl Day {
    /// The day of this machine's clock; the first or the last possible one if the clock is before or after these.
    pub fn today() -> Day {
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |passed| passed.as_secs() / DAY as u64);
        let since_1970 = i64::try_from(since_1970).unwrap_or(i64::MAX);
        Day { since_1970 }.clamp(FIRST, LAST)
    }

    /// How much later than in the data of the default day everything happens.
    pub(crate) fn shift(self) -> Seconds {
        self.since_1970 * DAY - PRESENT
    }
}

impl Default for Day {
    /// 2026-11-01.
    fn default() -> Day {
        Day {
            since_1970: PRESENT / DAY,
        }
    }
}

/// Such as `2026-11-01`.
impl FromStr for Day {
    type Err = ParseDayError;

    fn from_str(text: &str) -> Result<Day, ParseDayError> {
        let malformed = || ParseDayError::Malformed { text: text.to_owned() };
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| malformed())?;
        // Only one spelling of each day, because it becomes part of the keys of caches.
        if date.format("%Y-%m-%d").to_string() != text {
            return Err(malformed());
        }
        let since_1970 = date.and_time(NaiveTime::MIN).and_utc().timestamp() / DAY;
        let day = Day { since_1970 };
        if (FIRST..=LAST).contains(&day) {
            Ok(day)
        } else {
            Err(ParseDayError::OutOfRange { text: text.to_owned() })
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = DateTime::from_timestamp(self.since_1970 * DAY, 0).unwrap_or_default();
        write!(formatter, "{}", midnight.format("%Y-%m-%d"))
    }
}

/// Why a text is not a [`Day`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDayError {
    /// It is not a day of the calendar.
    #[error("`{}` is not a day such as {}", text.escape_debug(), Day::default())]
    Malformed {
        /// What was given.
        text: String,
    },
    /// The sandbox cannot play on this day.
    #[error("the sandbox plays on days from {FIRST} to {LAST}, not on {text}")]
    OutOfRange {
        /// What was given.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        for text in ["1990-01-01", "2026-11-01", "2028-02-29", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        assert_eq!("2026-11-01".parse(), Ok(Day::default()));
        assert_eq!("2026-11-03".parse::<Day>().unwrap().shift(), 2 * DAY);
        assert_eq!("2026-10-31".parse::<Day>().unwrap().shift(), -DAY);
        assert!((FIRST..=LAST).contains(&Day::today()));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let message = |text: &str| text.parse::<Day>().unwrap_err().to_string();
        for text in [
            "",
            "today",
            "2026-1-1",
            "2026-02-30",
            "2026-11-01T00:00:00Z",
            "+2026-11-01",
            " 2026-11-01",
            "20261101",
        ] {
            assert_eq!(message(text), format!("`{text}` is not a day such as 2026-11-01"));
        }
        for text in ["1989-12-31", "1969-12-31", "0001-01-01"] {
            assert_eq!(
                message(text),
                format!("the sandbox plays on days from 1990-01-01 to 9999-12-31, not on {text}")
            );
        }
    }
}
