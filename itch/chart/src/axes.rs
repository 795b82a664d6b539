//! The axes of a chart: their bounds and labels.

use itch_api::Result;
use itch_plugin::{Axis, AxisKind, Chart, Mark, Scale};

use crate::data::ColumnKind;
use crate::request::{AxisRequest, Request};
use crate::rows::{Extent, Found, nothing_left};

/// The name and the kind of a column.
#[derive(Clone, Debug)]
pub(crate) struct Title {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

impl Title {
    fn kind(&self) -> AxisKind {
        match self.kind {
            ColumnKind::Number => AxisKind::Number,
            ColumnKind::Time => AxisKind::Time,
        }
    }

    /// The label of the axis.
    fn label(&self, request: &Request) -> String {
        match self.kind {
            ColumnKind::Time => format!("{} ({})", self.name, request.zone),
            ColumnKind::Number => self.name.clone(),
        }
    }
}

/// Sets the axes of a chart. The axes of dots get some margin.
pub(crate) fn set(chart: &mut Chart<'_>, x: &Title, y: &Title, found: &Found, request: &Request) -> Result<()> {
    let dotted = request.mark != Mark::Line;
    chart.x = around(found.x, request.x, x.kind(), dotted);
    chart.x.label = request.x_label.clone().unwrap_or_else(|| x.label(request));
    if dotted {
        chart.y = around(found.y, request.y, y.kind(), true);
        chart.y.label = y.label(request);
        chart.y2 = (request.mark == Mark::Mixed).then(|| of_count(found.count, AxisRequest::default()));
    } else {
        chart.y = of_count(found.count, request.y);
        if request.y.min.is_some_and(|min| min >= found.count as f64) || chart.y.max <= 0.0 {
            return Err(nothing_left(found.all, request));
        }
    }
    for axis in [&mut chart.x, &mut chart.y] {
        if axis.kind == AxisKind::Time {
            axis.zone = request.zone.name();
        }
    }
    Ok(())
}

/// The axis of a running count.
fn of_count(rows: usize, bounds: AxisRequest) -> Axis {
    let max = bounds.max.unwrap_or(rows as f64 * 1.04);
    let min = bounds.min.unwrap_or(if bounds.log { 1.0 } else { 0.0 });
    Axis {
        label: "running count".to_owned(),
        min: min.min(max - 1e-9),
        max,
        scale: if bounds.log { Scale::Log } else { Scale::Linear },
        ..Axis::default()
    }
}

/// An axis around values, or between the bounds that were asked for.
fn around(extent: Extent, bounds: AxisRequest, kind: AxisKind, with_room: bool) -> Axis {
    let Extent { low, high, .. } = extent;
    let scale = if bounds.log { Scale::Log } else { Scale::Linear };
    let (mut min, mut max) = (scale.of(low), scale.of(high));
    if min >= max {
        // A single value gets a margin on both sides: a day, a factor of two, or a tenth of the value.
        let room = match (kind, scale) {
            (AxisKind::Time, _) => 43_200.0,
            (_, Scale::Log) => 0.3,
            _ => (min.abs() * 0.1).max(if min == 0.0 { 1.0 } else { 1e-300 }),
        };
        (min, max) = (min - room, max + room);
    } else if with_room {
        // Multiplied before the subtraction: the difference of the largest numbers would overflow to infinity.
        let room = max * 0.025 - min * 0.025;
        (min, max) = ((min - room).max(f64::MIN), (max + room).min(f64::MAX));
    }
    let finite = |value: f64| value.clamp(f64::MIN, f64::MAX);
    let (mut min, mut max) = (finite(scale.back(min)), finite(scale.back(max)));
    // A bound that was asked for is exact; if the other bound would collide with it, that one is moved.
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
