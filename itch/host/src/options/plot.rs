//! The options of `itch plot`. Those of the program of 2016 have the letters that they had there.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use itch_api::Error;
use itch_chart::{ColorMap, DensityScale, Dots, ReadOptions, Request};
use itch_plugin::{Graphics, Mark, Target, Theme};
use itch_table::{InputFormat, Zone};

use super::report::ExistingOptions;
use super::values::{among, hinted};
use crate::failure::usage;

pub(crate) const ABOUT: &str = "Draw rows as a chart";

pub(crate) const LONG_ABOUT: &str = "\
     Draws rows as a chart: a dot for each row, the running count as a \
     line, and streams as bands behind them.\n\n\
     The rows are the output of a report, or any other file with two columns of numbers or times: TSV, CSV, \
     JSON lines or Parquet, also compressed. The picture's file name decides its format; without a file name, it is \
     drawn on the terminal. If a file is named, the rows that are drawn are also printed, unless -s is given.";

pub(crate) const EXAMPLE: &str = "Example: itch plot -s -S streams.tsv -T BurkeBlack followers.tsv plot.png";

/// The longest side of a picture, in pixels.
const MOST_PIXELS: u32 = 20_000;

const MARKS: [(&str, Mark); 3] = [("scatter", Mark::Scatter), ("line", Mark::Line), ("mixed", Mark::Mixed)];
const DOTS: [(&str, Dots); 3] = [("auto", Dots::Auto), ("single", Dots::Single), ("image", Dots::Image)];

/// What is drawn, from which rows, and how it looks.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct PlotOptions {
    /// The rows; `-`, or no name, reads stdin
    #[arg(value_name = "FILE")]
    pub(crate) infile: Option<PathBuf>,
    /// The picture; without a name, it is drawn on the terminal
    #[arg(value_name = "PICTURE")]
    outfile: Option<PathBuf>,
    /// The picture, as an option; `-` writes to stdout
    #[arg(short, long, value_name = "PICTURE", conflicts_with = "outfile")]
    output: Option<PathBuf>,
    /// The renderer [default: chosen by the picture's file name]
    #[arg(long, value_name = "NAME")]
    pub(crate) renderer: Option<String>,
    #[command(flatten)]
    pub(crate) existing: ExistingOptions,
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
        help = format!("The field of the bottom axis, by name or number [default: {}]", ReadOptions::default().x)
    )]
    pub(crate) x: Option<String>,
    #[arg(
        short,
        long,
        value_name = "FIELD",
        help = format!("The field of the left axis, by name or number [default: {}]", ReadOptions::default().y)
    )]
    pub(crate) y: Option<String>,
    /// The field with the name of a row [default: name]
    #[arg(long, value_name = "FIELD")]
    pub(crate) name: Option<String>,
    /// Start of the bottom axis: a number, a date, a date and time, epoch seconds, or `7d` (ago)
    #[arg(short = 'm', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) xmin: Option<String>,
    /// End of the bottom axis
    #[arg(short = 'M', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) xmax: Option<String>,
    /// Start of the left axis
    #[arg(short = 'n', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) ymin: Option<String>,
    /// End of the left axis
    #[arg(short = 'N', long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) ymax: Option<String>,
    /// The character between fields [default: detected]
    #[arg(short, long, value_name = "CHARACTER", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Print whole rows instead of x, y and name
    #[arg(short, long)]
    pub(crate) record: bool,
    /// Print no rows
    #[arg(short, long)]
    pub(crate) silent: bool,
    /// A file with the start and end of streams, which are drawn as bands
    #[arg(short = 'S', long, value_name = "FILE")]
    pub(crate) streams: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = input_format,
        help = format!("{} [default: detected from the file's name and content]", InputFormat::names(" or "))
    )]
    pub(crate) input_format: Option<InputFormat>,
    /// The format of dates, as for strftime: `%d.%m.%Y %H:%M`
    #[arg(long, value_name = "FORMAT")]
    pub(crate) date_format: Option<String>,
    /// The first row has the names of the fields
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// The first row is data
    #[arg(long, overrides_with = "header")]
    no_header: bool,
    /// Fail at the first row that cannot be read
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The appearance of the chart.
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
    /// The label of the bottom axis
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) label: Option<String>,
    /// The title above the chart
    #[arg(short = 'T', long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) title: Option<String>,
    /// Colour each dot by the number of dots around it
    #[arg(short = 'D', long)]
    pub(crate) density: bool,
    #[arg(
        long,
        value_name = "SCALE",
        value_parser = |text: &str| among::<DensityScale>(text, DensityScale::NAMES),
        help = format!(
            "How density is mapped to colour: linear, log or rank [default: {}]",
            default_of::<DensityScale>(&DensityScale::NAMES)
        )
    )]
    pub(crate) density_scale: Option<DensityScale>,
    #[arg(
        long,
        value_name = "NAME",
        value_parser = |text: &str| among::<ColorMap>(text, ColorMap::NAMES),
        help = format!(
            "The colours of density: plasma, viridis, inferno, magma, cividis or turbo [default: {}]",
            default_of::<ColorMap>(&ColorMap::NAMES)
        )
    )]
    pub(crate) colormap: Option<ColorMap>,
    /// The colours of the background and the axes [default: dark]
    #[arg(long, value_name = "NAME")]
    theme: Option<ThemeName>,
    /// Axes with a logarithmic scale: x, y or xy
    #[arg(long, value_name = "AXES")]
    pub(crate) log: Option<LogAxes>,
    /// The time zone of labels, printed rows and axis limits, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = parsed::<Zone>)]
    pub(crate) tz: Option<Zone>,
    #[arg(
        long,
        value_name = "WxH",
        value_parser = picture_size,
        help = format!(
            "Size in pixels; on a terminal, in characters and lines [default: {}x{}]",
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
            "Dots per inch, which sets the size of text and lines [default: {}, less in small pictures]",
            Target::default().dpi
        )
    )]
    pub(crate) dpi: Option<f64>,
    /// How dots are drawn: single (one by one, however many) or image (all as one image)
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

/// Which axes have a logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogAxes {
    X,
    Y,
    Xy,
}

/// How a terminal draws; `Auto` asks the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphicsChoice {
    Auto,
    Braille,
    Kitty,
    Sixel,
    Iterm,
}

impl GraphicsChoice {
    /// The named one; `None` for `auto`.
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
    /// The name of the picture, if one was given; `-` is stdout.
    pub(crate) fn picture(&self) -> Option<&Path> {
        self.outfile.as_deref().or(self.output.as_deref())
    }
}

impl DataOptions {
    /// Whether there is a header, if that was given.
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

/// A parser for one of these names. clap lists them in the help and in the error about another name.
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

/// The name of the default value.
fn default_of<T: Default + FromStr + PartialEq>(names: &[&'static str]) -> &'static str {
    let is_default = |name: &&&'static str| name.parse().is_ok_and(|value: T| value == T::default());
    names.iter().find(is_default).copied().unwrap_or_default()
}

/// Reads a value of a type that implements `FromStr`.
fn parsed<T: FromStr<Err = Error>>(text: &str) -> Result<T, Error> {
    hinted(text.parse())
}

fn input_format(text: &str) -> Result<InputFormat, Error> {
    among(text, InputFormat::ALL.map(|format| format.name))
}

fn delimiter(text: &str) -> Result<u8, Error> {
    hinted(match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        b"\"" | b"\n" | b"\r" => Err(usage(format!("`{}` cannot be a delimiter", text.escape_debug()))
            .hint("write one ASCII character, or `tab`")),
        [byte] => Ok(*byte),
        _ => Err(usage(format!("`{}` is not one character", text.escape_debug()))
            .hint("write one ASCII character, or `tab`")),
    })
}

fn picture_size(text: &str) -> Result<(u32, u32), Error> {
    let pair = text.split_once(['x', 'X', '×']);
    let read = |side: &str| side.trim().parse::<u32>().ok().filter(|side| *side > 0);
    let sides = pair.and_then(|(width, height)| Some((read(width)?, read(height)?)));
    let Some((width, height)) = sides else {
        let Target { width, height, .. } = Target::default();
        return hinted(Err(usage(format!("`{}` is not a size", text.escape_debug()))
            .hint(format!("write WIDTHxHEIGHT, such as {width}x{height}"))));
    };
    if width.max(height) > MOST_PIXELS || u64::from(width) * u64::from(height) > 100_000_000 {
        return hinted(Err(usage(format!("{width}x{height} is too large"))
            .hint("the limit is 20,000 pixels per side and 100 million pixels in all")));
    }
    Ok((width, height))
}

fn dots_per_inch(text: &str) -> Result<f64, Error> {
    let dpi = text.parse::<f64>().ok().filter(|dpi| (20.0..=2400.0).contains(dpi));
    dpi.ok_or_else(|| usage(format!("`{}` is not a number from 20 to 2400", text.escape_debug())))
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
