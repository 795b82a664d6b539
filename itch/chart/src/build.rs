//! Makes a finished chart from the columns of a table and a request.

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Axis, Buffer, Chart, ColorBar, Detail, Layer, Mark, Tick};

use crate::axes::Title;
use crate::data::{ColumnKind, Table};
use crate::request::Request;
use crate::rows::Rows;
use crate::{axes, dots, layout, reduce, rows};

/// The number of columns in the line and the bands for a renderer that asked for everything and can zoom.
const FINE_COLUMNS: usize = 1 << 14;

/// A finished chart, and notes about it.
#[derive(Clone, Debug)]
pub struct Built {
    /// The chart.
    pub chart: Chart<'static>,
    /// How many dots it shows.
    pub dots: u64,
    /// Whether dots are drawn as counts per pixel instead of one by one.
    pub gathered: bool,
    /// What the user should know, each a sentence without a final period.
    pub notes: Vec<String>,
}

/// Makes the chart of a table.
///
/// # Errors
///
/// When the request contradicts itself or the table: the minimum of an axis is not below its maximum, an axis of times
/// is to be logarithmic, bands are to be drawn on an axis of numbers, or no row is between the bounds.
pub fn build(table: Table, request: &Request) -> Result<Built> {
    check(&table, request)?;
    let mut notes = Vec::new();
    let Table { x, y, labels, .. } = table;
    let titles = [(x.name, x.kind), (y.name, y.kind)].map(|(name, kind)| Title { name, kind });
    let [x_title, y_title] = &titles;
    let counted = request.mark != Mark::Scatter;
    let dotted = request.mark != Mark::Line;
    let labels = labels.filter(|_| request.detail == Detail::All);
    let mut rows = Rows {
        places: labels.as_ref().map(|_| (0..x.values.len() as u32).collect()),
        x: x.values,
        y: y.values,
    };
    let found = rows::keep(&mut rows, request)?;
    if found.without_logarithm > 0 {
        let lost = found.without_logarithm;
        let rows = if lost == 1 { "row is" } else { "rows are" };
        notes.push(format!("{lost} {rows} not drawn: a logarithmic axis cannot show values of 0 or less"));
    }

    let mut chart = Chart {
        title: request.title.clone(),
        target: request.target.clone(),
        theme: request.theme.clone(),
        ..Chart::default()
    };
    axes::set(&mut chart, x_title, y_title, &found, request)?;
    let bands = bands_in_view(request, &chart.x, found.x.high);
    if !request.bands.is_empty() && bands.is_empty() {
        notes.push(format!("none of the {} {} is in view", request.bands.len(), request.bands_label));
    }
    chart.color_bar = (dotted && request.density).then(|| color_bar(request));
    let explained = [
        (!bands.is_empty(), request.bands_label.as_str()),
        (dotted, &y_title.name),
        (counted, "running count"),
    ];
    layout::arrange(&mut chart, &request.zone, legend(explained));

    push_bands(&mut chart, bands, request);
    // The line counts every row between the bounds of x, so it is made before rows outside the bounds of y are removed.
    let line = counted.then(|| reduce::count_line(&rows.x, &chart.x, columns(&chart, request)));
    let mut count = 0;
    let mut gathered = false;
    if dotted {
        if found.y.count < found.count {
            rows.retain(|_, y| request.y.holds(y));
        }
        count = rows.x.len() as u64;
        gathered = dots::gathers(request, count);
        let layer = dots::layer(&mut chart, rows, labels, request, gathered, &mut notes);
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
        dots: count,
        gathered,
        notes,
    })
}

/// The colour bar for densities, before its ticks are known.
fn color_bar(request: &Request) -> ColorBar {
    ColorBar {
        colors: request.color_map.colors(&request.theme),
        label: "density".to_owned(),
        // Placeholders that reserve room for the widest possible labels.
        ticks: [0.0, 1.0]
            .map(|at| Tick {
                at,
                label: "0.01%".to_owned(),
                ..Tick::default()
            })
            .into(),
        ..ColorBar::default()
    }
}

/// The legend: the index and label of each layer of bands, dots and line that is drawn. Dots or a line alone need no
/// legend.
fn legend(layers: [(bool, &str); 3]) -> Vec<(usize, String)> {
    let [(has_bands, _), ..] = layers;
    let there = layers.into_iter().filter(|(there, _)| *there);
    let legend: Vec<(usize, String)> = there
        .enumerate()
        .map(|(number, (_, label))| (number, label.to_owned()))
        .collect();
    match legend.len() == 1 && !has_bands {
        true => Vec::new(),
        false => legend,
    }
}

fn push_bands(chart: &mut Chart<'static>, bands: Vec<(f64, f64)>, request: &Request) {
    if bands.is_empty() {
        return;
    }
    let bands = reduce::bands(bands, &chart.x, columns(chart, request));
    let from = chart.push(Buffer::F64(bands.iter().map(|band| band.0).collect()));
    let to = chart.push(Buffer::F64(bands.iter().map(|band| band.1).collect()));
    chart.layers.push(Layer::Bands { from, to });
}

/// The visible parts of the bands. A band without an end goes on to the last known time: that of a row or of another
/// band.
fn bands_in_view(request: &Request, axis: &Axis, last_row: f64) -> Vec<(f64, f64)> {
    let known = request.bands.iter().map(|(from, to)| to.unwrap_or(*from));
    let last = known.fold(last_row, f64::max);
    // A band that has just begun is visible as well.
    let least = (axis.max - axis.min) * 1e-6;
    let spans = request.bands.iter().map(|(from, to)| {
        let end = to.unwrap_or((from + least).max(last));
        (from.max(axis.min), end.min(axis.max))
    });
    spans.filter(|(from, to)| from < to).collect()
}

/// How many columns of pixels the line and the bands are reduced to.
fn columns(chart: &Chart<'_>, request: &Request) -> usize {
    let columns = match request.detail {
        Detail::All => FINE_COLUMNS,
        _ => chart.area.width as usize,
    };
    columns.max(1)
}

/// Refuses a request that contradicts itself or the table; [`build`] calls this first.
///
/// # Errors
///
/// When the minimum of an axis is not below its maximum, an axis of times is to be logarithmic, or bands are to be
/// drawn on an axis of numbers.
pub fn check(table: &Table, request: &Request) -> Result<()> {
    request.x.check("x")?;
    request.y.check("y")?;
    let refuse = |message: String| Err(Error::new(ErrorKind::Usage, message));
    let axes = [("x", request.x, table.x.kind), ("y", request.y, table.y.kind)];
    for (name, axis, kind) in axes {
        if axis.log && kind == ColumnKind::Time && !(name == "y" && request.mark == Mark::Line) {
            return refuse(format!("the {name} axis shows times and cannot be logarithmic"));
        }
    }
    if !request.bands.is_empty() && table.x.kind != ColumnKind::Time {
        return refuse(format!(
            "`{}` holds numbers, and {} are spans of time: they cannot be drawn on that axis",
            table.x.name, request.bands_label
        ));
    }
    Ok(())
}
