//! The ticks of an axis: as many as fit, at round values.

mod number;
mod time;

use itch_plugin::{AxisKind, Scale, Tick};
use itch_table::Zone;

use crate::text::columns;

/// The room for labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Pixels along the axis.
    pub(crate) length: f64,
    /// The width of a character in pixels.
    pub(crate) character: f64,
    /// The distance between lines of text in pixels.
    pub(crate) line: f64,
    /// Whether labels are side by side, rather than one above the other.
    pub(crate) side_by_side: bool,
}

impl Room {
    /// The pixels that a label needs along the axis, including the gap to the next label.
    fn needs(&self, label: &str) -> f64 {
        if self.side_by_side {
            (columns(label) + 2.0) * self.character
        } else {
            self.line * 1.6
        }
    }

    /// Whether no neighbouring labels overlap.
    fn holds(&self, ticks: &[(f64, f64)]) -> bool {
        ticks.windows(2).all(|pair| {
            let ((at, needs), (next, next_needs)) = (pair[0], pair[1]);
            (next - at) * self.length >= (needs + next_needs) / 2.0
        })
    }

    /// The maximum number of ticks; more would not add information.
    fn most(&self) -> usize {
        let each = if self.side_by_side {
            9.0 * self.character
        } else {
            self.line * 2.2
        };
        ((self.length / each) as usize).clamp(2, 16)
    }
}

/// The range that an axis shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) kind: AxisKind,
    pub(crate) scale: Scale,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Span {
    fn share(&self, value: f64) -> f64 {
        let (min, max) = (self.scale.of(self.min), self.scale.of(self.max));
        (self.scale.of(value) - min) / (max - min)
    }

    /// The ticks whose labels fit.
    fn fits(&self, room: Room, ticks: &[Tick]) -> bool {
        if ticks.len() > room.most() {
            return false;
        }
        let places: Vec<(f64, f64)> = ticks
            .iter()
            .map(|tick| (self.share(tick.at), room.needs(&tick.label)))
            .collect();
        room.holds(&places)
    }
}

/// The ticks of an axis.
pub(crate) fn ticks(span: Span, room: Room, zone: &Zone) -> Vec<Tick> {
    if !(span.min.is_finite() && span.max.is_finite() && span.min < span.max) {
        return Vec::new();
    }
    match (span.kind, span.scale) {
        (_, Scale::Log) => number::logarithmic(span, room),
        (AxisKind::Time, _) => time::ticks(span, room, zone).unwrap_or_else(|| number::linear(span, room)),
        _ => number::linear(span, room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Room = Room {
        length: 1800.0,
        character: 15.0,
        line: 31.0,
        side_by_side: true,
    };
    const HIGH: Room = Room {
        length: 800.0,
        character: 15.0,
        line: 31.0,
        side_by_side: false,
    };

    fn labels(kind: AxisKind, scale: Scale, min: f64, max: f64, room: Room) -> Vec<String> {
        let span = Span { kind, scale, min, max };
        let ticks = ticks(span, room, &Zone::default());
        assert!(span.fits(room, &ticks), "{ticks:?}");
        assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
        ticks
            .into_iter()
            .map(|tick| [tick.label, tick.below].join(" ").trim().to_owned())
            .collect()
    }

    fn numbers(min: f64, max: f64) -> Vec<String> {
        labels(AxisKind::Number, Scale::Linear, min, max, HIGH)
    }

    fn times(min: &str, max: &str, room: Room) -> Vec<String> {
        let read = |text: &str| {
            let time: jiff::Timestamp = text.parse().unwrap();
            time.as_second() as f64
        };
        labels(AxisKind::Time, Scale::Linear, read(min), read(max), room)
    }

    #[test]
    fn numbers_are_round() {
        assert_eq!(
            numbers(0.0, 1000.0),
            [
                "0", "100", "200", "300", "400", "500", "600", "700", "800", "900", "1,000"
            ]
        );
        assert_eq!(numbers(-1.0, 1.0)[..3], ["-1.0", "-0.8", "-0.6"]);
        assert_eq!(numbers(0.0, 10_500_000.0)[1], "1,000,000");
        assert_eq!(numbers(1e-9, 1.1e-9)[1], "1.02e-9");
        assert_eq!(numbers(1.0, 1.000_001)[1], "1.0000001");
        assert!(numbers(1e300, 2e300).contains(&"1.5e300".to_owned()));
        assert!(!numbers(-1e308, 1e308).is_empty());
        assert!(numbers(1e16, 1e16 + 2.0).len() < 10);
    }

    #[test]
    fn logarithms_have_decades_or_less() {
        assert_eq!(labels(AxisKind::Number, Scale::Log, 1.0, 1e6, HIGH).len(), 7);
        assert_eq!(labels(AxisKind::Number, Scale::Log, 1.0, 30.0, HIGH), ["1", "2", "5", "10", "20"]);
        assert!(labels(AxisKind::Number, Scale::Log, 1e-300, 1e300, HIGH).len() > 3);
        assert!(labels(AxisKind::Number, Scale::Log, 101.0, 102.0, HIGH).len() > 3);
    }

    #[test]
    fn times_are_those_of_calendars_and_clocks() {
        assert_eq!(
            times("2016-07-25T00:00:00Z", "2016-08-01T00:00:00Z", WIDE),
            [
                "Jul 25 2016",
                "Jul 26",
                "Jul 27",
                "Jul 28",
                "Jul 29",
                "Jul 30",
                "Jul 31",
                "Aug 1"
            ]
        );
        let years = times("2008-03-01T00:00:00Z", "2016-08-01T00:00:00Z", HIGH);
        assert_eq!(years, ["2009", "2010", "2011", "2012", "2013", "2014", "2015", "2016"]);
        let months = times("2015-11-10T00:00:00Z", "2016-08-01T00:00:00Z", WIDE);
        assert_eq!(months[..3], ["Dec 2015", "Jan 2016", "Feb"]);
        let hours = times("2016-07-25T20:10:00Z", "2016-07-26T07:00:00Z", WIDE);
        assert_eq!(hours[..2], ["21:00 2016-07-25", "22:00"]);
        assert!(hours.contains(&"00:00 2016-07-26".to_owned()), "{hours:?}");
        let seconds = times("2016-07-25T20:10:00Z", "2016-07-25T20:10:08Z", HIGH);
        assert_eq!(seconds[1], "20:10:01");
        let days = times("2016-07-25T00:00:00Z", "2016-08-01T00:00:00Z", HIGH);
        assert_eq!(days[0], "2016-07-25");
    }

    #[test]
    fn every_zoom_has_ticks() {
        for room in [WIDE, HIGH] {
            for middle in [-3e9, 0.0, 1.47e9, 9.9e9, 2.5e11] {
                for power in -3..=39 {
                    let half = 10f64.powf(f64::from(power) / 3.0) / 2.0;
                    let got = labels(AxisKind::Time, Scale::Linear, middle - half, middle + half, room);
                    assert!(got.len() >= 2, "{middle} {half}: {got:?}");
                }
            }
        }
        let narrow = Room { length: 60.0, ..WIDE };
        labels(AxisKind::Time, Scale::Linear, 0.0, 1e9, narrow);
    }

    #[test]
    fn years_go_on_where_the_calendar_of_the_library_ends() {
        let read = |text: &str| -> f64 { text.parse::<jiff::Timestamp>().unwrap().as_second() as f64 };
        let end = read("9999-12-30T00:00:00Z");
        let labels = |min: f64, max: f64, room: Room| labels(AxisKind::Time, Scale::Linear, min, max, room);
        let days = labels(end, end + 9.0 * 86_400.0, HIGH);
        assert_eq!(days[..3], ["9999-12-30", "9999-12-31", "+10000-01-01"]);
        let all = labels(read("-000249-01-01T00:00:00Z"), end + 7.8e9, WIDE);
        assert_eq!(all.join(" "), "0 1000 2000 3000 4000 5000 6000 7000 8000 9000 10000");
        let narrow = Room { length: 220.0, ..WIDE };
        assert_eq!(labels(read("-000249-01-01T00:00:00Z"), end + 7.8e9, narrow), ["0", "10000"]);
        // Milliseconds where seconds are meant.
        let milliseconds = labels(1.4e9, 1.469e12, WIDE);
        assert_eq!(milliseconds[..2], ["5000", "10000"]);
        assert!(labels(1.4e9, 1e14, WIDE).iter().all(|label| label.contains(',')));
    }

    #[test]
    fn a_zone_moves_midnight() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let span = Span {
            kind: AxisKind::Time,
            scale: Scale::Linear,
            min: 1_478_304_000.0,
            max: 1_478_563_200.0,
        };
        // The night in which the clock was put back: days of 24, 25 and 24 hours.
        let days = ticks(span, Room { length: 500.0, ..WIDE }, &zone);
        let at: Vec<i64> = days.iter().map(|tick| tick.at as i64).collect();
        assert_eq!(at, [1_478_318_400, 1_478_404_800, 1_478_494_800], "{days:?}");
        assert!("Mars/Olympus".parse::<Zone>().is_err());
    }

    #[test]
    fn hours_that_a_clock_repeats_or_leaves_out_have_their_ticks() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let every = |step: f64, min: f64, max: f64| {
            let span = Span {
                kind: AxisKind::Time,
                scale: Scale::Linear,
                min,
                max,
            };
            let room = Room { length: 900.0, ..WIDE };
            let ticks = ticks(span, room, &zone).into_iter();
            let whole = ticks.filter(|tick| tick.at % step == 0.0);
            whole.map(|tick| tick.label).collect::<Vec<_>>()
        };
        let hours = |min: f64| every(3600.0, min, min + 4.0 * 3600.0);
        // On 30 October 2016 at one o'clock UTC it was put back, on 27 March at that hour forward.
        assert_eq!(hours(1_477_778_400.0), ["00:00", "01:00", "02:00", "02:00", "03:00"]);
        assert_eq!(hours(1_459_033_200.0), ["00:00", "01:00", "03:00", "04:00", "05:00"]);
    }
}
