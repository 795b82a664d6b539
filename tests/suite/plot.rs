//! `itch plot`: the old command line, bounds, invalid input, the output of each renderer, pictures of reports.

use itch_tests::{Folder, Sandbox, binary};
use serde_json::Value;

/// Ten followers of four days, as the itch of 2016 printed them: name, channel, created, followed, delta.
pub(crate) const FOLLOWERS: &str = "\
ann\tburkeblack\t1404172800\t1469404800\t65232000\t0
bob\tburkeblack\t1404172860\t1469408400\t65235540\t0
cat\tburkeblack\t1451606400\t1469412000\t17805600\t0
dan\tburkeblack\t1451606500\t1469491200\t17884700\t0
eve\tburkeblack\t1469400000\t1469494800\t94800\t0
fay\tburkeblack\t1469400060\t1469494860\t94800\t0
gus\tburkeblack\t1469400120\t1469494920\t94800\t0
hal\tburkeblack\t1388534400\t1469577600\t81043200\t0
ida\tburkeblack\t1420070400\t1469664000\t49593600\t0
jim\tburkeblack\t1430438400\t1469750400\t39312000\t0
";

/// Two streams, the second of which is still running.
pub(crate) const STREAMS: &str = "1469491200\t1469505600\n1469750000\tNone\n\n";

pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("followers.csv", FOLLOWERS);
    folder.write("streams.csv", STREAMS);
    folder
}

/// The chart as data.
fn json(folder: &Folder, arguments: &[&str]) -> Value {
    let before = ["plot", "followers.csv", "-o", "-", "--renderer", "json"];
    let ran = folder.itch(&[&before, arguments].concat());
    serde_json::from_str(&ran.succeeds().stdout).unwrap()
}

fn points(chart: &Value) -> Vec<&Value> {
    chart["points"].as_array().unwrap().iter().collect()
}

#[test]
fn the_old_command_line_draws_the_old_chart() {
    let folder = folder();
    let line =
        "itch plot -sS streams.csv -m '2016-07-25' -M '2016-08-01' -T 'BurkeBlack - last 1K' followers.csv plot.png";
    folder.line(line).prints("");
    let picture = std::fs::read(folder.path("plot.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (2160, 1080));
    // Only the picture is left.
    let names = std::fs::read_dir(folder.path("")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("part")), "{names:?}");
}

#[test]
fn the_program_has_its_old_name_too() {
    let folder = folder();
    let program = binary().with_file_name(format!("itch-plot{}", std::env::consts::EXE_SUFFIX));
    let command = folder.command(&["-s", "followers.csv", "plot.png"]);
    let mut renamed = std::process::Command::new(program);
    renamed
        .args(command.get_args())
        .current_dir(folder.path(""))
        .env_clear();
    for (name, value) in command.get_envs() {
        renamed.env(name, value.unwrap_or_default());
    }
    assert!(renamed.status().unwrap().success());
    assert!(folder.path("plot.png").is_file());
}

#[test]
fn rows_are_printed_as_before() {
    let folder = folder();
    folder
        .itch(&[
            "plot",
            "-m",
            "2016-07-26",
            "-M",
            "2016-07-26T12:00:00Z",
            "followers.csv",
            "a.png",
        ])
        .prints(
            "2016-07-26 00:00:00 2016-01-01 00:01:40 dan\n\
             2016-07-26 01:00:00 2016-07-24 22:40:00 eve\n\
             2016-07-26 01:01:00 2016-07-24 22:41:00 fay\n\
             2016-07-26 01:02:00 2016-07-24 22:42:00 gus\n",
        );
    let bounds = ["-n", "2016-07-01", "-M", "2016-07-26 01:00:30"];
    let whole = ["plot", "-r", "followers.csv", "a.png"];
    folder
        .itch(&[&whole[..], &bounds].concat())
        .prints("eve\tburkeblack\t1469400000\t1469494800\t94800\t0\n");
    folder
        .itch(&[
            "plot",
            "-x",
            "5",
            "-y",
            "created",
            "-M",
            "94800",
            "followers.csv",
            "a.png",
        ])
        .prints("94800 2016-07-24 22:40:00 eve\n94800 2016-07-24 22:41:00 fay\n94800 2016-07-24 22:42:00 gus\n");
    // Only the picture goes to stdout.
    let ran = folder.itch(&["plot", "followers.csv", "-o", "-", "--renderer", "svg"]);
    assert!(ran.succeeds().stdout.starts_with("<svg"));
}

#[test]
fn bounds_clip_the_axis_that_they_name() {
    let folder = folder();
    let chart = json(&folder, &["-m", "2016-07-26", "-N", "2016-07-01"]);
    assert_eq!(chart["x"]["min"], 1_469_491_200);
    assert_eq!(chart["y"]["max"], 1_467_331_200);
    // -N removes dots and does not change the count, which starts at -m.
    assert_eq!(points(&chart).len(), 4);
    assert_eq!(chart["line"].as_array().unwrap().last().unwrap()["y"], 7);
    assert_eq!(chart["y2"]["min"], 0);
    let whole = json(&folder, &[]);
    assert!(whole["x"]["min"].as_f64().unwrap() < 1_469_404_800.0);
    assert_eq!(points(&whole).len(), 10);
}

#[test]
fn every_type_draws() {
    let folder = folder();
    for (kind, has_points, has_line) in [("scatter", true, false), ("line", false, true), ("mixed", true, true)] {
        let chart = json(&folder, &["-t", kind]);
        assert_eq!((chart.get("points").is_some(), chart.get("line").is_some()), (has_points, has_line), "{kind}");
    }
    // The left axis is then that of the count, and so are its bounds.
    let chart = json(&folder, &["-t", "line", "-n", "2", "-N", "8"]);
    assert_eq!((&chart["y"]["min"], &chart["y"]["max"]), (&2.into(), &8.into()));
    assert_eq!(chart["line_axis"], "y");
}

#[test]
fn running_streams_and_blank_lines_are_fine() {
    let folder = folder();
    let chart = json(&folder, &["-S", "streams.csv"]);
    let bands = chart["bands"].as_array().unwrap();
    assert_eq!(bands.len(), 2);
    assert_eq!(bands[0]["to"], 1_469_505_600);
    // While the second stream is running, its band ends at the last row.
    assert_eq!(bands[1]["to"], 1_469_750_400);
    let numbers = ["plot", "-x", "delta", "-S", "streams.csv"];
    let ran = folder.itch(&[&numbers[..], &["followers.csv", "a.png"]].concat());
    ran.exits(2)
        .says("`delta` holds numbers, and streams are spans of time");
    assert_eq!(ran.stdout, "");
}

#[test]
fn bad_rows_are_counted_named_and_kept_out() {
    let folder = folder();
    folder.write("bad.tsv", &format!("{FOLLOWERS}kim\tburkeblack\tsoon\t1469750500\t1\t0\nlee\n"));
    let ran = folder.itch(&["plot", "-s", "bad.tsv", "a.png"]);
    ran.exits(3)
        .says("line 11")
        .says("line 12")
        .says("2 rows were left out");
    assert!(folder.path("a.png").is_file());
    let ran = folder.itch(&["plot", "-s", "--strict", "bad.tsv", "b.png"]);
    assert_ne!(ran.code, 0);
    ran.says("line 11");
    assert!(!folder.path("b.png").exists());
}

#[test]
fn bad_input_is_a_sentence_and_an_exit_code() {
    let folder = folder();
    let plot = |arguments: &[&str]| folder.itch(&[&["plot", "-s"], arguments].concat());
    plot(&["nothing.tsv", "a.png"]).exits(1).says("nothing.tsv");
    plot(&["-x", "age", "followers.csv", "a.png"])
        .exits(2)
        .says("age")
        .says("created, followed");
    plot(&["followers.csv", "a.bmp"])
        .exits(2)
        .says("no renderer draws `a.bmp`")
        .says("png (.png)")
        .says("svg (.svg)");
    plot(&["followers.csv", "--renderer", "oil", "a.png"])
        .exits(2)
        .says("there is no renderer `oil`");
    plot(&["followers.csv", "nowhere/a.png"])
        .exits(1)
        .says("`nowhere/a.png` cannot be written");
    std::fs::create_dir(folder.path("folder.png")).unwrap();
    plot(&["followers.csv", "folder.png"])
        .exits(2)
        .says("does not name a file");
    plot(&["-m", "2016-08-01", "-M", "2016-07-01", "followers.csv", "a.png"])
        .exits(2)
        .says("-m has to be less than -M");
    plot(&["-m", "soon", "followers.csv", "a.png"])
        .exits(2)
        .says("-m/--xmin cannot be read")
        .says("`soon` is not a time");
    plot(&["-y", "delta", "-n", "2016-07-01", "followers.csv", "a.png"])
        .exits(2)
        .says("the axis shows numbers");
    plot(&["-m", "2030-01-01", "followers.csv", "a.png"])
        .exits(5)
        .says("none of the 10 rows is between the bounds");
    plot(&["--log", "x", "followers.csv", "a.png"])
        .exits(2)
        .says("cannot be logarithmic");
    plot(&["--size", "9x", "followers.csv", "a.png"])
        .exits(2)
        .says("is not a size");
    plot(&["--tz", "Mars/Olympus", "followers.csv", "a.png"])
        .exits(2)
        .says("is not a time zone");
    plot(&["followers.csv"]).exits(2).says("no picture was named");
    plot(&["followers.csv", "-o", "-"]).exits(2).says("give --renderer");
    plot(&["followers.csv", "--renderer", "svg", "/dev/full"])
        .exits(1)
        .says("error: `/dev/full` cannot be written\n  caused by: No space left on device");
    assert!(!folder.path("a.png").exists());
}

#[test]
fn numbers_at_the_edges_are_drawn() {
    let folder = Folder::new();
    let rows = [
        ("one", "5\t7\n"),
        ("equal", "5\t7\n5\t7\n5\t7\n"),
        ("line", "1\t1\n2\t2\n3\t3\n4\t4\n"),
        ("upright", "1\t1\n1\t2\n1\t3\n"),
        ("large", "1e300\t-1e300\n-1e300\t1e300\n0\t0\n"),
        ("tiny", "1e-300\t2e-300\n3e-300\t2e-300\n2e-300\t1e-300\n"),
        ("near", "1.0000000000000002\t1\n1\t1\n1\t2\n"),
    ];
    for (name, text) in rows {
        folder.write(name, text);
        let file = format!("{name}.png");
        for more in [&[][..], &["-D"], &["-D", "--density-scale", "rank", "-t", "scatter"]] {
            let plot = [
                "plot",
                "-s",
                "-x",
                "1",
                "-y",
                "2",
                "--no-header",
                "--size",
                "400x300",
                name,
                &file,
            ];
            let ran = folder.itch(&[&plot[..], more].concat());
            assert_eq!(ran.code, 0, "{name} {more:?}: {}", ran.stderr);
        }
    }
    folder.write("old", "1000000000\t-6000000000\n1000000100\t20000000000\n");
    folder
        .itch(&["plot", "-s", "-x", "1", "-y", "2", "old", "old.svg"])
        .exits(0);
    folder
        .itch(&["plot", "-s", "--log", "xy", "-x", "1", "-y", "2", "tiny", "log.svg"])
        .exits(0);
}

#[test]
fn densities_are_those_of_the_sum_over_all_pairs() {
    let folder = Folder::new();
    let mut text = String::new();
    for row in 0..1000u64 {
        let dice = |salt: u64| (row.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(salt * 97) >> 40) % 1000;
        let x = 1_469_000_000 + dice(1) * 300 + dice(2) * 20;
        text.push_str(&format!("a\tb\t{}\t{x}\t0\t0\n", x - dice(3) * dice(4) * 100));
    }
    folder.write("followers.csv", &text);
    let chart = json(&folder, &["-D"]);
    let read = |name: &str| {
        points(&chart)
            .iter()
            .map(|point| point[name].as_f64().unwrap())
            .collect::<Vec<f64>>()
    };
    let (x, y, density) = (read("x"), read("y"), read("density"));
    let n = x.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mx, my) = (mean(&x), mean(&y));
    let spread = |a: &[f64], am: f64, b: &[f64], bm: f64| {
        a.iter().zip(b).map(|(a, b)| (a - am) * (b - bm)).sum::<f64>() / (n - 1.0) * n.powf(-1.0 / 3.0)
    };
    let (xx, xy, yy) = (spread(&x, mx, &x, mx), spread(&x, mx, &y, my), spread(&y, my, &y, my));
    let determinant = xx * yy - xy * xy;
    for place in 0..x.len() {
        let sum: f64 = x
            .iter()
            .zip(&y)
            .map(|(px, py)| {
                let (dx, dy) = (x[place] - px, y[place] - py);
                (-0.5 * (dx * dx * yy - 2.0 * dx * dy * xy + dy * dy * xx) / determinant).exp()
            })
            .sum();
        let exact = sum / (std::f64::consts::TAU * determinant.sqrt() * n);
        assert!((density[place] / exact - 1.0).abs() < 0.01, "{place}: {} {exact}", density[place]);
    }
}

/// Enough rows for a vector picture to contain its dots as an image.
fn many(folder: &Folder, rows: u64) {
    let mut text = String::new();
    for row in 0..rows {
        let x = 1_469_000_000 + row * 7919 % 1_000_003;
        text.push_str(&format!("a\tb\t{}\t{x}\t0\t0\n", x - row * 104_729 % 9_000_000));
    }
    folder.write("many.tsv", &text);
}

#[test]
fn a_drawing_with_many_dots_says_that_they_are_an_image() {
    let folder = Folder::new();
    many(&folder, 21_000);
    for (file, mark) in [("a.svg", &b"<image "[..]), ("a.pdf", b"/SMask")] {
        let holds = |mark: &[u8]| {
            let bytes = std::fs::read(folder.path(file)).unwrap();
            bytes.windows(mark.len()).any(|part| part == mark)
        };
        let ran = folder.itch(&["plot", "-s", "many.tsv", file]);
        ran.exits(0)
            .says("21000 dots are drawn as one image")
            .says("--dots single");
        assert!(holds(mark), "{file}");
        folder
            .itch(&["plot", "-s", "--dots", "single", "many.tsv", file])
            .prints("");
        assert!(!holds(mark), "{file}");
    }
    let few = crate::plot::folder();
    few.itch(&["plot", "-s", "--dots", "image", "followers.csv", "a.svg"])
        .exits(0);
    assert!(few.read("a.svg").contains("<image "));
    few.itch(&["plot", "-s", "followers.csv", "b.svg"]).prints("");
    // Ten dots, and one in the legend.
    assert_eq!(few.read("b.svg").matches("<circle").count(), 11);
}

#[test]
fn titles_in_every_script_are_drawn() {
    let folder = folder();
    let title = "BurkeBlack Стример 日本語 قناة 🎉 \u{10ffff} <&>\u{1b}[2J";
    for file in ["a.png", "a.svg", "a.pdf", "a.html", "a.json", "a.txt"] {
        folder
            .itch(&["plot", "-s", "-T", title, "followers.csv", file])
            .prints("");
        assert!(!folder.path(file).metadata().unwrap().len() > 500, "{file}");
    }
    let svg = folder.read("a.svg");
    assert!(svg.contains("Стример 日本語 قناة 🎉") && svg.contains("&lt;&amp;&gt;"));
    assert!(!folder.read("a.txt").contains('\u{1b}'));
}

#[test]
fn a_report_draws_its_own_rows() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let rows = folder.itch(&["followers", "-l", "300", "burkeblack"]);
    let drawn = folder.itch(&["followers", "-l", "300", "--plot", "plot.png", "burkeblack"]);
    assert_eq!(rows.succeeds().stdout, drawn.exits(0).stdout);
    assert!(folder.path("plot.png").is_file());
    // Columns can be drawn without being printed.
    let names = folder.itch(&[
        "followers",
        "-l",
        "300",
        "--columns",
        "name",
        "--plot",
        "plot.json",
        "burkeblack",
    ]);
    assert_eq!(names.exits(0).rows().len(), 300);
    let chart: Value = serde_json::from_str(&folder.read("plot.json")).unwrap();
    assert!(points(&chart).len() > 290 && points(&chart)[0]["label"].is_string());
    folder
        .itch(&["followers", "--plot", "plot.bmp", "burkeblack"])
        .exits(2)
        .says("no renderer draws");
    folder
        .itch(&["streams", "--plot", "plot.png", "burkeblack"])
        .exits(2)
        .says("`streams` has no chart")
        .says("followers");
}

#[test]
fn an_incomplete_run_is_drawn_and_says_so() {
    let sandbox = Sandbox::start(&["--faults", "500=0.05"]);
    let folder = Folder::new().at(&sandbox);
    let ran = folder.itch(&["--retries", "0", "followers", "--plot", "plot.json", "burkeblack"]);
    ran.exits(6).says("the picture shows an incomplete run");
    let chart: Value = serde_json::from_str(&folder.read("plot.json")).unwrap();
    assert_eq!(chart["title"], "burkeblack - followers (incomplete)");
    // Every printed row is drawn, except those of accounts that no longer exist.
    let printed = ran
        .stdout
        .lines()
        .filter(|line| line.split('\t').nth(2).is_some_and(|created| !created.is_empty()));
    assert!(!points(&chart).is_empty());
    assert_eq!(points(&chart).len(), printed.count());
}
