//! From a table and a request to a finished chart.

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Axis, AxisKind, Buffer, Chart, ColorBar, Detail, Layer, Mark, Scale, Tick};
use itch_table::Texts;

use crate::data::{ColumnKind, Table};
use crate::density::{self, Points, Shape};

use crate::request::{AxisRequest, Dots, Request};
use crate::{layout, parallel, reduce, shade};

/// Above so many dots a picture is made of pixels and no longer of dots.
const DOTS: u64 = 50_000;
/// As many columns as a renderer may zoom into that asked for everything.
const FINE_COLUMNS: usize = 1 << 14;

/// A finished chart, and what there is to say about it.
#[derive(Clone, Debug)]
pub struct Built {
    /// The chart.
    pub chart: Chart<'static>,
    /// How many dots it shows.
    pub dots: u64,
    /// Whether the dots were gathered on pixels.
    pub gathered: bool,
    /// What a person should know, each a sentence without a final period.
    pub notes: Vec<String>,
}

/// The rows between the bounds.
struct Rows {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Which rows of the table they are, where their texts are wanted.
    places: Option<Vec<u32>>,
}

impl Rows {
    /// Keeps those that a test holds for, in their place.
    fn retain(&mut self, holds: impl Fn(f64, f64) -> bool) {
        let mut kept = 0;
        for row in 0..self.x.len() {
            let (x, y) = (self.x[row], self.y[row]);
            if holds(x, y) {
                self.x[kept] = x;
                self.y[kept] = y;
                if let Some(places) = &mut self.places {
                    places[kept] = places[row];
                }
                kept += 1;
            }
        }
        self.x.truncate(kept);
        self.y.truncate(kept);
        if let Some(places) = &mut self.places {
            places.truncate(kept);
        }
    }
}

/// Makes the chart of a table.
///
/// # Errors
///
/// When the request contradicts itself or the table: bounds the wrong way round, a logarithm of time, bands on an axis
/// of numbers, no row between the bounds.
pub fn build(table: Table, request: &Request) -> Result<Built> {
    check(&table, request)?;
    let mut notes = Vec::new();
    let Table { x, y, labels, .. } = table;
    let (x_kind, y_kind) = (kind(x.kind), kind(y.kind));
    let counted = request.mark != Mark::Scatter;
    let dotted = request.mark != Mark::Line;
    let labels = labels.filter(|_| request.detail == Detail::All);
    let mut rows = Rows {
        places: labels.as_ref().map(|_| (0..x.values.len() as u32).collect()),
        x: x.values,
        y: y.values,
    };
    let all = rows.x.len();
    let x_extent = Extent::of(&rows.x, request.x);
    let mut lost = placeless(&rows.x, request.x);
    if x_extent.count < all {
        rows.retain(|x, _| request.x.holds(x));
    }
    let y_request = if dotted { request.y } else { AxisRequest::default() };
    let in_x = rows.x.len();
    let y_extent = Extent::of(&rows.y, y_request);
    lost += placeless(&rows.y, y_request);
    if lost > 0 {
        let rows = if lost == 1 { "row is" } else { "rows are" };
        notes.push(format!("{lost} {rows} not drawn, as a logarithmic axis has no place for 0 and less"));
    }
    let in_y = y_extent.count;
    if in_x == 0 || in_y == 0 {
        return Err(nothing_left(all, request));
    }

    let mut chart = Chart {
        title: request.title.clone(),
        target: request.target.clone(),
        theme: request.theme.clone(),
        ..Chart::default()
    };
    let zone = &request.zone;
    let label = |name: &str, kind: AxisKind| match kind {
        AxisKind::Time => format!("{name} ({zone})"),
        _ => name.to_owned(),
    };
    chart.x = axis(x_extent, request.x, x_kind, dotted);
    chart.x.label = request.x_label.clone().unwrap_or_else(|| label(&x.name, x_kind));
    let count_axis = |bounds: AxisRequest| {
        let max = bounds.max.unwrap_or(in_x as f64 * 1.04);
        let min = bounds.min.unwrap_or(if bounds.log { 1.0 } else { 0.0 });
        let scale = if bounds.log { Scale::Log } else { Scale::Linear };
        Axis {
            label: "running count".to_owned(),
            min: min.min(max - 1e-9),
            max,
            scale,
            ..Axis::default()
        }
    };
    if dotted {
        chart.y = axis(y_extent, request.y, y_kind, true);
        chart.y.label = label(&y.name, y_kind);
        chart.y2 = counted.then(|| count_axis(AxisRequest::default()));
    } else {
        chart.y = count_axis(request.y);
        if request.y.min.is_some_and(|min| min >= in_x as f64) || chart.y.max <= 0.0 {
            return Err(nothing_left(all, request));
        }
    }
    for (axis, kind) in [(&mut chart.x, x_kind), (&mut chart.y, y_kind)] {
        if kind == AxisKind::Time && axis.kind == AxisKind::Time {
            axis.zone = zone.name();
        }
    }

    let bands = bands_in_view(request, &chart.x, x_extent.high);
    if !request.bands.is_empty() && bands.is_empty() {
        notes.push(format!("none of the {} {} is in view", request.bands.len(), request.bands_label));
    }
    let shaded = dotted && request.density;
    if shaded {
        chart.color_bar = Some(ColorBar {
            colors: request.color_map.colors(&request.theme),
            label: "density".to_owned(),
            // Room for the widest labels that there can be.
            ticks: [0.0, 1.0]
                .map(|at| Tick {
                    at,
                    label: "0.01%".to_owned(),
                    ..Tick::default()
                })
                .into(),
            ..ColorBar::default()
        });
    }
    let mut legend = Vec::new();
    let mut number = 0;
    let mut explain = |there: bool, label: &str| {
        if there {
            legend.push((number, label.to_owned()));
            number += 1;
        }
    };
    explain(!bands.is_empty(), &request.bands_label);
    explain(dotted, &y.name);
    explain(counted, "running count");
    if legend.len() == 1 && bands.is_empty() {
        legend.clear();
    }
    layout::arrange(&mut chart, zone, legend);

    if !bands.is_empty() {
        let bands = reduce::bands(bands, &chart.x, columns(&chart, request));
        let from = chart.push(Buffer::F64(bands.iter().map(|band| band.0).collect()));
        let to = chart.push(Buffer::F64(bands.iter().map(|band| band.1).collect()));
        chart.layers.push(Layer::Bands { from, to });
    }
    // Of every row between the bounds of its own axis, and so before those of the other take rows away.
    let line = counted.then(|| reduce::count_line(&rows.x, &chart.x, columns(&chart, request)));
    let mut dots = 0;
    let mut gathered = false;
    if dotted {
        if in_y < in_x {
            rows.retain(|_, y| request.y.holds(y));
        }
        dots = rows.x.len() as u64;
        gathered = gathers(request, dots);
        let layer = scatter(&mut chart, rows, labels, request, gathered, &mut notes);
        chart.layers.push(layer);
    }
    if let Some((x, count)) = line {
        let (x, y) = (chart.push(Buffer::F64(x.into())), chart.push(Buffer::F64(count.into())));
        chart.layers.push(Layer::Line {
            x,
            y,
            right: dotted,
            wash: true,
        });
    }
    Ok(Built {
        chart,
        dots,
        gathered,
        notes,
    })
}

/// The spans of the bands that are in view. One that runs ends with the last thing that is known: a row, or another band.
fn bands_in_view(request: &Request, axis: &Axis, last_row: f64) -> Vec<(f64, f64)> {
    let known = request.bands.iter().map(|(from, to)| to.unwrap_or(*from));
    let last = known.fold(last_row, f64::max);
    // What has just begun is seen, too.
    let least = (axis.max - axis.min) * 1e-6;
    let spans = request.bands.iter().map(|(from, to)| {
        let end = to.unwrap_or((from + least).max(last));
        (from.max(axis.min), end.min(axis.max))
    });
    spans.filter(|(from, to)| from < to).collect()
}

/// Columns of pixels that are told apart.
fn columns(chart: &Chart<'_>, request: &Request) -> usize {
    let columns = match request.detail {
        Detail::All => FINE_COLUMNS,
        _ => chart.area.width as usize,
    };
    columns.max(1)
}

/// How many values have no place on a logarithmic axis.
fn placeless(values: &[f64], axis: AxisRequest) -> usize {
    match axis.log {
        true => values.iter().filter(|value| **value <= 0.0).count(),
        false => 0,
    }
}

fn kind(kind: ColumnKind) -> AxisKind {
    match kind {
        ColumnKind::Number => AxisKind::Number,
        ColumnKind::Time => AxisKind::Time,
    }
}

/// Refuses a request that contradicts itself or the table, as [`build`] does before it begins.
///
/// # Errors
///
/// When bounds are the wrong way round, times should have a logarithm, or bands stand on an axis of numbers.
pub fn check(table: &Table, request: &Request) -> Result<()> {
    request.x.check("x")?;
    request.y.check("y")?;
    let refuse = |message: String| Err(Error::new(ErrorKind::Usage, message));
    let axes = [("x", request.x, table.x.kind), ("y", request.y, table.y.kind)];
    for (name, axis, kind) in axes {
        if axis.log && kind == ColumnKind::Time && !(name == "y" && request.mark == Mark::Line) {
            return refuse(format!("the {name} axis shows times, which have no logarithm"));
        }
    }
    if !request.bands.is_empty() && table.x.kind != ColumnKind::Time {
        return refuse(format!(
            "`{}` holds numbers, and {} are spans of time: they have no place on that axis",
            table.x.name, request.bands_label
        ));
    }
    Ok(())
}

fn nothing_left(rows: usize, request: &Request) -> Error {
    let bounded = [request.x.min, request.x.max, request.y.min, request.y.max];
    let message = if bounded.iter().any(Option::is_some) {
        format!("none of the {rows} rows is between the bounds")
    } else {
        format!("none of the {rows} rows has a place on the axes")
    };
    Error::new(ErrorKind::NotFound, message)
}

/// How many values there are between bounds, and between which ends these lie.
#[derive(Clone, Copy)]
struct Extent {
    count: usize,
    low: f64,
    high: f64,
}

impl Extent {
    fn of(values: &[f64], bounds: AxisRequest) -> Extent {
        let nothing = Extent {
            count: 0,
            low: f64::MAX,
            high: f64::MIN,
        };
        let parts = parallel::map(values.len(), |range| {
            let held = values[range].iter().filter(|value| bounds.holds(**value));
            held.fold(nothing, |extent, value| Extent {
                count: extent.count + 1,
                low: extent.low.min(*value),
                high: extent.high.max(*value),
            })
        });
        parts.into_iter().fold(nothing, |extent, part| Extent {
            count: extent.count + part.count,
            low: extent.low.min(part.low),
            high: extent.high.max(part.high),
        })
    }
}

/// An axis around values, or between the bounds that were asked for.
fn axis(extent: Extent, bounds: AxisRequest, kind: AxisKind, air: bool) -> Axis {
    let Extent { low, high, .. } = extent;
    let scale = if bounds.log { Scale::Log } else { Scale::Linear };
    let (mut min, mut max) = (scale.of(low), scale.of(high));
    if min >= max {
        // One value gets some room on both sides: a day, a factor of two, a tenth of itself.
        let room = match (kind, scale) {
            (AxisKind::Time, _) => 43_200.0,
            (_, Scale::Log) => 0.3,
            _ => (min.abs() * 0.1).max(if min == 0.0 { 1.0 } else { 1e-300 }),
        };
        (min, max) = (min - room, max + room);
    } else if air {
        // Divided first: the whole of the largest numbers is not finite.
        let room = max * 0.025 - min * 0.025;
        (min, max) = ((min - room).max(f64::MIN), (max + room).min(f64::MAX));
    }
    let finite = |value: f64| value.clamp(f64::MIN, f64::MAX);
    let (mut min, mut max) = (finite(scale.back(min)), finite(scale.back(max)));
    // A bound that was asked for is where the axis ends; the other end keeps off it.
    min = bounds.min.unwrap_or(min);
    max = bounds.max.unwrap_or(max);
    if min >= max {
        if bounds.max.is_some() {
            min = max - (max.abs() * 0.1).max(1.0);
        } else {
            max = min + (min.abs() * 0.1).max(1.0);
        }
    }
    Axis {
        kind,
        scale,
        min,
        max,
        ..Axis::default()
    }
}

/// Whether the dots are gathered on pixels.
fn gathers(request: &Request, dots: u64) -> bool {
    let most = match request.detail {
        Detail::All => return false,
        Detail::Points(most) => most,
        _ => DOTS,
    };
    match request.dots {
        Dots::Auto => dots > most,
        Dots::Single => false,
        Dots::Image => true,
    }
}

/// The layer of the dots.
fn scatter(
    chart: &mut Chart<'static>,
    rows: Rows,
    labels: Option<Texts>,
    request: &Request,
    gathered: bool,
    notes: &mut Vec<String>,
) -> Layer {
    let Rows { mut x, mut y, places } = rows;
    let everything = request.detail == Detail::All;
    let mut shades = None;
    let mut density = None;
    if request.density {
        let scales = (chart.x.scale, chart.y.scale);
        let found = density::estimate(Points { x: &x, y: &y, scales });
        match found.shape {
            Shape::Plane => {}
            Shape::Line => notes.push("the dots lie on a line: their density is that along it".to_owned()),
            Shape::Place => notes.push("the dots lie in one place: they have one density".to_owned()),
        }
        let made = shade::shades(&found.values, request.density_scale);
        if let Some(bar) = &mut chart.color_bar {
            layout::label_bar(bar, made.ticks, made.label, &chart.target);
        }
        shades = Some(made.values);
        density = everything.then_some(found.values);
    }
    let mut size = reduce::dot(x.len(), request.target.dpi, shades.is_some());
    if request.target.has_character_cells() {
        size = (0.5, 1.0);
    }
    if gathered {
        let cells = reduce::cells((&x, &y), shades.as_deref(), (&chart.x, &chart.y), chart.area);
        drop((x, y, shades));
        return reduce::layer(cells, size, chart);
    }
    if let Some(values) = shades.as_mut().filter(|_| !everything) {
        let order = shade::order(values);
        let sorted = |values: &[f64]| order.iter().map(|row| values[*row as usize]).collect::<Vec<_>>();
        (x, y) = (sorted(&x), sorted(&y));
        values.sort_unstable();
    }
    let labels = labels.zip(places).map(|(texts, places)| {
        let mut joined = String::new();
        for place in places {
            joined.extend(
                texts
                    .get(place as usize)
                    .chars()
                    .map(|c| if c == '\n' { ' ' } else { c }),
            );
            joined.push('\n');
        }
        chart.push(Buffer::Text(joined.into()))
    });
    let (radius, opacity) = size;
    Layer::Points {
        x: chart.push(Buffer::F64(x.into())),
        y: chart.push(Buffer::F64(y.into())),
        shade: shades.map(|shades| chart.push(Buffer::U8(shades.into()))),
        density: density.map(|density| chart.push(Buffer::F32(density.into()))),
        labels,
        radius,
        opacity,
    }
}
