//! One cell: parses a number or a time from a few bytes, or reports what is wrong with it.

use crate::dates::{DateFormat, date, is_in_range};
use crate::types::ColumnKind;

/// What is wrong with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellError {
    Missing,
    Empty,
    NoNumber,
    NoTime,
    NotFinite,
    TooLarge,
    Years,
    Backwards,
}

/// A cell that cannot be used: the index of the wanted column, and what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: usize,
    pub(crate) wrong: CellError,
}

impl CellError {
    /// The reason for the user, given the name of the column and the beginning of the cell.
    pub(crate) fn reason(self, column: &str, text: &str) -> String {
        match self {
            CellError::Missing => format!("there is no {column}"),
            CellError::Empty => format!("{column} is empty"),
            CellError::NoNumber => format!("{column} is not a number: {text:?}"),
            CellError::NoTime => format!("{column} is not a time: {text:?}"),
            CellError::NotFinite => format!("{column} is not finite: {text:?}"),
            CellError::TooLarge => format!("{column} is too large: {text:?}"),
            CellError::Backwards => format!("{column} is before the start of the span: {text:?}"),
            CellError::Years => format!("{column} is outside the years 1 to 9999: {text:?}"),
        }
    }
}

/// The beginning of a cell, for a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    // A character has at most four bytes; the bytes cut here would not be shown anyway.
    let bytes = bytes.get(..SHOWN * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.chars().count() <= SHOWN {
        return text.into_owned();
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

/// A cell as a value of its column.
pub(crate) fn value(bytes: &[u8], kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, CellError> {
    match kind {
        ColumnKind::Time => time(bytes, format),
        ColumnKind::Number | ColumnKind::Text => number(bytes),
    }
}

/// Removes surrounding white space and one pair of quotes.
fn bare(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii();
    match bytes {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => bytes,
    }
}

/// Whether a cell is empty or holds one of the words that programs write for an empty value.
pub(crate) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bare(bytes), b"" | b"None" | b"null" | b"NULL")
}

/// The largest number that is drawn: with larger ones the length of an axis would overflow to infinity.
pub(crate) const LARGEST: f64 = 1e300;

/// Parses a decimal number with sign, fraction and exponent.
pub(crate) fn number(bytes: &[u8]) -> Result<f64, CellError> {
    let text = bare(bytes);
    if let Some(value) = decimal(text) {
        return if value.abs() <= LARGEST {
            Ok(value)
        } else {
            Err(CellError::TooLarge)
        };
    }
    if is_nothing(text) {
        return Err(CellError::Empty);
    }
    let word = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let not_finite = ["nan", "inf", "infinity"];
    if not_finite
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    {
        return Err(CellError::NotFinite);
    }
    Err(CellError::NoNumber)
}

/// A well-formed decimal number; infinite if it is out of range.
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
            // Above 2^53 the fast path is not exact, and the sum could overflow.
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
        // For an exponent that does not fit, the standard library decides between zero and infinity.
        match std::str::from_utf8(written).ok()?.parse() {
            Ok(value) => exponent = value,
            Err(_) => exact = false,
        }
    } else if at < unsigned.len() {
        return None;
    }
    let shift = exponent.saturating_sub(decimals);
    let value = match exact {
        // Both factors are exact, so the only rounding is the correct one.
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

/// Parses a time: with the format if there is one, then as a date, then as seconds since 1970.
pub(crate) fn time(bytes: &[u8], format: Option<&DateFormat>) -> Result<f64, CellError> {
    let text = bare(bytes);
    let found = format.and_then(|format| format.written(std::str::from_utf8(text).ok()?));
    match found.or_else(|| date(text)) {
        Some(written) => in_years(written.in_utc()),
        None => match number(text) {
            Ok(value) => in_years(value),
            Err(CellError::NoNumber) => Err(CellError::NoTime),
            Err(CellError::TooLarge) => Err(CellError::Years),
            Err(wrong) => Err(wrong),
        },
    }
}

pub(crate) fn in_years(value: f64) -> Result<f64, CellError> {
    if is_in_range(value) {
        Ok(value)
    } else {
        Err(CellError::Years)
    }
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
    let formatted = || format.and_then(|format| format.written(std::str::from_utf8(text).ok()?));
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
