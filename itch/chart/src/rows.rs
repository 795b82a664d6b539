//! Keeps the rows between the bounds of the axes.

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::Mark;

use crate::parallel;
use crate::request::{AxisRequest, Request};

/// The rows between the bounds.
pub(crate) struct Rows {
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    /// The indices of the rows in the table, if their texts are wanted.
    pub(crate) places: Option<Vec<u32>>,
}

impl Rows {
    /// Keeps the rows for which the test holds, in the same order.
    pub(crate) fn retain(&mut self, holds: impl Fn(f64, f64) -> bool) {
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

/// What was found between the bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// How many rows the table has.
    pub(crate) all: usize,
    /// How many of them are between the bounds of x. These are kept.
    pub(crate) count: usize,
    pub(crate) x: Extent,
    /// The kept rows between the bounds of y; all kept rows if only the running count is drawn.
    pub(crate) y: Extent,
    /// How many values cannot be shown on a logarithmic axis.
    pub(crate) without_logarithm: usize,
}

/// Keeps the rows between the bounds of x, and counts those between the bounds of y. Rows outside the bounds of y stay,
/// because the running count includes them.
pub(crate) fn keep(rows: &mut Rows, request: &Request) -> Result<Found> {
    let all = rows.x.len();
    let x = Extent::of(&rows.x, request.x);
    let mut without_logarithm = not_positive(&rows.x, request.x);
    if x.count < all {
        rows.retain(|x, _| request.x.holds(x));
    }
    let bounds = match request.mark {
        Mark::Line => AxisRequest::default(),
        _ => request.y,
    };
    let y = Extent::of(&rows.y, bounds);
    without_logarithm += not_positive(&rows.y, bounds);
    let found = Found {
        all,
        count: rows.x.len(),
        x,
        y,
        without_logarithm,
    };
    match found.count == 0 || y.count == 0 {
        true => Err(nothing_left(all, request)),
        false => Ok(found),
    }
}

/// How many values are 0 or less on a logarithmic axis.
fn not_positive(values: &[f64], axis: AxisRequest) -> usize {
    match axis.log {
        true => values.iter().filter(|value| **value <= 0.0).count(),
        false => 0,
    }
}

/// The error if no row can be drawn.
pub(crate) fn nothing_left(rows: usize, request: &Request) -> Error {
    let bounded = [request.x.min, request.x.max, request.y.min, request.y.max];
    let message = if bounded.iter().any(Option::is_some) {
        format!("none of the {rows} rows is between the bounds")
    } else {
        format!("none of the {rows} rows can be drawn on these axes")
    };
    Error::new(ErrorKind::NotFound, message)
}

/// How many values are between the bounds, and the smallest and largest of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) count: usize,
    pub(crate) low: f64,
    pub(crate) high: f64,
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
