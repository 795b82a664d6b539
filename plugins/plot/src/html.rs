//! `--renderer html`: a self-contained page to pan, zoom, and look at single rows.

#[path = "html/numbers.rs"]
mod numbers;

use std::io::{BufWriter, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use itch_plugin::prelude::*;
use itch_plugin::{Axis, Layer};
use numbers::column;
use serde_json::{Value, json};

use crate::canvas::limits::{self, thousands};

/// With more rows than this, the page does not contain their names.
const NAMED: u64 = 200_000;

/// The page, whose markers are replaced.
const PAGE: &str = include_str!("html/page.html");
const AXES: &str = include_str!("html/axes.js");
const SCRIPT: &str = include_str!("html/page.js");

struct Html;

renderer!(Html);

impl Renderer for Html {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("html", "A page to pan and zoom in, complete in one file", "text/html")
            .help(format!(
                "Drag to pan; scroll to zoom (with shift only the bottom axis, with alt only the side axes); \
                 double-click to show everything again; point at a dot to read its row; click the legend to hide a \
                 part. Up to {} dots are drawn one by one; with more, counts per pixel are drawn again at every zoom. \
                 The page contains the names of up to {} rows. Its values are exact: a row takes about ten bytes for \
                 times or whole numbers and at most 22 otherwise, plus its name. The page loads nothing from other \
                 places.",
                thousands(limits::SINGLE),
                thousands(NAMED)
            ))
            .extension("html")
            .extension("htm")
            .detail(Detail::All)
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let (head, tail) = PAGE.split_once("<!--script-->").unwrap_or((PAGE, ""));
        out.write_all(head.replace("<!--title-->", &escaped(&chart.title)).as_bytes())?;
        // A `<` inside the data could close the script element.
        let data = data(chart).to_string().replace('<', "\\u003c");
        write!(
            out,
            "<script id=\"data\" type=\"application/json\">{data}</script>\n<script>\n{AXES}{SCRIPT}</script>"
        )?;
        out.write_all(tail.as_bytes())?;
        Ok(out.flush()?)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn axis(axis: &Axis) -> Value {
    json!({
        "label": axis.label,
        "kind": axis.kind,
        "scale": axis.scale,
        "min": axis.min,
        "max": axis.max,
        "zone": if axis.zone.is_empty() { "UTC" } else { &axis.zone },
    })
}

fn data(chart: &Chart<'_>) -> Value {
    let mut data = json!({
        "title": chart.title,
        "theme": chart.theme,
        "x": axis(&chart.x),
        "y": axis(&chart.y),
        "y2": chart.y2.as_ref().map(axis),
        "single": limits::SINGLE,
        "colors": chart.color_bar.as_ref().map(|bar| &bar.colors),
        "bar": chart.color_bar.as_ref().map(|bar| json!({"label": bar.label, "ticks": bar.ticks})),
    });
    for (number, layer) in chart.layers.iter().enumerate() {
        let label = chart
            .legend
            .iter()
            .find(|entry| entry.layer == number)
            .map_or("", |entry| entry.label.as_str());
        match layer {
            Layer::Bands { from, to } => {
                data["bands"] = json!({
                    "label": label,
                    "from": chart.numbers(*from),
                    "to": chart.numbers(*to),
                });
            }
            Layer::Line { x, y, right, .. } => {
                data["line"] = json!({
                    "label": label,
                    "right": *right && chart.y2.is_some(),
                    "x": column(chart.numbers(*x)),
                    "y": column(chart.numbers(*y)),
                });
            }
            Layer::Points {
                x,
                y,
                shade,
                labels,
                radius,
                opacity,
                ..
            } => {
                let count = chart.numbers(*x).len();
                let names = labels
                    .filter(|_| count as u64 <= NAMED)
                    .map(|labels| chart.texts(labels).collect::<Vec<_>>());
                data["points"] = json!({
                    "label": label,
                    "count": count,
                    "x": column(chart.numbers(*x)),
                    "y": column(chart.numbers(*y)),
                    "shade": shade.map(|shade| STANDARD.encode(chart.shades(shade))),
                    "names": names,
                    "radius": radius * 96.0 / chart.target.dpi,
                    "opacity": opacity,
                });
            }
            _ => {}
        }
    }
    data
}
