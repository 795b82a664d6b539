//! The two columns of a chart, and the errors if they are missing.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use itch_api::{Error, ErrorKind};
use itch_chart::{ColumnKind, KeepText, ReadOptions, Table, read_table};
use itch_table::Input;

fn options(x: &str, y: &str) -> ReadOptions {
    ReadOptions {
        x: x.to_owned(),
        y: y.to_owned(),
        keep_text: KeepText::Records,
        ..ReadOptions::default()
    }
}

fn read(text: &str, options: &ReadOptions) -> Result<Table, Error> {
    read_table(Input::Bytes(text.into()), options)
}

fn error(text: &str, options: &ReadOptions) -> (ErrorKind, String) {
    let error = read(text, options).unwrap_err();
    (error.kind, format!("{error:#}"))
}

#[test]
fn nothing_usable_and_nothing_at_all_are_errors() {
    assert_eq!(error("", &options("1", "2")).1, "the input is empty");
    assert_eq!(error("\n \r\n\n", &options("1", "2")).1, "the input is empty");
    let (kind, text) = error("a\tc\nb\tc\n", &options("followed", "created"));
    assert_eq!(kind, ErrorKind::Failed);
    assert!(
        text.starts_with(
            "the input has no row with both followed and created; its columns are name, channel: line 1: "
        ),
        "{text}"
    );
    assert!(error("x,y\n", &options("x", "y")).1.contains("its columns are x, y"));
}

#[test]
fn a_hint_says_how_to_choose_columns_or_to_read_dates() {
    let hint = |text: &str, options: &ReadOptions| read(text, options).unwrap_err().hint.unwrap();
    let choose = "choose the columns with -x and -y, by name or number";
    assert_eq!(hint("when\tcount\n1\t2\n", &options("followed", "created")), choose);
    assert_eq!(hint("soon\tc\n", &options("1", "2")), choose);
    assert_eq!(
        hint("25.07.2016\t1\n", &options("1", "2")),
        "give the format of its dates: --date-format '%d.%m.%Y'"
    );
}

#[test]
fn two_columns_are_numbers_or_times_with_labels_and_records() {
    let table =
        read("name,since,size\nalice,2016-07-25,5\nbob,None,7\ncarol,2016-07-26,x\n", &options("since", "size"));
    let table = table.unwrap();
    assert_eq!((table.x.kind, &table.x.values[..]), (ColumnKind::Time, &[1_469_404_800.0][..]));
    assert_eq!((table.y.kind, &table.y.values[..]), (ColumnKind::Number, &[5.0][..]));
    assert_eq!(table.labels.unwrap().get(0), "alice");
    assert_eq!(table.records.unwrap().get(0), "alice,2016-07-25,5");
    assert_eq!((table.rows, table.empty, table.bad.count), (3, 1, 1));
    let plain = ReadOptions {
        keep_text: KeepText::Nothing,
        ..options("since", "name")
    };
    // A column of words is read as numbers that are not valid.
    assert_eq!(error("name,since\nalice,1\n", &plain).0, ErrorKind::Failed);
    let same = read("5\n6\n", &options("1", "1")).unwrap();
    assert_eq!((same.x.values, same.labels), (vec![5.0, 6.0], None));
}
