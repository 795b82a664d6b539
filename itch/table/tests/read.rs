//! Tables in every format, with the mistakes that files of users have.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};

use itch_api::ErrorKind;
use itch_table::{ColumnKind, Input, InputFormat, LINE_LIMIT, OpenOptions, Source, Values, Wanted};
use support::{ReadOptions, Table, labels, pairs, read_spans, read_table};

fn options(x: &str, y: &str) -> ReadOptions {
    ReadOptions {
        x: x.to_owned(),
        y: y.to_owned(),
        texts: true,
        ..ReadOptions::default()
    }
}

fn read(text: impl Into<Vec<u8>>, options: &ReadOptions) -> Table {
    read_table(Input::Bytes(text.into()), options).unwrap()
}

fn error(text: impl Into<Vec<u8>>, options: &ReadOptions) -> (ErrorKind, String) {
    let error = read_table(Input::Bytes(text.into()), options).unwrap_err();
    (error.kind, format!("{error:#}"))
}

/// A table without a header, as the itch of 2016 printed it.
const OLD: &str =
    "alice\tburkeblack\t1400000000\t1469404800\t69404800\t0\nbob\tburkeblack\t1300000000\t1469404900\t169404900\t0\n";

#[test]
fn the_rows_of_2016_need_no_header_and_no_options() {
    let table = read(
        OLD,
        &ReadOptions {
            texts: true,
            ..ReadOptions::default()
        },
    );
    assert_eq!(pairs(&table), [(1_469_404_800.0, 1.4e9), (1_469_404_900.0, 1.3e9)]);
    assert_eq!((table.x.name.as_str(), table.x.kind), ("followed", ColumnKind::Time));
    assert_eq!((table.y.name.as_str(), table.y.kind), ("created", ColumnKind::Time));
    assert_eq!(labels(&table), ["alice", "bob"]);
    assert_eq!(table.records.as_ref().unwrap().get(1), OLD.lines().nth(1).unwrap());
    assert_eq!(table.fields, ["name", "channel", "created", "followed", "delta", "followers"]);
    assert!(!table.has_header && table.rows == 2 && table.bad.count == 0);
}

#[test]
fn dates_of_any_notation_stand_beside_epochs() {
    let text = "a\tc\t2012-01-01\t2016-07-25 00:00:00\nb\tc\t1400000000.5\t2016-7-25T00:00:01Z\n";
    let table = read(text, &options("followed", "created"));
    assert_eq!(pairs(&table), [(1_469_404_800.0, 1_325_376_000.0), (1_469_404_801.0, 1_400_000_000.5)]);
}

#[test]
fn a_header_names_the_fields() {
    let text = "since,Who,size\n2016-07-25,\"Black, Burke\",1.5\n2016-07-26,\"a \"\"b\"\"\nc\",-2\n";
    let table = read(
        text,
        &ReadOptions {
            label: Some("who".to_owned()),
            ..options("since", "3")
        },
    );
    assert_eq!(pairs(&table), [(1_469_404_800.0, 1.5), (1_469_491_200.0, -2.0)]);
    assert_eq!((table.x.kind, table.y.kind), (ColumnKind::Time, ColumnKind::Number));
    assert_eq!(labels(&table), ["Black, Burke", "a \"b\"\nc"]);
    assert!(table.has_header);
    assert_eq!(table.fields, ["since", "Who", "size"]);
}

#[test]
fn numbers_choose_fields_with_and_without_a_header() {
    for (text, header) in [("a;b\n1;2\n", true), ("1;2\n", false), ("\n\r\n \na;b\r\n1;2", true)] {
        let table = read(text, &options("1", "2"));
        assert_eq!((pairs(&table), table.has_header), (vec![(1.0, 2.0)], header), "{text:?}");
    }
    let table = read(
        "a;b\n1;2\n",
        &ReadOptions {
            header: Some(false),
            ..options("1", "2")
        },
    );
    assert_eq!(table.bad.first, [(1, "1 is not a number: \"a\"".to_owned())]);
    let table = read(
        "1;2\n3;4\n",
        &ReadOptions {
            header: Some(true),
            ..options("1", "2")
        },
    );
    assert_eq!(pairs(&table), [(3.0, 4.0)]);
    // A table of 2016 gets its default names even if columns are asked for by number.
    let old = read(OLD, &options("4", "5"));
    assert_eq!((old.x.name.as_str(), old.x.kind, old.y.kind), ("followed", ColumnKind::Time, ColumnKind::Number));
    // The same field twice.
    assert_eq!(pairs(&read("5\n6\n", &options("1", "1"))), [(5.0, 5.0), (6.0, 6.0)]);
}

#[test]
fn a_wrong_name_is_told_with_the_right_ones() {
    let (kind, text) = error("when\tcount\n1\t2\n", &options("followed", "created"));
    assert_eq!(
        (kind, text.as_str()),
        (ErrorKind::Usage, "there is no column followed; the columns are when, count")
    );
    let (kind, _) = error(OLD, &options("9", "created"));
    assert_eq!(kind, ErrorKind::Usage);
    let (kind, text) = error("{\"a\":1,\"b\":2}\n", &options("a", "c"));
    assert_eq!((kind, text.as_str()), (ErrorKind::Usage, "there is no column c; the columns are a, b"));
    let missing = ReadOptions {
        label: Some("nick".to_owned()),
        ..options("1", "2")
    };
    assert_eq!(error("a,b\n1,2\n", &missing).0, ErrorKind::Usage);
}

#[test]
fn bad_rows_are_named_and_kept_out() {
    let text = "x,y\n1,2\n\n,3\nnan,3\n4\n1e999,1\nabc,1\n5,inf\n6,7\n";
    let table = read(text, &options("x", "y"));
    assert_eq!(pairs(&table), [(1.0, 2.0), (6.0, 7.0)]);
    assert_eq!((table.bad.count, table.empty, table.rows), (5, 1, 8));
    let expected = [
        (5, "x is not finite: \"nan\""),
        (6, "there is no y"),
        (7, "x is too large: \"1e999\""),
        (8, "x is not a number: \"abc\""),
        (9, "y is not finite: \"inf\""),
    ];
    assert_eq!(table.bad.first, expected.map(|(line, reason)| (line, reason.to_owned())));
    let strict = ReadOptions {
        strict: true,
        ..options("x", "y")
    };
    assert_eq!(error(text, &strict), (ErrorKind::Failed, "the input, line 5: x is not finite: \"nan\"".to_owned()));
}

#[test]
fn times_outside_the_calendar_are_bad() {
    let text = "created\tfollowed\n0000-00-00\t1\n1469404800000\t1\n2015-02-29\t1\nNone\t1\n-1\t9999-12-31\n";
    let table = read(text, &options("followed", "created"));
    assert_eq!(pairs(&table), [(253_402_214_400.0, -1.0)]);
    assert_eq!(table.bad.first[1].1, "created is outside the years 1 to 9999: \"1469404800000\"");
    assert_eq!((table.bad.count, table.empty), (3, 1));
}

#[test]
fn a_table_may_have_nothing_usable_and_nothing_at_all() {
    assert_eq!(error("", &options("1", "2")).1, "the input is empty");
    assert_eq!(error("\n \r\n\n", &options("1", "2")).1, "the input is empty");
    let table = read("a\tc\nb\tc\n", &options("followed", "created"));
    assert_eq!((pairs(&table), table.bad.count), (vec![], 2));
    assert_eq!(table.fields, ["name", "channel"]);
    assert_eq!(read("x,y\n", &options("x", "y")).fields, ["x", "y"]);
    // A probable date is distinguished from any other word.
    for (text, dates) in [("25.07.2016\t1\n", true), ("soon\t1\n", false)] {
        assert_eq!(read(text, &options("1", "2")).bad.has_unknown_dates, dates, "{text}");
    }
}

#[test]
fn what_is_no_text_is_refused() {
    assert!(
        error(b"\xff\xfea\0b\0".to_vec(), &options("1", "2"))
            .1
            .contains("UTF-16")
    );
    assert!(
        error(b"\x89PNG\r\n\x1a\n\0\0\0\r".to_vec(), &options("1", "2"))
            .1
            .contains("binary")
    );
    assert!(
        error(b"PAR1 and no more".to_vec(), &options("1", "2"))
            .1
            .contains("Parquet")
    );
    assert!(
        error(b"\x1f\x8b\x08\0broken".to_vec(), &options("1", "2"))
            .1
            .contains("could not read")
    );
    assert!(
        error(b"\x28\xb5\x2f\xfdbroken".to_vec(), &options("1", "2"))
            .1
            .contains("could not read")
    );
    assert!(
        error(b"{\"a\":1,}\n".to_vec(), &options("1", "2"))
            .1
            .contains("not JSON")
    );
}

#[test]
fn files_that_are_not_there_are_told() {
    let read = |path: &Path| {
        read_table(Input::Path(path.to_owned()), &options("1", "2"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(read(Path::new("/no/such/file.tsv")), "there is no file /no/such/file.tsv");
    assert_eq!(read(Path::new("/")), "/ is a directory");
}

#[test]
fn letters_survive_marks_encodings_and_escapes() {
    let mut text = b"\xef\xbb\xbfname\tcreated\tfollowed\r\n".to_vec();
    text.extend(b"tab\\there\\\\n\\r\\n\\x\t1\t2\r\n\xff\xd0\xb6\t3\t4\r\n\"q\t\"5\"\t6");
    let table = read(text, &options("followed", "created"));
    assert_eq!(pairs(&table), [(2.0, 1.0), (4.0, 3.0), (6.0, 5.0)]);
    assert_eq!(labels(&table), ["tab\there\\n\r\n\\x", "\u{fffd}ж", "\"q"]);
    assert_eq!(table.records.unwrap().get(1), "\u{fffd}ж\t3\t4");
}

#[test]
fn a_line_of_ten_million_letters_costs_itself_alone() {
    for (format, first, last) in [
        (InputFormat::Tsv, "1\t2\tx\n", "3\t4\n"),
        (InputFormat::Csv, "1,2,x\n", "3,4\n"),
        (InputFormat::Jsonl, "{\"1\":1,\"2\":2}\n", "{\"1\":3,\"2\":4}\n"),
    ] {
        let mut text = first.as_bytes().to_vec();
        text.extend(std::iter::repeat_n(b'x', 10_000_000));
        text.extend(b"\nz,\"\n");
        text.extend(last.as_bytes());
        let table = read(
            text,
            &ReadOptions {
                format: Some(format),
                ..options("1", "2")
            },
        );
        assert_eq!(pairs(&table), [(1.0, 2.0), (3.0, 4.0)], "{format:?}");
        assert_eq!(table.bad.first[0], (2, "the line is longer than 1 MiB".to_owned()));
        assert_eq!((table.bad.count, table.bad.first[1].0), (2, 3));
    }
    // The limit is the same for every block size.
    for (length, bad) in [(LINE_LIMIT, 0), (LINE_LIMIT + 1, 1)] {
        let text = format!("1,2\n3,4,{}\n", "x".repeat(length - 4));
        for block in [1 << 10, 1 << 22] {
            assert_eq!(
                read(
                    text.as_str(),
                    &ReadOptions {
                        block,
                        ..options("1", "2")
                    }
                )
                .bad
                .count,
                bad
            );
        }
    }
}

#[test]
fn json_lines_and_arrays_are_rows() {
    let lines = "{\"t\":\"2016-07-25\",\"n\":1,\"name\":\"a\\tb\"}\n\n{\"n\":2.5,\"t\":1469404801,\"z\":[{\"n\":9}]}\r\n{\"t\":null,\"n\":1}\n{\"n\":1}\n{\"t\":1,\"n\":true}\n[1]\n{\"t\":1";
    let kind = ReadOptions {
        x_kind: Some(ColumnKind::Time),
        ..options("t", "n")
    };
    let table = read(lines, &kind);
    assert_eq!(pairs(&table), [(1_469_404_800.0, 1.0), (1_469_404_801.0, 2.5)]);
    assert_eq!(labels(&table), ["a\tb", ""]);
    assert_eq!(table.fields, ["t", "n", "name", "z"]);
    let reasons: Vec<&str> = table.bad.first.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons[..2], ["there is no t", "n is not a number: \"true\""]);
    assert!(reasons[2].starts_with("the line is not a JSON object: invalid type"), "{reasons:?}");
    assert_eq!((table.bad.count, table.empty, table.bad.first[3].0), (4, 1, 8));

    let array = " [ {\"t\": 1,\n \"n\": 2}, {\"t\": 3, \"n\": 4, \"name\": \"],[\\\"\"} ,5\n]\n";
    let table = read(array, &options("t", "n"));
    assert_eq!((pairs(&table), table.bad.count), (vec![(1.0, 2.0), (3.0, 4.0)], 1));
    assert_eq!(labels(&table), ["", "],[\""]);
    assert_eq!(
        error(
            "[]",
            &ReadOptions {
                format: Some(InputFormat::Jsonl),
                ..options("1", "2")
            }
        )
        .1,
        "the input is empty"
    );
    // A name that is not UTF-8.
    let table = read(b"{\"x\":1,\"y\":2,\"name\":\"\xff\"}\n".to_vec(), &options("x", "y"));
    assert_eq!(labels(&table), ["\u{fffd}"]);
    // A single row that is longer than the head.
    let long = format!("{{\"name\":\"{}\",\"x\":1,\"y\":2}}\n{{\"x\":1,\"y\":3}}", "n".repeat(200_000));
    assert_eq!(read(long, &options("x", "y")).rows, 2);
}

#[test]
fn the_kind_of_a_column_is_found_or_given() {
    let kinds = |text: &str, options: &ReadOptions| {
        let table = read(text, options);
        (table.x.kind, table.y.kind)
    };
    use ColumnKind::{Number, Time};
    assert_eq!(kinds("created_at,n\n5,6\n", &options("1", "2")), (Time, Number));
    assert_eq!(kinds("when,n\n2016-01-01,6\n,7\n5,8\n", &options("1", "2")), (Time, Number));
    let given = ReadOptions {
        x_kind: Some(Number),
        y_kind: Some(Time),
        ..options("created_at", "n")
    };
    assert_eq!(kinds("created_at,n\n5,6\n", &given), (Number, Time));
    let format = ReadOptions {
        date_format: Some("%d.%m.%Y".to_owned()),
        ..options("1", "2")
    };
    let table = read("25.07.2016\t3\n26.07.2016\t4\n", &format);
    assert_eq!((table.x.kind, table.y.kind, table.has_header), (Time, Number, false));
    assert_eq!(table.x.values, [1_469_404_800.0, 1_469_491_200.0]);
    let wrong = ReadOptions {
        date_format: Some("%".to_owned()),
        ..options("1", "2")
    };
    assert_eq!(error("1\t2\n", &wrong).0, ErrorKind::Usage);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn names_and_first_bytes_tell_the_form() {
    let directory = tempfile::tempdir().unwrap();
    let csv = "followed,created\n1,2\n";
    let json = "{\"followed\":1,\"created\":2}\n";
    let two = [gzip(&csv.as_bytes()[..5]), gzip(&csv.as_bytes()[5..])].concat();
    for (name, bytes) in [
        ("a.csv", csv.as_bytes().to_vec()),
        ("b.csv", csv.replace(',', "\t").into_bytes()),
        ("c.txt", csv.replace(',', ";").into_bytes()),
        ("d.tsv.gz", gzip(csv.as_bytes())),
        ("e.csv.gz", two),
        ("f.csv.zst", zstd::encode_all(csv.as_bytes(), 1).unwrap()),
        ("g", csv.as_bytes().to_vec()),
        ("h", json.as_bytes().to_vec()),
        ("i.ndjson", json.as_bytes().to_vec()),
        ("j.JSONL.gz", gzip(json.as_bytes())),
        ("k.json", format!("[{json}]").into_bytes()),
        ("l", gzip(format!(" [\n{json}]").as_bytes())),
    ] {
        let path: PathBuf = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let table = read_table(Input::Path(path), &ReadOptions::default()).unwrap();
        assert_eq!(pairs(&table), [(1.0, 2.0)], "{name}");
    }
    // A truncated file is an error, not half a table.
    let mut cut = gzip(OLD.repeat(1000).as_bytes());
    cut.truncate(cut.len() - 20);
    assert!(error(cut, &ReadOptions::default()).1.contains("could not read"));
}

#[test]
fn formats_are_asked_for_by_name() {
    assert_eq!("CSV".parse::<InputFormat>().unwrap(), InputFormat::Csv);
    assert_eq!("ndjson".parse::<InputFormat>().unwrap(), InputFormat::Jsonl);
    let error = "xlsx".parse::<InputFormat>().unwrap_err();
    assert_eq!(error.message, "unknown input format \"xlsx\"; the formats are tsv, csv, jsonl, parquet");
    // Tabs with quotes if CSV is asked for; a comma in a cell of TSV.
    let csv = ReadOptions {
        format: Some(InputFormat::Csv),
        label: Some("3".to_owned()),
        ..options("1", "2")
    };
    assert_eq!(labels(&read("1\t2\t\"a\tb\"\n", &csv)), ["a\tb"]);
    let tsv = ReadOptions {
        format: Some(InputFormat::Tsv),
        ..options("1", "1")
    };
    assert_eq!(read("1,2\n", &tsv).bad.first[0].1, "1 is not a number: \"1,2\"");
    let pipe = ReadOptions {
        delimiter: Some(b'|'),
        ..options("1", "2")
    };
    assert_eq!(pairs(&read("1|2\n", &pipe)), [(1.0, 2.0)]);
}

#[test]
fn streams_are_spans_of_which_the_last_may_run() {
    let bands = |text: &str| read_spans(Input::Bytes(text.into()), &ReadOptions::default()).unwrap();
    let spans = |text: &str| {
        bands(text)
            .spans
            .iter()
            .map(|band| (band.start, band.end))
            .collect::<Vec<_>>()
    };
    let expected = [(1_469_404_800.0, Some(1_469_408_400.0)), (1_469_500_000.0, None)];
    assert_eq!(spans("1469404800\t1469408400\n\n1469500000\tNone\n"), expected);
    assert_eq!(spans("2016-07-25,2016-07-25T01:00:00Z\r\n1469500000,\r\n"), expected);
    assert_eq!(spans("id\tstart\tend\n7\t1469404800\t1469408400\n8\t1469500000\t\n"), expected);
    assert_eq!(spans("from,to\n1469404800,1469408400\n1469500000,None\n"), expected);
    assert_eq!(spans("1469404800\t1469408400\n1469500000\n"), expected);
    assert_eq!(spans("{\"start\":1469404800,\"end\":1469408400}\n{\"start\":1469500000,\"end\":null}\n"), expected);
    assert_eq!(spans(""), []);
    assert_eq!(spans("start\tend\n"), []);
    let bad = bands("5\t4\nx\t1\n\t1\n1\t2\n");
    assert_eq!((bad.bad.count, bad.spans.len()), (3, 1));
    assert_eq!(bad.bad.first[0], (1, "end is before the start of the span: \"4\"".to_owned()));
    let format = read_spans(
        Input::Bytes(b"1.2.2016|2.2.2016".to_vec()),
        &ReadOptions {
            delimiter: Some(b'|'),
            date_format: Some("%d.%m.%Y".to_owned()),
            ..ReadOptions::default()
        },
    )
    .unwrap();
    assert_eq!(format.spans[0].end, Some(1_454_371_200.0));
}

#[test]
fn any_number_of_columns_is_read() {
    let text = "name,size,since,note\nalice,1,2016-07-25,\nbob,,2016-07-26,x\ncarol,3,soon,y\n";
    let json = "{\"name\":\"alice\",\"size\":1,\"since\":\"2016-07-25\",\"note\":null}\n\
                {\"name\":\"bob\",\"since\":\"2016-07-26\",\"note\":\"x\"}\n{\"name\":\"carol\",\"size\":3,\"since\":\"soon\",\"note\":\"y\"}\n";
    for text in [text, json] {
        let source = Source::open(Input::Bytes(text.into()), &OpenOptions::default()).unwrap();
        let kinds: Vec<ColumnKind> = source.fields().iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [ColumnKind::Text, ColumnKind::Number, ColumnKind::Time, ColumnKind::Text]);
        let wanted = [
            Wanted::new(3, ColumnKind::Text),
            Wanted::new(2, ColumnKind::Time),
            Wanted {
                optional: true,
                ..Wanted::new(1, ColumnKind::Number)
            },
            Wanted::new(0, ColumnKind::Text),
            Wanted::new(2, ColumnKind::Time),
        ];
        let table = source.read(&wanted, &itch_table::ReadOptions::default()).unwrap();
        assert_eq!((table.rows, table.empty, table.bad.count, table.records), (3, 0, 1, None));
        let texts = |column: usize| match &table.columns[column].values {
            Values::Texts(texts) => texts.iter().collect::<Vec<_>>(),
            Values::Numbers(_) => panic!("numbers"),
        };
        assert_eq!((texts(0), texts(3)), (vec!["", "x"], vec!["alice", "bob"]));
        let times = Values::Numbers(vec![1_469_404_800.0, 1_469_491_200.0]);
        assert_eq!((&table.columns[1].values, &table.columns[4].values), (&times, &times));
        let Values::Numbers(sizes) = &table.columns[2].values else {
            panic!("texts");
        };
        assert!(sizes[0] == 1.0 && sizes[1].is_nan());
        assert_eq!(table.columns[3].name, "name");
    }
    // Without columns only the rows are counted.
    let source = Source::open(Input::Bytes(text.into()), &OpenOptions::default()).unwrap();
    let table = source.read(&[], &itch_table::ReadOptions::default()).unwrap();
    assert_eq!((table.rows, table.columns.len()), (3, 0));
}
