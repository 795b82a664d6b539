//! Mean, covariance and bounding box of a set of points.

use super::Points;
use crate::parallel;

/// The values that the whitening is computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pub(crate) n: usize,
    pub(crate) mean: (f64, f64),
    pub(crate) xx: f64,
    pub(crate) xy: f64,
    pub(crate) yy: f64,
    /// The bounding box of all points.
    pub(crate) corners: [(f64, f64); 4],
}

impl Moments {
    /// Computed in two passes: times are large numbers that differ little, so a single pass would lose precision.
    pub(crate) fn of(points: Points<'_>) -> Moments {
        let n = points.len();
        if n == 0 {
            return Moments {
                n,
                mean: (0.0, 0.0),
                xx: 0.0,
                xy: 0.0,
                yy: 0.0,
                corners: [(0.0, 0.0); 4],
            };
        }
        let origin = points.at(0);
        let sums = parallel::map(n, |range| {
            let mut sum = (0.0, 0.0);
            let mut low = origin;
            let mut high = origin;
            for place in range {
                let (x, y) = points.at(place);
                sum = (sum.0 + (x - origin.0), sum.1 + (y - origin.1));
                low = (low.0.min(x), low.1.min(y));
                high = (high.0.max(x), high.1.max(y));
            }
            (sum, low, high)
        });
        let mut total = (0.0, 0.0);
        let (mut low, mut high) = (origin, origin);
        for (sum, below, above) in sums {
            total = (total.0 + sum.0, total.1 + sum.1);
            low = (low.0.min(below.0), low.1.min(below.1));
            high = (high.0.max(above.0), high.1.max(above.1));
        }
        // Points with the same coordinate have exactly the same one; rounding in the mean would give them a spread.
        let middle = |low: f64, high: f64, mean: f64| if low == high { low } else { mean };
        let mean = (
            middle(low.0, high.0, origin.0 + total.0 / n as f64),
            middle(low.1, high.1, origin.1 + total.1 / n as f64),
        );
        let squares = parallel::map(n, |range| {
            let mut sums = [0.0; 3];
            for place in range {
                let (x, y) = points.at(place);
                let (x, y) = (x - mean.0, y - mean.1);
                sums = [sums[0] + x * x, sums[1] + x * y, sums[2] + y * y];
            }
            sums
        });
        let mut sums = [0.0; 3];
        for part in squares {
            sums = [sums[0] + part[0], sums[1] + part[1], sums[2] + part[2]];
        }
        let [xx, xy, yy] = sums.map(|sum| sum / (n.max(2) - 1) as f64);
        Moments {
            n,
            mean,
            xx,
            xy,
            yy,
            corners: [low, (low.0, high.1), (high.0, low.1), high],
        }
    }
}
