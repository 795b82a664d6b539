//! The layout: the positions of the title, the legend, the data area, the labels around it and the colour bar.

use itch_plugin::{Axis, Chart, ColorBar, LegendEntry, Point, Rect, Target, Tick};
use itch_table::Zone;

use crate::text::{columns, shortened};
use crate::ticks::{Room, Span, ticks};

/// Text sizes on a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// The width of a character of average width.
    pub(crate) character: f64,
    /// The distance between lines.
    pub(crate) line: f64,
    /// The gap between unrelated elements.
    pub(crate) gap: f64,
    /// The margin at the edges of the target.
    pub(crate) edge: f64,
    /// Whether the target has character cells: text cannot be rotated, and everything is aligned to cells.
    pub(crate) cells: bool,
}

impl Sizes {
    pub(crate) fn of(target: &Target) -> Sizes {
        if target.has_character_cells() {
            return Sizes {
                character: 2.0,
                line: 4.0,
                gap: 2.0,
                edge: 0.0,
                cells: true,
            };
        }
        Sizes {
            character: target.text * 0.6,
            line: target.text * 1.25,
            gap: target.text * 0.5,
            edge: target.text * 0.8,
            cells: false,
        }
    }

    /// The width of a label.
    fn width(&self, text: &str) -> f64 {
        columns(text) * self.character
    }

    fn widest(&self, ticks: &[Tick]) -> f64 {
        ticks.iter().map(|tick| self.width(&tick.label)).fold(0.0, f64::max)
    }
}

/// The heights above and below the area. They do not depend on the elements at its sides.
fn heights(chart: &Chart<'_>, sizes: Sizes, legend: bool) -> (f64, f64) {
    let target = &chart.target;
    let mut top = sizes.edge;
    if !chart.title.is_empty() {
        top += if sizes.cells {
            sizes.line
        } else {
            target.title_text() * 1.25 + sizes.gap
        };
    }
    if legend {
        top += if sizes.cells { sizes.line } else { sizes.line * 1.15 };
    }
    let mut bottom = sizes.edge + sizes.line;
    if !sizes.cells {
        bottom += sizes.gap;
    }
    if chart.x.kind == itch_plugin::AxisKind::Time {
        bottom += sizes.line;
    }
    if !chart.x.label.is_empty() {
        bottom += if sizes.cells {
            sizes.line
        } else {
            sizes.line + sizes.gap * 0.5
        };
    }
    (top, bottom)
}

fn axis_ticks(axis: &Axis, length: f64, sizes: Sizes, side_by_side: bool, zone: &Zone) -> Vec<Tick> {
    let Axis {
        kind, scale, min, max, ..
    } = *axis;
    let span = Span { kind, scale, min, max };
    let room = Room {
        length,
        character: sizes.character,
        line: sizes.line,
        side_by_side,
    };
    ticks(span, room, zone)
}

/// Texts above and below are dropped if the data would get less than this share of the height.
const DATA: f64 = 0.4;
/// A legend entry with room for fewer characters is left out; [`SHORTEST_TURNED`] is the same for rotated labels.
const SHORTEST: f64 = 5.0;
const SHORTEST_TURNED: f64 = 12.0;

/// Drops texts above and below until there is enough room for the data.
fn drop_texts(chart: &mut Chart<'_>, sizes: Sizes, legend: &mut Vec<(usize, String)>) -> (f64, f64) {
    let height = f64::from(chart.target.height);
    loop {
        let (top, bottom) = heights(chart, sizes, !legend.is_empty());
        if height - top - bottom >= height * DATA {
            return (top, bottom);
        }
        if !legend.is_empty() {
            legend.clear();
        } else if !chart.x.label.is_empty() {
            chart.x.label.clear();
        } else if !chart.title.is_empty() {
            chart.title.clear();
        } else {
            return (top, bottom);
        }
    }
}

/// The widths of the elements at both sides of the area.
struct Sides {
    left: f64,
    right: f64,
    /// Whether the axes and the colour bar have rotated labels.
    labelled: bool,
    /// The distance from the area to the middle of the label of the right axis.
    y2_label: f64,
    /// The distance from the area to the colour bar.
    bar_from: f64,
}

impl Sides {
    fn of(chart: &Chart<'_>, sizes: Sizes, labelled: bool) -> Sides {
        let labelled = labelled && !sizes.cells;
        let room = |label: &str| match labelled && !label.is_empty() {
            true => sizes.line * 1.3,
            false => 0.0,
        };
        let left = sizes.edge + room(&chart.y.label) + sizes.widest(&chart.y.ticks) + sizes.gap;
        let mut sides = Sides {
            left,
            right: sizes.edge,
            labelled,
            y2_label: 0.0,
            bar_from: 0.0,
        };
        if let Some(y2) = &chart.y2 {
            let wide = sizes.gap + sizes.widest(&y2.ticks);
            sides.y2_label = wide + sizes.line * 0.75;
            sides.right += wide + room(&y2.label);
        }
        if let Some(bar) = &chart.color_bar {
            sides.bar_from = sides.right - sizes.edge + sizes.gap * 2.0;
            let label = if labelled { sizes.line } else { 0.0 };
            let ticks = sizes.gap * 0.5 + sizes.widest(&bar.ticks);
            sides.right += sizes.gap * 2.0 + thickness(sizes) + ticks + label;
        } else if !sizes.cells {
            // Room for half of the last label of the bottom axis.
            sides.right = sides.right.max(sizes.edge + sizes.character * 3.0);
        }
        sides
    }

    /// The width of the area between the sides.
    fn between(&self, width: f64) -> f64 {
        width - self.left - self.right
    }
}

/// The thickness of the colour bar.
fn thickness(sizes: Sizes) -> f64 {
    if sizes.cells { 2.0 } else { sizes.line * 0.7 }
}

/// Positions everything and chooses the ticks. `legend` names the layers of the legend. A target too small for its
/// labels shows as many as fit.
pub(crate) fn arrange(chart: &mut Chart<'_>, zone: &Zone, mut legend: Vec<(usize, String)>) {
    let sizes = Sizes::of(&chart.target);
    let (width, height) = (f64::from(chart.target.width), f64::from(chart.target.height));
    let (top, bottom) = drop_texts(chart, sizes, &mut legend);
    let down = whole((height - top - bottom).max(8.0), sizes, 4.0);
    let top = whole(top, sizes, 4.0);

    chart.y.ticks = axis_ticks(&chart.y, down, sizes, false, zone);
    if let Some(y2) = &mut chart.y2 {
        y2.ticks = axis_ticks(y2, down, sizes, false, zone);
    }
    if let Some(bar) = &mut chart.color_bar {
        thin_out(&mut bar.ticks, down, sizes.line * 1.3);
    }
    let most = down / sizes.character;
    let mut sides = Sides::of(chart, sizes, most >= SHORTEST_TURNED);
    if sides.between(width) < width * DATA {
        sides = Sides::of(chart, sizes, false);
    }
    if sides.between(width) < width * 0.3 {
        chart.color_bar = None;
        sides = Sides::of(chart, sizes, false);
        sides.right = sides.right.min(width * 0.3);
    }
    let left = whole(sides.left.min(width * 0.4), sizes, 2.0);
    let across = whole((width - left - sides.right).max(8.0), sizes, 2.0);
    chart.area = Rect {
        left,
        top,
        width: across,
        height: down,
    };
    chart.x.ticks = axis_ticks(&chart.x, across, sizes, true, zone);
    place_labels(chart, &sides, sizes);
    place_legend(chart, legend, sizes);
}

/// Positions the labels of the axes, the colour bar and the title, and shortens texts that are too long.
fn place_labels(chart: &mut Chart<'_>, sides: &Sides, sizes: Sizes) {
    let (area, target) = (chart.area, &chart.target);
    let (width, height) = (f64::from(target.width), f64::from(target.height));
    let middle = Point {
        x: area.left + area.width / 2.0,
        y: area.top + area.height / 2.0,
    };
    let most = area.height / sizes.character;
    if !chart.x.label.is_empty() {
        let y = height - sizes.edge - sizes.line / 2.0;
        chart.x.label_at = Some(Point { y, ..middle });
        let half = middle.x.min(width - middle.x) - sizes.edge;
        chart.x.label = shortened(&chart.x.label, half * 2.0 / sizes.character);
    }
    if sides.labelled && !chart.y.label.is_empty() {
        let x = sizes.edge + sizes.line * 0.4;
        chart.y.label_at = Some(Point { x, ..middle });
        chart.y.label = shortened(&chart.y.label, most);
    }
    if let Some(y2) = &mut chart.y2
        && sides.labelled
        && !y2.label.is_empty()
    {
        let x = area.right() + sides.y2_label;
        y2.label_at = Some(Point { x, ..middle });
        y2.label = shortened(&y2.label, most);
    }
    if let Some(bar) = &mut chart.color_bar {
        place_bar(bar, area, sides, sizes);
    }
    let title = target.title_text();
    let cell = if sizes.cells { 2.0 } else { sizes.edge + title * 0.625 };
    chart.title_at = Point {
        x: width / 2.0,
        y: cell,
    };
    let across = if sizes.cells { 2.0 } else { title * 0.6 };
    chart.title = shortened(&chart.title, (width - 2.0 * sizes.edge) / across);
}

/// On character cells everything is aligned to a cell.
fn whole(length: f64, sizes: Sizes, cell: f64) -> f64 {
    if sizes.cells {
        (length / cell).floor() * cell
    } else {
        length.round()
    }
}

fn place_bar(bar: &mut ColorBar, area: Rect, sides: &Sides, sizes: Sizes) {
    bar.area = Rect {
        left: (area.right() + sides.bar_from).round(),
        top: area.top,
        width: thickness(sizes).round(),
        height: area.height,
    };
    if sides.labelled {
        let x = bar.area.right() + sizes.gap * 0.5 + sizes.widest(&bar.ticks) + sizes.line * 0.6;
        bar.label_at = Some(Point {
            x,
            y: area.top + area.height / 2.0,
        });
        let most = area.height / sizes.character;
        bar.label = shortened(&bar.label, most);
    }
}

/// Sets the final ticks of the colour bar, which was laid out with room for the widest labels.
pub(crate) fn label_bar(bar: &mut ColorBar, ticks: Vec<Tick>, label: &str, target: &Target) {
    let sizes = Sizes::of(target);
    bar.ticks = ticks;
    thin_out(&mut bar.ticks, bar.area.height, sizes.line * 1.3);
    bar.label = shortened(label, bar.area.height / sizes.character);
}

/// Drops labels that would overlap others; the first and the last are kept with priority.
fn thin_out(ticks: &mut Vec<Tick>, length: f64, needs: f64) {
    let Some(last) = ticks.last().cloned() else {
        return;
    };
    let mut kept: Vec<Tick> = Vec::new();
    for tick in ticks.drain(..) {
        let free = |other: &Tick| (tick.at - other.at).abs() * length >= needs;
        if kept.last().is_none_or(free) && (tick == last || free(&last)) {
            kept.push(tick);
        }
    }
    *ticks = kept;
}

fn place_legend(chart: &mut Chart<'_>, legend: Vec<(usize, String)>, sizes: Sizes) {
    let area = chart.area;
    let y = if sizes.cells {
        area.top - 2.0
    } else {
        area.top - sizes.line * 0.65
    };
    let mark = if sizes.cells { 4.0 } else { sizes.line };
    let mut x = area.left;
    for (layer, label) in legend {
        let room = f64::from(chart.target.width) - x - mark - sizes.gap * 0.5;
        let most = room / sizes.character;
        if most < SHORTEST {
            break;
        }
        let label = shortened(&label, most);
        let end = x + mark + sizes.gap * 0.5 + sizes.width(&label);
        chart.legend.push(LegendEntry {
            layer,
            label,
            at: Point { x, y },
        });
        x = whole(end + sizes.line, sizes, 2.0);
    }
}
