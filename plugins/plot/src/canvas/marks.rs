//! Everything that was drawn on a picture, aligned to whole pixels and ready to be drawn on any stripe by any thread.

use std::ops::Range;

use itch_plugin::{Chart, Color, Layer, Point, Rect};

use super::dots::{Cells, Dots};
use super::glyphs::Glyphs;
use super::line::{FillBelow, Line};
use super::paint::{Area, Paint, mix};
use super::stripe::Stripe;
use super::text;
use super::{Anchor, Canvas, Label, Pen};

/// With at least so many rectangles side by side, their rows are drawn in one pass.
const MANY: usize = 8;

/// Rectangles side by side, in the same rows and with the same colour.
#[derive(Clone, Debug)]
struct Fill {
    rows: Range<usize>,
    /// Columns from left to right, without overlaps.
    spans: Vec<(usize, usize)>,
    paint: usize,
}

impl Fill {
    /// Whether a rectangle can be added.
    fn takes(&self, area: &Area, paint: usize) -> bool {
        let after = self.spans.last().is_none_or(|span| span.1 <= area.left);
        self.rows == (area.top..area.bottom) && self.paint == paint && after
    }

    fn draw(&self, paint: &Paint, stripe: &mut Stripe<'_>) {
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
        if let (Paint::Translucent { keep, add }, true) = (paint, self.spans.len() >= MANY) {
            // One pass over each row, including the gaps, is faster than many short passes.
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
                paint.put(&mut line[bytes(span)]);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Mark {
    Fill(Fill),
    Line(Line),
    FillBelow(FillBelow),
    Dots(Dots),
    Cells(Cells),
    Glyphs(Glyphs),
}

/// Everything that is drawn on a picture, from bottom to top.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub(crate) width: usize,
    pub(crate) height: usize,
    marks: Vec<Mark>,
    /// The colours of fills, without duplicates.
    paints: Vec<(Color, Paint)>,
}

impl Marks {
    /// An empty picture with a black background.
    pub(crate) fn new(width: u32, height: u32) -> Marks {
        Marks {
            width: width as usize,
            height: height as usize,
            marks: Vec::new(),
            paints: Vec::new(),
        }
    }

    /// The marks of a whole chart.
    pub(crate) fn of(chart: &Chart<'_>) -> Marks {
        let mut marks = Marks::new(chart.target.width, chart.target.height);
        super::draw(chart, &mut marks);
        marks
    }

    /// Draws the marks on a stripe. `chart` has to be the chart that they were made from.
    pub(super) fn draw(&self, chart: &Chart<'_>, stripe: &mut Stripe<'_>) {
        for mark in &self.marks {
            match mark {
                Mark::Fill(fill) => fill.draw(&self.paints[fill.paint].1, stripe),
                Mark::Line(line) => line.draw(stripe),
                Mark::FillBelow(wash) => wash.draw(stripe),
                Mark::Dots(spots) => spots.draw(stripe),
                Mark::Cells(cells) => cells.draw(chart, stripe),
                Mark::Glyphs(glyphs) => glyphs.draw(stripe),
            }
        }
    }

    /// The part of a rectangle inside the picture, in whole pixels.
    fn whole(&self, rect: Rect) -> Area {
        let clamp = |value: f64, most: usize| (value.max(0.0) as usize).min(most);
        Area {
            left: clamp(rect.left.round(), self.width),
            top: clamp(rect.top.round(), self.height),
            right: clamp(rect.right().round(), self.width),
            bottom: clamp(rect.bottom().round(), self.height),
        }
    }

    fn paint(&mut self, color: Color) -> usize {
        let known = self.paints.iter().position(|(known, _)| *known == color);
        known.unwrap_or_else(|| {
            self.paints.push((color, Paint::of(color)));
            self.paints.len() - 1
        })
    }
}

impl Canvas for Marks {
    fn fill(&mut self, rect: Rect, color: Color) {
        let area = self.whole(rect);
        if area.left >= area.right || area.top >= area.bottom {
            return;
        }
        let paint = self.paint(color);
        match self.marks.last_mut() {
            Some(Mark::Fill(fill)) if fill.takes(&area, paint) => {
                fill.spans.push((area.left, area.right));
            }
            _ => self.marks.push(Mark::Fill(Fill {
                rows: area.top..area.bottom,
                spans: vec![(area.left, area.right)],
                paint,
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

    fn fill_below(&mut self, points: &[Point], color: Color, clip: Rect) {
        let wash = FillBelow::new(points, Paint::of(color), self.whole(clip));
        self.marks.push(Mark::FillBelow(wash));
    }

    fn dot(&mut self, at: Point, radius: f64, color: Color, clip: Rect) {
        let mut spots = Dots::new(radius, color.opacity(), self.whole(clip));
        spots.add(at, color);
        self.marks.push(Mark::Dots(spots));
    }

    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer) {
        let area = self.whole(chart.area);
        match layer {
            Layer::Points { .. } => {
                let spots = Dots::of(chart, layer, area);
                self.marks.extend(spots.map(Mark::Dots));
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
            // Base lines are rounded to whole pixels, so that all letters of a line are equally sharp.
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
    fn rectangles_side_by_side_are_drawn_at_once_and_change_nothing_between_them() {
        let color = Color::new(20, 120, 220).with_alpha(90);
        let (mut many, mut single) = (Marks::new(200, 7), Marks::new(200, 7));
        for number in 0..3 * MANY {
            let rect = rect(1 + number * 8, 1 + number % 8);
            many.fill(rect, color);
            single.fill(rect, color);
            // A mark on other rows begins a new group.
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
