//! A canvas of pixels.

use ab_glyph_rasterizer::{Rasterizer, point};
use itch_plugin::{Buffer, Chart, Color, Layer, Point, Rect};

use super::text::{self, Stroke};
use super::{Anchor, Canvas, Label, dots};

/// Red, green and blue of every pixel, row by row from the top.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Puts a colour on a pixel's three bytes, by a share from 0 to 256.
pub(crate) fn blend(pixel: &mut [u8], color: Color, share: u32) {
    let mix = |below: u8, top: u8| {
        ((u32::from(below) * (256 - share) + u32::from(top) * share + 128) >> 8) as u8
    };
    if let [red, green, blue, ..] = pixel {
        *red = mix(*red, color.red);
        *green = mix(*green, color.green);
        *blue = mix(*blue, color.blue);
    }
}

/// A colour to put on many pixels by the same share: what becomes of each byte is worked out once.
struct Coat([[u8; 256]; 3]);

impl Coat {
    /// By the colour's own opacity.
    fn of(color: Color) -> Coat {
        let share = (color.opacity() * 256.0) as u32;
        let mut coat = Coat([[0; 256]; 3]);
        for below in 0..=255u8 {
            let mut pixel = [below; 3];
            blend(&mut pixel, color, share);
            for (table, byte) in coat.0.iter_mut().zip(pixel) {
                table[usize::from(below)] = byte;
            }
        }
        coat
    }

    fn put(&self, pixel: &mut [u8]) {
        for (byte, table) in pixel.iter_mut().zip(&self.0) {
            *byte = table[usize::from(*byte)];
        }
    }
}

impl Pixels {
    /// A black canvas.
    pub(crate) fn new(width: u32, height: u32) -> Pixels {
        let (width, height) = (width as usize, height as usize);
        Pixels {
            width,
            height,
            bytes: vec![0; width * height * 3],
        }
    }

    /// The chart as pixels.
    pub(crate) fn of(chart: &Chart<'_>) -> Pixels {
        let mut pixels = Pixels::new(chart.target.width, chart.target.height);
        super::draw(chart, &mut pixels);
        pixels
    }

    /// The part of a rectangle that is on the canvas, in whole pixels.
    pub(crate) fn whole(&self, rect: Rect) -> (usize, usize, usize, usize) {
        let clamp = |value: f64, most: usize| (value.max(0.0) as usize).min(most);
        (
            clamp(rect.left.round(), self.width),
            clamp(rect.top.round(), self.height),
            clamp(rect.right().round(), self.width),
            clamp(rect.bottom().round(), self.height),
        )
    }

    /// Puts a colour on a pixel, by a share from 0 to 1 of its own opacity.
    fn put(&mut self, x: usize, y: usize, color: Color, share: f32) {
        if x < self.width && y < self.height {
            let share = (share.clamp(0.0, 1.0) * f32::from(color.alpha) * 256.0 / 255.0) as u32;
            let at = (y * self.width + x) * 3;
            blend(&mut self.bytes[at..at + 3], color, share);
        }
    }

    /// Puts outlines on the canvas; `place` says where a point of them goes.
    fn outlines(
        &mut self,
        strokes: &[Stroke],
        place: impl Fn(f32, f32) -> (f32, f32),
        color: Color,
    ) {
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
            return;
        }
        let mut rasterizer = Rasterizer::new(width as usize + 1, height as usize + 1);
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
        let (left, top) = (left as isize, top as isize);
        rasterizer.for_each_pixel_2d(|x, y, share| {
            let (x, y) = (left + x as isize, top + y as isize);
            if share > 0.0 && x >= 0 && y >= 0 {
                self.put(x as usize, y as usize, color, share);
            }
        });
    }
}

impl Canvas for Pixels {
    fn fill(&mut self, rect: Rect, color: Color) {
        let (left, top, right, bottom) = self.whole(rect);
        if left >= right {
            return;
        }
        let Color {
            red,
            green,
            blue,
            alpha,
        } = color;
        let coat = (alpha < 255).then(|| Coat::of(color));
        for y in top..bottom {
            let row = &mut self.bytes[(y * self.width + left) * 3..(y * self.width + right) * 3];
            let pixels = row.chunks_exact_mut(3);
            match &coat {
                Some(coat) => pixels.for_each(|pixel| coat.put(pixel)),
                None if red == green && green == blue => row.fill(red),
                None => pixels.for_each(|pixel| pixel.copy_from_slice(&[red, green, blue])),
            }
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
        let step = if dotted {
            thick * 3.0
        } else {
            end - start + thick
        };
        let mut at = start;
        while at < end {
            let long = if dotted { thick } else { step };
            let along = (at - if dotted { 0.0 } else { thick / 2.0 }, long);
            let across = (if upright { from.x } else { from.y } - thick / 2.0, thick);
            let (x, y) = if upright {
                (across, along)
            } else {
                (along, across)
            };
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

    fn polyline(&mut self, points: &[Point], width: f64, color: Color, clip: Rect) {
        let (left, top, right, bottom) = self.whole(clip);
        let (columns, rows) = (right - left, bottom - top);
        // The coverage is gathered first: a line that crosses itself is no thicker there.
        let mut covered = vec![0u8; columns * rows];
        let half = width / 2.0;
        let reach = half + 1.0;
        for pair in points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let length = dx * dx + dy * dy;
            if !length.is_finite() {
                continue;
            }
            let range = |low: f64, high: f64, first: usize, count: usize| {
                let from = ((low - reach).floor() - first as f64).clamp(0.0, count as f64);
                let to = ((high + reach).ceil() - first as f64).clamp(0.0, count as f64);
                from as usize..to as usize
            };
            for column in range(a.x.min(b.x), a.x.max(b.x), left, columns) {
                let x = (left + column) as f64 + 0.5;
                // The part of the line that comes near this column.
                let share = |x: f64| {
                    if dx == 0.0 {
                        0.0
                    } else {
                        ((x - a.x) / dx).clamp(0.0, 1.0)
                    }
                };
                let (near, far) = if dx == 0.0 {
                    (a.y, b.y)
                } else {
                    (a.y + dy * share(x - reach), a.y + dy * share(x + reach))
                };
                for row in range(near.min(far), near.max(far), top, rows) {
                    let y = (top + row) as f64 + 0.5;
                    let along = if length == 0.0 {
                        0.0
                    } else {
                        (((x - a.x) * dx + (y - a.y) * dy) / length).clamp(0.0, 1.0)
                    };
                    let (off_x, off_y) = (x - a.x - along * dx, y - a.y - along * dy);
                    let off = (off_x * off_x + off_y * off_y).sqrt();
                    let share = ((half + 0.5 - off).clamp(0.0, 1.0) * 255.0) as u8;
                    let cell = &mut covered[row * columns + column];
                    *cell = share.max(*cell);
                }
            }
        }
        for (row, covered) in covered.chunks_exact(columns.max(1)).enumerate() {
            for (column, share) in covered.iter().enumerate().filter(|(_, share)| **share > 0) {
                self.put(left + column, top + row, color, f32::from(*share) / 255.0);
            }
        }
    }

    fn wash(&mut self, points: &[Point], color: Color, clip: Rect) {
        let (left, top, right, bottom) = self.whole(clip);
        // Where it begins in each column; row by row it is put on, as the pixels lie.
        let mut tops = vec![bottom; right - left];
        let mut next = 0;
        for (column, place) in (left..right).zip(&mut tops) {
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
                // The line has ended.
                _ => continue,
            };
            *place = (y.max(0.0) as usize).clamp(top, bottom);
        }
        let coat = Coat::of(color);
        for row in top..bottom {
            let start = (row * self.width + left) * 3;
            let pixels = self.bytes[start..].chunks_exact_mut(3);
            for (pixel, _) in pixels.zip(&tops).filter(|(_, from)| **from <= row) {
                coat.put(pixel);
            }
        }
    }

    fn dot(&mut self, at: Point, radius: f64, color: Color, clip: Rect) {
        let stamps = dots::Stamps::new(radius);
        let area = self.whole(clip);
        stamps.put(self, at, color, color.opacity(), area);
    }

    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer) {
        dots::draw(self, chart, layer);
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
        if label.turned {
            self.outlines(
                &outline.strokes,
                |along, down| (x + down + base, y - along + before),
                label.color,
            );
        } else {
            // Base lines on whole pixels: letters of one line are equally sharp.
            let y = (y + base).round();
            self.outlines(
                &outline.strokes,
                |along, down| (x + along - before, y + down),
                label.color,
            );
        }
    }
}

/// Pixels that hide only a part of what is below: red, green, blue and opacity.
#[derive(Clone, Debug)]
pub(crate) struct CutOut {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bytes: Vec<u8>,
}

/// A layer of dots alone, as large as the area. It is drawn on black and on white: what differs shines through.
pub(crate) fn cut_out(chart: &Chart<'_>, layer: &Layer) -> CutOut {
    let area = chart.area;
    let alone = Chart {
        area: Rect {
            left: 0.0,
            top: 0.0,
            ..area
        },
        x: chart.x.clone(),
        y: chart.y.clone(),
        theme: chart.theme.clone(),
        color_bar: chart.color_bar.clone(),
        buffers: chart.buffers.iter().map(Buffer::borrow).collect(),
        ..Chart::default()
    };
    let draw = |ground: u8| {
        let mut pixels = Pixels::new(area.width as u32, area.height as u32);
        pixels.bytes.fill(ground);
        dots::draw(&mut pixels, &alone, layer);
        pixels
    };
    let (on_black, on_white) = (draw(0), draw(255));
    let mut bytes = Vec::with_capacity(on_black.width * on_black.height * 4);
    for (black, white) in on_black
        .bytes
        .chunks_exact(3)
        .zip(on_white.bytes.chunks_exact(3))
    {
        let differs = black
            .iter()
            .zip(white)
            .map(|(black, white)| white.saturating_sub(*black))
            .max();
        let opacity = 255 - differs.unwrap_or(255);
        let color = |black: u8| match opacity {
            0 => 0,
            opacity => (u32::from(black) * 255 / u32::from(opacity)).min(255) as u8,
        };
        bytes.extend(black.iter().map(|black| color(*black)));
        bytes.push(opacity);
    }
    CutOut {
        width: on_black.width,
        height: on_black.height,
        bytes,
    }
}
