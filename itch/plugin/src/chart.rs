//! A finished chart for a renderer. Scales, ticks, positions and the reduction to the target's size are already done.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::color::{Color, Theme};

/// How many dots are drawn one by one. Above this number they are aggregated per pixel, unless the user or the renderer
/// sets another number.
pub const SINGLE_DOTS: u64 = 50_000;

/// A chart for one target. The data is in [`Chart::buffers`], so that millions of points cross the plugin boundary
/// without a copy, and not as JSON.
///
/// Lengths and positions are in pixels from the top left corner of the target. Tick labels have no position: those of
/// `x` are centred below the area, those of `y` end left of it, those of `y2` begin right of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chart<'a> {
    /// The title, centred at the top; may be in any script.
    pub title: String,
    /// The position of the middle of the title.
    pub title_at: Point,
    /// The target for which it is drawn.
    pub target: Target,
    /// Its colours.
    pub theme: Theme,
    /// The area for the data.
    pub area: Rect,
    /// The bottom axis.
    pub x: Axis,
    /// The left axis.
    pub y: Axis,
    /// The right axis, if there is one.
    pub y2: Option<Axis>,
    /// In drawing order: from the bottom layer to the top one.
    pub layers: Vec<Layer>,
    /// The legend: which layers are explained, and where.
    pub legend: Vec<LegendEntry>,
    /// The legend of the shades, if there are any.
    pub color_bar: Option<ColorBar>,
    /// The values; layers refer to them by index.
    #[serde(skip)]
    pub buffers: Vec<Buffer<'a>>,
}

/// An array of values of one type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Buffer<'a> {
    /// Coordinates and other exact numbers.
    F64(Cow<'a, [f64]>),
    /// Numbers with at most seven significant digits.
    F32(Cow<'a, [f32]>),
    /// Shades: indexes into [`ColorBar::colors`].
    U8(Cow<'a, [u8]>),
    /// Whole numbers.
    U32(Cow<'a, [u32]>),
    /// Texts, each followed by a line feed. A text contains no line feed.
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

/// A position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A rectangle on the target.
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

/// The target of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The width in pixels. A terminal without graphics has two pixels per character.
    pub width: u32,
    /// The height in pixels. A terminal without graphics has four pixels per character.
    pub height: u32,
    /// Dots per inch.
    pub dpi: f64,
    /// The size of text in pixels. The distance between lines is 1.25 times as large.
    pub text: f64,
    /// The width of a line.
    pub line: f64,
    /// The terminal, if the chart is drawn on one.
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

    /// Whether text is drawn in character cells of two by four pixels.
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

/// The properties of a terminal that a renderer needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// How it shows pictures.
    pub graphics: Graphics,
    /// Which colours it has.
    pub colors: Colors,
    /// The width of the picture in characters.
    pub columns: u32,
    /// The height of the picture in lines.
    pub rows: u32,
}

/// How a terminal shows pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Graphics {
    /// It cannot: two by four dots per character.
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
    /// No colours.
    None,
    /// The 256 colours of xterm.
    Palette,
    /// All colours.
    True,
}

/// The kind of values on an axis.
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

/// How values are mapped to positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scale {
    /// Linear: equal differences have equal lengths.
    #[default]
    Linear,
    /// Logarithmic: equal factors have equal lengths.
    Log,
}

/// Not inlined, since a compiler may otherwise compute it for every value before it is needed.
#[inline(never)]
fn logarithm(value: f64) -> f64 {
    value.log10()
}

impl Scale {
    /// The value on the scale of the axis: itself, or its logarithm.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => logarithm(value),
        }
    }

    /// The inverse.
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
    /// The label.
    pub label: String,
    /// The position of the middle of the label; `None` hides it. A vertical axis has its label turned by 90 degrees.
    pub label_at: Option<Point>,
    /// The kind of its values.
    pub kind: AxisKind,
    /// How values are mapped to positions.
    pub scale: Scale,
    /// The value at its beginning.
    pub min: f64,
    /// The value at its end.
    pub max: f64,
    /// The ticks in ascending order; their labels do not overlap.
    pub ticks: Vec<Tick>,
    /// The time zone of its labels, by its IANA name; empty for UTC and for numbers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone: String,
}

impl Axis {
    /// The relative position of a value on the axis: 0 at its beginning, 1 at its end.
    pub fn share(&self, value: f64) -> f64 {
        let (min, max) = (self.scale.of(self.min), self.scale.of(self.max));
        (self.scale.of(value) - min) / (max - min)
    }

    /// The value at a relative position.
    pub fn value(&self, share: f64) -> f64 {
        let (min, max) = (self.scale.of(self.min), self.scale.of(self.max));
        self.scale.back(min + share * (max - min))
    }
}

/// One tick of an axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tick {
    /// The value.
    pub at: f64,
    /// Its label.
    pub label: String,
    /// A second line below the label of a bottom axis, such as the year of the months; usually empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub below: String,
}

/// A legend entry of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegendEntry {
    /// The index of the layer.
    pub layer: usize,
    /// The text.
    pub label: String,
    /// The left end and middle height of its symbol, whose width is the text size.
    pub at: Point,
}

/// The legend of the shades.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColorBar {
    /// The label.
    pub label: String,
    /// The position of the middle of the label, which is turned by 90 degrees.
    pub label_at: Option<Point>,
    /// The area of the bar; the first colour is at its lower end.
    pub area: Rect,
    /// The 256 colours.
    pub colors: Vec<Color>,
    /// The ticks, from 0 at the lower end to 1 at the upper; labels are on the right.
    pub ticks: Vec<Tick>,
}

impl ColorBar {
    /// The colour of a shade.
    pub fn color(&self, shade: u8) -> Color {
        let place = usize::from(shade) * self.colors.len() / 256;
        self.colors.get(place).copied().unwrap_or_default()
    }
}

/// One layer. Buffers are indexes into [`Chart::buffers`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// Dots; later dots cover earlier ones.
    Points {
        /// The buffer of x values.
        x: usize,
        /// The buffer of y values.
        y: usize,
        /// The buffer of shades, if the dots are coloured by a value.
        shade: Option<usize>,
        /// The buffer of the values behind the shades, if the renderer wants every point.
        density: Option<usize>,
        /// The buffer of names.
        labels: Option<usize>,
        /// The radius of a dot in pixels.
        radius: f64,
        /// The opacity of one dot, from 0 to 1.
        opacity: f64,
    },
    /// The same dots, aggregated by the pixel of the area that contains their centre. The buffers have one value for
    /// each pixel with dots, row by row from the top.
    Cells {
        /// The number of pixels per row.
        columns: u32,
        /// The number of rows of pixels.
        rows: u32,
        /// The buffer of pixel numbers, row × columns + column, ascending.
        place: usize,
        /// The buffer of the numbers of dots.
        count: usize,
        /// The buffer of the highest shade of a pixel, which is drawn last.
        shade: Option<usize>,
        /// The radius of a dot in pixels.
        radius: f64,
        /// The opacity of one dot, from 0 to 1.
        opacity: f64,
    },
    /// A line through points.
    Line {
        /// The buffer of x values.
        x: usize,
        /// The buffer of y values.
        y: usize,
        /// Whether it uses the right axis.
        right: bool,
        /// Whether the area below it is filled with a faint colour, behind all dots.
        wash: bool,
    },
    /// Vertical bands of full height.
    Bands {
        /// The buffer of left edges.
        from: usize,
        /// The buffer of right edges.
        to: usize,
    },
}

impl<'a> Chart<'a> {
    /// The `f64` values of a buffer; empty for another type.
    pub fn numbers(&self, buffer: usize) -> &[f64] {
        match self.buffers.get(buffer) {
            Some(Buffer::F64(values)) => values,
            _ => &[],
        }
    }

    /// The `f32` values of a buffer; empty for another type.
    pub fn small_numbers(&self, buffer: usize) -> &[f32] {
        match self.buffers.get(buffer) {
            Some(Buffer::F32(values)) => values,
            _ => &[],
        }
    }

    /// The shades of a buffer; empty for another type.
    pub fn shades(&self, buffer: usize) -> &[u8] {
        match self.buffers.get(buffer) {
            Some(Buffer::U8(values)) => values,
            _ => &[],
        }
    }

    /// The `u32` values of a buffer; empty for another type.
    pub fn whole_numbers(&self, buffer: usize) -> &[u32] {
        match self.buffers.get(buffer) {
            Some(Buffer::U32(values)) => values,
            _ => &[],
        }
    }

    /// The texts of a buffer; empty for another type.
    pub fn texts(&self, buffer: usize) -> impl Iterator<Item = &str> {
        let text = match self.buffers.get(buffer) {
            Some(Buffer::Text(text)) => text,
            _ => "",
        };
        text.split_terminator('\n')
    }

    /// Adds a buffer and returns its index.
    pub fn push(&mut self, buffer: Buffer<'a>) -> usize {
        self.buffers.push(buffer);
        self.buffers.len() - 1
    }

    /// The distance of a value of the bottom axis from the left side of the target.
    pub fn across(&self, x: f64) -> f64 {
        self.area.left + self.x.share(x) * self.area.width
    }

    /// The distance of a value of a vertical axis from the top of the target.
    pub fn down(&self, axis: &Axis, y: f64) -> f64 {
        self.area.bottom() - axis.share(y) * self.area.height
    }
}
