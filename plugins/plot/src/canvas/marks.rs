//! What a picture of pixels is made of: everything that was drawn, placed on whole pixels and ready to be put on any
//! rows of them, by whichever thread has these.

use std::ops::Range;

use ab_glyph_rasterizer::{Rasterizer, point};
use itch_plugin::{Chart, Color, Layer, Point, Rect};

use super::dots::{Cells, Spots};
use super::line::{Line, Wash};
use super::stripe::Stripe;
use super::text::{self, Stroke};
use super::{Anchor, Canvas, Label, Pen};

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

/// From so many rectangles on, side by side, a row is passed over as a whole.
const MANY: usize = 8;

/// What becomes of a byte of which `keep` of 256 shines through `add`.
fn mix(below: u8, keep: u16, add: u16) -> u8 {
    ((u16::from(below) * keep + add) >> 8) as u8
}

/// One colour for many pixels.
#[derive(Clone, Debug)]
pub(crate) enum Coat {
    /// Nothing shines through.
    Opaque([u8; 3]),
    /// What is below counts by `keep` of 256, and `add` comes on top of each byte of a run.
    Shining { keep: u16, add: [u16; RUN] },
}

impl Coat {
    fn of(color: Color) -> Coat {
        let bytes = color.bytes();
        if color.alpha == 255 {
            return Coat::Opaque(bytes);
        }
        let share = (color.opacity() * 256.0) as u16;
        let add = std::array::from_fn(|place| u16::from(bytes[place % 3]) * share + 128);
        let keep = 256 - share;
        Coat::Shining { keep, add }
    }

    /// Puts it on pixels that lie side by side.
    #[inline]
    pub(crate) fn put(&self, pixels: &mut [u8]) {
        match self {
            Coat::Opaque([red, green, blue]) if red == green && green == blue => pixels.fill(*red),
            Coat::Opaque(color) => {
                let pixels = pixels.as_chunks_mut::<3>().0;
                pixels.fill(*color);
            }
            Coat::Shining { keep, add } => {
                for run in pixels.chunks_mut(RUN) {
                    for (byte, add) in run.iter_mut().zip(add) {
                        *byte = mix(*byte, *keep, *add);
                    }
                }
            }
        }
    }
}

/// A text as the shares, from 0 to 256, by which it covers pixels.
#[derive(Clone, Debug)]
struct Glyphs {
    left: isize,
    top: isize,
    width: usize,
    shares: Vec<u16>,
    color: [u8; 3],
}

impl Glyphs {
    /// Fills outlines; `place` says where a point of them goes.
    fn of(strokes: &[Stroke], place: impl Fn(f32, f32) -> (f32, f32), color: Color) -> Option<Glyphs> {
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
        // A text longer than a picture can be wide is not drawn rather than given memory.
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

    fn draw(&self, stripe: &mut Stripe<'_>) {
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

/// Rectangles side by side, of the same rows and with the same colour.
#[derive(Clone, Debug)]
struct Fill {
    rows: Range<usize>,
    /// Columns from left to right; none are in two.
    spans: Vec<(usize, usize)>,
    coat: usize,
}

impl Fill {
    /// Whether a rectangle could be one of them.
    fn takes(&self, area: &Area, coat: usize) -> bool {
        let after = self.spans.last().is_none_or(|span| span.1 <= area.left);
        self.rows == (area.top..area.bottom) && self.coat == coat && after
    }

    fn draw(&self, coat: &Coat, stripe: &mut Stripe<'_>) {
        let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) else {
            return;
        };
        let area = Area {
            left: first.0,
            right: last.1,
            top: self.rows.start,
            bottom: self.rows.end,
        };
        if stripe.within(area).is_empty() {
            return;
        }
        let bytes = |span: &(usize, usize)| (span.0 - area.left) * 3..(span.1 - area.left) * 3;
        if let (Coat::Shining { keep, add }, true) = (coat, self.spans.len() >= MANY) {
            // One pass over each row, gaps and all, is faster than many short ones.
            let mut factors = vec![(256u16, 0u16); (area.right - area.left) * 3];
            for span in &self.spans {
                for (factor, add) in factors[bytes(span)].iter_mut().zip(add.iter().cycle()) {
                    *factor = (*keep, *add);
                }
            }
            let (keep, add): (Vec<u16>, Vec<u16>) = factors.into_iter().unzip();
            for (_, line) in stripe.lines(area) {
                for ((byte, keep), add) in line.iter_mut().zip(&keep).zip(&add) {
                    *byte = mix(*byte, *keep, *add);
                }
            }
            return;
        }
        for (_, line) in stripe.lines(area) {
            for span in &self.spans {
                coat.put(&mut line[bytes(span)]);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Mark {
    Fill(Fill),
    Line(Line),
    Wash(Wash),
    Spots(Spots),
    Cells(Cells),
    Glyphs(Glyphs),
}

/// Everything that is drawn on a picture, from the bottom of the pile to its top.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub(crate) width: usize,
    pub(crate) height: usize,
    marks: Vec<Mark>,
    /// Colours of fills, each once.
    coats: Vec<(Color, Coat)>,
}

impl Marks {
    /// Nothing on a black picture.
    pub(crate) fn new(width: u32, height: u32) -> Marks {
        Marks {
            width: width as usize,
            height: height as usize,
            marks: Vec::new(),
            coats: Vec::new(),
        }
    }

    /// A whole chart.
    pub(crate) fn of(chart: &Chart<'_>) -> Marks {
        let mut marks = Marks::new(chart.target.width, chart.target.height);
        super::draw(chart, &mut marks);
        marks
    }

    /// Puts them on a stripe. The chart is the one that they were made of.
    pub(crate) fn draw(&self, chart: &Chart<'_>, stripe: &mut Stripe<'_>) {
        for mark in &self.marks {
            match mark {
                Mark::Fill(fill) => fill.draw(&self.coats[fill.coat].1, stripe),
                Mark::Line(line) => line.draw(stripe),
                Mark::Wash(wash) => wash.draw(stripe),
                Mark::Spots(spots) => spots.draw(stripe),
                Mark::Cells(cells) => cells.draw(chart, stripe),
                Mark::Glyphs(glyphs) => glyphs.draw(stripe),
            }
        }
    }

    /// The part of a rectangle that is on the picture, in whole pixels.
    fn whole(&self, rect: Rect) -> Area {
        let clamp = |value: f64, most: usize| (value.max(0.0) as usize).min(most);
        Area {
            left: clamp(rect.left.round(), self.width),
            top: clamp(rect.top.round(), self.height),
            right: clamp(rect.right().round(), self.width),
            bottom: clamp(rect.bottom().round(), self.height),
        }
    }

    fn coat(&mut self, color: Color) -> usize {
        let known = self.coats.iter().position(|(known, _)| *known == color);
        known.unwrap_or_else(|| {
            self.coats.push((color, Coat::of(color)));
            self.coats.len() - 1
        })
    }
}

impl Canvas for Marks {
    fn fill(&mut self, rect: Rect, color: Color) {
        let area = self.whole(rect);
        if area.left >= area.right || area.top >= area.bottom {
            return;
        }
        let coat = self.coat(color);
        match self.marks.last_mut() {
            Some(Mark::Fill(fill)) if fill.takes(&area, coat) => {
                fill.spans.push((area.left, area.right));
            }
            _ => self.marks.push(Mark::Fill(Fill {
                rows: area.top..area.bottom,
                spans: vec![(area.left, area.right)],
                coat,
            })),
        }
    }

    fn rule(&mut self, from: Point, to: Point, width: f64, dotted: bool, color: Color) {
        let thick = width.round().max(1.0);
        let upright = from.x == to.x;
        let (start, end) = if upright {
            (from.y.min(to.y), from.y.max(to.y))
        } else {
            (from.x.min(to.x), from.x.max(to.x))
        };
        let step = if dotted { thick * 3.0 } else { end - start + thick };
        let mut at = start;
        while at < end {
            let long = if dotted { thick } else { step };
            let along = (at - if dotted { 0.0 } else { thick / 2.0 }, long);
            let across = (if upright { from.x } else { from.y } - thick / 2.0, thick);
            let (x, y) = if upright { (across, along) } else { (along, across) };
            self.fill(
                Rect {
                    left: x.0,
                    top: y.0,
                    width: x.1,
                    height: y.1,
                },
                color,
            );
            at += step.max(1.0);
        }
    }

    fn polyline(&mut self, points: &[Point], pens: &[Pen], clip: Rect) {
        let clip = self.whole(clip);
        self.marks.push(Mark::Line(Line::new(points, pens, clip)));
    }

    fn wash(&mut self, points: &[Point], color: Color, clip: Rect) {
        let wash = Wash::new(points, Coat::of(color), self.whole(clip));
        self.marks.push(Mark::Wash(wash));
    }

    fn dot(&mut self, at: Point, radius: f64, color: Color, clip: Rect) {
        let mut spots = Spots::new(radius, color.opacity(), self.whole(clip));
        spots.add(at, color);
        self.marks.push(Mark::Spots(spots));
    }

    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer) {
        let area = self.whole(chart.area);
        match layer {
            Layer::Points { .. } => {
                let spots = Spots::of(chart, layer, area);
                self.marks.extend(spots.map(Mark::Spots));
            }
            Layer::Cells { .. } => {
                let cells = Cells::of(chart, layer, area);
                self.marks.extend(cells.map(Mark::Cells));
            }
            _ => {}
        }
    }

    fn text(&mut self, label: Label<'_>) {
        if label.text.is_empty() {
            return;
        }
        let outline = text::outline(label.text, label.size);
        let before = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => outline.width / 2.0,
            Anchor::End => outline.width,
        };
        let base = (label.size * text::CAPITAL / 2.0) as f32;
        let (x, y) = (label.at.x as f32, label.at.y as f32);
        let glyphs = if label.turned {
            let place = |along, down| (x + down + base, y - along + before);
            Glyphs::of(&outline.strokes, place, label.color)
        } else {
            // Base lines on whole pixels: letters of one line are equally sharp.
            let y = (y + base).round();
            let place = |along, down| (x + along - before, y + down);
            Glyphs::of(&outline.strokes, place, label.color)
        };
        self.marks.extend(glyphs.map(Mark::Glyphs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::pixels::Pixels;

    fn rect(left: usize, width: usize) -> Rect {
        Rect {
            left: left as f64,
            top: 3.0,
            width: width as f64,
            height: 2.0,
        }
    }

    fn pixels(marks: &Marks, ground: u8) -> Vec<u8> {
        Pixels::draw(marks, &Chart::default(), ground).bytes
    }

    #[test]
    fn a_coat_is_what_blends_on_each_pixel() {
        for color in [Color::new(9, 200, 77), Color::new(250, 3, 128)] {
            for alpha in [0, 1, 100, 254, 255] {
                let color = color.with_alpha(alpha);
                let mut run: Vec<u8> = (0..=254).collect();
                let mut single = run.clone();
                Coat::of(color).put(&mut run);
                for pixel in single.as_chunks_mut().0 {
                    blend(pixel, color.bytes(), (color.opacity() * 256.0) as u32);
                }
                assert_eq!(run, single, "{color:?}");
            }
        }
    }

    #[test]
    fn rectangles_side_by_side_are_drawn_at_once_and_change_nothing_between_them() {
        let color = Color::new(20, 120, 220).with_alpha(90);
        let (mut many, mut single) = (Marks::new(200, 7), Marks::new(200, 7));
        for number in 0..3 * MANY {
            let rect = rect(1 + number * 8, 1 + number % 8);
            many.fill(rect, color);
            single.fill(rect, color);
            // Something on another row keeps the next one apart.
            single.fill(
                Rect {
                    top: 6.0,
                    height: 1.0,
                    ..rect
                },
                color,
            );
        }
        many.fill(rect(0, 100), color);
        single.fill(rect(0, 100), color);
        assert_eq!((many.marks.len(), single.marks.len()), (2, 6 * MANY + 1));
        let row = |bytes: Vec<u8>| bytes[..200 * 3 * 6].to_vec();
        assert_eq!(row(pixels(&many, 37)), row(pixels(&single, 37)));
    }
}
