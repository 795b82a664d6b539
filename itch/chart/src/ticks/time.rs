//! Ticks of times: years, months, weeks, days, hours, minutes and seconds in the calendar of a time zone.
//!
//! Times are passed as seconds since 1970. Inside this module they are values of jiff, which knows the rules of zones.

use itch_plugin::Tick;
use itch_table::Zone;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Room, Span};

/// The calendar repeats after 400 years: so many days and seconds.
const CYCLE_DAYS: i64 = 146_097;
const CYCLE: f64 = 86_400.0 * CYCLE_DAYS as f64;

/// The longest time from 1970, in seconds, for which an axis shows years. Beyond it, plain numbers are shown.
const YEARS: f64 = 260_000.0 * CYCLE / 400.0;
/// On an axis of more seconds than this, years are computed without jiff, whose calendar has too few of them.
const LONG: f64 = 5000.0 * CYCLE / 400.0;

/// A calendar and clock for the times of an axis. jiff has the years -9999 to 9999; other times are shifted into this
/// range by whole cycles of the calendar.
struct Calendar<'a> {
    zone: &'a TimeZone,
    cycles: i64,
}

impl Calendar<'_> {
    /// The calendar for an axis; `None` if the axis is longer than [`LONG`].
    fn of(zone: &Zone, span: Span) -> Option<Calendar<'_>> {
        if span.max - span.min > LONG {
            return None;
        }
        let (first, last) = (Timestamp::MIN.as_second() as f64, Timestamp::MAX.as_second() as f64);
        // As few cycles as possible.
        let after = ((span.max - last) / CYCLE).ceil().max(0.0);
        let before = ((span.min - first) / CYCLE).floor().min(0.0);
        Some(Calendar {
            zone: zone.time_zone(),
            cycles: (after + before) as i64,
        })
    }

    /// The clock time at a time in seconds since 1970.
    fn local(&self, seconds: f64) -> Option<DateTime> {
        let micros = ((seconds - self.cycles as f64 * CYCLE) * 1e6).round();
        let time = Timestamp::from_microsecond(micros as i64).ok()?;
        Some(self.zone.to_datetime(time))
    }

    fn seconds_of(&self, time: Timestamp) -> f64 {
        time.as_microsecond() as f64 / 1e6 + self.cycles as f64 * CYCLE
    }

    /// Converts a clock time to seconds since 1970. If the clock shows it twice, the first time counts; if the clock
    /// never shows it, the result is later by the size of the gap.
    fn seconds(&self, local: DateTime) -> Option<f64> {
        let time = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(self.seconds_of(time))
    }

    /// All times at which the clock shows this: none if it is skipped, two if it is repeated.
    fn every(&self, local: DateTime) -> impl Iterator<Item = f64> {
        let found = self.zone.to_ambiguous_timestamp(local);
        let (first, second) = match found.offset() {
            AmbiguousOffset::Gap { .. } => (None, None),
            AmbiguousOffset::Fold { .. } => (found.earlier().ok(), found.later().ok()),
            AmbiguousOffset::Unambiguous { .. } => (found.compatible().ok(), None),
        };
        [first, second].into_iter().flatten().map(|time| self.seconds_of(time))
    }

    fn year(&self, time: DateTime) -> i64 {
        i64::from(time.year()) + self.cycles * 400
    }

    /// A date or a part of it: the year, followed by `rest` in the notation of `strftime`.
    fn dated(&self, time: DateTime, rest: &str) -> String {
        let rest = time.strftime(rest);
        match self.year(time) {
            year @ 0..=9999 => format!("{year:04}{rest}"),
            year => format!("{year:+05}{rest}"),
        }
    }
}

/// The distance between ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Micros(i64),
    Days(i64),
    Weeks(i64),
    Months(i64),
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// All possible steps, the shortest first.
fn steps() -> Vec<(Step, f64)> {
    let mut steps = Vec::new();
    for power in 0..6 {
        for factor in [1, 2, 5] {
            steps.push(Step::Micros(factor * 10i64.pow(power)));
        }
    }
    steps.extend([1, 2, 5, 10, 15, 30].map(|seconds| Step::Micros(seconds * SECOND)));
    steps.extend([1, 2, 5, 10, 15, 30].map(|minutes| Step::Micros(minutes * MINUTE)));
    steps.extend([1, 2, 3, 6, 12].map(|hours| Step::Micros(hours * HOUR)));
    steps.extend([1, 2].map(Step::Days));
    steps.extend([1, 2].map(Step::Weeks));
    steps.extend([1, 2, 3, 6].map(Step::Months));
    for power in 0..5 {
        for factor in [1, 2, 5] {
            steps.push(Step::Months(12 * factor * 10i64.pow(power)));
        }
    }
    let seconds = |step: &Step| match *step {
        Step::Micros(micros) => micros as f64 / 1e6,
        Step::Days(days) => days as f64 * 86_400.0,
        Step::Weeks(weeks) => weeks as f64 * 604_800.0,
        Step::Months(months) => months as f64 * 2_629_746.0,
    };
    steps.into_iter().map(|step| (step, seconds(&step))).collect()
}

/// The shortest step whose labels fit; `None` for times outside the calendar.
pub(super) fn ticks(span: Span, room: Room, zone: &Zone) -> Option<Vec<Tick>> {
    if span.min < -YEARS || span.max > YEARS {
        return None;
    }
    let Some(calendar) = Calendar::of(zone, span) else {
        return Some(years(span, room, zone));
    };
    let (low, high) = (calendar.local(span.min)?, calendar.local(span.max)?);
    let length = span.max - span.min;
    // If a clock is put back, more time passes than its readings suggest.
    let passed = SignedDuration::from_micros((length * 1e6) as i64);
    let low = high.checked_sub(passed).unwrap_or(low).min(low);
    let high = low.checked_add(passed).unwrap_or(high).max(high);
    for (step, seconds) in steps() {
        if length / seconds > 60.0 {
            continue;
        }
        let times = times(step, low, high, calendar.cycles);
        let tick = |at: f64, time: DateTime| Tick {
            at,
            label: label(step, time, &calendar, room.side_by_side),
            below: String::new(),
        };
        let mut ticks: Vec<Tick> = Vec::with_capacity(times.len());
        for time in times {
            match step {
                Step::Micros(_) => ticks.extend(calendar.every(time).map(|at| tick(at, time))),
                // A day begins even if its midnight is skipped.
                _ => ticks.extend(calendar.seconds(time).map(|at| tick(at, time))),
            }
        }
        ticks.retain(|tick| (span.min..=span.max).contains(&tick.at));
        ticks.sort_by(|one, other| one.at.total_cmp(&other.at));
        ticks.dedup_by(|next, tick| next.at == tick.at);
        if !ticks.is_empty() && span.fits(room, &ticks) {
            if room.side_by_side {
                put_below(step, &calendar, span, room, &mut ticks);
            }
            return Some(ticks);
        }
    }
    Some(Vec::new())
}

/// Ticks of an axis longer than [`LONG`]: years.
fn years(span: Span, room: Room, zone: &Zone) -> Vec<Tick> {
    let year_of = |seconds: f64| (seconds / CYCLE * 400.0 + 1970.0).floor() as i64;
    let first_day = |year: i64| {
        let before = year - 1;
        let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
        // The number of days from 1 January of the year 1 to 1 January 1970.
        before * 365 + leap_days - 719_162
    };
    for power in 2..6 {
        for step in [1, 2, 5].map(|factor| factor * 10_i64.pow(power)) {
            let numbers = year_of(span.min).div_euclid(step)..=year_of(span.max).div_euclid(step) + 1;
            if numbers.end() - numbers.start() > 60 {
                continue;
            }
            let ticks = numbers.map(|number| Tick {
                at: zone.instant(first_day(number * step) as f64 * 86_400.0),
                label: (number * step).to_string(),
                below: String::new(),
            });
            let ticks: Vec<Tick> = ticks.filter(|tick| (span.min..=span.max).contains(&tick.at)).collect();
            if !ticks.is_empty() && span.fits(room, &ticks) {
                return ticks;
            }
        }
    }
    Vec::new()
}

/// The ticks of a step from `low` to `high`, whose times were shifted by so many cycles of the calendar.
fn times(step: Step, low: DateTime, high: DateTime, cycles: i64) -> Vec<DateTime> {
    let mut times = Vec::new();
    let mut next = first(step, low, cycles);
    while let Some(time) = next.filter(|time| *time <= high && times.len() < 200) {
        times.push(time);
        next = match step {
            Step::Micros(micros) => time.checked_add(SignedDuration::from_micros(micros)).ok(),
            Step::Days(days) => {
                time.checked_add(days.days())
                    .ok()
                    .map(|next| match days > 1 && next.month() != time.month() {
                        true => next.first_of_month(),
                        false => next,
                    })
            }
            Step::Weeks(weeks) => time.checked_add(weeks.weeks()).ok(),
            Step::Months(months) => month(time, months, months, cycles),
        };
    }
    times
}

/// The last tick of a step that is not after `low`.
fn first(step: Step, low: DateTime, cycles: i64) -> Option<DateTime> {
    let midnight = |date: Date| date.to_datetime(Time::midnight());
    match step {
        Step::Micros(micros) => {
            let day = midnight(low.date());
            let into = low.duration_since(day).as_micros() as i64;
            day.checked_add(SignedDuration::from_micros(into.div_euclid(micros) * micros))
                .ok()
        }
        Step::Days(days) => {
            // Counted from the first of the month, so that zooming keeps the same days.
            let into = (i64::from(low.day()) - 1).div_euclid(days) * days;
            low.date().first_of_month().checked_add(into.days()).ok().map(midnight)
        }
        Step::Weeks(weeks) => {
            // Counted from 1 January of the year 1, which is a Monday.
            let since = low.date().since(Date::constant(1, 1, 1)).ok()?;
            let into = (i64::from(since.get_days()) + cycles * CYCLE_DAYS).rem_euclid(7 * weeks);
            low.date().checked_sub(into.days()).ok().map(midnight)
        }
        Step::Months(months) => month(low, months, 0, cycles),
    }
}

/// The start of the span of `months` months that contains a time, shifted by some of these spans.
fn month(time: DateTime, months: i64, on: i64, cycles: i64) -> Option<DateTime> {
    let year = i64::from(time.year()) + cycles * 400;
    let number = year * 12 + i64::from(time.month()) - 1;
    let first = number.div_euclid(months) * months + on;
    let year = i16::try_from(first.div_euclid(12) - cycles * 400).ok()?;
    let date = Date::new(year, first.rem_euclid(12) as i8 + 1, 1).ok()?;
    Some(date.to_datetime(Time::midnight()))
}

/// The label of a tick. A single tick shows everything; among others, the year or the day is shown only where needed.
fn label(step: Step, time: DateTime, calendar: &Calendar<'_>, short: bool) -> String {
    match step {
        Step::Months(months) if months % 12 == 0 => calendar.year(time).to_string(),
        Step::Months(_) if short => time.strftime("%b").to_string(),
        Step::Months(_) => calendar.dated(time, "-%m"),
        Step::Days(_) | Step::Weeks(_) if short => time.strftime("%b %-d").to_string(),
        Step::Days(_) | Step::Weeks(_) => calendar.dated(time, "-%m-%d"),
        Step::Micros(micros) if micros < SECOND => {
            let digits = match micros {
                100_000.. => 1,
                10_000.. => 2,
                1000.. => 3,
                100.. => 4,
                10.. => 5,
                _ => 6,
            };
            let fraction = time.subsec_nanosecond() / 10_i32.pow(9 - digits);
            format!("{}.{fraction:0width$}", time.strftime("%H:%M:%S"), width = digits as usize)
        }
        Step::Micros(micros) if micros < MINUTE => time.strftime("%H:%M:%S").to_string(),
        Step::Micros(_) if short || time.time() != Time::midnight() => time.strftime("%H:%M").to_string(),
        Step::Micros(_) => time.strftime("%m-%d").to_string(),
    }
}

/// Adds the year or the day below the first label and wherever it changes, if there is room.
fn put_below(step: Step, calendar: &Calendar<'_>, span: Span, room: Room, ticks: &mut [Tick]) {
    let context = |seconds: f64| {
        let time = calendar.local(seconds)?;
        Some(match step {
            Step::Months(months) if months % 12 == 0 => return None,
            Step::Micros(_) => calendar.dated(time, "-%m-%d"),
            _ => calendar.year(time).to_string(),
        })
    };
    let mut changes: Vec<(usize, String)> = Vec::new();
    for (place, tick) in ticks.iter().enumerate() {
        let Some(context) = context(tick.at) else {
            return;
        };
        if changes.last().is_none_or(|(_, last)| *last != context) {
            changes.push((place, context));
        }
    }
    // A label at a change has priority over the first label, which is only where the axis begins.
    let mut taken: Option<f64> = None;
    for (place, context) in changes.into_iter().rev() {
        let half = room.needs(&context) / 2.0;
        let at = span.share(ticks[place].at) * room.length;
        if taken.is_none_or(|left| at + half <= left) {
            taken = Some(at - half);
            ticks[place].below = context;
        }
    }
}
