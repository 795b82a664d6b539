//! The layer of dots: single dots or counts per pixel, coloured by density on request.

use itch_plugin::{Buffer, Chart, Detail, Layer, SINGLE_DOTS};
use itch_table::Texts;

use crate::density::{self, Points, Shape};
use crate::request::{Dots, Request};
use crate::rows::Rows;
use crate::{layout, reduce, shade};

/// Whether the dots are drawn as counts per pixel.
pub(crate) fn gathers(request: &Request, dots: u64) -> bool {
    let most = match request.detail {
        Detail::All => return false,
        Detail::Points(most) => most,
        _ => SINGLE_DOTS,
    };
    match request.dots {
        Dots::Auto => dots > most,
        Dots::Single => false,
        Dots::Image => true,
    }
}

/// The layer of the dots.
pub(crate) fn layer(
    chart: &mut Chart<'static>,
    rows: Rows,
    labels: Option<Texts>,
    request: &Request,
    gathered: bool,
    notes: &mut Vec<String>,
) -> Layer {
    let Rows { mut x, mut y, places } = rows;
    let everything = request.detail == Detail::All;
    let (mut shades, density) = match request.density {
        true => {
            let (shades, density) = density_of(&x, &y, chart, request, notes);
            (Some(shades), everything.then_some(density))
        }
        false => (None, None),
    };
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
        let joined = lines(&texts, &places);
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

/// The density at each dot, as a shade and as a number; also sets the ticks of the colour bar.
fn density_of(
    x: &[f64],
    y: &[f64],
    chart: &mut Chart<'static>,
    request: &Request,
    notes: &mut Vec<String>,
) -> (Vec<u8>, Vec<f32>) {
    let scales = (chart.x.scale, chart.y.scale);
    let found = density::estimate(Points { x, y, scales });
    match found.shape {
        Shape::Plane => {}
        Shape::Line => notes.push("all dots are on one line: the density is computed along it".to_owned()),
        Shape::Place => notes.push("all dots are in one place and have the same density".to_owned()),
    }
    let made = shade::shades(&found.values, request.density_scale);
    if let Some(bar) = &mut chart.color_bar {
        layout::label_bar(bar, made.ticks, made.label, &chart.target);
    }
    (made.values, found.values)
}

/// The texts of some rows, one per line.
fn lines(texts: &Texts, rows: &[u32]) -> String {
    let mut lines = String::new();
    for row in rows {
        let text = texts.get(*row as usize).chars();
        lines.extend(text.map(|letter| if letter == '\n' { ' ' } else { letter }));
        lines.push('\n');
    }
    lines
}
