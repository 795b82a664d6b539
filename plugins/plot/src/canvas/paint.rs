//! Blends colours into pixels: single ones, or many side by side.

use itch_plugin::Color;

/// A part of the picture in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

/// Blends a colour into a pixel, by a share from 0 to 256.
pub(crate) fn blend(pixel: &mut [u8; 3], color: [u8; 3], share: u32) {
    for (below, top) in pixel.iter_mut().zip(color) {
        let mixed = u32::from(*below) * (256 - share) + u32::from(top) * share;
        *below = ((mixed + 128) >> 8) as u8;
    }
}

/// The length of a run: whole pixels of three bytes, and whole vector registers.
pub(super) const RUN: usize = 24;

/// Blends a byte: `keep` of 256 of it remains, and `add` is added.
pub(super) fn mix(below: u8, keep: u16, add: u16) -> u8 {
    ((u16::from(below) * keep + add) >> 8) as u8
}

/// A colour that is blended into many pixels.
#[derive(Clone, Debug)]
pub(crate) enum Paint {
    /// The colour is opaque.
    Opaque([u8; 3]),
    /// Of each byte `keep` of 256 remains, and the byte of `add` is added.
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

    /// Blends the colour into pixels that are side by side.
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
