//! Cells as text for programs: numbers and times have the same digits in every format.

use std::fmt::Write;

use itch_api::chrono::{DateTime, SecondsFormat};
use itch_plugin::Cell;

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// Seconds since 1970.
    Epoch,
    /// `2026-10-30T12:00:00Z`.
    Rfc3339,
}

/// Whether a cell is written as empty or null. Rows of plugins are JSON, which has no NaN and no infinity: they are
/// empty here too, so that a row is the same whether it came as JSON or not.
pub(crate) fn is_nothing(cell: &Cell) -> bool {
    match cell {
        Cell::Null => true,
        Cell::Float(value) | Cell::Duration(value) => !value.is_finite(),
        _ => false,
    }
}

/// Appends a cell that is not empty. Escaping text is left to the format.
pub(crate) fn push(out: &mut String, cell: &Cell, precision: u8, times: Times) {
    match cell {
        Cell::Null => {}
        Cell::Bool(true) => out.push_str("true"),
        Cell::Bool(false) => out.push_str("false"),
        Cell::Int(value) => push_int(out, *value),
        Cell::Float(value) => push_float(out, *value),
        Cell::Text(text) => out.push_str(text),
        Cell::Time(milliseconds) => match times {
            Times::Epoch => push_epoch(out, *milliseconds, precision),
            Times::Rfc3339 => push_rfc3339(out, *milliseconds, precision),
        },
        Cell::Duration(seconds) => push_seconds(out, *seconds, precision),
    }
}

fn push_int(out: &mut String, value: i64) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "{value}");
}

/// The shortest digits that parse to the same number, with an exponent where there would be many zeros.
pub(crate) fn push_float(out: &mut String, value: f64) {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    let _ = if plain {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

/// Seconds since 1970, truncated toward zero after `precision` decimals.
fn push_epoch(out: &mut String, milliseconds: i64, precision: u8) {
    if precision == 0 {
        return push_int(out, milliseconds / 1000);
    }
    let sign = if milliseconds < 0 { "-" } else { "" };
    let (whole, rest) = (milliseconds.unsigned_abs() / 1000, milliseconds.unsigned_abs() % 1000);
    push_cut(out, &format!("{sign}{whole}.{rest:03}"), precision);
}

/// Seconds, truncated toward zero after `precision` decimals.
pub(crate) fn push_seconds(out: &mut String, seconds: f64, precision: u8) {
    // Truncating the shortest decimal text is exact, where `(0.29 * 100.0).trunc()` is 28.
    push_cut(out, &seconds.to_string(), precision);
}

/// Appends a decimal number with exactly `precision` decimals; further ones are dropped.
fn push_cut(out: &mut String, number: &str, precision: u8) {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let start = out.len();
    out.push_str(whole);
    if precision > 0 {
        let digits = fraction.chars().chain(std::iter::repeat('0'));
        out.push('.');
        out.extend(digits.take(precision.into()));
    }
    let negative_zero =
        out[start..].starts_with('-') && !out[start..].contains(|digit: char| ('1'..='9').contains(&digit));
    if negative_zero {
        out.remove(start);
    }
}

/// RFC 3339 in UTC, with milliseconds if there are any and the column has decimals. A time out of the range of the
/// calendar is written as seconds since 1970 rather than left out.
pub(crate) fn push_rfc3339(out: &mut String, milliseconds: i64, precision: u8) {
    // Truncated toward zero, as in the other formats.
    let whole = milliseconds / 1000 * 1000;
    let (milliseconds, decimals) = match precision {
        0 => (whole, SecondsFormat::Secs),
        _ if milliseconds == whole => (whole, SecondsFormat::Secs),
        _ => (milliseconds, SecondsFormat::Millis),
    };
    match DateTime::from_timestamp_millis(milliseconds) {
        Some(time) => out.push_str(&time.to_rfc3339_opts(decimals, true)),
        None => push_epoch(out, milliseconds, precision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: Cell, precision: u8, times: Times) -> String {
        let mut out = String::new();
        push(&mut out, &cell, precision, times);
        out
    }

    #[test]
    fn times_are_cut_toward_zero() {
        let epoch = |milliseconds, precision| text(Cell::Time(milliseconds), precision, Times::Epoch);
        assert_eq!(epoch(1_469_108_655_987, 0), "1469108655");
        assert_eq!(epoch(1_469_108_655_987, 1), "1469108655.9");
        assert_eq!(epoch(1_469_108_655_007, 3), "1469108655.007");
        assert_eq!(epoch(1_469_108_655_007, 5), "1469108655.00700");
        assert_eq!(epoch(-1_999, 0), "-1");
        assert_eq!(epoch(-999, 0), "0");
        assert_eq!(epoch(-999, 1), "-0.9");
        assert_eq!(epoch(-9, 1), "0.0");
        assert_eq!(epoch(i64::MIN, 3), "-9223372036854775.808");
    }

    #[test]
    fn calendar_times_end_in_z() {
        let time = |milliseconds, precision| text(Cell::Time(milliseconds), precision, Times::Rfc3339);
        assert_eq!(time(1_469_108_655_987, 0), "2016-07-21T13:44:15Z");
        assert_eq!(time(1_469_108_655_987, 3), "2016-07-21T13:44:15.987Z");
        assert_eq!(time(1_469_108_655_000, 3), "2016-07-21T13:44:15Z");
        assert_eq!(time(-1_500, 0), "1969-12-31T23:59:59Z");
        assert_eq!(time(i64::MAX, 0), "9223372036854775");
    }

    #[test]
    fn spans_are_cut_as_they_are_written() {
        let span = |seconds, precision| text(Cell::Duration(seconds), precision, Times::Epoch);
        assert_eq!(span(0.29, 2), "0.29");
        assert_eq!(span(0.299, 2), "0.29");
        assert_eq!(span(-0.5, 0), "0");
        assert_eq!(span(-1.99, 1), "-1.9");
        assert_eq!(span(4.0, 3), "4.000");
        assert_eq!(span(1e20, 0), "100000000000000000000");
    }

    #[test]
    fn floats_are_short_and_read_back() {
        for value in [0.1 + 0.2, 1.0, -0.0, 1e300, 5e-324, 123_456_789.125, f64::MAX] {
            let text = text(Cell::Float(value), 0, Times::Epoch);
            assert_eq!(text.parse::<f64>().unwrap(), value);
            assert!(text.len() < 25, "{text}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}
