//! Times in the sandbox: seconds since 1970, and the present of its own calendar.

use chrono::{DateTime, SecondsFormat};

/// Seconds since 1970-01-01T00:00:00Z.
pub(crate) type Seconds = i64;

pub(crate) const HOUR: Seconds = 3_600;
pub(crate) const DAY: Seconds = 24 * HOUR;

/// The present of the sandbox's own calendar. For clients, all times are moved to the day on which it plays.
pub(crate) const PRESENT: Seconds = date(2026, 11, 1);

/// Midnight UTC at the start of a day.
pub(crate) const fn date(year: i64, month: i64, day: i64) -> Seconds {
    // The year starts in March, so that the leap day is its last day.
    let shifted = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year;
    (days - 719_468) * DAY
}

/// The format of times in Helix: RFC 3339 in UTC, whole seconds, `Z`.
pub(crate) fn rfc3339(moment: Seconds) -> String {
    DateTime::from_timestamp(moment, 0)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The format of the time of a comment in GQL: with milliseconds, without trailing zeros.
pub(crate) fn rfc3339_millis(moment: i64) -> String {
    let seconds = rfc3339(moment.div_euclid(1_000));
    match moment.rem_euclid(1_000) {
        0 => seconds,
        millis => {
            let fraction = format!("{millis:03}");
            let fraction = fraction.trim_end_matches('0');
            format!("{}.{fraction}Z", seconds.trim_end_matches('Z'))
        }
    }
}

/// The format of the length of a video in Helix: `45s`, `3m21s`, `1h0m5s`, never with days.
pub(crate) fn video_duration(seconds: Seconds) -> String {
    let (hours, minutes, seconds) = (seconds / HOUR, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(1970, 1, 1), 0);
        assert_eq!(rfc3339(date(2012, 2, 29)), "2012-02-29T00:00:00Z");
        assert_eq!(rfc3339(date(2013, 3, 1)), "2013-03-01T00:00:00Z");
        assert_eq!(rfc3339(PRESENT), "2026-11-01T00:00:00Z");
        assert_eq!(rfc3339(date(2015, 12, 31) + 86_399), "2015-12-31T23:59:59Z");
    }

    #[test]
    fn zeros_at_the_end_of_milliseconds_are_cut() {
        for (millis, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (7, "1970-01-01T00:00:00.007Z"),
            (560, "1970-01-01T00:00:00.56Z"),
            (61_100, "1970-01-01T00:01:01.1Z"),
        ] {
            assert_eq!(rfc3339_millis(millis), written);
        }
    }

    #[test]
    fn leading_zero_parts_of_a_duration_are_left_out() {
        assert_eq!(video_duration(45), "45s");
        assert_eq!(video_duration(201), "3m21s");
        assert_eq!(video_duration(3_605), "1h0m5s");
        assert_eq!(video_duration(30 * HOUR + 61), "30h1m1s");
    }
}
