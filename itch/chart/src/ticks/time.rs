//! Ticks of times: years, months, weeks, days, hours, minutes and seconds of a time zone's calendar and clock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use itch_api::{Error, ErrorKind};
use itch_plugin::Tick;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Room, Span};

/// A time zone, UTC unless another was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Zone {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// Its name for [`itch_plugin::Axis::zone`]: nothing for UTC.
    pub fn name(&self) -> String {
        match self.0 == TimeZone::UTC {
            true => String::new(),
            false => self.to_string(),
        }
    }

    /// A time of this zone as seconds since 1970: the first of two that a clock repeats. One that it leaves out is moved
    /// on by as much as the clock is.
    pub fn seconds(&self, local: NaiveDateTime) -> f64 {
        let found = clock(local)
            .and_then(|clock| self.0.to_ambiguous_timestamp(clock).compatible().ok())
            .map(|time| time.as_microsecond());
        // A year that this calendar does not have is one of UTC.
        let micros = found.unwrap_or_else(|| local.and_utc().timestamp_micros());
        micros as f64 / 1e6
    }

    /// Every time at which this zone's clock shows this: none where it is put forward, two where it is put back.
    fn every(&self, local: NaiveDateTime) -> impl Iterator<Item = f64> {
        let found = clock(local).map(|clock| self.0.to_ambiguous_timestamp(clock));
        let (first, second) = match found.as_ref().map(|found| found.offset()) {
            Some(AmbiguousOffset::Gap { .. }) => (None, None),
            Some(AmbiguousOffset::Fold { .. }) => {
                (Some(self.seconds(local)), found.and_then(|found| found.later().ok()))
            }
            _ => (Some(self.seconds(local)), None),
        };
        let second = second.map(|time| time.as_microsecond() as f64 / 1e6);
        first.into_iter().chain(second)
    }

    /// Seconds since 1970 as this zone's calendar and clock show them.
    pub fn local(&self, seconds: f64) -> Option<NaiveDateTime> {
        let micros = (seconds * 1e6).round();
        let time = if micros.abs() < 9e18 {
            DateTime::from_timestamp_micros(micros as i64)
        } else {
            DateTime::from_timestamp(seconds as i64, 0)
        };
        let time = time?;
        let offset = Timestamp::from_second(time.timestamp()).map_or(0, |time| {
            let offset = self.0.to_offset(time);
            offset.seconds().into()
        });
        let offset = TimeDelta::seconds(offset);
        time.naive_utc().checked_add_signed(offset)
    }
}

/// The same time for the calendar that knows zones, which has the years from -9999 to 9999.
fn clock(local: NaiveDateTime) -> Option<civil::DateTime> {
    let date = civil::Date::new(i16::try_from(local.year()).ok()?, local.month() as i8, local.day() as i8);
    let time =
        civil::Time::new(local.hour() as i8, local.minute() as i8, local.second() as i8, local.nanosecond() as i32);
    Some(date.ok()?.to_datetime(time.ok()?))
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

/// From one tick to the next.
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

/// Every step that people count in, the shortest first.
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

/// The shortest step whose labels fit; nothing for times that no calendar has.
pub(super) fn ticks(span: Span, room: Room, zone: &Zone) -> Option<Vec<Tick>> {
    let (low, high) = (zone.local(span.min)?, zone.local(span.max)?);
    let length = span.max - span.min;
    // Where a clock is put back it passes more than it seems to.
    let passed = TimeDelta::microseconds((length * 1e6) as i64);
    let low = high.checked_sub_signed(passed).unwrap_or(low).min(low);
    let high = low.checked_add_signed(passed).unwrap_or(high).max(high);
    for (step, seconds) in steps() {
        if length / seconds > 60.0 {
            continue;
        }
        let times = times(step, low, high);
        let tick = |at: f64, time: NaiveDateTime| Tick {
            at,
            label: label(step, time, room.side_by_side),
            below: String::new(),
        };
        let mut ticks: Vec<Tick> = Vec::with_capacity(times.len());
        for time in times {
            match step {
                Step::Micros(_) => ticks.extend(zone.every(time).map(|at| tick(at, time))),
                // A day whose midnight is left out begins nevertheless.
                _ => ticks.push(tick(zone.seconds(time), time)),
            }
        }
        ticks.retain(|tick| (span.min..=span.max).contains(&tick.at));
        ticks.sort_by(|one, other| one.at.total_cmp(&other.at));
        ticks.dedup_by(|next, tick| next.at == tick.at);
        if !ticks.is_empty() && span.fits(room, &ticks) {
            if room.side_by_side {
                put_below(step, zone, span, room, &mut ticks);
            }
            return Some(ticks);
        }
    }
    Some(Vec::new())
}

/// The times of a step from `low` to `high`.
fn times(step: Step, low: NaiveDateTime, high: NaiveDateTime) -> Vec<NaiveDateTime> {
    let midnight = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN);
    let mut times = Vec::new();
    let mut next = match step {
        Step::Micros(micros) => {
            let day = midnight(low.date());
            let into = (low - day).num_microseconds().unwrap_or(0);
            day.checked_add_signed(TimeDelta::microseconds(into.div_euclid(micros) * micros))
        }
        Step::Days(days) => {
            // From the first of the month, so that the same days have ticks however far one looks.
            let into = i64::from(low.day0()).div_euclid(days) * days;
            low.date().with_day0(into as u32).map(midnight)
        }
        Step::Weeks(weeks) => {
            let monday = i64::from(low.date().num_days_from_ce()) - 1;
            let first = monday.div_euclid(7 * weeks) * 7 * weeks + 1;
            NaiveDate::from_num_days_from_ce_opt(first as i32).map(midnight)
        }
        Step::Months(months) => month(low, months, 0),
    };
    while let Some(time) = next.filter(|time| *time <= high && times.len() < 200) {
        times.push(time);
        next = match step {
            Step::Micros(micros) => time.checked_add_signed(TimeDelta::microseconds(micros)),
            Step::Days(days) => time.checked_add_signed(TimeDelta::days(days)).map(|next| {
                match days > 1 && next.month() != time.month() {
                    true => next.with_day(1).unwrap_or(next),
                    false => next,
                }
            }),
            Step::Weeks(weeks) => time.checked_add_signed(TimeDelta::weeks(weeks)),
            Step::Months(months) => month(time, months, months),
        };
    }
    times
}

/// The beginning of the span of so many months that a time is in, moved on by some.
fn month(time: NaiveDateTime, months: i64, on: i64) -> Option<NaiveDateTime> {
    let number = i64::from(time.year()) * 12 + i64::from(time.month0());
    let first = number.div_euclid(months) * months + on;
    let year = i32::try_from(first.div_euclid(12)).ok()?;
    let date = NaiveDate::from_ymd_opt(year, first.rem_euclid(12) as u32 + 1, 1)?;
    Some(date.and_time(chrono::NaiveTime::MIN))
}

/// The label of a tick. One that stands alone says everything; below others, the year or the day may be told once.
fn label(step: Step, time: NaiveDateTime, short: bool) -> String {
    match step {
        Step::Months(months) if months % 12 == 0 => time.year().to_string(),
        Step::Months(_) if short => time.format("%b").to_string(),
        Step::Months(_) => time.format("%Y-%m").to_string(),
        Step::Days(_) | Step::Weeks(_) if short => time.format("%b %-d").to_string(),
        Step::Days(_) | Step::Weeks(_) => time.format("%Y-%m-%d").to_string(),
        Step::Micros(micros) if micros < SECOND => {
            let digits = match micros {
                100_000.. => 1,
                10_000.. => 2,
                1000.. => 3,
                100.. => 4,
                10.. => 5,
                _ => 6,
            };
            let fraction = time.nanosecond() % 1_000_000_000 / 10u32.pow(9 - digits);
            format!("{}.{fraction:0width$}", time.format("%H:%M:%S"), width = digits as usize)
        }
        Step::Micros(micros) if micros < MINUTE => time.format("%H:%M:%S").to_string(),
        Step::Micros(_) if short || time.time() != chrono::NaiveTime::MIN => time.format("%H:%M").to_string(),
        Step::Micros(_) => time.format("%m-%d").to_string(),
    }
}

/// Says the year or the day below the first label and wherever it changes, if there is room.
fn put_below(step: Step, zone: &Zone, span: Span, room: Room, ticks: &mut [Tick]) {
    let context = |seconds: f64| {
        let time = zone.local(seconds)?;
        Some(match step {
            Step::Months(months) if months % 12 == 0 => return None,
            Step::Micros(_) => time.format("%Y-%m-%d").to_string(),
            _ => time.year().to_string(),
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
    // The first is where the axis begins, the others are where something changes: these matter more.
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
