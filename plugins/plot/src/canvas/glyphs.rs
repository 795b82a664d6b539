//! Texts on pixels: antialiased, filled outlines.

use ab_glyph_rasterizer::{Rasterizer, point};
use itch_plugin::Color;

use super::paint::{Area, blend};
use super::stripe::Stripe;
use super::text::Stroke;

/// A text as a mask: how much of each pixel it covers, from 0 to 256.
#[derive(Clone, Debug)]
pub(super) struct Glyphs {
    left: isize,
    top: isize,
    width: usize,
    shares: Vec<u16>,
    color: [u8; 3],
}

impl Glyphs {
    /// Fills outlines; `place` maps a point of the outlines to the mask.
    pub(super) fn of(strokes: &[Stroke], place: impl Fn(f32, f32) -> (f32, f32), color: Color) -> Option<Glyphs> {
        let mut low = (f32::MAX, f32::MAX);
        let mut high = (f32::MIN, f32::MIN);
        let mut stretch = |x: f32, y: f32| {
            let (x, y) = place(x, y);
            low = (low.0.min(x), low.1.min(y));
            high = (high.0.max(x), high.1.max(y));
        };
        for stroke in strokes {
            match *stroke {
                Stroke::Move(x, y) | Stroke::Line(x, y) => stretch(x, y),
                Stroke::Quad(x1, y1, x, y) => {
                    stretch(x1, y1);
                    stretch(x, y);
                }
                Stroke::Curve(x1, y1, x2, y2, x, y) => {
                    stretch(x1, y1);
                    stretch(x2, y2);
                    stretch(x, y);
                }
                Stroke::Close => {}
            }
        }
        let (left, top) = (low.0.floor() - 1.0, low.1.floor() - 1.0);
        let (width, height) = (high.0 - left + 2.0, high.1 - top + 2.0);
        // A text that is longer than the largest picture is not drawn, so that it cannot use much memory.
        if strokes.is_empty() || (width * height).is_nan() || width * height >= 1e8 {
            return None;
        }
        let (width, height) = (width as usize + 1, height as usize + 1);
        let mut rasterizer = Rasterizer::new(width, height);
        let at = |x: f32, y: f32| {
            let (x, y) = place(x, y);
            point(x - left, y - top)
        };
        let (mut first, mut last) = (point(0.0, 0.0), point(0.0, 0.0));
        for stroke in strokes {
            match *stroke {
                Stroke::Move(x, y) => {
                    first = at(x, y);
                    last = first;
                }
                Stroke::Line(x, y) => {
                    rasterizer.draw_line(last, at(x, y));
                    last = at(x, y);
                }
                Stroke::Quad(x1, y1, x, y) => {
                    rasterizer.draw_quad(last, at(x1, y1), at(x, y));
                    last = at(x, y);
                }
                Stroke::Curve(x1, y1, x2, y2, x, y) => {
                    rasterizer.draw_cubic(last, at(x1, y1), at(x2, y2), at(x, y));
                    last = at(x, y);
                }
                Stroke::Close => {
                    rasterizer.draw_line(last, first);
                    last = first;
                }
            }
        }
        let whole = f32::from(color.alpha) * 256.0 / 255.0;
        let mut shares = vec![0; width * height];
        rasterizer.for_each_pixel(|place, share| {
            shares[place] = (share.clamp(0.0, 1.0) * whole) as u16;
        });
        Some(Glyphs {
            left: left as isize,
            top: top as isize,
            width,
            shares,
            color: color.bytes(),
        })
    }

    pub(super) fn draw(&self, stripe: &mut Stripe<'_>) {
        let rows = (self.shares.len() / self.width) as isize;
        let within = |place: isize| usize::try_from(place).unwrap_or(0);
        let area = Area {
            left: within(self.left).min(stripe.width),
            top: within(self.top),
            right: within(self.left + self.width as isize).min(stripe.width),
            bottom: within(self.top + rows),
        };
        for (y, line) in stripe.lines(area) {
            let row = within(y as isize - self.top);
            let from = row * self.width + within(area.left as isize - self.left);
            let shares = &self.shares[from..(row + 1) * self.width];
            for (pixel, share) in line.as_chunks_mut().0.iter_mut().zip(shares) {
                if *share > 0 {
                    blend(pixel, self.color, u32::from(*share));
                }
            }
        }
    }
}
