//! The files of `itch plot`: the output file, and the formats of the rows.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use itch_tests::{Folder, Sandbox, eventually, signal, wait};
use rustix::process::Signal;
use serde_json::Value;

use crate::plot::{FOLLOWERS, folder};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn is_picture(folder: &Folder, name: &str) -> bool {
    fs::read(folder.path(name)).is_ok_and(|bytes| bytes.starts_with(PNG))
}

/// The files in the folder other than those that [`folder`] wrote.
fn made(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(folder.path("")).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part") || name.ends_with(".png"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_drawn() {
    let folder = folder();
    fs::create_dir(folder.path("deep")).unwrap();
    folder.write("deep/there.png", "old");
    symlink("deep/there.png", folder.path("link.png")).unwrap();
    symlink("link.png", folder.path("twice.png")).unwrap();
    symlink("deep/new.png", folder.path("nowhere.png")).unwrap();
    for (link, target) in [("twice.png", "deep/there.png"), ("nowhere.png", "deep/new.png")] {
        folder.itch(&["plot", "-s", "followers.csv", link]).prints("");
        assert!(fs::symlink_metadata(folder.path(link)).unwrap().is_symlink());
        assert!(is_picture(&folder, target), "{target}");
    }
    symlink("round.png", folder.path("round.png")).unwrap();
    folder
        .itch(&["plot", "-s", "followers.csv", "round.png"])
        .exits(1)
        .says("`round.png` cannot be written")
        .says("links");
    // The output file of a report behaves the same.
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.write("rows.tsv", "old");
    symlink("rows.tsv", folder.path("link.tsv")).unwrap();
    folder
        .itch(&["followers", "-l", "3", "-o", "link.tsv", "burkeblack"])
        .exits(0);
    assert_eq!(folder.read("rows.tsv").lines().count(), 3);
    assert!(fs::symlink_metadata(folder.path("link.tsv")).unwrap().is_symlink());
}

#[test]
fn a_file_keeps_its_mode_and_what_is_open_is_written_as_it_is() {
    let folder = folder();
    folder.write("mine.png", "old");
    let mode = |mode| fs::set_permissions(folder.path("mine.png"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o640);
    folder.itch(&["plot", "-s", "followers.csv", "mine.png"]).prints("");
    let found = fs::metadata(folder.path("mine.png")).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o640);
    // `/dev/stdout`, redirected to a file.
    let out = fs::File::create(folder.path("out.png")).unwrap();
    let mut command = folder.command(&["plot", "-s", "followers.csv", "--renderer", "png", "/dev/stdout"]);
    assert!(command.stdout(out).status().unwrap().success());
    assert!(is_picture(&folder, "out.png"));
    assert!(fs::symlink_metadata("/dev/stdout").unwrap().is_symlink());
}

#[test]
fn a_file_that_must_not_be_changed_is_not_replaced() {
    use std::os::unix::process::CommandExt;
    let folder = folder();
    folder.write("fixed.png", "old");
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("fixed.png", 0o444);
    mode("", 0o777);
    let arguments = ["plot", "-s", "followers.csv", "fixed.png"];
    let mut command = folder.command(&arguments);
    if rustix::process::geteuid().is_root() {
        // Root may write to any file, so this runs as an unprivileged user.
        command.uid(65534).gid(65534);
    }
    let ran = folder.ran(wait(command.spawn().unwrap()), &arguments);
    ran.exits(1)
        .says("`fixed.png` cannot be written")
        .says("Permission denied");
    assert_eq!(folder.read("fixed.png"), "old");
}

#[test]
fn what_is_read_is_not_drawn_over() {
    let folder = folder();
    folder.write("same.csv", FOLLOWERS);
    symlink("same.csv", folder.path("other.png")).unwrap();
    folder
        .itch(&["plot", "-s", "same.csv", "other.png"])
        .exits(2)
        .says("the picture would overwrite `same.csv`, from which it is drawn");
    folder
        .itch(&["plot", "-s", "-S", "same.csv", "followers.csv", "other.png"])
        .exits(2)
        .says("the picture would overwrite `same.csv`");
    assert_eq!(folder.read("same.csv"), FOLLOWERS);
    folder
        .itch(&["plot", "-s", "-S", "-", "-", "a.png"])
        .exits(2)
        .says("rows and streams cannot both come from stdin");
}

#[test]
fn nothing_is_left_of_a_picture_that_was_not_finished() {
    for ending in [Signal::INT, Signal::TERM, Signal::KILL] {
        let folder = folder();
        let mut child = folder
            .command(&["plot", "-s", "-", "slow.png"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // The rows are read only after the output file is open.
        let started = format!("/proc/{}/fd", child.id());
        eventually("the file is open", || {
            fs::read_dir(&started).is_ok_and(|open| {
                open.flatten()
                    .filter_map(|entry| fs::read_link(entry.path()).ok())
                    .any(|path| path.starts_with(folder.path("")))
            })
        });
        signal(child.id(), ending);
        let stdin = child.stdin.take();
        assert!(!wait(child).status.success());
        drop(stdin);
        assert_eq!(made(&folder), [""; 0], "{ending:?}");
    }
}

#[test]
fn bad_streams_are_bad_rows() {
    let folder = folder();
    folder.write("bad.csv", "1469491200\t1469505600\nsoon\t1\n");
    folder
        .itch(&["plot", "-s", "-S", "bad.csv", "followers.csv", "a.png"])
        .exits(3)
        .says("bad.csv, line 2")
        .says("1 row was left out");
    assert!(is_picture(&folder, "a.png"));
    folder
        .itch(&["plot", "-s", "--strict", "-S", "bad.csv", "followers.csv", "b.png"])
        .exits(1)
        .says("the streams in `bad.csv` cannot be read")
        .says("bad.csv, line 2");
    assert_eq!(made(&folder), ["a.png"]);
}

/// The points of a chart as data.
fn points(folder: &Folder, arguments: &[&str]) -> Vec<(f64, f64)> {
    let before = ["plot", "-o", "-", "--renderer", "json"];
    let ran = folder.itch(&[&before, arguments].concat());
    let chart: Value = serde_json::from_str(&ran.succeeds().stdout).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let points = chart["points"].as_array().unwrap();
    points
        .iter()
        .map(|point| (number(&point["x"]), number(&point["y"])))
        .collect()
}

#[test]
fn rows_come_in_every_form() {
    let folder = folder();
    let expected = points(&folder, &["followers.csv"]);
    assert_eq!(expected.len(), 10);
    let rows: Vec<Vec<&str>> = FOLLOWERS.lines().map(|line| line.split('\t').collect()).collect();
    let json = rows
        .iter()
        .map(|row| format!("{{\"name\":\"{}\",\"created\":{},\"followed\":{}}}\n", row[0], row[2], row[3]));
    folder.write("rows.jsonl", &json.collect::<String>());
    let quoted = rows
        .iter()
        .map(|row| format!("\"a,\n{}\",{},{}\r\n", row[0], row[2], row[3]));
    let head = "\u{feff}name,created,followed\r\n".to_owned();
    folder.write("rows.csv", &(head + &quoted.collect::<String>()));
    let german = rows.iter().map(|row| {
        let date = |at: usize| {
            let seconds: i64 = row[at].parse().unwrap();
            let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            time.format("%d.%m.%Y %H:%M:%S").to_string()
        };
        format!("{}|{}|{}\n", row[0], date(2), date(3))
    });
    folder.write("rows.txt", &german.collect::<String>());
    let forms: [&[&str]; 4] = [
        &["rows.jsonl"],
        &["rows.csv"],
        &[
            "-d",
            "|",
            "-x",
            "3",
            "-y",
            "2",
            "--date-format",
            "%d.%m.%Y %H:%M:%S",
            "rows.txt",
        ],
        &["--input-format", "tsv", "followers.csv"],
    ];
    for form in forms {
        assert_eq!(points(&folder, form), expected, "{form:?}");
    }
    let rows = folder.read("rows.jsonl");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows.as_bytes()).unwrap();
    fs::write(folder.path("rows.jsonl.gz"), gzip.finish().unwrap()).unwrap();
    let packed = zstd::encode_all(rows.as_bytes(), 1).unwrap();
    fs::write(folder.path("rows.jsonl.zst"), packed).unwrap();
    assert_eq!(points(&folder, &["rows.jsonl.gz"]), expected);
    assert_eq!(points(&folder, &["rows.jsonl.zst"]), expected);
    let zipped = fs::read(folder.path("rows.jsonl.gz")).unwrap();
    fs::write(folder.path("torn.jsonl.gz"), &zipped[..zipped.len() / 2]).unwrap();
    folder
        .itch(&["plot", "-s", "torn.jsonl.gz", "a.png"])
        .exits(1)
        .says("torn.jsonl.gz");
    folder
        .itch(&["plot", "-s", "-d", "|", "-x", "3", "-y", "2", "rows.txt", "a.png"])
        .exits(1)
        .says("hint: give the format of its dates: --date-format");
    folder
        .itch(&["plot", "-s", "-d", "\"", "followers.csv", "a.png"])
        .exits(2)
        .says("cannot be a delimiter");
}

#[test]
fn names_with_line_ends_are_one_line() {
    let folder = Folder::new();
    folder.write("rows.csv", "name,created,followed\n\"ann\n,x\",1404172800,1469404800\n");
    folder
        .itch(&["plot", "rows.csv", "a.png"])
        .prints("2016-07-25 00:00:00 2014-07-01 00:00:00 ann ,x\n");
}

#[test]
fn what_has_no_place_on_a_logarithmic_axis_is_told() {
    let folder = Folder::new();
    folder.write("rows", "0\t5\n-3\t6\n10\t7\n100\t0\n1000\t9\n");
    folder
        .itch(&["plot", "-s", "-x", "1", "-y", "2", "--log", "xy", "rows", "a.png"])
        .exits(0)
        .says("3 rows are not drawn: a logarithmic axis cannot show values of 0 or less");
    folder
        .itch(&[
            "plot", "-s", "-x", "1", "-y", "2", "-t", "line", "-n", "50", "rows", "a.png",
        ])
        .exits(5)
        .says("none of the 5 rows is between the bounds");
    folder.write("huge", "1.7e308\t1\n5\t1\n");
    folder
        .itch(&["plot", "-s", "-x", "1", "-y", "2", "huge", "b.png"])
        .exits(3)
        .says("is too large");
    folder.write("wide", "1e-200\t1e300\n1e300\t1e-200\n");
    folder
        .itch(&["plot", "-s", "-x", "1", "-y", "2", "--log", "xy", "wide", "c.png"])
        .exits(0);
}

#[test]
fn a_reader_that_leaves_makes_the_picture_incomplete() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let mut child = folder
        .command(&["followers", "--plot", "plot.json", "burkeblack"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = wait(child);
    assert!(ran.status.success());
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("the picture shows an incomplete run"), "{said}");
    let chart: Value = serde_json::from_str(&folder.read("plot.json")).unwrap();
    assert_eq!(chart["title"], "burkeblack - followers (incomplete)");
}
