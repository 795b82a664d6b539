//! `--renderer json`: the finished chart as data, for other tools and for checking the density.

use std::io::{BufWriter, Write};

use itch_plugin::prelude::*;
use itch_plugin::{Axis, Layer};
use serde_json::json;

struct Json;

renderer!(Json);

impl Renderer for Json {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("json", "The finished chart as data, with every point", "application/json")
            .help(
                "One object: `title`, the axes `x`, `y` and `y2` with their bounds and ticks, `bands`, `line`, and \
                 `points` in the order of the rows. Each point has `x`, `y`, `label` if there are labels, and \
                 `density` with `--density`: the share of all points in a square of one unit of each axis. Times are \
                 epoch seconds.",
            )
            .extension("json")
            .detail(Detail::All)
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let text = |value: serde_json::Value| value.to_string();
        write!(out, "{{\"title\":{}", text(json!(chart.title)))?;
        for (name, axis) in [("x", Some(&chart.x)), ("y", Some(&chart.y)), ("y2", chart.y2.as_ref())] {
            if let Some(axis) = axis {
                write!(out, ",\n\"{name}\":{}", text(data_of(axis)))?;
            }
        }
        for layer in &chart.layers {
            write_layer(chart, layer, &mut out)?;
        }
        writeln!(out, "}}")?;
        Ok(out.flush()?)
    }
}

/// Writes integers without a decimal point.
fn plain(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn data_of(axis: &Axis) -> serde_json::Value {
    let ticks: Vec<_> = axis
        .ticks
        .iter()
        .map(|tick| {
            let label = [tick.label.as_str(), &tick.below].join(" ");
            json!({"at": plain(tick.at), "label": label.trim()})
        })
        .collect();
    json!({
        "label": axis.label,
        "kind": axis.kind,
        "scale": axis.scale,
        "min": plain(axis.min),
        "max": plain(axis.max),
        "zone": if axis.zone.is_empty() { "UTC" } else { &axis.zone },
        "ticks": ticks,
    })
}

/// A number in JSON: the shortest text that reads back as the same number.
fn number(value: f64) -> impl std::fmt::Display {
    struct Number(f64);
    impl std::fmt::Display for Number {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self.0 {
                value if !value.is_finite() => f.write_str("null"),
                value if value.fract() == 0.0 && value.abs() < 1e15 => {
                    write!(f, "{}", value as i64)
                }
                value => write!(f, "{value:e}"),
            }
        }
    }
    Number(value)
}

fn write_layer(chart: &Chart<'_>, layer: &Layer, out: &mut impl Write) -> Result<()> {
    match layer {
        Layer::Bands { from, to } => {
            let pairs = chart.numbers(*from).iter().zip(chart.numbers(*to));
            write_list(out, "bands", pairs, |out, (from, to)| {
                write!(out, "{{\"from\":{},\"to\":{}}}", number(*from), number(*to))
            })
        }
        Layer::Line { x, y, right, .. } => {
            let pairs = chart.numbers(*x).iter().zip(chart.numbers(*y));
            write!(out, ",\n\"line_axis\":\"{}\"", if *right { "y2" } else { "y" })?;
            write_list(out, "line", pairs, |out, (x, y)| write!(out, "{{\"x\":{},\"y\":{}}}", number(*x), number(*y)))
        }
        Layer::Points {
            x, y, density, labels, ..
        } => {
            let density = density.map(|density| chart.small_numbers(density));
            let mut labels = labels.map(|labels| chart.texts(labels));
            let pairs = chart.numbers(*x).iter().zip(chart.numbers(*y)).enumerate();
            write_list(out, "points", pairs, |out, (row, (x, y))| {
                write!(out, "{{\"x\":{},\"y\":{}", number(*x), number(*y))?;
                if let Some(label) = labels.as_mut().and_then(Iterator::next) {
                    out.write_all(b",\"label\":")?;
                    serde_json::to_writer(&mut *out, label)?;
                }
                if let Some(density) = density.and_then(|density| density.get(row)) {
                    write!(out, ",\"density\":{density:e}")?;
                }
                out.write_all(b"}")
            })
        }
        _ => Ok(()),
    }
}

fn write_list<W: Write, T>(
    out: &mut W,
    name: &str,
    values: impl Iterator<Item = T>,
    mut one: impl FnMut(&mut W, T) -> std::io::Result<()>,
) -> Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (row, value) in values.enumerate() {
        out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
        one(out, value)?;
    }
    Ok(out.write_all(b"]")?)
}
