//! What is asked of a chart.

use std::str::FromStr;

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Color, Detail, Mark, Target, Theme};
use itch_table::Zone;

/// What to draw of a table, for which target, and how it looks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Dots, the running count, or both.
    pub mark: Mark,
    /// Centred above the chart.
    pub title: String,
    /// The label below the bottom axis; the name of the column if `None`.
    pub x_label: Option<String>,
    /// The bottom axis.
    pub x: AxisRequest,
    /// The left axis.
    pub y: AxisRequest,
    /// Whether dots are coloured by density.
    pub density: bool,
    /// How densities become colours.
    pub density_scale: DensityScale,
    /// The colours of densities.
    pub color_map: ColorMap,
    /// The colours of everything except densities.
    pub theme: Theme,
    /// The time zone of labels.
    pub zone: Zone,
    /// What it is drawn on.
    pub target: Target,
    /// How much of the data the renderer asks for.
    pub detail: Detail,
    /// Whether dots are drawn one by one.
    pub dots: Dots,
    /// Start and end of bands; a band without an end is still running.
    pub bands: Vec<(f64, Option<f64>)>,
    /// What the bands are, for labels and messages.
    pub bands_label: String,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            mark: Mark::Mixed,
            title: String::new(),
            x_label: None,
            x: AxisRequest::default(),
            y: AxisRequest::default(),
            density: false,
            density_scale: DensityScale::default(),
            color_map: ColorMap::default(),
            theme: Theme::default(),
            zone: Zone::default(),
            target: Target::default(),
            detail: Detail::Pixels,
            dots: Dots::default(),
            bands: Vec::new(),
            bands_label: "streams".to_owned(),
        }
    }
}

/// The options of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AxisRequest {
    /// The lower bound; taken from the data if `None`.
    pub min: Option<f64>,
    /// The upper bound; taken from the data if `None`.
    pub max: Option<f64>,
    /// Whether the axis is logarithmic.
    pub log: bool,
}

impl AxisRequest {
    /// Whether a value is between the bounds and can be shown on the axis.
    pub fn holds(&self, value: f64) -> bool {
        value.is_finite()
            && self.min.is_none_or(|min| min <= value)
            && self.max.is_none_or(|max| value <= max)
            && (!self.log || value > 0.0)
    }

    /// Refuses bounds that leave no range between them.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        let refuse = |message: String| Err(Error::new(ErrorKind::Usage, message));
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min >= max
        {
            return refuse(format!("the {name} axis would end before it begins").replace(
                "end before it begins",
                if min == max {
                    "have no length"
                } else {
                    "end before it begins"
                },
            ));
        }
        let lowest = [self.min, self.max].into_iter().flatten().fold(f64::MAX, f64::min);
        if self.log && lowest <= 0.0 {
            return refuse(format!(
                "a logarithmic {name} axis cannot show {lowest}: its bounds have to be greater than 0"
            ));
        }
        Ok(())
    }
}

/// How densities become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DensityScale {
    /// By the density itself: only the densest parts stand out.
    Linear,
    /// By the logarithm of the density, over four decades.
    #[default]
    Log,
    /// By how many dots are in less dense places.
    Rank,
}

impl DensityScale {
    /// Their names.
    pub const NAMES: [&'static str; 3] = ["linear", "log", "rank"];
}

impl FromStr for DensityScale {
    type Err = Error;

    fn from_str(text: &str) -> Result<DensityScale> {
        match text {
            "linear" => Ok(DensityScale::Linear),
            "log" => Ok(DensityScale::Log),
            "rank" => Ok(DensityScale::Rank),
            _ => Err(unknown("scale", text, &DensityScale::NAMES)),
        }
    }
}

/// Whether dots are drawn one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dots {
    /// Up to the number of dots that the renderer names.
    #[default]
    Auto,
    /// Always.
    Single,
    /// Never: counts per pixel are drawn.
    Image,
}

/// A perceptually uniform range of colours, also for people who cannot tell red from green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorMap {
    /// From purple over green to yellow.
    Viridis,
    /// From blue over red to yellow.
    #[default]
    Plasma,
    /// From black over red to yellow.
    Inferno,
    /// From black over red to white.
    Magma,
    /// From blue over grey to yellow; looks the same with every kind of colour blindness.
    Cividis,
    /// From blue over green to red: more distinct colours, but less uniform.
    Turbo,
}

impl ColorMap {
    /// Their names.
    pub const NAMES: [&'static str; 6] = ["plasma", "viridis", "inferno", "magma", "cividis", "turbo"];

    /// 256 colours, without the end of the range that is not visible on the background of the theme.
    pub(crate) fn colors(self, theme: &Theme) -> Vec<Color> {
        let gradient = match self {
            ColorMap::Viridis => colorous::VIRIDIS,
            ColorMap::Plasma => colorous::PLASMA,
            ColorMap::Inferno => colorous::INFERNO,
            ColorMap::Magma => colorous::MAGMA,
            ColorMap::Cividis => colorous::CIVIDIS,
            ColorMap::Turbo => colorous::TURBO,
        };
        let ground = theme.background;
        let dark = u32::from(ground.red) + u32::from(ground.green) + u32::from(ground.blue) < 384;
        let (from, to) = match (self, dark) {
            (ColorMap::Turbo, _) => (0.05, 0.97),
            // A single dot gets the first colour and has to be visible on the background.
            (ColorMap::Inferno | ColorMap::Magma, true) => (0.4, 1.0),
            (_, true) => (0.25, 1.0),
            (ColorMap::Plasma | ColorMap::Viridis | ColorMap::Cividis, false) => (0.0, 0.88),
            (_, false) => (0.0, 0.82),
        };
        (0..256)
            .map(|place| {
                let color = gradient.eval_continuous(from + (to - from) * f64::from(place) / 255.0);
                Color::new(color.r, color.g, color.b)
            })
            .collect()
    }
}

impl FromStr for ColorMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<ColorMap> {
        Ok(match text {
            "viridis" => ColorMap::Viridis,
            "plasma" => ColorMap::Plasma,
            "inferno" => ColorMap::Inferno,
            "magma" => ColorMap::Magma,
            "cividis" => ColorMap::Cividis,
            "turbo" => ColorMap::Turbo,
            _ => return Err(unknown("colour map", text, &ColorMap::NAMES)),
        })
    }
}

fn unknown(what: &str, text: &str, names: &[&str]) -> Error {
    let message = format!("unknown {what} `{}`", text.escape_debug());
    Error::new(ErrorKind::Usage, message).hint(format!("use one of {}", names.join(", ")))
}
