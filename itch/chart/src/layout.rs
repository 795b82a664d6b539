//! Where everything is: the title, the legend, the area of the data, the labels around it, the bar of colours.

use itch_plugin::{Axis, Chart, ColorBar, LegendEntry, Point, Rect, Target, Tick};
use unicode_width::UnicodeWidthStr;

use crate::ticks::{Room, Span, Zone, ticks};

/// How many characters wide a text is.
pub(crate) fn columns(text: &str) -> f64 {
    text.width() as f64
}

/// Sizes of text on a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Across a character of medium width.
    pub(crate) character: f64,
    /// From one line to the next.
    pub(crate) line: f64,
    /// Between things that do not belong together.
    pub(crate) gap: f64,
    /// At the edges of the target.
    pub(crate) edge: f64,
    /// Text stands in cells: nothing can be turned, and everything begins at a cell.
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
        ticks
            .iter()
            .map(|tick| self.width(&tick.label))
            .fold(0.0, f64::max)
    }
}

/// Room above and below the area, which does not depend on what stands beside it.
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
        top += if sizes.cells {
            sizes.line
        } else {
            sizes.line * 1.15
        };
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

fn axis_ticks(
    axis: &Axis,
    length: f64,
    sizes: Sizes,
    side_by_side: bool,
    zone: &Zone,
) -> Vec<Tick> {
    let Axis {
        kind,
        scale,
        min,
        max,
        ..
    } = *axis;
    let span = Span {
        kind,
        scale,
        min,
        max,
    };
    let room = Room {
        length,
        character: sizes.character,
        line: sizes.line,
        side_by_side,
    };
    ticks(span, room, zone)
}

/// Places everything and chooses the ticks. `legend` names the layers to explain.
pub(crate) fn arrange(chart: &mut Chart<'_>, zone: &Zone, legend: Vec<(usize, String)>) {
    let sizes = Sizes::of(&chart.target);
    let (width, height) = (
        f64::from(chart.target.width),
        f64::from(chart.target.height),
    );
    let (top, bottom) = heights(chart, sizes, !legend.is_empty());
    let down = whole((height - top - bottom).max(8.0), sizes, 4.0);
    let top = whole(top, sizes, 4.0);

    chart.y.ticks = axis_ticks(&chart.y, down, sizes, false, zone);
    let labelled = |axis: &Axis| !axis.label.is_empty() && !sizes.cells;
    let left_label = if labelled(&chart.y) { sizes.line } else { 0.0 };
    let left = sizes.edge + left_label + sizes.widest(&chart.y.ticks) + sizes.gap;
    let mut right = sizes.edge;
    let mut y2_label = None;
    if let Some(y2) = &mut chart.y2 {
        y2.ticks = axis_ticks(y2, down, sizes, false, zone);
        let wide = sizes.gap + sizes.widest(&y2.ticks);
        let label = if labelled(y2) { sizes.line } else { 0.0 };
        y2_label = (label > 0.0).then_some(wide + label * 0.6);
        right += wide + label;
    }
    let mut bar_from = None;
    if let Some(bar) = &mut chart.color_bar {
        thin_out(&mut bar.ticks, down, sizes.line * 1.3);
        let thick = if sizes.cells { 2.0 } else { sizes.line * 0.7 };
        let label = if sizes.cells { 0.0 } else { sizes.line };
        let wide = sizes.gap * 2.0 + thick + sizes.gap * 0.5 + sizes.widest(&bar.ticks) + label;
        bar_from = Some((right - sizes.edge + sizes.gap * 2.0, thick));
        right += wide;
    } else if !sizes.cells {
        // Half of the last label of the bottom axis.
        right = right.max(sizes.edge + sizes.character * 3.0);
    }
    // A target too small for its labels shows what it can.
    if width - left - right < width * 0.3 {
        chart.color_bar = None;
        bar_from = None;
        right = right.min(width * 0.3);
    }
    let left = whole(left.min(width * 0.4), sizes, 2.0);
    let across = whole((width - left - right).max(8.0), sizes, 2.0);
    chart.area = Rect {
        left,
        top,
        width: across,
        height: down,
    };
    chart.x.ticks = axis_ticks(&chart.x, across, sizes, true, zone);

    let area = chart.area;
    let middle = area.top + area.height / 2.0;
    if !chart.x.label.is_empty() {
        let y = height - sizes.edge - sizes.line / 2.0;
        chart.x.label_at = Some(Point {
            x: area.left + area.width / 2.0,
            y,
        });
    }
    if left_label > 0.0 {
        chart.y.label_at = Some(Point {
            x: sizes.edge + sizes.line * 0.4,
            y: middle,
        });
    }
    if let (Some(y2), Some(off)) = (&mut chart.y2, y2_label) {
        y2.label_at = Some(Point {
            x: area.right() + off,
            y: middle,
        });
    }
    if let (Some(bar), Some((from, thick))) = (&mut chart.color_bar, bar_from) {
        place_bar(bar, area, from, thick, sizes);
    }
    let title = chart.target.title_text();
    let cell = if sizes.cells {
        2.0
    } else {
        sizes.edge + title * 0.625
    };
    chart.title_at = Point {
        x: width / 2.0,
        y: cell,
    };
    let across = if sizes.cells { 2.0 } else { title * 0.6 };
    chart.title = shortened(&chart.title, (width - 2.0 * sizes.edge) / across);
    place_legend(chart, legend, sizes);
}

/// In character cells everything begins at one.
fn whole(length: f64, sizes: Sizes, cell: f64) -> f64 {
    if sizes.cells {
        (length / cell).floor() * cell
    } else {
        length.round()
    }
}

fn place_bar(bar: &mut ColorBar, area: Rect, from: f64, thick: f64, sizes: Sizes) {
    bar.area = Rect {
        left: (area.right() + from).round(),
        top: area.top,
        width: thick.round(),
        height: area.height,
    };
    if !sizes.cells {
        let x = bar.area.right() + sizes.gap * 0.5 + sizes.widest(&bar.ticks) + sizes.line * 0.6;
        bar.label_at = Some(Point {
            x,
            y: area.top + area.height / 2.0,
        });
        let most = area.height / sizes.character;
        bar.label = shortened(&bar.label, most);
    }
}

/// Puts the final ticks on a bar that was placed with room for the widest.
pub(crate) fn label_bar(bar: &mut ColorBar, ticks: Vec<Tick>, label: &str, target: &Target) {
    let sizes = Sizes::of(target);
    bar.ticks = ticks;
    thin_out(&mut bar.ticks, bar.area.height, sizes.line * 1.3);
    bar.label = shortened(label, bar.area.height / sizes.character);
}

/// Leaves away labels that would stand on others; the first and the last matter most.
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
        let end = x + mark + sizes.gap * 0.5 + sizes.width(&label);
        if end > f64::from(chart.target.width) {
            break;
        }
        chart.legend.push(LegendEntry {
            layer,
            label,
            at: Point { x, y },
        });
        x = whole(end + sizes.line, sizes, 2.0);
    }
}

/// A text that is not wider than so many characters.
pub(crate) fn shortened(text: &str, most: f64) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if columns(&clean) <= most {
        return clean;
    }
    let mut short = String::new();
    for character in clean.chars() {
        let mut buffer = [0; 4];
        if columns(&short) + columns(character.encode_utf8(&mut buffer)) + 1.0 > most {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}
