//! The options of `itch plot`, those of the old program among them under their old letters.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use itch_api::Error;
use itch_chart::{ColorMap, DensityScale, Dots, ReadOptions, Request};
use itch_plugin::{Graphics, Mark, Target, Theme};
use itch_table::{InputFormat, Zone};

use super::values::{among, hinted};
use crate::failure::usage;

pub(crate) const ABOUT: &str = "Draw rows as a chart";

pub(crate) const LONG_ABOUT: &str = "Draws rows as a chart: a dot a row, the running count as a line, and streams as bands behind them.\n\n\
     Rows come from a file of any report, or of anything else with two columns of numbers or times: TSV, CSV, \
     JSON lines or Parquet, also compressed. The picture's form follows from its name; without one it is drawn \
     on the terminal. To a named file, the rows that are drawn are printed as well unless -s is given.";

pub(crate) const EXAMPLE: &str = "Example: itch plot -s -S streams.tsv -T BurkeBlack followers.tsv plot.png";

/// Pixels along a side that a picture has at most.
const MOST_PIXELS: u32 = 20_000;

const MARKS: [(&str, Mark); 3] = [("scatter", Mark::Scatter), ("line", Mark::Line), ("mixed", Mark::Mixed)];
const DOTS: [(&str, Dots); 3] = [("auto", Dots::Auto), ("single", Dots::Single), ("image", Dots::Image)];

/// What is drawn, from what, and in which looks.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct PlotOptions {
    /// The rows; `-` or nothing reads what is piped in
    #[arg(value_name = "FILE")]
    pub(crate) infile: Option<PathBuf>,
    /// The picture; without it, it is drawn on the terminal
    #[arg(value_name = "PICTURE")]
    outfile: Option<PathBuf>,
    /// The same; `-` writes to stdout
    #[arg(short, long, value_name = "PICTURE", conflicts_with = "outfile")]
    output: Option<PathBuf>,
    /// What draws; otherwise the picture's name decides
    #[arg(long, value_name = "NAME")]
    pub(crate) renderer: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataOptions,
    #[command(flatten)]
    pub(crate) looks: LookOptions,
}

/// How the rows are read.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataOptions {
    #[arg(
        short,
        long,
        value_name = "FIELD",
        help = format!("The field along the bottom, by name or number [default: {}]", ReadOptions::default().x)
    )]
    pub(crate) x: Option<String>,
    #[arg(
        short,
        long,
        value_name = "FIELD",
        help = format!("The field up the side, by name or number [default: {}]", ReadOptions::default().y)
    )]
    pub(crate) y: Option<String>,
    /// The field that names a row [default: name]
    #[arg(long, value_name = "FIELD")]
    pub(crate) name: Option<String>,
    /// Where the bottom axis begins: a number, a date, a date and time, epoch seconds, `7d` ago
    #[arg(short = 'm', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) xmin: Option<String>,
    /// Where the bottom axis ends
    #[arg(short = 'M', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) xmax: Option<String>,
    /// Where the left axis begins
    #[arg(short = 'n', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) ymin: Option<String>,
    /// Where the left axis ends
    #[arg(short = 'N', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) ymax: Option<String>,
    /// What stands between fields; found out if not given
    #[arg(short, long, value_name = "CHARACTER", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Print whole rows, not x, y and name
    #[arg(short, long)]
    pub(crate) record: bool,
    /// Print no rows
    #[arg(short, long)]
    pub(crate) silent: bool,
    /// Beginnings and ends of streams, drawn as bands
    #[arg(short = 'S', long, value_name = "FILE")]
    pub(crate) streams: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = |text: &str| among::<InputFormat>(text, InputFormat::ALL.map(|format| format.name)),
        help = format!("{}; otherwise the file's name and content decide", InputFormat::names(" or "))
    )]
    pub(crate) input_format: Option<InputFormat>,
    /// How dates are written, as for strftime: `%d.%m.%Y %H:%M`
    #[arg(long, value_name = "FORMAT")]
    pub(crate) date_format: Option<String>,
    /// The first row names the fields
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// The first row is a row
    #[arg(long, overrides_with = "header")]
    no_header: bool,
    /// End at the first row that cannot be read
    #[arg(long)]
    pub(crate) strict: bool,
}

/// How the chart looks.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Appearance")]
pub(crate) struct LookOptions {
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        value_parser = one_of(&MARKS),
        help = format!("Dots, the running count, or both [default: {}]", name_in(&MARKS, Request::default().mark))
    )]
    pub(crate) mark: Option<Mark>,
    /// What stands below the bottom axis
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) label: Option<String>,
    /// What stands above
    #[arg(short = 'T', long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) title: Option<String>,
    /// Colour dots by how many there are around them
    #[arg(short = 'D', long)]
    pub(crate) density: bool,
    #[arg(
        long,
        value_name = "SCALE",
        value_parser = |text: &str| among::<DensityScale>(text, DensityScale::NAMES),
        help = format!(
            "How density becomes colour: linear, log or rank [default: {}]",
            default_of::<DensityScale>(&DensityScale::NAMES)
        )
    )]
    pub(crate) density_scale: Option<DensityScale>,
    #[arg(
        long,
        value_name = "NAME",
        value_parser = |text: &str| among::<ColorMap>(text, ColorMap::NAMES),
        help = format!(
            "plasma, viridis, inferno, magma, cividis or turbo [default: {}]",
            default_of::<ColorMap>(&ColorMap::NAMES)
        )
    )]
    pub(crate) colormap: Option<ColorMap>,
    /// [default: dark]
    #[arg(long, value_name = "NAME")]
    theme: Option<ThemeName>,
    /// Which axes are divided by logarithms: x, y or xy
    #[arg(long, value_name = "AXES")]
    pub(crate) log: Option<LogAxes>,
    /// The time zone of labels, printed rows and bounds, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = parsed::<Zone>)]
    pub(crate) tz: Option<Zone>,
    #[arg(
        long,
        value_name = "WxH",
        value_parser = picture_size,
        help = format!(
            "Pixels; on a terminal, characters and lines [default: {}x{}]",
            Target::default().width,
            Target::default().height
        )
    )]
    pub(crate) size: Option<(u32, u32)>,
    #[arg(
        long,
        value_name = "N",
        value_parser = dots_per_inch,
        help = format!(
            "Dots per inch: how large text and lines are [default: {}, in smaller pictures less]",
            Target::default().dpi
        )
    )]
    pub(crate) dpi: Option<f64>,
    /// single: each dot by itself, however many; image: all as one picture
    #[arg(long, value_name = "HOW", value_parser = one_of(&DOTS))]
    pub(crate) dots: Option<Dots>,
    /// How a terminal draws: auto, braille, kitty, sixel or iterm
    #[arg(long, value_name = "HOW")]
    pub(crate) graphics: Option<GraphicsChoice>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ThemeName {
    Dark,
    Light,
}

/// Which axes are divided by logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogAxes {
    X,
    Y,
    Xy,
}

/// How a terminal draws; `Auto` asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphicsChoice {
    Auto,
    Braille,
    Kitty,
    Sixel,
    Iterm,
}

impl GraphicsChoice {
    /// What was named, if anything.
    pub(crate) fn named(self) -> Option<Graphics> {
        match self {
            GraphicsChoice::Auto => None,
            GraphicsChoice::Braille => Some(Graphics::Braille),
            GraphicsChoice::Kitty => Some(Graphics::Kitty),
            GraphicsChoice::Sixel => Some(Graphics::Sixel),
            GraphicsChoice::Iterm => Some(Graphics::Iterm),
        }
    }
}

impl PlotOptions {
    /// The picture, as it was named; `-` is stdout.
    pub(crate) fn picture(&self) -> Option<&Path> {
        self.outfile.as_deref().or(self.output.as_deref())
    }
}

impl DataOptions {
    /// Whether a header was asked for or denied.
    pub(crate) fn header(&self) -> Option<bool> {
        match (self.header, self.no_header) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

impl LookOptions {
    /// The colours that were chosen, if any.
    pub(crate) fn theme(&self) -> Option<Theme> {
        self.theme.map(|theme| match theme {
            ThemeName::Dark => Theme::dark(),
            ThemeName::Light => Theme::light(),
        })
    }
}

/// One of these names, which are shown where another is given.
fn one_of<T: Copy + Send + Sync + 'static>(table: &'static [(&str, T)]) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(table.iter().map(|(name, _)| *name)).try_map(|text| {
        let mut known = table.iter();
        known
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| usage("unknown"))
    })
}

/// The name of a value.
fn name_in<T: PartialEq>(table: &'static [(&str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(name, _)| name)
}

/// The name of what holds where nothing is given.
fn default_of<T: Default + FromStr + PartialEq>(names: &[&'static str]) -> &'static str {
    let is_default = |name: &&&'static str| name.parse().is_ok_and(|value: T| value == T::default());
    names.iter().find(is_default).copied().unwrap_or_default()
}

/// Reads a type that reads itself.
fn parsed<T: FromStr<Err = Error>>(text: &str) -> Result<T, Error> {
    hinted(text.parse())
}

fn delimiter(text: &str) -> Result<u8, Error> {
    hinted(match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        b"\"" | b"\n" | b"\r" => Err(usage(format!("`{}` cannot stand between fields", text.escape_debug()))
            .hint("write one character of ASCII, or `tab`")),
        [byte] => Ok(*byte),
        _ => Err(usage(format!("`{}` is not one character", text.escape_debug())).hint("write one of ASCII, or `tab`")),
    })
}

fn picture_size(text: &str) -> Result<(u32, u32), Error> {
    let pair = text.split_once(['x', 'X', '×']);
    let read = |side: &str| side.trim().parse::<u32>().ok().filter(|side| *side > 0);
    let sides = pair.and_then(|(width, height)| Some((read(width)?, read(height)?)));
    let Some((width, height)) = sides else {
        let Target { width, height, .. } = Target::default();
        return hinted(Err(usage(format!("`{}` is no size", text.escape_debug()))
            .hint(format!("write width and height: {width}x{height}"))));
    };
    if width.max(height) > MOST_PIXELS || u64::from(width) * u64::from(height) > 100_000_000 {
        return hinted(Err(usage(format!("{width}x{height} is too large"))
            .hint("a picture has at most 20,000 pixels along a side and a hundred million in all")));
    }
    Ok((width, height))
}

fn dots_per_inch(text: &str) -> Result<f64, Error> {
    let dpi = text.parse::<f64>().ok().filter(|dpi| (20.0..=2400.0).contains(dpi));
    dpi.ok_or_else(|| usage(format!("`{}` is no number of dots per inch from 20 to 2400", text.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_sides() {
        assert_eq!(picture_size("2160x1080").unwrap(), (2160, 1080));
        assert_eq!(picture_size("80×24").unwrap(), (80, 24));
        for text in ["", "x", "10", "0x5", "-1x5", "99999x1", "20000x20000", "1e3x5"] {
            assert!(picture_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn defaults_have_names() {
        assert_eq!(name_in(&MARKS, Request::default().mark), "mixed");
        assert_eq!(default_of::<DensityScale>(&DensityScale::NAMES), "log");
        assert_eq!(default_of::<ColorMap>(&ColorMap::NAMES), "plasma");
    }
}
