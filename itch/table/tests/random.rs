//! Compares the reader with a simple one on random tables, for any block size and number of threads.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use itch_table::{ColumnKind, Input, InputFormat};
use proptest::prelude::*;
use support::{ReadOptions, Table, labels, read_spans, read_table};

/// A table as read by the simplest code: the kept rows with their records, the bad lines, and the number of empty rows.
#[derive(Debug, Default, PartialEq)]
struct Naive {
    rows: Vec<(f64, f64, String)>,
    bad: Vec<u64>,
    empty: u64,
}

fn naive(text: &str, delimiter: char, columns: (usize, usize)) -> Naive {
    let mut naive = Naive::default();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            continue;
        }
        let cells: Vec<&str> = line.split(delimiter).collect();
        let value = |index: usize| {
            let value: f64 = cells.get(index)?.trim().parse().ok()?;
            value.is_finite().then_some(value)
        };
        let is_empty = |index: usize| cells.get(index).is_some_and(|cell| cell.trim().is_empty());
        match (value(columns.0), value(columns.1)) {
            (Some(x), Some(y)) => naive.rows.push((x, y, line.to_owned())),
            (None, _) if is_empty(columns.0) => naive.empty += 1,
            (Some(_), None) if is_empty(columns.1) => naive.empty += 1,
            _ => naive.bad.push(index as u64 + 1),
        }
    }
    naive
}

fn observed(table: &Table) -> Naive {
    let records = table.records.as_ref().unwrap();
    let rows = table.x.values.iter().zip(&table.y.values).zip(records.iter());
    Naive {
        rows: rows.map(|((x, y), record)| (*x, *y, record.to_owned())).collect(),
        bad: table.bad.first.iter().map(|(line, _)| *line).collect(),
        empty: table.empty,
    }
}

/// A cell that may be a number of any length or anything else.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => "[0-9]{1,20}",
        2 => "-?[0-9]{0,12}(\\.[0-9]{0,8})?(e-?[0-9]{1,2})?",
        1 => "[ a-z:/.]{0,9}",
        1 => Just("nan".to_owned()),
    ]
}

fn text(delimiter: char) -> impl Strategy<Value = String> {
    let row = proptest::collection::vec(cell(), 0..6).prop_map(move |cells| cells.join(&delimiter.to_string()));
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n")];
    let rows = proptest::collection::vec((row, end), 0..60);
    rows.prop_map(|rows| rows.into_iter().map(|(row, end)| row + end).collect())
}

/// Names for more columns than a row may have.
const FIELDS: &[&str] = &["a", "b", "c", "d", "e", "f"];

fn options(x: usize, y: usize, block: usize, threads: usize) -> ReadOptions {
    ReadOptions {
        x: FIELDS[x].to_owned(),
        y: FIELDS[y].to_owned(),
        default_fields: FIELDS,
        header: Some(false),
        x_kind: Some(ColumnKind::Number),
        y_kind: Some(ColumnKind::Number),
        texts: true,
        block,
        threads,
        ..ReadOptions::default()
    }
}

/// Beginnings that select each of the readers.
const LEADS: &[&[u8]] = &[
    b"",
    b"{",
    b"[{",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"a,b\n\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tables_are_read_as_the_plainest_code_reads_them(
        (delimiter, text) in prop_oneof![Just('\t'), Just(','), Just(';')].prop_flat_map(|delimiter| (Just(delimiter), text(delimiter))),
        (x, y) in (0_usize..5, 0_usize..5),
        block in prop_oneof![1_usize..40, 40_usize..4000],
        threads in 1_usize..5,
        cut in 0_usize..3,
    ) {
        let text = &text[..text.len() - cut.min(text.len())];
        let expected = naive(text, delimiter, (x, y));
        let options = ReadOptions { delimiter: Some(delimiter as u8), ..options(x, y, block, threads) };
        match read_table(Input::Bytes(text.into()), &options) {
            Ok(table) => {
                let observed = observed(&table);
                prop_assert_eq!(&observed.rows, &expected.rows);
                prop_assert_eq!(&observed.bad[..], &expected.bad[..expected.bad.len().min(5)]);
                prop_assert_eq!(table.bad.count as usize, expected.bad.len());
                prop_assert_eq!(table.empty, expected.empty);
                prop_assert_eq!(table.rows as usize, expected.bad.len() + expected.rows.len() + expected.empty as usize);
                let quick = ReadOptions { texts: false, ..options.clone() };
                let quick = read_table(Input::Bytes(text.into()), &quick).unwrap();
                prop_assert_eq!((&quick.x, &quick.y, &quick.bad), (&table.x, &table.y, &table.bad));
            }
            Err(_) => prop_assert!(expected.rows.is_empty()),
        }
        let strict = ReadOptions { strict: true, ..options };
        if let (Some(line), Err(error)) = (expected.bad.first(), read_table(Input::Bytes(text.into()), &strict)) {
            let place = format!("the input, line {line}: ");
            prop_assert!(error.message.starts_with(&place), "{}", error.message);
        } else {
            prop_assert!(expected.bad.is_empty());
        }
    }

    #[test]
    fn quoted_tables_do_not_depend_on_blocks(text in "([0-9]{1,3},(\"([a,\n]|\"\"){0,8}\"|[a\"]{0,3}),[0-9]{0,2}\n){0,40}", block in 1_usize..200, threads in 1_usize..5) {
        let whole = ReadOptions { delimiter: Some(b','), label: Some("b".to_owned()), ..options(0, 2, 1 << 20, 1) };
        let parts = ReadOptions { block, threads, ..whole.clone() };
        let whole = read_table(Input::Bytes(text.clone().into()), &whole);
        prop_assert_eq!(read_table(Input::Bytes(text.clone().into()), &parts), whole);
    }

    #[test]
    fn quoted_cells_come_back_as_the_csv_crate_writes_them(cells in proptest::collection::vec("[a\",;\r\n é\\\\]{0,9}", 1..20), block in 1_usize..200) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["x", "y", "name"]).unwrap();
        for (index, cell) in cells.iter().enumerate() {
            writer.write_record([index.to_string().as_str(), "7", cell]).unwrap();
        }
        let options = ReadOptions { header: None, x: "x".to_owned(), y: "y".to_owned(), ..options(0, 0, block, 2) };
        let table = read_table(Input::Bytes(writer.into_inner().unwrap()), &options).unwrap();
        prop_assert_eq!(labels(&table), cells);
    }

    #[test]
    fn json_rows_do_not_depend_on_blocks(values in proptest::collection::vec((any::<i32>(), proptest::option::of(-1e9_f64..1e9), "\\PC{0,5}"), 1..60), block in 1_usize..500, threads in 1_usize..4) {
        let rows = values.iter().map(|(x, y, name)| serde_json::json!({"x": x, "name": name, "y": y}));
        let lines: Vec<String> = rows.map(|row| row.to_string()).collect();
        let options = ReadOptions { header: None, x: "x".to_owned(), y: "y".to_owned(), ..options(0, 0, block, threads) };
        for text in [lines.join("\n"), format!("[{}]", lines.join(", "))] {
            let format = ReadOptions { format: Some(InputFormat::Jsonl), ..options.clone() };
            match read_table(Input::Bytes(text.into()), &format) {
                Ok(table) => {
                    let kept: Vec<_> = values.iter().filter_map(|(x, y, name)| Some((f64::from(*x), (*y)?, name.as_str()))).collect();
                    prop_assert_eq!(&table.x.values, &kept.iter().map(|row| row.0).collect::<Vec<_>>());
                    prop_assert_eq!(labels(&table), kept.iter().map(|row| row.2).collect::<Vec<_>>());
                    for (y, row) in table.y.values.iter().zip(&kept) {
                        // The library may be off by one in the last digit.
                        prop_assert!((y - row.1).abs() <= row.1.abs() * 1e-15);
                    }
                }
                Err(_) => prop_assert!(values.iter().all(|row| row.1.is_none())),
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, lead in proptest::sample::select(LEADS), block in 1_usize..50) {
        let bytes = [lead, &bytes[..]].concat();
        for format in [None, Some(InputFormat::Tsv), Some(InputFormat::Csv), Some(InputFormat::Jsonl), Some(InputFormat::Parquet)] {
            let options = ReadOptions { format, header: None, block, ..options(0, 1, block, 2) };
            let _ = read_table(Input::Bytes(bytes.clone()), &options);
            let _ = read_table(Input::Bytes(bytes.clone()), &ReadOptions::default());
        }
        let _ = read_spans(Input::Bytes(bytes), &ReadOptions { date_format: Some("%d.%m.%Y".to_owned()), ..ReadOptions::default() });
    }

    #[test]
    fn no_text_of_likely_letters_panics(text in "[0-9a,;\t\n\r\"{}:\\[\\]. -]{0,80}", block in 1_usize..50) {
        let options = ReadOptions { header: None, ..options(0, 1, block, 3) };
        let _ = read_table(Input::Bytes(text.clone().into()), &options);
        let _ = read_spans(Input::Bytes(text.into()), &ReadOptions::default());
    }
}
