//! What is asked of a chart.

use std::str::FromStr;

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Color, Detail, Mark, Target, Theme};
use itch_table::Zone;

/// What to draw of a table, for which target, in which looks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Dots, the running count, or both.
    pub mark: Mark,
    /// Centred above the chart.
    pub title: String,
    /// What stands below the bottom axis; the column's name if not given.
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
    /// The colours of everything else.
    pub theme: Theme,
    /// The time zone of labels.
    pub zone: Zone,
    /// What it is drawn for.
    pub target: Target,
    /// How much of the data the renderer wants.
    pub detail: Detail,
    /// Whether dots are drawn one by one.
    pub dots: Dots,
    /// Beginnings and ends of bands; one without an end goes on.
    pub bands: Vec<(f64, Option<f64>)>,
    /// What the bands are.
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

/// What is asked of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AxisRequest {
    /// Where it begins; at the data if not given.
    pub min: Option<f64>,
    /// Where it ends; at the data if not given.
    pub max: Option<f64>,
    /// Whether it is divided by logarithms.
    pub log: bool,
}

impl AxisRequest {
    /// Whether a value is between the bounds and has a place on the axis.
    pub fn holds(&self, value: f64) -> bool {
        value.is_finite()
            && self.min.is_none_or(|min| min <= value)
            && self.max.is_none_or(|max| value <= max)
            && (!self.log || value > 0.0)
    }

    /// Refuses bounds that leave nothing between them.
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
            return refuse(format!("a logarithmic {name} axis has no place for {lowest}"));
        }
        Ok(())
    }
}

/// How densities become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DensityScale {
    /// By the density itself: only what is densest stands out.
    Linear,
    /// By its logarithm, over four decades.
    #[default]
    Log,
    /// By how many dots are in thinner places.
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
    /// Up to the number that the renderer names.
    #[default]
    Auto,
    /// However many there are.
    Single,
    /// Never: gathered on the pixels.
    Image,
}

/// A run of colours that differ as much as what they stand for, also to people who cannot tell red from green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorMap {
    /// Purple to yellow over green.
    Viridis,
    /// Blue to yellow over red.
    #[default]
    Plasma,
    /// Black to yellow over red.
    Inferno,
    /// Black to white over red.
    Magma,
    /// Blue to yellow over grey, the same to every eye.
    Cividis,
    /// Blue to red over green: more steps, less even.
    Turbo,
}

impl ColorMap {
    /// Their names.
    pub const NAMES: [&'static str; 6] = ["plasma", "viridis", "inferno", "magma", "cividis", "turbo"];

    /// 256 colours, without those at the end that cannot be seen on the theme's ground.
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
            // A dot by itself has the first colour, and has to be seen on the ground.
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
    let message = format!("there is no {what} `{}`", text.escape_debug());
    Error::new(ErrorKind::Usage, message).hint(format!("choose among {}", names.join(", ")))
}
