//! The line of a running count on pixels, and the light fill below it.

use itch_plugin::Point;

use super::Pen;
use super::paint::{Area, Paint, blend};
use super::stripe::Stripe;

/// A line through points, drawn with several pens, one over the other.
#[derive(Clone, Debug)]
pub(super) struct Line {
    points: Vec<Point>,
    pens: Vec<Pen>,
    clip: Area,
}

impl Line {
    pub(super) fn new(points: &[Point], pens: &[Pen], clip: Area) -> Line {
        Line {
            points: points.to_vec(),
            pens: pens.to_vec(),
            clip,
        }
    }

    /// The distance from the line that the widest pen reaches.
    fn reach(&self) -> f64 {
        let widest = self.pens.iter().map(|pen| pen.width).fold(0.0, f64::max);
        widest / 2.0 + 1.0
    }

    /// Draws the part on a stripe. First the distance to each pixel is computed, so that a line that crosses itself is
    /// not thicker there; then each pen is drawn from these distances.
    pub(super) fn draw(&self, stripe: &mut Stripe<'_>) {
        let rows = stripe.within(self.clip);
        let reach = self.reach();
        let (from, to) = (rows.start as f64 - reach, rows.end as f64 + reach);
        let near = |pair: &&[Point]| {
            let (low, high) = (pair[0].y.min(pair[1].y), pair[0].y.max(pair[1].y));
            low <= to && high >= from
        };
        let pairs = || self.points.windows(2).filter(near);
        // Only as wide as the line is on this stripe: a line that only rises covers few columns of a stripe.
        let (mut left, mut right) = (f64::MAX, f64::MIN);
        for pair in pairs() {
            left = left.min(pair[0].x).min(pair[1].x);
            right = right.max(pair[0].x).max(pair[1].x);
        }
        let clamp = |x: f64| (x.max(0.0) as usize).clamp(self.clip.left, self.clip.right);
        let area = Area {
            left: clamp((left - reach).floor()),
            right: clamp((right + reach).ceil()),
            top: rows.start,
            bottom: rows.end,
        };
        if area.left >= area.right || area.top >= area.bottom {
            return;
        }
        let mut field = Field::new(area, reach);
        pairs().for_each(|pair| field.pass(pair[0], pair[1]));
        field.ink(&self.pens, stripe);
    }
}

/// The squared distances from the centres of pixels to the line.
struct Field {
    area: Area,
    reach: f64,
    columns: usize,
    squares: Vec<f32>,
}

impl Field {
    fn new(area: Area, reach: f64) -> Field {
        let columns = area.right - area.left;
        let size = columns * (area.bottom - area.top);
        Field {
            area,
            reach,
            columns,
            squares: vec![f32::MAX; size],
        }
    }

    /// A segment of the line.
    fn pass(&mut self, from: Point, to: Point) {
        let (area, reach) = (self.area, self.reach);
        let Some((a, b)) = self.cut(from, to) else {
            return;
        };
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let length = dx * dx + dy * dy;
        let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
        let range = |low: f64, high: f64, first: usize, last: usize| {
            let within = |value: f64| (value.max(0.0) as usize).clamp(first, last);
            within((low - reach).floor())..within((high + reach).ceil())
        };
        let right = (dx as f32, (dx * inverse) as f32);
        for row in range(a.y.min(b.y), a.y.max(b.y), area.top, area.bottom) {
            let y = row as f64 + 0.5 - a.y;
            // The part of the segment that is near this row.
            let share = |y: f64| (y / dy).clamp(0.0, 1.0);
            let (near, far) = if dy == 0.0 {
                (a.x, b.x)
            } else {
                (a.x + dx * share(y - reach), a.x + dx * share(y + reach))
            };
            let columns = range(near.min(far), near.max(far), area.left, area.right);
            let first = (row - area.top) * self.columns;
            let squares = &mut self.squares[first + columns.start - area.left..first + columns.end - area.left];
            let x = (columns.start as f64 + 0.5 - a.x) as f32;
            let down = (y as f32, dy as f32, (y * dy * inverse) as f32);
            for (column, nearest) in squares.iter_mut().enumerate() {
                let x = x + column as f32;
                let along = (x * right.1 + down.2).clamp(0.0, 1.0);
                let (off_x, off_y) = (x - along * right.0, down.0 - along * down.1);
                *nearest = (off_x * off_x + off_y * off_y).min(*nearest);
            }
        }
    }

    /// The part of the segment that can be near: coordinates far outside are not exact in an `f32`.
    fn cut(&self, a: Point, b: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        if !(dx * dx + dy * dy).is_finite() {
            return None;
        }
        let far = 2.0 * self.reach;
        let (mut start, mut end) = (0.0f64, 1.0f64);
        for (from, step, first, last) in [
            (a.x, dx, self.area.left, self.area.right),
            (a.y, dy, self.area.top, self.area.bottom),
        ] {
            let (low, high) = (first as f64 - far - from, last as f64 + far - from);
            if step == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return None;
                }
                continue;
            }
            let (enter, leave) = (low / step, high / step);
            start = start.max(enter.min(leave));
            end = end.min(enter.max(leave));
        }
        let at = |share: f64| Point {
            x: a.x + dx * share,
            y: a.y + dy * share,
        };
        (start <= end).then(|| (at(start), at(end)))
    }

    /// Draws with each pen where the line is close enough.
    fn ink(&self, pens: &[Pen], stripe: &mut Stripe<'_>) {
        let farthest = (self.reach * self.reach) as f32;
        let pens: Vec<_> = pens
            .iter()
            .map(|pen| {
                let most = (pen.color.opacity() * 256.0) as f32;
                ((pen.width / 2.0 + 0.5) as f32, most, pen.color.bytes())
            })
            .collect();
        let lines = stripe.lines(self.area).zip(self.squares.chunks_exact(self.columns));
        for ((_, line), squares) in lines {
            let pixels = line.as_chunks_mut().0.iter_mut();
            let near = pixels.zip(squares).filter(|(_, square)| **square < farthest);
            for (pixel, square) in near {
                let off = square.sqrt();
                for (end, most, color) in &pens {
                    let share = ((end - off).clamp(0.0, 1.0) * most) as u32;
                    if share > 0 {
                        blend(pixel, *color, share);
                    }
                }
            }
        }
    }
}

/// A colour on everything below a line.
#[derive(Clone, Debug)]
pub(super) struct FillBelow {
    clip: Area,
    /// The first row of each column that is below the line.
    tops: Vec<usize>,
    paint: Paint,
}

impl FillBelow {
    pub(super) fn new(points: &[Point], paint: Paint, clip: Area) -> FillBelow {
        let mut tops = vec![clip.bottom; clip.right.saturating_sub(clip.left)];
        let mut next = 0;
        for (column, place) in (clip.left..clip.right).zip(&mut tops) {
            let x = column as f64 + 0.5;
            while next + 1 < points.len() && points[next + 1].x <= x {
                next += 1;
            }
            let (Some(a), b) = (points.get(next), points.get(next + 1)) else {
                break;
            };
            if x < a.x {
                continue;
            }
            let y = match b {
                Some(b) if b.x > a.x => a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x),
                // The line ends before this column.
                _ => continue,
            };
            *place = (y.max(0.0) as usize).clamp(clip.top, clip.bottom);
        }
        FillBelow { clip, tops, paint }
    }

    pub(super) fn draw(&self, stripe: &mut Stripe<'_>) {
        for (row, line) in stripe.lines(self.clip) {
            let below = |place: &usize| *place <= row;
            let mut from = 0;
            while let Some(skip) = self.tops[from..].iter().position(below) {
                let start = from + skip;
                let ends = self.tops[start..].iter().position(|place| !below(place));
                from = ends.map_or(self.tops.len(), |run| start + run);
                self.paint.put(&mut line[start * 3..from * 3]);
            }
        }
    }
}
