//! Putting colours on pixels: on one, or on many side by side.

use itch_plugin::Color;

/// A part of the picture in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

/// Puts a colour on a pixel, by a share from 0 to 256.
pub(crate) fn blend(pixel: &mut [u8; 3], color: [u8; 3], share: u32) {
    for (below, top) in pixel.iter_mut().zip(color) {
        let mixed = u32::from(*below) * (256 - share) + u32::from(top) * share;
        *below = ((mixed + 128) >> 8) as u8;
    }
}

/// Whole pixels, whose bytes repeat after three, and whole steps of a vector unit.
pub(super) const RUN: usize = 24;

/// What becomes of a byte of which `keep` of 256 shines through `add`.
pub(super) fn mix(below: u8, keep: u16, add: u16) -> u8 {
    ((u16::from(below) * keep + add) >> 8) as u8
}

/// One colour for many pixels.
#[derive(Clone, Debug)]
pub(crate) enum Paint {
    /// Nothing shines through.
    Opaque([u8; 3]),
    /// What is below counts by `keep` of 256, and `add` comes on top of each byte of a run.
    Translucent { keep: u16, add: [u16; RUN] },
}

impl Paint {
    pub(super) fn of(color: Color) -> Paint {
        let bytes = color.bytes();
        if color.alpha == 255 {
            return Paint::Opaque(bytes);
        }
        let share = (color.opacity() * 256.0) as u16;
        let add = std::array::from_fn(|place| u16::from(bytes[place % 3]) * share + 128);
        let keep = 256 - share;
        Paint::Translucent { keep, add }
    }

    /// Puts it on pixels that lie side by side.
    #[inline]
    pub(crate) fn put(&self, pixels: &mut [u8]) {
        match self {
            Paint::Opaque([red, green, blue]) if red == green && green == blue => pixels.fill(*red),
            Paint::Opaque(color) => {
                let pixels = pixels.as_chunks_mut::<3>().0;
                pixels.fill(*color);
            }
            Paint::Translucent { keep, add } => {
                for run in pixels.chunks_mut(RUN) {
                    for (byte, add) in run.iter_mut().zip(add) {
                        *byte = mix(*byte, *keep, *add);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paint_is_what_blends_on_each_pixel() {
        for color in [Color::new(9, 200, 77), Color::new(250, 3, 128)] {
            for alpha in [0, 1, 100, 254, 255] {
                let color = color.with_alpha(alpha);
                let mut run: Vec<u8> = (0..=254).collect();
                let mut single = run.clone();
                Paint::of(color).put(&mut run);
                for pixel in single.as_chunks_mut().0 {
                    blend(pixel, color.bytes(), (color.opacity() * 256.0) as u32);
                }
                assert_eq!(run, single, "{color:?}");
            }
        }
    }
}
