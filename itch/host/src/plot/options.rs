//! The options of `itch plot`, those of the old program among them under their old letters.

use std::path::PathBuf;

use chrono::Utc;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use itch_api::Error;
use itch_chart::{AxisRequest, ColorMap, ColumnKind, DensityScale, Dots, Request, Table};
use itch_plugin::{ChartHint, Mark, Theme};
use itch_table::dates::DateFormat;
use itch_table::{InputFormat, Zone};

use super::draw::Drawing;
use crate::cli::hinted;
use crate::failure::usage;
use crate::times;

/// Pixels along a side that a picture has at most.
const MOST_PIXELS: u32 = 20_000;

/// The command.
pub(crate) fn command() -> Command {
    Command::new("plot")
        .about("Draw rows as a chart")
        .long_about(
            "Draws rows as a chart: a dot a row, the running count as a line, and streams as bands behind them.\n\n\
             Rows come from a file of any report, or of anything else with two columns of numbers or times: TSV, CSV, \
             JSON lines or Parquet, also compressed. The picture's form follows from its name; without one it is drawn \
             on the terminal. To a named file, the rows that are drawn are printed as well unless -s is given.",
        )
        .after_help("Example: itch plot -s -S streams.tsv -T BurkeBlack followers.tsv plot.png")
        .args(files())
        .args(data())
        .args(looks())
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn files() -> Vec<Arg> {
    vec![
        Arg::new("infile")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("The rows; `-` or nothing reads what is piped in"),
        Arg::new("outfile")
            .value_name("PICTURE")
            .value_parser(value_parser!(PathBuf))
            .help("The picture; without it, it is drawn on the terminal"),
        option("output", "PICTURE", "The same; `-` writes to stdout")
            .short('o')
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("outfile"),
        option("renderer", "NAME", "What draws; otherwise the picture's name decides"),
    ]
}

fn headed(heading: &'static str, args: Vec<Arg>) -> Vec<Arg> {
    args.into_iter().map(|arg| arg.help_heading(heading)).collect()
}

fn data() -> Vec<Arg> {
    let bound = |name: &'static str, letter: char, help: &'static str| {
        option(name, "VALUE", help).short(letter).allow_hyphen_values(true)
    };
    headed(
        "Data",
        vec![
            option("x", "FIELD", "The field along the bottom, by name or number [default: followed]").short('x'),
            option("y", "FIELD", "The field up the side, by name or number [default: created]").short('y'),
            option("name", "FIELD", "The field that names a row [default: name]"),
            bound(
                "xmin",
                'm',
                "Where the bottom axis begins: a number, a date, a date and time, epoch seconds, `7d` ago",
            ),
            bound("xmax", 'M', "Where the bottom axis ends"),
            bound("ymin", 'n', "Where the left axis begins"),
            bound("ymax", 'N', "Where the left axis ends"),
            option("delimiter", "CHARACTER", "What stands between fields; found out if not given")
                .short('d')
                .value_parser(|text: &str| hinted(delimiter(text))),
            flag("record", "Print whole rows, not x, y and name").short('r'),
            flag("silent", "Print no rows").short('s'),
            option("streams", "FILE", "Beginnings and ends of streams, drawn as bands")
                .short('S')
                .value_parser(value_parser!(PathBuf)),
            option(
                "input-format",
                "FORMAT",
                "tsv, csv, jsonl or parquet; otherwise the file's name and content decide",
            )
            .value_parser(|text: &str| hinted(text.parse::<InputFormat>())),
            option("date-format", "FORMAT", "How dates are written, as for strftime: `%d.%m.%Y %H:%M`"),
            flag("header", "The first row names the fields").overrides_with("no-header"),
            flag("no-header", "The first row is a row").overrides_with("header"),
            flag("strict", "End at the first row that cannot be read"),
        ],
    )
}

fn looks() -> Vec<Arg> {
    let marks = PossibleValuesParser::new(["scatter", "line", "mixed"]).map(|text| match text.as_str() {
        "scatter" => Mark::Scatter,
        "line" => Mark::Line,
        _ => Mark::Mixed,
    });
    let dots = PossibleValuesParser::new(["auto", "single", "image"]).map(|text| match text.as_str() {
        "single" => Dots::Single,
        "image" => Dots::Image,
        _ => Dots::Auto,
    });
    let themes = PossibleValuesParser::new(["dark", "light"]).map(|text| match text.as_str() {
        "light" => Theme::light(),
        _ => Theme::dark(),
    });
    headed(
        "Looks",
        vec![
            option("type", "TYPE", "Dots, the running count, or both [default: mixed]")
                .short('t')
                .value_parser(marks),
            option("label", "TEXT", "What stands below the bottom axis")
                .short('l')
                .allow_hyphen_values(true),
            option("title", "TEXT", "What stands above")
                .short('T')
                .allow_hyphen_values(true),
            flag("density", "Colour dots by how many there are around them").short('D'),
            option("density-scale", "SCALE", "How density becomes colour: linear, log or rank [default: log]")
                .value_parser(|text: &str| hinted(text.parse::<DensityScale>())),
            option("colormap", "NAME", "plasma, viridis, inferno, magma, cividis or turbo [default: plasma]")
                .value_parser(|text: &str| hinted(text.parse::<ColorMap>())),
            option("theme", "NAME", "[default: dark]").value_parser(themes),
            option("log", "AXES", "Which axes are divided by logarithms: x, y or xy")
                .value_parser(PossibleValuesParser::new(["x", "y", "xy"])),
            option(
                "tz",
                "ZONE",
                "The time zone of labels, printed rows and bounds, such as Europe/Berlin [default: UTC]",
            )
            .value_parser(|text: &str| hinted(text.parse::<Zone>())),
            option("size", "WxH", "Pixels; on a terminal, characters and lines [default: 2160x1080]")
                .value_parser(|text: &str| hinted(size(text))),
            option("dpi", "N", "Dots per inch: how large text and lines are [default: 180, in smaller pictures less]")
                .value_parser(|text: &str| hinted(dpi(text))),
            option("dots", "HOW", "single: each dot by itself, however many; image: all as one picture")
                .value_parser(dots),
            option("graphics", "HOW", "How a terminal draws: auto, braille, kitty, sixel or iterm")
                .value_parser(PossibleValuesParser::new(["auto", "braille", "kitty", "sixel", "iterm"])),
        ],
    )
}

/// Whether a header was asked for or denied.
pub(super) fn header(matches: &ArgMatches) -> Option<bool> {
    match (matches.get_flag("header"), matches.get_flag("no-header")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

fn delimiter(text: &str) -> Result<u8, Error> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        b"\"" | b"\n" | b"\r" => Err(usage(format!("`{}` cannot stand between fields", text.escape_debug()))
            .hint("write one character of ASCII, or `tab`")),
        [byte] => Ok(*byte),
        _ => Err(usage(format!("`{}` is not one character", text.escape_debug())).hint("write one of ASCII, or `tab`")),
    }
}

fn size(text: &str) -> Result<(u32, u32), Error> {
    let pair = text.split_once(['x', 'X', '×']);
    let read = |side: &str| side.trim().parse::<u32>().ok().filter(|side| *side > 0);
    let sides = pair.and_then(|(width, height)| Some((read(width)?, read(height)?)));
    let (width, height) = sides.ok_or_else(|| {
        usage(format!("`{}` is no size", text.escape_debug())).hint("write width and height: 2160x1080")
    })?;
    if width.max(height) > MOST_PIXELS || u64::from(width) * u64::from(height) > 100_000_000 {
        return Err(usage(format!("{width}x{height} is too large"))
            .hint("a picture has at most 20,000 pixels along a side and a hundred million in all"));
    }
    Ok((width, height))
}

fn dpi(text: &str) -> Result<f64, Error> {
    let dpi = text.parse::<f64>().ok().filter(|dpi| (20.0..=2400.0).contains(dpi));
    dpi.ok_or_else(|| usage(format!("`{}` is no number of dots per inch from 20 to 2400", text.escape_debug())))
}

/// Everything about a chart that does not depend on the rows.
#[derive(Debug)]
pub(super) struct Looks {
    title: String,
    label: Option<String>,
    bounds: [Option<String>; 4],
    date_format: Option<String>,
    request: Request,
}

impl Looks {
    /// Reads the options.
    pub(super) fn read(matches: &ArgMatches) -> anyhow::Result<Looks> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let log = text("log").unwrap_or_default();
        let axis = |name: &str| AxisRequest {
            log: log.contains(name),
            ..AxisRequest::default()
        };
        Ok(Looks {
            title: text("title").unwrap_or_default(),
            label: text("label"),
            bounds: ["xmin", "xmax", "ymin", "ymax"].map(text),
            date_format: text("date-format"),
            request: Request {
                x: axis("x"),
                y: axis("y"),
                density: matches.get_flag("density"),
                density_scale: matches.get_one("density-scale").copied().unwrap_or_default(),
                color_map: matches.get_one("colormap").copied().unwrap_or_default(),
                theme: matches.get_one("theme").cloned().unwrap_or_default(),
                zone: matches.get_one("tz").cloned().unwrap_or_default(),
                dots: matches.get_one("dots").copied().unwrap_or_default(),
                ..Request::default()
            },
        })
    }

    /// The request, once it is known what the columns are.
    pub(super) fn request(
        self,
        hint: &ChartHint,
        table: &Table,
        bands: Vec<(f64, Option<f64>)>,
        drawing: &Drawing<'_>,
    ) -> anyhow::Result<Request> {
        let mut request = self.request;
        let y_kind = match hint.mark {
            // The left axis is that of the count then.
            Mark::Line => ColumnKind::Number,
            _ => table.y.kind,
        };
        let [xmin, xmax, ymin, ymax] = &self.bounds;
        let format = self.date_format.as_deref();
        let zone = request.zone.clone();
        let bound =
            |name: &str, text: &Option<String>, kind: ColumnKind| bound(name, text.as_deref(), kind, format, &zone);
        request.x.min = bound("m/--xmin", xmin, table.x.kind)?;
        request.x.max = bound("M/--xmax", xmax, table.x.kind)?;
        request.y.min = bound("n/--ymin", ymin, y_kind)?;
        request.y.max = bound("N/--ymax", ymax, y_kind)?;
        for (axis, low, high) in [(request.x, "-m", "-M"), (request.y, "-n", "-N")] {
            if let (Some(min), Some(max)) = (axis.min, axis.max)
                && min >= max
            {
                return Err(
                    usage(format!("the axis would end before it begins: {low} has to be less than {high}")).into()
                );
            }
        }
        request.title = self.title;
        request.x_label = self.label;
        request.mark = hint.mark;
        request.bands = bands;
        request.target = drawing.target();
        request.detail = drawing.detail();
        Ok(request)
    }
}

/// A bound as typed, on an axis of this kind; times without a zone are of this one, as the labels are.
fn bound(
    name: &str,
    text: Option<&str>,
    kind: ColumnKind,
    format: Option<&str>,
    zone: &Zone,
) -> Result<Option<f64>, Error> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = |error: Error| error.context(format!("-{name} cannot be read"));
    let value = match kind {
        ColumnKind::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .ok_or_else(|| {
                wrong(usage(format!("`{}` is not a number, and the axis shows numbers", text.escape_debug())))
            })?,
        ColumnKind::Time => {
            let formed = format.and_then(|format| DateFormat::new(format).ok()?.read(text, zone));
            if let Some(seconds) = text.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite()) {
                seconds
            } else {
                let read = || {
                    let time = times::time_in(text, Utc::now(), zone)?;
                    Ok(time.timestamp_millis() as f64 / 1e3)
                };
                formed.map_or_else(read, Ok).map_err(wrong)?
            }
        }
    };
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn sizes_are_two_sides() {
        assert_eq!(size("2160x1080").unwrap(), (2160, 1080));
        assert_eq!(size("80×24").unwrap(), (80, 24));
        for text in ["", "x", "10", "0x5", "-1x5", "99999x1", "20000x20000", "1e3x5"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_follow_the_kind_of_the_axis() {
        let time = |text| bound("m", Some(text), ColumnKind::Time, Some("%d.%m.%Y"), &Zone::default());
        assert_eq!(time("2016-07-25").unwrap(), Some(1_469_404_800.0));
        assert_eq!(time("25.07.2016").unwrap(), Some(1_469_404_800.0));
        assert_eq!(time("-1.5").unwrap(), Some(-1.5));
        assert!(time("soon").is_err());
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let local = |text| bound("m", Some(text), ColumnKind::Time, Some("%d.%m.%Y"), &berlin);
        for text in ["2016-07-25", "25.07.2016", "2016-07-24T22:00:00Z"] {
            assert_eq!(local(text).unwrap(), Some(1_469_397_600.0), "{text}");
        }
        let number = |text| bound("m", Some(text), ColumnKind::Number, None, &berlin);
        assert_eq!(number("-1e3").unwrap(), Some(-1000.0));
        assert!(number("2016-07-25").is_err() && number("NaN").is_err() && number("inf").is_err());
    }
}
