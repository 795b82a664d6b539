//! Colours, and the two themes of charts.

use std::fmt;
use std::str::FromStr;

use itch_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// A colour, `#rrggbb` or `#rrggbbaa` as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
    /// The opacity, from 0 (invisible) to 255 (opaque).
    pub alpha: u8,
}

impl Color {
    /// An opaque colour.
    pub const fn new(red: u8, green: u8, blue: u8) -> Color {
        Color {
            red,
            green,
            blue,
            alpha: 255,
        }
    }

    /// The same colour with another opacity.
    pub const fn with_alpha(self, alpha: u8) -> Color {
        Color { alpha, ..self }
    }

    /// Red, green and blue.
    pub const fn bytes(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }

    /// The opacity, from 0 to 1.
    pub fn opacity(self) -> f64 {
        f64::from(self.alpha) / 255.0
    }

    /// The visible colour on an opaque background.
    pub fn over(self, ground: Color) -> Color {
        let opacity = self.opacity();
        let mix = |top: u8, below: u8| (f64::from(top) * opacity + f64::from(below) * (1.0 - opacity)).round() as u8;
        Color::new(mix(self.red, ground.red), mix(self.green, ground.green), mix(self.blue, ground.blue))
    }
}

impl Default for Color {
    fn default() -> Color {
        Color::new(0, 0, 0)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)?;
        if self.alpha < 255 {
            write!(f, "{:02x}", self.alpha)?;
        }
        Ok(())
    }
}

impl From<Color> for String {
    fn from(color: Color) -> String {
        color.to_string()
    }
}

impl TryFrom<String> for Color {
    type Error = Error;

    fn try_from(text: String) -> Result<Color, Error> {
        text.parse()
    }
}

impl FromStr for Color {
    type Err = Error;

    fn from_str(text: &str) -> Result<Color, Error> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let number = u32::from_str_radix(digits, 16).ok();
        let [red, green, blue, alpha] = match (number, digits.len()) {
            (Some(number), 6) => (number << 8 | 0xff).to_be_bytes(),
            (Some(number), 8) => number.to_be_bytes(),
            _ => {
                let message = format!("`{}` is not a colour", text.escape_debug());
                return Err(Error::new(ErrorKind::Usage, message).hint("write `#rrggbb`"));
            }
        };
        Ok(Color {
            red,
            green,
            blue,
            alpha,
        })
    }
}

/// The colours of everything except shaded dots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// `dark` or `light`.
    pub name: String,
    /// The background.
    pub background: Color,
    /// Titles, labels, frame and ticks.
    pub text: Color,
    /// The grid lines behind the data.
    pub grid: Color,
    /// Dots without a shade.
    pub dots: Color,
    /// Bands.
    pub bands: Color,
    /// Lines.
    pub line: Color,
    /// The fill below a line.
    pub wash: Color,
}

impl Theme {
    /// Light on near black.
    pub fn dark() -> Theme {
        Theme {
            name: "dark".to_owned(),
            background: Color::new(0x0d, 0x0d, 0x0d),
            text: Color::new(0xb3, 0xb3, 0xb3),
            grid: Color::new(0x40, 0x40, 0x40),
            dots: Color::new(0x4d, 0x8d, 0xff),
            bands: Color::new(0x2e, 0xb8, 0x5c).with_alpha(0x48),
            line: Color::new(0xf5, 0xf5, 0xf5),
            wash: Color::new(0xf5, 0xf5, 0xf5).with_alpha(0x12),
        }
    }

    /// Dark on white.
    pub fn light() -> Theme {
        Theme {
            name: "light".to_owned(),
            background: Color::new(0xff, 0xff, 0xff),
            text: Color::new(0x33, 0x33, 0x33),
            grid: Color::new(0xd0, 0xd0, 0xd0),
            dots: Color::new(0x1f, 0x5f, 0xd6),
            bands: Color::new(0x2e, 0xa0, 0x55).with_alpha(0x40),
            line: Color::new(0x11, 0x11, 0x11),
            wash: Color::new(0x11, 0x11, 0x11).with_alpha(0x0e),
        }
    }
}

impl Default for Theme {
    fn default() -> Theme {
        Theme::dark()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_text_and_back() {
        for text in ["#0d0d0d", "#ff8000", "#2eb85c48"] {
            assert_eq!(text.parse::<Color>().unwrap().to_string(), text);
        }
        for text in ["", "#fff", "red", "#gggggg", "#-12345"] {
            assert!(text.parse::<Color>().is_err(), "{text}");
        }
    }
}
