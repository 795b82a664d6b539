//! Golden pictures: the pictures are compared by visible differences, not by bytes.
//!
//! `tests/run --bless` redraws them; look at them before you commit them.

use std::path::PathBuf;

use itch_tests::{Folder, root};

use crate::plot::folder;

/// A picture as rows of colours.
struct Picture {
    width: usize,
    height: usize,
    /// Lightness and the two opponent colours of Oklab.
    colors: Vec<[f64; 3]>,
}

fn linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// <https://bottosson.github.io/posts/oklab/>
fn oklab([red, green, blue]: [f64; 3]) -> [f64; 3] {
    let l = (0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue).cbrt();
    let m = (0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue).cbrt();
    let s = (0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue).cbrt();
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

impl Picture {
    /// Reads a file, averaging blocks of three by three pixels, so that a shift by half a pixel makes no difference.
    fn read(path: PathBuf) -> Picture {
        Picture::from_afar(path, 3)
    }

    /// Reads a file, averaging square blocks of pixels with this side.
    fn from_afar(path: PathBuf, side: usize) -> Picture {
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb, "{}", path.display());
        let (width, height) = (info.width as usize, info.height as usize);
        let mut colors = Vec::new();
        for y in (0..=height - side).step_by(side) {
            for x in (0..=width - side).step_by(side) {
                let mut sum = [0.0; 3];
                for place in 0..side * side {
                    let at = ((y + place / side) * width + x + place % side) * 3;
                    for (sum, value) in sum.iter_mut().zip(&bytes[at..at + 3]) {
                        *sum += linear(*value) / (side * side) as f64;
                    }
                }
                colors.push(oklab(sum));
            }
        }
        Picture { width, height, colors }
    }

    /// The mean distance of colours, and the fraction of blocks with a visible difference.
    fn distance(&self, other: &Picture) -> (f64, f64) {
        let far = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let all: Vec<f64> = self.colors.iter().zip(&other.colors).map(|(a, b)| far(a, b)).collect();
        let seen = all.iter().filter(|far| **far > 0.08).count();
        (all.iter().sum::<f64>() / all.len() as f64, seen as f64 / all.len() as f64)
    }
}

/// Fails unless a picture looks like the golden picture of this name.
#[track_caller]
fn looks_like(drawn: PathBuf, name: &str) {
    let golden = root().join("tests/golden").join(format!("{name}.png"));
    if std::env::var_os("ITCH_BLESS").is_some() {
        std::fs::copy(&drawn, &golden).unwrap();
        return;
    }
    alike(&Picture::read(drawn), &Picture::read(golden), name);
}

#[track_caller]
fn alike(drawn: &Picture, golden: &Picture, name: &str) {
    assert_eq!((drawn.width, drawn.height), (golden.width, golden.height), "{name}");
    let (mean, seen) = drawn.distance(golden);
    assert!(
        mean < 0.004 && seen < 0.004,
        "{name} looks different: {mean:.4} in the mean, {seen:.4} of it visibly"
    );
}

const SIZE: [&str; 4] = ["--size", "900x450", "--dpi", "75"];

#[track_caller]
fn draws(folder: &Folder, name: &str, arguments: &[&str]) {
    let plot = ["plot", "-s", "-o", "plot.png"];
    folder.itch(&[&plot[..], &SIZE, arguments].concat()).prints("");
    looks_like(folder.path("plot.png"), name);
}

#[test]
fn the_picture_of_the_readme() {
    let folder = Folder::new();
    let line =
        "itch --sandbox followers --since 2026-07-12 --until 2026-07-27 --header --plot followers.png burkeblack";
    assert!(
        std::fs::read_to_string(root().join("README.md"))
            .unwrap()
            .contains(&format!("\n{line}\n"))
    );
    assert!(folder.line(line).succeeds().stdout.lines().count() > 3_700);
    looks_like(folder.path("followers.png"), "../../docs/followers");
}

#[test]
fn the_old_chart() {
    let arguments = [
        "-S",
        "streams.csv",
        "-m",
        "2016-07-25",
        "-M",
        "2016-08-01",
        "-T",
        "BurkeBlack - last 1K",
        "followers.csv",
    ];
    draws(&folder(), "old_chart", &arguments);
}

#[test]
fn the_light_theme() {
    let arguments = [
        "-D",
        "--theme",
        "light",
        "--colormap",
        "viridis",
        "-S",
        "streams.csv",
        "-T",
        "Light",
        "followers.csv",
    ];
    draws(&folder(), "light", &arguments);
}

/// Rows with a wave in them, the same every time.
fn wave(rows: u64) -> Folder {
    let folder = Folder::new();
    let mut text = String::new();
    let mut state = 1u64;
    let mut dice = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    for row in 0..rows {
        let (followed, age) = if row % 6 == 0 {
            (1_469_600_000.0 + dice() * 2_000.0, 700_000.0 + dice() * 250_000.0)
        } else {
            (1_469_000_000.0 + dice() * 1_000_000.0, dice() * dice() * 1.6e8)
        };
        text.push_str(&format!("a\tb\t{:.0}\t{followed:.0}\t0\t0\n", followed - age));
    }
    folder.write("wave.tsv", &text);
    folder
}

#[test]
fn a_wave_in_colors_of_density() {
    let folder = wave(5_000);
    draws(&folder, "density_log", &["-D", "wave.tsv"]);
    draws(&folder, "density_linear", &["-D", "--density-scale", "linear", "--colormap", "inferno", "wave.tsv"]);
    draws(
        &folder,
        "density_rank",
        &[
            "-D",
            "--density-scale",
            "rank",
            "--colormap",
            "cividis",
            "-t",
            "scatter",
            "wave.tsv",
        ],
    );
}

#[test]
fn dots_gathered_on_pixels_look_like_dots() {
    let folder = wave(40_000);
    for (name, more) in [("crowd", &[][..]), ("crowd_density", &["-D"])] {
        draws(&folder, name, &[&["--dots", "image", "wave.tsv"], more].concat());
        // Merged dots move by up to half a pixel: the average colour is the same, but single pixels are not.
        let far = |how: &str| {
            let plot = ["plot", "-s", "-o", "far.png", "wave.tsv", "--dots", how];
            folder.itch(&[&plot[..], more].concat()).prints("");
            Picture::from_afar(folder.path("far.png"), 24)
        };
        alike(&far("image"), &far("single"), name);
    }
}

#[test]
fn a_count_alone_and_logarithms() {
    let folder = wave(2_000);
    draws(&folder, "count", &["-t", "line", "--log", "y", "-T", "Count", "wave.tsv"]);
    draws(
        &folder,
        "zone",
        &[
            "--tz",
            "America/New_York",
            "-m",
            "2016-07-27T00:00:00Z",
            "-M",
            "2016-07-28T00:00:00Z",
            "-l",
            "when",
            "wave.tsv",
        ],
    );
}

#[test]
fn letters_of_the_carried_fonts() {
    draws(&folder(), "scripts", &["-T", "Ünïcödé Стример שלום السلام عليكم 🎉👍", "followers.csv"]);
}
