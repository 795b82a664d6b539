//! A finished chart: what a renderer draws. Scales, ticks and reduction to the target's size are already done.

use serde::{Deserialize, Serialize};

/// A chart for one target. Data stand in [`Chart::buffers`], so that millions of points cross the plugin boundary
/// as bytes and not as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chart {
    /// Centred above everything; may be in any script.
    pub title: String,
    /// What it is drawn for.
    pub target: Target,
    /// Along the bottom.
    pub x: Axis,
    /// Up the left side.
    pub y: Axis,
    /// Up the right side, if there is one.
    pub y2: Option<Axis>,
    /// From the bottom of the pile to its top.
    pub layers: Vec<Layer>,
    /// The numbers that the layers name by their place here.
    #[serde(skip)]
    pub buffers: Vec<Vec<f64>>,
}

/// What a chart is drawn for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Pixels, or terminal columns.
    pub width: u32,
    /// Pixels, or terminal rows.
    pub height: u32,
    /// Dots per inch: the size of text and lines.
    pub dpi: f64,
    /// Light on dark, or dark on light.
    pub dark: bool,
    /// Whether it goes to a terminal.
    pub terminal: bool,
}

impl Default for Target {
    fn default() -> Target {
        Target {
            width: 2160,
            height: 1080,
            dpi: 180.0,
            dark: true,
            terminal: false,
        }
    }
}

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// The value at its beginning.
    pub min: f64,
    /// The value at its end.
    pub max: f64,
    /// Best first: a renderer drops from the end those whose labels collide.
    pub ticks: Vec<Tick>,
}

/// One tick of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// Its label where there is room.
    pub long: String,
    /// Its label where there is little.
    pub short: String,
}

/// One layer. Numbers are places in [`Chart::buffers`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// Dots.
    Points {
        /// For the legend.
        label: String,
        /// Buffer of x values.
        x: usize,
        /// Buffer of y values.
        y: usize,
        /// Buffer of shades from 0 to 1, if the dots are coloured by something.
        shade: Option<usize>,
    },
    /// A line from point to point.
    Line {
        /// For the legend.
        label: String,
        /// Buffer of x values.
        x: usize,
        /// Buffer of y values.
        y: usize,
        /// Whether it is measured by the right axis.
        right: bool,
    },
    /// Full-height bands.
    Bands {
        /// For the legend.
        label: String,
        /// Buffer of beginnings.
        from: usize,
        /// Buffer of ends.
        to: usize,
    },
}
