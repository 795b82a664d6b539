//! What all pictures share: draws the parts of a chart, from bottom to top, on any canvas.

pub(crate) mod dots;
pub(crate) mod fonts;
mod glyphs;
pub(crate) mod limits;
mod line;
pub(crate) mod marks;
mod paint;
pub(crate) mod parallel;
pub(crate) mod pixels;
mod stripe;
pub(crate) mod text;

use itch_plugin::{Axis, Chart, Color, Layer, LegendEntry, Point, Rect, Tick};

/// Which part of a text is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A text on a canvas. Its vertical middle is at `at`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Point,
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    /// Whether the text is rotated by a quarter turn and read from bottom to top.
    pub(crate) turned: bool,
    pub(crate) color: Color,
}

/// The width and colour that a line is drawn with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub(crate) width: f64,
    pub(crate) color: Color,
}

/// What each format of pictures implements.
pub(crate) trait Canvas {
    /// Fills a rectangle.
    fn fill(&mut self, rect: Rect, color: Color);
    /// Draws a dotted or a solid line along an axis.
    fn rule(&mut self, from: Point, to: Point, width: f64, dotted: bool, color: Color);
    /// Draws a line through points, clipped to a part of the canvas, with each pen over the one before.
    fn polyline(&mut self, points: &[Point], pens: &[Pen], clip: Rect);
    /// Fills the area between a line and the bottom of a part of the canvas.
    fn fill_below(&mut self, points: &[Point], color: Color, clip: Rect);
    /// Draws one dot.
    fn dot(&mut self, at: Point, radius: f64, color: Color, clip: Rect);
    /// Draws a layer of dots.
    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer);
    /// Writes a text.
    fn text(&mut self, label: Label<'_>);
}

/// Draws a chart.
pub(crate) fn draw(chart: &Chart<'_>, canvas: &mut dyn Canvas) {
    let target = &chart.target;
    let page = Rect {
        left: 0.0,
        top: 0.0,
        width: f64::from(target.width),
        height: f64::from(target.height),
    };
    canvas.fill(page, chart.theme.background);
    grid(chart, canvas);
    for layer in &chart.layers {
        match layer {
            Layer::Bands { from, to } => bands(chart, *from, *to, canvas),
            // Below the dots, so that it does not cover them.
            Layer::Line { wash: true, .. } => {
                let points = line_points(chart, layer);
                canvas.fill_below(&points, chart.theme.wash, chart.area);
            }
            _ => {}
        }
    }
    for layer in &chart.layers {
        match layer {
            Layer::Points { .. } | Layer::Cells { .. } => canvas.dots(chart, layer),
            Layer::Line { .. } => {
                let points = line_points(chart, layer);
                // With an edge in the background colour, so that the line is visible on dots of any colour.
                let seam = Pen {
                    width: target.line * 2.4,
                    color: chart.theme.background.with_alpha(0xc0),
                };
                let line = Pen {
                    width: target.line,
                    color: chart.theme.line,
                };
                canvas.polyline(&points, &[seam, line], chart.area);
            }
            _ => {}
        }
    }
    decorations(chart, canvas);
}

/// Draws the axes, labels, legend and colour bar.
fn decorations(chart: &Chart<'_>, canvas: &mut dyn Canvas) {
    let (area, text) = (chart.area, chart.target.text);
    let color = chart.theme.text;
    let thin = (chart.target.line * 0.6).max(1.0);
    frame(area, thin, color, canvas);
    let label = |text: &str, at, size, anchor, turned, canvas: &mut dyn Canvas| {
        canvas.text(Label {
            text,
            at,
            size,
            anchor,
            turned,
            color,
        });
    };
    let (mark, gap) = (text * 0.22, text * 0.5);
    for tick in &chart.x.ticks {
        let x = chart.across(tick.at);
        let y = area.bottom();
        canvas.rule(Point { x, y }, Point { x, y: y + mark }, thin, false, color);
        let first = Point {
            x,
            y: y + gap + text * 0.5,
        };
        label(&tick.label, first, text, Anchor::Middle, false, canvas);
        let below = Point {
            x,
            y: first.y + text * 1.25,
        };
        label(&tick.below, below, text, Anchor::Middle, false, canvas);
    }
    let upright = |axis: &Axis, x: f64, side: f64, canvas: &mut dyn Canvas| {
        for tick in &axis.ticks {
            let y = chart.down(axis, tick.at);
            canvas.rule(Point { x, y }, Point { x: x + side * mark, y }, thin, false, color);
            let anchor = if side < 0.0 { Anchor::End } else { Anchor::Start };
            label(&tick.label, Point { x: x + side * gap, y }, text, anchor, false, canvas);
        }
        if let Some(at) = axis.label_at {
            label(&axis.label, at, text, Anchor::Middle, true, canvas);
        }
    };
    upright(&chart.y, area.left, -1.0, canvas);
    if let Some(y2) = &chart.y2 {
        upright(y2, area.right(), 1.0, canvas);
    }
    if let Some(at) = chart.x.label_at {
        label(&chart.x.label, at, text, Anchor::Middle, false, canvas);
    }
    label(&chart.title, chart.title_at, chart.target.title_text(), Anchor::Middle, false, canvas);
    for entry in &chart.legend {
        legend_mark(chart, entry, canvas);
        let at = Point {
            x: entry.at.x + text * 1.75,
            y: entry.at.y,
        };
        label(&entry.label, at, text, Anchor::Start, false, canvas);
    }
    color_bar(chart, thin, canvas);
}

fn frame(area: Rect, thin: f64, color: Color, canvas: &mut dyn Canvas) {
    let corner = |x, y| Point { x, y };
    let corners = [
        corner(area.left, area.top),
        corner(area.right(), area.top),
        corner(area.right(), area.bottom()),
        corner(area.left, area.bottom()),
    ];
    for side in 0..4 {
        canvas.rule(corners[side], corners[(side + 1) % 4], thin, false, color);
    }
}

/// Thin dotted grid lines, for the left and the bottom axis only.
fn grid(chart: &Chart<'_>, canvas: &mut dyn Canvas) {
    let (area, color) = (chart.area, chart.theme.grid);
    let thin = (chart.target.line * 0.5).max(1.0);
    let inside = |tick: &&Tick, axis: &Axis| (0.002..0.998).contains(&axis.share(tick.at));
    for tick in chart.x.ticks.iter().filter(|tick| inside(tick, &chart.x)) {
        let x = chart.across(tick.at);
        let (from, to) = (Point { x, y: area.top }, Point { x, y: area.bottom() });
        canvas.rule(from, to, thin, true, color);
    }
    for tick in chart.y.ticks.iter().filter(|tick| inside(tick, &chart.y)) {
        let y = chart.down(&chart.y, tick.at);
        let (from, to) = (Point { x: area.left, y }, Point { x: area.right(), y });
        canvas.rule(from, to, thin, true, color);
    }
}

fn bands(chart: &Chart<'_>, from: usize, to: usize, canvas: &mut dyn Canvas) {
    let area = chart.area;
    for (from, to) in chart.numbers(from).iter().zip(chart.numbers(to)) {
        let left = chart.across(from.max(chart.x.min)).clamp(area.left, area.right());
        let right = chart.across(to.min(chart.x.max)).clamp(area.left, area.right());
        // A short stream in a long view has to be at least this wide to be visible.
        let width = (right - left).max(1.0);
        canvas.fill(Rect { left, width, ..area }, chart.theme.bands);
    }
}

/// The points of a line on the canvas.
pub(crate) fn line_points(chart: &Chart<'_>, layer: &Layer) -> Vec<Point> {
    let Layer::Line { x, y, right, .. } = layer else {
        return Vec::new();
    };
    let axis = match &chart.y2 {
        Some(y2) if *right => y2,
        _ => &chart.y,
    };
    let pairs = chart.numbers(*x).iter().zip(chart.numbers(*y));
    pairs
        .map(|(x, y)| Point {
            x: chart.across(*x),
            y: chart.down(axis, *y),
        })
        .collect()
}

/// The colour of a layer in the legend: for dots coloured by density, one colour of their map.
pub(crate) fn sample_color(chart: &Chart<'_>, shaded: bool) -> Color {
    match &chart.color_bar {
        Some(bar) if shaded => bar.color(140),
        _ => chart.theme.dots,
    }
}

fn legend_mark(chart: &Chart<'_>, entry: &LegendEntry, canvas: &mut dyn Canvas) {
    let text = chart.target.text;
    let Point { x, y } = entry.at;
    let box_ = Rect {
        left: x,
        top: y - text * 0.35,
        width: text * 1.25,
        height: text * 0.7,
    };
    match chart.layers.get(entry.layer) {
        Some(Layer::Bands { .. }) => canvas.fill(box_, chart.theme.bands),
        Some(Layer::Line { .. }) => {
            let (from, to) = (Point { x, y }, Point { x: box_.right(), y });
            canvas.rule(from, to, chart.target.line, false, chart.theme.line);
        }
        Some(Layer::Points { shade, .. } | Layer::Cells { shade, .. }) => {
            let color = sample_color(chart, shade.is_some());
            let at = Point {
                x: x + box_.width / 2.0,
                y,
            };
            canvas.dot(at, text * 0.22, color, box_);
        }
        _ => {}
    }
}

fn color_bar(chart: &Chart<'_>, thin: f64, canvas: &mut dyn Canvas) {
    let Some(bar) = &chart.color_bar else {
        return;
    };
    let (area, text, color) = (bar.area, chart.target.text, chart.theme.text);
    let step = area.height / 256.0;
    for shade in 0..=255u8 {
        let top = area.bottom() - f64::from(shade) * step - step;
        canvas.fill(
            Rect {
                top,
                height: step + 0.5,
                ..area
            },
            bar.color(shade),
        );
    }
    frame(area, thin, color, canvas);
    for tick in &bar.ticks {
        let at = Point {
            x: area.right() + text * 0.3,
            y: area.bottom() - tick.at.clamp(0.0, 1.0) * area.height,
        };
        canvas.text(Label {
            text: &tick.label,
            at,
            size: text,
            anchor: Anchor::Start,
            turned: false,
            color,
        });
    }
    if let Some(at) = bar.label_at {
        canvas.text(Label {
            text: &bar.label,
            at,
            size: text,
            anchor: Anchor::Middle,
            turned: true,
            color,
        });
    }
}
