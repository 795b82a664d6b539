//! A finished chart: what a renderer draws. Scales, ticks, places and reduction to the target's size are already done.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::color::{Color, Theme};

/// How many dots a picture shows one by one. Above it they are gathered on pixels, unless the user says otherwise or the
/// renderer names a number of its own.
pub const SINGLE_DOTS: u64 = 50_000;

/// A chart for one target. Data stand in [`Chart::buffers`], so that millions of points cross the plugin boundary
/// as they lie in memory and not as JSON.
///
/// Lengths and places are in pixels from the top left corner of the target. Tick labels have no place of their own:
/// those of `x` are centred below the area, those of `y` end left of it, those of `y2` begin right of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chart<'a> {
    /// Centred above everything; may be in any script.
    pub title: String,
    /// Where the middle of the title is.
    pub title_at: Point,
    /// What it is drawn for.
    pub target: Target,
    /// Its colours.
    pub theme: Theme,
    /// Where the data are.
    pub area: Rect,
    /// Along the bottom.
    pub x: Axis,
    /// Up the left side.
    pub y: Axis,
    /// Up the right side, if there is one.
    pub y2: Option<Axis>,
    /// From the bottom of the pile to its top.
    pub layers: Vec<Layer>,
    /// Which layers are explained, and where.
    pub legend: Vec<LegendEntry>,
    /// What the shades mean, if there are any.
    pub color_bar: Option<ColorBar>,
    /// The values that the layers name by their place here.
    #[serde(skip)]
    pub buffers: Vec<Buffer<'a>>,
}

/// A run of values of one type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Buffer<'a> {
    /// Coordinates and other exact numbers.
    F64(Cow<'a, [f64]>),
    /// Numbers that need no more than seven digits.
    F32(Cow<'a, [f32]>),
    /// Shades: places in [`ColorBar::colors`].
    U8(Cow<'a, [u8]>),
    /// Whole numbers.
    U32(Cow<'a, [u32]>),
    /// Texts, each ended by a line feed, which none contains.
    Text(Cow<'a, str>),
}

impl Buffer<'_> {
    /// The same values, without a copy.
    pub fn borrow(&self) -> Buffer<'_> {
        match self {
            Buffer::F64(values) => Buffer::F64(Cow::Borrowed(values)),
            Buffer::F32(values) => Buffer::F32(Cow::Borrowed(values)),
            Buffer::U8(values) => Buffer::U8(Cow::Borrowed(values)),
            Buffer::U32(values) => Buffer::U32(Cow::Borrowed(values)),
            Buffer::Text(text) => Buffer::Text(Cow::Borrowed(text)),
        }
    }
}

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A part of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Its left side.
    pub left: f64,
    /// Its upper side.
    pub top: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

impl Rect {
    /// Its right side.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower side.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// What a chart is drawn for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Pixels. A terminal without graphics has two in the width of a character.
    pub width: u32,
    /// Pixels. A terminal without graphics has four in the height of a character.
    pub height: u32,
    /// Dots per inch.
    pub dpi: f64,
    /// The size of text: pixels from one line to the next are 1.25 times as many.
    pub text: f64,
    /// How thick a line is.
    pub line: f64,
    /// The terminal, if it goes to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminal>,
}

impl Target {
    /// The size of the title's text.
    pub fn title_text(&self) -> f64 {
        if self.has_character_cells() {
            self.text
        } else {
            self.text * 1.25
        }
    }

    /// Whether text stands in character cells of two by four pixels.
    pub fn has_character_cells(&self) -> bool {
        self.terminal
            .as_ref()
            .is_some_and(|terminal| terminal.graphics == Graphics::Braille)
    }
}

impl Default for Target {
    fn default() -> Target {
        Target {
            width: 2160,
            height: 1080,
            dpi: 180.0,
            text: 25.0,
            line: 2.5,
            terminal: None,
        }
    }
}

/// A terminal, as far as a renderer has to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// How it shows pictures.
    pub graphics: Graphics,
    /// Which colours it has.
    pub colors: Colors,
    /// Characters side by side that the picture takes.
    pub columns: u32,
    /// Lines that the picture takes.
    pub rows: u32,
}

/// How a terminal shows pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Graphics {
    /// It does not: two by four dots in a character.
    Braille,
    /// The protocol of kitty.
    Kitty,
    /// Sixels.
    Sixel,
    /// The protocol of iTerm2.
    Iterm,
}

/// Which colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Colors {
    /// None are wanted.
    None,
    /// The 256 of xterm.
    Palette,
    /// All.
    True,
}

/// What an axis counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AxisKind {
    /// Plain numbers.
    #[default]
    Number,
    /// Seconds since 1970.
    Time,
}

/// How values become places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scale {
    /// Equal steps are equally long.
    #[default]
    Linear,
    /// Equal factors are equally long.
    Log,
}

/// Out of line, since a compiler may otherwise take it of every value before it knows whether it is wanted.
#[inline(never)]
fn logarithm(value: f64) -> f64 {
    value.log10()
}

impl Scale {
    /// The value as the axis is divided: itself, or its logarithm.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => logarithm(value),
        }
    }

    /// The way back.
    pub fn back(self, place: f64) -> f64 {
        match self {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
        }
    }
}

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// Where the middle of that label is; `None` leaves it away. Beside the area it is turned by a quarter.
    pub label_at: Option<Point>,
    /// What it counts.
    pub kind: AxisKind,
    /// How values become places.
    pub scale: Scale,
    /// The value at its beginning.
    pub min: f64,
    /// The value at its end.
    pub max: f64,
    /// From its beginning to its end; their labels do not overlap.
    pub ticks: Vec<Tick>,
    /// The time zone of its labels, by its IANA name; empty for UTC and for numbers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone: String,
}

impl Axis {
    /// How far along the axis a value is: 0 at its beginning, 1 at its end.
    pub fn share(&self, value: f64) -> f64 {
        let (min, max) = (self.scale.of(self.min), self.scale.of(self.max));
        (self.scale.of(value) - min) / (max - min)
    }

    /// The value that is so far along.
    pub fn value(&self, share: f64) -> f64 {
        let (min, max) = (self.scale.of(self.min), self.scale.of(self.max));
        self.scale.back(min + share * (max - min))
    }
}

/// One tick of an axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// Its label.
    pub label: String,
    /// What stands below the label of a bottom axis, such as the year that the months belong to; most often nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub below: String,
}

/// What explains a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegendEntry {
    /// Which layer.
    pub layer: usize,
    /// What it is.
    pub label: String,
    /// The left end and middle height of its mark, which is as wide as the text is large.
    pub at: Point,
}

/// What the shades mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColorBar {
    /// What they show.
    pub label: String,
    /// Where the middle of that label is; it is turned by a quarter.
    pub label_at: Option<Point>,
    /// Where the bar is, the first colour at its lower end.
    pub area: Rect,
    /// The 256 colours.
    pub colors: Vec<Color>,
    /// From 0 at its lower end to 1 at the upper; labels are right of it.
    pub ticks: Vec<Tick>,
}

impl ColorBar {
    /// The colour of a shade.
    pub fn color(&self, shade: u8) -> Color {
        let place = usize::from(shade) * self.colors.len() / 256;
        self.colors.get(place).copied().unwrap_or_default()
    }
}

/// One layer. Buffers are places in [`Chart::buffers`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// Dots, each on those before it.
    Points {
        /// Buffer of x values.
        x: usize,
        /// Buffer of y values.
        y: usize,
        /// Buffer of shades, if the dots are coloured by something.
        shade: Option<usize>,
        /// Buffer of the numbers behind the shades, if the renderer wants every point.
        density: Option<usize>,
        /// Buffer of names.
        labels: Option<usize>,
        /// Half the width of a dot in pixels.
        radius: f64,
        /// How opaque one dot is, from 0 to 1.
        opacity: f64,
    },
    /// The same dots, gathered on the pixels of the area that their middles fall on. The buffers have a value for each
    /// pixel on which there are any, row by row from the top.
    Cells {
        /// Pixels side by side.
        columns: u32,
        /// Pixels one below the other.
        rows: u32,
        /// Buffer of which pixel it is: row × columns + column, rising.
        place: usize,
        /// Buffer of how many dots there are.
        count: usize,
        /// Buffer of the highest shade among them, which is drawn last.
        shade: Option<usize>,
        /// Half the width of a dot in pixels.
        radius: f64,
        /// How opaque one dot is, from 0 to 1.
        opacity: f64,
    },
    /// A line from point to point.
    Line {
        /// Buffer of x values.
        x: usize,
        /// Buffer of y values.
        y: usize,
        /// Whether it is measured by the right axis.
        right: bool,
        /// Whether there is a faint wash below it, which lies under all dots.
        wash: bool,
    },
    /// Full-height bands.
    Bands {
        /// Buffer of beginnings.
        from: usize,
        /// Buffer of ends.
        to: usize,
    },
}

impl<'a> Chart<'a> {
    /// The exact numbers of a buffer; none if it has others.
    pub fn numbers(&self, buffer: usize) -> &[f64] {
        match self.buffers.get(buffer) {
            Some(Buffer::F64(values)) => values,
            _ => &[],
        }
    }

    /// The short numbers of a buffer; none if it has others.
    pub fn small_numbers(&self, buffer: usize) -> &[f32] {
        match self.buffers.get(buffer) {
            Some(Buffer::F32(values)) => values,
            _ => &[],
        }
    }

    /// The shades of a buffer; none if it has others.
    pub fn shades(&self, buffer: usize) -> &[u8] {
        match self.buffers.get(buffer) {
            Some(Buffer::U8(values)) => values,
            _ => &[],
        }
    }

    /// The whole numbers of a buffer; none if it has others.
    pub fn whole_numbers(&self, buffer: usize) -> &[u32] {
        match self.buffers.get(buffer) {
            Some(Buffer::U32(values)) => values,
            _ => &[],
        }
    }

    /// The texts of a buffer; none if it has others.
    pub fn texts(&self, buffer: usize) -> impl Iterator<Item = &str> {
        let text = match self.buffers.get(buffer) {
            Some(Buffer::Text(text)) => text,
            _ => "",
        };
        text.split_terminator('\n')
    }

    /// Adds a buffer and says its place.
    pub fn push(&mut self, buffer: Buffer<'a>) -> usize {
        self.buffers.push(buffer);
        self.buffers.len() - 1
    }

    /// From the left side of the target to a value of the bottom axis.
    pub fn across(&self, x: f64) -> f64 {
        self.area.left + self.x.share(x) * self.area.width
    }

    /// From the top of the target to a value of an upright axis.
    pub fn down(&self, axis: &Axis, y: f64) -> f64 {
        self.area.bottom() - axis.share(y) * self.area.height
    }
}
