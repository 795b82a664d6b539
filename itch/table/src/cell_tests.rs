//! Compares the parsing of numbers and times with the standard library and chrono.

use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;

use super::*;
use crate::dates::Written;
use itch_api::ErrorKind;

#[test]
fn numbers_are_read_as_the_standard_library_does() {
    for text in [
        "0",
        "-0",
        "7",
        "+7",
        "1469404800",
        "-12.5",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        "1.5e+3",
        "9007199254740993",
        "123456789012345678901234567890",
        "0.1",
        "0.30000000000000004",
        "1e-400",
        "2.2250738585072011e-308",
        "999999999999999999e282",
        "0e99999999999",
        "1e-99999999999",
    ] {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(number(text.as_bytes()).unwrap().to_bits(), expected.to_bits(), "{text}");
    }
    assert_eq!(number(b" \"1\" "), Ok(1.0));
}

#[test]
fn what_is_no_number_says_why() {
    for (text, wrong) in [
        ("", CellError::Empty),
        (" ", CellError::Empty),
        ("\"\"", CellError::Empty),
        ("None", CellError::Empty),
        ("NaN", CellError::NotFinite),
        ("-inf", CellError::NotFinite),
        ("Infinity", CellError::NotFinite),
        ("1e400", CellError::TooLarge),
        ("1.0000001e300", CellError::TooLarge),
        ("-1e99999999999", CellError::TooLarge),
        ("abc", CellError::NoNumber),
        ("1.2.3", CellError::NoNumber),
        ("1e", CellError::NoNumber),
        ("1e+-3", CellError::NoNumber),
        ("0x10", CellError::NoNumber),
        ("1_000", CellError::NoNumber),
        ("-", CellError::NoNumber),
        (".", CellError::NoNumber),
        ("2016-07-25", CellError::NoNumber),
    ] {
        assert_eq!(number(text.as_bytes()), Err(wrong), "{text:?}");
    }
}

#[test]
fn times_are_read_in_every_notation() {
    for (text, seconds) in [
        ("1469404800", 1_469_404_800.0),
        ("1469404800.25", 1_469_404_800.25),
        ("-1", -1.0),
        ("2016-07-25", 1_469_404_800.0),
        ("2016-7-5", 1_467_676_800.0),
        ("2016-07-25 18:00", 1_469_469_600.0),
        ("2016-07-25T18:00:01", 1_469_469_601.0),
        ("2016-07-25T18:00:01.5Z", 1_469_469_601.5),
        ("2016-07-25 18:00:01.123456789123 UTC", 1_469_469_601.123_456_8),
        ("2016-07-25T18:00:00+02:00", 1_469_462_400.0),
        ("2016-07-25T18:00:00 -0530", 1_469_489_400.0),
        ("2016-12-31T23:59:60Z", 1_483_228_800.0),
        ("1969-12-31", -86_400.0),
        ("2300-01-01", 10_413_792_000.0),
        ("0001-01-01", -62_135_596_800.0),
        ("9999-12-31T23:59:59Z", 253_402_300_799.0),
        ("\"2016-07-25\"", 1_469_404_800.0),
    ] {
        assert_eq!(time(text.as_bytes(), None), Ok(seconds), "{text}");
    }
    for (text, wrong) in [
        ("", CellError::Empty),
        ("None", CellError::Empty),
        ("yesterday", CellError::NoTime),
        ("0000-00-00", CellError::NoTime),
        ("2015-02-29", CellError::NoTime),
        ("2016-07-25T24:00", CellError::NoTime),
        ("2016-07-25x", CellError::NoTime),
        ("2016-07-25T18:00:00.Z", CellError::NoTime),
        ("2016-07-25T18:00:00+2", CellError::NoTime),
        ("16-07-25", CellError::NoTime),
        ("nan", CellError::NotFinite),
        ("1469404800000", CellError::Years),
        ("1e999", CellError::Years),
        ("10000-01-01", CellError::Years),
    ] {
        assert_eq!(time(text.as_bytes(), None), Err(wrong), "{text:?}");
    }
}

#[test]
fn a_date_format_comes_first_and_may_leave_out_the_rest() {
    for (format, text, seconds) in [
        ("%d.%m.%Y", "25.07.2016", 1_469_404_800.0),
        ("%d/%m/%Y %H:%M", "25/07/2016 18:00", 1_469_469_600.0),
        ("%Y%m%d", "20160725", 1_469_404_800.0),
        ("%Y%m%d", "1469404800", 1_469_404_800.0),
        ("%Y-%m", "2016-07", 1_467_331_200.0),
        ("%Y", "2016", 1_451_606_400.0),
        ("%d %b %Y %I %p", "25 Jul 2016 6 PM", 1_469_469_600.0),
        ("%d.%m.%Y %H:%M %z", "25.07.2016 20:00 +0200", 1_469_469_600.0),
        ("%d.%m.%Y", "2016-07-25", 1_469_404_800.0),
        ("%s", "-5", -5.0),
    ] {
        let parsed = DateFormat::new(format).unwrap();
        assert_eq!(time(text.as_bytes(), Some(&parsed)), Ok(seconds), "{format} {text}");
    }
    assert_eq!(DateFormat::new("%Q").unwrap_err().kind, ErrorKind::Usage);
}

proptest! {
    #[test]
    fn any_double_reads_back(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.abs() <= LARGEST);
        for text in [format!("{value}"), format!("{value:e}"), format!("{value:.3}")] {
            prop_assert_eq!(number(text.as_bytes()).unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
        }
    }

    #[test]
    fn any_text_is_a_number_exactly_when_the_library_says_so(text in "[-+.0-9eE]{0,12}") {
        let expected = text.parse::<f64>().ok().filter(|value| value.abs() <= LARGEST);
        prop_assert_eq!(number(text.as_bytes()).ok().map(f64::to_bits), expected.map(f64::to_bits));
    }

    #[test]
    fn any_date_is_what_chrono_says(days in -719_162_i64..2_932_896, seconds in 0_i64..86_400, east in -14_i32..15) {
        let day = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::TimeDelta::days(days);
        let expected = days * 86_400;
        let text = day.format("%Y-%m-%d").to_string();
        prop_assert_eq!(date(text.as_bytes()).map(Written::in_utc), Some(expected as f64));
        let time = DateTime::from_timestamp(expected + seconds, 0).unwrap();
        let offset = chrono::FixedOffset::east_opt(east * 3600).unwrap();
        let local = time.with_timezone(&offset);
        if (1..=9999).contains(&chrono::Datelike::year(&local)) {
            prop_assert_eq!(date(local.to_rfc3339().as_bytes()).map(Written::in_utc), Some((expected + seconds) as f64), "{}", local);
        }
    }

    #[test]
    fn no_cell_panics(bytes: Vec<u8>) {
        let format = DateFormat::new("%Y%m%d %H").unwrap();
        let _ = (number(&bytes), time(&bytes, Some(&format)), look(&bytes, Some(&format)), excerpt(&bytes));
    }
}
