//! One set of hostile rows through every format, and properties that hold for any text.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use itch_api::chrono::{DateTime, TimeDelta, Utc};
use itch_output::{Format, Layout, RowWriter, Terminal, row_writer};
use itch_plugin::{Cell, Column, ColumnType, Escape, OutputForm, row};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The output of a writer, which can be read before the writer has finished.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(format: Format, layout: &Layout, terminal: Option<Terminal>) -> (Written, Box<dyn RowWriter>) {
    let written = Written::default();
    let writer = row_writer(format, layout, terminal, Box::new(written.clone()));
    (written, writer)
}

fn write(format: Format, layout: &Layout, terminal: Option<Terminal>, rows: &[Vec<Cell>]) -> String {
    let (written, mut writer) = open(format, layout, terminal);
    rows.iter().for_each(|row| writer.row(row).unwrap());
    writer.finish().unwrap();
    written.text()
}

fn layout(columns: &[Column]) -> Layout {
    Layout::new(columns, None, None, None).unwrap()
}

fn terminal(width: u16, color: bool) -> Terminal {
    Terminal {
        width,
        color,
        now: now(),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_361_600, 0).unwrap()
}

/// A column of every type, and one on request.
fn columns() -> Vec<Column> {
    vec![
        Column::text("title", "Untrusted text"),
        Column::int("views", "A count"),
        Column::time("created", "A time"),
        Column {
            precision: 3,
            ..Column::time("sent", "A time with milliseconds")
        },
        Column {
            precision: 1,
            ..Column::duration("length", "A span")
        },
        Column::new(ColumnType::Float, "share", "A number"),
        Column::new(ColumnType::Bool, "live", "True or false"),
        Column::text("secret", "Not printed").on_request(),
    ]
}

fn nasty(title: &str) -> Vec<Cell> {
    row![
        title,
        1,
        Cell::Time(0),
        Cell::Time(0),
        Cell::Duration(0.0),
        0.5,
        true,
        "no"
    ]
    .to_vec()
}

fn nasty_rows() -> Vec<Vec<Cell>> {
    let mut rows = vec![
        nasty("tab\there"),
        nasty("line\r\nbreak"),
        nasty(r"back\slash \n"),
        nasty("quote \" and, comma"),
        nasty("emoji 👩\u{200d}💻"),
        nasty("override \u{202e}gpj.exe"),
        nasty("\u{1b}]52;c;cm0gLXJm\u{7}"),
        nasty("nul \0 byte"),
        nasty("日本語"),
        nasty(""),
        nasty(&"x".repeat(300)),
    ];
    rows.push(
        row![
            "numbers",
            i64::MAX,
            Cell::Time(-86_400_500),
            Cell::Time(-1_500),
            Cell::Duration(-7_380.29),
            1e300,
            false,
            "no"
        ]
        .to_vec(),
    );
    rows.push(vec![Cell::Null; 8]);
    rows.push(
        row![
            "not a number",
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Duration(f64::NAN),
            f64::INFINITY,
            true,
            "no"
        ]
        .to_vec(),
    );
    rows
}

#[test]
fn tsv_is_one_line_a_row_whatever_is_in_it() {
    let text = write(Format::Tsv, &layout(&columns()), None, &nasty_rows());
    let rest = "\t1\t0\t0.000\t0.0\t0.5\ttrue";
    let expected = [
        format!(r"tab\there{rest}"),
        format!(r"line\r\nbreak{rest}"),
        format!(r"back\\slash \\n{rest}"),
        format!("quote \" and, comma{rest}"),
        format!("emoji 👩\u{200d}💻{rest}"),
        format!("override \u{202e}gpj.exe{rest}"),
        format!("\u{1b}]52;c;cm0gLXJm\u{7}{rest}"),
        format!("nul \0 byte{rest}"),
        format!("日本語{rest}"),
        rest.to_owned(),
        format!("{}{rest}", "x".repeat(300)),
        "numbers\t9223372036854775807\t-86400\t-1.500\t-7380.2\t1e300\tfalse".to_owned(),
        "\t\t\t\t\t\t".to_owned(),
        "not a number\t\t\t\t\t\ttrue".to_owned(),
    ];
    assert_eq!(text, expected.join("\n") + "\n");
}

#[test]
fn tsv_has_a_header_only_if_asked() {
    let columns = [Column::text("a", ""), Column::text("b", "")];
    let asked = Layout::new(&columns, None, None, Some(true)).unwrap();
    assert_eq!(write(Format::Tsv, &asked, None, &[]), "a\tb\n");
    assert_eq!(write(Format::Tsv, &layout(&columns), None, &[]), "");
}

#[test]
fn an_alias_prints_its_own_form() {
    let columns = [
        Column::text("login", ""),
        Column::time("end", ""),
        Column::text("message", ""),
    ];
    let form = OutputForm {
        columns: vec!["login".to_owned(), "message".to_owned(), "end".to_owned()],
        separator: " : ".to_owned(),
        null: "None".to_owned(),
        escape: Escape::LinesToSpaces,
    };
    let rows = [row!["a", Cell::Null, "tab\t back\\ line\r\nend"].to_vec()];
    let fixed = Layout::new(&columns, None, Some(&form), None).unwrap();
    assert_eq!(write(Format::Tsv, &fixed, None, &rows), "a : tab\t back\\ line  end : None\n");
    // The other formats ignore the form, except for its columns.
    assert_eq!(
        write(Format::Jsonl, &fixed, None, &rows),
        "{\"login\":\"a\",\"message\":\"tab\\t back\\\\ line\\r\\nend\",\"end\":null}\n"
    );
    let wanted = ["end".to_owned()];
    let wanted = Layout::new(&columns, Some(&wanted), Some(&form), None).unwrap();
    assert_eq!(write(Format::Tsv, &wanted, None, &rows), "None\n");
}

#[test]
fn csv_reads_back_as_it_was() {
    let text = write(Format::Csv, &layout(&columns()), None, &nasty_rows());
    assert!(text.starts_with("title,views,created,sent,length,share,live\n"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let rows = nasty_rows();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        let title = match &row[0] {
            Cell::Text(title) => title.as_str(),
            _ => "",
        };
        assert_eq!(&record[0], title);
    }
    let numbers: Vec<&str> = records[11].iter().collect();
    assert_eq!(
        numbers,
        [
            "numbers",
            "9223372036854775807",
            "1969-12-31T00:00:00Z",
            "1969-12-31T23:59:58.500Z",
            "-7380.2",
            "1e300",
            "false"
        ]
    );
    let plain = Layout::new(&columns(), None, None, Some(false)).unwrap();
    assert_eq!(write(Format::Csv, &plain, None, &[]), "");
}

#[test]
fn jsonl_reads_back_as_it_was() {
    for terminal in [None, Some(terminal(80, true))] {
        let text = write(Format::Jsonl, &layout(&columns()), terminal, &nasty_rows());
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rows = nasty_rows();
        assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.iter().zip(&rows) {
            let title = serde_json::to_value(&row[0]).unwrap();
            assert_eq!(line["title"], title);
            let names: Vec<&String> = line.as_object().unwrap().keys().collect();
            assert_eq!(names, ["title", "views", "created", "sent", "length", "share", "live"]);
        }
        let raw = text.lines().nth(11).unwrap();
        assert_eq!(
            raw,
            r#"{"title":"numbers","views":9223372036854775807,"created":"1969-12-31T00:00:00Z","sent":"1969-12-31T23:59:58.500Z","length":-7380.2,"share":1e300,"live":false}"#
        );
        assert!(text.lines().nth(12).unwrap().contains(r#""created":null"#));
    }
}

#[test]
fn no_format_lets_an_escape_sequence_reach_a_terminal() {
    for format in Format::ALL {
        let text = write(format, &layout(&columns()), Some(terminal(80, false)), &nasty_rows());
        let tab_between_cells = |character| format == Format::Tsv && character == '\t';
        for line in text.lines() {
            let harmful = line.chars().find(|character| {
                (character.is_control() && !tab_between_cells(*character))
                    || ('\u{202a}'..='\u{202e}').contains(character)
            });
            assert_eq!(harmful, None, "{format}: {line:?}");
        }
    }
}

#[test]
fn a_table_fits_its_terminal() {
    let columns = [
        Column::text("name", ""),
        Column::int("views", ""),
        Column::time("created", ""),
        Column::duration("length", ""),
        Column::text("title", ""),
    ];
    let ago = |seconds| now() - TimeDelta::seconds(seconds);
    let rows = [
        row![
            "burkeblack",
            12_851,
            ago(3 * 86_400),
            Cell::Duration(7_380.0),
            "a\ttitle"
        ]
        .to_vec(),
        row!["日本語", 7, ago(5), Cell::Duration(41.0), "long ".repeat(60)].to_vec(),
        row![Cell::Null, 0, ago(-7_200), Cell::Null, "\u{202e}evil"].to_vec(),
    ];
    let text = write(Format::Table, &layout(&columns), Some(terminal(60, false)), &rows);
    let expected = [
        "name        views  created      length  title",
        "burkeblack  12851  3 days ago  2 h 3 m  a\\ttitle",
        "日本語          7  just now       41 s  long long long long…",
        "                0  in 2 hours           \\u{202e}evil",
    ];
    assert_eq!(text, expected.join("\n") + "\n");
    assert!(text.lines().all(|line| line.width() <= 60));

    let colored = write(Format::Table, &layout(&columns), Some(terminal(60, true)), &rows);
    assert!(colored.starts_with("\u{1b}[1;4mname        views  created      length  title\u{1b}[0m\n"));
}

#[test]
fn a_table_on_a_pipe_cuts_nothing_and_names_the_day() {
    let columns = [Column::text("title", ""), Column::time("created", "")];
    let long = "x".repeat(300);
    let rows = [row![long.as_str(), now()].to_vec(), row!["y", now()].to_vec()];
    let text = write(Format::Table, &layout(&columns), None, &rows);
    assert!(text.contains(&format!("{long}  2026-10-30T12:00:00Z\n")));
    let narrow = Layout::new(&columns, None, None, Some(false)).unwrap();
    assert!(write(Format::Table, &narrow, None, &rows[1..]).starts_with("y  2026"));
}

#[test]
fn the_first_flush_settles_the_widths_of_a_table() {
    let columns = [Column::text("name", ""), Column::int("views", "")];
    let (written, mut writer) = open(Format::Table, &layout(&columns), Some(terminal(80, false)));
    writer.flush().unwrap();
    assert_eq!(written.text(), "");
    writer.row(&row!["burke", 1]).unwrap();
    assert_eq!(written.text(), "");
    writer.flush().unwrap();
    assert_eq!(written.text(), "name   views\nburke      1\n");
    writer.row(&row!["burkeblack", 12_345_678]).unwrap();
    writer.finish().unwrap();
    // Text is cut; a number never is, since it would read as a different one.
    assert!(written.text().ends_with("\nburk…  12345678\n"));
}

#[test]
fn a_hundred_rows_settle_the_widths_of_a_table_too() {
    let columns = [Column::text("name", ""), Column::text("title", "")];
    let (written, mut writer) = open(Format::Table, &layout(&columns), Some(terminal(20, false)));
    for _ in 0..100 {
        writer.row(&row!["a", "b"]).unwrap();
    }
    writer.row(&row!["a long one", "has the rest of the line"]).unwrap();
    writer.finish().unwrap();
    assert!(written.text().ends_with("\na l…  has the rest …\n"), "{}", written.text());
}

#[test]
fn rows_are_seen_when_they_are_flushed() {
    for format in [Format::Tsv, Format::Csv, Format::Jsonl] {
        let columns = [Column::text("name", "")];
        let (written, mut writer) = open(format, &layout(&columns), None);
        writer.row(&row!["burkeblack"]).unwrap();
        assert_eq!(written.text(), "", "{format}");
        writer.flush().unwrap();
        assert!(written.text().contains("burkeblack"), "{format}");
    }
}

#[test]
fn a_reader_that_is_gone_is_an_error() {
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    for format in Format::ALL {
        let layout = layout(&[Column::text("name", "")]);
        let mut writer = row_writer(format, &layout, None, Box::new(Gone));
        writer.row(&row!["a"]).unwrap();
        let error = writer.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format}");
    }
}

/// Unescapes a TSV cell.
fn unescape(cell: &str) -> String {
    let mut out = String::new();
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next().unwrap() {
                't' => '\t',
                'r' => '\r',
                'n' => '\n',
                other => other,
            },
            other => other,
        });
    }
    out
}

/// Texts in which special characters are frequent.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let character = prop_oneof![
        prop::sample::select(vec![
            '\t', '\r', '\n', '\\', 't', 'n', '"', ',', '\0', '\u{1b}', '\u{202e}', '…'
        ]),
        any::<char>(),
    ];
    let text = prop::collection::vec(character, 0..12).prop_map(|text| text.into_iter().collect());
    prop::collection::vec(text, 1..6)
}

fn text_layout(n: usize) -> Layout {
    let columns: Vec<Column> = (0..n).map(|place| Column::text(format!("c{place}"), "")).collect();
    layout(&columns)
}

proptest! {
    #[test]
    fn a_tsv_row_keeps_its_shape_and_can_be_read_back(texts in texts()) {
        let row: Vec<Cell> = texts.iter().map(|text| Cell::from(text.as_str())).collect();
        let text = write(Format::Tsv, &text_layout(texts.len()), None, &[row]);
        let line = text.strip_suffix('\n').unwrap();
        prop_assert!(!line.contains(['\n', '\r']));
        prop_assert_eq!(line.matches('\t').count(), texts.len() - 1);
        let read: Vec<String> = line.split('\t').map(unescape).collect();
        prop_assert_eq!(read, texts);
    }

    #[test]
    fn a_row_of_the_contract_reaches_jsonl_unchanged(texts in texts()) {
        let layout = text_layout(texts.len());
        let row = layout.read_row(&serde_json::to_vec(&texts).unwrap()).unwrap();
        for terminal in [None, Some(terminal(80, false))] {
            let text = write(Format::Jsonl, &layout, terminal, std::slice::from_ref(&row));
            let object: serde_json::Value = serde_json::from_str(&text).unwrap();
            let read: Vec<&str> = object.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
            prop_assert_eq!(&read, &texts);
        }
    }

    #[test]
    fn a_table_of_texts_fits_any_terminal_with_room_for_them(texts in texts(), width in 40_u16..120) {
        let row: Vec<Cell> = texts.iter().map(|text| Cell::from(text.as_str())).collect();
        let text = write(Format::Table, &text_layout(texts.len()), Some(terminal(width, false)), &[row.clone(), row]);
        prop_assert_eq!(text.lines().count(), 3);
        for line in text.lines() {
            let taken: usize = line.graphemes(true).map(UnicodeWidthStr::width).sum();
            prop_assert!(taken <= width.into(), "{taken} in {width}: {line:?}");
        }
    }

    #[test]
    fn whole_seconds_are_the_same_in_every_format(milliseconds in any::<i64>()) {
        let layout = layout(&[Column::time("t", "")]);
        let text = write(Format::Tsv, &layout, None, &[vec![Cell::Time(milliseconds)]]);
        prop_assert_eq!(text, format!("{}\n", milliseconds / 1000));
    }
}
